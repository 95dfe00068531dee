"""What is fitted: a truth that is known, an independent fit, and sound answers where there is little or nothing."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError
from threadpoolctl import threadpool_info, threadpool_limits

from arrears import recovery
from arrears.recovery.fitting import fitter, glm, hazard, person_period, pools
from arrears.recovery.fitting.boosted import fit_boosted
from arrears.recovery.fitting.cash import Cash, cash_seen, with_years
from arrears.recovery.fitting.features import AGE_BAND, TERMS, codes_today
from arrears.recovery.fitting.fitter import fit_model
from arrears.recovery.fitting.model import RecoveryModel
from arrears.recovery.fitting.tested import choose, rank, year_errors
from arrears.recovery.params import ages
from tests.recovery.fitting.tables import (
    CURVE,
    DAY,
    MARKET,
    PARAMS,
    known_book,
    loans,
    month_ends,
    payments,
    true_share,
)

PRIOR = hazard.Prior.of(PARAMS)


@pytest.fixture(scope="module")
def book() -> tuple[pl.DataFrame, person_period.History]:
    table, paid = known_book(4000, 30)
    return table, person_period.history(table, as_of=DAY, payments=paid)


@pytest.fixture(scope="module")
def model(book: tuple[pl.DataFrame, person_period.History]) -> RecoveryModel:
    return _fit(*book)


def _fit(table: pl.DataFrame, past: person_period.History) -> RecoveryModel:
    return fit_model(past, table, market=MARKET, curve=CURVE, version="test", source="payments")


def _share(fitted: RecoveryModel, table: pl.DataFrame, months: int) -> float:
    """Share of the claims that the model expects within so many months, without the common factor."""
    params, score = fitted.params(PARAMS), fitted.scores(table, DAY)
    owed, age, paid = table["principal"].to_numpy().astype(float), ages(table), 0.0
    for month in range(months):
        odds = params.odds[np.minimum(age + month, 119)] * np.exp(score)
        cash = owed * params.share_paid * odds / (1 + odds)
        paid, owed = paid + cash.sum(), owed - cash
    return paid / table["principal"].sum()


def test_matrices_are_added_up_on_one_thread(book, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several add up in the order in which they end, and the same book had two models."""
    used: set[int] = set()

    def told(*_: object) -> None:
        used.update(library["num_threads"] for library in threadpool_info())
        raise InterruptedError

    monkeypatch.setattr(fitter, "choose", told)
    with threadpool_limits(4), pytest.raises(InterruptedError):
        _fit(*book)
    assert used == {1}


def test_the_truth_is_found_again(model: RecoveryModel) -> None:
    effects = model.effects
    card = effects["product"]["credit_card"].effect - effects["product"]["consumer"].effect
    lost = effects["contact_status"]["unreachable"]
    assert card == pytest.approx(0.7, abs=0.15)
    assert lost.se is not None
    reachable = effects["contact_status"]["reachable"].effect
    assert lost.effect - reachable == pytest.approx(-1.0, abs=max(3 * lost.se, 0.1))
    assert model.share.full == pytest.approx(0.2, abs=0.03)
    assert model.share.own == pytest.approx(0.2 + 0.8 * 0.2, abs=0.03)
    assert model.chosen == "hazard"
    assert model.believed > 0.9
    for point in model.by_age:
        if point.loan_months > 1000:
            assert point.observed is not None
            spread = math.sqrt(point.hazard * (1 - point.hazard) / point.loan_months)
            assert abs(point.hazard - point.observed) < 4 * spread


def test_the_model_expects_the_payments_that_were_seen(
    book: tuple[pl.DataFrame, person_period.History], model: RecoveryModel
) -> None:
    """Chances as the forecast reads them, put back on the loan-months, add up to the payments by product."""
    _, past = book
    for code, product in enumerate(("mortgage", "consumer", "credit_card", "business")):
        belief = model.products[product]
        if not belief.payments:
            continue
        total = 0.0
        for some in person_period.rows(past):
            mine = some.levels["product"] == code
            eta = np.array(model.log_odds)[some.age[mine]] + belief.shift + belief.z * model.level
            for term in TERMS:
                if term == "quarter":
                    continue
                levels = [model.effects[term][level] for level in TERMS[term]]
                market = np.array([level.market for level in levels])
                own = np.array([level.effect for level in levels]) - market
                eta += (market + belief.z * own)[some.levels[term][mine]]
            total += float(glm.expit(eta).sum())
        wanted = belief.factor * belief.expected
        assert wanted == pytest.approx(belief.payments, rel=0.03)
        # cash has the last word on the level; here chance and share are right, so that it says the same
        assert belief.cash == pytest.approx(1.0, abs=0.03)
        assert total == pytest.approx(wanted, rel=0.04)


