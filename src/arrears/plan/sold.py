"""What the packages of a plan hold and bring, each as a whole, by product and by age."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from arrears.channels import COLUMNS, Offers
from arrears.market.price import AGES, age_places
from arrears.plan import packages
from arrears.plan.kernels import Floats, Ints
from arrears.plan.plan import PlanResult
from arrears.tape.columns import WORDS

_SUMS = ("claim", "principal", "cash", "cost", "value", "alone")
_WHOLE = {"fixed_cost": pl.Float64, "gain": pl.Float64}


def package_table(offers: Offers, result: PlanResult) -> pl.DataFrame:
    """What each package of the plan holds, brings and gains.

    Returns:
        `package, way, start_month, folder?, cut, key, loans, borrowers, claim, principal, cash, cost, value, alone,
        fixed_cost?, gain?, per_claim, per_principal?`, fen and fractions: a row a package (`cut` is `total`), then one
        a product and one an age band of it. `alone` is what its loans are worth by their best ways one by one; `gain`
        is `value` less that and the fixed cost.
    """
    rows = np.flatnonzero(result.packages.is_not_null())
    folders = packages.folders(result.packages)
    table = pl.DataFrame(
        [line for name in folders for line in _of_one(name, offers, result, rows)],
        schema=_SCHEMA,
        orient="row",
    )
    per = [
        pl.when(pl.col(name) > 0).then(pl.col("cash") / pl.col(name)).alias(f"per_{name}")
        for name in ("claim", "principal")
    ]
    folder = pl.col("package").replace_strict(folders, default=None, return_dtype=pl.String)
    owed = pl.col("claim", "principal").cast(pl.Int64)
    return table.with_columns(*per, owed, folder=folder).select(_COLUMNS)


_SCHEMA = {
    "package": pl.String,
    "way": pl.String,
    "start_month": pl.Int32,
    "cut": pl.String,
    "key": pl.String,
    "loans": pl.Int64,
    "borrowers": pl.Int64,
    **dict.fromkeys(_SUMS, pl.Float64),
    **_WHOLE,
}
_COLUMNS = [
    *("package", "way", "start_month", "folder", "cut", "key", "loans", "borrowers"),
    *(*_SUMS, *_WHOLE, "per_claim", "per_principal"),
]


def _of_one(
    name: str, offers: Offers, result: PlanResult, rows: Ints
) -> Iterator[Sequence[object]]:
    """The rows of one package, by the places of all packaged loans."""
    mine = rows[(result.packages.gather(rows) == name).to_numpy()]
    loans, column = offers.situation.loans[mine], int(result.column[mine[0]])
    way, start = COLUMNS[column]
    outcome = offers.outcomes[column]
    amounts: list[Floats] = [
        offers.situation.claim[mine],
        loans["principal"].to_numpy().astype(np.float64),
        outcome.cash[mine],
        outcome.cost[mine],
        offers.value[mine, column],
        packages.alone(offers, mine),
    ]
    fixed = offers.pools[way].fixed_cost
    ages = age_places(loans["days_past_due"].to_numpy())
    cuts = [("total", "all", np.ones(len(mine), dtype=np.bool_))]
    cuts += [("product", word, (loans["product"] == word).to_numpy()) for word in WORDS["product"]]
    cuts += [("age_band", word, ages == place) for place, word in enumerate(AGES)]
    for cut, key, inside in cuts:
        if inside.any():
            sums = [float(amount[inside].sum()) for amount in amounts]
            people = loans["borrower_id"].filter(pl.Series(inside)).n_unique()
            gain = sums[-2] - sums[-1] - fixed
            whole = (fixed, gain) if cut == "total" else (None, None)
            yield (name, way, start, cut, key, int(inside.sum()), people, *sums, *whole)
