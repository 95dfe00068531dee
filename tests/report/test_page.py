"""The page and the workbook of a run: offline, in order, and saying what the tables say."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from types import SimpleNamespace

import polars as pl
import pytest

from arrears import report, run
from arrears.report import charts, figures, hiding, page, parts
from arrears.report.history.told import hundred, span, which


class _Outline(HTMLParser):
    """Headings, ids, links, pictures and tables of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.unlabelled = 0

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if given.get("id"):
            assert given["id"] not in self.ids, given["id"]
            self.ids.add(given["id"])
        if tag == "a":
            self.links.append(given["href"])
        if tag == "svg" and not given.get("aria-label"):
            self.unlabelled += 1
        if tag == "th":
            assert given.get("scope") == "col"


@pytest.fixture(scope="module")
def made(tmp_path_factory, root):
    folder = tmp_path_factory.mktemp("report")
    recipe = root / "examples/eastern_bank/recipe.yaml"
    run.synth(run.SynthRequest(loans=600, months=3, recipe=recipe, seed=8), out=folder / "book")
    request = run.Request(
        str(folder / "book/loans.csv"),
        capacity=str(root / "examples/capacities.yaml"),
        scenarios=50,
    )
    found = run.resolve(request, out=folder / "out")
    return found, folder / "out"


@pytest.fixture(scope="module")
def pages(tmp_path_factory, root):
    """Every other page that a tape makes, by name."""
    folder = tmp_path_factory.mktemp("pages")
    recipe = root / "examples/eastern_bank/recipe.yaml"
    run.synth(run.SynthRequest(loans=900, months=18, recipe=recipe, seed=8), out=folder / "book")
    tables = ("loans", "payments", "months", "events", "contacts")
    request = run.Request(
        **{name: str(folder / f"book/{name}.csv") for name in tables}, scenarios=50
    )
    for name, command in (("hidden", run.hidden), ("history", run.history), ("fit", run.fit)):
        command(request, out=folder / name)
    run.price(request, out=folder / "price")
    return {
        name: (folder / name / f"{name}.html").read_text("utf-8")
        for name in ("hidden", "history", "fit", "price")
    }


def _least_widths(page: str, *, heads_break: bool, screen: bool = False) -> dict[str, float]:
    """The least width of each table, by its heads, in letters: figures are not broken, words are; on a screen the
    first words of a row are not, either."""
    found = {}
    for body in re.findall(r"<table>(.*?)</table>", page, flags=re.S):
        rows = [
            re.findall(r"<(t[hd])([^>]*)>(.*?)</t[hd]>", row, flags=re.S)
            for row in re.findall(r"<tr>(.*?)</tr>", body, flags=re.S)
        ]
        widths = []
        for column in zip(*rows, strict=True):
            widths.append(0)
            for tag, kind, text in column:
                whole = "class=n" in kind and (tag == "td" or not heads_break)
                whole |= screen and "class=w" in kind and tag == "td"
                parts = [unescape(text)] if whole else re.split(r"[\s-]", unescape(text))
                widths[-1] = max(widths[-1], *map(len, parts))
        # Between two columns lies about a letter and a half
        found[" | ".join(text for _, _, text in rows[0])] = sum(widths) + 1.5 * len(widths)
    return found


def test_no_table_is_wider_than_the_paper_or_the_page(made) -> None:
    page = (made[1] / "report.html").read_text("utf-8")
    breaks = not re.search(r"th\.n[^{]*{[^}]*nowrap", page)
    # 178 mm of A4 between its margins, letters of 8.6 points, figures of a wide font
    paper = 178 / 25.4 * 72 / (0.82 * 10.5 * 0.6)
    wide = re.search(r"main { max-width: (\d+)rem", page)
    assert wide is not None
    # Between its margins of a rem each; letters of 0.92 rem
    room = min(paper, (int(wide[1]) - 2) / (0.92 * 0.6))
    widths = _least_widths(page, heads_break=breaks)
    assert len(widths) > 10
    assert {heads: width for heads, width in widths.items() if width > room} == {}


