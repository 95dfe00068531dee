"""The signs a month can show, each with its number: what the hidden-state model reads."""

from __future__ import annotations

DAYS = ("0", "1-30", "31-60", "61-79", "80-90", "91+", "unknown")
PAY = ("unknown", "full", "interest_only", "partial", "none", "nothing_due", "holiday", "contract")
ACT = (
    "none",
    "renewal_paid_down",
    "renewal",
    "extension",
    "capitalised",
    "new_pays_old",
    "rate_cut",
    "relief",
)
TIMING = ("none", "rescue", "round_trip", "fell_unpaid")
LOOK = ("0-30", "31-90", "91+", "unknown")
OUTSIDE = ("unknown", "clean", "strained")

LOOK_UNKNOWN = LOOK.index("unknown")
DAYS_UNKNOWN = DAYS.index("unknown")
PAY_UNKNOWN = PAY.index("unknown")

# Upper ends of the buckets of days past due; the fourth ends short of the last ten days before the notch (E7).
DAYS_UP_TO = (0, 30, 60, 79, 90)

QUARTER_END_DAYS = 3
RELENT_WITHIN = 15
NEW_OLD_WITHIN = 30
NEW_OLD_RATIO = (0.5, 1.5)
CAPITALISED_RATIO = (0.5, 1.5)
KEPT_PRINCIPAL = 0.95
PAID_IN_FULL = 0.95
HOLIDAY_MONTHS = 6
RATE_CUT = 0.001
DEEP_CUT = 0.2
"""Rules of METHODS 3.1: windows in days, ratios as given there; a cut counts from a tenth of a point."""
