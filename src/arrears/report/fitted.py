"""`fit.html`: what a fitted model says, how it did on months it had not seen, and how far it is believed."""

from __future__ import annotations

from html import escape

import polars as pl

from arrears.recovery.fitting.model import RecoveryModel
from arrears.recovery.fitting.pools import Pools
from arrears.report import charts, figures, fit_charts
from arrears.report.by_class import PRODUCTS
from arrears.report.parts import paragraph, shell, table

_NINETY = 1.645
_SHOWN = 40
_CAUSES = {"limitation": "past its limitation", "written_off": "written off"}
_NAMES = {"hazard": "hazard (logit)", "boosted": "boosted trees", "market prior": "market prior"}


def fit_page(model: RecoveryModel, pools: list[Pools]) -> str:
    """The page of a model and of the static pools of its history."""
    seen = model.seen
    title = (
        f"{seen.payments:,} payments seen: own experience is believed to "
        f"{figures.percent(model.believed, 0)}, the market prior is the rest"
    )
    span = f"{seen.begin} to {seen.end}" if seen.begin else "no whole month"
    parts = [
        f"<h1>{escape(title)}</h1>",
        paragraph(f"As of {figures.day(model.as_of)}, from {seen.source}, {span}.", "when"),
        _numbers(model),
        *_hazard(model),
        *_choice(model),
        *_effects(model),
        *_credibility(model),
        *_share(model),
        *_exits(model),
    ]
    for kind in pools:
        parts += _pools(kind)
    return shell(title, parts)


def _numbers(model: RecoveryModel) -> str:
    best = model.tests.get(model.chosen)
    first = model.by_age[0] if model.by_age else None
    rank = "n/a" if best is None or best.rank is None else figures.number(best.rank, 3)
    error = "n/a" if best is None else figures.percent(best.pool_error)
    items = [
        (f"{model.seen.loan_months:,}", "loan-months past day 91", f"{model.seen.loans:,} loans"),
        (
            figures.percent(first.hazard) if first else figures.NOT_KNOWN,
            f"pay in month {first.start + 1} since day 91" if first else "no month was seen",
            f"a payment takes {figures.percent(model.share_paid)} of what is owed",
        ),
        (
            error,
            "payments foretold over seen, less one, in months that it had not seen",
            f"rank {rank} ({figures.number(0.5, 1)} is chance, 1 is perfect); {_NAMES[model.chosen]}",
        ),
        (
            figures.percent(model.level_sd),
            "standard deviation of the level that stays unknown",
            "it widens the range of every forecast with this model",
        ),
    ]
    return '<ul class="numbers">{}</ul>'.format(
        "".join(
            f"<li><b>{escape(big)}</b><span>{escape(what)}</span><span>{escape(more)}</span></li>"
            for big, what, more in items
        )
    )


def _figure(spec: dict[str, object], alt: str, name: str) -> str:
    return f"<figure>{charts.svg(spec, alt, name)}</figure>"


def _hazard(model: RecoveryModel) -> list[str]:
    if not model.by_age:
        return [paragraph("No loan-month past day 91 was seen: the curve is the market's.", "note")]
    points = pl.DataFrame(
        [
            {
                "age": (point.start + point.end - 1) / 2,
                "hazard": point.hazard,
                "lo90": point.lo90,
                "hi90": point.hi90,
                "observed": point.observed,
                "market": point.market,
            }
            for point in model.by_age
        ]
    )
    inside = [p for p in model.by_age if p.observed is not None and p.payments]
    high = max(inside, key=lambda p: p.hazard, default=model.by_age[0])
    head = f"Payments are likeliest in month {high.start + 1} since day 91: {figures.percent(high.hazard)} a month"
    return [
        f"<h2>{escape(head)}</h2>",
        _figure(fit_charts.hazard(points), head, "hazard"),
        paragraph(
            "Line and band: the hazard fitted, with 90 % (standard errors clustered by loan). Points: the share of "
            "loan-months with a payment, without any model. Grey: what the market prior expects of the same loans.",
            "note",
        ),
    ]


