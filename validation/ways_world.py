"""Section: plans tried on borrowers with planted effects, beside plain rankings at equal capacity."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

import arrears
from arrears import channels, run
from arrears.channels import litigate
from validation import section
from validation.worlds import field, policies

BOOKS, LOANS, LATER, DRAWS = 6, 3_000, 120, 8
# Books that nobody had looked at while the ways were mended.
FIRST_SEED = 900
SHARES = {"court_filings": 0.05, "call_hours": 0.20, "visits": 0.04, "restructure_offers": 0.06}
PARTS = {
    "usual": "usual collecting",
    "steps": "added by the steps of the quarter",
    "offers": "added by offers",
    "suits": "added by suits",
}
STEPS = ("visit", "call", "agency", "court_notice", "letter", "text", "app")
ABOUT = """{books} books of {loans:,} defaulted loans whose borrowers answer differently to what is done; the answers
are planted and never on the tape. Arrears has the tape with its payments, contacts, suits and new terms of three
years: `fit` learns from them, and `resolve` plans with the model. Every plan has the same filings, call hours, visits
and offers, and no sale. Past contacts were partly drawn by lot and partly chosen as collectors choose, past suits and
offers by lot. A ranking fills the scarce steps with the loans that stand first in it; the rest get a text or an
agency, whichever does better for that ranking. What is compared is the worth of the cash of ten years after what
collecting costs, by one price list for all, in the mean of {draws} draws of the time to come, its climate with it.
Outside of the quarter that is planned, collectors go on as they did. What Arrears forecasts of suits and offers was
mended on other books of this world (seeds below 200), and for it the world's past was given offers, which it had not
had; what was planted was left alone. These books, from seed {first} on, nobody had looked at."""


def resolved(made: field.Field, folder: Path) -> run.Resolution:
    """The product's model and plan of a book, through files, as a user would have them."""
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
    run.fit(arrears.Request(**files, holder="fintech"), out=folder / "fit")
    model = str(folder / "fit" / "model.json")
    asked = arrears.Request(
        **files, holder="fintech", capacity=str(capacity), scenarios=50, model=model
    )
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
        policies.Option("collect", "call", late & heard, hours(situation), limits["call_hours"]),
        policies.Option("collect", "visit", late, one, limits["visits"]),
    ]  # fmt: skip


@dataclass(frozen=True)
class Prices:
    """What collecting costs, a value a loan: share of what comes, and fen for each step, offer and case."""

    commission: np.ndarray
    steps: pl.DataFrame
    offer: float
    case: np.ndarray

    @classmethod
    def of(cls, situation: channels.Situation) -> Prices:
        """The price list of the run: tariffs, wages and commissions, no effect of anything."""
        market, day = situation.market, situation.as_of
        told = market.numbers("ladder/step_cost", day)
        hour, each = situation.number("channels/call_hour_cost"), situation.number
        steps = {
            step: np.full(len(situation.claim), told.get(step, 0.0)) for step in (*STEPS, "none")
        }
        steps["visit"] = steps["visit"] + each("channels/visit_cost")
        steps["call"] = hours(situation) * hour
        return cls(
            commission=situation.commission,
            steps=pl.DataFrame(steps),
            offer=each("channels/offer_hours") * hour,
            case=litigate.case_costs(situation),
        )  # fmt: skip

    def net(self, plan: pl.DataFrame, seen: pl.DataFrame) -> np.ndarray:
        """Worth of what was seen after costs (n,): no commission on terms that hold, nor on own staff's quarter."""
        way, step = plan["channel"].to_numpy(), plan["step"].fill_null("none").to_numpy()
        pv, quarter, kept = (seen[name].to_numpy() for name in ("pv", "quarter", "under_terms"))
        own = np.where((way == "collect") & (step != "agency"), quarter, kept)
        effort = np.select([way == "litigate", way == "restructure"], [self.case, self.offer], 0.0)
        for name in self.steps.columns:
            effort += np.where(
                (way == "collect") & (step == name), self.steps[name].to_numpy(), 0.0
            )
        return pv - self.commission * (pv - own) - effort


def hours(situation: channels.Situation) -> np.ndarray:
    """Hours that a borrower's calls take (n,)."""
    words = situation.market.numbers("channels/call_hours", situation.as_of)
    return (
        situation.loans["contact_status"].fill_null("unknown").replace_strict(words, return_dtype=pl.Float64)
    ).to_numpy()  # fmt: skip


