"""Figures as a person says them."""

from __future__ import annotations

from datetime import date

MINUS = "−"
NOT_KNOWN = "n/a"


_UNITS = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"))


def money(fen: float | None, why: str = "") -> str:
    """A sum in words: 4.21 bn yuan, 37.0 m yuan, 12,560 yuan; three significant digits from a million on."""
    if fen is None:
        return f"{NOT_KNOWN} ({why})" if why else NOT_KNOWN
    yuan = abs(fen) / 100
    sign = MINUS if fen < 0 and round(yuan) else ""
    for size, word in _UNITS:
        if yuan >= size * 0.9995:
            return f"{sign}{_three(yuan / size)} {word} yuan"
    return f"{sign}{yuan:,.0f} yuan"


def _three(number: float) -> str:
    if number >= 99.95:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 9.995 else f"{number:.2f}"


def money_range(low: float, high: float) -> str:
    """An interval of sums: `3.60 to 4.70 bn yuan`; with as many digits as tell its ends apart."""
    a, b = money(low).split(" "), money(high).split(" ")
    for size, word in _UNITS:
        if a == b and low != high and b[1:] == [word, "yuan"]:
            return f"{_apart(low / 100 / size, high / 100 / size)} {word} yuan"
    return f"{a[0]} to {money(high)}" if a[1:] == b[1:] else f"{money(low)} to {money(high)}"


def _apart(low: float, high: float) -> str:
    for digits in range(1, 9):
        ends = [f"{end:,.{digits}f}".replace("-", MINUS) for end in (low, high)]
        if ends[0] != ends[1]:
            break
    return " to ".join(ends)


def chinese_money(fen: float) -> str:
    """万元 and 亿元, for Chinese text."""
    yuan = fen / 100
    return f"{yuan / 1e8:,.2f}亿元" if abs(yuan) >= 1e8 else f"{yuan / 1e4:,.2f}万元"


def chinese_date(day: date) -> str:
    """2025年3月31日."""
    return f"{day.year}年{day.month}月{day.day}日"


def yuan(fen: float | None) -> str:
    """A sum in full, for tables, to the yuan."""
    if fen is None:
        return NOT_KNOWN
    return number(fen / 100)


def number(value: float | None, decimals: int = 0) -> str:
    """A number with thousands apart and a true minus."""
    if value is None:
        return NOT_KNOWN
    text = f"{abs(value):,.{decimals}f}"
    return f"{MINUS}{text}" if value < 0 and float(text.replace(",", "")) else text


def share(part: float, whole: float) -> str:
    """Per cent with one decimal; `below 0.1 %` for less."""
    if not whole:
        return NOT_KNOWN
    percent = 100 * part / whole
    if 0 < abs(percent) < 0.1:
        return "below 0.1 %"
    return f"{number(percent, 1)} %"


def percent(share: float | None, decimals: int = 1) -> str:
    """A share as per cent."""
    return NOT_KNOWN if share is None else f"{number(100 * share, decimals)} %"


def price(part: float, whole: float) -> str:
    """Fen on the yuan."""
    return f"{number(100 * part / whole, 1)} fen on the yuan" if whole else NOT_KNOWN


def day(value: date) -> str:
    """31 March 2025."""
    return f"{value.day} {value:%B} {value.year}"
