"""`link` and `anonymise`: who is behind the loans, and a tape that does not tell."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from arrears.core.words import counted
from arrears.problems import Problem
from arrears.run.gather import Gathered
from arrears.run.job import Done, job
from arrears.run.products import Products
from arrears.run.request import Request
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import Stopped
from arrears.tape.anonymise import K
from arrears.tape.anonymise import anonymise as hide
from arrears.tape.link import debtors
from arrears.tape.link import link as persons_of

_LEAST_KEY = 16


def link(
    request: Request, *, out: Path, force: bool = False, watcher: Watcher | None = None
) -> Done:
    """Which loans belong to the same person: `persons.parquet`, `debtors.parquet`.

    Raises:
        Stopped: the tape cannot be used.
    """

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        loans = gathered.tape.loans
        with stages.stage("link"):
            persons = persons_of(loans)
            owed = debtors(loans, persons)
        products.table("persons.parquet", persons)
        products.table("debtors.parquet", owed)
        several = owed.filter(pl.col("loans") > 1)
        summary: dict[str, object] = {
            "loans": loans.height,
            "persons": owed.height,
            "with_several_loans": several.height,
            "largest_claim": int(owed["claim"].max() or 0) if owed.height else 0,  # type: ignore[arg-type]
        }
        lines = [
            f"{counted(loans.height, 'loan')} of {counted(owed.height, 'person')}; "
            f"{counted(several.height, 'of them has', 'of them have')} several.",
            f"Each loan: {out / 'persons.parquet'}; each debtor: {out / 'debtors.parquet'}.",
        ]
        return summary, lines

    return job(request, work, name="link", out=out, force=force, watcher=watcher)


def anonymise(
    request: Request,
    *,
    key_file: Path,
    out: Path,
    k: int = K,
    force: bool = False,
    watcher: Watcher | None = None,
) -> Done:
    """The tables of a tape without anything that names a borrower.

    Args:
        key_file: a file that holds the secret, 16 bytes or more.

    Raises:
        Stopped: the tape or the key cannot be used.
    """
    key = _key(key_file)

    def work(
        gathered: Gathered, products: Products, stages: Stages
    ) -> tuple[dict[str, object], list[str]]:
        tape = gathered.tape
        tables = {"loans": tape.loans, "payments": tape.payments, "months": tape.months}
        tables |= {"events": tape.events, "contacts": tape.contacts}
        with stages.stage("anonymise"):
            hidden = hide({name: t for name, t in tables.items() if t is not None}, key, k=k)
        for name, table in hidden.tables.items():
            products.csv(f"{name}.csv", table)
        products.csv("who_is_told.csv", hidden.report)
        alone = int(hidden.report["loans_alone_after"][0])
        summary: dict[str, object] = {
            "tables": {name: table.height for name, table in hidden.tables.items()},
            "k": k,
            "province_left_out": hidden.merged,
            "report": hidden.report.to_dicts(),
        }
        lines = [
            f"{counted(tape.loans.height, 'loan')}; {hidden.merged:,} lost the province: "
            f"fewer than {k} shared the cell.",
            f"Alone with province, birth years and product: {alone:,}. More: {out / 'who_is_told.csv'}.",
        ]
        return summary, lines

    return job(request, work, name="anonymise", out=out, force=force, watcher=watcher)


def _key(path: Path) -> bytes:
    try:
        key = path.read_bytes().strip()
    except OSError as error:
        found = error.strerror or "It cannot be read."
        fix = "Name a file with a secret of 16 bytes or more."
        raise Stopped([Problem("KEY-NO-FILE", "error", str(path), found, "", fix)]) from None
    if len(key) < _LEAST_KEY:
        found = f"The key has {len(key)} bytes."
        why = "Pseudonyms of a short key can be found by trying."
        fix = "Make one with: openssl rand -hex 32"
        raise Stopped([Problem("KEY-TOO-SHORT", "error", str(path), found, why, fix)])
    return key
