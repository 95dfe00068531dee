"""The two examples with which the help of every command ends."""

from __future__ import annotations


def with_examples(*commands: str) -> str:
    """An epilogue that keeps its lines."""
    return "\b\nExamples:\n" + "\n".join(f"  {command}" for command in commands)
