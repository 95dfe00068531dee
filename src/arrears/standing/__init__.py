"""What a loan is: class, stage, regime, limitation, credit repair. Not where it may go."""

from arrears.standing.classify import bad, classify, fills
from arrears.standing.explain import Step, explain
from arrears.standing.law import NPL, SEVERITY
from arrears.standing.limitation import limitation_ends
from arrears.standing.repair import credit_repair

__all__ = [
    "NPL",
    "SEVERITY",
    "Step",
    "bad",
    "classify",
    "credit_repair",
    "explain",
    "fills",
    "limitation_ends",
]
