"""What a loan is: class, stage, regime, limitation, credit repair. Not where it may go."""

from arrears.standing.classify import NPL, SEVERITY, classify, fills, is_npl
from arrears.standing.explain import Step, explain
from arrears.standing.limitation import limitation_ends
from arrears.standing.repair import credit_repair

__all__ = [
    "NPL",
    "SEVERITY",
    "Step",
    "classify",
    "credit_repair",
    "explain",
    "fills",
    "is_npl",
    "limitation_ends",
]
