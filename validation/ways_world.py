"""Section: plans tried on borrowers with planted effects, beside plain rankings at equal capacity."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

import arrears
from arrears import channels, run
from validation import section
from validation.worlds import field, policies

BOOKS, LOANS, LATER, DRAWS = 6, 3_000, 120, 8
SHARES = {"court_filings": 0.05, "call_hours": 0.20, "visits": 0.04, "restructure_offers": 0.06}
STEPS = ("visit", "call", "agency", "court_notice", "letter", "text", "app")
ABOUT = """{books} books of {loans:,} defaulted loans whose borrowers answer differently to what is done; the answers
are planted and never on the tape. Every plan has the same filings, call hours, visits and offers, and no sale. Past
contacts were partly drawn by lot and partly chosen as collectors choose. A ranking fills the scarce steps with the
loans that stand first in it; the rest get a text or an agency, whichever does better for that ranking. What is
compared is the cash of ten years discounted at 4 per cent, in the mean of {draws} draws of the time to come."""


def resolved(made: field.Field, folder: Path) -> run.Resolution:
    """The product's plan of a book, through files, as a user would have it."""
    files = {}
    for name, table in made.tables.items():
        files[name] = str(folder / f"{name}.parquet")
        table.write_parquet(files[name])
    owing = made.tables["loans"].filter(pl.col("principal") > 0).height
    lines = []
    for name, share in SHARES.items():
        lines.append(f"  - {{name: {name}, max: {int(share * owing)}}}")
        lines += [f"  - {{name: {name}, max: 0, scope: {{start_month: {k}}}}}" for k in (6, 12)]
    capacity = folder / "capacity.yaml"
    capacity.write_text("capacities:\n" + "\n".join(lines) + "\n", encoding="utf-8")
    asked = arrears.Request(**files, holder="fintech", capacity=str(capacity), scenarios=50)
    return run.resolve(asked)


def as_told(found: run.Resolution) -> pl.DataFrame:
    """The plan as the field takes it: one step a loan, the strongest of its ladder; instalments as offered."""
    steps = channels.ladder_table(found.situation).select("loan_id", "steps")
    first = pl.coalesce(
        *(pl.when(pl.col("steps").str.split("+").list.contains(step)).then(pl.lit(step)) for step in STEPS),
        pl.lit("none"),
    )  # fmt: skip
    offered = channels.terms(found.situation)
    instalments = pl.DataFrame(
        {"loan_id": found.situation.loans["loan_id"], "instalment": offered.instalment}
    )
    return (
        found.plan.table.select("loan_id", "channel", "start_month")
        .join(steps, on="loan_id")
        .join(instalments, on="loan_id")
        .with_columns(step=first)
    )


def options(found: run.Resolution) -> list[policies.Option]:
    """The scarce ways and steps that rankings fill, each with the limit that the plan had."""
    situation = found.situation
    count = len(situation.claim)
    late = situation.overdue
    heard = ~(situation.loans["contact_status"] == "vanished").fill_null(False).to_numpy()
    open_case = ~situation.loans["legal_status"].is_in(["filed", "judged", "ended"]).to_numpy()
    words = situation.market.numbers("channels/call_hours", situation.as_of)
    hours = (
        situation.loans["contact_status"].fill_null("unknown").replace_strict(words, return_dtype=pl.Float64)
    ).to_numpy()  # fmt: skip
    instalment = channels.terms(situation).instalment.astype(np.float64)
    limits = {name: float(int(share * count)) for name, share in SHARES.items()}
    # Offers and cases take hours too, of every plan alike.
    limits["call_hours"] -= limits["restructure_offers"] * situation.number("channels/offer_hours")
    limits["call_hours"] -= limits["court_filings"] * situation.number("channels/case_hours")
    one = np.ones(count)
    return [
        policies.Option("litigate", None, late & open_case, one, limits["court_filings"]),
        policies.Option(
            "restructure", None, late & heard, one, limits["restructure_offers"], {"instalment": instalment}
        ),
        policies.Option("collect", "call", late & heard, hours, limits["call_hours"]),
        policies.Option("collect", "visit", late, one, limits["visits"]),
    ]  # fmt: skip


