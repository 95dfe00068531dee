"""Arrears finds the best lawful way out of each bad personal loan."""

__version__ = "0.1.0"
