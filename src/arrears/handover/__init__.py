"""The papers that a decision needs: worklists, offers, filings, packages."""

from arrears.handover.papers import Decision, facts, write_packages, write_papers
from arrears.handover.template import Template, read_template

__all__ = ["Decision", "Template", "facts", "read_template", "write_packages", "write_papers"]
