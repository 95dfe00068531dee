"""Debtors of five hidden kinds who answer differently to what is done: the effects are planted and never on a tape.

The forgetful answer to any reminder; the unwilling have money and pay when a court is near; the squeezed can't pay now
but would under terms they can meet; the ruined answer to nothing; the touchy pay less when pressed. Steps wear off with
the age of the debt and with the number of steps before, and reach only those who can be reached; the young answer to
the app, the old to a visit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

KINDS = ("forgetful", "unwilling", "squeezed", "ruined", "touchy")
STEPS = ("none", "text", "app", "call", "agency", "letter", "visit", "court_notice")
PRODUCTS = ("consumer", "credit_card", "business")
CONTACT = ("reachable", "unreachable", "vanished")
PROVINCES = ("Zhejiang", "Guangdong", "Henan", "Sichuan")
COURT_MONTHS = np.array([6, 8, 12, 14])
ANSWER = np.array(
    [
        [0.0, 0.120, 0.100, 0.20, 0.18, 0.09, 0.16, 0.08],
        [0.0, 0.003, 0.002, 0.07, 0.12, 0.08, 0.22, 0.18],
        [0.0, 0.015, 0.015, 0.05, 0.02, 0.01, 0.04, 0.01],
        [0.0, 0.001, 0.001, 0.002, 0.001, 0.001, 0.002, 0.002],
        [0.0, 0.020, 0.020, -0.03, -0.04, 0.01, -0.03, 0.01],
    ]
)
REACH = np.array(
    [
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0],
        [1.0, 0.3, 0.3, 0.15, 0.25, 0.6, 0.5, 0.7],
        [1.0, 0.02, 0.02, 0.01, 0.05, 0.1, 0.05, 0.2],
    ]
)
OF_ITSELF = np.array([1.5, 0.5, 0.6, 0.1, 0.9])
ACCEPTS = np.array([0.35, 0.1, 0.6, 0.05, 0.3])
BREAKS = np.array([0.06, 0.12, 0.045, 0.3, 0.08])
SETTLES = np.array([0.05, 0.15, 0.02, 0.01, 0.05])
LEVIED = np.array([0.014, 0.028, 0.006, 0.001, 0.01])
LEVEL = np.array([0.15, 0.17, 0.10])
PURPOSES, EARLIEST = 6, -2


@dataclass
class Debtors:
    """Defaulted loans, one a row, and what is happening to them. Money is whole fen held as floats.

    Attributes:
        age: months since day 91 at month 0, negative before it.
        terms: instalment under a restructuring that holds; 0 where there is none.
        filed: month of the suit; -1 where there is none.
    """

    kind: np.ndarray
    product: np.ndarray
    contact: np.ndarray
    province: np.ndarray
    born: np.ndarray
    income: np.ndarray
    frailty: np.ndarray
    claim: np.ndarray
    usual: np.ndarray
    age: np.ndarray
    owed: np.ndarray = field(init=False)
    tired: np.ndarray = field(init=False)
    terms: np.ndarray = field(init=False)
    broken: np.ndarray = field(init=False)
    filed: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.kind)
        self.owed = self.claim.copy()
        self.tired, self.terms, self.broken = (
            np.zeros(count),
            np.zeros(count),
            np.zeros(count, bool),
        )
        self.filed = np.full(count, -1)

    def push(self, step: np.ndarray, age: np.ndarray, climate: float) -> np.ndarray:
        """Intensity of paying this month under those steps (an index into STEPS)."""
        fade = np.exp(-np.maximum(age, 0) / 18)
        years = (2025 - self.born - 40) / 20
        taste = np.where(step == 2, 1 - 0.5 * years, np.where(step == 6, 1 + 0.5 * years, 1.0))
        answer = ANSWER[self.kind, step] * REACH[self.contact, step] * np.clip(taste, 0.2, 2.0)
        itself = LEVEL[self.product] * OF_ITSELF[self.kind] * self.frailty
        itself = itself * (np.maximum(age, 0) + 2.0) ** -0.5 * np.where(self.broken, 0.6, 1.0)
        added = answer * fade * 0.85**self.tired * np.where(self.product == 2, 0.8, 1.0)
        return np.maximum(itself + added, 0.1 * itself) * climate

    def month(
        self, at: int, step: np.ndarray, chance: np.ndarray, climate: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Let a month pass. Gives what borrowers paid and what courts took; `chance` is (PURPOSES, loans)."""
        age = at + self.age
        alive = (self.owed > 0) & (age >= EARLIEST)
        under = alive & (self.terms > 0)
        burden = np.where(self.terms > 0.3 * self.income, 2.0, 1.0)
        breaks = under & (chance[0] < BREAKS[self.kind] * burden)
        self.broken |= breaks
        self.terms = np.where(breaks, 0.0, self.terms)
        kept = under & ~breaks
        since = at - self.filed - COURT_MONTHS[self.province]
        threat = np.where((self.filed >= 0) & (since < 0), STEPS.index("court_notice"), step)
        pays = alive & ~under & (chance[1] < -np.expm1(-self.push(threat, age, climate)))
        lump = pays & (chance[2] < SETTLES[self.kind])
        size = np.where(lump, np.ceil(self.owed * (0.5 + 0.5 * chance[3])), self.usual)
        own = np.where(pays, np.minimum(size, self.owed), 0.0)
        own = np.where(kept, np.minimum(self.terms, self.owed), own)
        left = np.where(lump, 0.0, self.owed - own)
        levies = (self.filed >= 0) & (since >= 0) & (since < 24) & (left > 0)
        levies &= chance[4] < LEVIED[self.kind]
        taken = np.where(levies, np.ceil(left * (0.1 + 0.6 * chance[5])), 0.0)
        self.owed = left - taken
        self.tired = 0.7 * self.tired + (step > 0)
        return own, taken

    def offer(
        self, rows: np.ndarray, instalment: np.ndarray, *, chance: np.ndarray, at: int
    ) -> None:
        """Offer terms; those who take them pay by them until they break. Old debtors seldom listen."""
        age = at + self.age
        heard = np.array([1.0, 0.3, 0.0])[self.contact]
        fits = np.where(instalment <= 0.35 * self.income, 1.0, 0.5)
        fresh = np.exp(-np.maximum(age, 0) / 36)
        takes = rows & (self.owed > 0) & (chance < ACCEPTS[self.kind] * heard * fits * fresh)
        self.terms = np.where(takes, instalment, self.terms)

    def sue(self, rows: np.ndarray, at: int) -> None:
        """File suits."""
        self.filed = np.where(rows & (self.owed > 0) & (self.filed < 0), at, self.filed)


