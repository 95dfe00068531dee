"""Choices that no price makes anybody take are left out, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest

from arrears.plan import kernels

LOANS, WIDE, SECURE, LIMITS = 400, 9, 3, 4


def _menus(draw: np.random.Generator) -> list[kernels.Menu]:
    """The open choices of some loans: all of them, and those worth a thought."""
    value = draw.normal(100.0, 30.0, (LOANS, WIDE))
    value[draw.random((LOANS, WIDE)) < 0.3] = np.nan
    value[:, 0] = 50.0
    pools = np.full((LOANS, WIDE), -1, dtype=np.int16)
    pools[:, 6:] = np.arange(6, WIDE) * 2 + draw.integers(0, 2, (LOANS, 1))
    counts = draw.integers(0, 3, LOANS * WIDE)
    counts[2::WIDE] = 0
    start = np.concatenate([[0], np.cumsum(counts)])
    cap = draw.integers(0, LIMITS, start[-1]).astype(np.int32)
    whole = kernels.Uses(start, cap, draw.random(start[-1]) * 5.0)
    barred = np.zeros((LOANS, WIDE), dtype=np.bool_)
    barred[:, SECURE:] = draw.random((LOANS, WIDE - SECURE)) < 0.2
    shut = draw.random(2 * WIDE) < 0.4
    found = []
    for spare in (True, False):
        switch = np.zeros((1, WIDE))
        menu, columns, packages = kernels.menu_of(value, switch, pools, whole, SECURE, spare)
        keep = kernels.open_ones(menu, columns, packages, barred, shut, spare)
        found.append(kernels.only(menu, keep))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_at_prices_of_at_least_zero_every_loan_takes_the_same(seed) -> None:
    draw = np.random.default_rng(seed)
    every, few = _menus(draw)
    assert len(few.value) < 0.8 * len(every.value)
    for heat in (0.0, 1.0, 20.0, 200.0):
        price = heat * draw.random(LIMITS)
        (total, used, chosen), (least, uses, taken) = (
            kernels.best_choices(menu, price) for menu in (every, few)
        )
        assert total == least
        assert (used == uses).all()
        assert (every.value[chosen] == few.value[taken]).all()


def test_a_floor_may_make_loans_take_what_else_nobody_would() -> None:
    every, few = _menus(np.random.default_rng(7))
    price = np.array([-100.0, 0.0, 0.0, 0.0])
    used, uses = (kernels.best_choices(menu, price)[1] for menu in (every, few))
    assert used[0] > uses[0]
