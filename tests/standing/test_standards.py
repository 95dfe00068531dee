"""The same loans by EBA, Basel and IFRS 9."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
import yaml

from arrears.rules import load
from arrears.standing import bad, classify, explain

SITUATIONS = yaml.safe_load((Path(__file__).parent / "standards.yaml").read_text(encoding="utf-8"))
DAY = date(2025, 6, 30)


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation["it"])
def test_a_loan_by_another_standard(situation: Mapping[str, object], table) -> None:
    book = load(situation["by"])
    loan = table("loans", [{"origination_date": date(2020, 1, 15)} | situation["loan"]])
    events = table("events", situation["events"]) if "events" in situation else None
    told = {"as_of": DAY, "rulebook": book, "events": events}
    standing = classify(loan, **told)
    row = standing.row(0, named=True)
    assert (row["five_tier"], row["stage"]) == (situation["tier"], situation["stage"])
    assert row["regime"] == situation["by"]
    assert set(row["articles"]) <= set(book.articles)
    assert bad(standing)[0] == (
        row["five_tier"] == "non_performing" or (row["five_tier"] is None and row["stage"] == 3)
    )
    results = {step.rule: step.result for step in explain(loan, **told)}
    assert results["five_tier"] == row["five_tier"]
    assert results["stage"] == row["stage"]
    assert results["regime"] == situation["by"]


def test_a_standard_changes_what_is_bad_and_no_other_law() -> None:
    cn = load("cn")
    for name in ("eba", "basel", "ifrs9"):
        book = load(name)
        assert {path: book.leaves[path] for path in cn.leaves} == dict(cn.leaves)
        assert all(path.startswith(f"{name}/") for path in set(book.leaves) - set(cn.leaves))