def debtors(count: int, months: int, stream: np.random.Generator) -> Debtors:
    """Draw debtors whose loans turned 91 days old at some time in `months` months.

    Kinds go with product and year of birth; income and whether they can be reached go with the kind.
    """
    product = stream.choice(3, count, p=(0.5, 0.3, 0.2))
    born = stream.integers(1960, 2003, count)
    odds = np.array(
        [[0.25, 0.2, 0.3, 0.15, 0.1], [0.3, 0.2, 0.2, 0.15, 0.15], [0.1, 0.3, 0.35, 0.2, 0.05]]
    )
    odds = odds[product]
    odds[:, 0] *= np.where(born > 1990, 1.6, 0.8)
    draws = stream.random(count)[:, None] * odds.sum(axis=1, keepdims=True)
    kind = (draws > odds.cumsum(axis=1)).sum(axis=1)
    income = np.exp(stream.normal(13.3, 0.35, count)) * np.array([1.0, 1.4, 0.7, 0.35, 1.0])[kind]
    claim = np.round(np.exp(stream.normal(14.6, 0.7, count)) / 100) * 100
    heard = np.array([0.85, 0.55, 0.7, 0.45, 0.65])[kind]
    draw = stream.random(count)
    return Debtors(
        kind=kind,
        product=product,
        contact=np.where(draw < heard, 0, np.where(draw < heard + 0.6 * (1 - heard), 1, 2)),
        province=stream.integers(0, 4, count),
        born=born,
        income=np.round(income / 100) * 100,
        frailty=stream.gamma(1.5, 1 / 1.5, count),
        claim=claim,
        usual=np.maximum(np.round(claim / stream.integers(10, 30, count) / 10_000) * 10_000, 5_000),
        age=-stream.integers(0, months, count),
    )
