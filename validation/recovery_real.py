"""Recovered shares of real loans, one row a loan: learnt on earlier charge-offs, judged on later ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from arrears.recovery.fitting import glm
from arrears.recovery.fitting.credibility import buhlmann_straub
from arrears.recovery.fitting.features import AGE_MIDDLE
from arrears.recovery.fitting.triangle import chain_ladder
from validation import section

TITLE = "Recovered shares of real loans"
BINS = 6
PERIODS = 4
BANDS = 5
CAR_MONTHS = 24
CAR_CUT = 2020 * 12 + 12


@dataclass(frozen=True)
class Claims:
    """One row a claim: recovered share of exposure (N,), exposure, order in time, segment codes, features (N, K)."""

    share: np.ndarray
    exposure: np.ndarray
    time: np.ndarray
    segment: np.ndarray
    features: np.ndarray

    def part(self, rows: np.ndarray) -> Claims:
        """Some of the rows."""
        return Claims(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def main(smoke: bool) -> str:
    """The section."""
    folder = section.real_data()
    if folder is None:
        return section.without_data(TITLE)
    parts = [
        f"## {TITLE}",
        "Learnt on the earlier 60 % of claims, judged on the later ones. Shares lie between 0 and 1; brackets hold "
        "90 % intervals over resampled claims. `pool` is forecast over actual cash, less one; `gap` the mean distance "
        "of forecast and outcome over tenths by forecast. Ranges are quantiles of outcomes in the same fifth by "
        "forecast, for every method alike, among the later 40 % of the learnt claims, foretold from the earlier ones; "
        "with many zeros they cover more than they name. "
        "What became of the learnt claims is what the source shows at its end, later than a lender could know it at "
        "the split: only the charge-offs are out of time. Car loans alone are learnt from what was seen by then.",
    ]
    parts += [judged(told, claims, smoke) for told, claims in sets(folder)]
    parts += [drying(folder), cars(folder, smoke)]
    return "\n\n".join(parts)


def sets(folder: Path) -> list[tuple[str, Claims]]:
    """Each data set with what is to be known about it."""
    return [
        (
            "**LendingClub**: exposure is principal not paid; the month of charge-off is not told, and is taken as "
            "five months after the instalments paid. Recoveries are mostly proceeds of a sale and settlements, not a "
            "stream of payments; claims with 33 instalments paid or more are censored and left out, and the later "
            "claims that stay have had less time too, which no method here is told.",
            lending_club(folder),
        ),
        (
            "**Prosper**: one look in March 2014 at claims of different age; age is a feature, and goes together with "
            "vintage. The claims judged are younger than any learnt from. Collection fees are not taken off.",
            prosper(folder),
        ),
        (
            "**Charged-off accounts of a bank**: no date; the split is by a fixed shuffle, so this is out of sample, "
            "not out of time. Share is actual over expected recovery as the bank foretold it, cut at 2 and halved.",
            bank(folder),
        ),
        (
            "**Kenya**: claims still open 0 to 60 days after three weeks; the share is 1 where it is repaid within 30 "
            "further days. A loan has a row for each look; intervals take the rows as independent, so are too narrow.",
            kenya(folder),
        ),
        (
            "**SBA**: share of gross disbursement that was not charged off, of loans charged off, by charge-off date. "
            "It includes what was paid before charge-off, so it is no recovery after it.",
            sba(folder),
        ),
    ]


def _read(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_csv(folder / f"{name}.csv.gz", infer_schema_length=None)


def _claims(
    frame: pl.DataFrame, segment: str, numbers: Sequence[str], codes: Sequence[str] = ()
) -> Claims:
    frame = frame.drop_nulls(["share", "exposure", "time"]).filter(pl.col("exposure") > 0)
    columns = [frame[name].cast(pl.Float64).fill_null(-1.0).to_numpy() for name in numbers]
    coded = {
        name: frame[name].cast(pl.String).fill_null("").rank("dense").cast(pl.Int64).to_numpy() - 1
        for name in (segment, *codes)
    }
    return Claims(
        frame["share"].clip(0.0, 1.0).cast(pl.Float64).to_numpy(),
        frame["exposure"].cast(pl.Float64).to_numpy(),
        frame["time"].cast(pl.Float64).to_numpy(),
        coded[segment],
        np.column_stack([*columns, *(part.astype(float) for part in coded.values())]),
    )


def lending_club(folder: Path) -> Claims:
    """Loans charged off, before the months in which recoveries are censored."""
    issued = pl.col("issue_d").str.to_date()
    lost = _read(folder, "lendingclub/outcomes").filter(pl.col("loan_status") == "Charged Off")
    lost = lost.with_columns(
        paid=(pl.col("total_rec_prncp") + pl.col("total_rec_int")) / pl.col("installment"),
        exposure=pl.col("funded_amnt_derived") - pl.col("total_rec_prncp"),
    ).with_columns(
        share=pl.col("recoveries") / pl.col("exposure"),
        time=issued.dt.year() * 12 + issued.dt.month() + pl.col("paid").floor() + 5,
    )
    return _claims(lost.filter(pl.col("paid") < 33), "grade", ["exposure", "int_rate", "paid"])


def prosper(folder: Path) -> Claims:
    """Claims by date of charge-off, as seen on 11 March 2014."""
    day = pl.col("charged_off").str.to_date()
    loss = pl.col("gross_principal_loss")
    frame = _read(folder, "prosper_charged_off/loans").with_columns(
        exposure=loss,
        share=(loss - pl.col("net_principal_loss") + pl.col("other_recoveries")) / loss,
        time=day.cast(pl.Int32),
        age=(pl.date(2014, 3, 11) - day).dt.total_days(),
        years=((pl.date(2014, 3, 11) - day).dt.total_days() // 365),
    )
    return _claims(
        frame, "years", ["age", "exposure", "rate", "score_low", "paid_before_charge_off"]
    )


def bank(folder: Path) -> Claims:
    """Actual over expected recovery, halved; the order is a fixed shuffle."""
    frame = _read(folder, "charged_off_bank/accounts")
    order = np.random.default_rng(0).permutation(frame.height)
    frame = frame.with_columns(
        exposure=2 * pl.col("expected_recovery_amount"),
        share=pl.col("actual_recovery_amount") / pl.col("expected_recovery_amount") / 2,
        time=pl.Series(order),
    )
    numbers = ["expected_recovery_amount", "age"]
    return _claims(frame, "recovery_strategy", numbers, ["sex"])


def kenya(folder: Path) -> Claims:
    """Looks at loans late by some days that are followed for 30 more."""
    start, seen = pl.col("start").str.to_date(), pl.col("seen").str.to_date()
    loans = _read(folder, "kenya_microloans/loans").filter(pl.col("dates_clear") == 1)
    looks = []
    for late in (0, 7, 14, 30, 60):
        followed = (seen - start).dt.total_days() >= 21 + late + 30
        open_then = (pl.col("days") > 21 + late) | (pl.col("repaid") == 0)
        looks.append(
            loans.filter(open_then & followed).with_columns(
                late=pl.lit(late),
                exposure=pl.lit(1.0),
                share=((pl.col("repaid") == 1) & (pl.col("days") <= 21 + late + 30)).cast(
                    pl.Float64
                ),
                time=start.cast(pl.Int32),
            )
        )
    return _claims(pl.concat(looks), "late", ["loan_no"])


def drying(folder: Path) -> str:
    """How soon late payment dries up: chance of repayment in each week after the due day, of Kenya's loans."""
    start, seen = pl.col("start").str.to_date(), pl.col("seen").str.to_date()
    loans = _read(folder, "kenya_microloans/loans").filter(pl.col("dates_clear") == 1)
    loans = loans.with_columns(
        paid=pl.when(pl.col("repaid") == 1).then(pl.col("days") - 21).otherwise(10_000),
        followed=(seen - start).dt.total_days() - 21,
    )
    rows = []
    for first, last in ((0, 7), (7, 14), (14, 21), (21, 30), (30, 60), (60, 90), (90, 180)):
        late = loans.filter(pl.col("paid") > first, pl.col("followed") >= last)
        if late.height < 30:
            continue
        hit = (late["paid"] <= last).to_numpy().astype(float)
        weekly = [
            1 - (1 - share) ** (7 / (last - first))
            for share in section.bootstrap(lambda a: float(a.mean()), hit, draws=200)
        ]
        share = f"{weekly[0]:.1%} [{weekly[1]:.1%}, {weekly[2]:.1%}]"
        rows.append((f"{first} to {last}", f"{late.height:,}", f"{hit.sum():,.0f}", share))
    text = "**Kenya, how soon late payment dries up**: repaid in a week, of loans open that were followed so long."
    return text + "\n\n" + section.table(("days past due", "open", "repaid", "a week"), rows)


