"""What a sheet of a workbook holds."""

# Below the head; what is written further down is lost without a word.
SHEET_ROWS = 1_048_575
