"""Why this class, this stage, these ways and this choice, for one loan of a finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import polars as pl

from arrears import channels, conduct, recovery, rules, standing
from arrears.files import did_you_mean
from arrears.problems import Problem
from arrears.run import record as run_record
from arrears.run import why
from arrears.run.gather import rulebook_of
from arrears.run.stopped import Stopped
from arrears.run.verified import found_again
from arrears.standing import Step

_NEAR = 2_000


@dataclass(frozen=True)
class Explained:
    """The steps that led to what was decided for a loan.

    Attributes:
        unsure: by path, the article of each value of the rulebook that a step rests on and that is not verified.
    """

    loan_id: str
    as_of: date
    steps: tuple[Step, ...]
    unsure: Mapping[str, str]

    def as_dict(self) -> dict[str, object]:
        """For machines: `steps` of `rule, article, value, result, rests_on, verified`."""
        steps = [asdict(step) | {"verified": not self._open(step)} for step in self.steps]
        return {
            "loan_id": self.loan_id,
            "as_of": self.as_of.isoformat(),
            "steps": steps,
            "not_verified": [f"{path} ({article})" for path, article in self.unsure.items()],
        }

    def _open(self, step: Step) -> list[str]:
        return [path for path in step.rests_on if path in self.unsure]

    def lines(self) -> list[str]:
        """For people."""
        lines = [f"Loan {self.loan_id} as of {self.as_of}"]
        for step in self.steps:
            lines.append(f"  {step.rule + ':':<32} {step.result}")
            lines.append(f"      {step.value}" + (f"  [{step.article}]" if step.article else ""))
            if open_ := self._open(step):
                lines.append(f"      not verified: {', '.join(open_)}")
        if self.unsure:
            lines.append(
                f"Values not verified that this rests on: {len(self.unsure)}; see arrears rules explain PATH."
            )
        return lines


def explain(folder: Path, loan_id: str) -> Explained:
    """Explain one loan of the run in `folder`.

    Raises:
        Stopped: no such run, or no such loan in it.
    """
    record = run_record.read(folder)
    request = found_again(run_record.request_of(record), None, reforms_only=True)
    book, day = rulebook_of(request), date.fromisoformat(str(record["as_of"]))
    loan = _loan(folder, loan_id)
    months, events = (_history(folder, name, loan_id) for name in ("months", "events"))
    steps = standing.explain(loan, as_of=day, rulebook=book, months=months, events=events)
    steps.append(_hidden(folder, loan_id))
    steps += _limits(loan, book, day)
    holder = channels.Holder.model_validate(record["holder"])
    steps += _ways(loan, holder, book, day, months=months, events=events)
    steps += _choice(folder, loan_id)
    return Explained(loan_id, day, tuple(steps), _unsure(steps, book, day))


def _loan(folder: Path, loan_id: str) -> pl.DataFrame:
    accepted = pl.scan_parquet(folder / "accepted.parquet")
    loan = accepted.filter(pl.col("loan_id") == loan_id).collect()
    if loan.is_empty():
        ids = accepted.select("loan_id").head(_NEAR).collect()["loan_id"].to_list()
        found = f"No accepted loan {loan_id!r} in this run."
        why = "It is not on the tape, or it waits in quarantine."
        fix = f"See quarantine.csv. {did_you_mean(loan_id, ids)}"
        raise Stopped([Problem("UNKNOWN-LOAN", "error", str(folder), found, why, fix)])
    return loan


def _history(folder: Path, name: str, loan_id: str) -> pl.DataFrame | None:
    path = folder / f"accepted_{name}.parquet"
    if not path.exists():
        return None
    return pl.scan_parquet(path).filter(pl.col("loan_id") == loan_id).collect()


def _hidden(folder: Path, loan_id: str) -> Step:
    """The chance that the loan is bad and does not show it, with the signs and months that led to it."""
    mine = pl.col("loan_id") == loan_id
    row = pl.scan_parquet(folder / "standing.parquet").filter(mine).collect().row(0, named=True)
    p = row["p_hidden"]
    if p is None:
        return Step("p_hidden", "", "the tape tells no history of this loan", None)
    path = folder / "hidden_why.parquet"
    why = pl.scan_parquet(path).filter(mine).collect() if path.exists() else pl.DataFrame()
    if why.is_empty():
        known = (
            "known as bad, or nothing owed" if p == 0 else "its history shows nothing that tells"
        )
        return Step("p_hidden", "", known, p)
    told = why.row(0, named=True)
    months = f": {told['months']}" if told["months"] else ""
    return Step("p_hidden", "", f"by the {told['basis']}: {told['evidence']}{months}", p)


def _limits(loan: pl.DataFrame, book: rules.Rulebook, day: date) -> list[Step]:
    """Filing fee, most instalments and most attempts."""
    claims = loan.select(pl.sum_horizontal("principal", "interest", "fees")).to_series().to_numpy()
    fee = int(rules.court_fee(claims, book, day)[0])
    path = "cn/court/filing_fee"
    told = f"full fee on a claim of {claims[0]} fen, by brackets"
    steps = [Step("court_fee", book.cite(path, day).article, told, fee, (path,))]
    path = "cn/instalments/card_max_months"
    cap = book.leaf(path).in_force(day)
    if loan["product"][0] == "credit_card" and cap is not None:
        told = "monthly instalments of a card"
        steps.append(Step("max_instalments", cap.article, told, cap.value, (path,)))
    else:
        steps.append(Step("max_instalments", "", "no legal cap for this product", None))
    rule = conduct.limits(book, day)
    told = f"between {rule.not_before} and {rule.not_after}" if rule.article else "no rule in force"
    rests = tuple(f"cn/conduct/{name}" for name in ("not_before", "not_after", "max_dials"))
    rests = rests if rule.article else ()
    return [*steps, Step("max_dials", rule.article or "", told, rule.max_dials, rests)]


def _ways(
    loan: pl.DataFrame,
    holder: channels.Holder,
    book: rules.Rulebook,
    day: date,
    *,
    months: pl.DataFrame | None,
    events: pl.DataFrame | None,
) -> list[Step]:
    """Eligibility of each way today; a loan's own answer depends on no other loan."""
    market = rules.load_market("cn")
    situation = channels.Situation(
        loans=loan,
        standing=standing.classify(loan, as_of=day, rulebook=book, months=months, events=events),
        forecast=recovery.forecast(
            loan,
            as_of=day,
            market=market,
            discount_rate=channels.discount_rate(holder, market, day),
            scenarios=1,
        ),
        rulebook=book,
        holder=holder,
        market=market,
        as_of=day,
        events=events,
    )
    return [
        why.step(situation, channel, permit)
        for channel, permit in channels.permits_now(situation).items()
    ]


