"""What was found: the chance that each loan is bad and hidden, and what is hidden in any part of the book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.standing.hidden.coded import Coded
from arrears.standing.hidden.fit import Fit
from arrears.standing.hidden.signs import told_months

Floats = npt.NDArray[np.float64]

DRAWS = 200
_AT_ONCE = 4_096
LEAST = 1e-4
WORTH_A_WORD = 0.01


@dataclass(frozen=True)
class Book:
    """A book with what its histories show.

    Attributes:
        shown: whether each loan (n,) can be hidden at all: it owes, and is neither reported nor ruled bad.
        told: whether the tape tells any history of each loan (n,).
        monthly: whether months are known, not only that something was done in one.
    """

    loans: pl.DataFrame
    lived: pl.DataFrame
    signs: pl.DataFrame
    claim: npt.NDArray[np.int64]
    shown: npt.NDArray[np.bool_]
    told: npt.NDArray[np.bool_]
    monthly: bool


@dataclass(frozen=True)
class Choice:
    """Which way ships and why.

    Attributes:
        way: `model` or `scorecard`.
        table: `way, auc, lo90, hi90, ahead_of_model_lo90`, by the loans judged.
        judged, outcomes: loans ranked, and those that gave themselves away.
        why: in a sentence.
        ranking: of all loans (n,) on the cut-off date, by the way that ships; None where that is the model.
    """

    way: str
    table: pl.DataFrame
    judged: int
    outcomes: int
    why: str
    ranking: Floats | None = None


@dataclass(frozen=True)
class Modelled:
    """The model behind a finding: fit, histories, posterior (t, s) of every loan-month, and why it ships or not."""

    fit: Fit
    histories: Coded
    gamma: npt.NDArray[np.float32]
    choice: Choice


class Sliced(Protocol):
    """Chances (m, DRAWS) of loans, by slices of them."""

    def __getitem__(self, loans: slice, /) -> npt.NDArray[np.float32]: ...


class Drawn(NamedTuple):
    """Who is hidden in which draw (h,), by loan and draw: the loan's place in the book, the draw, and fen hidden."""

    loan: npt.NDArray[np.int64]
    draw: npt.NDArray[np.int64]
    fen: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Hidden:
    """The hidden part of a book.

    Attributes:
        table: n rows in the order of the loans: `loan_id, p_hidden, hidden_amount` (expected fen), both null where
            the tape tells no history of the loan.
        rows: the loans (m,) whose chance is worth drawing; the others hide their expected amount in every draw.
        draws: those of them that are hidden in each of DRAWS draws, parameters and outcomes drawn together.
        untraced: (DRAWS,) what loans without a trace hide in each draw, as a share of what loans hide that are surely
            bad: no error of a level moves a chance that is near one already. None: nothing.
        basis: `model`, `scorecard` or `none`.
        why: why this one, in a sentence.
        signs: indicators of each loan with their evidence (`signs.signs`), rows as `table`.
        book: the loans with their histories.
        modelled: the model, where one was fitted.
    """

    table: pl.DataFrame
    rows: npt.NDArray[np.int64]
    draws: Drawn
    basis: str
    why: str
    signs: pl.DataFrame
    book: Book | None = None
    modelled: Modelled | None = None
    untraced: Floats | None = None

    @property
    def lived(self) -> pl.DataFrame:
        """Loan-months with their signs; without columns where there are none."""
        return pl.DataFrame() if self.book is None else self.book.lived

    def by_month(self, ids: pl.Series) -> pl.DataFrame:
        """`hidden.parquet`: `loan_id, month, p_sound, p_strained, p_bad`, sorted; empty without a model."""
        names = ("p_sound", "p_strained", "p_bad")
        if self.modelled is None:
            kinds = {"loan_id": pl.String, "month": pl.Date} | dict.fromkeys(names, pl.Float64)
            return pl.DataFrame(schema=kinds)
        at, gamma = self.modelled.histories, self.modelled.gamma.astype(np.float64)
        which = np.repeat(np.arange(len(at.loan)), at.length)
        month = at.start + (at.last - at.length + 1 - at.first)[which] + np.arange(len(which))
        bad = np.minimum(gamma[:, 2:].sum(axis=1), 1.0)
        return pl.DataFrame(
            {
                "loan_id": ids.gather(at.loan[which]),
                "year": month // 12,
                "number": month % 12 + 1,
                "p_sound": gamma[:, 0],
                "p_strained": gamma[:, 1],
                "p_bad": bad,
            }
        ).select("loan_id", *names, month=pl.date("year", "number", 1)).select(
            "loan_id", "month", *names
        ).sort("loan_id", "month")  # fmt: skip

    def reasons(self) -> pl.DataFrame:
        """`hidden_why.parquet`: loans worth a word, `loan_id, p_hidden, basis, evidence, months`.

        `months` names what each telling month showed. A loan is worth a word from one per cent on.
        """
        place = pl.int_range(pl.len(), dtype=pl.UInt32)
        worth = self.table.with_columns(loan=place, evidence=self.signs["evidence"]).filter(
            pl.col("p_hidden") >= WORTH_A_WORD
        )
        named = pl.DataFrame(schema={"loan": pl.UInt32, "months": pl.String})
        if self.book is not None and not self.book.lived.is_empty():
            mine = pl.col("loan").is_in(worth["loan"].implode())
            named = told_months(self.book.lived.filter(mine))
        return worth.join(named, on="loan", how="left", maintain_order="left").select(
            "loan_id",
            "p_hidden",
            "evidence",
            basis=pl.lit(self.basis),
            months=pl.col("months").fill_null(""),
        )

    def by(self, keys: pl.Series) -> pl.DataFrame:
        """What is hidden by any cut: `key, hidden, lo90, hi90`, expected fen and the middle 90 % of the draws.

        Args:
            keys: (n,) the group of every loan.

        Returns:
            A row a key, sorted; null where no loan of the group has a history.
        """
        amount = self.table["hidden_amount"]
        groups, place = _places(keys)
        known = np.zeros(len(groups), dtype=np.bool_)
        known[place[amount.is_not_null().to_numpy()]] = True
        fen = amount.fill_null(0.0).to_numpy()
        whole = np.bincount(place, weights=fen, minlength=len(groups))
        sums = self.drawn_by(place, len(groups))
        low, high = np.quantile(sums, [0.05, 0.95], axis=1) if len(groups) else (whole, whole)
        mask = pl.Series(known)
        found = pl.DataFrame(
            {
                "key": groups,
                "hidden": whole,
                "lo90": np.minimum(low, whole),
                "hi90": np.maximum(high, whole),
            }
        )
        return found.with_columns(
            pl.when(mask).then(pl.col(name)) for name in ("hidden", "lo90", "hi90")
        )

    def drawn_by(self, place: npt.NDArray[np.int64], groups: int) -> Floats:
        """Fen hidden (groups, DRAWS) in each group of loans in every draw.

        Args:
            place: (n,) the group of every loan, from 0 on.
        """
        small = self.table["hidden_amount"].fill_null(0.0).to_numpy().copy()
        small[self.rows] = 0.0
        cell = place[self.draws.loan] * DRAWS + self.draws.draw
        fen = self.draws.fen.astype(np.float64)
        sums = np.bincount(cell, weights=fen, minlength=groups * DRAWS).reshape(groups, DRAWS)
        sums = sums + np.bincount(place, weights=small, minlength=groups)[:, None]
        if self.untraced is not None:
            surely = self.table.select(
                (pl.col("p_hidden") * pl.col("hidden_amount")).fill_null(0.0)
            )
            named = np.bincount(place, weights=surely.to_series().to_numpy(), minlength=groups)
            sums = sums + np.outer(named, self.untraced)
        return np.asarray(sums)


def _places(keys: pl.Series) -> tuple[pl.Series, npt.NDArray[np.int64]]:
    groups = keys.unique().sort()
    order = pl.DataFrame({"key": groups, "place": np.arange(len(groups))})
    joined = pl.DataFrame({"key": keys}).join(
        order, on="key", how="left", nulls_equal=True, maintain_order="left"
    )
    return groups, joined["place"].to_numpy()


def drawn(
    rows: npt.NDArray[np.int64],
    chances: Sliced,
    claim: npt.NDArray[np.int64],
    chance: np.random.Generator,
) -> Drawn:
    """Who is hidden where a loan is hidden in a draw with the chance (m, DRAWS) of that draw.

    Args:
        rows: place of each loan (m,) in the book.
        claim: what each owes (m,), fen.
    """
    # Some at a time: few are hidden in any draw, and the numbers they are drawn by are as many as all chances.
    found = [
        (start + loan, draw)
        for start in range(0, len(rows), _AT_ONCE)
        for part in [chances[start : start + _AT_ONCE]]
        for loan, draw in [np.nonzero(chance.random(part.shape, dtype=np.float32) < part)]
    ] or [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    which, draw = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Drawn(rows[which], draw, claim[which].astype(np.float32))