def sba(folder: Path) -> Claims:
    """Loans charged off, by date of charge-off."""
    frame = _read(folder, "sba/loans").with_columns(
        exposure=pl.col("DisbursementGross"),
        share=1 - pl.col("ChgOffPrinGr") / pl.col("DisbursementGross"),
        time=pl.coalesce(
            pl.col("ChgOffDate").str.to_date(form, strict=False)
            for form in ("%d-%b-%y", "%m/%d/%Y")
        ).cast(pl.Int32),
        sector=pl.col("NAICS").cast(pl.String).str.head(2),
    )
    frame = frame.filter((pl.col("ChgOffPrinGr") > 0) & pl.col("time").is_not_null())
    return _claims(frame, "sector", ["exposure", "Term", "NoEmp"], ["UrbanRural", "LowDoc"])


def cars(folder: Path, smoke: bool) -> str:
    """Cash of car loans by month after charge-off: pool errors at 6, 12 and 24 months."""
    months = _read(folder, "auto_abs/months").with_columns(
        at=pl.col("month").str.head(4).cast(pl.Int64) * 12
        + pl.col("month").str.tail(2).cast(pl.Int64)
    )
    last = months.join(_read(folder, "auto_abs/loans").select("loan_id", "deal"), on="loan_id")
    ends = last.group_by("deal").agg(end=pl.col("at").max())
    lost = (
        last.filter(pl.col("charged_off").fill_null(0) > 0)
        .group_by("loan_id", "deal")
        .agg(start=pl.col("at").min(), lost=pl.col("charged_off").sum())
    )
    lost = lost.join(ends, on="deal").sort("loan_id")
    money = pl.col("recovered").fill_null(0) + pl.col("repossession").fill_null(0)
    rows = months.join(lost, on="loan_id").filter(pl.col("at") >= pl.col("start"))
    rows = rows.select("loan_id", gap=pl.col("at") - pl.col("start"), cash=money)
    place = {loan: k for k, loan in enumerate(lost["loan_id"])}
    cash = np.zeros((lost.height, CAR_MONTHS + 1))
    for loan, gap, paid in rows.iter_rows():
        cash[place[loan], min(gap, CAR_MONTHS)] += paid if gap <= CAR_MONTHS else 0.0
    total = np.cumsum(cash, axis=1)
    start, end = lost["start"].to_numpy(), lost["end"].to_numpy()
    exposure = lost["lost"].cast(pl.Float64).to_numpy()
    spring = (start >= 2020 * 12 + 3) & (start <= 2020 * 12 + 8)
    found = []
    for horizon in (6, 12, 24):
        for name, chosen in (
            ("after", (start > CAR_CUT) & ~spring),
            ("March to August 2020", spring),
        ):
            limit = CAR_CUT if name == "after" else 2020 * 12 + 2
            old = (start <= limit) & ~spring
            test = chosen & (end - start >= horizon)
            if old.sum() < 5 or test.sum() < 3:
                found.append(
                    (f"{horizon} months, {name}", int(old.sum()), int(test.sum()), *["too few"] * 4)
                )
                continue
            seen = np.minimum(end, limit) - start
            y = total[test, horizon] / exposure[test]
            for method, share in _cars_told(total, exposure, seen, old, horizon).items():
                guess = np.full(len(y), share)
                cells = []
                for measure, form in ((_absolute, ".3f"), (_pool, "+.0%")):
                    mid, low, high = section.bootstrap(
                        measure, y, guess, exposure[test], draws=20 if smoke else 200
                    )
                    cells.append(f"{mid:{form}} [{low:{form}}, {high:{form}}]")
                came = (y * exposure[test]).sum() / exposure[test].sum()
                label = f"{horizon} months, {name}: {method}"
                found.append((label, int(old.sum()), len(y), f"{share:.3f}", f"{came:.3f}", *cells))
    head = ("after charge-off", "learnt from", "judged", "foretold", "came", "MAE", "pool")
    text = (
        "**Car loans**: cash after charge-off, car and borrower together, over the amount charged off. Learnt from "
        "charge-offs to December 2020 with what was seen by then, or to February 2020 for those of March to August "
        "2020, which stand apart and teach nothing. The ladder starts at the exposure, as the first months hold costs. "
        "MAE cuts shares at 0 and 1 (a charge-off of a few dollars brought many times itself). "
        "Few charge-offs: one share for all, so no rank, no tenths and no "
        "boosting; all are secured, prime borrowers."
    )
    return text + "\n\n" + section.table(head, found)