@pytest.mark.parametrize("name", ["hidden", "history", "fit", "price"])
def test_no_table_of_another_page_is_cut(pages, name) -> None:
    page = pages[name]
    paper = 178 / 25.4 * 72 / (0.82 * 10.5 * 0.6)
    # The column of a page is 58 rem wide, its letters 0.92 rem, of a wide font six tenths of that
    for room, screen in ((paper, False), (58 / (0.92 * 0.6), True)):
        widths = _least_widths(page, heads_break=True, screen=screen)
        assert widths
        assert {heads: width for heads, width in widths.items() if width > room} == {}


def test_where_every_loan_is_known_as_bad_nothing_looks_hidden(tmp_path, root) -> None:
    recipe = root / "examples/recipes/sold_package.yaml"
    run.synth(run.SynthRequest(loans=200, months=6, recipe=recipe, seed=8), out=tmp_path / "book")
    tables = ("loans", "months")
    request = run.Request(**{name: str(tmp_path / f"book/{name}.csv") for name in tables})
    run.hidden(request, out=tmp_path / "out")
    assert "<h1>Nothing looks hidden</h1>" in (tmp_path / "out/hidden.html").read_text("utf-8")


def test_words_of_the_tape_are_not_shown_to_people(pages) -> None:
    for name, whole in pages.items():
        text = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", whole, flags=re.S)
        shown = re.sub(r"\b\w+\.(csv|json|parquet)\b", "", text)
        assert not re.search(r"\b[a-z]+_[a-z]+\b", shown), name
        assert not re.search(r">0\.0 %[^<]*</h\d>|>Of 100[^<]*\b0\.0 are", whole), name


def test_few_rows_stay_on_one_sheet() -> None:
    assert 'class="scroll whole"' in parts.table(["a", "b"], [["1", "2"]] * 14)
    assert 'class="scroll"' in parts.table(["a", "b"], [["1", "2"]] * 15)
    assert ".whole { break-inside: avoid; }" in parts.shell("", [])


def test_a_day_is_not_broken_on_paper() -> None:
    rows = [["1", "2025-10-27", "5"], ["2", "later", "6"]]
    page = parts.table(["payment", "date", "yuan"], rows, words=2)
    assert "<td class=d>2025-10-27</td>" in page
    assert "<td class=w>later</td>" in page
    printed = parts.shell("", []).split("@media print")[1]
    assert "td.w { white-space: normal; }" in printed
    assert "td.d" not in printed


def test_how_many_of_a_hundred_is_all_or_none_only_where_it_is() -> None:
    said = {0.0: "none", 0.0004: "under 0.1", 0.004: "0.4", 0.0996: "10.0", 0.42: "42", 0.996: "99.6",
            0.9996: "over 99.9", 1.0: "100"}  # fmt: skip
    assert {share: hundred(share) for share in said} == said
    assert span(0.01, 0.02)[0] == "0"
    assert [which(state) for state in ("1-30", "90+", "current", "written-off")] == [
        "loans 1 to 30 days past due", "loans over 90 days past due", "current loans", "written off loans",
    ]  # fmt: skip


def test_signs_of_hidden_loans_are_told_in_words(pages) -> None:
    assert not re.search(r">[^<]*\bE\d [^<]*<", pages["hidden"])
    assert "days past due</td>" in pages["hidden"]


def test_signs_that_are_equally_common_are_told_in_the_order_of_their_names() -> None:
    table = pl.DataFrame({"p_hidden": [0.9] * 5})
    signs = pl.DataFrame({"evidence": ["E2 c", "E1 b", "E3 a", "E2 c", "E1 b; E3 a"]})
    found = SimpleNamespace(table=table, signs=signs)
    shown = SimpleNamespace(found=found, branch=pl.Series(["N"] * 5))
    assert hiding._signs_of(shown, "N") == "a (2); b (2)"


def test_limits_of_a_part_are_told_in_words(made) -> None:
    page = (made[1] / "report.html").read_text("utf-8")
    assert "court filings (province Zhejiang)" in page
    assert "province=" not in page


def test_figures_of_the_report_are_written_as_people_write_them(made) -> None:
    page = (made[1] / "report.html").read_text("utf-8")
    text = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", page, flags=re.S)
    assert "3,000,000 to 10,000,000" in text
    assert not re.search(r"\de\+\d", text)
    # A ratio is told in the unit that its warning names
    assert "over 100 %: reported too little" in text
    assert "over 1:" not in text


