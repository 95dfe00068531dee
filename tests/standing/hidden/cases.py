"""Loans and histories by hand: each builder gives a canonical row with what a case needs and nulls elsewhere."""

from __future__ import annotations

from datetime import date

import polars as pl

from arrears.tape.columns import EVENTS, LOANS, MONTHS, PAYMENTS

AS_OF = date(2025, 3, 31)


def _rows(kinds, rows: list[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in kinds} for row in rows], schema=kinds)


def loan(loan_id: str, **more: object) -> dict[str, object]:
    usual = {
        "loan_id": loan_id,
        "borrower_id": f"B{loan_id}",
        "lender": "Bank",
        "branch": "Main",
        "product": "business",
        "repayment": "amortising",
        "principal": 1_000_000,
        "original_principal": 1_000_000,
        "days_past_due": 0,
        "origination_date": date(2023, 1, 10),
        "renewals": 0,
    }
    return usual | more


def loans(*rows: dict[str, object]) -> pl.DataFrame:
    return _rows(LOANS, list(rows))


def month(loan_id: str, number: int, **more: object) -> dict[str, object]:
    """`number` counts back from March 2025, which is 0; a sound month unless told otherwise."""
    place = 2025 * 12 + 2 - number
    usual = {
        "loan_id": loan_id,
        "month": date(place // 12, place % 12 + 1, 1),
        "due_principal": 10_000,
        "due_interest": 5_000,
        "paid_principal": 10_000,
        "paid_interest": 5_000,
        "days_past_due": 0,
        "balance": 1_000_000 + 10_000 * number,
        "rate": 0.06,
    }
    return usual | more


def months(*rows: dict[str, object]) -> pl.DataFrame:
    return _rows(MONTHS, list(rows)).sort("loan_id", "month")


def payment(loan_id: str, day: date, amount: int, **more: object) -> dict[str, object]:
    return {"loan_id": loan_id, "date": day, "amount": amount, **more}


def payments(*rows: dict[str, object]) -> pl.DataFrame:
    return _rows(PAYMENTS, list(rows)).sort("loan_id", "date")


def event(loan_id: str, day: date, kind: str, **more: object) -> dict[str, object]:
    return {"loan_id": loan_id, "date": day, "kind": kind, **more}


def events(*rows: dict[str, object]) -> pl.DataFrame:
    return _rows(EVENTS, list(rows)).sort("loan_id", "date")
