"""Writes a small book in the manner of eight banks; imports nothing from Arrears, so that it knows nothing of how they are read.

    python examples/tapes/write.py

`book.csv` is the book with canonical names, in fen; all borrowers and loans are invented.
"""

from __future__ import annotations

import csv
import random
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import xlsxwriter

HERE = Path(__file__).parent
AS_OF = date(2025, 3, 31)
LOANS = 48
COLUMNS = (
    "as_of", "loan_id", "borrower_id", "lender", "product", "security", "province", "principal", "interest", "fees",
    "original_principal", "rate", "days_past_due", "origination_date", "maturity_date", "default_date",
    "reported_class", "written_off", "legal_status", "contact_status",
)  # fmt: skip
PRODUCT = {
    "mortgage": "个人住房按揭贷款",
    "consumer": "个人消费贷款",
    "credit_card": "信用卡透支",
    "business": "个人经营贷款",
}
SECURITY = {"none": "信用", "home": "住房抵押", "guarantee": "保证"}
CLASS = {
    "normal": "正常",
    "special_mention": "关注",
    "substandard": "次级",
    "doubtful": "可疑",
    "loss": "损失",
}
LEGAL = {"not_sued": "未诉", "filed": "诉讼中", "judged": "已判决未执行", "terminated": "终本"}
CONTACT = {"reachable": "可联", "unreachable": "失联", "vanished": "下落不明"}
PROVINCE = {"Zhejiang": "浙江省", "Jiangsu": "江苏省", "Guangdong": "广东省", "Beijing": "北京市"}
Row = dict[str, object]


def book() -> list[Row]:
    """The loans, money in fen."""
    rng = random.Random(7)  # noqa: S311 - a toy book
    rows: list[Row] = []
    for number in range(1, LOANS + 1):
        product = rng.choice(list(PRODUCT))
        days = rng.choice([0, 0, 0, 12, 45, 75, 91, 130, 200, 290, 400, 900])
        original = rng.randrange(30_000, 90_000) * (40 if product == "mortgage" else 1)
        principal = rng.randrange(original * 20, original * 95)
        origin = AS_OF - timedelta(days=days + rng.randrange(400, 1_800))
        level = "normal" if days == 0 else "special_mention" if days <= 90 else "substandard"
        if days > 270:
            level = rng.choice(["doubtful", "loss"])
        rows.append(
            {
                "as_of": AS_OF,
                "loan_id": f"JK{number:06d}",
                "borrower_id": f"KH{rng.randrange(1, 40):05d}",
                "lender": "Southern Bank",
                "product": product,
                "security": "home" if product == "mortgage" else rng.choice(["none", "none", "guarantee"]),
                "province": rng.choice(list(PROVINCE)),
                "principal": principal,
                "interest": 0 if days == 0 else principal * days // 3_650 + number,
                "fees": 0 if days < 45 else 100 * days + number,
                "original_principal": original * 100,
                "rate": rng.choice([0.0435, 0.0725, 0.1495, 0.18]),
                "days_past_due": days,
                "origination_date": origin,
                "maturity_date": origin + timedelta(days=365 * rng.randrange(8, 20)),
                "default_date": AS_OF - timedelta(days=days) if days else None,
                "reported_class": level,
                "written_off": level == "loss" and rng.random() < 0.5,
                "legal_status": rng.choice(list(LEGAL)) if days > 90 else "not_sued",
                "contact_status": rng.choice(list(CONTACT)) if days > 90 else "reachable",
            }
        )  # fmt: skip
    return rows


def yuan(fen: object, *, apart: bool = False) -> str:
    sign, size = ("-" if int(str(fen)) < 0 else ""), abs(int(str(fen)))
    return f"{sign}{size // 100:{',' if apart else ''}}.{size % 100:02d}"


def ten_thousand(fen: object) -> str:
    size = int(str(fen))
    return f"{size // 1_000_000}.{size % 1_000_000:06d}"


def percent(rate: object) -> str:
    return f"{float(str(rate)) * 100:.2f}"


def day(value: object, form: str) -> str:
    return value.strftime(form) if isinstance(value, date) else ""


def text(
    name: str, lines: list[list[str]], *, delimiter: str = ",", encoding: str = "utf-8"
) -> None:
    with (HERE / name).open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(lines)


