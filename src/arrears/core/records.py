"""Dataclasses whose fields are arrays of one length."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")


def picked(
    record: Record, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_], **given: object
) -> Record:
    """The record of some places: every field cut to them, but those that are given."""
    cut = {
        one.name: getattr(record, one.name)[rows] for one in fields(record) if one.name not in given
    }
    return replace(record, **cut, **given)
