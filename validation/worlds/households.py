"""Borrowers with an income that jumps and a buffer of cash: trouble comes from money running out, not from a chain.

Spells of lost income have heavy-tailed lengths and leave scars, provinces have slumps in which many lose at once, and
how long a household holds out depends on its savings and on what relatives lend. Amounts are fen a month.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PRODUCTS = ("consumer", "business", "credit_card", "mortgage")
SHARES = (0.45, 0.25, 0.2, 0.1)
PROVINCES = ("Zhejiang", "Guangdong", "Henan", "Sichuan", "Liaoning", "Hebei")
SECTORS = ("public", "manufacturing", "dining", "retail", "construction", "transport")
SECTOR_HAZARD = (0.35, 0.9, 1.5, 1.2, 1.6, 1.0)
MEDIAN_INCOME = {"consumer": 800_000, "business": 1_500_000, "credit_card": 750_000, "mortgage": 1_300_000}  # fmt: skip


@dataclass(frozen=True)
class Households:
    """Borrowers, one a row; `income` is (borrowers, months).

    Attributes:
        need: what a household spends before it pays anything.
        spell: months that a loss of income still lasts, by month; 0 where there is none.
        line: what relatives lend at most.
        careless: chance a month of forgetting an instalment for some days.
    """

    product: np.ndarray
    province: np.ndarray
    sector: np.ndarray
    usual: np.ndarray
    income: np.ndarray
    need: np.ndarray
    spell: np.ndarray
    buffer: np.ndarray
    line: np.ndarray
    careless: np.ndarray
    slump: np.ndarray


def households(count: int, months: int, stream: np.random.Generator) -> Households:
    """Draw borrowers and their income; `slump` is (provinces, months), true while a province suffers."""
    product = stream.choice(len(PRODUCTS), count, p=SHARES)
    province = stream.choice(len(PROVINCES), count, p=(0.25, 0.22, 0.18, 0.15, 0.1, 0.1))
    sector = stream.choice(len(SECTORS), count, p=(0.2, 0.25, 0.12, 0.2, 0.13, 0.1))
    median = np.array([MEDIAN_INCOME[name] for name in PRODUCTS])[product]
    usual = median * np.exp(0.45 * stream.standard_normal(count))
    slump = _slumps(months, stream)
    spell, depth, scar = _spells(province, sector, slump, stream)
    season = np.where(np.arange(months) % 12 == 1, 1.25, 0.98)
    noise = np.exp(0.1 * stream.standard_normal((count, months)))
    income = usual[:, None] * season * noise * (1 - depth) * (1 - scar)
    return Households(
        product=product,
        province=province,
        sector=sector,
        usual=usual,
        income=income,
        need=usual * stream.uniform(0.4, 0.65, count),
        spell=spell,
        buffer=usual * 1.6 * np.exp(0.9 * stream.standard_normal(count)),
        line=usual * stream.gamma(1.2, 0.6, count),
        careless=stream.beta(1.0, 25.0, count),
        slump=slump,
    )


def _slumps(months: int, stream: np.random.Generator) -> np.ndarray:
    slump = np.zeros((len(PROVINCES), months), bool)
    for province in range(len(PROVINCES)):
        for _ in range(stream.poisson(months / 30)):
            start = stream.integers(0, months)
            slump[province, start : start + stream.integers(3, 8)] = True
    return slump


def _spells(
    province: np.ndarray, sector: np.ndarray, slump: np.ndarray, stream: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Months left of a loss of income, its depth, and the lasting scar, each (borrowers, months)."""
    count, months = len(sector), slump.shape[1]
    frailty = stream.gamma(0.7, 1 / 0.7, count) * np.array(SECTOR_HAZARD)[sector]
    left, depth, scar = np.zeros(count), np.zeros(count), np.zeros(count)
    lefts, depths, scars = (np.zeros((count, months)) for _ in range(3))
    for month in range(months):
        hazard = 0.0055 * frailty * np.where(slump[province, month], 2.5, 1.0)
        falls = (stream.random(count) < hazard) & (left <= 0)
        left = np.where(falls, np.ceil(np.exp(1.5 + 0.9 * stream.standard_normal(count))), left - 1)
        depth = np.where(falls, 0.15 + 0.8 * stream.beta(2.0, 2.0, count), depth)
        scarred = falls & (stream.random(count) < 0.25)
        scar = np.where(scarred, 1 - (1 - scar) * (1 - 0.4 * depth), scar)
        left = np.maximum(left, 0)
        lefts[:, month], scars[:, month] = left, scar
        depths[:, month] = np.where(left > 0, depth, 0.0)
    return lefts, depths, scars