def _choice(model: RecoveryModel) -> list[str]:
    head = f"Taken: {_NAMES[model.chosen]}"
    parts = [f"<h2>{escape(head)}</h2>", paragraph(model.why)]
    if not model.tests:
        return parts
    rows = [
        [
            _NAMES[name],
            figures.number(test.log_loss, 5),
            f"{figures.number(test.worse_than_best, 5)} ({figures.number(test.se, 5)})",
            figures.percent(test.pool_error),
            figures.NOT_KNOWN if test.rank is None else figures.number(test.rank, 3),
        ]
        for name, test in model.tests.items()
    ]
    heads = ["model", "log loss", "worse than the best (s.e.)", "payments, error", "rank"]
    parts += [
        paragraph(f"Fitted on the months before {model.seen.tested_from}, tested on those from then on.", "note"),
        table(heads, rows),
        paragraph(
            "Log loss: how much what happened surprises a model, less is better. Error: payments foretold over seen, "
            "less one. Rank: how often a month with a payment was given a higher chance than one without.", "note"),
    ]  # fmt: skip
    if model.calibration:
        deciles = pl.DataFrame([decile.model_dump() for decile in model.calibration])
        se = (pl.col("predicted") * (1 - pl.col("predicted")) / pl.col("loan_months")).sqrt()
        shown = deciles.select(
            "predicted",
            "observed",
            lo=(pl.col("observed") - _NINETY * se).clip(0.0),
            hi=pl.col("observed") + _NINETY * se,
        )
        out = deciles.filter((pl.col("predicted") - pl.col("observed")).abs() > _NINETY * se).height
        told = f"{deciles.height - out} of {deciles.height} tenths lie within chance of what was foretold"
        parts += [
            f"<h3>{escape(told)}</h3>",
            _figure(fit_charts.calibration(shown), told, "tenths"),
            paragraph(
                "Each point a tenth of the months tested, by their chance; bars: nine times in ten.",
                "note",
            ),
        ]
    return parts


def _effects(model: RecoveryModel) -> list[str]:
    rows, shown = [], []
    for term, levels in model.effects.items():
        for level, effect in levels.items():
            if not effect.loan_months:
                continue
            name = f"{term.replace('_', ' ')}: {PRODUCTS.get(level, level.replace('_', ' '))}"
            error = figures.NOT_KNOWN if effect.se is None else figures.number(effect.se, 2)
            rows.append(
                [
                    name,
                    figures.number(effect.effect, 2),
                    error,
                    figures.number(effect.market, 2),
                    figures.number(effect.loan_months),
                    figures.number(effect.payments),
                ]
            )
            if effect.se is not None:
                width = _NINETY * effect.se
                low, high = effect.effect - width, effect.effect + width
                shown.append((name, effect.effect, low, high, effect.market))
    if not rows:
        return []
    picture = []
    if shown:
        frame = pl.DataFrame(shown, schema=["level", "effect", "lo", "hi", "market"], orient="row")
        strong = sum(1 for _, effect, low, high, _ in shown if low > 0 or high < 0)
        head = f"{strong} of {len(shown)} effects differ from the reference by more than chance"
        picture = [f"<h2>{escape(head)}</h2>", _figure(fit_charts.effects(frame), head, "effects")]
    return [
        *(picture or ["<h2>No level has enough payments for an effect of its own</h2>"]),
        table(["level", "effect", "s.e.", "market", "loan-months", "payments"], rows),
        paragraph(
            "On the log odds of a payment in a month; standard errors clustered by loan, n/a where the level is the "
            "reference, cannot be told apart, or is too thin and keeps the market's effect. Contact status is that "
            "of the cut-off date: who has paid is reachable, so part of its effect is hindsight. Balance and last "
            "payment are those at the last landmark before the month.",
            "note",
        ),
    ]