def test_every_category_of_an_axis_is_named() -> None:
    names = [f"Branch {number:02}" for number in range(20)]
    values = {"values": [{"branch": name, "hidden": 1.0} for name in names]}
    for step in (14, 24):
        spec = {"data": values, "width": 300, "height": {"step": step}, "mark": "bar",
                "encoding": {"y": {"field": "branch", "type": "nominal"},
                             "x": {"field": "hidden", "type": "quantitative"}}}  # fmt: skip
        picture = charts.svg(spec, "hidden", "hidden")
        assert re.findall(r'opacity="1">(Branch \d+)</text>', picture) == names


def test_labels_of_an_axis_do_not_lie_on_each_other() -> None:
    values = {"values": [{"way": "collect", "claim": 1646.0}, {"way": "court", "claim": 98.0}]}
    x = {"field": "claim", "type": "quantitative", "title": "claims"}
    spec = {"data": values, "width": 300, "mark": "bar",
            "encoding": {"y": {"field": "way", "type": "nominal"}, "x": x}}  # fmt: skip
    picture = charts.svg(spec, "claims", "claims")
    # A label that finds no room is drawn, and not seen
    labels = re.findall(
        r'text-anchor="(\w+)"[^>]*translate\(([\d.]+)[^>]*opacity="1">([\d,]+)</text>', picture
    )
    shown = sorted((float(x), anchor, text) for anchor, x, text in labels)
    assert len(shown) > 3
    for (left, one, said), (right, other, more) in pairwise(shown):
        assert {one, other} == {"middle"}
        assert right - left > 13 * 0.55 * (len(said) + len(more)) / 2


def test_no_request_leaves_the_page_and_no_script_runs(made) -> None:
    page = (made[1] / "report.html").read_text("utf-8")
    without_names = page.replace("http://www.w3.org/2000/svg", "").replace(
        "http://www.w3.org/1999/xlink", ""
    )
    assert "http://" not in without_names
    assert "https://" not in without_names
    assert not re.search(r"<script|<link|<img|@import|url\((?!#)", page)


def test_headings_come_in_order_and_links_lead_somewhere(made) -> None:
    outline = _Outline()
    outline.feed((made[1] / "report.html").read_text("utf-8"))
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(after <= before + 1 for before, after in steps)
    assert {link[1:] for link in outline.links} <= outline.ids
    assert outline.tags.count("svg") >= 3
    assert outline.unlabelled == 0


def test_the_first_screen_says_what_the_tables_say(made) -> None:
    found, out = made
    page = (out / "report.html").read_text("utf-8")
    screen = re.findall(r"<li><b>(.*?)</b>", page)
    assert len(screen) == 4
    book = pl.read_csv(out / "book.csv").filter(cut="total").row(0, named=True)
    curve = pl.read_parquet(out / "curve.parquet").filter(month=60).row(0, named=True)
    worth = pl.read_parquet(out / "plan.parquet")["value"].to_numpy().sum()
    quarantine = pl.read_csv(out / "quarantine.csv", infer_schema=False)
    held = quarantine.filter(pl.col("source") == "loans.csv")["row"].n_unique()
    assert screen[0] == figures.money(book["with_hidden"])
    assert figures.money(book["by_rule"]) in page
    assert figures.money_range(book["lo90"], book["hi90"]) in page
    assert screen[1] == figures.money(curve["mean"])
    assert screen[2] == figures.money(worth)
    assert screen[3] == f"{held} rows"
    assert figures.money_range(curve["q05"], curve["q95"]) in page
    assert found.plan.value == pytest.approx(worth)


def test_what_is_not_known_is_said_and_what_is_assumed_is_listed(made) -> None:
    found, out = made
    page = (out / "report.html").read_text("utf-8")
    assert "market prior" in page
    market = found.situation.market
    for path in market.paths():
        if market.entry(path, found.tape.as_of).assumed and not path.startswith(
            ("synth/", "stresses/")
        ):
            assert path in page
    # no stress was asked for: nothing rests on one
    assert found.record["settings"]["stress"] is None
    assert "stresses/" not in page
    assert "under the stress" not in page
    book, day = found.situation.rulebook, found.tape.as_of
    values = [book.leaf(path).in_force(day) for path in book.paths()]
    assert all(value.article in page for value in values if value and not value.verified)
    assert "batch2 provinces" in page


