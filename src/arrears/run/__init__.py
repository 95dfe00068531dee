"""One file a verb: all that the command line and notebooks call; each is imported when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arrears.lazily import lazily

if TYPE_CHECKING:
    from arrears.run.books import classify, history
    from arrears.run.calls import due
    from arrears.run.checked import Checked, check
    from arrears.run.compared import Compared, compare
    from arrears.run.deals import DealRun, deal_check, deal_report, deal_run, deal_size
    from arrears.run.demonstration import demo, files_told
    from arrears.run.explained import Explained, explain
    from arrears.run.fitted import fit
    from arrears.run.gather import as_problem
    from arrears.run.header import price_header
    from arrears.run.hiding import hidden
    from arrears.run.job import Done
    from arrears.run.law import RuleShown, rule_explained, rule_shown, rules_checked, rules_differ
    from arrears.run.mapped import mapping
    from arrears.run.persons import anonymise, link
    from arrears.run.products import product_hash
    from arrears.run.request import Request
    from arrears.run.resolution import Resolution, resolve
    from arrears.run.stages import Watcher
    from arrears.run.stopped import ANSWER_IS_NO, NOT_DONE, Stopped
    from arrears.run.summarised import rows_told, summary, told
    from arrears.run.synthesise import SynthRequest, synth
    from arrears.run.tracked import track
    from arrears.run.values import forecast, price
    from arrears.run.verified import Verified, verify

_FILE = {
    "ANSWER_IS_NO": "stopped",
    "Checked": "checked",
    "Compared": "compared",
    "DealRun": "deals",
    "Done": "job",
    "deal_check": "deals",
    "deal_report": "deals",
    "deal_run": "deals",
    "deal_size": "deals",
    "compare": "compared",
    "classify": "books",
    "due": "calls",
    "hidden": "hiding",
    "fit": "fitted",
    "history": "books",
    "forecast": "values",
    "price": "values",
    "price_header": "header",
    "anonymise": "persons",
    "link": "persons",
    "Explained": "explained",
    "NOT_DONE": "stopped",
    "Request": "request",
    "Resolution": "resolution",
    "RuleShown": "law",
    "Stopped": "stopped",
    "SynthRequest": "synthesise",
    "Verified": "verified",
    "Watcher": "stages",
    "as_problem": "gather",
    "check": "checked",
    "demo": "demonstration",
    "explain": "explained",
    "files_told": "demonstration",
    "mapping": "mapped",
    "product_hash": "products",
    "resolve": "resolution",
    "rows_told": "summarised",
    "rule_explained": "law",
    "rule_shown": "law",
    "rules_checked": "law",
    "rules_differ": "law",
    "summary": "summarised",
    "synth": "synthesise",
    "told": "summarised",
    "track": "tracked",
    "verify": "verified",
}

__all__ = [
    "ANSWER_IS_NO",
    "NOT_DONE",
    "Checked",
    "Compared",
    "DealRun",
    "Done",
    "Explained",
    "Request",
    "Resolution",
    "RuleShown",
    "Stopped",
    "SynthRequest",
    "Verified",
    "Watcher",
    "anonymise",
    "as_problem",
    "check",
    "classify",
    "compare",
    "deal_check",
    "deal_report",
    "deal_run",
    "deal_size",
    "demo",
    "due",
    "explain",
    "files_told",
    "fit",
    "forecast",
    "hidden",
    "history",
    "link",
    "mapping",
    "price",
    "price_header",
    "product_hash",
    "resolve",
    "rows_told",
    "rule_explained",
    "rule_shown",
    "rules_checked",
    "rules_differ",
    "summary",
    "synth",
    "told",
    "track",
    "verify",
]

__getattr__ = lazily("arrears.run", _FILE)
