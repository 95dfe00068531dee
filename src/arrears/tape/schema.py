"""The rules that an accepted row keeps, each with a name."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from arrears.tape.columns import MONEY, REQUIRED, TABLES

MOST_FEN = 10**12
MOST_DAYS = 20_000
GRACE_DAYS = 3
_PLACE = "as_of_run"


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
for _name in ("origination_date", "default_date", "last_payment_date", "last_demand_date",
              "judgment_date", "restructured_on", "collateral_value_date"):  # fmt: skip
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
    Rule("DATES-OUT-OF-ORDER", "maturity_date", "It lies before the loan began."),
    pl.col("maturity_date") >= pl.col("origination_date"),
)
_rule(
    "loans",
    "days_past_due_fit_default_date",
    Rule("DAYS-CONTRADICT-DATES", "days_past_due", "Cut-off date less default_date must be it."),
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

_KEYS = {"loans": ["loan_id"], "months": ["loan_id", "month"]}
_DUPLICATE = {
    "loans": Rule("DUPLICATE-ID", "loan_id", "Keep one row a loan; all that share the id wait."),
    "months": Rule("DUPLICATE-MONTH", "month", "Keep one row a loan and month."),
}


def broken(table: str, rows: pl.DataFrame, as_of: object) -> pl.DataFrame:
    """Rules that rows break: `row_in_file, code, column, fix`, a row a break.

    A rule about columns in which nothing stands is not asked.
    """
    placed = rows.with_columns(pl.lit(as_of).cast(pl.Date).alias(_PLACE))
    empty = {name for name in rows.columns if rows[name].null_count() == rows.height}
    asked = {
        name: holds
        for name, (rule, holds) in RULES[table].items()
        if rule.code == "MISSING-VALUE" or not empty & set(holds.meta.root_names())
    }
    kept = placed.select(**asked)
    breaks = {name: ~kept[name] for name in asked if not kept[name].all()}
    rules = {name: rule for name, (rule, _) in RULES[table].items()}
    if table in _DUPLICATE:
        rules["key_is_unique"] = _DUPLICATE[table]
        breaks["key_is_unique"] = _twice(rows.select(_KEYS[table]))
    parts = [
        pl.DataFrame({"row_in_file": rows["row_in_file"].filter(where)}).with_columns(
            code=pl.lit(rules[name].code),
            column=pl.lit(rules[name].column),
            fix=pl.lit(rules[name].fix),
        )
        for name, where in breaks.items()
    ]
    none = pl.DataFrame(
        schema={"row_in_file": pl.Int64, "code": pl.String, "column": pl.String, "fix": pl.String}
    )
    return pl.concat([none, *parts])


def _twice(keys: pl.DataFrame) -> pl.Series:
    """Rows whose key another row has too (n,); a key with a part missing is not one."""
    if keys.width == 1:
        one = keys.to_series()
        if one.null_count() == 0 and one.is_sorted():
            again = (one == one.shift(1)).fill_null(False)
            return again | again.shift(-1, fill_value=False)
        twice = one.is_duplicated()
    else:
        twice = keys.is_duplicated()
    return twice & keys.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
