"""Cells of text, or of any type, as canonical values; what cannot be read is told cell by cell."""

from __future__ import annotations

import polars as pl

from arrears.tape import synonyms
from arrears.tape.columns import EXCLUDED_REASONS, KIND_OF_PLACE, MONEY, PLACES, WORDS
from arrears.tape.mapping import TableMap, Unit

DECIMALS: dict[Unit, int] = {"fen": 0, "yuan": 2, "10k_yuan": 6}
MOST_DIGITS = 15
DATE_FORMATS = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
    "%Y年%m月%d日",
    "%Y.%m.%d",
    "%m/%d/%Y",
    "%d-%b-%y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%d.%m.%Y",
)
MONTH_FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%Y年%m月%d日")
_TRUE = ("true", "1", "yes", "y", "是", "t", "有", "√", "✓", "已核销", "已减值")
_FALSE = ("false", "0", "no", "n", "否", "f", "无", "×", "✗", "未核销", "未减值", "-")
_WIDE = {chr(0xFF01 + place): chr(0x21 + place) for place in range(94)} | {"−": "-", "　": " "}
_EXCEL_EPOCH = "1899-12-30"


def text(raw: pl.Expr) -> pl.Expr:
    """Text without blanks around it; null where nothing is left."""
    stripped = raw.cast(pl.String).str.strip_chars(" \t\r\n　")
    return pl.when(stripped.str.len_bytes() > 0).then(stripped)


def _narrow(cell: pl.Expr) -> pl.Expr:
    """Full-width digits and signs as narrow ones; only where there are any, since it costs time."""
    wide = cell.str.contains(r"[^\x00-\x7F]")
    return pl.when(wide).then(cell.str.replace_many(_WIDE)).otherwise(cell)


def _point(cell: pl.Expr) -> pl.Expr:
    """A comma that ends in one or two digits marks decimals; points before it then mark thousands."""
    comma = cell.str.contains(r"^[^,]*\d,\d{1,2}\)?[^\d,]*$")
    pointed = cell.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return pl.when(comma).then(pointed).otherwise(cell)


def money(raw: pl.Expr, dtype: pl.DataType, unit: Unit) -> pl.Expr:
    """Whole fen of an amount; part of a fen is rounded half up. Null where it is no amount."""
    if dtype.is_integer():
        return raw.cast(pl.Int64) * pl.lit(10 ** DECIMALS[unit])
    if dtype.is_float():
        scaled = raw * float(10 ** DECIMALS[unit])
        fits = scaled.is_finite() & (scaled.abs() < 10.0**MOST_DIGITS)
        return pl.when(fits).then((scaled + 0.5).floor()).cast(pl.Int64, strict=False)
    return _decimal(text(raw), DECIMALS[unit])


def _decimal(cell: pl.Expr, decimals: int) -> pl.Expr:
    """Text such as `-1,250.405` times 10^decimals, exact, half up; null where it is no number."""
    plain = _point(_narrow(cell)).str.replace_all(r"(?i)[,_¥￥\s]|元$|^rmb|^cny", "")
    plain = plain.str.replace(r"^\((.*)\)$", "-$1")
    plain = (
        pl.when(plain.str.contains(r"[eE]"))
        .then(plain.cast(pl.Float64, strict=False).round(6).cast(pl.String))
        .otherwise(plain)
    )
    good = plain.str.contains(r"^[+-]?\d{1,15}(\.\d*)?$")
    whole = plain.str.extract(r"^[+-]?(\d+)").cast(pl.Int64, strict=False)
    part = plain.str.extract(r"\.(\d*)$").fill_null("").str.pad_end(decimals + 1, "0")
    kept = part.str.head(decimals).cast(pl.Int64, strict=False) if decimals else pl.lit(0)
    next_digit = part.str.slice(decimals, 1).cast(pl.Int64, strict=False)
    negative = plain.str.starts_with("-")
    beyond = part.str.slice(decimals + 1).str.contains("[1-9]")
    up = (next_digit > 5) | ((next_digit == 5) & (~negative | beyond))
    size = whole * pl.lit(10**decimals) + kept.fill_null(0) + up.cast(pl.Int64)
    fits = good & (plain.str.extract(r"^[+-]?0*(\d*)").str.len_bytes() + decimals <= MOST_DIGITS)
    return pl.when(fits).then(pl.when(negative).then(-size).otherwise(size))


