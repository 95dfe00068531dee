"""`hidden`: which loans are bad and kept alive so that it does not show."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import polars as pl

from arrears import report
from arrears.run.gather import Gathered
from arrears.run.job import Done, job
from arrears.run.products import Products
from arrears.run.request import Request
from arrears.run.stages import Stages, Watcher
from arrears.run.unseen import stand
from arrears.standing.hidden import (
    Hidden,
    bunching,
    by_design,
    inspection_gap,
    propose,
    thresholds,
)
from arrears.standing.law import NPL, Law


def hidden(
    request: Request,
    *,
    propose: int | None = None,
    out: Path,
    force: bool = False,
    watcher: Watcher | None = None,
) -> Done:
    """`hidden.parquet, hidden_why.parquet, standing.parquet, bunching.csv, hidden.html`; `audit.csv` if asked for.

    Args:
        propose: how many loans to name that are worth looking into next.

    Raises:
        Stopped: the tape cannot be used.
    """

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        with stages.stage("hidden"):
            classed, found = stand(gathered)
        with stages.stage("bunching"):
            bunched = _bunched(gathered, found)
        with stages.stage("write"):
            products.table("standing.parquet", classed)
            products.table("hidden.parquet", _months(gathered, found))
            products.table("hidden_why.parquet", found.reasons())
            products.csv("bunching.csv", bunched)
            if propose is not None:
                products.csv("audit.csv", _proposed(gathered, found, propose))
            page = _page(gathered, found, bunched)
            products.text("hidden.html", report.hidden_page(page))
        return _told(page, out, propose)

    return job(
        request,
        work,
        name="hidden",
        out=out,
        force=force,
        watcher=watcher,
        asked={"propose": propose},
    )


def _bunched(gathered: Gathered, found: Hidden) -> pl.DataFrame:
    tape = gathered.tape
    law = Law.of(gathered.rulebook, tape.as_of)
    return bunching(
        tape.loans,
        found.lived,
        tape.payments,
        thresholds=thresholds(law),
        seed=gathered.request.seed,
    )


def _months(gathered: Gathered, found: Hidden) -> pl.DataFrame:
    """`hidden.parquet`: `loan_id, month, p_sound, p_strained, p_bad`; empty where no model was fitted."""
    ids = gathered.tape.loans["loan_id"]
    return found.by_month(ids)


def _proposed(gathered: Gathered, found: Hidden, count: int) -> pl.DataFrame:
    tape = gathered.tape
    seen = (
        gathered.audit["loan_id"] if gathered.audit is not None else pl.Series([], dtype=pl.String)
    )
    free = found.table.select(~pl.col("loan_id").is_in(seen.implode())).to_series().to_numpy()
    assert found.book is not None
    return propose(
        found.table,
        tape.claim,
        found.signs,
        count=count,
        free=free & found.book.shown,
        seed=gathered.request.seed,
    )


def _page(gathered: Gathered, found: Hidden, bunched: pl.DataFrame) -> report.HiddenPage:
    """Everything that the page tells."""
    tape = gathered.tape
    loans = tape.loans
    reported = pl.col("reported_class").is_in(NPL).fill_null(False)
    flags = loans.select(reported=reported)["reported"].to_numpy()
    branch = loans["branch"].fill_null("(not given)")
    inspected = None
    if gathered.audit is not None:
        inspected = _inspected(gathered, gathered.audit, flags)
    return report.HiddenPage(
        as_of=tape.as_of,
        claim=float(tape.claim.sum()),
        reported=float(tape.claim[flags].sum()),
        whole=found.by(pl.Series(np.full(loans.height, "total"))).row(0, named=True),
        branches=found.by(branch).with_columns(
            claim=pl.DataFrame({"key": branch, "claim": tape.claim})
            .group_by("key").agg(pl.col("claim").sum()).sort("key")["claim"]
        ),
        branch=branch,
        found=found,
        bunching=bunched,
        inspected=inspected,
        late=float(tape.claim[(loans["days_past_due"] > 90).to_numpy()].sum()),
    )  # fmt: skip


def _inspected(gathered: Gathered, audit: pl.DataFrame, flags: np.ndarray) -> report.Inspected:
    """The inspection gap of METHODS 3.3, and the whole by the design of the sample where it is known."""
    tape = gathered.tape
    place = tape.loans.select("loan_id", row=pl.int_range(pl.len())).join(
        audit, on="loan_id", maintain_order="right"
    )
    rows, said = place["row"].to_numpy(), place["hidden"].to_numpy()
    gap = inspection_gap(said, int(flags[rows].sum()))
    designed = None
    if place["chance"].null_count() == 0:
        designed = by_design(said, tape.claim[rows], place["chance"].to_numpy())
    return report.Inspected(gap, designed)


def _told(
    page: report.HiddenPage, out: Path, propose: int | None
) -> tuple[dict[str, object], list[str]]:
    whole, found = page.whole, page.found
    p = found.table["p_hidden"]
    summary: dict[str, object] = {
        "loans": p.len(),
        "with_history": p.len() - p.null_count(),
        "hidden": whole["hidden"],
        "lo90": whole["lo90"],
        "hi90": whole["hi90"],
        "likely": int((p > 0.5).sum()),
        "basis": found.basis,
        "why": found.why,
    }
    if page.inspected is not None:
        gap = page.inspected.gap
        summary["inspection"] = {
            "looked_into": gap.looked_into, "found": gap.found, "share": gap.share,
            "lo95": gap.lo95, "hi95": gap.hi95, "gap": gap.gap,
        }  # fmt: skip
    text = "nothing is known: the tape tells no history"
    if whole["hidden"] is not None:
        low, high = cast("float", whole["lo90"]), cast("float", whole["hi90"])
        text = (
            f"{report.money(whole['hidden'])} ({report.money_range(low, high)}, nine times in ten)"
        )
    lines = [f"Hidden    {text}", f"Basis     {found.why}"]
    lines += [f"Finding   {text}" for text in report.hidden_findings(page)[:1]]
    if propose is not None:
        lines.append(f"Look into {out / 'audit.csv'}")
    return summary, [*lines, f"Report    {out / 'hidden.html'}"]