def brought(made: field.Field, plan: pl.DataFrame, draws: int) -> tuple[np.ndarray, np.ndarray]:
    """Worth and cash of a plan in each draw (draws,)."""
    seen = [made.act(plan, draw=draw) for draw in range(draws)]
    worth = [float(table["pv"].to_numpy().sum()) for table in seen]
    return np.array(worth), np.array([float(table["cash"].to_numpy().sum()) for table in seen])


def one(seed: int, loans: int, draws: int, folder: Path) -> dict[str, float]:
    """What each plan of a book brings, in yuan a loan; and how the product's forecast of its cash compares."""
    made = field.Field(field.Setting(loans=loans, later=LATER, seed=seed))
    found = resolved(made, folder)
    owing = found.situation.loans
    count = owing.height
    worth, cash = brought(made, as_told(found), draws)
    rows = {"Arrears": worth.mean()}
    ranked = policies.scores(made.tables, seed=seed)
    scarce = options(found)
    order = made.tables["loans"].filter(pl.col("principal") > 0)["loan_id"]
    assert order.equals(owing["loan_id"])
    for name in policies.RANKINGS:
        rows[name] = max(
            brought(made, policies.fill(owing, ranked[name], scarce, rest=rest), draws)[0].mean()
            for rest in ("text", "agency")
        )
    alone = owing.select("loan_id").with_columns(
        channel=pl.lit("collect"), start_month=pl.lit(0), step=pl.lit("none")
    )
    rows["left alone"] = brought(made, alone, draws)[0].mean()
    expected = sum(
        float(found.offers.outcomes[column].cash[found.plan.column == column].sum())
        for column in np.unique(found.plan.column)
    )
    told = {name: value / count / 100 for name, value in rows.items()}
    told["forecast"] = expected / count / 100
    told["came"] = cash.mean() / count / 100
    told["error"] = float(cash.std(ddof=1)) / count / 100
    return told


def table(found: Sequence[dict[str, float]]) -> str:
    """A line a plan: worth a loan, and the product's lead over it with its bootstrap interval over books."""
    ours = np.array([row["Arrears"] for row in found])
    lines = []
    for name in ("Arrears", *policies.RANKINGS, "left alone"):
        theirs = np.array([row[name] for row in found])
        lead = section.bootstrap(lambda a, b: float(a.sum() / b.sum() - 1.0), ours, theirs)
        told = "" if name == "Arrears" else f"{lead[0]:+.1%} [{lead[1]:+.1%}, {lead[2]:+.1%}]"
        beaten = "" if name == "Arrears" else f"{int((ours > theirs).sum())} of {len(found)}"
        lines.append([name, f"{theirs.mean():,.0f}", told, beaten])
    heads = ("plan", "worth a loan (yuan)", "lead of Arrears", "books in which Arrears is ahead")
    return section.table(heads, lines)


def main(smoke: bool) -> str:
    """The section."""
    books, loans, draws = (2, 600, 2) if smoke else (BOOKS, LOANS, DRAWS)
    found = []
    with tempfile.TemporaryDirectory() as place:
        for seed in range(books):
            folder = Path(place) / str(seed)
            folder.mkdir()
            found.append(one(seed, loans, draws, folder))
    off = [abs(row["forecast"] - row["came"]) / row["error"] for row in found]
    bias = sum(row["forecast"] for row in found) / sum(row["came"] for row in found) - 1.0
    inside = sum(distance <= 2.0 for distance in off)
    return "\n\n".join(
        [
            "## Plans on borrowers with planted effects",
            ABOUT.format(books=books, loans=loans, draws=draws),
            table(found),
            f"The plan's forecast of its own cash, by the market prior, lies {bias:+.0%} off what comes, "
            f"and within two standard errors of it in {inside} of {books} books.",
        ]
    )


if __name__ == "__main__":
    section.run(main)