def _credibility(model: RecoveryModel) -> list[str]:
    def row(name: str, belief: object) -> list[str]:
        b = model.products.get(name) or model.segments[name]
        del belief
        product, *province = name.split(", ")
        return [
            ", ".join([PRODUCTS.get(product, product), *province]),
            figures.number(b.payments),
            figures.number(b.expected, 1),
            figures.NOT_KNOWN if b.ratio is None else figures.number(b.ratio, 2),
            figures.percent(b.z, 0),
            figures.number(b.factor, 2),
            figures.number(b.missing, 0) if b.missing > 0 else "0",
        ]

    heads = [
        "group",
        "payments",
        "expected",
        "ratio",
        "weight of own",
        "believed",
        "missing for half",
    ]
    products = [row(name, belief) for name, belief in model.products.items()]
    segments = sorted(model.segments.items(), key=lambda item: -item[1].expected)[:_SHOWN]
    parts = [
        f"<h2>{escape(f'Own experience weighs {figures.percent(model.believed, 0)}')}</h2>",
        paragraph("Products against the market prior (Bühlmann-Straub):"),
        table(heads, products),
    ]
    if segments:
        parts += [
            paragraph("Provinces against their product, by what the fit expects of them:"),
            table(heads, [row(name, belief) for name, belief in segments]),
        ]
    return [
        *parts,
        paragraph(
            "Expected: payments by what the group is held against; ratio: seen over expected; believed: the factor "
            "that is used, the ratio by its weight and 1 by the rest. Missing for half: how many more expected "
            "payments a weight of one half needs. Half-years differ "
            f"{figures.number(model.dispersion, 2)} times as much as counts alone would make them.",
            "note",
        ),
    ]


def _share(model: RecoveryModel) -> list[str]:
    share = model.share
    if share.own is None:
        return []
    head = f"A payment takes {figures.percent(model.share_paid)} of what is owed"
    told = (
        f"{figures.percent(share.own)} by this history, which weighs {figures.percent(share.z, 0)}; the rest is the "
        f"market's figure. {_part(share.full)} of the payments settle the loan, {_part(share.usual).lower()} are a "
        "usual instalment. Reversals are netted."
    )
    return [f"<h2>{escape(head)}</h2>", paragraph(told)]


def _part(share: float) -> str:
    return figures.percent(share) if share else "None"


def _exits(model: RecoveryModel) -> list[str]:
    rows = [
        [
            _CAUSES.get(point.cause, point.cause),
            figures.number(point.month),
            f"{figures.percent(point.share)} ({figures.percent(point.se)})",
            figures.NOT_KNOWN if point.model is None else figures.percent(point.model),
        ]
        for point in model.exits
        if point.share > 0 or point.cause == "settled"
    ]
    if not rows:
        return []
    last = [point for point in model.exits if point.cause == "settled"][-1]
    head = f"{_part(last.share)} of the loans are settled within {last.month} months of day 91"
    return [
        f"<h2>{escape(head)}</h2>",
        table(["left by", "month", "share (s.e.)", "by the model"], rows),
        paragraph(
            "Aalen-Johansen: exits compete, loans enter at the age at which they were first seen. A sale and a death "
            "end the history of a loan; a claim past its limitation is still owed and stays in the hazard.",
            "note",
        ),
    ]


def _pools(pools: Pools) -> list[str]:
    if pools.ladder is None:
        return []
    told = pools.table
    rest, tail = (float(told[name].sum()) for name in ("remaining", "tail"))
    head = (
        f"Pools by month of {pools.by}: {figures.money(rest)} still to come by the chain ladder (standard error "
        f"{figures.money(pools.ladder.total_se)}), {figures.money(tail)} in the tail after it"
    )
    claims = told.select("pool", "claim")
    shares = pools.triangle.join(claims, on="pool").select(
        "pool", "month", "estimated", share=pl.col("cumulative") / pl.col("claim").clip(1)
    )
    rows = [
        [
            row["pool"],
            figures.number(row["loans"]),
            *(
                figures.yuan(row[name])
                for name in ("claim", "collected", "remaining", "se", "tail")
            ),
        ]
        for row in told.tail(_SHOWN).iter_rows(named=True)
    ]
    heads = ["pool", "loans", "claim, yuan", "collected", "to come", "s.e. (Mack)", "tail"]
    return [
        f"<h2>{escape(head)}</h2>",
        _figure(fit_charts.pools(shares, pools.by), head, f"pools-{pools.by}"),
        table(heads, rows),
        paragraph(
            "Each line a pool; dashed: what the chain ladder expects of it. Money in yuan. "
            f"Only pools that the history shows from their start; all cells: triangle_{pools.by}.csv. The tail after "
            "the triangle's months goes on by a power law to month 120.",
            "note",
        ),
    ]
