"""May a borrower be contacted, and when."""

from arrears.conduct.limits import Limits, limits

__all__ = ["Limits", "limits"]
