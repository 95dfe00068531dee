"""`price --header`: what a buyer can pay for a package of which only the public header is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import arrears
from arrears import channels, market, recovery, report, rules
from arrears.core.hashing import file_hash
from arrears.files import staged
from arrears.files.folder import RECORD
from arrears.problems import Problem, errors
from arrears.run.gather import sees_ahead
from arrears.run.job import Done
from arrears.run.modelfile import read_model
from arrears.run.products import Products, to_json
from arrears.run.request import is_file_name
from arrears.run.stopped import Stopped
from arrears.run.values import Valued, leave, reserve_of

if TYPE_CHECKING:
    from arrears.recovery.fitting.model import RecoveryModel


def price_header(
    header: Path,
    *,
    out: Path,
    irr: float | None = None,
    bidders: int | None = None,
    scenarios: int = 1000,
    seed: int = 0,
    stress: str | None = None,
    holder: str = "joint_stock_bank",
    model: Path | None = None,
    force: bool = False,
) -> Done:
    """A buyer's valuation of a package of which only the public header is known.

    Args:
        holder: of the loans today, a file or the word for a kind: what keeping is worth to the seller rests on it.
        model: what `fit` has left; None for the market prior.

    Raises:
        Stopped: the header, the holder or the model cannot be used.
    """
    book = rules.load_market("cn")
    told, seller, fitted, problems = _read(header, holder, model, book)
    day = told.base_date
    share = book.number("buyer/principal_share", day)
    loans = market.loans_of(told, share)
    forecast = recovery.forecast(
        loans,
        as_of=day,
        market=book,
        discount_rate=channels.discount_rate(seller, book, day),
        seed=seed,
        scenarios=scenarios,
        stress=recovery.Stress.named(stress, book, day) if stress else None,
        model=fitted,
    )
    reserve = reserve_of(forecast, book, day)
    priced = market.price(
        forecast,
        loans,
        market=book,
        as_of=day,
        irr=irr,
        bidders=bidders,
        start_price=None if told.start_price is None else float(told.start_price),
        reserve=reserve,
    )
    with staged(out, force=force) as place:
        products = Products(place.folder)
        summary, lines = leave(
            priced, forecast, products, reserve=reserve, of=Valued(told.name, day, stress)
        )
        lines += _told_besides(told, share)
        files = {"header": str(header), "model": model and str(model)}
        files["holder"] = holder if is_file_name(holder) else None
        record = {
            "version": arrears.__version__,
            "command": "price",
            "as_of": day.isoformat(),
            "inputs": _inputs({name: path for name, path in files.items() if path}),
            "header": told.model_dump(mode="json"),
            "market": {"name": book.name, "hash": book.hash},
            "settings": {
                "scenarios": scenarios,
                "stress": stress,
                "holder": None if files["holder"] else holder,
            },
            "asked": {"irr": irr, "bidders": bidders},
            "seed": seed,
            "fills": _fills(told, share),
            "summary": summary,
        }
        record["products"] = dict(sorted(products.hashes.items()))
        (place.folder / RECORD).write_text(to_json(record), encoding="utf-8")
    return Done(summary | {"out": str(out)}, tuple(lines), tuple(problems))


def _read(
    header: Path, holder: str, model: Path | None, book: rules.MarketBook
) -> tuple[market.Header, channels.Holder, RecoveryModel | None, list[Problem]]:
    """The files of a valuation, and what is wrong with them that does not stop it.

    Raises:
        Stopped: one of them cannot be used.
    """
    told, problems = market.read_header(header)
    seller, found = channels.read_holder(holder)
    problems += found
    fitted = None
    if model is not None:
        fitted, found = read_model(model)
        problems += found
    if told is not None:
        problems += _unusable(told, book, f"{header} litigation")
        problems += [] if fitted is None else _model_on(told, fitted)
    if told is None or seller is None or errors(problems):
        raise Stopped(problems)
    return told, seller, fitted, problems


def _told_besides(told: market.Header, share: float) -> list[str]:
    """Lines for people on what the notice leaves out, and what it asks."""
    lines = [f"Filled    {fill['column']}, {fill['rule']}" for fill in _fills(told, share)]
    if told.start_price:
        asked = 100 * told.start_price / (told.unpaid + told.fees)
        lines.append(
            f"Start     {report.money(told.start_price)}, {asked:.1f} fen on the yuan owed"
        )
    return lines


def _fills(told: market.Header, share: float) -> list[dict[str, object]]:
    """What the notice leaves out and the valuation takes by a rule: column, rule, loans."""
    by_rule = {
        "principal": f"not told: {report.percent(share, 0)} of what is unpaid, the market's usual share",
        "litigation": "not told: as not sued",
    }
    missing = {"principal": told.principal is None, "litigation": not told.litigation}
    return [
        {"column": name, "rule": rule, "rows": told.loans}
        for name, rule in by_rule.items()
        if missing[name]
    ]


def _inputs(files: dict[str, str]) -> list[dict[str, object]]:
    """Name, path as typed and hash of every file read; none is a table."""
    return [
        {"name": name, "path": path, "sha256": file_hash(Path(path)), "rows": None}
        for name, path in files.items()
    ]


def _unusable(told: market.Header, book: rules.MarketBook, where: str) -> list[Problem]:
    """Legal statuses of a notice that the market book does not know."""
    words = book.numbers("recovery/legal_effect", told.base_date)
    unknown = sorted(set(told.litigation) - set(words))
    fix = f"Use {', '.join(words)}."
    return [
        Problem("HEADER-BAD-VALUE", "error", where, f"No legal status {unknown[0]!r}.", "", fix)
        for _ in unknown[:1]
    ]


def _model_on(told: market.Header, model: RecoveryModel) -> list[Problem]:
    """What a reader must know of a model that is laid on a notice."""
    problems = []
    if model.as_of > told.base_date:
        problems.append(sees_ahead(model.as_of, told.base_date, "notice"))
    if model.products[told.product].expected <= 0.0:
        found = f"The model has seen no loan-month of product {told.product}."
        why = "The market prior alone says what such loans pay."
        fix = f"Fit on a history that holds loans of product {told.product}."
        problems.append(Problem("MODEL-NOT-SEEN", "warning", "--model", found, why, fix))
    return problems