def test_the_level_is_set_on_cash() -> None:
    """Half of the loans pay often and owe little: chance times share, each a mean over loans, would expect too much."""
    ends = month_ends(25)
    table = loans(
        *(
            {"days_past_due": 900, "principal": 50_000 if number % 2 else 2_000_000}
            for number in range(200)
        )
    )
    paid = payments(*(
        (number, end - timedelta(days=5), 50_000 if number % 2 else 20_000)
        for number in range(200)
        for place, end in enumerate(ends)
        if (number % 2 and (number + place) % 12 == 0) or (number + place) % 29 == 0
    ))  # fmt: skip
    past = person_period.history(table, as_of=DAY, payments=paid)
    fitted = _fit(table, past)
    found = cash_seen(past, fitted, np.zeros(table.height))
    fade = PARAMS.persistence ** (12 * np.arange(found.came.shape[1]))
    belief = fitted.products["consumer"]
    assert belief.cash != pytest.approx(1.0, abs=0.05)
    lift = math.exp(belief.z * PARAMS.deviation**2 / 2)
    bare = belief.model_copy(update={"shift": belief.shift - math.log(belief.cash / lift)})
    before = fitted.model_copy(update={"products": {**fitted.products, "consumer": bare}})
    without = cash_seen(past, before, np.zeros(table.height)).expected[1] @ fade
    seen, said = found.came[1] @ fade, found.expected[1] @ fade * lift
    assert belief.cash == pytest.approx(1 + belief.z**2 * (seen / without - 1), rel=1e-6)
    assert said == pytest.approx(belief.cash * without, rel=0.1)
    assert seen < said < without
    assert fitted.level_sd > 0.0


def test_a_fit_agrees_with_newtons_method(
    book: tuple[pl.DataFrame, person_period.History],
) -> None:
    _, past = book
    cells = person_period.cells(past, late_from=past.end)
    found = hazard.fit_hazard(cells, PRIOR).fitted
    assert found is not None
    layout = found.design
    x = np.zeros((cells.height, layout.width))
    x[:, : layout.spline.shape[1]] = layout.spline[cells["band"].to_numpy()]
    for term, columns in layout.columns.items():
        own = columns[cells[term].to_numpy()]
        x[np.flatnonzero(own >= 0), own[own >= 0]] = 1.0
    n, paid, offset = cells["n"].to_numpy(), cells["paid"].to_numpy(), PRIOR.predictor(cells)
    beta = np.zeros(layout.width)
    for _ in range(30):
        p = 1 / (1 + np.exp(-(x @ beta + offset)))
        information = x.T @ (x * (n * p * (1 - p))[:, None])
        beta += np.linalg.solve(information, x.T @ (paid - n * p))
    assert found.coefficients == pytest.approx(beta, abs=1e-6)
    assert found.covariance == pytest.approx(np.linalg.inv(information), abs=1e-6)


def test_clustered_errors_are_those_of_the_plain_sandwich() -> None:
    table, paid = known_book(400, 20, seed=3)
    past = person_period.history(table, as_of=DAY, payments=paid)
    cells = person_period.cells(past, late_from=past.end)
    found = hazard.fit_hazard(cells, PRIOR)
    assert found.fitted is not None
    layout = found.fitted.design
    _, robust = hazard.second_pass(past, found, np.zeros(table.height, dtype=np.int64), 1)
    scores: dict[int, np.ndarray] = {}
    for some in person_period.rows(past):
        for row, loan in enumerate(some.loan):
            x = np.zeros(layout.width)
            x[: layout.spline.shape[1]] = layout.spline[some.band[row]]
            offset = PRIOR.band[some.band[row]]
            for term in TERMS:
                level = some.levels[term][row]
                offset += PRIOR.effects.get(term, np.zeros(9))[level]
                if layout.columns[term][level] >= 0:
                    x[layout.columns[term][level]] = 1.0
            p = 1 / (1 + np.exp(-(x @ found.fitted.coefficients + offset)))
            scores.setdefault(int(loan), np.zeros(layout.width))
            scores[int(loan)] += x * (float(some.kind[row] > 0) - p)
    meat = sum(np.outer(score, score) for score in scores.values())
    bread = found.fitted.covariance
    assert robust == pytest.approx(bread @ meat @ bread, rel=1e-6, abs=1e-9)


