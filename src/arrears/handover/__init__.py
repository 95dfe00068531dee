"""The papers that a decision needs: worklists, offers, filings, packages."""

from arrears.handover.papers import Decision, facts, write

__all__ = ["Decision", "facts", "write"]
