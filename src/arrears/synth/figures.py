"""A block of a book held to published figures of bad loans."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from arrears.synth.recipe import Figures

FEES = 0.12
_USUAL_AGE = 42


def older(figures: Figures) -> int:
    """Years by which borrowers are older than usual."""
    return 0 if figures.borrower_age is None else figures.borrower_age - _USUAL_AGE


def hold_to_figures(figures: Figures, drawn: dict[str, np.ndarray], g: np.random.Generator) -> None:
    """Change what was drawn for a block (n loans each) so that its bad loans are as the figures say.

    Days past due are drawn anew by their mix; the interest of each product is raised until principal has its share,
    then its principals until it has its part of what so many debtors owe. What no figure is given for stays as it was.
    """
    bad = drawn["days"] > 90
    if figures.overdue_mix is not None:
        low, high, share = (np.array(part) for part in zip(*figures.overdue_mix, strict=True))
        band = g.choice(len(share), len(bad), p=share / share.sum())
        days = low[band] + np.floor(g.random(len(bad)) * (high - low)[band]).astype(np.int64)
        drawn["seen"] = np.where(
            bad, drawn["seen"] + days // 30 - drawn["days"] // 30, drawn["seen"]
        )
        drawn["days"] = np.where(bad, days, drawn["days"])
    if figures.loans_per_debtor is not None:
        drawn["person"] = (drawn["number"] / figures.loans_per_debtor).astype(np.int64)
    owed = {word: bad & (drawn["product"] == word) for word in sorted(set(drawn["product"][bad]))}
    claims = {word: _penalised(figures, drawn, where) for word, where in owed.items()}
    total = sum(claims.values())
    if figures.claim_per_debtor is not None:
        debtors = len(np.unique(drawn.get("person", drawn["number"])[bad]))
        total = float(figures.claim_per_debtor * debtors)
    for word, where in owed.items():
        part = (figures.claim_mix or {}).get(word, claims[word] / sum(claims.values()))
        for name in ("principal", "original"):
            scaled = np.maximum(np.round(drawn[name] * (total * part / claims[word])), 100.0)
            drawn[name] = np.where(where, scaled.astype(np.int64), drawn[name])


def _penalised(
    figures: Figures, drawn: dict[str, np.ndarray], where: npt.NDArray[np.bool_]
) -> float:
    """Claim of some loans, fen, their interest raised so that principal has its share of it."""
    principal = drawn["principal"][where].astype(np.float64)
    years = drawn["days"][where] / 365
    extra = float((principal * drawn["rate"][where] * years).sum()) * (1.0 + FEES)
    owed = float(principal.sum())
    if figures.principal_share is None:
        return owed + extra
    penalty = owed * (1.0 / figures.principal_share - 1.0) / extra
    drawn["penalty"] = np.where(where, penalty, drawn["penalty"])
    return owed / figures.principal_share
