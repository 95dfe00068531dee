"""Makes the cases by hand importable."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_SPEC = importlib.util.spec_from_file_location("hidden_cases", Path(__file__).with_name("cases.py"))
assert _SPEC
assert _SPEC.loader
_MODULE = importlib.util.module_from_spec(_SPEC)
sys.modules["hidden_cases"] = _MODULE
_SPEC.loader.exec_module(_MODULE)
