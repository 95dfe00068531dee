"""Whatever the loan and the day: exactly one classification applies, and a class is never without its cause."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arrears.rules import load
from arrears.standing import SEVERITY, classify
from arrears.standing.classify import floors
from arrears.standing.law import Law

EDGES = [date(2007, 7, 3), date(2011, 1, 13), date(2021, 1, 7), date(2022, 12, 31)]
EDGES += [date(2023, 7, 1), date(2025, 12, 31), date(2026, 12, 31)]
near = st.builds(
    lambda edge, off: max(edge + timedelta(days=off), date(2007, 7, 3)),
    st.sampled_from(EDGES),
    st.integers(-2, 400),
)
loan = st.fixed_dictionaries(
    {
        "product": st.sampled_from(["mortgage", "consumer", "credit_card", "business"]),
        "days_past_due": st.sampled_from([0, 1, 30, 31, 90, 91, 120, 121, 180, 181, 270, 271, 360, 361]),
        "origination_date": st.one_of(st.none(), near),
        "restructured_on": st.one_of(st.none(), near),
        "restructure_count": st.sampled_from([None, 1, 2]),
        "class_before_restructure": st.sampled_from([None, "normal", "doubtful"]),
        "credit_impaired": st.sampled_from([None, False, True]),
        "fraud_flag": st.sampled_from([None, True]),
        "provision": st.sampled_from([None, 0, 50_000, 89_999, 90_000]),
    }
)  # fmt: skip


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=st.lists(loan, min_size=1, max_size=30), day=near)
def test_one_regime_one_class_one_cause(rows, day, table) -> None:
    book = load("cn")
    loans = table("loans", [{"loan_id": f"L{n}", **row} for n, row in enumerate(rows)])
    got = classify(loans, as_of=day, rulebook=book)
    seen = floors(loans, as_of=day, law=Law.of(book, day), months=None, events=None)
    causes = [name for name in seen.columns if name.startswith("floor_")]
    for place, row in enumerate(got.iter_rows(named=True)):
        origin = rows[place]["origination_date"]
        old = origin is not None and origin < date(2023, 7, 1) and day <= date(2025, 12, 31)
        assert row["regime"] == ("CN-CLASS-2007" if old else "CN-CLASS-2023")
        levels = [seen[name][place] for name in causes]
        assert SEVERITY[row["five_tier"]] == max(levels)
        named = [
            seen[f"article_{name.removeprefix('floor_')}"][place]
            for name, level in zip(causes, levels, strict=True)
            if level == max(levels) > 0
        ]
        assert set(named) <= set(row["articles"])
        assert all(named)
        by_new, by_old = ("_2023", "_2007") if not old else ("_2007", "_2023")
        crossed = [name for name in causes if name.endswith(by_old) and seen[name][place] > 0]
        assert not crossed, by_new
