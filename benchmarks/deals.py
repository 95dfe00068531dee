"""A deal in ten thousand scenarios: the engine, the same in NumPy, and the same as a plain Python loop."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np

from arrears.deals import Deal, compiled, run_deal

FEES = ("vat", "trustee", "custody", "audit", "rating", "collector")


def body(months: int) -> dict[str, Any]:
    """Two classes, a reserve, six fees, an event of default."""
    fees = [{"fee": list(FEES)}]
    paid = [
        "senior_interest",
        "reserve",
        "senior_principal",
        "sub_principal",
        "sub_coupon",
        "excess",
    ]
    return {
        "cutoff_date": date(2025, 1, 1),
        "closing_date": date(2025, 2, 11),
        "schedule": {
            "first_collection_end": date(2025, 2, 28), "first_payment": date(2025, 3, 26),
            "every_months": 1, "payments": months,
        },
        "classes": [
            {"name": "A", "role": "senior", "face": 18_000_000_000, "interest_on_unpaid": True,
             "coupon": {"type": "fixed", "rate": "0.0215"}},
            {"name": "B", "role": "sub", "face": 5_000_000_000, "coupon": {"type": "fixed", "rate": "0.1"}},
        ],
        "fees": [
            {"name": "vat", "basis": "collections", "rate": "0.0326"},
            {"name": "trustee", "basis": "flat", "amount": 1_000_000},
            {"name": "custody", "basis": "balance", "rate": "0.0005"},
            {"name": "audit", "basis": "flat", "amount": 10_000_000, "every": 12},
            {"name": "rating", "basis": "initial", "rate": "0.0002"},
            {"name": "collector", "basis": "collections", "rate": "0.08"},
        ],
        "reserve": {"type": "fixed", "target": 50_000_000},
        "excess": {"servicer_share": "0.8", "residual_holder": "B"},
        "triggers": {"event_of_default": "missed_senior_interest"},
        "waterfall": {
            "normal": [*fees, *paid],
            "post_enforcement": [*fees, paid[0], *paid[2:]],
        },
    }  # fmt: skip


def shares(deal: Deal) -> list[dict[str, Fraction]]:
    """Exact shares of each month: what the two other ways are given ready made."""
    found = []
    for period in deal.dates():
        years = Fraction((period.accrual_end - period.accrual_start).days, 365)
        found.append(
            {
                "vat": Fraction("0.0326"), "collector": Fraction("0.08"), "a": Fraction("0.0215") * years,
                "b": Fraction("0.1") * years, "custody": Fraction("0.0005") * years,
                "rating": Fraction("0.0002") * years * 23_000_000_000, "servicer": Fraction("0.8"),
            }
        )  # fmt: skip
    return found


def plain(deal: Deal, gross: np.ndarray) -> np.ndarray:
    """Scenario by scenario with Python's whole numbers: closing balances of A and B (T, 2, S)."""
    told = np.zeros((len(gross), 2, gross.shape[1]), np.int64)
    rates = [
        {k: (2 * v.numerator, v.denominator, 2 * v.denominator) for k, v in one.items()}
        for one in shares(deal)
    ]

    def part(amount: int, rate: tuple[int, int, int]) -> int:
        return (amount * rate[0] + rate[1]) // rate[2]

    for s in range(gross.shape[1]):
        a, b, ua, ub, reserve, broken = 18_000_000_000, 5_000_000_000, 0, 0, 0, False
        owed = [0] * 6
        for t, cash_in in enumerate(gross[:, s].tolist()):
            r = rates[t]
            new = [
                part(cash_in, r["vat"]), 1_000_000, part(a + b, r["custody"]),
                10_000_000 if t % 12 == 0 else 0, part(1, r["rating"]), part(cash_in, r["collector"]),
            ]  # fmt: skip
            owed = [x + y for x, y in zip(owed, new, strict=True)]
            ua += part(a, r["a"]) + part(ua, r["a"])
            ub += part(b, r["b"])
            cash = cash_in + reserve
            for n in range(6):
                paid = min(owed[n], cash)
                owed[n] -= paid
                cash -= paid
            paid = min(ua, cash)
            ua -= paid
            cash -= paid
            broken = broken or ua > 0
            reserve = min(cash, 50_000_000) if a > 0 and not broken and t < len(gross) - 1 else 0
            cash -= reserve
            paid = min(a, cash)
            a -= paid
            cash -= paid
            paid = min(b, cash)
            b -= paid
            cash -= paid
            ub -= min(ub, cash)
            told[t, 0, s], told[t, 1, s] = a, b
    return told


