"""The valid name that a wrong one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The closest of `names`, None where nothing is close."""
    by_fold = {known.casefold(): known for known in names}
    close = get_close_matches(name.casefold(), list(by_fold), n=1, cutoff=0.6)
    return by_fold[close[0]] if close else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """What to do about an unknown name, as a sentence: the nearest one, else the whole list."""
    known = sorted(names)
    close = nearest(name, known)
    if close:
        return f"Did you mean {close!r}?"
    return "Known: " + ", ".join(known[:20]) + ("…" if len(known) > 20 else "") + "."
