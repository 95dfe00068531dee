"""What `resolve` leaves is what CONTRACT says, and the parts agree with each other."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from arrears import run

EXPECTED_TYPES = {
    "standing.parquet": {"stage": pl.Int8, "p_hidden": pl.Float64, "articles": pl.List(pl.String)},
    "plan.parquet": {
        "claim": pl.Int64,
        "principal": pl.Int64,
        "start_month": pl.Int32,
        "write_off_now": pl.Boolean,
        "value": pl.Float64,
    },
    "offers.parquet": {"start_month": pl.Int32, "eligible": pl.Boolean, "value": pl.Float64},
    "forecast.parquet": {"expected_12m": pl.Float64, "pv": pl.Float64},
}


def _told(root: Path) -> dict[str, list[tuple[str, bool]]]:
    """Columns of each product by docs/products.md, and whether each may be null."""
    text = (root / "docs/products.md").read_text("utf-8")
    told = {}
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        name = section.split("\n", 1)[0]
        lists = re.findall(r"`((?:\w+\??, )+\w+\??)`", section.split("\n", 1)[1])
        if re.fullmatch(r"[\w/]+\.(parquet|csv)", name) and lists:
            told[name] = [(c.rstrip("?"), c.endswith("?")) for c in lists[0].split(", ")]
    return told


def _read(path: Path) -> pl.DataFrame:
    return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)


def test_the_page_tells_of_every_table(case, root) -> None:
    assert len(_told(root)) >= 11
    left = {p.relative_to(case.out).as_posix() for p in case.out.rglob("*") if p.is_file()}
    assert set(_told(root)) <= left
    assert {
        "plan.xlsx",
        "report.html",
        "run.json",
        "handover/worklist.xlsx",
        "handover/write_off.xlsx",
    } <= left


def test_columns_are_those_of_the_page_and_nulls_only_where_it_says(case, root) -> None:
    for name, columns in _told(root).items():
        table = _read(case.out / name)
        assert table.columns == [column for column, _ in columns], name
        for column, may_be_null in columns:
            assert may_be_null or table[column].null_count() == 0, f"{name} {column}"


@pytest.mark.parametrize("name", EXPECTED_TYPES)
def test_types_are_those_of_the_contract(case, name) -> None:
    schema = pl.read_parquet_schema(case.out / name)
    assert {column: schema[column] for column in EXPECTED_TYPES[name]} == EXPECTED_TYPES[name]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("standing.parquet", ["loan_id"]),
        ("plan.parquet", ["loan_id"]),
        ("forecast.parquet", ["loan_id"]),
        ("accepted.parquet", ["loan_id"]),
        ("offers.parquet", ["loan_id", "channel", "start_month"]),
    ],
)
def test_rows_are_sorted_by_key_and_keys_are_unique(case, name, keys) -> None:
    table = pl.read_parquet(case.out / name).select(keys)
    assert_frame_equal(table, table.unique().sort(keys))


def test_rows_and_fen_in_are_those_accepted_and_those_in_quarantine(case) -> None:
    record = json.loads((case.out / "run.json").read_text("utf-8"))
    rows, claim = record["rows"], record["claim"]
    assert rows["in"] == rows["accepted"] + rows["quarantined"]
    assert claim["in"] == claim["accepted"] + claim["quarantined"]
    accepted = pl.read_parquet(case.out / "accepted.parquet")
    assert rows["accepted"] == accepted.height
    owed = accepted.select(pl.sum_horizontal("principal", "interest", "fees")).to_series()
    assert claim["accepted"] == owed.sum()
    assert rows["closed"] == (owed == 0).sum()
    source = Path(case.request.loans)
    with source.open(encoding="gb18030") as lines:
        assert rows["in"] == sum(1 for _ in csv.reader(lines)) - 1


def test_the_plan_takes_each_loan_one_eligible_way_at_the_value_offered(case) -> None:
    plan = pl.read_parquet(case.out / "plan.parquet")
    offers = pl.read_parquet(case.out / "offers.parquet")
    taken = plan.join(offers, on=["loan_id", "channel", "start_month"], how="left", suffix="_o")
    assert taken["eligible"].all()
    assert (taken["value"] == taken["value_o"]).all()
    assert offers.height == 18 * plan.height
    assert offers.filter(~pl.col("eligible"))["value"].null_count() == (~offers["eligible"]).sum()
    assert offers.filter(~pl.col("eligible"))["blocked_by"].null_count() == 0
    assert offers.filter("eligible")["eligible_after_reclass"].all()


def test_no_capacity_is_broken_counted_anew_from_offers_and_plan(case) -> None:
    plan = pl.read_parquet(case.out / "plan.parquet")
    offers = pl.read_parquet(case.out / "offers.parquet")
    province = pl.read_parquet(case.out / "accepted.parquet", columns=["loan_id", "province"])
    taken = (
        plan.filter(pl.col("start_month") == 0)
        .join(offers, on=["loan_id", "channel", "start_month"])
        .join(province, on="loan_id")
    )
    limits = pl.read_parquet(case.out / "capacities.parquet").filter(pl.col("limit").is_not_null())
    assert limits.height == 7
    for row in limits.iter_rows(named=True):
        within = taken.filter(province="Zhejiang") if "Zhejiang" in row["scope"] else taken
        used = within[f"uses_{row['capacity']}"].fill_null(0).sum()
        assert used == pytest.approx(row["used"], rel=1e-9)
        assert used <= row["limit"] * (1 + 1e-12) if row["sense"] == "max" else used >= row["limit"]


def test_papers_hold_exactly_the_loans_that_the_plan_sends_there(case) -> None:
    plan = pl.read_parquet(case.out / "plan.parquet")
    folder = case.out / "handover"
    now = plan.filter(pl.col("start_month") == 0)

    def planned(*channels: str, table: pl.DataFrame = now) -> set[str]:
        return set(table.filter(pl.col("channel").is_in(channels))["loan_id"])

    assert set(pl.read_csv(folder / "filings.csv")["loan_id"]) == planned("litigate")
    assert set(pl.read_csv(folder / "offers.csv")["loan_id"]) == planned("restructure")
    off = pl.read_csv(folder / "write_off.csv")
    assert set(off["loan_id"]) == set(plan.filter("write_off_now")["loan_id"])
    assert off["claim"].is_sorted(descending=True)
    assert (off["provision"] >= off["claim"]).all()
    worked = planned("collect", "restructure", "litigate", table=plan)
    assert worked <= set(pl.read_csv(folder / "worklist.csv")["loan_id"])
    for channel in ("transfer", "securitise", "income_rights"):
        tapes = list((folder / channel).glob("*/tape.csv"))
        rows = sum(pl.read_csv(tape, infer_schema=False).height for tape in tapes)
        assert rows == len(planned(channel))


def test_each_demand_of_the_worklist_has_its_letter(case, tmp_path) -> None:
    # Collectors of the book demand every month; of these loans nothing was heard since their term ended
    late = (pl.col("days_past_due") > 0) & pl.col("judgment_date").is_null()
    forgotten = {name: pl.lit(None, pl.Date) for name in ("last_demand_date", "last_payment_date")}
    forgotten["maturity_date"] = pl.lit(date(2022, 5, 31))
    pl.read_parquet(case.out / "accepted.parquet").with_columns(
        pl.when(late).then(to).otherwise(name).alias(name) for name, to in forgotten.items()
    ).write_parquet(tmp_path / "loans.parquet")
    out = tmp_path / "result"
    run.resolve(run.Request(str(tmp_path / "loans.parquet"), scenarios=20), out=out)
    work = pl.read_csv(out / "handover/worklist.csv", try_parse_dates=True)
    asked = work.filter(pl.col("action") == "demand")
    page = (out / "handover/demands.html").read_text("utf-8")
    assert asked.height > 20
    named = re.findall(r"<h2>Demand for payment, loan (\w+)</h2>", page)
    assert sorted(named) == asked["loan_id"].to_list()
    accepted = pl.read_parquet(out / "accepted.parquet").join(asked, on="loan_id", how="semi")
    assert "limitation ends on 2025-05-31" in page
    for row in accepted.iter_rows(named=True):
        claim = row["principal"] + row["interest"] + row["fees"]
        assert f"owed {claim / 100:,.2f} yuan on your loan {row['loan_id']} with" in page
        for column in ("borrower_id", "id_key", "phone_key", "name_key", "address_key"):
            assert row[column] not in page


def test_packages_carry_no_id_and_no_linkage(case) -> None:
    accepted = pl.read_parquet(case.out / "accepted.parquet")
    secret = set(accepted["loan_id"]) | set(accepted["borrower_id"])
    for column in ("id_key", "phone_key", "name_key", "address_key"):
        secret |= set(accepted[column].drop_nulls())
    for path in (case.out / "handover").rglob("*/*/*"):
        words = set(re.split(r"[^\w-]+", path.read_text("utf-8")))
        assert not words & secret, path.name


def test_nobody_stands_alone_in_the_tape_of_a_package(case) -> None:
    tapes = list((case.out / "handover").glob("*/*/tape.csv"))
    assert tapes
    for path in tapes:
        kinds = {"birth_year": pl.Int32, "province": pl.String}
        tape = pl.read_csv(path, try_parse_dates=True, schema_overrides=kinds)
        cells = tape.select(n=pl.len().over("province", "birth_year", "product"))["n"]
        few = tape.select(n=pl.len().over("product"))["n"] < 5
        assert ((cells >= 5) | few).all()
        assert (tape["birth_year"].drop_nulls() % 5 == 0).all()
        assert (tape["origination_date"].drop_nulls().dt.day() == 1).all()


def test_a_buyer_prices_the_tape_of_a_package_as_it_is(case, tmp_path) -> None:
    listed = pl.read_csv(case.out / "handover/package_loans.csv")
    package = listed["package"][0]
    plan = pl.read_parquet(case.out / "plan.parquet")
    mine = plan.filter(pl.col("loan_id").is_in(listed.filter(package=package)["loan_id"].implode()))
    tape = case.out / "handover" / package / "tape.csv"
    request = run.Request(str(tape), holder="local_amc", scenarios=20)
    told = run.price(request, out=tmp_path / "bid").summary
    assert told["claim"] == mine["claim"].sum()
    assert told["principal"] == mine["principal"].sum()


def test_the_house_can_tell_which_loan_each_row_of_a_package_is(case) -> None:
    folder = case.out / "handover"
    listed = pl.read_csv(folder / "package_loans.csv")
    accepted = pl.read_parquet(case.out / "accepted.parquet")
    assert listed.height > 0
    for (package,), mine in listed.group_by("package"):
        tape = pl.read_csv(folder / str(package) / "tape.csv")
        both = mine.join(accepted, on="loan_id").join(
            tape, left_on="number", right_on="loan_number", suffix="_told"
        )
        assert both.height == mine.height == tape.height
        assert (both["principal"] == (both["principal (yuan)"] * 100).round()).all()
        assert (both["days_past_due"] == both["days_past_due_told"]).all()
    last = listed.row(-1, named=True)
    steps = run.explain(case.out, last["loan_id"]).as_dict()["steps"]
    (step,) = [one for one in steps if one["rule"] == "package"]
    assert step["result"] == last["package"]
    assert step["value"] == f"number {last['number']} of its tape"
    sold = ("transfer", "securitise", "income_rights")
    plan = pl.read_parquet(case.out / "plan.parquet").filter(
        pl.col("channel").is_in(sold) & (pl.col("start_month") == 0)
    )
    assert set(listed["loan_id"]) == set(plan["loan_id"])


def test_packages_tell_what_they_hold_and_bring(case) -> None:
    table = pl.read_csv(case.out / "packages.csv")
    listed = pl.read_csv(case.out / "handover/package_loans.csv")
    offers = pl.read_parquet(case.out / "offers.parquet").filter("eligible")
    plan = pl.read_parquet(case.out / "plan.parquet").join(
        offers, on=["loan_id", "channel", "start_month"], suffix="_o"
    )
    single = offers.filter(pl.col("channel").is_in(["collect", "restructure", "litigate"]))
    best = single.group_by("loan_id").agg(alone=pl.col("value").max())
    whole = table.filter(pl.col("cut") == "total")
    assert set(whole["folder"].drop_nulls()) == set(listed["package"])
    for row in whole.filter(pl.col("folder").is_not_null()).iter_rows(named=True):
        mine = (
            listed.filter(package=row["folder"]).join(plan, on="loan_id").join(best, on="loan_id")
        )
        assert (row["loans"], row["claim"]) == (mine.height, mine["claim"].sum())
        for name in ("cash", "cost", "value", "alone"):
            assert row[name] == pytest.approx(mine[name].sum(), rel=1e-9)
        assert row["gain"] == pytest.approx(row["value"] - row["alone"] - row["fixed_cost"])
        assert row["per_claim"] == pytest.approx(mine["cash"].sum() / mine["claim"].sum())
    record = json.loads((case.out / "run.json").read_text("utf-8"))
    assert whole["fixed_cost"].sum() == record["plan"]["pool_costs"] > 0
    for (package, cut), part in table.group_by("package", "cut"):
        of = whole.filter(package=package)
        for name in ("loans", "claim", "principal", "cash", "value", "alone"):
            assert part[name].sum() == pytest.approx(of[name][0]), f"{package} {cut} {name}"


def test_the_filing_fee_and_the_offer_add_up(case) -> None:
    accepted = pl.read_parquet(case.out / "accepted.parquet")
    claim = accepted.select("loan_id", claim_now=pl.sum_horizontal("principal", "interest", "fees"))
    offers = pl.read_csv(case.out / "handover/offers.csv").join(claim, on="loan_id")
    assert (offers["waived_principal"] == 0).all()
    waived = offers["waived_interest"] + offers["waived_fees"] + offers["waived_principal"]
    rest = offers["claim_now"] - waived - offers["instalments"] * offers["instalment"]
    assert (rest.abs() < offers["instalments"]).all()
    assert (rest + offers["instalment"] == offers["last_instalment"]).all()
    assert (offers["last_instalment"] > 0).all()
    filings = pl.read_csv(case.out / "handover/filings.csv").join(claim, on="loan_id")
    assert (filings["claim"] == filings["claim_now"]).all()


def test_the_book_adds_up_in_every_cut(case) -> None:
    book = pl.read_csv(case.out / "book.csv")
    sums = book.group_by("cut").agg(pl.col("loans", "claim", "reported", "by_rule").sum())
    assert sums.drop("cut").unique().height == 1
    hidden = book.group_by("cut").agg(pl.col("with_hidden").sum())["with_hidden"]
    assert hidden.max() == pytest.approx(hidden.min())
    assert (book["with_hidden"] >= book["by_rule"]).all()
    assert (book["lo90"] <= book["with_hidden"]).all()
    assert (book["with_hidden"] <= book["hi90"]).all()


def test_the_curve_rises_and_the_mean_is_that_of_the_loans(case) -> None:
    curve = pl.read_parquet(case.out / "curve.parquet")
    forecast = pl.read_parquet(case.out / "forecast.parquet")
    assert curve["month"].to_list() == list(range(1, 121))
    assert (curve["mean"].diff().drop_nulls() >= 0).all()
    for months in (12, 60):
        total = forecast[f"expected_{months}m"].sum()
        assert curve["mean"][months - 1] == pytest.approx(total, rel=2e-3)
    for low, high in (("q05", "q25"), ("q25", "q50"), ("q50", "q75"), ("q75", "q95")):
        assert (curve[low] <= curve[high]).all()


def test_the_record_names_every_product_and_input(case) -> None:
    record = json.loads((case.out / "run.json").read_text("utf-8"))
    left = {p.relative_to(case.out).as_posix() for p in case.out.rglob("*") if p.is_file()}
    assert set(record["products"]) == left - {"run.json"}
    assert {entry["name"] for entry in record["inputs"]} == set(case.request.files())
    assert record["plan"]["bound"] >= record["plan"]["value"]


def test_an_offer_that_waives_principal_names_the_rule_that_allows_it(tmp_path: Path) -> None:
    (tmp_path / "loans.csv").write_text(
        "as_of,loan_id,borrower_id,lender,product,principal,interest,days_past_due,legal_status\n"
        "2025-03-31,A,a,Bank,consumer,832946,0,122,ended\n"
        "2025-03-31,B,b,Bank,credit_card,832946,0,122,ended\n"
    )
    for rulebook in ("cn", "cn-principal-reducible"):
        asked = run.Request(
            str(tmp_path / "loans.csv"), holder="national_amc", rulebook=rulebook, scenarios=5
        )
        run.resolve(asked, out=tmp_path / rulebook)
        offers = pl.read_csv(tmp_path / rulebook / "handover/offers.csv").sort("loan_id")
        assert offers["loan_id"].to_list() == ["A", "B"]
        if rulebook == "cn":
            assert offers["article"].to_list() == ["CN-WAIVE-INTEREST", "CN-CARD-2011-70"]
        else:
            assert (offers["waived_principal"] > 0).all()
            assert offers["article"].to_list() == ["CN-AMC-PRINCIPAL"] * 2


def test_what_a_sheet_has_no_room_for_is_told(tmp_path: Path, monkeypatch) -> None:
    for room in ("handover.papers", "report.result_workbook"):
        monkeypatch.setattr(f"arrears.{room}.SHEET_ROWS", 2)
    head = "as_of,loan_id,borrower_id,lender,product,principal,days_past_due\n"
    rows = [f"2025-03-31,{name},{name},Bank,consumer,832946,122\n" for name in "ABC"]
    (tmp_path / "loans.csv").write_text(head + "".join(rows))
    asked = run.Request(str(tmp_path / "loans.csv"), scenarios=5, excel_all=True)
    run.resolve(asked, out=tmp_path / "out")
    for path, sheet, told in (
        ("plan.xlsx", "Which way", "2 of most worth; 1 more in plan.parquet"),
        ("handover/worklist.xlsx", "Worklist", "the first 2 by worth here"),
    ):
        sheets = pl.read_excel(tmp_path / "out" / path, sheet_id=0)
        assert sheets[sheet].height == 2
        assert told in str(sheets["Cover"].to_dicts())
