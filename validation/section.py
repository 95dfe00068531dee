"""What sections share: their command line, where real loans lie, tables, and scores with bootstrap intervals."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]


def run(main: Callable[[bool], str]) -> None:
    """Print a section; `--smoke` asks for small sizes."""
    print(main("--smoke" in sys.argv[1:]))


def real_data() -> Path | None:
    """The folder of real loans; None where there is none."""
    folder = Path(os.environ.get("ARREARS_REAL", ROOT.parent / "shared")) / "data"
    return folder if folder.is_dir() else None


def without_data(title: str) -> str:
    """The section of a data set that is not here."""
    return f"## {title}\n\nNot measured: `ARREARS_REAL` names no folder that holds `data/`."


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; the first column is text, the others are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def area_under_curve(score: np.ndarray, truth: np.ndarray) -> float:
    """Chance that a true case is ranked above a false one, ties counting half."""
    from scipy.stats import rankdata

    truth = truth.astype(bool)
    hits, misses = int(truth.sum()), int((~truth).sum())
    if not hits or not misses:
        return float("nan")
    return float((rankdata(score)[truth].sum() - hits * (hits + 1) / 2) / (hits * misses))


def precision_at_recall(score: np.ndarray, truth: np.ndarray, recall: float) -> float:
    """Share of true cases among the highest scores, taken until `recall` of all true cases are in.

    A group of equal scores is taken whole.
    """
    order = np.argsort(-score, kind="stable")
    found = np.cumsum(truth[order])
    ends = np.append(np.nonzero(np.diff(score[order]))[0], len(score) - 1)
    end = ends[np.argmax(found[ends] >= recall * found[-1])]
    return float(found[end] / (end + 1))


def bootstrap(
    measure: Callable[..., float], *columns: np.ndarray, draws: int = 200, seed: int = 0
) -> tuple[float, float, float]:
    """A measure of rows, and the 5th and 95th percentile of it over resampled rows."""
    stream = np.random.default_rng(seed)
    size = len(columns[0])
    found = []
    for _ in range(draws):
        rows = stream.integers(0, size, size)
        found.append(measure(*(column[rows] for column in columns)))
    low, high = np.nanquantile(found, [0.05, 0.95])
    return measure(*columns), float(low), float(high)