def _cars_told(
    total: np.ndarray, exposure: np.ndarray, seen: np.ndarray, old: np.ndarray, horizon: int
) -> dict[str, float]:
    """Share of exposure by a month: mean of claims seen so long, and Arrears' chain ladder on all."""
    told = {}
    ripe = old & (seen >= horizon)
    if ripe.any():
        told["mean of those seen so long"] = float(
            total[ripe, horizon].sum() / exposure[ripe].sum()
        )
    # Costs make the first months negative: the exposure stands before them as money that is there already.
    ahead = np.arange(horizon + 1)[None, :] <= seen[old][:, None]
    triangle = np.where(ahead, exposure[old][:, None] + total[old][:, : horizon + 1], np.nan)
    ladder = chain_ladder(np.column_stack([exposure[old], triangle]))
    growth = float(np.prod(ladder.factors))
    told["Arrears: chain ladder"] = growth - 1.0
    return told


def _absolute(y: np.ndarray, guess: np.ndarray, _: np.ndarray) -> float:
    return float(np.abs(np.clip(y, 0.0, 1.0) - guess).mean())


def _pool(y: np.ndarray, guess: np.ndarray, exposure: np.ndarray) -> float:
    came = float((y * exposure).sum())
    return float((guess * exposure).sum()) / came - 1.0 if came > 0 else float("nan")


