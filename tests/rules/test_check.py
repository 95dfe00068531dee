"""A file of rules is checked before anybody rests on it."""

from __future__ import annotations

import pytest

from arrears.rules import check

GOOD = "value: 2, from: 2021-01-01, article: CN-CLASS-2023, reference: r, verified: true"

ENDS = GOOD.replace("verified", "to: 2023-01-01, verified")


def leaf(*values: str, unit: str = "days", kind: str = "whole") -> str:
    rows = "\n".join(f"    - {{{value}}}" for value in values)
    return f"a:\n  description: x\n  unit: {unit}\n  type: {kind}\n  values:\n{rows}\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (leaf(GOOD, GOOD.replace("2021", "2022")), ""),
        (leaf(ENDS, GOOD.replace("2021", "2022")), "two values are in force"),
        (leaf(GOOD.replace(" reference: r,", "")), "'reference' is missing"),
        (leaf(GOOD.replace("value: 2", "value: 2.5"), kind="number"), "a number has no unit 'days'"),
        (leaf(GOOD.replace("2023", "2024")), "No article 'CN-CLASS-2024'"),
        (leaf(GOOD, unit="day"), "a whole has no unit 'day'"),
        (leaf(GOOD, unit="dayz"), "no unit 'dayz'. Did you mean 'day'?"),
        (leaf(GOOD.replace("value: 2", "value: 25"), unit="fraction", kind="number"), "in per cent?"),
        (f"name: r\nchanges:\n  cn/limitation/yeers:\n    - {{{GOOD}}}\n", "no leaf 'cn/limitation/yeers'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(tmp_path, text, told) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text, "utf-8")
    count, problems = check(path)
    if not told:
        assert (count, problems) == (1, [])
        return
    assert any(told in problem.found for problem in problems), problems
    assert all(problem.code for problem in problems)