def number(raw: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A float; null where it is none."""
    if dtype.is_numeric():
        return raw.cast(pl.Float64)
    plain = _point(_narrow(text(raw))).str.replace_all(r"[,_\s%]|天$|年$", "")
    value = plain.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value)


def whole(raw: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A whole number; null where it is none."""
    value = number(raw, dtype)
    fits = (value == value.round()) & (value.abs() < 2**31)
    return pl.when(fits).then(value).cast(pl.Int32, strict=False)


def day(raw: pl.Expr, dtype: pl.DataType, formats: tuple[str, ...]) -> pl.Expr:
    """A date; a time of day is dropped; numbers of five digits are Excel's. Null where it is none."""
    if dtype in (pl.Date, pl.Datetime):
        return raw.cast(pl.Date)
    cell = _narrow(text(raw)).str.replace(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?Z?$", "")
    cell = cell.str.replace(r"\.0$", "")
    serial = pl.when(cell.str.contains(r"^[2-6]\d{4}$")).then(
        pl.lit(_EXCEL_EPOCH).str.to_date() + pl.duration(days=cell.cast(pl.Int64, strict=False))
    )
    tries = [cell.str.to_date(form, strict=False) for form in (*formats, *DATE_FORMATS)]
    return pl.coalesce(*tries, serial)


def month(raw: pl.Expr, dtype: pl.DataType, formats: tuple[str, ...]) -> pl.Expr:
    """First day of the month of `YYYY-MM` or of any date in it; null where it is none."""
    if dtype in (pl.Date, pl.Datetime):
        return raw.cast(pl.Date).dt.month_start()
    cell = text(raw)
    padded = (
        pl.when(cell.str.contains(r"^\d{4}[-/]\d{1,2}$"))
        .then(cell + cell.str.slice(4, 1) + "01")
        .when(cell.str.contains(r"^\d{6}$"))
        .then(cell + "01")
        .when(cell.str.contains(r"^\d{4}年\d{1,2}月$"))
        .then(cell + "01日")
        .otherwise(cell)
    )
    return day(padded, pl.String(), formats).dt.month_start()


def flag(raw: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """True or false; null where it is neither."""
    if dtype == pl.Boolean:
        return raw
    cell = text(raw).str.to_lowercase().str.replace(r"\.0$", "")
    return pl.when(cell.is_in(_TRUE)).then(True).when(cell.is_in(_FALSE)).then(False)


def word(raw: pl.Expr, column: str) -> pl.Expr:
    """Our word for an English word, its Chinese term, or what banks say for it; null where it is none of them."""
    known = synonyms.words(column)
    cell = text(raw).str.to_lowercase().str.replace_all(" ", "_", literal=True)
    return cell.replace_strict(known, default=None, return_dtype=pl.String)


def province(raw: pl.Expr) -> pl.Expr:
    """The name of a province by its Chinese or English name, long or short; another place without its kind."""
    bare = text(raw).str.replace(KIND_OF_PLACE, "")
    known = bare.str.to_lowercase().replace_strict(PLACES, default=None, return_dtype=pl.String)
    return pl.coalesce(known, bare)


def cell(
    raw: pl.Expr,
    dtype: pl.DataType,
    *,
    table: str,
    column: str,
    target: object,
    how: TableMap,
) -> pl.Expr:
    """A raw column as the canonical one of that name."""
    source = how.columns.get(column)
    if column in MONEY[table]:
        return money(raw, dtype, (source.unit if source and source.unit else how.unit))
    if column in WORDS:
        return word(raw, column)
    if column == "month":
        return month(raw, dtype, how.dates)
    if target == pl.Date:
        return day(raw, dtype, how.dates)
    if target == pl.Boolean:
        return flag(raw, dtype)
    if target == pl.Int32:
        return whole(raw, dtype)
    if target == pl.Float64:
        value = number(raw, dtype)
        # Rounded, a rate in per cent is the very number that the same rate as a fraction is.
        return (value / 100).round(12) if how.rate == "percent" else value
    if column == "province":
        return province(raw)
    if column == "excluded_reason":
        return text(raw)
    return text(raw)


def kind_of(table: str, column: str, target: object) -> str:
    """What a cell that could not be read should have been: the code of its problem."""
    if column in MONEY[table]:
        return "BAD-MONEY"
    if column in WORDS:
        return "UNKNOWN-WORD"
    if target == pl.Date:
        return "BAD-DATE"
    return "BAD-FLAG" if target == pl.Boolean else "BAD-NUMBER"


def unknown_reasons(column: pl.Expr) -> pl.Expr:
    """Whether a reason for exclusion is none of those known."""
    return column.is_not_null() & ~column.is_in(EXCLUDED_REASONS)
