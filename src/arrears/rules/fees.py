"""Court fees by brackets, exact to the fen."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from arrears.rules.book import Rulebook

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Fen: TypeAlias = npt.NDArray[np.int64]


def court_fee(claims: Fen, rulebook: Rulebook, day: date) -> Fen:
    """Full filing fee of each claim (n,), fen, half up (State Council Order 481, Art. 13; FACTS 7.3)."""
    return _by_brackets(claims, rulebook.at("cn/court/filing_fee", day))


def preservation_fee(claims: Fen, rulebook: Rulebook, day: date) -> Fen:
    """Fee for freezing property worth each claim (n,), fen (Order 481, Art. 14)."""
    import numpy as np

    cap = int(rulebook.number("cn/court/preservation_cap", day))
    return np.minimum(_by_brackets(claims, rulebook.at("cn/court/preservation_fee", day)), cap)


def enforcement_fee(claims: Fen, rulebook: Rulebook, day: date) -> Fen:
    """Fee for enforcing each claim (n,), fen, which the borrower bears (Order 481, Art. 14)."""
    return _by_brackets(claims, rulebook.at("cn/court/enforcement_fee", day))


def _by_brackets(claims: Fen, brackets: object) -> Fen:
    """Claim x rate + added in the first bracket that holds the claim; whole arithmetic, so no claim is a fen off."""
    if not isinstance(brackets, list):
        raise TypeError("brackets are a list of [up to, rate, added]")
    import numpy as np

    fees = np.zeros(len(claims), dtype=np.int64)
    low = np.iinfo(np.int64).min
    for upto, rate, added in brackets:
        high = np.iinfo(np.int64).max if upto is None else int(upto)
        share = Fraction(str(rate))
        inside = (claims > low) & (claims <= high)
        product = claims[inside] * share.numerator
        fees[inside] = (2 * product + share.denominator) // (2 * share.denominator) + int(added)
        low = high
    return fees