def test_the_page_is_the_same_for_the_same_run(made) -> None:
    found, out = made
    record = {
        name: part for name, part in found.record.items() if name not in {"products", "seconds"}
    }
    contents = report.Contents(
        found.tape,
        found.standing,
        found.situation,
        found.plan,
        found.three,
        record,
        found.ratios,
        found.outcomes,
        found.disposals,
        found.packages,
        (),
        found.what_if,
        pl.read_parquet(out / "debtors.parquet"),
    )
    assert report.html(contents) == (out / "report.html").read_text("utf-8")


def test_the_workbook_says_what_the_plan_says(made) -> None:
    out = made[1]
    plan = pl.read_parquet(out / "plan.parquet").sort("loan_id")
    sheet = pl.read_excel(out / "plan.xlsx", sheet_name="Which way").sort("loan id")
    assert sheet["loan id"].to_list() == plan["loan_id"].to_list()
    assert sheet["channel"].to_list() == plan["channel"].to_list()
    claims = [round(yuan * 100) for yuan in sheet["claim (yuan)"].to_list()]
    assert claims == plan["claim"].to_list()
    cover = pl.read_excel(out / "plan.xlsx", sheet_name="Cover", has_header=False)
    assert "Hidden rests on" in str(cover.to_dicts())
    limits = pl.read_excel(out / "plan.xlsx", sheet_name="Limits")
    assert "call hours" in limits["capacity"].to_list()
    ranges = pl.read_parquet(out / "capacities.parquet")
    for name in ("shadow_price", "shadow_low", "shadow_high"):
        hours = ranges.filter(capacity="call_hours")[name][0]
        told = limits.filter(pl.col("capacity") == "call hours")[name.replace("_", " ")][0]
        assert told == pytest.approx(hours / 100)
    page = (out / "report.html").read_text("utf-8")
    assert "of the next and of the last tenth" in page
    assert not limits["capacity"].str.contains("_").any()
    told = set(limits["scope"].drop_nulls().to_list())
    assert told == {"province Zhejiang"}


def test_the_page_tells_what_debtors_owe_in_all(made) -> None:
    out = made[1]
    page = (out / "report.html").read_text("utf-8").split('id="owed"')[1]
    owed = pl.read_parquet(out / "debtors.parquet")
    several = owed.filter(pl.col("loans") > 1)
    assert several.height > 0
    for claim in (owed["claim"].sum(), several["claim"].sum(), owed["claim"][:10].sum()):
        assert f"{round(claim / 100):,}" in page


def test_no_borrower_stands_on_the_page(made) -> None:
    found, out = made
    page = (out / "report.html").read_text("utf-8")
    assert not set(re.findall(r"P\d{8}", page))
    for column in ("id_key", "phone_key", "name_key"):
        assert not any(key in page for key in found.tape.loans[column].head(50).to_list())


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (0.0120, 0.0118, "takes the bad-loan ratio from 1.20 % to 1.18 %"),
        (0.01199, 0.01197, "takes the bad-loan ratio from 1.199 % to 1.197 %"),
        (0.012, 0.012, "leaves the bad-loan ratio at 1.20 %"),
    ],
)
def test_a_ratio_that_moves_is_told_apart_and_one_that_does_not_is_left(
    before, after, said
) -> None:
    assert said in page._moved(before, after, "")


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ([60, 40, 500], "most of their claims by court"),
        ([40, 30, 30], "the largest part of their claims by court"),
    ],
)
def test_most_is_more_than_half(claims, said) -> None:
    by_way = pl.DataFrame(
        {
            "channel": ["litigate", "transfer", "restructure"],
            "start_month": [0, 0, 6 if claims[2] > 100 else 0],
            "loans": [1, 2, 3],
            "claim": claims,
        }
    )
    assert said in page._headline(SimpleNamespace(by_way=by_way))