def _cells(*rows: tuple[int, int, int]) -> pl.DataFrame:
    """Cells of one band and level each, from years back, loan-months and payments."""
    columns = ("back", "n", "paid")
    nothing = dict.fromkeys((*TERMS, "full", "usual", "part", "part_square"), 0)
    made = [
        {"band": 5, "late": 0, **nothing, **dict(zip(columns, row, strict=True))} for row in rows
    ]
    return pl.DataFrame(made)


def test_a_year_is_foretold_by_those_before_it_alone() -> None:
    """A payment in ten months, then one in twenty, then one in five: each against the mean of what was before it."""
    found = year_errors(
        _cells((3, 4000, 400), (2, 1000, 100), (1, 1000, 50), (0, 1000, 200)), PRIOR
    )

    def odds(share: float) -> float:
        return math.log(share / (1 - share))

    wanted = [odds(0.2) - odds(550 / 6000), odds(0.05) - odds(0.1), 0.0]
    assert found[0] == pytest.approx(wanted, abs=1e-6)
    assert found[1] == pytest.approx([1000 * 0.2 * 0.8, 1000 * 0.05 * 0.95, 1000 * 0.1 * 0.9])
    assert year_errors(_cells((0, 1000, 100)), PRIOR).shape == (2, 0), "nothing was before it"


def test_the_level_is_as_unsure_as_the_years_were_and_their_luck_is_none_of_it(
    model: RecoveryModel,
) -> None:
    cash = Cash(np.ones((4, 2)), np.ones((4, 2)))
    sure = np.full(3, 1e9)

    def level(*gaps: float, information: np.ndarray = sure) -> float:
        errors = np.array([gaps, information[: len(gaps)]])
        return with_years(model, errors, cash, PARAMS).level_sd

    assert level() == pytest.approx(model.level_sd), "no year was foretold"
    assert level(0.1, -0.1, 0.1) < level(0.4, -0.4, 0.4) < level(0.8, 0.8, 0.8)
    few = 2.0 * model.dispersion / np.array([0.16, 0.16, 0.16])
    luck = level(0.4, -0.4, 0.4, information=few)
    half = 0.4 / math.sqrt(2)
    assert luck == pytest.approx(level(half, half, half))
    # 4 years of the market's spread and 3 of one's own, in the mean of an inverse gamma law
    month = np.arange(12)
    alone = PARAMS.deviation**2 * (PARAMS.persistence ** abs(month[:, None] - month)).mean()
    first = 1 / (1 + PARAMS.persistence**12)
    about = 1 + first**2 + (1 - first) ** 2
    year = (3 * 0.8**2 + 4 * alone * about) / 5
    nation, product, region = PARAMS.factor_weights
    beside = year - alone * (nation + (product + region) / 4)
    assert level(0.8, 0.8, 0.8) == pytest.approx(math.hypot(model.level_sd, math.sqrt(beside)))


def test_boosting_is_taken_only_where_it_is_clearly_better() -> None:
    """Chances that no sum of effects can tell: the young pay in one product, the old in the other."""
    g = np.random.default_rng(1)
    size = 2500
    frame = {name: g.integers(0, len(levels), size) for name, levels in TERMS.items()}
    frame["product"] = g.integers(1, 3, size)
    frame["borrower_age"] = g.integers(0, 2, size)
    cross = frame["product"] - 1 == frame["borrower_age"]
    n = np.full(size, 25)
    table = pl.DataFrame(
        {
            "band": g.integers(0, 40, size),
            **{name: frame[name].astype(np.int8) for name in TERMS},
            "late": (g.random(size) < 0.3).astype(np.int8),
            "n": n,
            "paid": g.binomial(n, np.where(cross, 0.2, 0.02)),
        }
    )
    choice = choose(table, PRIOR)
    assert choice.chosen == "boosted"
    assert choice.tests["boosted"].log_loss < choice.tests["hazard"].log_loss
    additive = table.with_columns(
        paid=pl.Series(g.binomial(n, np.where(frame["product"] == 1, 0.2, 0.02)))
    )
    assert choose(additive, PRIOR).chosen == "hazard"
    again = fit_boosted(table, PRIOR), fit_boosted(table, PRIOR)
    assert again[0].text == again[1].text


