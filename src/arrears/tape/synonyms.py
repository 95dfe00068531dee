"""How banks name things: headers and words beside the canonical names and the Chinese legal terms."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from arrears.tape.columns import CHINESE, TABLES, WORDS

_SUFFIX = re.compile(r"\s*[(（\[]\s*([^()（）\[\]]*?)\s*[)）\]]\s*$")

_LOANS = {
    "as_of": "数据日期 截止日期 统计日期 报表日期 快照日期 cut_off cut_off_date cutoff_date data_date report_date "
    "snapshot_date reporting_date",
    "loan_id": "贷款编号 合同编号 合同号 借据编号 借据号码 贷款账号 账号 账户号 借款合同号 资产编号 loan_no loan_number "
    "account account_no account_number contract_no contract_id facility_id asset_id",
    "borrower_id": "借款人编号 客户编号 客户代码 客户标识 债务人编号 customer_id customer_no client_id cust_id cif cif_no "
    "obligor_id debtor_id borrower_no borrower_number",
    "lender": "机构 贷款人 贷款银行 所属机构 机构名称 出让方 债权人 bank bank_name institution creditor originator_bank",
    "branch": "支行 网点 经办机构 分支机构 经营机构 branch_name branch_code sub_branch",
    "originator": "经办人 信贷员 officer loan_officer account_manager relationship_manager",
    "product": "产品 贷款品种 产品名称 业务品种 贷款种类 贷款类型 业务类型 product_type loan_type product_name asset_class",
    "repayment": "还款类型 还本付息方式 repayment_type repayment_method amortisation amortization",
    "security": "担保类型 主要担保方式 增信方式 collateral_type security_type secured_by guarantee_type",
    "collateral_value": "抵押物价值 押品价值 评估价值 押品评估价值 appraised_value appraisal_value property_value valuation",
    "collateral_value_date": "押品评估日期 抵押物评估日期 appraisal_date valuation_date",
    "prior_liens": "在先债权 先顺位抵押 prior_lien senior_liens",
    "province": "省 所在省份 所属省份 地区 region state",
    "city_tier": "城市级别 city_class",
    "sector": "所属行业 行业类别 industry",
    "birth_year": "生年 year_of_birth",
    "monthly_income": "月均收入 家庭月收入 income_monthly income",
    "principal": "本金余额 剩余本金 贷款余额 未还本金 本金 透支本金 balance outstanding_principal principal_balance "
    "unpaid_principal principal_outstanding outstanding_balance upb",
    "interest": "欠息 利息 利息余额 欠息余额 应收利息 拖欠利息 利息罚息合计 accrued_interest interest_due unpaid_interest "
    "interest_arrears interest_owed",
    "fees": "费用 手续费 违约金 滞纳金 违约金及费用 费用余额 charges late_fees fees_due other_charges",
    "original_principal": "贷款金额 放款金额 授信额度 借款金额 发放金额 loan_amount original_amount amount_financed "
    "original_balance credit_limit",
    "rate": "利率 执行利率 执行年利率 贷款利率 interest_rate apr annual_rate int_rate",
    "provision": "减值准备 拨备 计提准备 减值准备余额 provisions loan_loss_provision allowance ecl",
    "days_past_due": "逾期天数天 拖欠天数 本金逾期天数 最大逾期天数 逾期日数 dpd overdue_days days_overdue days_in_arrears "
    "days_delinquent arrears_days delinquency bucket 逾期账龄 逾期期数 账龄 dpd_bucket",
    "origination_date": "起息日 发放日期 发放日 贷款起始日 放款日 起始日 开户日期 orig_date disbursement_date issue_date "
    "start_date open_date booking_date",
    "maturity_date": "到期日期 贷款到期日 终止日 合同到期日 maturity due_date end_date final_maturity",
    "default_date": "逾期起始日 逾期日期 逾期开始日期 首次逾期日期 首逾日 overdue_since default_on past_due_since "
    "first_missed_date",
    "next_due_date": "下次还款日 下一还款日 next_payment_date",
    "next_due_interest": "下次应还利息 next_interest",
    "next_due_principal": "下次应还本金 next_principal",
    "last_payment_date": "最后还款日 最后还款日期 最近还款日期 末次还款日 last_paid_on last_pay_date date_of_last_payment",
    "last_payment": "最后还款金额 末次还款金额 last_payment_amount last_paid_amount",
    "reported_class": "五级分类结果 五级分类状态 风险分类 资产分类 贷款形态 classification loan_class risk_class grade "
    "asset_quality",
    "credit_impaired": "信用减值 是否减值 impaired impaired_flag",
    "restructured_on": "重组日 restructure_date restructured_date forbearance_date",
    "restructure_count": "重组数 times_restructured",
    "class_before_restructure": "重组前五级分类 class_before",
    "first_new_due_date": "重组后首期还款日",
    "renewals": "展期次数 续贷数 times_renewed",
    "written_off": "核销标志 是否已核销 核销状态 write_off charged_off writeoff_flag",
    "court": "法院 受理法院 court_name",
    "collector": "清收人员 催收人员 管户人 collection_officer",
    "agency": "催收机构 委外公司 collection_agency",
    "legal_status": "诉讼情况 司法状态 法律状态 涉诉状态 litigation_status legal_stage court_status",
    "judgment_date": "判决日 裁决日期 judgement_date",
    "last_demand_date": "催告日期 最后催收日期 demand_date",
    "contact_status": "联络状态 失联状态 失联情况 contactability reachable contact",
    "fraud_flag": "是否欺诈 欺诈 fraud is_fraud",
    "excluded_reason": "禁止转让原因 exclusion_reason",
}
_HEADERS = {
    "loans": _LOANS,
    "payments": {
        "loan_id": _LOANS["loan_id"],
        "date": "交易日期 入账日期 回款日期 payment_date paid_on",
        "amount": "回款金额 交易金额 实还金额 payment_amount paid",
    },
    "months": {"loan_id": _LOANS["loan_id"], "month": "账期 所属月份 期间 period", "balance": "贷款余额 本金余额"},
    "events": {"loan_id": _LOANS["loan_id"], "date": "事件日期 event_date", "kind": "事件类型 event event_type"},
    "contacts": {"loan_id": _LOANS["loan_id"], "date": "催收日期 contact_date", "step": "动作 action"},
}  # fmt: skip
_WORDS = {
    "product": {
        "mortgage": "个人住房贷款 住房按揭 按揭贷款 房贷 个人住房 一手房按揭 二手房按揭 home_loan housing_loan residential_mortgage",
        "consumer": "消费贷 消费贷款 个人消费 个人信用消费贷款 信用贷 个人信用贷款 现金贷 personal_loan consumer_loan personal",
        "credit_card": "信用卡 贷记卡 信用卡分期 card cards creditcard",
        "business": "经营贷 经营贷款 个人经营 个人经营性贷款 小微经营贷 sme sme_loan business_loan small_business",
    },
    "repayment": {
        "amortising": "等额本金 等额 分期还款 annuity amortizing instalment installment",
        "interest_only": "先息后本 按月付息到期还本 按季付息到期还本 io interest-only",
        "bullet": "到期一次还本付息 利随本清 at_maturity",
        "revolving": "循环额度 随借随还 revolver",
    },
    "security": {
        "none": "无 无担保 信用贷款 信用方式 unsecured clean",
        "home": "房产抵押 住房 房屋抵押 抵押(住房) house property real_estate residential",
        "vehicle": "汽车抵押 车辆 车抵 car auto",
        "guarantee": "担保 保证担保 第三方保证 guaranteed guarantor",
        "other": "其他抵押 质押 其他 other_collateral pledge",
    },
    "reported_class": {
        "normal": "正常类 正常贷款 pass standard",
        "special_mention": "关注类 关注贷款 special-mention watch",
        "substandard": "次级类 次级贷款 sub-standard",
        "doubtful": "可疑类 可疑贷款",
        "loss": "损失类 损失贷款 bad",
    },
    "legal_status": {
        "not_sued": "未诉讼 未起诉 无 未涉诉 none",
        "mediated": "诉前调解 调解结案 mediation",
        "filed": "已起诉 已立案 审理中 in_court",
        "judged": "已判决 已判决未申请执行 judgment judgement",
        "enforcing": "强制执行 执行阶段 enforcement",
        "terminated": "终结本次执行 终本案件",
        "ended": "执行终结 执行完毕 已结案 closed",
    },
    "contact_status": {
        "reachable": "可联系 能联系 正常联系 yes contactable 可联络",
        "unreachable": "无法联系 联系不上 no not_reachable 失去联系",
        "vanished": "下落不明人 失踪 missing absconded",
    },
}  # fmt: skip


def key(header: str) -> tuple[str, str]:
    """A header as it is looked up, and what stands in brackets behind it, both in narrow letters."""
    plain = unicodedata.normalize("NFKC", header).strip()
    suffix = _SUFFIX.search(plain)
    bare = plain[: suffix.start()] if suffix else plain
    return re.sub(r"[\s\-]+", "_", bare.strip()).casefold(), suffix[1] if suffix else ""


@cache
def headers(table: str) -> dict[str, str]:
    """Our column by their header, as `key` gives it."""
    known = {alias: ours for ours, aliases in _HEADERS[table].items() for alias in aliases.split()}
    known |= {key(theirs)[0]: ours for ours, theirs in CHINESE[table].items()}
    return known | {name: name for name in TABLES[table]}


@cache
def words(column: str) -> dict[str, str]:
    """Our word by theirs, for a column with a vocabulary."""
    more = _WORDS.get("reported_class" if column == "class_before_restructure" else column, {})
    known = {theirs: ours for ours, several in more.items() for theirs in several.split()}
    known |= {theirs: ours for ours, theirs in WORDS[column].items()}
    return known | {ours: ours for ours in WORDS[column]}
