"""Letters, claims and notices: word for word, in two languages, and what a letter of one's own may say."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from arrears import rules
from arrears.channels import Holder
from arrears.handover import cases, letters, read_template
from arrears.handover.template import FIELDS, LANGUAGES, OFFER_FIELDS, bundled
from arrears.tape.columns import LOANS

GOLDEN = Path(__file__).parent / "golden"
LOAN = {
    "loan_id": "L1", "borrower_id": "P1", "lender": "Eastern Bank", "branch": "North & South", "product": "credit_card",
    "principal": 5_000_000, "interest": 400_001, "fees": 30_000, "days_past_due": 400,
    "origination_date": date(2021, 5, 6), "maturity_date": date(2026, 5, 6), "court": None,
}  # fmt: skip
OFFER = {
    "loan_id": ["L1"],
    "instalments": [36],
    "instalment": [144_722],
    "waived_interest": [200_000],
    "waived_fees": [20_000],
    "waived_principal": [0],
    "grace_months": [2],
}


class Known:
    """A situation of one loan, as far as letters look at it."""

    def __init__(self, day: date) -> None:
        self.as_of = day
        self.rulebook = rules.load("cn")
        self.loans = pl.DataFrame([{**dict.fromkeys(LOANS), **LOAN}], schema=LOANS)
        self.claim = pl.Series([5_430_001.0]).to_numpy()
        self.holder = Holder(kind="joint_stock_bank", service_phone="400-000-0000")

    def but(self, **changes: object) -> Known:
        """The same, its loan changed."""
        other = Known(self.as_of)
        told = [pl.lit(value, LOANS[name]).alias(name) for name, value in changes.items()]
        other.loans = self.loans.with_columns(told)
        return other

    def number(self, path: str) -> float:
        return rules.load_market("cn").number(path, self.as_of)


@pytest.fixture(params=[date(2025, 3, 31), date(2026, 3, 1)], ids=["before", "after"])
def situation(request) -> Known:
    return Known(request.param)


def test_the_offer_states_the_sum_what_it_is_made_of_and_whom_to_ask(situation) -> None:
    page = letters.offer_letters(pl.DataFrame(OFFER), situation, None, None)
    if situation.as_of.year == 2025:
        assert page == (GOLDEN / "offer.html").read_text("utf-8")
    # by hand: 54,300.01 less 2,000 and 200
    for words in ("54,300.01 yuan", "54,300.01元", "52,100.01 yuan", "36 期", "1,447.22元"):
        assert words in page
    # by hand: 52,100.01 less 35 times 1,447.22
    for words in ("the last one of 1,447.31 yuan;", "（末期 1,447.31元）"):
        assert words in page
    assert "North &amp; South" in page
    assert ("22:00" in page) == (situation.as_of.year == 2026)
    assert not re.search(r"[{}](?![^<]*</style>)", page.split("</style>")[1])


def test_a_waiver_of_nothing_is_not_spoken_of(situation) -> None:
    offer = pl.DataFrame(OFFER | {"waived_interest": [0], "waived_fees": [0]})
    page = letters.offer_letters(offer, situation, None, None)
    assert "waive" not in page
    assert "减免" not in page


def test_the_letter_tells_the_first_instalment_and_what_of_the_principal_is_waived(
    situation,
) -> None:
    page = letters.offer_letters(
        pl.DataFrame(OFFER | {"waived_principal": [1_000_000]}), situation, None, None
    )
    # by hand: 54,300.01 less 2,000, 200 and 10,000
    for words in (
        "month 3 after you sign",
        "第 3 个月",
        "10,000.00 yuan of the principal",
        "42,100.01元",
    ):
        assert words in page


def test_no_letter_threatens(situation) -> None:
    page = letters.offer_letters(pl.DataFrame(OFFER), situation, None, None).lower()
    assert not re.search(r"court|sue|blacklist|seiz|police|法院|起诉|失信|查封|报警", page)


def demand(known: Known, ends: date = date(2026, 4, 1)) -> str:
    asked = pl.DataFrame({"loan_id": ["L1"], "limitation_ends": [ends]})
    return letters.demands(asked, known, None)


def test_a_demand_states_sum_since_when_limitation_and_whom_to_pay(situation) -> None:
    page = demand(situation)
    if situation.as_of.year == 2025:
        assert page == (GOLDEN / "demand.html").read_text("utf-8")
        # by hand: 400 days before the last of March 2025
        assert "自2024年2月25日起" in page
        assert "since 2024-02-25; that is 400 days" in page
    for words in (
        "owed 54,300.01 yuan",
        "principal 50,000.00 yuan, interest 4,000.01 yuan, fees 300.00 yuan",
        "尚欠 54,300.01元，其中本金 50,000.00元，利息 4,000.01元，费用 300.00元",
        "by law (Civil Code, Articles 188, 189, 195) it interrupts",
        "民法典第一百八十八条、第一百八十九条、第一百九十五条",
        "the time of 3 years starts anew. Without it the limitation ends on 2026-04-01.",
        "诉讼时效将于2026年4月1日届满",
        "call 400-000-0000.",
        "请拨打400-000-0000。",
        "North &amp; South",
    ):
        assert words in page
    assert page.count("<hr ") == 2
    assert ("22:00" in page) == (situation.as_of.year == 2026)
    assert not re.search(r"P1|not known|未知|[{}]", page.split("</style>")[1])
    assert not re.search(r"court|sue|blacklist|seiz|police|法院|起诉|失信|查封|报警", page.lower())


def test_a_demand_says_that_all_is_due_only_where_the_term_has_ended(situation) -> None:
    assert "all of it is due" not in demand(situation)
    assert "均已到期" not in demand(situation)
    page = demand(situation.but(maturity_date=date(2023, 5, 6), days_past_due=1_005))
    assert "逾期 1,005 天" in page
    assert "Its term ended on 2023-05-06, and all of it is due." in page
    assert "贷款期限已于2023年5月6日届满，全部款项均已到期。" in page
    assert "is due." not in demand(situation.but(maturity_date=None)).replace("what is due.", "")


def test_a_claim_states_sum_fee_and_limitation_and_names_no_borrower(situation) -> None:
    filing = pl.DataFrame(
        {"loan_id": ["L1"], "court": pl.Series([None], dtype=pl.String), "claim": [5_430_001], "fee": [115_750],
         "limitation_ends": [date(2027, 4, 1)], "priority": [1], "expected_worth": [1.0], "mediation": [False]}
    )  # fmt: skip
    page = letters.claims(filing, situation, None)
    for words in (
        "1,157.50 yuan",
        "2027年4月1日",
        "the people&#x27;s court in charge",
        "减半收取",
        "信用卡",
    ):
        assert words in page
    assert "P1" not in page


FILING = {
    "loan_id": ["L1"], "court": ["Court 1"], "claim": [5_430_001], "fee": [115_750],
    "limitation_ends": [date(2027, 4, 1)], "priority": [1], "expected_worth": [1.0], "mediation": [False],
}  # fmt: skip


def paper(known: Known, ends: date = date(2027, 4, 1), *, mediation: bool = False) -> str:
    filing = FILING | {"limitation_ends": [ends], "mediation": [mediation]}
    return letters.claims(pl.DataFrame(filing), known, None)


def test_an_application_for_mediation_goes_before_the_claim(situation) -> None:
    page = paper(situation, mediation=True)
    titles = re.findall(r"<h2>([^<]*)</h2>", page)
    assert titles == [
        "调解申请书（贷款 L1）", "Application for mediation, loan L1",
        "民事起诉状（贷款 L1）", "Statement of claim, loan L1",
    ]  # fmt: skip
    assert page.count("<article>") == 2
    if situation.as_of.year == 2025:
        assert page == (GOLDEN / "mediation.html").read_text("utf-8")
    # by hand: half of 1,157.50
    for words in ("578.75元", "578.75 yuan where the case ends by mediation", "asks for mediation first",
                  "原告申请先行调解", "（最多 60 期）", ", 60 at most"):  # fmt: skip
        assert words in page
    assert not re.search(r"P1|not known|未知|[{}]", page.split("</style>")[1])
    other = paper(situation.but(product="consumer"), mediation=True)
    assert "60" not in re.sub(
        r"[\d,]+\.\d\d", "", other.split("民事起诉状（")[0].split("</style>")[1]
    )


def test_a_page_without_letters_says_so(situation) -> None:
    asked = pl.DataFrame(schema={"loan_id": pl.String, "limitation_ends": pl.Date})
    page = letters.demands(asked, situation, None)
    assert "The plan asks for no such paper." in page
    assert "The plan asks" not in demand(situation)


def test_a_claim_without_mediation_does_not_speak_of_it_as_asked_for(situation) -> None:
    page = paper(situation)
    assert page.count("<article>") == 1
    assert "asks for mediation" not in page
    assert "先行调解" not in page


def test_papers_for_the_court_cite_the_articles_that_were_read_in_a_source(situation) -> None:
    page = paper(situation)
    for words in (
        "（诉讼费用交纳办法（国务院令第481号）第十三条）",
        "(Measures on Litigation Costs, Article 13)",
        "减半收取（诉讼费用交纳办法第十五条、第十六条）",
        "(Measures on Litigation Costs, Articles 15 and 16).",
        "（民法典第一百八十八条、第一百八十九条、第一百九十五条）。",
        "ends on 2027-04-01 (Civil Code, Articles 188, 189, 195).",
    ):
        assert words in page
    # The two years to apply for enforcement were not read in a source
    judged = paper(situation.but(legal_status="judged", judgment_date=date(2025, 1, 2)))
    assert "The time to apply ends on 2027-04-01." in judged
    assert "Article" not in judged


def test_who_has_bought_the_claim_says_how_it_was_assigned(situation) -> None:
    words = ("(Civil Code, Article 546), notice and proof", "（民法典第五百四十六条）")
    assert not any(word in paper(situation) for word in words)
    situation.holder = Holder(kind="local_amc")
    assert all(word in paper(situation) for word in words)


def test_mediation_is_asked_for_where_there_is_somebody_to_agree_with() -> None:
    rows = [
        (None, None, None, True),
        ("not_sued", "reachable", False, True),
        ("not_sued", "unreachable", False, True),
        ("not_sued", "vanished", False, False),
        ("not_sued", "reachable", True, False),
        ("filed", "reachable", False, False),
        ("judged", "reachable", False, False),
        ("mediated", "reachable", False, False),
    ]
    heads = ["legal_status", "contact_status", "fraud_flag", "asked"]
    table = pl.DataFrame(rows, schema=heads, orient="row")
    assert table.select(cases.asks_mediation()).to_series().to_list() == table["asked"].to_list()


def test_each_case_gets_the_paper_of_its_status(situation) -> None:
    titles = {
        None: ("民事起诉状", "Statement of claim"),
        "not_sued": ("民事起诉状", "Statement of claim"),
        "mediated": ("强制执行申请书", "Application for enforcement"),
        "judged": ("强制执行申请书", "Application for enforcement"),
        "enforcing": ("继续执行申请书", "Application to go on with enforcement"),
        "terminated": ("恢复执行申请书", "Application to resume enforcement"),
    }
    for word, (chinese, english) in titles.items():
        page = paper(situation.but(legal_status=word))
        assert re.findall(r"<h2>(.*?)</h2>", page) == [
            f"{chinese}（贷款 L1）",
            f"{english}, loan L1",
        ]
        assert ("being enforced" in page) == (word == "enforcing")
        assert ("终结本次执行" in page) == (word == "terminated")
    assert "<article>" not in paper(situation.but(legal_status="filed"))


@pytest.mark.parametrize(
    ("status", "judged", "ends", "said"),
    [
        ("judged", date(2025, 4, 1), date(2027, 4, 1), True),
        ("mediated", date(2025, 4, 1), date(2027, 4, 1), True),
        ("judged", date(2021, 6, 25), date(2023, 6, 25), False),
        # What ends on that day is the claim's limitation, not the time to apply
        ("mediated", None, date(2027, 4, 1), False),
        ("enforcing", date(2025, 4, 1), date(2027, 4, 1), False),
        ("terminated", date(2021, 6, 25), date(2023, 6, 25), False),
    ],
)
def test_the_time_to_apply_is_told_only_while_it_runs(situation, status, judged, ends, said):
    page = paper(situation.but(legal_status=status, judgment_date=judged), ends)
    assert ("The time to apply ends on 2027-04-01." in page) == said
    assert ("申请执行期限届满日：2027年4月1日。" in page) == said
    assert "2023-06-25" not in page
    assert "2023年6月25日" not in page


def test_a_limitation_that_has_ended_is_no_word_to_the_court(situation) -> None:
    assert "Limitation ends on 2027-04-01 (" in paper(situation)
    page = paper(situation, date(2024, 4, 1))
    assert "2024" not in page
    assert "时效" not in page


@pytest.mark.parametrize(
    ("security", "words"),
    [
        ("home", ["4. to be paid first out of what the mortgaged home brings.", "四、原告就抵押房产折价"]),
        ("vehicle", ["mortgaged vehicle", "抵押车辆"]),
        ("other", ["the collateral brings", "担保物"]),
        ("guarantee", ["4. the guarantor", "四、保证人"]),
        ("none", []),
        (None, []),
    ],
)  # fmt: skip
def test_a_claim_asks_for_collateral_and_guarantor(situation, security, words) -> None:
    page = paper(situation.but(security=security))
    assert all(word in page for word in words)
    assert ("4. " in page) == bool(words) == ("四、" in page)


def test_a_loan_whose_term_runs_on_is_called_in(situation) -> None:
    page = paper(situation.but(product="mortgage"))
    assert "calls in the whole loan" in page
    assert "提前到期" in page
    ended = situation.but(product="mortgage", maturity_date=date(2024, 5, 6))
    for other in (ended, situation):
        assert "calls in" not in paper(other)
        assert "提前到期" not in paper(other)


def test_what_the_tape_does_not_tell_the_court_is_a_gap_to_fill(situation) -> None:
    page = paper(situation.but(legal_status="judged"))
    assert "judgment or mediation of ______________;" in page
    assert "not known" not in page
    assert "未知" not in page


def test_a_guarantor_is_a_party_and_no_stranger(situation) -> None:
    guaranteed = situation.but(security="guarantee", product="consumer")
    both = ("the borrower of loan L1 and the guarantor;", "贷款 L1 的借款人及保证人；")
    page = paper(guaranteed, mediation=True)
    assert [page.count(words) for words in both] == [2, 2]
    judged = paper(guaranteed.but(legal_status="judged"))
    assert "loan L1 and the guarantor, as the judgment or mediation names them;" in judged
    assert "借款人及保证人（以执行依据载明的为限）；" in judged
    assert "guarantor" not in paper(situation, mediation=True)
    strict = ("We speak with nobody else about your loan.", "我们不会与其他任何人谈论您的贷款。")
    open_to_him = ("nobody but you and your guarantor", "除您和您的保证人外")
    for known, said, not_said in (
        (situation, strict, open_to_him),
        (guaranteed, open_to_him, strict),
    ):
        for letter in (
            letters.offer_letters(pl.DataFrame(OFFER), known, None, None),
            demand(known),
        ):
            assert all(words in letter for words in said)
            assert not any(words in letter for words in not_said)


def test_a_paper_is_for_a_court_that_the_tape_names(situation) -> None:
    """`filings.csv` queues a loan without one by its province, to which nobody can write."""
    assert "To: Court 1" in paper(situation.but(court="Court 1"))
    page = paper(situation.but(province="Zhejiang"))
    assert "Court 1" not in page
    assert "此致：有管辖权的人民法院" in page


def test_a_card_has_no_term_to_fill_in(situation) -> None:
    for product, day, said in (
        ("credit_card", None, ("granted on 2021-05-06;", "发放日 2021年5月6日；")),
        ("consumer", None, (", term until ______________;", "，到期日 ______________；")),
        ("credit_card", date(2026, 5, 6), (", term until 2026-05-06;", "，到期日 2026年5月6日；")),
    ):
        page = paper(situation.but(product=product, maturity_date=day))
        assert all(words in page for words in said)


def test_who_has_no_branches_names_none(situation) -> None:
    offers, none = pl.DataFrame(OFFER), situation.but(branch=None)
    for known, there in ((situation, True), (none, False)):
        assert ("，经办网点 North &amp; South。" in paper(known)) == there
        assert ("handled by" in paper(known)) == there
        page = letters.offer_letters(offers, known, None, None)
        assert ("Whom to ask: your branch" in page) == there
        assert ("咨询：请拨打" in page) != there


def test_who_has_bought_the_claim_sues_and_not_who_has_sold_it(situation) -> None:
    known = situation.but(security="none")
    assert "Claimant: Eastern Bank, handled by North &amp; South." in paper(known)
    for kind, name, said in (
        ("local_amc", None, ("Claimant: ______________.", "原告：______________。", "本债权系受让取得")),
        ("local_amc", "Yangtze AMC", ("Claimant: Yangtze AMC.", "原告：Yangtze AMC。", "本债权系自Eastern Bank受让取得",
                                      "assigned to the claimant by Eastern Bank;")),
        ("local_amc", "Eastern Bank", ("Claimant: Eastern Bank.", "assigned to the claimant;")),
        ("city_bank", "Eastern Bank Ltd", ("Claimant: Eastern Bank Ltd, handled by North &amp; South.",)),
    ):  # fmt: skip
        known.holder = Holder(kind=kind, name=name)
        page = paper(known)
        assert all(words in page for words in said), kind
        assert f"For {name or '______________'} (seal)" in demand(known)
        offer = letters.offer_letters(pl.DataFrame(OFFER), known, None, None)
        assert ("North &amp; South" in offer) == (kind == "city_bank")


def test_no_paper_takes_its_holder_for_a_bank(situation) -> None:
    situation.holder = Holder(kind="national_amc", service_phone="95000")
    guaranteed = situation.but(security="guarantee", legal_status="terminated")
    made = paper(situation, mediation=True) + paper(guaranteed) + demand(situation)
    made += letters.offer_letters(pl.DataFrame(OFFER), situation, None, None)
    said = made.replace("Eastern Bank", "").replace("from any bank", "").replace("任何银行", "")
    assert not re.search(r"\bbank\b|银行|本行", said)


def test_each_language_prints_on_sheets_of_its_own(situation) -> None:
    page = paper(situation, mediation=True)
    style = page.split("</style>")[0].split("@media print{")[1]
    assert "section+section{break-before:page" in style
    assert page.count('<section lang="zh">') == page.count('<section lang="en">') == 2


def test_a_card_offer_states_what_its_rule_asks_for_and_no_other_does(situation) -> None:
    words = ("new credit card", "nobody collects", "人民币", "停止催收")
    offers = pl.DataFrame(OFFER)
    page = letters.offer_letters(offers, situation, None, None)
    assert all(word in page for word in words)
    other = letters.offer_letters(offers, situation.but(product="consumer"), None, None)
    assert not any(word in other for word in words)
    early = Known(date(2010, 12, 31))
    assert not any(word in letters.offer_letters(offers, early, None, None) for word in words)


@pytest.mark.parametrize(
    ("kind", "said", "not_said"),
    [
        ("city_bank", ["any of our branches", "任一网点"], ["assignment"]),
        ("fintech", ["in our app.", "手机应用。"], ["branches", "任一网点", "assignment"]),
        ("national_amc", ["notice of assignment names.", "债权转让通知"], ["contract names", "手机应用"]),
    ],
)  # fmt: skip
def test_the_ways_to_pay_are_those_of_who_holds_the_loan(situation, kind, said, not_said) -> None:
    situation.holder = Holder(kind=kind, service_phone="95000")
    page = letters.offer_letters(pl.DataFrame(OFFER), situation, None, None)
    assert all(word in page for word in said)
    assert not any(word in page for word in not_said)


def test_who_can_still_repair_his_record_is_told_until_when(situation) -> None:
    words = ("by 2026-03-31, it is no longer shown", "2026年3月31日前（含当日）还清")
    for can in (True, False):
        offers = pl.DataFrame(OFFER).with_columns(credit_repair=pl.lit(can))
        page = letters.offer_letters(offers, situation, None, None)
        assert all((word in page) == can for word in words)


def test_a_letter_names_a_number_to_call(situation) -> None:
    offers = pl.DataFrame(OFFER)
    assert "call 400-000-0000." in letters.offer_letters(offers, situation, None, None)
    assert "请拨打400-000-0000。" in letters.assignments(situation.loans, situation, None)
    situation.holder = Holder(kind="joint_stock_bank")
    page = letters.offer_letters(offers, situation, None, None)
    assert "call the number in your loan contract." in page
    assert "请拨打贷款合同所载的电话。" in page


def test_a_notice_of_assignment_goes_to_the_borrower_alone(situation) -> None:
    page = letters.assignments(situation.loans, situation, None)
    assert page.count("L1") == 4
    assert "may not sell the claim on" in page


@pytest.mark.parametrize(
    "name", ["offer", "demand", "filing", "mediation", "enforcement", "assignment"]
)
def test_bundled_letters_use_known_fields_alike_in_both_languages(name, tmp_path) -> None:
    used = []
    for template in bundled(name):
        path = tmp_path / template.language
        path.write_text(template.text, "utf-8")
        assert (read_template(path)[1] == []) == (name in {"offer", "assignment"})
        used.append(set(re.findall(r"{(\w+)}", template.text)))
    assert [template.language for template in bundled(name)] == list(LANGUAGES)
    assert used[0] == used[1] <= set(FIELDS)


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("Title\n\nYou owe {clain}.", "LETTER-UNKNOWN-FIELD", ["line 3", "{clain}", "claim"]),
        ("Title\n\nThe fee is {fee}.", "LETTER-UNKNOWN-FIELD", ["line 3", "{fee}", "fees"]),
        ("Title\n\nYou owe {claim.", "LETTER-BAD-BRACE", ["line 3"]),
        ("  \n", "LETTER-EMPTY", ["empty"]),
        (b"\xff\xfe\x00", "LETTER-UNREADABLE", ["Not UTF-8."]),
    ],
)
def test_a_letter_that_is_wrong_is_told_where(tmp_path, text, code, words) -> None:
    path = tmp_path / "letter.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    template, problems = read_template(path)
    assert template is None
    assert problems[0].code == code
    assert all(word in problems[0].line() for word in words)


def test_a_letter_that_is_not_there_is_told_in_words(tmp_path) -> None:
    _, problems = read_template(tmp_path / "gone.txt")
    assert "No such file or directory. The letters need" in problems[0].line()
    assert "Errno" not in problems[0].line()


def test_the_page_of_products_lists_the_fields_of_an_offer(root) -> None:
    text = (root / "docs/products.md").read_text("utf-8")
    listed = text.split("Fields of a letter of your own: ")[1].split(".\n")[0]
    assert re.findall(r"`{(\w+)}`", listed) == list(OFFER_FIELDS)


def test_a_letter_of_ones_own_stands_alone(situation, tmp_path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("您的贷款 {loan_id}\n\n共欠 {claim}。", "utf-8")
    own, _ = read_template(path)
    page = letters.offer_letters(pl.DataFrame(OFFER), situation, own, None)
    assert page.count("<section") == 1
    assert "共欠 54,300.01元。" in page
