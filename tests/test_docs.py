"""The pages that repeat the code agree with it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from arrears import rules, run
from arrears.tape.columns import CHINESE, REQUIRED, TABLES, WORDS


def test_the_page_of_the_tape_lists_its_columns(root: Path) -> None:
    text = (root / "docs/tape.md").read_text("utf-8")
    for table, columns in TABLES.items():
        section = text.split(f"## {table}\n", 1)[1].split("\n## ", 1)[0]
        rows = re.findall(r"^\| `(\w+)`(\*?) \| (\S+) \|", section, re.M)
        assert [name for name, _, _ in rows] == list(columns)
        assert {name for name, star, _ in rows if star} == set(REQUIRED[table])
        assert {name: header for name, _, header in rows} == CHINESE[table]


def test_the_page_of_the_tape_lists_its_words(root: Path) -> None:
    text = (root / "docs/tape.md").read_text("utf-8")
    for column, words in WORDS.items():
        told = ", ".join(f"{ours} {theirs}" for ours, theirs in words.items())
        assert f"| `{column}` | {told} |" in text


def test_the_words_table_has_one_line_a_word(root: Path) -> None:
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| (.+?) \|$", (root / "docs/words.md").read_text(), re.M
    )
    terms = [row[0] for row in rows[2:]]
    assert len(terms) == len(set(terms)) > 40
    assert all(re.search(r"[一-鿿]", row[1]) for row in rows[2:])


def test_links_between_pages_lead_somewhere(root: Path) -> None:
    for page in [*root.glob("*.md"), *(root / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_readme_shows_ten_lines_that_run(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text("utf-8"), re.S)
    assert len(code) == 1
    assert len(code[0].strip().split("\n")) <= 10
    monkeypatch.chdir(tmp_path)
    shape = run.SynthRequest(loans=300, months=3, as_of=date(2025, 3, 31))
    run.synth(shape, out=Path("book"))
    exec(compile(code[0], "README.md", "exec"), {})
    told = capsys.readouterr().out
    assert "collect" in told
    assert "five_tier" in told
    assert (tmp_path / "result/report.html").exists()


def test_the_page_of_the_law_is_made_from_the_rulebooks(root: Path) -> None:
    books = [rules.load(name) for name in ("cn", *rules.STANDARDS)]
    assert (root / "docs/rulebook.md").read_text("utf-8") == rules.page(books)
