"""Files that a person wrote, read against a model; folders that appear whole or not at all."""

from arrears.files.folder import staged
from arrears.files.model import check_model, read_model
from arrears.files.nearest import did_you_mean, nearest
from arrears.files.sheet import MOST_LOANS, SHEET_ROWS
from arrears.files.yamlfile import Lines, read_yaml

__all__ = [
    "MOST_LOANS",
    "SHEET_ROWS",
    "Lines",
    "check_model",
    "did_you_mean",
    "nearest",
    "read_model",
    "read_yaml",
    "staged",
]
