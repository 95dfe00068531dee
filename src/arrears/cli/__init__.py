"""The command line: one command a verb, thin."""

from arrears.cli.main import main

__all__ = ["main"]
