"""`deal check | run | size | report`: a deal file, and what its classes get from given collections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import polars as pl

from arrears import deals, report
from arrears.core.hashing import file_hash
from arrears.core.words import counted
from arrears.files import did_you_mean, staged
from arrears.problems import Problem, errors
from arrears.run.products import Products, to_json
from arrears.run.stages import Stages, Watcher
from arrears.run.stopped import ANSWER_IS_NO, Stopped

_CASH = {"scenario": pl.Int64, "month": pl.Int64, "collections": pl.Int64}
MOVES_OF = 100
_MOVED = 1_024


@dataclass(frozen=True)
class DealRun:
    """A deal that ran: its summary, lines for people, and what was found on the way."""

    summary: dict[str, object]
    told: tuple[str, ...]
    problems: tuple[Problem, ...] = ()

    def lines(self) -> list[str]:
        """For people."""
        return list(self.told)


def deal_check(file: Path) -> deals.Deal:
    """A deal from its file.

    Raises:
        Stopped: it has faults (status 1), or is not there (status 2).
    """
    deal, problems = deals.read_deal(file)
    if errors(problems) or deal is None:
        missing = all(problem.code == "FILE-UNREADABLE" for problem in problems)
        raise Stopped(problems) if missing else Stopped(problems, ANSWER_IS_NO)
    return deal


@dataclass(frozen=True)
class _Work:
    """A deal, its cash, and where products go."""

    deal: deals.Deal
    cash: deals.Cash
    problems: tuple[Problem, ...]
    products: Products
    stages: Stages


def _record(work: _Work, command: str, inputs: dict[str, Path], settings: object = None) -> None:
    record = {
        "command": command,
        "inputs": [
            {"name": name, "path": str(path), "sha256": file_hash(path)}
            for name, path in inputs.items()
        ],
        "settings": settings or {},
        "products": dict(sorted(work.products.hashes.items())),
        "seconds": work.stages.seconds,
    }
    (work.products.folder / "run.json").write_text(to_json(record), encoding="utf-8")


def _begin(file: Path, cash: Path, folder: Path, stages: Stages) -> _Work:
    deal = deal_check(file)
    with stages.stage("read"):
        placed, problems = deals.place(deal, _cash(cash))
    if placed is None:
        raise Stopped(problems)
    return _Work(deal, placed, tuple(problems), Products(folder), stages)


def deal_run(
    file: Path,
    *,
    cash: Path,
    out: Path,
    moves: int | None = MOVES_OF,
    force: bool = False,
    watcher: Watcher | None = None,
) -> DealRun:
    """Run a deal on collections by scenario and month: `tranches.parquet, moves.parquet, deal.json`.

    Args:
        moves: `moves.parquet` holds the first so many scenarios; None for all.

    Raises:
        Stopped: the deal has faults (status 1), or the cash cannot be used (status 2).
    """
    stages = Stages(watcher)
    with staged(out, force=force) as place:
        work = _begin(file, cash, place.folder, stages)
        program = deals.compiled(work.deal)
        with stages.stage("run"):
            found = _run(work, program, moves)
        work.products.json("deal.json", found.summary)
        settings = {"moves": "all" if moves is None else moves}
        _record(work, "deal run", {"deal": file, "cash": cash}, settings)
    told = tuple(_told(work.deal, found.summary))
    return DealRun(found.summary | {"out": str(out)}, told, work.problems)


def _run(work: _Work, program: deals.Program, moves: int | None) -> deals.Answers:
    """Answers, and the tables beside them, in one pass; each chunk is written before the next one runs."""
    gross, names = work.cash.collections, work.cash.names

    with work.products.in_parts("tranches.parquet") as parts:

        def seen(part: slice, run: deals.Run) -> None:
            parts.add(deals.tranches(run, names[part]))
            work.stages.watcher.advance(part.stop, gross.shape[1])

        found = deals.answers(program, gross, names.tolist(), seen=seen)
    shown = names[:moves]
    with work.products.in_parts("moves.parquet") as parts:
        for part, run in deals.in_chunks(program, gross[:, : len(shown)], chunk=_MOVED, moves=True):
            parts.add(deals.moves(run, shown[part]))
    return found


def deal_size(
    file: Path,
    *,
    cash: Path,
    shortfall: Sequence[str],
    out: Path,
    haircut: str = "0",
    delay: int = 0,
    force: bool = False,
    watcher: Watcher | None = None,
) -> DealRun:
    """The largest senior class, and the smallest piece below it: `size.json`.

    Args:
        shortfall: chance of falling short, `0.01` of the first senior class, or `CLASS=0.01`; several, most senior
            first.
        haircut, delay: of the stress under which it is sized, a share and payment dates.

    Raises:
        Stopped: the deal has faults (status 1), the cash or the target cannot be used (status 2).
    """
    stages = Stages(watcher)
    with staged(out, force=force) as place:
        work = _begin(file, cash, place.folder, stages)
        asked = _asked(work.deal, shortfall)
        stress = deals.Stress(_share(haircut, "--haircut"), delay)
        with stages.stage("size"):
            found = deals.size(
                work.deal, work.cash.collections, work.cash.names, asked=asked, stress=stress
            )
        summary = _sizes(work.deal, found)
        summary["stress"] = {"haircut": float(stress.haircut), "delay": delay}
        work.products.json("size.json", summary)
        settings = {"shortfall": asked, "haircut": haircut, "delay": delay}
        _record(work, "deal size", {"deal": file, "cash": cash}, settings)
    return DealRun(summary | {"out": str(out)}, tuple(_size_told(summary)), work.problems)


def deal_report(
    file: Path,
    *,
    cash: Path,
    out: Path,
    actual: Path | None = None,
    force: bool = False,
    watcher: Watcher | None = None,
) -> DealRun:
    """Term sheet, cash by date, fans by class and the investor report: `report.html`, `report.xlsx`.

    Args:
        actual: what has come in since the cut-off, one scenario of `scenario, month, collections`.

    Raises:
        Stopped: the deal has faults (status 1), or the cash cannot be used (status 2).
    """
    stages = Stages(watcher)
    with staged(out, force=force) as place:
        work = _begin(file, cash, place.folder, stages)
        seen = None if actual is None else _actual(work.deal, actual)
        with stages.stage("run"):
            program = deals.compiled(work.deal)
            found = deals.answers(program, work.cash.collections, work.cash.names.tolist())
        with stages.stage("report"):
            work.products.text("report.html", report.deal_page(work.deal, found, seen))
            report.deal_workbook(work.deal, found, place.folder / "report.xlsx", seen)
            work.products.adopt("report.xlsx")
        inputs = {"deal": file, "cash": cash} | ({} if actual is None else {"actual": actual})
        _record(work, "deal report", inputs)
    told = (*_told(work.deal, found.summary), f"The page: {out / 'report.html'}")
    return DealRun(found.summary | {"out": str(out)}, told, work.problems)


def package_reports(handover: Path) -> list[dict[str, object]]:
    """`report.html` and `report.xlsx` beside each deal that a plan proposes; what the run's report tells of them."""
    told: list[dict[str, object]] = []
    for file in sorted(handover.glob("*/package-*/deal.yaml")):
        deal, folder = deal_check(file), file.parent
        placed, problems = deals.place(deal, pl.read_parquet(folder / "cash.parquet"))
        if placed is None:
            raise Stopped(problems)
        found = deals.answers(deals.compiled(deal), placed.collections, placed.names.tolist())
        page = report.deal_page(deal, found, None)
        (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
        report.deal_workbook(deal, found, folder / "report.xlsx", None)
        first = deal.classes[0]
        of_first = cast("dict[str, dict[str, object]]", found.summary["tranches"])[first.name]
        told.append(
            {
                "place": folder.relative_to(handover.parent).as_posix(),
                "name": deal.name,
                "kind": deal.kind.replace("_", " "),
                "issue": sum(one.face for one in deal.classes),
                "collections": float(found.collected.sum()),
                "first": first.name,
                "size": first.face,
                "share_short": of_first["probability_of_shortfall"],
            }
        )
    return told


def _actual(deal: deals.Deal, path: Path) -> pl.DataFrame:
    """Collections that came in by payment date, of the dates whose months are all there; fen."""
    table = _cash(path)
    placed, problems = deals.place(deal, table)
    if placed is None:
        raise Stopped(problems)
    if len(placed.names) > 1:
        fix = "Give what came in as one scenario."
        text = f"{counted(len(placed.names), 'scenario')}."
        raise Stopped([Problem("CASH-BAD-CELL", "error", "--actual", text, fix, fix)])
    whole = deals.dates_reached(deal, int(str(table["month"].max())))
    return pl.DataFrame(
        {"period": list(range(1, whole + 1)), "collections": placed.collections[:whole, 0]}
    )


def _sizes(deal: deals.Deal, found: Sequence[deals.Sized]) -> dict[str, object]:
    """`size.json`; the junior piece is what is left of the issue in the file."""
    first = found[0]
    total = sum(one.face for one in deal.classes if one.role != "notional")
    senior = sum(one.face for one in found)
    return {
        "senior": first.face,
        "junior": max(total - senior, 0),
        "total": total,
        "binding_step": first.binding_step,
        "scenarios": list(first.scenarios),
        "scenarios_short_above": first.falls_short,
        "classes": [
            {
                "name": one.name,
                "size": one.face,
                "asked": one.asked,
                "probability_of_shortfall": one.shortfall,
                "binding_step": one.binding_step,
                "scenarios": list(one.scenarios),
            }
            for one in found
        ],
    }


def _asked(deal: deals.Deal, shortfall: Sequence[str]) -> dict[str, float]:
    names = [one.name for one in deal.classes if one.role != "notional"]
    default = deal.seniors()[0].name if deal.seniors() else names[0]
    found: dict[str, float] = {}
    for text in shortfall:
        name, _, chance = text.rpartition("=")
        name = name or default
        if name not in names:
            fix = did_you_mean(name, names)
            raise Stopped([_bad("--shortfall", f"No class {name!r}.", fix)])
        found[name] = float(_share(chance, "--shortfall"))
    return found


def _share(text: str, where: str) -> Fraction:
    try:
        share = Fraction(text)
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise Stopped([_bad(where, f"{text!r} is no share.", "Give a number from 0 to 1.")])
    return share


def _bad(where: str, found: str, fix: str) -> Problem:
    return Problem("BAD-OPTION", "error", where, found, "The deal cannot be sized.", fix)


def _cash(path: Path) -> pl.DataFrame:
    """`scenario, month, collections` (fen) from CSV or Parquet."""
    why = "The deal needs its collections."
    try:
        table = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        text = str(error).splitlines()[0][:80]
        problem = Problem("CASH-UNREADABLE", "error", str(path), text, why, "Give CSV or Parquet.")
        raise Stopped([problem]) from None
    for name in _CASH:
        if name not in table.columns:
            text, fix = f"The column {name} is missing.", did_you_mean(name, table.columns)
            raise Stopped([Problem("CASH-NO-COLUMN", "error", str(path), text, why, fix)])
    whole = table.select(
        pl.when(pl.col(name).round() == pl.col(name)).then(pl.col(name)).alias(name)
        for name in _CASH
        if table[name].dtype.is_float()
    )
    found = table.with_columns(whole).select(
        pl.col(name).cast(dtype, strict=False) for name, dtype in _CASH.items()
    )
    if found.is_empty() or sum(found.null_count().row(0)):
        text = "A cell is empty or no whole number." if found.height else "There are no rows."
        fix = "Give whole numbers; collections in fen."
        raise Stopped([Problem("CASH-BAD-CELL", "error", str(path), text, why, fix)])
    first, last = int(str(found["month"].min())), int(str(found["month"].max()))
    if first < 1 or last > 1_200:
        text = f"Months run from {first} to {last}."
        fix = "Month 1 begins on the cut-off date; at most 1,200."
        raise Stopped([Problem("CASH-BAD-CELL", "error", str(path), text, why, fix)])
    return found


def _told(deal: deals.Deal, summary: dict[str, object]) -> list[str]:
    lines = [f"{deal.name}: {counted(cast('int', summary['scenarios']), 'scenario')}."]
    for name, row in cast("dict[str, dict[str, float | None]]", summary["tranches"]).items():
        earned = row["yield"]
        life = row["wal_years"]
        lines.append(
            f"{name:<9} {report.money(row['size'])}, yield {report.percent(earned, 2)}, "
            f"average life {'n/a' if life is None else f'{life:.2f} years'}, short in "
            f"{report.percent(row['probability_of_shortfall'])} of scenarios, "
            f"expected loss {report.percent(row['expected_loss'], 2)}"
        )
    kept = cast("dict[str, int]", summary["conservation"])
    lines.append(
        f"Cash of all scenarios in {report.money(kept['in'])}, out the same to the fen: "
        f"difference {kept['difference']}."
    )
    return lines


def _size_told(summary: dict[str, object]) -> list[str]:
    lines = []
    for one in cast("list[dict[str, object]]", summary["classes"]):
        face, chance = cast("float", one["size"]), cast("float", one["asked"])
        why = f"; one fen more and {one['binding_step']} falls short too often"
        lines.append(
            f"{one['name']}: at most {report.money(face)} for a chance of falling short of "
            f"{report.percent(chance)}{why if one['binding_step'] else ''}."
        )
    junior = cast("float", summary["junior"])
    lines.append(f"Below: {report.money(junior)} of the issue in the file.")
    return lines
