"""The rules that an accepted row keeps, each with a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from arrears.tape.columns import MONEY, REQUIRED, TABLES
from arrears.tape.source import ROW

MOST_FEN = 10**12
MOST_DAYS = 20_000
GRACE_DAYS = 3
_PLACE = "as_of_run"
PAST = (
    "origination_date",
    "default_date",
    "last_payment_date",
    "last_demand_date",
    "judgment_date",
    "restructured_on",
    "collateral_value_date",
)


@dataclass(frozen=True)
class Rule:
    """What a row breaks: the code, the column it shows in, and how to mend it."""

    code: str
    column: str
    fix: str


_NEGATIVE_MAY_BE = {
    ("payments", "amount"),
    ("payments", "principal_part"),
    ("payments", "interest_part"),
}
_NEGATIVE_MAY_BE |= {("months", name) for name in MONEY["months"]} | {("events", "amount")}

RULES: dict[str, dict[str, tuple[Rule, pl.Expr]]] = {table: {} for table in TABLES}


def _rule(table: str, name: str, rule: Rule, holds: pl.Expr) -> None:
    RULES[table][name] = (rule, holds.fill_null(True))


for _table, _names in REQUIRED.items():
    for _name in _names:
        _there = pl.col(_name).is_not_null()
        _fix = "Fill it in; the row cannot be used without it."
        RULES[_table][f"{_name}_is_there"] = (Rule("MISSING-VALUE", _name, _fix), _there)
for _table, _names in MONEY.items():
    for _name in _names:
        _money = pl.col(_name)
        if (_table, _name) not in _NEGATIVE_MAY_BE:
            _fix = "Give what is owed as a positive amount."
            _rule(_table, f"{_name}_not_negative", Rule("NEGATIVE-MONEY", _name, _fix), _money >= 0)
        _fix = "Check the amount and the unit of the column."
        _small = _money.abs() <= MOST_FEN
        _rule(_table, f"{_name}_not_absurd", Rule("ABSURD-MONEY", _name, _fix), _small)
for _name in PAST:
    _rule(
        "loans",
        f"{_name}_not_after_cut_off",
        Rule("DATE-AFTER-CUT-OFF", _name, "It lies after the cut-off date; correct one of them."),
        pl.col(_name) <= pl.col(_PLACE),
    )
for _table, _name in (("loans", "days_past_due"), ("months", "days_past_due")):
    _rule(
        _table,
        "days_past_due_possible",
        Rule("IMPOSSIBLE-DAYS", _name, f"Days past due lie between 0 and {MOST_DAYS}."),
        pl.col(_name).is_between(0, MOST_DAYS),
    )
for _table, _name in (("loans", "rate"), ("months", "rate"), ("events", "rate_after")):
    _rule(
        _table,
        f"{_name}_possible",
        Rule("ABSURD-RATE", _name, "Rates are a year; say whether they are per cent."),
        pl.col(_name).is_between(0, 10),
    )
_rule(
    "loans",
    "maturity_after_origination",
    Rule(
        "DATES-OUT-OF-ORDER",
        "maturity_date",
        "It lies before origination_date; correct one of them.",
    ),
    pl.col("maturity_date") >= pl.col("origination_date"),
)
_rule(
    "loans",
    "days_past_due_fit_default_date",
    Rule(
        "DAYS-CONTRADICT-DATES",
        "days_past_due",
        "Correct it or default_date: it is the cut-off date less default_date.",
    ),
    ((pl.col(_PLACE) - pl.col("default_date")).dt.total_days() - pl.col("days_past_due")).abs()
    <= GRACE_DAYS,
)
for _name in ("renewals", "restructure_count"):
    _rule(
        "loans",
        f"{_name}_not_negative",
        Rule("NEGATIVE-COUNT", _name, "A count is zero or more."),
        pl.col(_name) >= 0,
    )
_rule(
    "loans",
    "birth_year_possible",
    Rule("IMPOSSIBLE-YEAR", "birth_year", "Give the four digits of the year."),
    pl.col("birth_year").is_between(1900, pl.col(_PLACE).dt.year()),
)

_NONE = pl.DataFrame(
    schema={ROW: pl.Int64, "code": pl.String, "column": pl.String, "fix": pl.String}
)
_KEYS = {"loans": ["loan_id"], "months": ["loan_id", "month"]}
_DUPLICATE = {
    "loans": Rule("DUPLICATE-ID", "loan_id", "Keep one row a loan; all that share the id wait."),
    "months": Rule("DUPLICATE-MONTH", "month", "Keep one row a loan and month."),
}


def broken(table: str, rows: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Rules that rows break, each asked of a row by itself: `row_in_file, code, column, fix`, a row a break.

    A rule about columns that are not there, or in which nothing stands, is not asked.
    """
    placed = rows.with_columns(pl.lit(as_of).alias(_PLACE))
    nulls = placed.null_count().row(0, named=True)
    there = {name for name, count in nulls.items() if count < rows.height}
    asked = {
        name: holds
        for name, (rule, holds) in RULES[table].items()
        if (rule.code == "MISSING-VALUE" and nulls.get(rule.column))
        or (rule.code != "MISSING-VALUE" and there.issuperset(holds.meta.root_names()))
    }
    kept = placed.select(**asked)
    breaks = {RULES[table][name][0]: ~kept[name] for name in asked if not kept[name].all()}
    places = rows.select(ROW)
    return pl.concat([_NONE, *(_breaks(places.filter(at), rule) for rule, at in breaks.items())])


def twice(table: str, rows: pl.DataFrame, held: pl.DataFrame) -> pl.DataFrame:
    """Rows whose key another row has too, as `broken` tells them; a key with a part missing is not one.

    Args:
        held: rows with which something else is wrong, few.
    """
    if table not in _DUPLICATE:
        return _NONE
    keys = _KEYS[table]
    if len(keys) == 1 and _ascends(rows[keys[0]]) and _are_new(held[keys[0]], rows[keys[0]]):
        return _NONE
    both = pl.concat([part.select(ROW, *keys) for part in (rows, held)])
    again = (
        both.select(keys).is_duplicated()
        & both.select(pl.all_horizontal(pl.col(keys).is_not_null())).to_series()
    )
    return _breaks(both.filter(again).sort(ROW), _DUPLICATE[table])


def _ascends(keys: pl.Series) -> bool:
    """Whether each key comes after the one before it."""
    return bool(keys.is_sorted() and not (keys == keys.shift(1)).any())


def _are_new(some: pl.Series, keys: pl.Series) -> bool:
    """Whether some few keys, each there once, are not among keys that ascend."""
    some = some.drop_nulls().sort()
    if some.is_empty() or keys.is_empty():
        return some.n_unique() == some.len()
    place = pl.Series(keys.search_sorted(some)).clip(upper_bound=keys.len() - 1)
    return some.n_unique() == some.len() and not (keys.gather(place) == some).any()


def _breaks(rows: pl.DataFrame, rule: Rule) -> pl.DataFrame:
    return rows.select(
        ROW, code=pl.lit(rule.code), column=pl.lit(rule.column), fix=pl.lit(rule.fix)
    )
