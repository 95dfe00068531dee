"""Rulebooks with faults, each told with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from arrears.problems import Problem
from arrears.rules.load import read_book

ARTICLES = 'ART: {title: "t", chinese: "c", text: "x"}\n'
LEAF = """\
fee:
  description: A fee
  unit: fen
  type: {type}
  values:
    - {{value: {value}, from: 2020-01-01, article: {article}, reference: r, verified: true}}
"""


def problems(folder: Path, text: str, articles: str = ARTICLES) -> list[Problem]:
    (folder / "articles.yaml").write_text(articles)
    (folder / "court.yaml").write_text(text)
    book, found = read_book(folder)
    assert (book is None) == bool(found)
    return found


def leaf(value: str, kind: str, article: str = "ART") -> str:
    return LEAF.format(value=value, type=kind, article=article)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("5", "whole"),
        ("5", "number"),
        ("0.5", "number"),
        ("2020-01-01", "date"),
        ("word", "text"),
        ("true", "flag"),
        ("[1]", "list"),
        ("{a: 1}", "mapping"),
    ],
)
def test_a_value_of_its_type_is_read(value: str, kind: str, tmp_path: Path) -> None:
    assert problems(tmp_path, leaf(value, kind)) == []


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("5.5", "whole"),
        ("true", "whole"),
        ("true", "number"),
        ("'5'", "number"),
        ("'2020-01-01'", "date"),
        ("5", "text"),
        ("1", "flag"),
        ("'true'", "flag"),
        ("[]", "list"),
        ("{}", "mapping"),
        ("[1]", "mapping"),
        ("null", "text"),
        ("5", "money"),
    ],
)
def test_a_value_of_another_type_is_refused(value: str, kind: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, leaf(value, kind))
    assert problem.code == "RULES-BAD-VALUE"
    assert problem.where.startswith("court.yaml:")


def test_a_key_given_twice_is_refused_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, leaf("5", "whole") + leaf("6", "whole"))
    assert problem.code == "FILE-DUPLICATE-KEY"
    assert problem.where == "court.yaml:7 fee"


def test_a_key_given_twice_deep_in_a_value_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, leaf("{a: 1, a: 2}", "mapping"))
    assert problem.code == "FILE-DUPLICATE-KEY"
    assert problem.where.startswith("court.yaml:6")


def test_an_article_given_twice_is_refused(tmp_path: Path) -> None:
    found = problems(tmp_path, leaf("5", "whole"), ARTICLES + ARTICLES)
    assert found[0].code == "FILE-DUPLICATE-KEY"


def test_a_value_that_rests_on_no_article_names_the_nearest(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, leaf("5", "whole", "ARTT"))
    assert problem.code == "RULES-UNKNOWN-ARTICLE"
    assert "'ART'" in problem.fix


def test_an_unknown_field_names_the_nearest_and_its_line(tmp_path: Path) -> None:
    text = leaf("5", "whole").replace("  unit: fen", "  unit: fen\n  descriptoin: x")
    (problem,) = problems(tmp_path, text)
    assert problem.code == "RULES-UNKNOWN-FIELD"
    assert problem.where == "court.yaml:4 fee/descriptoin"
    assert "'description'" in problem.fix


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = leaf("x", "whole") + leaf("y", "number").replace("fee:", "cost:")
    assert len(problems(tmp_path, text)) == 2


def test_a_file_that_is_a_list_is_no_rulebook(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "- a\n- b\n")
    assert problem.code == "RULES-BAD-VALUE"
