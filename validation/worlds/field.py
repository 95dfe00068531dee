"""Borrowers for trying plans on: a tape with past steps, and what truly happens under any plan.

Past steps were partly drawn at random and partly chosen as collectors choose (the reachable, the large, the early), so
that who was called is not who was helped. The planted effects (`debtors.py`) never reach the tape. Every loan has its
own stream of chances for the months to come: two plans that treat a loan alike see the same cash.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from validation.worlds import field_tape
from validation.worlds.debtors import EARLIEST, KINDS, PURPOSES, STEPS, Debtors, debtors

AS_OF = date(2025, 3, 31)
SOLD = ("transfer", "securitise", "income_rights")
QUARTER, TEXT = 3, STEPS.index("text")
RANDOM_SHARE = 0.4
SALE = ((12, 0.126), (24, 0.08), (36, 0.0375), (60, 0.025), (10_000, 0.02))


@dataclass(frozen=True)
class Setting:
    """How large a book; `months` of history, `later` months in which a plan is played out."""

    loans: int = 10_000
    months: int = 36
    later: int = 60
    seed: int = 0
    as_of: date = AS_OF


@dataclass(frozen=True)
class Past:
    """What was done and paid in a month before the cut-off date, and who was `given` new terms; money in fen, one
    value a loan.
    """

    step: np.ndarray
    own: np.ndarray
    court: np.ndarray
    owed: np.ndarray
    given: np.ndarray


class Field:
    """A book of defaulted loans on the cut-off date, and what any plan would bring.

    Attributes:
        tables: `loans, months, payments, contacts, events` in canonical columns and fen.
        kinds: `loan_id, kind`: the truth, for tests alone.
    """

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        people, past, papers = (np.random.default_rng([setting.seed, part]) for part in range(3))
        self._debtors = debtors(setting.loans, setting.months, people)
        self._climate = climate(setting.months, np.random.default_rng([setting.seed, 3]))
        lived = self._live_past(past)
        self.tables: dict[str, pl.DataFrame] = field_tape.tables(
            self._debtors, lived, as_of=setting.as_of, stream=papers
        )
        self.kinds = pl.DataFrame(
            {"loan_id": field_tape.ids(setting.loans), "kind": np.array(KINDS)[self._debtors.kind]}
        )

    def _live_past(self, stream: np.random.Generator) -> list[Past]:
        """Steps, suits and offers of the past: what an estimate of them can be learnt from."""
        now, lived = self._debtors, []
        offers = np.random.default_rng([self.setting.seed, 6])
        for at in range(self.setting.months):
            begun = (at + now.age >= EARLIEST) & (now.owed > 0)
            step = np.where(begun, usual_steps(now, stream), 0)
            sues = begun & (at + now.age > 6) & (stream.random(len(step)) < 0.006)
            now.sue(sues, at)
            given = self._offer_by_lot(begun, at, offers)
            own, court = now.month(
                at, step, stream.random((PURPOSES, len(step))), self._climate[at]
            )
            lived.append(Past(step, own, court, now.owed, given))
        return lived

    def _offer_by_lot(self, begun: np.ndarray, at: int, stream: np.random.Generator) -> np.ndarray:
        """One borrower in a hundred is offered a fifth to a third of his income a month; who took it (n,)."""
        now, count = self._debtors, self.setting.loans
        asked = begun & (at + now.age >= 0) & (now.terms == 0) & (stream.random(count) < 0.01)
        share, chance = stream.uniform(0.2, 0.35, count), stream.random(count)
        instalment = np.ceil(np.maximum(now.owed / 60, share * now.income))
        now.offer(asked, instalment, chance=chance, at=at)
        return asked & (now.terms > 0)

    def act(self, plan: pl.DataFrame, *, draw: int = 0, rate: float = 0.04) -> pl.DataFrame:
        """What a plan brings: `loan_id, channel, cash, pv, quarter, under_terms` in fen, before any cost.

        Collectors go on as before the cut-off date, for every plan alike: beside suits and offers at once, after the
        quarter of a step that the plan names.

        Args:
            plan: `loan_id, channel, start_month`, and where it has them `step` (of a quarter of `collect`, in the place
                of what collectors would do; a call where it is not told, `none` for no step) and `instalment` (of an
                offer; a sixtieth of the claim where it is not told). Who is not in it is left alone for a quarter.
            draw: another draw of the months to come, their climate with them; the same for every plan.
            rate: interest a year at which worths are discounted, cash arriving in the middle of its month.

        Returns:
            Of `pv`, the worth of all cash, `quarter` is what the quarter of a step brings and `under_terms` what is
            paid under an offer that holds.
        """
        now, count, months = copy.deepcopy(self._debtors), self.setting.loans, self.setting.later
        told = self._told(plan)
        way, start = told["channel"].to_numpy(), told["start_month"].to_numpy()
        press = np.where(way == "collect", told["step"].to_numpy(), 0)
        instalment = told["instalment"].to_numpy()
        instalment = np.where(np.isnan(instalment), np.ceil(now.owed / 60), instalment)
        stream = np.random.default_rng([self.setting.seed, 4, draw])
        later = climate(months, np.random.default_rng([self.setting.seed, 5, draw]), self._climate)
        waits = np.isin(way, ("collect", ""))
        cash, kept = np.zeros((count, months)), np.zeros((count, months))
        for month in range(months):
            at = self.setting.months + month
            chance = stream.random((PURPOSES + 1, count))
            usual = usual_steps(now, stream)
            begins = start == month
            now.offer(begins & (way == "restructure"), instalment, chance=chance[PURPOSES], at=at)
            now.sue(begins & (way == "litigate"), at)
            sold = begins & np.isin(way, SOLD)
            cash[:, month] += np.where(sold, np.floor(now.owed * price(at + now.age)), 0.0)
            now.owed = np.where(sold, 0.0, now.owed)
            mine = np.where(month >= start, press, 0)
            step = np.where(waits & (month < start + QUARTER), mine, usual)
            own, court = now.month(at, step, chance[:PURPOSES], later[month])
            cash[:, month] += own + court
            kept[:, month] = np.where(now.terms > 0, own, 0.0)
        factor = (1 + rate) ** (-(np.arange(months) + 0.5) / 12)
        inside = np.arange(months)[None, :] - start[:, None]
        quarter = np.where((inside >= 0) & (inside < QUARTER), cash, 0.0)
        return told.select("loan_id", "channel").with_columns(
            cash=pl.Series(cash.sum(axis=1)).cast(pl.Int64),
            pv=pl.Series(cash @ factor),
            quarter=pl.Series(quarter @ factor),
            under_terms=pl.Series(kept @ factor),
        )

    def _told(self, plan: pl.DataFrame) -> pl.DataFrame:
        """The plan as a row a loan of this book, in its order."""
        for name, dtype in (("step", pl.String), ("instalment", pl.Float64)):
            if name not in plan.columns:
                plan = plan.with_columns(pl.lit(None, dtype).alias(name))
        number = {name: index for index, name in enumerate(STEPS)}
        every = self.kinds.select("loan_id").join(
            plan.select("loan_id", "channel", "start_month", "step", "instalment"),
            on="loan_id",
            how="left",
            maintain_order="left",
        )
        return every.with_columns(
            pl.col("channel").fill_null(""),
            pl.col("start_month").fill_null(0),
            pl.col("step").fill_null("call").replace_strict(number, return_dtype=pl.Int64),
            pl.col("instalment").cast(pl.Float64).fill_null(float("nan")),
        )


def usual_steps(now: Debtors, stream: np.random.Generator) -> np.ndarray:
    """What collectors do in a month: two times in five by lot, else calls and visits for the large and reachable."""
    count = len(now.kind)
    lot = stream.integers(0, len(STEPS), count) * (stream.random(count) < 0.6)
    score = np.log(now.claim / np.median(now.claim)) + np.where(now.contact == 0, 0.8, -0.5)
    score = score + 0.7 * stream.standard_normal(count)
    chosen = np.select([score > 2.0, score > 0.7, score > -0.3], [6, 3, TEXT], 0)
    return np.where(stream.random(count) < RANDOM_SHARE, lot, chosen)


def climate(
    months: int, stream: np.random.Generator, before: np.ndarray | None = None
) -> np.ndarray:
    """A factor on all intensities, by month: it drifts back to one and now and then jumps.

    Args:
        before: the months that it goes on from.
    """
    level = 0.0 if before is None else float(np.log(before[-1]))
    path = []
    for _ in range(months):
        level = 0.9 * level + 0.04 * stream.standard_normal()
        level += float(stream.choice([0.0, -0.2, 0.15], p=[0.96, 0.02, 0.02]))
        path.append(np.exp(level))
    return np.array(path)


def price(age: np.ndarray) -> np.ndarray:
    """What a buyer pays per yuan of claim by months since day 91 (FACTS 9.1)."""
    return np.select([age < months for months, _ in SALE], [share for _, share in SALE])
