"""What a sheet of a workbook holds."""

from __future__ import annotations

# Below the head; a program reads no further.
SHEET_ROWS = 1_048_575
MOST_LOANS = 20_000
