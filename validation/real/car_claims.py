"""Car loans in default, foretold by the whole of `fit` and `forecast` on days in the past, against what came."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from validation import section
from validation.real import beside, cars, score, through

HORIZONS = (6, 12, 24)
DAYS = tuple(
    date(year, month, day)
    for year, month, day in (
        (2018, 6, 30), (2018, 12, 31), (2019, 6, 30), (2019, 12, 31), (2020, 6, 30), (2020, 12, 31),
        (2021, 6, 30), (2021, 12, 31), (2022, 6, 30),
    )
)  # fmt: skip
HOLIDAYS = (date(2020, 6, 30), date(2020, 9, 30), date(2020, 12, 31))
OURS, PRIOR, MEAN, LADDER, BOOSTED = (
    "Arrears: fit and forecast", "Arrears: market prior", "segment mean", "chain ladder", "LightGBM",
)  # fmt: skip
# Fewer claims that were seen so long teach a mean nothing.
LEAST = 20
ABOUT = """**Car loans in default, through `arrears fit` and `arrears forecast`**: on each of {days} days the tape of
that day (all loans of the pools, payments and months behind up to it, write-offs as events) is fitted, and every
claim past day 91, charged off or not, is foretold; cash of the car and of the borrower together, over what is owed.
There is no court in it, so the car is no collateral here and its proceeds are payments. Months behind are counted from
what was paid. A payment holiday (a run without payment that began from March to July 2020) falls due later for four
months, whatever came of it. A loan may be a claim on several days: brackets resample loans. Ranges of Arrears are
those of each claim by itself; those of the segment mean are quantiles of its segment, of boosting quantiles of claims
that it had not seen. Most claims pay nothing in some months: where half of a range is one point, it covers more than it
names. Segments are by age and charge-off; boosting has age, amount, months since the last payment and charge-off, as
the fit; both also know the older pool, which tapes of later days no longer hold. Three faults were
found on these days and mended in the fit: cash of claims that cure was left out, a write-off was no term, and boosted
trees took for age what old claims are besides. The numbers are from after that; no value was set on these days."""


@dataclass(frozen=True)
class Day:
    """What each way said on a day of its claims (rows of `look.claims`), by horizon; a way may be missing."""

    look: cars.Look
    share: dict[str, dict[int, score.Guess]]
    pool: dict[str, np.ndarray]

    def came(self, months: int) -> np.ndarray:
        """Share of what was owed that came in so many months (n,); NaN where the reports end before."""
        cash = self.look.claims[f"cash_{months}"].cast(pl.Float64).fill_null(np.nan).to_numpy()
        return cash / self.look.claims["owed"].to_numpy()


def text(folder: Path, smoke: bool) -> str:
    """The part of the section."""
    every = cars.read(folder)
    known = beside.looks(every)
    days = DAYS[5:6] if smoke else DAYS
    with tempfile.TemporaryDirectory() as place:
        told = [one(every, known, day, Path(place), 20 if smoke else 200) for day in days]
        apart = holidays(every, HOLIDAYS[:1] if smoke else HOLIDAYS, Path(place))
    draws = 20 if smoke else 200
    parts = [ABOUT.format(days=len(days)).replace("\n", " ")]
    parts += [claims(told, months, draws) for months in HORIZONS]
    parts += [pools(told, draws), apart]
    return "\n\n".join(parts)


def one(every: cars.Cars, known: pl.DataFrame, day: date, folder: Path, scenarios: int) -> Day:
    """All ways on one day."""
    look = cars.look(every, day, HORIZONS)
    now = day.year * 12 + day.month - 1
    ids = look.claims["loan_id"]
    tape = through.Tape(
        day,
        look.loans,
        look.payments,
        look.loans.filter(pl.col("loan_id").is_in(ids.implode())),
        look.months,
        look.events,
    )
    ours = through.told(tape, folder, HORIZONS, scenarios=scenarios)
    ladder = beside.pools_of(folder)
    prior = through.told(tape, folder, HORIZONS, scenarios=scenarios, fitted=False)
    owed = look.claims["owed"].to_numpy()
    share: dict[str, dict[int, score.Guess]] = {
        name: {} for name in (OURS, PRIOR, MEAN, LADDER, BOOSTED)
    }
    new = known.filter(pl.col("at") == now, pl.col("loan_id").is_in(ids.implode())).sort("loan_id")
    nothing = np.full((len(owed), 4), np.nan)
    for place, months in enumerate(HORIZONS):
        for name, found in ((OURS, ours), (PRIOR, prior)):
            assert found.ranks is not None
            share[name][months] = score.Guess(
                found.expected[:, place] / owed, found.ranks[:, place] / owed[:, None]
            )
        share[LADDER][months] = score.Guess(beside.ladder(look, *ladder, months), nothing)
        old = known.filter(pl.col("at") + months <= now, pl.col(f"cash_{months}").is_not_null())
        if old["loan_id"].n_unique() >= LEAST:
            share[MEAN][months] = beside.segment_mean(old, new, months)
            share[BOOSTED][months] = beside.boosting(old, new, months)
    return Day(look, share, {OURS: ours.pool, PRIOR: prior.pool})


def claims(days: Sequence[Day], months: int, draws: int) -> str:
    """A table of the ways over the claims of all days on which every way has something to say."""
    used = [
        day for day in days if months in day.share[MEAN] and not np.isnan(day.came(months)).all()
    ]
    if not used:
        return f"At {months} months no day has claims that were seen so long before it."
    kept = [~np.isnan(day.came(months)) for day in used]
    y = np.concatenate([day.came(months)[keep] for day, keep in zip(used, kept, strict=True)])
    group = np.concatenate(
        [day.look.claims["loan_id"].to_numpy()[keep] for day, keep in zip(used, kept, strict=True)]
    )
    rows, guesses = [], {}
    for name in (OURS, PRIOR, MEAN, LADDER, BOOSTED):
        parts = [day.share[name][months] for day in used]
        guess = score.Guess(
            np.concatenate([part.share[keep] for part, keep in zip(parts, kept, strict=True)]),
            np.concatenate([part.ranks[keep] for part, keep in zip(parts, kept, strict=True)]),
        )
        guesses[name] = guess.share
        found = score.cells(y, guess, group, draws)
        rows.append((name, *(found if name != LADDER else [*found[:-2], "", ""])))
    verdicts = [
        f"against {name} {score.against(y, guesses[OURS], guesses[name], group, draws)}"
        for name in (PRIOR, MEAN, LADDER, BOOSTED)
    ]
    head = (f"{months} months ahead", *score.HEAD[1:])
    count = f"{len(y):,} forecasts of {len(np.unique(group)):,} claims on {len(used)} days; "
    return "\n\n".join(
        [
            f"{count}{y.mean():.2f} of what was owed came in the mean.",
            section.table(head, rows),
            f"{OURS}, mean absolute error: {'; '.join(verdicts)}.",
            f"{OURS}. {score.tenths(y, guesses[OURS], group, draws)}",
        ]
    )


def pools(days: Sequence[Day], draws: int) -> str:
    """Cash of all claims of a day: forecast over actual, less one, and whether the range held it."""
    ways = (OURS, PRIOR, MEAN, LADDER, BOOSTED)
    rows, sizes, held = [], {name: [] for name in ways}, {name: [] for name in (OURS, PRIOR)}
    for months in HORIZONS:
        for day in days:
            y, owed = day.came(months), day.look.claims["owed"].to_numpy().astype(float)
            keep = ~np.isnan(y)
            if keep.sum() < LEAST or months not in day.share[MEAN]:
                continue
            cash = float((y * owed)[keep].sum())
            cells = []
            for name in ways:
                guess = day.share[name][months].share
                mid, low, high = score.clustered(
                    lambda a, b, c: float((b * c).sum() / (a * c).sum() - 1.0),
                    np.arange(int(keep.sum())), y[keep], guess[keep], owed[keep], draws=draws,
                )  # fmt: skip
                sizes[name].append(abs(mid))
                cells.append(
                    f"{mid:+.0%}" + (f" [{low:+.0%}, {high:+.0%}]" if name == OURS else "")
                )
            ends = day.pool[OURS][HORIZONS.index(months)]
            inside = "all claims are not seen so long"
            if keep.all():
                for name, hits in held.items():
                    low90, low50, high50, high90 = day.pool[name][HORIZONS.index(months)]
                    hits.append((low50 <= cash <= high50, low90 <= cash <= high90))
                inside = (
                    "50 %"
                    if ends[1] <= cash <= ends[2]
                    else "90 %"
                    if ends[0] <= cash <= ends[3]
                    else "outside"
                )
            rows.append(
                (f"{day.look.as_of}, {months} months", f"{int(keep.sum())}", *cells, inside)
            )
    mean = "; ".join(f"{name} {np.mean(size):.0%}" for name, size in sizes.items() if size)
    shown = "; ".join(
        f"{name} {np.mean([a for a, _ in hits]):.0%} in the 50 % range, {np.mean([b for _, b in hits]):.0%} in the 90 %"
        for name, hits in held.items()
        if hits
    )
    head = (
        "cash of all claims, forecast over actual",
        "claims",
        *ways,
        "held by Arrears' range of",
    )
    return "\n\n".join(
        [section.table(head, rows), f"Mean absolute error of the pools: {mean}. Held: {shown}."]
    )


def holidays(every: cars.Cars, days: Sequence[date], folder: Path) -> str:
    """Claims that are in default only if a payment holiday counts as one, foretold as if it did."""
    rows = []
    for day in days:
        strict, look = cars.look(every, day, HORIZONS), cars.look(every, day, HORIZONS, apart=True)
        apart = look.claims.filter("apart")
        if apart.is_empty():
            continue
        ids = apart["loan_id"].implode()
        claims = look.loans.filter(pl.col("loan_id").is_in(ids))
        tape = through.Tape(
            day, strict.loans, strict.payments, claims, strict.months, strict.events
        )
        found = through.told(tape, folder, HORIZONS, scenarios=0)
        for place, months in enumerate(HORIZONS):
            seen = apart[f"cash_{months}"].is_not_null().to_numpy()
            if seen.sum() < LEAST:
                continue
            owed = apart["owed"].to_numpy()[seen].astype(float)
            y = apart[f"cash_{months}"].drop_nulls().to_numpy() / owed
            told = found.expected[seen, place] / owed
            came = section.bootstrap(lambda a, b: float((a * b).sum() / b.sum()), y, owed)
            rows.append(
                (f"{day}, {months} months", int(seen.sum()), f"{float((told * owed).sum() / owed.sum()):.2f}",
                 "{:.2f} [{:.2f}, {:.2f}]".format(*came))
            )  # fmt: skip
    about = (
        "**Payment holidays of spring 2020, apart**: loans that would be past day 91 if months of a holiday had fallen "
        "due, foretold as claims by the model of that day, which learnt nothing from them."
    )
    return about + "\n\n" + section.table(("day", "loans", "foretold as a claim", "came"), rows)