def _choice(folder: Path, loan_id: str) -> list[Step]:
    """What the plan chose and why; nothing for a loan that owes nothing."""
    plan = pl.scan_parquet(folder / "plan.parquet").filter(pl.col("loan_id") == loan_id).collect()
    if plan.is_empty():
        return [Step("choice", "", "nothing is owed any more", None)]
    row: Mapping[str, object] = plan.row(0, named=True)
    off = Step(
        "write_off_now",
        "CN-WRITE-OFF-2017-90",
        "asked are class loss, provided for in full, not written off, not sold now",
        row["write_off_now"],
        ("cn/write_off/class",),
    )
    return [
        Step("choice", "", str(row["reason"]), f"{row['channel']} from month {row['start_month']}"),
        *_package(folder, loan_id),
        off,
    ]


def _package(folder: Path, loan_id: str) -> list[Step]:
    """The package that the loan goes into today, if any."""
    path = folder / "handover/package_loans.csv"
    if not path.exists():
        return []
    kinds = {"package": pl.String, "number": pl.Int64, "loan_id": pl.String}
    mine = pl.read_csv(path, schema=kinds).filter(pl.col("loan_id") == loan_id)
    return [
        Step("package", "", f"number {number} of its tape", package)
        for package, number in mine.select("package", "number").iter_rows()
    ]


def _unsure(steps: list[Step], book: rules.Rulebook, day: date) -> dict[str, str]:
    paths = sorted({path for step in steps for path in step.rests_on})
    values = {path: book.leaf(path).in_force(day) for path in paths}
    return {path: value.article for path, value in values.items() if value and not value.verified}
