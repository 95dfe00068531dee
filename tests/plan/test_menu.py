"""The menu of a plan: as plain Python makes it, and without choices that no price makes anybody take."""

from __future__ import annotations

import numpy as np
import pytest

from arrears.channels import COLUMNS
from arrears.plan import kernels, menus
from arrears.plan.problem import _laid

LOANS, WIDE, SECURE, LIMITS = 400, 9, 3, 4


def _offers(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray, menus.Uses]:
    """Value and package of some loans' offers, and what the offers use."""
    value = draw.normal(100.0, 30.0, (LOANS, WIDE))
    value[draw.random((LOANS, WIDE)) < 0.3] = np.nan
    value[:, 0] = 50.0
    pools = np.full((LOANS, WIDE), -1, dtype=np.int16)
    pools[:, 6:] = np.arange(6, WIDE) * 2 + draw.integers(0, 2, (LOANS, 1))
    counts = draw.integers(0, 3, LOANS * (WIDE - 1))
    # The third offer uses nothing.
    place = np.array([0, 1, -1, *range(2, WIDE - 1)])
    start = np.concatenate([[0], np.cumsum(counts)])
    cap = draw.integers(0, LIMITS, start[-1]).astype(np.int32)
    return value, pools, menus.Uses(place, start, cap, draw.random(start[-1]) * 5.0)


def _closed(draw: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Offers that are barred, and packages that are shut."""
    barred = np.zeros((LOANS, WIDE), dtype=np.bool_)
    barred[:, SECURE:] = draw.random((LOANS, WIDE - SECURE)) < 0.2
    return barred, draw.random(2 * WIDE) < 0.4


def _open_menu(
    value: np.ndarray, pools: np.ndarray, uses: menus.Uses, *closed: np.ndarray, spare: bool
) -> tuple[kernels.Menu, np.ndarray]:
    switch = np.zeros((1, WIDE))
    menu, columns, packages = menus.menu_of(value, switch, pools, uses, SECURE, spare)
    keep = menus.open_ones(menu, columns, packages, *closed, spare)
    return menus.only(menu, keep), columns[keep]


def _menus(draw: np.random.Generator) -> list[kernels.Menu]:
    """The open choices of some loans: all of them, and those worth a thought."""
    offers, closed = _offers(draw), _closed(draw)
    return [_open_menu(*offers, *closed, spare=spare)[0] for spare in (True, False)]


@pytest.mark.parametrize("spare", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_the_menu_is_what_plain_python_makes(seed, spare) -> None:
    draw = np.random.default_rng(seed)
    value, pools, uses = _offers(draw)
    barred, shut = _closed(draw)
    menu, columns = _open_menu(value, pools, uses, barred, shut, spare=spare)
    for loan in range(LOANS):
        takes = []
        for place in uses.place:
            cell = place * LOANS + loan
            mine = slice(*uses.start[cell : cell + 2]) if place >= 0 else slice(0)
            takes.append(list(zip(uses.cap[mine], uses.amount[mine], strict=True)))
        worth = np.nan_to_num(value[loan], nan=-np.inf)
        free = [column for column in range(WIDE) if not takes[column]]
        sure = [column for column in free if column < SECURE]
        least = max(sure, key=lambda column: worth[column], default=None)
        floor = -np.inf if least is None else worth[least]
        kept = [
            column
            for column in range(WIDE)
            if np.isfinite(worth[column])
            and (spare or worth[column] > floor or column == least)
            and not barred[loan, column]
            and not (pools[loan, column] >= 0 and shut[pools[loan, column]])
        ]
        if not spare:
            idle = [column for column in kept if column in free]
            best = max(idle, key=lambda column: worth[column], default=None)
            kept = [column for column in kept if column not in free or column == best]
        here = range(menu.first[loan], menu.first[loan + 1])
        assert columns[here.start : here.stop].tolist() == kept
        assert menu.value[here.start : here.stop].tolist() == worth[kept].tolist()
        for choice, column in zip(here, kept, strict=True):
            mine = slice(menu.start[choice], menu.start[choice + 1])
            told = list(zip(menu.cap[mine], menu.amount[mine], strict=True))
            assert told == takes[column]
    assert menu.first[-1] == len(menu.value) == len(menu.start) - 1
    assert menu.start[-1] == len(menu.cap) == len(menu.amount)


def test_uses_are_laid_out_by_offer_and_loan() -> None:
    draw = np.random.default_rng(3)
    listed = [
        (number, column, draw.integers(0, 3, LOANS) * 1.5, draw.random(LOANS) < 0.7)
        for number, column in ((0, 4), (1, 4), (2, 1), (3, 17))
    ]
    laid = _laid(listed, LOANS)
    for loan in range(LOANS):
        for column in range(len(COLUMNS)):
            asked = [
                (number, amount[loan])
                for number, its, amount, within in listed
                if its == column and within[loan] and amount[loan]
            ]
            found = []
            if laid.place[column] >= 0:
                cell = laid.place[column] * LOANS + loan
                mine = slice(*laid.start[cell : cell + 2])
                found = list(zip(laid.cap[mine], laid.amount[mine], strict=True))
            assert found == asked


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
