"""Reading rulebooks and reforms, and checking them."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from arrears.errors import ArrearsError, NotInForce, UnknownPath
from arrears.files import check_model, did_you_mean, read_model, read_yaml
from arrears.problems import Problem, errors
from arrears.rules.book import Rulebook
from arrears.rules.leaf import Article, Leaf, Reform

# The law of the land, and standards that a book may be compared by: they change what is bad, and nothing else.
BASES = ("cn",)
STANDARDS = ("basel", "eba", "ifrs9")
_REFORMS = "reforms"


def bundled(folder: str) -> Path:
    """The folder of data inside the package."""
    with as_file(files("arrears") / folder) as path:
        return path


def names() -> list[str]:
    """The rulebooks that `load` knows."""
    reforms = (bundled("rulebooks") / _REFORMS).glob("*.yaml")
    return sorted([*BASES, *STANDARDS, *(path.stem for path in reforms)])


@cache
def load(name: str) -> Rulebook:
    """A bundled rulebook, or a bundled reform of one.

    Raises:
        UnknownPath: no such rulebook.
        ArrearsError: its files are damaged.
    """
    if name not in names():
        raise UnknownPath(
            f"No rulebook {name!r}.",
            code="UNKNOWN-RULEBOOK",
            where="--rulebook",
            why="The law must be known.",
            fix=did_you_mean(name, names()),
        )
    if name in BASES:
        book, problems = read_book(bundled("rulebooks") / name)
    elif name in STANDARDS:
        book, problems = read_book(bundled("rulebooks") / name)
        book = load("cn").compared_by(book) if book else None
    else:
        reform, problems = read_reform(bundled("rulebooks") / _REFORMS / f"{name}.yaml")
        book = load(name.split("-", 1)[0]).reform(reform).renamed(name) if reform else None
    if book is None:
        raise ArrearsError(problems[0].line(), code="DAMAGED-RULEBOOK", where=name)
    return book


def read_book(folder: Path) -> tuple[Rulebook | None, list[Problem]]:
    """A rulebook from its folder: `articles.yaml`, and a file a subject."""
    articles, problems = _read_articles(folder / "articles.yaml")
    leaves: dict[str, Leaf] = {}
    for path in sorted(folder.glob("*.yaml")):
        if path.name != "articles.yaml":
            found, wrong = read_leaves(path, f"{folder.name}/{path.stem}")
            leaves |= found
            problems += wrong
    problems += _unknown_articles(leaves, articles, folder)
    if errors(problems):
        return None, problems
    return Rulebook.of(folder.name, leaves, articles), problems


def read_leaves(path: Path, prefix: str) -> tuple[dict[str, Leaf], list[Problem]]:
    """The leaves of one file, by path."""
    data, lines, problems = read_yaml(path)
    if data is None:
        return {}, problems
    if not isinstance(data, dict):
        found = "The file is no mapping of leaves."
        why, fix = "It cannot be read.", "Write `name: {description: ...}`."
        return {}, [Problem("RULES-BAD-VALUE", "error", path.name, found, why, fix)]
    leaves = {}
    for name, body in data.items():
        leaf, wrong = check_model(body, Leaf, lines.below(name), code="RULES")
        problems += wrong
        if leaf is not None:
            leaves[f"{prefix}/{name}"] = leaf
    return leaves, problems


def _read_articles(path: Path) -> tuple[dict[str, Article], list[Problem]]:
    data, lines, problems = read_yaml(path)
    articles = {}
    for name, body in (data if isinstance(data, dict) else {}).items():
        article, wrong = check_model(body, Article, lines.below(name), code="ARTICLE")
        problems += wrong
        if article is not None:
            articles[name] = article
    return articles, problems


def _unknown_articles(
    leaves: dict[str, Leaf], articles: dict[str, Article], folder: Path
) -> list[Problem]:
    return [
        Problem(
            "RULES-UNKNOWN-ARTICLE",
            "error",
            f"{folder.name} {path}",
            f"No article {value.article!r}.",
            "Every value rests on one.",
            did_you_mean(value.article, articles),
        )
        for path, leaf in leaves.items()
        for value in leaf.values
        if value.article not in articles
    ]


def read_reform(path: Path) -> tuple[Reform | None, list[Problem]]:
    """A change of law from its file, and what is wrong with it."""
    return read_model(path, Reform, code="REFORM")


def check(file: Path | None = None) -> tuple[int, list[Problem]]:
    """How many leaves were checked, and what is wrong: the bundled rules, a reform's file, or a file of leaves."""
    if file is None:
        problems: list[Problem] = []
        leaves = 0
        for name in (*BASES, *STANDARDS):
            book, found = read_book(bundled("rulebooks") / name)
            problems += found
            leaves += len(book.leaves) if book else 0
        for path in sorted((bundled("rulebooks") / _REFORMS).glob("*.yaml")):
            problems += check(path)[1]
        return leaves, problems
    data, _, problems = read_yaml(file)
    if isinstance(data, dict) and not {"changes", "name"} & set(data):
        leaves_found, problems = read_leaves(file, f"cn/{file.stem}")
        problems += _unknown_articles(leaves_found, dict(load("cn").articles), file)
        return len(leaves_found), problems
    reform, problems = read_reform(file)
    if reform is None:
        return 0, problems
    try:
        load("cn").reform(reform)
    except ArrearsError as error:
        place = f"{file.name} {error.where}"
        problems.append(Problem(error.code, "error", place, error.found, error.why, error.fix))
    return len(reform.changes), problems


def require_force(book: Rulebook, day: date) -> None:
    """Refuse a cut-off date for which the rulebook does not speak.

    Raises:
        NotInForce: `day` lies before its first day.
    """
    first = book.leaf("cn/force/from").values[0].value
    if isinstance(first, date) and day < first:
        raise NotInForce(
            f"The cut-off date {day} lies before {first}.",
            code="RULEBOOK-NOT-IN-FORCE",
            where="--as-of",
            why=f"The rulebook {book.name} does not speak for that day.",
            fix=f"Use a cut-off date from {first} on.",
        )