def judged(told: str, claims: Claims, smoke: bool) -> str:
    """A table of the methods on the later claims."""
    if smoke:
        claims = claims.part(np.random.default_rng(1).permutation(len(claims.share))[:800])
    cut = np.quantile(claims.time, 0.6)
    old, new = claims.part(claims.time <= cut), claims.part(claims.time > cut)
    # Ranges rest on claims that the method had not seen: the later part of those learnt from.
    middle = np.quantile(old.time, 0.6)
    early, held = old.part(old.time <= middle), old.part(old.time > middle)
    rows, guesses = [], {}
    for name, method in METHODS.items():
        known, guess = method(early, held), method(old, new)
        guesses[name] = guess
        rows.append((name, *_scores(held.share, known, new, guess, 20 if smoke else 100)))
    text = f"{told} {len(old.share):,} claims learnt from, {len(new.share):,} judged."
    head = ("method", "MAE", "RMSE", "pool", "gap", "rank correlation", "in 50 %", "in 90 %")
    verdicts = [_verdict(new.share, guesses, *pair) for pair in CONTESTS]
    return "\n\n".join([text, section.table(head, rows), "; ".join(verdicts) + "."])


def _verdict(y: np.ndarray, guesses: dict[str, np.ndarray], ours: str, other: str) -> str:
    """Squared error of ours over the other's, less one, on the same claims."""

    def ratio(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
        return float(((a - b) ** 2).sum() / ((a - c) ** 2).sum() - 1)

    mid, low, high = section.bootstrap(ratio, y, guesses[ours], guesses[other], draws=100)
    word = "better" if high < 0 else "worse" if low > 0 else "not better, within chance"
    return f"{ours} against {other}: squared error {mid:+.1%} [{low:+.1%}, {high:+.1%}], {word}"


def segment_mean(old: Claims, new: Claims) -> np.ndarray:
    """Mean share of the segment; of all for a segment not seen."""
    size = int(max(old.segment.max(), new.segment.max())) + 1
    count = np.bincount(old.segment, minlength=size)
    total = np.bincount(old.segment, weights=old.share, minlength=size)
    return np.where(count > 0, total / np.maximum(count, 1), old.share.mean())[new.segment]


def credibility(old: Claims, new: Claims) -> np.ndarray:
    """Segments over periods of the learnt claims, believed as far as Bühlmann-Straub has them."""
    size = int(max(old.segment.max(), new.segment.max())) + 1
    edges = np.quantile(old.time, np.arange(1, PERIODS) / PERIODS)
    cell = old.segment * PERIODS + np.searchsorted(edges, old.time)
    weights = np.bincount(cell, minlength=size * PERIODS).astype(float)
    total = np.bincount(cell, weights=old.share, minlength=size * PERIODS)
    ratios = (total / np.maximum(weights, 1)).reshape(size, PERIODS)
    return buhlmann_straub(ratios, weights.reshape(size, PERIODS)).premium[new.segment]


def hurdle(old: Claims, new: Claims) -> np.ndarray:
    """Chance of any recovery times the share where there is one: two logits of `glm` on binned features."""
    edges = [np.unique(np.quantile(x, np.arange(1, BINS) / BINS)) for x in old.features.T]
    before, after = _cells(old, edges), _cells(new, edges)
    paid = (old.share > 0).astype(float)
    chance = _logit(before, after, paid, np.ones(len(paid)))
    if paid.min() == 1.0:
        chance = np.ones(len(new.share))
    return chance * _logit(before, after, old.share, paid)


def _cells(claims: Claims, edges: list[np.ndarray]) -> pl.DataFrame:
    coded = {
        f"x{k}": np.searchsorted(edge, claims.features[:, k], side="right")
        for k, edge in enumerate(edges)
    }
    return pl.DataFrame({"band": np.zeros(len(claims.share), dtype=np.int64), **coded})


def _logit(
    before: pl.DataFrame, after: pl.DataFrame, hits: np.ndarray, of: np.ndarray
) -> np.ndarray:
    """Fitted by `glm`, with a level for each bin that has enough on both sides."""
    if hits.sum() >= of.sum() - 1e-9:
        return np.ones(after.height)
    columns, names = {}, ["intercept"]
    for name in before.columns[1:]:
        level = before[name].to_numpy()
        hit, seen = np.bincount(level, hits, BINS), np.bincount(level, of, BINS)
        borne = (hit >= 2) & (seen - hit >= 2)
        borne[np.argmax(seen)] = False
        columns[name] = np.full(BINS, -1, dtype=np.int64)
        for place in np.flatnonzero(borne):
            columns[name][place] = len(names)
            names.append(f"{name}: {place}")
    design = glm.Design(np.ones((len(AGE_MIDDLE), 1)), columns, tuple(names))
    design = glm.told_apart(design, before, of)
    return glm.expit(glm.fit(before, design, hits=hits, of=of).predictor(after))


def boosting(old: Claims, new: Claims) -> np.ndarray:
    """Plain LightGBM on the same features."""
    import lightgbm

    params = {
        "verbose": -1,
        "num_threads": 1,
        "seed": 0,
        "deterministic": True,
        "learning_rate": 0.05,
    }
    found = lightgbm.train(params, lightgbm.Dataset(old.features, old.share), 100)
    return np.clip(np.asarray(found.predict(new.features)), 0.0, 1.0)


METHODS = {
    "segment mean": segment_mean,
    "Arrears: credibility": credibility,
    "Arrears: two logits": hurdle,
    "LightGBM": boosting,
}
CONTESTS = [
    (ours, other)
    for ours in ("Arrears: credibility", "Arrears: two logits")
    for other in ("segment mean", "LightGBM")
]


def _scores(
    learnt: np.ndarray, known: np.ndarray, new: Claims, guess: np.ndarray, draws: int
) -> list[str]:
    """Cells of the table, each with its interval."""
    y, w = new.share, new.exposure
    edges = np.unique(np.quantile(known, np.arange(1, BANDS) / BANDS))
    old_band, band = np.searchsorted(edges, known), np.searchsorted(edges, guess)
    inside = []
    for level in (0.5, 0.9):
        ends = np.array([
            np.quantile(learnt[old_band == b] if (old_band == b).any() else learnt,
                        [(1 - level) / 2, (1 + level) / 2])
            for b in range(len(edges) + 1)
        ])  # fmt: skip
        inside.append(((y >= ends[band, 0]) & (y <= ends[band, 1])).astype(float))
    measures = [
        (lambda a, b, _: float(np.abs(a - b).mean()), (y, guess, w), ".3f"),
        (lambda a, b, _: float(((a - b) ** 2).mean() ** 0.5), (y, guess, w), ".3f"),
        (lambda a, b, c: float((b * c).sum() / (a * c).sum() - 1), (y, guess, w), "+.1%"),
        (_gap, (y, guess, w), ".3f"),
        (_rank, (y, guess, w), ".3f"),
        *((lambda a, *_: float(a.mean()), (hit, hit, w), ".0%") for hit in inside),
    ]
    found = [(section.bootstrap(f, *columns, draws=draws), form) for f, columns, form in measures]
    return [f"{m:{form}} [{low:{form}}, {high:{form}}]" for (m, low, high), form in found]


def _gap(y: np.ndarray, guess: np.ndarray, _: np.ndarray) -> float:
    parts = np.array_split(np.argsort(guess, kind="stable"), 10)
    return float(np.mean([abs(y[part].mean() - guess[part].mean()) for part in parts]))


def _rank(y: np.ndarray, guess: np.ndarray, _: np.ndarray) -> float:
    from scipy.stats import rankdata

    if np.ptp(guess) < 1e-12 or np.ptp(y) < 1e-12:
        return 0.0
    return float(np.corrcoef(rankdata(y), rankdata(guess))[0, 1])


if __name__ == "__main__":
    section.run(main)
