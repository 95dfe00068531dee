"""One file a verb: all that the command line and notebooks call."""

from arrears.run.check import Checked, check
from arrears.run.demo import demo, files_told
from arrears.run.explain import Explained, explain
from arrears.run.gather import as_problem
from arrears.run.law import RuleShown, rule_explained, rule_shown, rules_checked, rules_differ
from arrears.run.mapping import mapping
from arrears.run.products import product_hash
from arrears.run.request import Request
from arrears.run.resolve import Resolution, resolve
from arrears.run.stages import Watcher
from arrears.run.stopped import ANSWER_IS_NO, NOT_DONE, Stopped
from arrears.run.summary import rows_told, summary, told
from arrears.run.synthesise import SynthRequest, synth
from arrears.run.verify import Verified, verify

__all__ = [
    "ANSWER_IS_NO",
    "NOT_DONE",
    "Checked",
    "Explained",
    "Request",
    "Resolution",
    "RuleShown",
    "Stopped",
    "SynthRequest",
    "Verified",
    "Watcher",
    "as_problem",
    "check",
    "demo",
    "explain",
    "files_told",
    "mapping",
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
    "verify",
]
