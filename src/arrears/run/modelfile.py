"""The file of a fitted model, read and checked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from arrears.files.model import check_model
from arrears.files.yamlfile import Lines
from arrears.problems import Problem

if TYPE_CHECKING:
    from arrears.recovery.fitting.model import RecoveryModel


def read_model(path: Path) -> tuple[RecoveryModel | None, list[Problem]]:
    """A model that `fit` has left, or None and why it cannot be used."""
    from arrears.recovery.fitting.model import FORMAT, FORMAT_VERSION, RecoveryModel

    fix = "Name the model.json of a finished fit."
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        text = f"{path} cannot be read."
        return None, [Problem("MODEL-NOT-FOUND", "error", "--model", text, "", fix)]
    except ValueError:
        text = f"{path} is no JSON."
        return None, [Problem("MODEL-NOT-JSON", "error", str(path), text, "", fix)]
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        text = f"{path.name} is no recovery model."
        return None, [Problem("MODEL-OTHER-FORMAT", "error", str(path), text, "", fix)]
    if data.get("format_version") != FORMAT_VERSION:
        text = f"Its format is version {data.get('format_version')!r}; this Arrears reads {FORMAT_VERSION}."
        again = "Fit it again with this version."
        return None, [Problem("MODEL-OTHER-VERSION", "error", str(path), text, "", again)]
    model, problems = check_model(data, RecoveryModel, Lines(path), code="MODEL")
    return model, [replace(problem, found=problem.found[:200]) for problem in problems]
