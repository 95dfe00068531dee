"""The engine against a plain Python one that shares no code: every quantity of every date, on random deals."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from arrears.deals import Deal, compiled, in_chunks, run_deal
from arrears.deals import kernels as k
from arrears.deals.checks import check
from arrears.deals.sizing import at_faces, sized_deal
from arrears.files import Lines

from .plain import run_plain
from .rows import engine_rows, engine_run, plain_rows

RATES = st.sampled_from(["0", "0.003", "0.0215", "0.0326", "0.08", "0.123456789"])
COUNTS = st.sampled_from(["ACT/365F", "ACT/360", "ACT/ACT", "30E/360", "30/360"])
MONEY = st.integers(1, 10**9)
CURVE = [[date(2024, 1, 1), "0.02"], [date(2025, 9, 1), "-0.03"], [date(2026, 9, 1), "0.0449999"]]


@st.composite
def fees(draw, names: list[str], number: int) -> dict[str, object]:
    basis = draw(st.sampled_from(["flat", "balance", "initial", "collections", "fee", "remaining"]))
    fee: dict[str, object] = {"name": f"fee{number}", "basis": basis}
    if basis == "flat":
        fee["amount"] = draw(st.integers(0, 10**7))
    else:
        fee["rate"] = draw(st.sampled_from(["0.0005", "0.01", "0.1", "0.0333333"]))
    if basis in {"balance", "initial"}:
        fee |= {
            "of": draw(st.sampled_from(["all", "senior"])),
            "day_count": draw(COUNTS),
            "minimum": draw(st.sampled_from([0, 0, 123_457])),
        }
    if basis == "fee":
        fee["of"] = draw(st.sampled_from([*names, "tax", "servicing"]))
    if basis != "remaining":
        fee["cap"] = draw(st.one_of(st.none(), st.integers(0, 10**6)))
        fee |= {"first": draw(st.integers(1, 2)), "every": draw(st.integers(1, 3))}
        fee["times"] = draw(st.one_of(st.none(), st.integers(1, 2)))
    return fee


@st.composite
def classes(draw) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for number in range(draw(st.integers(1, 3))):
        one: dict[str, object] = {
            "name": f"A{number}", "role": "senior", "face": draw(MONEY), "day_count": draw(COUNTS),
            "interest_on_unpaid": draw(st.booleans()),
            "coupon": draw(
                st.one_of(
                    st.builds(lambda rate: {"type": "fixed", "rate": rate}, RATES),
                    st.builds(
                        lambda floor: {"type": "floating", "index": "X", "margin": "0.001", "floor": floor},
                        st.sampled_from([None, "0.01"]),
                    ),
                )
            ),
        }  # fmt: skip
        if draw(st.booleans()) and number == 0:
            face = int(str(one["face"]))
            one["target"] = [
                [date(2025, 6, 1), face // 2],
                [date(2026, 3, 1), face // 5],
                [date(2026, 9, 1), 0],
            ]
        found.append(one)
    coupon = draw(st.sampled_from([None, {"type": "zero"}, {"type": "fixed", "rate": "0.1"}]))
    found.append({"name": "B", "role": "sub", "face": draw(MONEY), "coupon": coupon})
    if draw(st.booleans()):
        found.append(
            {"name": "N", "role": "notional", "face": 1, "notional_of": ["A0", "B"],
             "coupon": {"type": "fixed", "rate": "0.004"}}
        )  # fmt: skip
    return found


@st.composite
def reserves(draw) -> dict[str, object]:
    kind = draw(st.sampled_from(["none", "fixed", "multiple", "formula"]))
    if kind == "fixed":
        return {"type": kind, "target": draw(MONEY), "initial": draw(st.integers(0, 10**6))}
    if kind == "multiple":
        return {"type": kind, "multiple": draw(st.sampled_from(["0", "1.5", "3"]))}
    if kind == "none":
        return {"type": kind}
    of = ["next_expenses", "next_fees", "next_senior_interest", "senior_balance", "all_balances"]
    terms = [{"multiple": draw(st.sampled_from(["0.013", "1.5"])), "of": name}
             for name in draw(st.lists(st.sampled_from(of), min_size=1, max_size=3))]  # fmt: skip
    return {
        "type": kind,
        "terms": terms,
        "minimum": draw(st.integers(0, 10**6)),
        "maximum": draw(st.one_of(st.none(), st.integers(10**6, 10**8))),
    }


@st.composite
def deals(draw) -> Deal:
    payments = draw(st.integers(1, 7))
    mine, costs = draw(classes()), []
    for number in range(draw(st.integers(0, 4))):
        names = [str(fee["name"]) for fee in costs if fee["basis"] != "remaining"]
        costs.append(draw(fees(names, number)))
    plain = [fee["name"] for fee in costs if fee["basis"] != "remaining"]
    extra = [{"fee": [fee["name"]]} for fee in costs]
    has_n = any(one["role"] == "notional" for one in mine)
    paid = ["tax", "expenses_capped", "servicing", *extra, "senior_interest", *([{"interest": ["N"]}] if has_n else []),
            "reserve", "senior_principal", "expenses_overrun", "sub_principal", "sub_coupon", "incentive"]  # fmt: skip
    normal = draw(st.permutations(paid))
    after = ["expenses_all", *([{"fee_all": plain}] if plain else []), "tax", "senior_interest",
             {"principal": [one["name"] for one in mine if one["role"] == "senior"], "split": draw(
                 st.sampled_from(["pro_rata", "sequential", "trigger"]))}, "sub_principal"]  # fmt: skip
    triggers: dict[str, object] = {}
    if draw(st.booleans()):
        triggers["event_of_default"] = draw(
            st.sampled_from(
                [
                    "missed_senior_interest",
                    {"missed_senior_interest": True, "collections_behind": {"threshold": "0.4"}},
                    {"senior_principal_unpaid": {"after": date(2026, 1, 5)}},
                ]
            )
        )
    if draw(st.booleans()):
        triggers["recovery"] = {"threshold": "0.7", "curable": draw(st.booleans())}
    if draw(st.booleans()):
        triggers["clean_up_call"] = {
            "threshold": "0.6", "initial_pool_balance": draw(MONEY) * 4, "pool": "uncollected",
            "offer_share": "0.8371",
        }  # fmt: skip
    excess = draw(
        st.sampled_from(
            [
                {"servicer_share": "0.8", "residual_holder": "B"},
                {"residual_holder": "originator"},
                {"shares": {"servicer": "0.3333", "B": "0.3333", "originator": "0.3334"}},
            ]
        )
    )
    convention = draw(st.sampled_from(["none", "following", "modified_following", "preceding"]))
    body = {
        "rounding": draw(st.sampled_from(["half_up", "down"])),
        "cutoff_date": date(2025, 1, 1),
        "closing_date": date(2025, 2, 11),
        "schedule": {
            "first_collection_end": date(2025, 3, 31), "first_payment": date(2025, 4, 26), "every_months": 3,
            "payments": payments, "forecast": [10**8] * payments,
            "calendar": {"convention": convention, "holidays": [date(2025, 10, 27)]},
        },
        "classes": mine,
        "curves": {"X": CURVE},
        "tax": {"rate": draw(RATES)},
        "servicing": {"rate": draw(RATES)},
        "expenses": {
            "cap_per_period": draw(st.one_of(st.none(), st.integers(0, 10**7))),
            "accrual": draw(
                st.sampled_from(
                    [
                        {"type": "fixed_amount", "amount": 1_234_567},
                        {"type": "rate_on_initial", "base": 10**9, "rate": "0.0021", "day_count": "30/360"},
                        {"type": "rate_on_opening_balance", "rate": "0.003", "minimum": 2_250_000},
                    ]
                )
            ),
        },
        "fees": costs,
        "reserve": draw(reserves()),
        "incentive": {
            "tiers": [
                {"lower": 0, "upper": 10**8, "rate": "0.01"},
                {"lower": 10**8, "upper": 3 * 10**8, "rate": "0.15"},
                {"lower": 3 * 10**8, "rate": "0.4"},
            ]
        },
        "excess": excess,
        "triggers": triggers,
        "waterfall": {"normal": [*normal, "excess"], "post_enforcement": [*after, "excess"]},
    }  # fmt: skip
    return Deal.model_validate(body)


@st.composite
def run_deals(draw) -> tuple[Deal, list[list[int]]]:
    deal = draw(deals())
    size = len(deal.dates())
    amount = st.one_of(st.just(0), st.integers(-(10**8), 10**9), st.integers(0, 10**7))
    one = st.lists(amount, min_size=size, max_size=size)
    return deal, draw(st.lists(one, min_size=1, max_size=3))


@settings(max_examples=100, deadline=None)
@given(drawn=run_deals())
def test_every_row_is_that_of_the_plain_engine(drawn) -> None:
    deal, scenarios = drawn
    run = engine_run(deal, scenarios)
    for number, collections in enumerate(scenarios):
        mine, theirs = engine_rows(run, number), plain_rows(run_plain(deal, collections))
        assert len(mine) == len(theirs)
        for got, told in zip(mine, theirs, strict=True):
            assert got == told


@settings(max_examples=20, deadline=None)
@given(drawn=run_deals())
def test_scenarios_do_not_touch_each_other(drawn) -> None:
    """Whatever stands beside a scenario, and however it is cut into chunks, it ends alike."""
    deal, scenarios = drawn
    gross = np.array(scenarios, dtype=np.int64).T
    many = np.tile(gross, (1, 101))
    program = compiled(deal)
    whole = run_deal(program, many).ends
    assert (whole == np.tile(run_deal(program, gross).ends, (1, 101))).all()
    parts = [run.ends for _, run in in_chunks(program, many, chunk=7)]
    assert (np.concatenate(parts, axis=1) == whole).all()


@settings(max_examples=20, deadline=None)
@given(drawn=run_deals())
def test_all_cash_that_came_in_left_or_stays_in_the_reserve(drawn) -> None:
    deal, scenarios = drawn
    run = engine_run(deal, scenarios)
    for number in range(len(scenarios)):
        rows = engine_rows(run, number)
        came = deal.reserve.initial + sum(row["credited"] + row["call_price"] for row in rows)
        left = sum(amount for row in rows for step, _, amount in row["moves"] if step != "reserve")
        assert came == left + rows[-1]["reserve"][2]


@settings(max_examples=100, deadline=None)
@given(deal=deals(), data=st.data())
def test_a_deal_at_other_faces_is_the_one_laid_out_with_them(deal, data) -> None:
    """Where only opening balances rest on the faces, nothing else is laid out anew; the arrays are the same."""
    names = [one.name for one in deal.classes]
    faces = data.draw(st.dictionaries(st.sampled_from(names), MONEY))
    mine, anew = at_faces(compiled(deal), faces), compiled(sized_deal(deal, faces))
    assert (mine.deal, mine.classes) == (anew.deal, anew.classes)
    for name, array in anew.code._asdict().items():
        np.testing.assert_array_equal(getattr(mine.code, name), array, err_msg=name)


def test_the_steps_are_a_closed_set_one_file_each(root) -> None:
    from arrears.deals.steps import STEPS

    files = {path.stem for path in (root / "src/arrears/deals/steps").glob("[a-z]*.py")}
    assert files == set(STEPS)


@settings(deadline=None)
@given(
    amount=st.integers(0, 2**51 - 1),
    f=st.integers(0, 2**59 - 1),
    q=st.integers(1, 2**59 - 1),
)
def test_a_share_is_exact_at_any_size(amount, f, q) -> None:
    f %= q
    whole, left = k.floor_share(np.int64(amount), np.int64(f), np.int64(q), f / q)
    assert (int(whole), int(left)) == divmod(amount * f, q)


@settings(deadline=None)
@given(
    total=st.integers(1, 2**51 - 1), one=st.integers(0, 2**51 - 1), two=st.integers(0, 2**51 - 1)
)
def test_a_split_is_exact_at_any_size(total, one, two) -> None:
    amount, part = one % (total + 1), two % (total + 1)
    got = k.rounded_quotient(np.int64(amount), np.int64(part), np.int64(total), 1)
    assert int(got) == (2 * amount * part + total) // (2 * total)


@settings(max_examples=30, deadline=None)
@given(deal=deals())
def test_a_drawn_deal_has_no_fault(root, deal) -> None:
    """So that the random deals are deals that a user could run."""
    assert [one for one in check(deal, Lines(root)) if one.code != "DEAL-CAP-WITHOUT-OVERRUN"] == []
