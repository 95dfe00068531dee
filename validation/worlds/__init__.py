"""Worlds whose truth is known.

They share neither code nor mechanism with the models that are judged in them: of Arrears they know only the columns
and words of a tape (docs/tape.md).
"""
