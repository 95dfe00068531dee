"""The section on the market tells what the code gives, its misses too."""

from __future__ import annotations

import re

import numpy as np
import pytest

from validation import market


def test_the_prior_meets_the_ages_it_was_set_to_and_the_section_owns_up_to_the_pools() -> None:
    text = market.main(True)
    ages = [row for row in text.split("\n") if row.startswith("| price, ")]
    assert len(ages) == len(market.BY_AGE)
    for row in ages:
        published, ours = (float(cell) for cell in re.findall(r"\d+\.\d", row)[-2:])
        assert abs(ours / published - 1) < 0.4
    pools = re.findall(r"^\| \d\d[A-Z]+\d+, \d{4} \|.* ([+-]\d+\.\d) \|$", text, re.M)
    assert len(pools) == len(market.POOLS)
    ways = re.findall(r"^\| ([^|\n]+) \| [\d.]+ \| [+-][\d.]+ \| ([\d.]+) \|", text, re.M)
    distance = {name: float(number) for name, number in ways}
    assert distance["prior, less commission"] < distance["prior, before costs"]
    learnt = distance["prior, level and seller from the other pools"]
    assert learnt == pytest.approx(sum(abs(float(d)) for d in pools) / len(pools), abs=0.06)
    bare, flat = distance["prior, less commission"], distance["mean of the other pools"]
    assert ("plain miss" in text) == (bare > flat)


def test_a_pool_is_foretold_without_itself() -> None:
    known, ours = np.array([10.0, 12.0, 20.0, 21.0]), np.full(4, 16.0)
    sellers = np.array([0, 0, 1, 1])
    found = market.left_out(known, ours, sellers)
    moved = market.left_out(np.array([99.0, 12.0, 20.0, 21.0]), ours, sellers)
    assert moved[0] == pytest.approx(found[0])
    assert found[0] < found[2]
    assert market.seller("24ZYHC04") == market.seller("22HECUI02") != market.seller("25PXGH07")
