"""Letters as text with fields in braces: read, checked, and laid out as printable pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Formatter

import polars as pl

from arrears.files import did_you_mean
from arrears.problems import Problem

LANGUAGES = ("zh", "en")
# What an offer can say; the others are of papers for the court.
OFFER_FIELDS = (
    "answer_by",
    "as_of",
    "branch",
    "card_terms",
    "claim",
    "credit_repair",
    "days_past_due",
    "fees",
    "first_month",
    "holder",
    "hours",
    "instalment",
    "instalments",
    "interest",
    "last_instalment",
    "last_payment_date",
    "lender",
    "loan_id",
    "maturity_date",
    "origination_date",
    "phone",
    "principal",
    "privacy",
    "product",
    "to_pay",
    "waived_fees",
    "waived_interest",
    "waived_principal",
    "waiver",
    "ways_to_pay",
    "your_branch",
)
FIELDS = (
    *OFFER_FIELDS,
    "application",
    "assigned",
    "at_most",
    "court",
    "early",
    "fee",
    "fee_law",
    "guarantor",
    "half_fee",
    "half_law",
    "handled_by",
    "interrupts",
    "judgment_date",
    "limitation",
    "limitation_ends",
    "matured",
    "mediation",
    "past_due_since",
    "secured",
    "state",
    "term",
    "time_to_apply",
)
_STYLE = (
    "body{font:11pt/1.5 system-ui,'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif;"
    "color:#000;background:#fff;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "article{break-after:page;margin-bottom:4rem}h2{font-size:13pt}"
    "section+section{border-top:1px solid #999;margin-top:1.5rem}"
    "@page{size:A4;margin:20mm 18mm}@media print{body{margin:0;max-width:none}section{break-inside:avoid}"
    # Each language on a sheet of its own: what is sent or handed in has one.
    "section+section{break-before:page;border:0;margin:0}}"
)


# Where the reader cuts off what is sent back.
_CUT = '<hr style="border:0;border-top:1px dashed">'
_EMPTY = (
    '<p lang="zh">本次没有需要打印的文书。</p>\n<p lang="en">The plan asks for no such paper.</p>'
)


@dataclass(frozen=True)
class Template:
    """A letter in one language; its first paragraph is the title, a paragraph `---` a line to cut along."""

    language: str
    text: str

    def html(self) -> pl.Expr:
        """The letters of a table whose columns `language/field` are safe to print, each with its fields filled in."""
        title, *rest = escape(self.text, quote=False).strip().split("\n\n")
        body = "".join(_CUT if part == "---" else f"<p>{part}</p>" for part in rest)
        form = f'<section lang="{self.language}"><h2>{title}</h2>{body}</section>'
        pieces = []
        for words, name, _, _ in Formatter().parse(form):
            pieces.append(pl.lit(words))
            if name is not None:
                pieces.append(pl.col(f"{self.language}/{name}"))
        return pl.concat_str(pieces)


def bundled(name: str) -> tuple[Template, ...]:
    """The letter of that name, Chinese first."""
    folder = files("arrears.handover") / "templates"
    return tuple(
        Template(language, (folder / f"{name}.{language}.txt").read_text("utf-8"))
        for language in LANGUAGES
    )


def read_template(path: Path) -> tuple[Template | None, list[Problem]]:
    """A letter that a person wrote, and what is wrong with it."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "Not UTF-8"
        why = "The letters need their text."
        fix = "Name a text file in UTF-8."
        return None, [Problem("LETTER-UNREADABLE", "error", str(path), f"{found}.", why, fix)]
    problems = [
        Problem(
            code, "error", f"{path.name} line {line}", found, "It would stand there unfilled.", fix
        )
        for code, line, found, fix in _faults(text)
    ]
    if not text.strip():
        fix = "Write a title, an empty line, and the letter."
        problems.append(
            Problem("LETTER-EMPTY", "error", str(path), "The letter is empty.", "", fix)
        )
    return (None if problems else Template("zh", text)), problems


def _faults(text: str) -> Iterator[tuple[str, int, str, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            names = [field for _, field, _, _ in Formatter().parse(line) if field is not None]
        except ValueError as error:
            fix = "Write fields as {name}, and a brace itself twice."
            yield "LETTER-BAD-BRACE", number, f"{error}", fix
            continue
        for name in names:
            if name not in OFFER_FIELDS:
                fix = did_you_mean(name, OFFER_FIELDS)
                yield "LETTER-UNKNOWN-FIELD", number, f"An offer has no field {{{name}}}.", fix


def pages(title: str, letters: Iterable[str]) -> str:
    """A document that prints one letter a page."""
    articles = "\n".join(letters) or _EMPTY
    return (
        '<!DOCTYPE html>\n<html lang="zh">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n{articles}\n</body>\n</html>\n"
    )
