"""Section: does the hidden state rank who fails next, on real monthly histories; are payment holidays told apart."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from arrears import rules
from arrears.standing.hidden import fit, model, prior
from arrears.standing.hidden.coded import Coded, coded
from arrears.standing.hidden.months import lived as lived_of
from arrears.standing.hidden.scorecard import score
from arrears.standing.hidden.signs import signs as signs_of
from arrears.tape.columns import LOANS, MONTHS
from validation import section

DAYS = {"0": 0, "1": 15, "2": 45, "3": 75, "4": 105, "5": 150}
AHEAD = 12
EPOCH = 2020 * 12
WAYS = ("hidden state", "days past due now", "scorecard", "boosting on the months")
HEAD = ["set", "loans judged", "failed next", *(f"{way}: area under the curve" for way in WAYS)]


def whole(table: pl.DataFrame, kinds) -> pl.DataFrame:  # type: ignore[no-untyped-def]
    """All canonical columns; those that are not there are null."""
    return table.select(
        (pl.col(name) if name in table.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in kinds.items()
    )


def loans_of(months: pl.DataFrame, product: str, repayment: str) -> pl.DataFrame:
    """A row a loan with what the histories know."""
    table = months.select("loan_id").unique().sort("loan_id").with_columns(
        borrower_id="loan_id", lender=pl.lit("lender"), branch=pl.lit("all"),
        product=pl.lit(product), repayment=pl.lit(repayment), principal=pl.lit(0), days_past_due=pl.lit(0),
    )  # fmt: skip
    return whole(table, LOANS)


def month_of(number: pl.Expr) -> pl.Expr:
    """The calendar month of a number of months since January 2020."""
    at = number + EPOCH
    return pl.date(at // 12, at % 12 + 1, 1)


class Case:
    """Histories up to a month, and what the ways say of each loan then."""

    def __init__(self, months: pl.DataFrame, loans: pl.DataFrame, end: date) -> None:
        self.loans, self.end = loans, end
        self.lived = lived_of(loans, {"months": months.filter(pl.col("month") <= end)}, end)
        self.signs = signs_of(loans, self.lived)

    def state(self, ahead: int) -> np.ndarray:
        """Chance (n,) of being bad so many months later, by the hidden-state model."""
        histories = coded(self.loans, self.lived, self.signs["outside"])
        none = np.zeros(len(histories.loan), dtype=np.int64)
        found = fit.fit(histories, none, seed=0).params
        end = self.ends(histories, found)
        bad = np.zeros(self.loans.height)
        for product in np.unique(histories.product):
            mine = histories.product == product
            cells = np.array([[product], [0], [0], [0]])
            _, moves = model.transitions(found, cells)
            later = end[mine] @ np.linalg.matrix_power(moves[0, -1], ahead)
            bad[histories.loan[mine]] = later[:, prior.SHOWN :].sum(axis=1)
        return bad

    def ends(self, histories: Coded, params: model.Params) -> np.ndarray:
        """Posterior (h, s) of the last month."""
        none, ones = np.zeros(len(histories.loan), dtype=np.int64), np.ones(len(histories.loan))
        layout = model.Layout.of(histories)
        return model.expect(params, layout, weight=ones, audited=none, learn=False).end

    def features(self, back: int = 6) -> np.ndarray:
        """What boosting reads: days and payment codes of the last months, and counts (n, k)."""
        ordered = self.lived.sort("loan", "month", descending=[False, True])
        place = ordered.with_columns(k=pl.int_range(pl.len()).over("loan"))
        x = np.full((self.loans.height, 2 * back + 3), np.nan)
        for k in range(back):
            at = place.filter(pl.col("k") == k)
            rows = at["loan"].to_numpy()
            x[rows, k] = at["days"].cast(pl.Float64).to_numpy()
            x[rows, back + k] = at["pay"].cast(pl.Float64).to_numpy()
        sums = self.lived.group_by("loan").agg(
            late=(pl.col("days") > 0).sum(), worst=pl.col("days").max(), n=pl.len()
        )
        for place_, name in enumerate(("late", "worst", "n")):
            x[sums["loan"].to_numpy(), 2 * back + place_] = sums[name].cast(pl.Float64).to_numpy()
        return x

    def now(self) -> np.ndarray:
        """Days past due in the last month (n,), unknown as none."""
        last = self.lived.group_by("loan").agg(pl.col("days").drop_nulls().last())
        days = np.zeros(self.loans.height)
        days[last["loan"].to_numpy()] = last["days"].fill_null(0).to_numpy()
        return days

    def scored(self) -> np.ndarray:
        """The scorecard (n,)."""
        return score(self.signs, rules.load_market("cn").numbers("hidden/scorecard", self.end))


def boosted(x: np.ndarray, y: np.ndarray, then: np.ndarray) -> np.ndarray:
    """Chances (m,) by boosting, taught on an earlier window."""
    from lightgbm import LGBMClassifier

    tree = LGBMClassifier(
        n_estimators=150, learning_rate=0.05, num_leaves=15, n_jobs=2, verbosity=-1
    )
    return np.asarray(tree.fit(x, y).predict_proba(then))[:, 1]


def row(name: str, case: Case, before: Case, taught: tuple[np.ndarray, np.ndarray],
        judged: tuple[np.ndarray, np.ndarray], ahead: int) -> list[str]:  # fmt: skip
    """One line: all ways on the loans judged, with bootstrap intervals."""
    mine, failed = judged
    known, past = taught
    chances = boosted(before.features()[known], past[known], case.features()[mine])
    ways = (case.state(ahead)[mine], case.now()[mine], case.scored()[mine], chances)
    told = []
    for chance in ways:
        value, low, high = section.bootstrap(
            section.area_under_curve, chance, failed[mine], draws=100
        )
        told.append(f"{value:.3f} [{low:.3f}, {high:.3f}]")
    return [name, f"{mine.sum():,}", f"{int(failed[mine].sum()):,}", *told]


def bureau(folder, smoke: bool) -> list[str]:  # type: ignore[no-untyped-def]
    """Statuses over 61 months: who of those at most 30 days late is more than 90 late within a year."""
    table = pl.read_csv(
        folder / "bureau_status/accounts.csv.gz", schema_overrides={"status": pl.String}
    )
    table = table.head(3_000) if smoke else table
    long = (
        table.select("account_id", "first_month", s=pl.col("status").str.split(""))
        .explode("s")
        .with_columns(k=pl.int_range(pl.len()).over("account_id"))
        .with_columns(at=pl.col("first_month") + pl.col("k"))
        .filter(~pl.col("s").is_in(["C", ""]))
    )
    months = long.select(
        loan_id=pl.col("account_id").cast(pl.String), month=month_of(pl.col("at")),
        days_past_due=pl.col("s").replace_strict(DAYS, default=None, return_dtype=pl.Int32),
    ).sort("loan_id", "month")  # fmt: skip
    return two_windows(
        "bureau statuses", whole(months, MONTHS), -12, "consumer", ("amortising", AHEAD)
    )


def two_windows(
    name: str, months: pl.DataFrame, at: int, product: str, how: tuple[str, int]
) -> list[str]:
    """Judge at month `at`; boosting is taught on the window before it."""
    repayment, ahead = how
    loans = loans_of(months, product, repayment)
    ids = loans["loan_id"]

    def cut(number: int) -> tuple[Case, np.ndarray, np.ndarray]:
        day = date((number + EPOCH) // 12, (number + EPOCH) % 12 + 1, 1)
        until = date((number + ahead + EPOCH) // 12, (number + ahead + EPOCH) % 12 + 1, 1)
        case = Case(months, loans, day)
        bad = months.filter(
            pl.col("month").is_between(day, until, closed="right"), pl.col("days_past_due") > 90
        )
        alive = months.filter(pl.col("month") == day)["loan_id"]
        mine = ids.is_in(alive.implode()).to_numpy() & (case.now() <= 30)
        return case, mine, ids.is_in(bad["loan_id"].unique().implode()).to_numpy()

    before, known, past = cut(at - ahead)
    case, mine, failed = cut(at)
    return row(name, case, before, (known, past), (mine, failed), ahead)


def cars(folder) -> tuple[list[list[str]], str]:  # type: ignore[no-untyped-def]
    """Car loans: who is charged off within a year; and what the state says in the third month without payment."""
    loans = pl.read_csv(
        folder / "auto_abs/loans.csv.gz",
        infer_schema_length=None,
        schema_overrides={"loan_id": pl.String},
    )
    table = pl.read_csv(
        folder / "auto_abs/months.csv.gz",
        infer_schema_length=None,
        schema_overrides={"loan_id": pl.String},
    )
    table = table.join(
        loans.select("loan_id", "rate", "scheduled_payment", "deal", "balance_before"), on="loan_id"
    )
    at = (
        pl.col("month").str.slice(0, 4).cast(pl.Int32) * 12
        + pl.col("month").str.slice(5, 2).cast(pl.Int32)
        - 1
    )
    table = table.with_columns(at=at - EPOCH).sort("loan_id", "at").with_columns(
        held=pl.col("balance").shift(1).over("loan_id").fill_null(pl.col("balance_before"))
    )  # fmt: skip
    off = dict(table.filter(pl.col("charged_off") > 0).select("loan_id", "at").iter_rows())
    alive = table.filter(pl.col("balance").is_not_null(), pl.col("held") > 0)
    interest = pl.col("held") * pl.col("rate") / 12
    cents = {
        "due_interest": interest, "due_principal": (pl.col("scheduled_payment") - interest).clip(lower_bound=0),
        "paid_principal": pl.col("principal"), "paid_interest": pl.col("paid") - pl.col("principal"),
        "balance": pl.col("balance"),
    }  # fmt: skip
    months = whole(
        alive.select("loan_id", "rate", month=month_of(pl.col("at")),
                     **{name: (100 * value).round().cast(pl.Int64) for name, value in cents.items()}), MONTHS,
    )  # fmt: skip
    known = loans_of(months, "consumer", "amortising")
    ids = known["loan_id"].to_list()
    rows = []
    for deal, cut in (("AART 2017-3", -13), ("AART 2019-3", 17)):
        deals = set(loans.filter(deal=deal)["loan_id"])

        def split(number: int, deals: set[str] = deals) -> tuple[Case, np.ndarray, np.ndarray]:
            day = date((number + EPOCH) // 12, (number + EPOCH) % 12 + 1, 1)
            there = set(months.filter(pl.col("month") == day)["loan_id"]) & deals
            mine = np.array([name in there for name in ids])
            failed = np.array([number < off.get(name, -999) <= number + AHEAD for name in ids])
            return Case(months, known, day), mine, failed

        before, taught, past = split(cut - AHEAD)
        case, mine, failed = split(cut)
        rows.append(row(f"car loans, {deal}", case, before, (taught, past), (mine, failed), AHEAD))
    return rows, holidays(months, known, off)


def holidays(months: pl.DataFrame, loans: pl.DataFrame, off: dict[str, int]) -> str:
    """Runs of three months without payment from March to July 2020: what became of them, and what was said."""
    case = Case(months, loans, date(2020, 9, 1))
    histories = coded(loans, case.lived, case.signs["outside"])
    none = np.zeros(len(histories.loan), dtype=np.int64)
    found = fit.fit(histories, none, seed=0).params
    paid = months.with_columns(got=pl.col("paid_principal") + pl.col("paid_interest")).sort(
        "loan_id", "month"
    )
    dry = pl.col("got") <= 0
    run = (
        dry
        & dry.shift(1).over("loan_id")
        & dry.shift(2).over("loan_id")
        & ~dry.shift(3).over("loan_id").fill_null(False)
    )
    third = paid.filter(run, pl.col("month").is_between(date(2020, 5, 1), date(2020, 9, 1)))
    ids = loans["loan_id"].to_list()
    chance, lost = [], []
    for day in third["month"].unique().sort():
        part = third.filter(pl.col("month") == day)["loan_id"].to_list()
        then = Case(months, loans, day)
        known = coded(loans, then.lived, then.signs["outside"])
        end = then.ends(known, found)[:, prior.SHOWN :].sum(axis=1)
        by_id = {ids[loan]: value for loan, value in zip(known.loan, end, strict=True)}
        chance += [by_id[name] for name in part]
        lost += [name in off for name in part]
    p, y = np.array(chance), np.array(lost)
    return (
        f"Of {len(p):,} runs of three months without payment that began between March and July 2020, {y.sum():,}"
        f" ended in charge-off by the last report; the others resumed or paid off. In their third month the model gave"
        f" the former a chance of {p[y].mean():.3f} to be bad on average and the latter {p[~y].mean():.3f}"
        f" (area under the curve {section.area_under_curve(p, y):.2f}). A rule that calls three months without payment bad would be wrong in"  # noqa: E501
        f" {1 - y.mean():.0%} of them."
    )


def cards(folder, smoke: bool) -> list[str]:  # type: ignore[no-untyped-def]
    """Taiwan cards: taught on being two months behind as seen from April to August, judged on the month after."""
    table = pl.read_csv(folder / "taiwan_cards/clients.csv.gz", infer_schema_length=None)
    table = table.head(2_000) if smoke else table
    names = ["PAY_6", "PAY_5", "PAY_4", "PAY_3", "PAY_2", "PAY_0"]
    parts = [
        table.select(
            loan_id=pl.col("ID").cast(pl.String), month=pl.lit(date(2005, 4 + k, 1)),
            days_past_due=pl.when(pl.col(name) > 0).then(30 * pl.col(name) - 15).otherwise(0),
            paid_principal=100 * pl.col(f"PAY_AMT{6 - k}"), balance=100 * pl.col(f"BILL_AMT{6 - k}"),
        )
        for k, name in enumerate(names)
    ]  # fmt: skip
    months = whole(pl.concat(parts).sort("loan_id", "month"), MONTHS)
    loans = loans_of(months, "credit_card", "revolving")
    by_id = table.with_columns(loan_id=pl.col("ID").cast(pl.String)).sort("loan_id")
    behind = (by_id["PAY_0"] >= 2).to_numpy()
    label = (by_id["default_next_month"] == 1).to_numpy()
    every = np.ones(len(label), dtype=bool)
    before = Case(months, loans, date(2005, 8, 1))
    now = Case(months.filter(pl.col("month") >= date(2005, 5, 1)), loans, date(2005, 9, 1))
    return row("Taiwan cards", now, before, (every, behind), (every, label), 1)


def main(smoke: bool) -> str:
    """The section."""
    title = "Does the hidden state rank who fails next, on real loans"
    folder = section.real_data()
    if folder is None:
        return section.without_data(title)
    cars_rows, told = cars(folder)
    rows = [bureau(folder, smoke), *cars_rows, cards(folder, smoke)]
    about = (
        "Fitted on what was known on a day, judged by the months after it: more than 90 days late within a year among"
        " those at most 30 days late (bureau statuses), charged off within a year (car loans), default in the next month"  # noqa: E501
        " (cards). Boosting is taught on the window before, with its outcomes known; the hidden state and the scorecard are"  # noqa: E501
        " taught no outcome at all."
    )
    return "\n\n".join([f"## {title}", about, section.table(HEAD, rows), told])


if __name__ == "__main__":
    section.run(main)