def canonical(rows: list[Row]) -> None:
    def cell(value: object) -> str:
        return (
            "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        )

    text("book.csv", [list(COLUMNS), *([cell(row[name]) for name in COLUMNS] for row in rows)])


def state_bank(rows: list[Row]) -> None:
    """Titles above, a total below, GB18030, yuan with thousands apart, dates in words."""
    form = "%Y年%m月%d日"
    lines = [
        ["个人不良贷款明细表"],
        ["基准日：2025年3月31日", "", "单位：元"],
        [],
        ["借据号", "客户号", "贷款机构", "产品类型", "担保方式", "省份", "未偿本金", "未偿利息", "其他费用", "合同金额", "年利率(%)",
         "逾期天数", "放款日期", "到期日", "首次逾期日", "五级分类", "是否核销", "诉讼状态", "联系状态"],
    ]  # fmt: skip
    for row in rows:
        lines.append([
            str(row["loan_id"]), str(row["borrower_id"]), str(row["lender"]), PRODUCT[str(row["product"])],
            SECURITY[str(row["security"])], PROVINCE[str(row["province"])], yuan(row["principal"], apart=True),
            yuan(row["interest"], apart=True), yuan(row["fees"], apart=True), yuan(row["original_principal"], apart=True),
            percent(row["rate"]), str(row["days_past_due"]), day(row["origination_date"], form),
            day(row["maturity_date"], form), day(row["default_date"], form), CLASS[str(row["reported_class"])],
            "是" if row["written_off"] else "否", LEGAL[str(row["legal_status"])], CONTACT[str(row["contact_status"])],
        ])  # fmt: skip
    total = sum(int(str(row["principal"])) for row in rows)
    lines.append(["合计", "", "", "", "", "", yuan(total, apart=True)])
    text("state_bank.csv", lines, encoding="gb18030")


def city_bank(rows: list[Row]) -> None:
    """A workbook: a sheet of notes, then a sheet a branch; 10,000 yuan; Excel's dates."""
    heads = ["合同编号", "客户编号", "机构名称", "业务品种", "主要担保方式", "所在省份", "本金余额(万元)", "欠息(万元)", "费用(万元)",
             "贷款金额(万元)", "执行年利率", "拖欠天数", "发放日期", "到期日期", "逾期起始日", "五级分类结果", "核销标志", "涉诉状态",
             "失联情况", "数据日期"]  # fmt: skip
    with xlsxwriter.Workbook(HERE / "city_bank.xlsx") as workbook:
        days = workbook.add_format({"num_format": "yyyy/m/d"})
        notes = workbook.add_worksheet("说明")
        notes.write_row(0, 0, ["本表由系统自动生成"])
        notes.write_row(1, 0, ["金额单位见表头"])
        for name, part in (("城东支行", rows[::2]), ("城西支行", rows[1::2])):
            sheet = workbook.add_worksheet(name)
            sheet.write_row(0, 0, heads)
            for line, row in enumerate(part, start=1):
                cells = [
                    row["loan_id"], row["borrower_id"], row["lender"], PRODUCT[str(row["product"])],
                    SECURITY[str(row["security"])], PROVINCE[str(row["province"])], *(
                        ten_thousand(row[money]) for money in ("principal", "interest", "fees", "original_principal")
                    ), row["rate"], row["days_past_due"], row["origination_date"], row["maturity_date"],
                    row["default_date"], CLASS[str(row["reported_class"])] + "类", "Y" if row["written_off"] else "N",
                    LEGAL[str(row["legal_status"])], CONTACT[str(row["contact_status"])], row["as_of"],
                ]  # fmt: skip
                for place, value in enumerate(cells):
                    if isinstance(value, date):
                        sheet.write_number(line, place, (value - date(1899, 12, 30)).days, days)
                    elif value is not None:
                        sheet.write(line, place, value)


def rural_bank(rows: list[Row]) -> None:
    """Tabs, per cent signs, full-width digits, days with their word."""
    wide = str.maketrans("0123456789.", "０１２３４５６７８９．")
    lines = [["贷款账号", "客户代码", "贷款人", "贷款种类", "担保类型", "省", "贷款余额（元）", "利息（元）", "违约金（元）", "放款金额（元）",
              "执行利率", "逾期日数", "起息日", "合同到期日", "首逾日", "风险分类", "是否已核销", "诉讼情况", "联络状态", "报表日期"]]  # fmt: skip
    for row in rows:
        lines.append([
            str(row["loan_id"]), str(row["borrower_id"]), str(row["lender"]), PRODUCT[str(row["product"])],
            SECURITY[str(row["security"])], PROVINCE[str(row["province"])],
            *(yuan(row[money]).translate(wide) for money in ("principal", "interest", "fees", "original_principal")),
            percent(row["rate"]) + "%", f"{row['days_past_due']}天", *(
                day(row[name], "%Y/%m/%d") for name in ("origination_date", "maturity_date", "default_date")
            ), CLASS[str(row["reported_class"])], "有" if row["written_off"] else "无", LEGAL[str(row["legal_status"])],
            CONTACT[str(row["contact_status"])], "2025/03/31",
        ])  # fmt: skip
    text("rural_bank.tsv", lines, delimiter="\t")


def consumer_finance(rows: list[Row]) -> None:
    """Semicolons, English, days past due as buckets beside the day since when."""

    def bucket(days: int) -> str:
        return "Current" if days == 0 else f"M{min((days - 1) // 30 + 1, 7)}"

    lines = [["Loan No", "Customer ID", "Creditor", "Loan Type", "Collateral Type", "Province", "Outstanding Principal (yuan)",
              "Accrued Interest (yuan)", "Late Fees (yuan)", "Loan Amount (yuan)", "APR (%)", "DPD Bucket", "Disbursement Date",
              "Maturity", "Overdue Since", "Classification", "Written-Off", "Litigation Status", "Contactability",
              "Cut-Off Date"]]  # fmt: skip
    product = {
        "mortgage": "Home loan",
        "consumer": "Personal loan",
        "credit_card": "Card",
        "business": "SME loan",
    }
    for row in rows:
        lines.append([
            str(row["loan_id"]), str(row["borrower_id"]), str(row["lender"]), product[str(row["product"])],
            "unsecured" if row["security"] == "none" else str(row["security"]), str(row["province"]),
            *(yuan(row[money]) for money in ("principal", "interest", "fees", "original_principal")), percent(row["rate"]),
            bucket(int(str(row["days_past_due"]))), *(
                day(row[name], "%d.%m.%Y") for name in ("origination_date", "maturity_date", "default_date")
            ), str(row["reported_class"]), "Yes" if row["written_off"] else "No", str(row["legal_status"]),
            str(row["contact_status"]), "31.03.2025",
        ])  # fmt: skip
    text("consumer_finance.csv", lines, delimiter=";")


def fintech(rows: list[Row]) -> None:
    """Parquet with types of its own, fen by the names of the columns, dates as numbers."""

    def number(value: object) -> int | None:
        return int(value.strftime("%Y%m%d")) if isinstance(value, date) else None

    pl.DataFrame({
        "asset_id": [row["loan_id"] for row in rows], "client_id": [row["borrower_id"] for row in rows],
        "institution": [row["lender"] for row in rows], "product_type": [row["product"] for row in rows],
        "security_type": [row["security"] for row in rows], "province": [row["province"] for row in rows],
        "principal_balance_fen": [row["principal"] for row in rows], "interest_due_fen": [row["interest"] for row in rows],
        "charges_fen": [row["fees"] for row in rows], "loan_amount_fen": [row["original_principal"] for row in rows],
        "annual_rate": [row["rate"] for row in rows], "overdue_days": [row["days_past_due"] for row in rows],
        "issue_date": [number(row["origination_date"]) for row in rows],
        "end_date": [number(row["maturity_date"]) for row in rows],
        "default_on": [number(row["default_date"]) for row in rows],
        "loan_class": [row["reported_class"] for row in rows], "charged_off": [int(bool(row["written_off"])) for row in rows],
        "legal_stage": [row["legal_status"] for row in rows], "contact": [row["contact_status"] for row in rows],
        "snapshot_date": [20250331 for _ in rows],
    }).write_parquet(HERE / "fintech.parquet")  # fmt: skip


def card_centre(rows: list[Row]) -> None:
    """Whole fen under headers that do not say so, month before day, brackets where a fee was paid back."""
    lines = [["账户号", "客户标识", "所属机构", "产品名称", "增信方式", "地区", "透支本金", "利息余额", "费用余额", "授信额度", "贷款利率",
              "最大逾期天数", "开户日期", "终止日", "逾期日期", "资产分类", "核销状态", "司法状态", "失联状态", "统计日期"]]  # fmt: skip
    for row in rows:
        lines.append([
            str(row["loan_id"]), str(row["borrower_id"]), str(row["lender"]), PRODUCT[str(row["product"])],
            SECURITY[str(row["security"])], str(row["province"]),
            *(str(row[money]) for money in ("principal", "interest", "fees", "original_principal")), str(row["rate"]),
            str(row["days_past_due"]), *(
                day(row[name], "%m/%d/%Y") for name in ("origination_date", "maturity_date", "default_date")
            ), CLASS[str(row["reported_class"])], "已核销" if row["written_off"] else "未核销", LEGAL[str(row["legal_status"])],
            CONTACT[str(row["contact_status"])], "03/31/2025",
        ])  # fmt: skip
    text("card_centre.csv", lines)


def amc(rows: list[Row]) -> None:
    """A workbook with titles that say unit and day, times behind the dates, subtotals between the rows."""
    heads = ["资产编号", "债务人编号", "出让方", "贷款品种", "担保方式", "省份", "剩余本金", "利息罚息合计", "违约金及费用", "借款金额", "利率",
             "本金逾期天数", "放款日", "贷款到期日", "首次逾期日期", "贷款形态", "是否已核销", "法律状态", "联系状态"]  # fmt: skip
    with xlsxwriter.Workbook(HERE / "amc.xlsx") as workbook:
        sheet = workbook.add_worksheet("资产清单")
        sheet.write(0, 0, "不良资产包资产清单")
        sheet.write(1, 0, "截止日期：2025-03-31")
        sheet.write(1, 5, "单位：人民币万元")
        sheet.write_row(3, 0, heads)
        line = 4
        for number, row in enumerate(rows):
            if number == LOANS // 2:
                sheet.write(line, 0, "小计")
                sheet.write(line, 6, "1,234.567890")
                line += 1
            sheet.write_row(line, 0, [
                row["loan_id"], row["borrower_id"], row["lender"], PRODUCT[str(row["product"])], SECURITY[str(row["security"])],
                PROVINCE[str(row["province"])],
                *(ten_thousand(row[money]) for money in ("principal", "interest", "fees", "original_principal")),
                percent(row["rate"]) + "%", row["days_past_due"], *(
                    day(row[name], "%Y-%m-%d 00:00:00") for name in ("origination_date", "maturity_date", "default_date")
                ), CLASS[str(row["reported_class"])] + "贷款", "√" if row["written_off"] else "×", LEGAL[str(row["legal_status"])],
                CONTACT[str(row["contact_status"])],
            ])  # fmt: skip
            line += 1
        sheet.write(line, 0, "总计")


def english_desk(rows: list[Row]) -> None:
    """Bars between the cells, day before month, names of months in the header's neighbours, per cent as numbers."""
    lines = [["Account Number", "Obligor ID", "Bank Name", "Product", "Security", "Province", "Outstanding Balance [RMB]",
              "Interest Arrears [RMB]", "Charges [RMB]", "Original Amount [RMB]", "Interest Rate", "Days Overdue", "Start Date",
              "Final Maturity", "Past Due Since", "Loan Class", "Write-Off", "Legal Status", "Contact Status",
              "Reporting Date"]]  # fmt: skip
    for row in rows:
        lines.append([
            str(row["loan_id"]), str(row["borrower_id"]), str(row["lender"]), str(row["product"]), str(row["security"]),
            str(row["province"]), *(
                "RMB " + yuan(row[money], apart=True) for money in ("principal", "interest", "fees", "original_principal")
            ), percent(row["rate"]), str(row["days_past_due"]), day(row["origination_date"], "%d/%m/%Y"),
            day(row["maturity_date"], "%d/%m/%Y"), day(row["default_date"], "%d/%m/%Y"),
            {"special_mention": "Special-Mention", "substandard": "Sub-Standard"}.get(
                str(row["reported_class"]), str(row["reported_class"]).title()
            ), "T" if row["written_off"] else "F", str(row["legal_status"]), str(row["contact_status"]), "31-Mar-2025",
        ])  # fmt: skip
    text("english_desk.txt", lines, delimiter="|")


TAPES = (
    state_bank,
    city_bank,
    rural_bank,
    consumer_finance,
    fintech,
    card_centre,
    amc,
    english_desk,
)

if __name__ == "__main__":
    made = book()
    canonical(made)
    for write in TAPES:
        write(made)
