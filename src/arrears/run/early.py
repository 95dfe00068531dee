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
        self._begun: dict[str, Future[None]] = {}

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
        self.write(name, Products.table, name, table)

    def write(
        self,
        name: str,
        work: Callable[Concatenate[Products, _What], None],
        /,
        *what: _What.args,
        **more: _What.kwargs,
    ) -> None:
        """What `work` writes, in the order in which it was asked for."""
        if self._products is not None:
            self._begun[name] = self._thread.submit(work, self._products, *what, **more)

    def wait(self, *names: str) -> None:
        """Until these stand; all of them where none is named.

        Raises:
            OSError, polars.exceptions.PolarsError: one could not be written.
        """
        for name in names or self._begun:
            self._begun[name].result()
