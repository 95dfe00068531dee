"""Bulk transfer of personal bad loans to an asset management company, under the pilot."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels.holder import AMCS
from arrears.channels.situation import Floats, Situation
from arrears.channels.way import Bars, Outcome, Permit, PoolTerms
from arrears.core.dates import DAYS_A_MONTH
from arrears.tape.columns import WORDS

NAME = "transfer"
_PILOT = "CN-PILOT-2021-26"


def permit(situation: Situation, start: int) -> Permit:
    """Seller, date, product, security, bars of the loan, reported class (FACTS 2.2; READINGS 2.1, 2.2)."""
    bars = Bars(len(situation.claim))
    day = situation.day(start)
    barred = _seller_bar(situation, day)
    if barred is not None:
        bars.bar(True, *barred)
    book, loans = situation.rulebook, situation.loans
    products = book.words("cn/transfer/eligible_products", day)
    barred_security = list(book.words("cn/transfer/excluded_security", day))
    if book.at_or_none("cn/transfer/guarantee_bars", day):
        barred_security.append("guarantee")
    for product in WORDS["product"]:
        if product not in products:
            bars.bar((loans["product"] == product).to_numpy(), _PILOT, f"product {product}")
    for security in barred_security:
        mine = (loans["security"] == security).fill_null(False).to_numpy()
        bars.bar(mine, _PILOT, f"collateral {security}")
    for reason in loans["excluded_reason"].drop_nulls().unique().sort().to_list():
        mine = (loans["excluded_reason"] == reason).fill_null(False).to_numpy()
        bars.bar(mine, _PILOT, f"excluded: {reason}")
    bars.bar(situation.flag("fraud_flag"), "CN-FRAUD", "obtained by fraud")
    bars.bar_unless_reported(
        situation.reported_npl, situation.npl, _PILOT, "not reported as non-performing"
    )
    return bars.permit()


def _seller_bar(situation: Situation, day: date) -> tuple[str, str] | None:
    """Why the holder may not sell on a day; None where it may."""
    book, holder = situation.rulebook, situation.holder
    opens = book.day_of("cn/transfer/pilot_from", situation.as_of)
    if day < opens:
        return "CN-BULK-2012-6", "personal loans could not be sold in bulk"
    if holder.kind in AMCS and not book.flag("cn/transfer/resale_allowed", day):
        return "CN-PILOT-RESALE", "who bought in bulk may not sell on"
    if holder.pilot_seller is False:
        return "CN-NO-LICENCE", "the holder is no pilot seller"
    if holder.kind in book.words("cn/transfer/sellers_batch1", day):
        return None
    if day < book.day_of("cn/transfer/batch2_from", situation.as_of):
        return _PILOT, f"{holder.kind} is no seller of the first batch"
    provinces = book.words("cn/transfer/batch2_provinces", day)
    local = book.words("cn/transfer/sellers_batch2_by_province", day)
    named = holder.kind in book.words("cn/transfer/sellers_batch2", day) or (
        holder.kind in local and holder.province in provinces
    )
    if holder.pilot_seller or named:
        return None
    return "CN-PILOT-2022-1191", f"{holder.kind} is no seller of the second batch"


def outcome(situation: Situation, start: int) -> Outcome:
    """Collect until `start`, then take the price of the age that the loan has by then."""
    usual = situation.collected
    waits = start + situation.number("transfer/months")
    owed = situation.owed_after(start) * situation.claim
    gross = owed * price(situation, start)
    cost = gross * situation.number("transfer/sale_cost")
    keeps = 1.0 - situation.commission
    before = usual.cash_until(start)
    cash = before + gross
    weighted = before * start / 2.0 + gross * waits
    return Outcome(
        pv=usual.pv_until(start) * keeps
        + (gross - cost) * (1.0 + situation.rate) ** (-waits / 12.0),
        cash=cash,
        cost=before * situation.commission + cost,
        months=np.divide(weighted, cash, out=np.zeros_like(cash), where=cash > 0),
        capital_freed=situation.capital,
        provision_released=situation.provision,
        uses={
            "transfer_claim": situation.claim,
            "npl_removed": np.where(situation.written_off, 0.0, situation.claim),
        },
    )


def price(situation: Situation, start: int) -> Floats:
    """Expected price of each loan (n,), share of the claim: by age, product and what a buyer sees."""
    table = np.array(situation.market.table("transfer/price_by_age", situation.as_of))
    months = situation.days / DAYS_A_MONTH + start
    by_age = np.exp(np.interp(months, table[:, 0], np.log(table[:, 1])))
    product = situation.by_word("product", "transfer/price_by_product", 1.0)
    params = situation.forecast.params
    of_product = situation.loans["product"].replace_strict(
        params.product_effect, default=0.0, return_dtype=pl.Float64
    )
    seen = situation.forecast.score - of_product.to_numpy()
    follows = np.exp(situation.number("transfer/buyer_sees") * seen)
    share: Floats = np.minimum(by_age * product * follows, 0.9)
    return share


def pool(situation: Situation) -> PoolTerms:
    """Terms of a package."""
    return PoolTerms(
        situation.number("transfer/fixed_cost"), situation.number("transfer/minimum_claim")
    )


def package(situation: Situation) -> npt.NDArray[np.int64]:
    """A package a product (n,)."""
    numbers = {word: number for number, word in enumerate(WORDS["product"])}
    return situation.loans["product"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
