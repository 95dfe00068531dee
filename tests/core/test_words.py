"""Words that go with a number."""

from __future__ import annotations

import pytest

from arrears.core.words import counted


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 loans"), (1, "1 loan"), (2, "2 loans"), (1_200, "1,200 loans")]
)
def test_one_is_not_many(number, said) -> None:
    assert counted(number, "loan") == said


def test_a_verb_agrees_too() -> None:
    assert [counted(n, "loan is", "loans are") for n in (1, 2)] == ["1 loan is", "2 loans are"]
