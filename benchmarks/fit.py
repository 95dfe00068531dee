"""A payment hazard fitted on person-period data: time and memory, and statsmodels' GLM on the same rows and terms."""

from __future__ import annotations

import resource
import sys
import time
from datetime import date, timedelta

import numpy as np
import polars as pl

from arrears.recovery.fitting import glm, hazard, person_period
from arrears.recovery.fitting.features import TERMS
from arrears.recovery.params import Params
from arrears.rules import load_market
from arrears.tape.columns import LOANS, PAYMENTS

DAY = date(2025, 3, 31)
MONTHS = 24


def book(count: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Loans past day 91 for all of the months, and their payments; few pay, the fewer the older the default."""
    g = np.random.default_rng(0)
    days = g.integers(91 + 31 * MONTHS, 91 + 31 * (MONTHS + 36), count)
    owed = np.round(np.exp(g.normal(14.0, 0.8, count))).astype(np.int64)
    kinds, contacts = (
        ("mortgage", "consumer", "credit_card", "business"),
        ("reachable", "unreachable", "vanished"),
    )
    kind, contact = g.integers(0, 4, count), g.integers(0, 3, count)
    ids = pl.Series([f"L{number:07d}" for number in range(count)])
    parts = []
    first = DAY.replace(day=1)
    for _ in range(MONTHS):
        age = (days - (DAY - first).days - 91) / 30.4375
        eta = -1.5 - 0.7 * np.log1p(np.maximum(age, 0)) + 0.3 * (kind == 2) - 0.8 * contact
        pays = np.flatnonzero((age >= 0) & (g.random(count) < 1 / (1 + np.exp(-eta))))
        cash = np.maximum(owed[pays] // 10, 1)
        on = pl.Series([first]).new_from_index(0, len(pays))
        parts.append(pl.DataFrame({"loan_id": ids.gather(pays), "date": on, "amount": cash}))
        first = (first - timedelta(days=1)).replace(day=1)
    told = {
        "loan_id": ids, "product": np.array(kinds)[kind], "contact_status": np.array(contacts)[contact],
        "principal": owed, "days_past_due": days, "birth_year": g.integers(1955, 2003, count),
        "legal_status": np.array(["not_sued", "filed", "judged"])[g.integers(0, 3, count)],
    }  # fmt: skip

    def shaped(table: pl.DataFrame, columns: dict) -> pl.DataFrame:  # type: ignore[type-arg]
        return table.select(
            (pl.col(name) if name in table.columns else pl.lit(None)).cast(kind).alias(name)
            for name, kind in columns.items()
        )

    return shaped(pl.DataFrame(told), LOANS), shaped(pl.concat(parts), PAYMENTS)


def ours(tables: tuple[pl.DataFrame, pl.DataFrame], prior: hazard.Prior):  # type: ignore[no-untyped-def]
    """Person-period cells and the fit on them."""
    past = person_period.history(tables[0], as_of=DAY, payments=tables[1])
    cells = person_period.cells(past, late_from=past.end + 1)
    return past, cells, hazard.fit_hazard(cells, prior)


def by_rows(past: person_period.History, fitted: glm.Fit, prior: hazard.Prior):  # type: ignore[no-untyped-def]
    """The same rows and terms, a row a loan-month, by statsmodels."""
    import statsmodels.api as sm

    layout = fitted.design
    parts, paid, offset = [], [], []
    for some in person_period.rows(past):
        x = np.zeros((len(some.loan), layout.width))
        x[:, : layout.spline.shape[1]] = layout.spline[some.band]
        for term, columns in layout.columns.items():
            own = columns[some.levels[term]]
            x[np.flatnonzero(own >= 0), own[own >= 0]] = 1.0
        parts.append(x)
        paid.append((some.kind > 0).astype(np.float64))
        offset.append(prior.predictor(pl.DataFrame({"band": some.band, **some.levels})))
    whole = sm.GLM(
        np.concatenate(paid),
        np.concatenate(parts),
        sm.families.Binomial(),
        offset=np.concatenate(offset),
    )
    began = time.perf_counter()
    found = whole.fit(tol=1e-12)
    return time.perf_counter() - began, np.asarray(found.params)


def main(words: list[str]) -> None:
    """Print the table as Markdown."""
    small, large = (1_000, 5_000) if "--smoke" in words else (100_000, 1_000_000)
    prior = hazard.Prior.of(Params.of(load_market("cn"), DAY))
    ours(book(500), prior)
    tables = book(large)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    began = time.perf_counter()
    past, cells, _ = ours(tables, prior)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"## Person-period fit: {large:,} loans x {MONTHS} months\n")
    print(
        "| loan-months | cells | terms | seconds | peak memory, GB | of it before, with the book |"
    )
    print("|---:|---:|---:|---:|---:|---:|")
    print(
        f"| {cells['n'].sum():,} | {cells.height:,} | {len(TERMS)} and age | {seconds:.1f} | "
        f"{peak:.2f} | {before:.2f} |"
    )
    del tables, past, cells
    tables = book(small)
    began = time.perf_counter()
    past, cells, found = ours(tables, prior)
    mine = time.perf_counter() - began
    theirs, params = by_rows(past, found.fitted, prior)
    gap = np.abs(params - found.fitted.coefficients).max()
    print(f"\n{small:,} loans, {cells['n'].sum():,} loan-months, {len(params)} columns:\n")
    print("| way | seconds | largest difference of an estimate |\n|---|---:|---:|")
    print(f"| Arrears, loan-months and cells built and fitted | {mine:.2f} | 0 |")
    print(f"| statsmodels GLM, the fit alone | {theirs:.2f} | {gap:.0e} |")
    print(f"\nRatio: {theirs / mine:.0f} times faster.")


if __name__ == "__main__":
    main(sys.argv[1:])
