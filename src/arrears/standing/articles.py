"""The articles that each loan rests on, as lists."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl


def lists(table: pl.DataFrame, parts: Sequence[tuple[pl.Expr, str]]) -> pl.Series:
    """The articles whose condition holds, in their order, each once (n,), `List(String)`.

    A book has few patterns of conditions: a list is built for each of them and then gathered, since building one for
    each loan would take most of the time of classing.
    """
    if table.is_empty():
        return pl.Series("articles", [], dtype=pl.List(pl.String))
    bits = [holds.cast(pl.UInt32) * (1 << bit) for bit, (holds, _) in enumerate(parts)]
    pattern = table.select(pattern=pl.sum_horizontal(bits)).to_series()
    known = pattern.unique().sort()
    found = [
        list(dict.fromkeys(article for bit, (_, article) in enumerate(parts) if code >> bit & 1))
        for code in known.to_list()
    ]
    place = pattern.replace_strict(known, range(len(known)), return_dtype=pl.UInt32)
    return pl.Series("articles", found, dtype=pl.List(pl.String)).gather(place)