def test_the_age_of_boosted_trees_is_not_what_old_loans_are_besides() -> None:
    """A written-off loan hardly pays, at any age; the old ones are mostly written off. Age itself changes nothing."""
    g = np.random.default_rng(4)
    size = 3000
    band = g.integers(0, 40, size)
    written = (g.random(size) < band / 42).astype(np.int8)
    table = pl.DataFrame(
        {
            "band": band,
            **{name: np.zeros(size, dtype=np.int8) for name in TERMS},
            "n": np.full(size, 40),
            "paid": g.binomial(40, np.where(written, 0.02, 0.3)),
        }
    ).with_columns(written_off=pl.Series(written))
    flat = hazard.Prior(np.full(len(PRIOR.band), -1.5), {})
    trees = fit_boosted(table, flat)
    age = trees.age(table, np.ones(size))[:40]
    whole = trees.deviation(table)
    own = np.bincount(band, whole) / np.bincount(band)
    assert np.ptp(age) < 0.6
    assert np.ptp(own) > 2.0, "by what the old ones are it would seem to fall"
    assert trees.age(table, np.ones(size)) == pytest.approx(trees.age(table, np.full(size, 7.0)))


def test_a_boosted_model_forecasts(
    book: tuple[pl.DataFrame, person_period.History], model: RecoveryModel
) -> None:
    table, past = book
    cells = person_period.cells(past, late_from=past.end)
    trees = fit_boosted(cells, PRIOR)
    flat = [0.0] * (AGE_BAND[-1] + 1)
    boosted = model.model_copy(update={"chosen": "boosted", "trees": trees.text, "tree_age": flat})
    found = boosted.scores(table, DAY)
    assert np.isfinite(found).all()
    lost = (table["contact_status"] == "unreachable").to_numpy()
    assert found[~lost].mean() > found[lost].mean() + 0.5


def test_the_rank_is_the_chance_that_who_paid_had_the_higher_one() -> None:
    cells = pl.DataFrame({"n": [2, 3, 1, 4], "paid": [0, 1, 1, 3]})
    chance = np.array([0.1, 0.2, 0.2, 0.9])
    hits, misses = [0.2, 0.2, 0.9, 0.9, 0.9], [0.1, 0.1, 0.2, 0.2, 0.9]
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a in hits for b in misses]
    assert rank(cells, chance) == pytest.approx(sum(wins) / len(wins))
    assert rank(cells.with_columns(paid=pl.lit(0)), chance) is None


def test_the_level_of_the_history_is_that_of_the_forecast() -> None:
    expected = {}
    for level in (-1.5, 0.0):
        table, paid = known_book(1000, 20, level=level, seed=5)
        fitted = _fit(table, person_period.history(table, as_of=DAY, payments=paid))
        expected[level] = _share(fitted, table.filter(pl.col("principal") > 0), 12)
    assert 0.0 < expected[-1.5] < 0.5 * expected[0.0]


def test_little_is_believed_a_little_and_what_is_missing_is_said() -> None:
    table = loans({"days_past_due": 150}, {"days_past_due": 160})
    paid = payments((0, date(2025, 2, 5), 100_000))
    fitted = _fit(table, person_period.history(table, as_of=DAY, payments=paid))
    belief = fitted.products["consumer"]
    assert fitted.chosen == "market prior"
    assert "1 payments were seen" in fitted.why
    assert 0 < belief.z < 0.5 < belief.missing
    assert fitted.products["mortgage"].z == 0.0
    assert fitted.products["mortgage"].missing == pytest.approx(10.0)


@pytest.mark.parametrize("count", [1, 300])
def test_nothing_collected_lowers_the_forecast_and_never_to_nan(count: int) -> None:
    table = loans(*({"days_past_due": 500} for _ in range(count)))
    paid = payments(*((0, end, 0) for end in month_ends(12)))
    fitted = _fit(table, person_period.history(table, as_of=DAY, payments=paid))
    belief = fitted.products["consumer"]
    assert belief.payments == 0
    assert belief.factor == pytest.approx(1 - belief.z)
    ours = _share(fitted, table, 12)
    nothing = person_period.history(table, as_of=DAY, payments=payments())
    prior = _share(_fit(table, nothing), table, 12)
    assert 0.0 < ours < prior
    if count == 300:
        assert ours < 0.3 * prior


def test_one_month_and_none_are_answers() -> None:
    table = loans({"days_past_due": 200})
    for paid in (payments((0, date(2025, 3, 5), 100)), payments()):
        fitted = _fit(table, person_period.history(table, as_of=DAY, payments=paid))
        assert np.isfinite(fitted.scores(table, DAY)).all()
        assert all(math.isfinite(odds) for odds in fitted.log_odds)


