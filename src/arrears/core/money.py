"""Money that is owed or paid: a whole number of fen (1 yuan = 100 fen)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import accumulate

import polars as pl

from arrears.errors import BadArgument

FEN_A_YUAN = 100
_UNITS = {"fen": 1, "yuan": 100, "元": 100, "分": 1, "万元": 1_000_000, "亿元": 10_000_000_000}
_AMOUNT = re.compile(r"^\s*(-?\d[\d_,]*(?:\.\d+)?)\s*([a-z元分万亿]*)\s*$")


def round_half_up(amount: Fraction | Decimal | int) -> int:
    """The nearest whole number, halves going up: floor(x + 1/2)."""
    exact = Fraction(amount) + Fraction(1, 2)
    return exact.numerator // exact.denominator


def in_yuan(*names: str) -> list[pl.Expr]:
    """Amounts in fen as yuan, to the fen: Polars divides by way of the inverse, which leaves 46298.590000000004."""
    return [(pl.col(name) / FEN_A_YUAN).round(2) for name in names]


def yuan_to_fen(yuan: str | Decimal | int) -> int:
    """Whole fen of an amount in yuan; a part of a fen is rounded half up.

    Raises:
        BadArgument: `yuan` is no finite decimal number.
    """
    try:
        amount = Decimal(yuan)
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite():
        raise BadArgument(f"{yuan!r} is no amount of money.", fix="Write a number such as 1250.40.")
    return round_half_up(amount * FEN_A_YUAN)


def parse_money(text: str | int) -> int:
    """Fen of an amount a person wrote: `80_000_000 yuan`, `12.5 万元`, or a plain number of fen.

    Raises:
        BadArgument: neither a whole number nor a number with a known unit.
    """
    if isinstance(text, int):
        return text
    match = _AMOUNT.match(text)
    if match is None or (match[2] or "fen") not in _UNITS:
        raise BadArgument(f"{text!r} is no amount of money.", fix="Write fen, or e.g. '5000 yuan'.")
    number = Decimal(match[1].replace("_", "").replace(",", ""))
    return round_half_up(number * _UNITS[match[2] or "fen"])


def money_of_field(value: object) -> object:
    """Fen of a file's field where a person wrote text; anything else as it stands, for the model to judge.

    Raises:
        ValueError: the text is no amount of money.
    """
    if not isinstance(value, str):
        return value
    try:
        return parse_money(value)
    except BadArgument as error:
        raise ValueError(str(error)) from None


def split_proportionally(total: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of `total` in proportion to `weights`, adding up to it, by cumulative rounding.

    part_k = R(total * C_k / T) - R(total * C_(k-1) / T), C_k the running sum of the weights and T their sum.

    Raises:
        BadArgument: a weight is negative, or all are zero and `total` is not.
    """
    whole = sum(weights)
    if min(weights, default=0) < 0 or (whole == 0 and total != 0):
        raise BadArgument("A split needs weights that are not negative and not all zero.")
    if whole == 0:
        return [0 for _ in weights]
    ends = [round_half_up(Fraction(total * run, whole)) for run in accumulate(weights)]
    return [end - start for end, start in zip(ends, [0, *ends], strict=False)]