def in_numpy(gross: np.ndarray) -> np.ndarray:
    """All scenarios side by side in NumPy: shares exact by high and low halves of the products."""
    count = gross.shape[1]
    told = np.zeros((len(gross), 2, count), np.int64)
    a, b = np.full(count, 18_000_000_000), np.full(count, 5_000_000_000)
    ua, ub, reserve = (np.zeros(count, np.int64) for _ in range(3))
    broken = np.zeros(count, bool)
    owed = np.zeros((6, count), np.int64)

    def part(amount: np.ndarray, rate: Fraction) -> np.ndarray:
        p, q = rate.numerator, rate.denominator
        whole, rest = np.divmod(amount, q)
        return whole * p + (2 * rest * p + q) // (2 * q)

    for t, cash_in in enumerate(gross):
        r = shares_of[t]
        owed[0] += part(cash_in, r["vat"])
        owed[1] += 1_000_000
        owed[2] += part(a + b, r["custody"])
        owed[3] += 10_000_000 if t % 12 == 0 else 0
        owed[4] += int(r["rating"] + Fraction(1, 2))
        owed[5] += part(cash_in, r["collector"])
        ua += part(a, r["a"]) + part(ua, r["a"])
        ub += part(b, r["b"])
        cash = cash_in + reserve
        for n in range(6):
            paid = np.minimum(owed[n], cash)
            owed[n] -= paid
            cash -= paid
        paid = np.minimum(ua, cash)
        ua -= paid
        cash -= paid
        broken |= ua > 0
        keeps = (a > 0) & ~broken & (t < len(gross) - 1)
        reserve = np.where(keeps, np.minimum(cash, 50_000_000), 0)
        cash -= reserve
        for balance in (a, b):
            paid = np.minimum(balance, cash)
            np.subtract(balance, paid, out=balance)
            cash -= paid
        paid = np.minimum(ub, cash)
        ub -= paid
        cash -= paid
        servicer = part(cash, r["servicer"])
        cash -= servicer
        told[t, 0], told[t, 1] = a, b
    return told


shares_of: list[dict[str, Fraction]] = []


def timed(work: Callable[[], np.ndarray], times: int = 1) -> tuple[float, np.ndarray]:
    """Least seconds of some runs, and the result."""
    best = float("inf")
    for _ in range(times):
        began = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - began)
    return best, found


def main(words: list[str]) -> None:
    """Print the table as Markdown."""
    smoke = "--smoke" in words
    scenarios, months, sample = (200, 12, 20) if smoke else (10_000, 60, 1_000)
    deal = Deal.model_validate(body(months))
    shares_of[:] = shares(deal)
    g = np.random.default_rng(0)
    shape = np.exp(-np.arange(months) / 18.0)
    level = np.exp(g.normal(-0.1, 0.5, (scenarios, 1)) + g.normal(0.0, 0.5, (scenarios, months)))
    gross = np.ascontiguousarray((shape / shape.sum() * 30e9 * level).T.astype(np.int64))
    program = compiled(deal)
    kept = [program.classes[name].balance for name in ("A", "B")]
    run_deal(program, gross[:, :10], keep=kept)
    in_numpy(gross[:, :10])
    ours, found = timed(lambda: run_deal(program, gross, keep=kept).values, 40)
    laid, _ = timed(lambda: np.array([len(compiled(deal).moves)]), 3)
    side, same = timed(lambda: in_numpy(gross), 9)
    few = gross[:, :sample]
    loop, exact = timed(lambda: plain(deal, few))
    loop *= scenarios / sample
    equal = bool((found == same).all() and (found[:, :, :sample] == exact).all())
    half, _ = timed(lambda: run_deal(program, gross[:, : scenarios // 2], keep=kept).values, 40)
    print(
        f"## A deal: {scenarios:,} scenarios, {months} months, two classes, a fixed reserve, six fees, default\n"
    )
    print("| way | milliseconds | the engine is |\n|---|---:|---:|")
    print(f"| engine, every step checked for conservation | {1e3 * ours:.1f} | |")
    print(f"| NumPy, scenarios side by side | {1e3 * side:.1f} | {side / ours:.1f} times faster |")
    print(
        f"| plain Python (measured on {sample:,}) | {1e3 * loop:,.0f} | {loop / ours:,.0f} times faster |"
    )
    print(
        f"\nEqual to the cent, all three: {'yes' if equal else 'NO'}. Half the scenarios take {half / ours:.2f} of the "
        f"time; laying a new deal out takes {1e3 * laid:.1f} ms and compiles nothing."
    )
    if not equal:
        raise SystemExit("the three differ")


if __name__ == "__main__":
    main(sys.argv[1:])
