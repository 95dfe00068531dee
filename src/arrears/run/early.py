"""Tables that are written while the next step of a run is worked out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Concatenate, ParamSpec, Self

import polars as pl

from arrears.run.products import Products

_What = ParamSpec("_What")


class Early:
    """Writes products on a thread of its own, each as soon as it stands; nothing where there is no place for them.

    Most of a run keeps one processor busy, so that writing them at its end would be waited for.
    """

    def __init__(self, products: Products | None) -> None:
        self._products = products
        self._thread = ThreadPoolExecutor(1)
        self._begun: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._thread.shutdown(cancel_futures=True)

    def table(self, name: str, table: pl.DataFrame) -> None:
        """A Parquet file."""
        self.write(Products.table, name, table)

    def write(
        self,
        work: Callable[Concatenate[Products, _What], None],
        /,
        *what: _What.args,
        **more: _What.kwargs,
    ) -> None:
        """What `work` writes, after all that was asked for before."""
        if self._products is not None:
            self._begun.append(self._thread.submit(work, self._products, *what, **more))

    def wait(self, most: int | None = None) -> None:
        """Until all that was asked for stands, or the first so many.

        Raises:
            OSError, polars.exceptions.PolarsError: something could not be written.
        """
        for begun in self._begun[:most]:
            begun.result()
