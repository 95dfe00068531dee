"""The section on the market tells what the code gives, its misses too."""

from __future__ import annotations

import re

from validation import market


def test_the_prior_meets_the_ages_it_was_set_to_and_the_section_owns_up_to_the_pools() -> None:
    text = market.main(True)
    ages = [row for row in text.split("\n") if row.startswith("| price, ")]
    assert len(ages) == len(market.BY_AGE)
    for row in ages:
        published, ours = (float(cell) for cell in re.findall(r"\d+\.\d", row)[-2:])
        assert abs(ours / published - 1) < 0.4
    differences = [float(x) for x in re.findall(r"\| ([+-]\d+\.\d) \|\n", text)]
    assert len(differences) == len(market.POOLS)
    mean = sum(abs(d) for d in differences) / len(differences)
    assert ("plain miss" in text) == (mean > 3.1)
