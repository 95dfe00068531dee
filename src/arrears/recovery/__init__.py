"""What a loan will still pay, when, and how surely."""

from arrears.recovery.collateral import Collateral
from arrears.recovery.forecast import (
    HORIZON,
    Forecast,
    forecast,
    get_ready,
    paths_of,
    shifts,
    unknown,
    window,
)
from arrears.recovery.params import fills
from arrears.recovery.pools import Pool, pools
from arrears.recovery.stress import Stress

__all__ = [
    "HORIZON",
    "Collateral",
    "Forecast",
    "Pool",
    "Stress",
    "fills",
    "forecast",
    "get_ready",
    "paths_of",
    "pools",
    "shifts",
    "unknown",
    "window",
]
