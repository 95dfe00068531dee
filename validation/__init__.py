"""Arrears held against the truth: on real loans out of time, and on worlds whose truth is known."""
