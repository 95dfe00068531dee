"""Bulk transfer of personal bad loans to an asset management company, under the pilot."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from arrears.channels.holder import AMCS
from arrears.channels.situation import STARTS, Floats, Situation
from arrears.channels.way import Bars, Outcome, Permit, PoolTerms
from arrears.core.dates import DAYS_A_MONTH, DAYS_A_YEAR
from arrears.market.loan import worth_to_buyer
from arrears.market.price import AGE_BANDS
from arrears.tape.columns import WORDS

NAME = "transfer"
_PILOT = "CN-PILOT-2021-26"
_RULES = "cn/transfer/"
_BANDS, _LOTS = len(AGE_BANDS) + 1, 5


def permit(situation: Situation, start: int) -> Permit:
    """Seller, date, product, security, bars of the loan, reported class (FACTS 2.2; READINGS 2.1, 2.2)."""
    bars = Bars(len(situation.claim))
    day = situation.day(start)
    barred = _seller_bar(situation, day)
    if barred is not None:
        bars.bar(True, *barred)
    book = situation.rulebook
    products = book.words(_RULES + "eligible_products", day)
    barred_security = dict.fromkeys(
        book.words(_RULES + "excluded_security", day), _RULES + "excluded_security"
    )
    if book.at_or_none(_RULES + "guarantee_bars", day):
        barred_security["guarantee"] = _RULES + "guarantee_bars"
    for product in WORDS["product"]:
        if product not in products:
            bars.bar(
                situation.says("product", product),
                _PILOT,
                f"product {product}",
                _RULES + "eligible_products",
            )
    for security, rule in barred_security.items():
        bars.bar(situation.says("security", security), _PILOT, f"collateral {security}", rule)
    for reason in situation.words("excluded_reason"):
        bars.bar(
            situation.says("excluded_reason", reason),
            _PILOT,
            f"excluded: {reason}",
            _RULES + "excluded_reasons",
        )
    bars.bar(situation.flag("fraud_flag"), "CN-FRAUD", "obtained by fraud")
    bars.bar_unless_reported(
        situation.reported_npl, situation.npl, _PILOT, _RULES + "reported_classes"
    )
    return bars.permit()


def _seller_bar(situation: Situation, day: date) -> tuple[str, ...] | None:
    """Why the holder may not sell on a day: article, reason and rules; None where it may."""
    book, holder = situation.rulebook, situation.holder
    opens = book.day_of("cn/transfer/pilot_from", situation.as_of)
    if day < opens:
        return "CN-BULK-2012-6", "personal loans could not be sold in bulk", _RULES + "pilot_from"
    if holder.kind in AMCS and not book.flag("cn/transfer/resale_allowed", day):
        told = "who bought in bulk may not sell on"
        return "CN-PILOT-RESALE", told, _RULES + "resale_allowed"
    if holder.pilot_seller is False:
        return "CN-NO-LICENCE", "the holder is no pilot seller"
    if holder.kind in book.words("cn/transfer/sellers_batch1", day):
        return None
    if day < book.day_of("cn/transfer/batch2_from", situation.as_of):
        return _PILOT, f"{holder.kind} is no seller of the first batch", _RULES + "sellers_batch1"
    paths = tuple(
        _RULES + name
        for name in ("sellers_batch2", "sellers_batch2_by_province", "batch2_provinces")
    )
    every, local, provinces = (book.words(path, day) for path in paths)
    named = holder.kind in every or (holder.kind in local and holder.province in provinces)
    if holder.pilot_seller or named:
        return None
    return "CN-PILOT-2022-1191", f"{holder.kind} is no seller of the second batch", *paths


def outcome(situation: Situation, start: int) -> Outcome:
    """Collect until `start`, then take the price of the age that the loan has by then."""
    usual = situation.collected
    waits = start + situation.number("transfer/months")
    owed = situation.owed_after(start) * situation.claim
    gross = owed * price(situation, start)
    told = situation.number("transfer/notice_cost") * (owed > 0)
    cost = gross * situation.number("transfer/sale_cost") + told
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
            "npl_removed": situation.removed,
        },
    )


def price(situation: Situation, start: int) -> Floats:
    """Expected price of each loan (n,), share of the claim owed then: the published one of its age and product, drawn
    towards what the loan is worth to a buyer who has seen the tape.
    """
    table = np.array(situation.market.table("transfer/price_by_age", situation.as_of))
    months = situation.days / DAYS_A_MONTH + start
    by_age = np.exp(np.interp(months, table[:, 0], np.log(table[:, 1])))
    product = situation.by_word("product", "transfer/price_by_product", 1.0)
    published = by_age * product
    owed = situation.owed_after(start) * situation.claim
    valued = _valued(situation)[STARTS.index(start)]
    own = np.divide(valued, owed, out=np.zeros_like(owed), where=owed > 0)
    share: Floats = published.copy()
    known = np.flatnonzero(own > 0)
    weight = np.full(len(known), situation.number("transfer/valuation_weight"))
    share[known] = published[known] ** (1.0 - weight) * own[known] ** weight
    return np.minimum(share, 0.9)


def _valued(situation: Situation) -> Floats:
    """What each loan is worth to a buyer at each start (starts, n), fen."""
    return situation.once(
        "worth_to_buyer",
        lambda s: worth_to_buyer(s.forecast, market=s.market, as_of=s.as_of, starts=STARTS),
    )


def pool(situation: Situation) -> PoolTerms:
    """Terms of a package."""
    return PoolTerms(
        situation.number("transfer/fixed_cost"), situation.number("transfer/minimum_claim")
    )


def package(situation: Situation) -> npt.NDArray[np.int64]:
    """Package of each loan, if it is sold (n,): by product and age band, as alike and as large as the market takes.

    Bands too small to be sold alone join their younger neighbour; packages too large are cut by borrower, so that
    nobody's loans are torn apart.
    """
    numbers = {word: number for number, word in enumerate(WORDS["product"])}
    product = situation.loans["product"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
    years = situation.days / DAYS_A_YEAR
    band = np.searchsorted([edge for edge, _ in AGE_BANDS], years, side="right")
    claim = np.where(permit(situation, 0).eligible, situation.claim, 0.0)
    wanted, most = (situation.number(f"transfer/{name}_claim") for name in ("package", "largest"))
    found = np.zeros(len(product), dtype=np.int64)
    for number in numbers.values():
        mine = product == number
        sizes: Floats = np.bincount(band[mine], weights=claim[mine], minlength=_BANDS).astype(
            np.float64
        )
        joined = _joined(sizes, wanted)
        place = joined[band[mine]]
        whole = np.bincount(place, weights=claim[mine], minlength=_BANDS)
        lots = np.clip(np.ceil(whole / most), 1, _LOTS).astype(np.int64)
        lot = _lot(situation.loans["borrower_id"].filter(pl.Series(mine)), lots[place])
        found[mine] = number * _BANDS * _LOTS + place * _LOTS + lot
    return found


def _joined(sizes: Floats, wanted: float) -> npt.NDArray[np.int64]:
    """First band of each band's package (bands,), from the young to the old, each full before another."""
    first, size = 0, 0.0
    place = np.zeros(len(sizes), dtype=np.int64)
    for band in range(len(sizes)):
        if size >= wanted and sizes[band:].sum() >= wanted:
            first, size = band, 0.0
        place[band] = first
        size += float(sizes[band])
    return place


def _lot(borrowers: pl.Series, lots: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Which of so many lots a borrower's loans enter (n,), by a hash of the borrower."""
    drawn = (borrowers.hash(seed=0) % 1_000_003).to_numpy().astype(np.int64)
    return np.asarray(drawn % lots)