def brought(
    made: field.Field, plan: pl.DataFrame, prices: Prices, draws: int, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Worth after costs and cash of a plan of all owing loans in each draw (draws,), fen."""
    worth, cash = [], []
    for draw in range(draws):
        every = made.act(plan, draw=draw, rate=rate).drop("channel")
        seen = plan.select("loan_id").join(every, on="loan_id", how="left", maintain_order="left")
        worth.append(float(prices.net(plan, seen).sum()))
        cash.append(float(seen["cash"].sum()))
    return np.array(worth), np.array(cash)


def one(seed: int, loans: int, draws: int, folder: Path) -> dict[str, float]:
    """What each plan of a book brings, in yuan a loan; and how the product's forecast of its cash compares."""
    made = field.Field(field.Setting(loans=loans, later=LATER, seed=seed))
    found = resolved(made, folder)
    owing, prices = found.situation.loans, Prices.of(found.situation)
    count, rate = owing.height, found.situation.rate

    def tried(plan: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        return brought(made, plan, prices, draws, rate)

    worth, cash = tried(as_told(found))
    rows = {"Arrears": worth.mean()}
    ranked = policies.scores(made.tables, seed=seed)
    scarce = options(found)
    order = made.tables["loans"].filter(pl.col("principal") > 0)["loan_id"]
    assert order.equals(owing["loan_id"])
    for name in policies.RANKINGS:
        rows[name] = max(
            tried(policies.fill(owing, ranked[name], scarce, rest=rest))[0].mean()
            for rest in ("text", "agency")
        )
    alone = owing.select("loan_id").with_columns(
        channel=pl.lit("collect"), start_month=pl.lit(0), step=pl.lit("none")
    )
    rows["left alone"] = tried(alone)[0].mean()
    told = {name: value / count / 100 for name, value in rows.items()}
    paths = found.situation.forecast.paths[:, -1]
    for name, came in (("cash", cash), ("worth", worth)):
        told[f"{name}: forecast"] = forecast(found, name) / count / 100
        told[f"{name}: came"] = came.mean() / count / 100
        told[f"{name}: error"] = float(came.std(ddof=1)) / count / 100
        own = float(paths.std(ddof=1) / paths.mean())
        told[f"{name}: own error"] = told[f"{name}: forecast"] * own
    for part, pair in parts(made, found, draws).items():
        told[f"{part}: forecast"], told[f"{part}: came"] = pair
    return told


def parts(made: field.Field, found: run.Resolution, draws: int) -> dict[str, tuple[float, float]]:
    """Of the cash of the plan what was forecast and what came, in yuan a loan of the book: usual, and added by way."""
    plan, rate = as_told(found), found.situation.rate
    alone = plan.with_columns(channel=pl.lit("collect"), start_month=pl.lit(0), step=pl.lit("none"))

    def cash(of: pl.DataFrame) -> np.ndarray:
        seen = sum(made.act(of, draw=draw, rate=rate)["cash"].to_numpy() for draw in range(draws))
        every = made.kinds.select("loan_id").with_columns(cash=pl.Series(seen) / draws)
        return plan.join(every, on="loan_id", how="left", maintain_order="left")["cash"].to_numpy()

    usual = cash(alone)
    came = cash(plan) - usual
    expected = (
        np.choose(
            np.unique(found.plan.column, return_inverse=True)[1],
            [found.offers.outcomes[column].cash for column in np.unique(found.plan.column)],
        )
        - found.situation.collected.cash
    )
    way, size = plan["channel"].to_numpy(), 100.0 * plan.height
    told = {"usual": (found.situation.collected.cash.sum() / size, usual.sum() / size)}
    for name, word in (("collect", "steps"), ("restructure", "offers"), ("litigate", "suits")):
        mine = way == name
        told[word] = (expected[mine].sum() / size, came[mine].sum() / size)
    return told


def forecast(found: run.Resolution, what: str) -> float:
    """Cash that the plan expects, or its worth after costs and before tax, fen."""
    name = {"cash": "cash", "worth": "pv"}[what]
    return sum(
        float(getattr(found.offers.outcomes[column], name)[found.plan.column == column].sum())
        for column in np.unique(found.plan.column)
    )


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
        for seed in range(FIRST_SEED, FIRST_SEED + books):
            folder = Path(place) / str(seed)
            folder.mkdir()
            found.append(one(seed, loans, draws, folder))
    return "\n\n".join(
        [
            "## Plans on borrowers with planted effects",
            ABOUT.format(books=books, loans=loans, draws=draws, first=FIRST_SEED),
            table(found),
            *foreseen(found),
        ]
    )


def foreseen(found: Sequence[dict[str, float]]) -> list[str]:
    """How the forecasts of the plans compare with what came, in all and part by part."""
    lines = []
    for part, word in PARTS.items():
        told, real = (
            np.mean([row[f"{part}: {name}"] for row in found]) for name in ("forecast", "came")
        )
        lines.append([word, f"{told:,.0f}", f"{real:,.0f}", f"{told - real:+,.0f}"])
    return [
        _off(found, "worth", "worth after costs"),
        _off(found, "cash", "cash"),
        section.table(("part of the plan's cash", "forecast (yuan a loan)", "came", "off"), lines),
        "What usual collecting brings is learnt by `fit`; what steps and suits add, and how soon terms are broken, "
        "from past contacts, suits and terms. No table of a tape tells which offers were refused, so how many accept "
        "stays the market's figure. Those are picked for whom an estimate is highest, so on the picked an estimate "
        "is rather too high.",
    ]


def _off(found: Sequence[dict[str, float]], what: str, word: str) -> str:
    """How far forecasts lie off, against the error that they give themselves and the spread of the futures."""
    forecasts, came, error, own = (
        np.array([row[f"{what}: {name}"] for row in found])
        for name in ("forecast", "came", "error", "own error")
    )
    bias = section.bootstrap(lambda a, b: float(a.sum() / b.sum() - 1.0), forecasts, came)
    off, books = np.abs(forecasts - came), len(found)
    return (
        f"The plan's forecast of its own {word} lies {bias[0]:+.1%} [{bias[1]:+.1%}, {bias[2]:+.1%}] off what comes. "
        f"By the standard error that the forecast gives itself ({float(np.mean(own / came)):.0%}) it is within two of "
        f"them in {int((off <= 2.0 * own).sum())} of {books} books, by the spread of the futures alone "
        f"({float(np.mean(error / came)):.0%}) in {int((off <= 2.0 * error).sum())}."
    )


if __name__ == "__main__":
    section.run(main)
