"""Writes a deal file for each published deal of terms.csv; amounts there are in ten thousand yuan.

The order of payment, the reserve, tax and costs are the usual ones (examples/deals/card_npl.yaml), not each deal's own.
"""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

from arrears.core.dates import add_months

HERE = Path(__file__).parent
UNIT = 1_000_000
MONTHS = {"mortgage": 60, "sme-secured": 60}
KINDS = {"CMB": "joint_stock_bank", "CGB": "joint_stock_bank", "PAB": "joint_stock_bank", "SPDB": "joint_stock_bank",
         "HXB": "joint_stock_bank", "CZB": "joint_stock_bank"}  # fmt: skip


def text(row: dict[str, str]) -> str:
    """The file of one deal."""
    cutoff, closing = date.fromisoformat(row["cutoff"]), date.fromisoformat(row["closing"])
    every = int(row["every_months"])
    after = cutoff + timedelta(days=1)
    begins = after if after.day == 1 else cutoff
    first = next(n for n in range(1, 24) if add_months(begins, n) > closing)
    ends = add_months(begins, first) - timedelta(days=1)
    payments = (MONTHS.get(row["asset"], 36) - first) // every + 1
    senior, sub = int(row["senior"]) * UNIT, int(row["sub"]) * UNIT
    kind = KINDS.get(row["originator"], "large_state_bank")
    return f"""# Made by make.py from terms.csv; {row["reference"]}
name: {row["deal"]}
kind: securities
parties: {{originator: {{name: {row["originator"]}, kind: {kind}}}}}
retention: 0.05
cutoff_date: {cutoff}
closing_date: {closing}
schedule: {{first_collection_end: {ends}, first_payment: {ends + timedelta(days=26)}, every_months: {every}, payments: {payments}}}
classes:
  - {{name: Senior, role: senior, face: {senior}, interest_on_unpaid: true, coupon: {{type: fixed, rate: {float(row["coupon_percent"]) / 100:.4f}}}}}
  - {{name: Sub, role: sub, face: {sub}, issue_price: {row["sub_price"]}}}
tax: {{rate: 0.0326}}
expenses: {{accrual: {{type: rate_on_initial, base: {senior + sub}, rate: 0.002}}}}
reserve: {{type: multiple, multiple: 1.5}}
excess: {{servicer_share: 0.8, residual_holder: Sub}}
triggers: {{event_of_default: missed_senior_interest}}
waterfall:
  normal: [tax, expenses_capped, senior_interest, reserve, senior_principal, sub_principal, excess]
  post_enforcement: [tax, expenses_all, senior_interest, senior_principal, sub_principal, excess]
"""


def main() -> None:
    """One file a row."""
    with (HERE / "terms.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            (HERE / f"{row['deal']}.yaml").write_text(text(row), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