def test_without_any_history_the_model_is_the_market_prior() -> None:
    table = loans({"days_past_due": 200, "contact_status": "vanished"}, {"product": "business"})
    fitted = _fit(table, person_period.history(table, as_of=DAY, payments=payments()))
    own = fitted.params(PARAMS)
    assert own.odds == pytest.approx(PARAMS.odds)
    assert own.share_paid == PARAMS.share_paid
    prior = recovery.forecast(table, as_of=DAY, market=MARKET, discount_rate=0.03, scenarios=40)
    ours = recovery.forecast(
        table, as_of=DAY, market=MARKET, discount_rate=0.03, scenarios=40, model=fitted
    )
    assert (prior.basis, ours.basis) == ("market prior", "model")
    assert "believed to 0 %" in ours.rests_on
    assert ours.table["expected_60m"].to_numpy() == pytest.approx(
        prior.table["expected_60m"].to_numpy(), rel=1e-6
    )


def test_loans_seen_for_a_short_time_are_censored_not_zero() -> None:
    """The same book seen for two years and for three months: both forecasts lie near the truth."""
    table, paid = known_book(2500, 24, seed=9)
    owing = table.filter(pl.col("principal") > 0)
    long = _fit(table, person_period.history(table, as_of=DAY, payments=paid))
    short = paid.filter(pl.col("date") >= DAY - timedelta(days=89))
    seen = _fit(table, person_period.history(table, as_of=DAY, payments=short))
    for fitted in (long, seen):
        assert _share(fitted, owing, 12) == pytest.approx(true_share(owing, 12), rel=0.15)


def test_a_model_file_is_held_to_its_shape(model: RecoveryModel) -> None:
    text = model.model_dump_json()
    assert RecoveryModel.model_validate_json(text) == model
    for change in (
        {"log_odds": [0.0] * 119},
        {"share_paid": float("nan")},
        {"effects": {}},
        {"unknown": 1},
    ):
        with pytest.raises(ValidationError):
            RecoveryModel.model_validate({**json.loads(text), **change})


def test_levels_of_today_are_those_of_the_past() -> None:
    """A loan at the cut-off date has the levels of the month that would come next."""
    loan = {
        "days_past_due": 300,
        "principal": 1_000_000,
        "birth_year": 1990,
        "city_tier": 2,
        "security": "home",
        "legal_status": "judged",
        "contact_status": "reachable",
        "last_payment_date": date(2025, 1, 10),
    }
    table = loans(loan, {**loan, "last_payment_date": None, "security": None, "birth_year": None})
    today = codes_today(table, DAY, np.array([1e5, 2e5, 3e6, 4e6]))
    names = {term: [TERMS[term][code] for code in codes] for term, codes in today.items()}
    assert names["last_payment"] == ["within 3 months", "unknown"]
    assert names["collateral"] == ["home, tier 2", "none"]
    assert names["borrower_age"] == ["30 to 39", "unknown"]
    assert names["balance"] == ["third fifth", "third fifth"]
    assert names["legal_status"] == ["judged", "judged"]
    assert names["written_off"] == ["no", "no"]


def test_pools_by_default_month_hold_the_cash_that_came_after() -> None:
    table = loans({"days_past_due": 200, "principal": 700_000}, {"days_past_due": 900})
    paid = payments(
        (0, date(2024, 11, 1), 5_000),
        (0, date(2025, 1, 9), 200_000),
        (0, date(2025, 3, 9), 100_000),
        (1, date(2025, 1, 9), 1),
    )
    found = pools.by_default(person_period.history(table, as_of=DAY, payments=paid))
    assert found.table.select("pool", "loans", "claim", "collected").row(0) == (
        "2024-12", 1, 1_000_000, 300_000.0,
    )  # fmt: skip
    assert found.table.height == 1
    assert found.triangle["cumulative"].to_list() == [200_000.0, 200_000.0, 300_000.0]
    assert pools.by_purchase(person_period.history(table, as_of=DAY, payments=paid)).ladder is None


def test_fifths_of_a_book_part_it_evenly(
    book: tuple[pl.DataFrame, person_period.History],
) -> None:
    _, past = book
    cells = person_period.cells(past, late_from=past.end)
    share = cells.group_by("balance").agg(pl.col("n").sum()).sort("balance")["n"]
    assert share.len() == 5
    assert share.min() > 0.1 * share.sum()
    assert ages(loans({"days_past_due": 91}))[0] == 0
    assert replace(past, begin=past.end).months == 1
