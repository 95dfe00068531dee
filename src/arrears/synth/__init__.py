"""Synthetic books with known truth."""

from arrears.synth.book import TABLES, Chunk, book
from arrears.synth.recipe import Recipe, read_recipe
from arrears.synth.render import render, to_bytes

__all__ = ["TABLES", "Chunk", "Recipe", "book", "read_recipe", "render", "to_bytes"]
