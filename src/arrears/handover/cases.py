"""What people are told of each case in a workbook, in words."""

from __future__ import annotations

from datetime import date

import polars as pl

from arrears.handover.sentences import ENFORCED, PENDING

_SUITS = {
    "mediated": "apply for enforcement",
    "judged": "apply for enforcement",
    "enforcing": "follow the enforcement",
    "terminated": "ask to resume enforcement",
    PENDING: "follow the case",
}
_PAPERS = {
    "mediated": "application for enforcement",
    "judged": "application for enforcement",
    "enforcing": "application to go on with enforcement",
    "terminated": "application to resume enforcement",
    PENDING: "none: waits for its court",
}
_CLAIM, _CLAIM_AND_MEDIATION = "statement of claim", "statement of claim, with mediation"
_SETTLED = ("filed", "enforcing", "terminated", "ended")


def action_said() -> pl.Expr:
    """The action in words, of `action` and `legal_status`: nobody files a suit that is filed."""
    suit = pl.col("legal_status").replace_strict(_SUITS, default="file suit")
    words = (
        pl.col("action")
        .str.replace("collect_then_", "collect, then ")
        .str.replace("file_suit", suit)
        .str.replace_all("_", " ")
    )
    return (
        pl.when(pl.col("action") == "file_suit")
        .then(suit)
        .when(pl.col("action") == "demand")
        .then(pl.lit("send a demand that can be proven"))
        .otherwise(words)
    )


def paper() -> pl.Expr:
    """What is handed in to the court, of `legal_status, mediation`."""
    claim = pl.when("mediation").then(pl.lit(_CLAIM_AND_MEDIATION)).otherwise(pl.lit(_CLAIM))
    return pl.col("legal_status").replace_strict(_PAPERS, default=claim)


def asks_mediation() -> pl.Expr:
    """Whether a new claim asks for mediation first, of `legal_status, contact_status, fraud_flag`: nobody can agree
    with who has vanished, and a loan obtained by fraud is no matter to agree on.
    """
    vanished = (pl.col("contact_status") == "vanished").fill_null(False)
    return new_claim() & ~vanished & ~pl.col("fraud_flag").fill_null(False)


def new_claim() -> pl.Expr:
    """Whether a case is new to its court, of `legal_status`: the others owe no filing fee."""
    return ~pl.col("legal_status").is_in([*ENFORCED, PENDING]).fill_null(False)


def runs_until(as_of: date) -> pl.Expr:
    """The end of a time that still runs and that no case has stopped; null for other loans."""
    stopped = pl.col("legal_status").is_in(_SETTLED).fill_null(False)
    runs = ~stopped & (pl.col("limitation_ends") >= as_of)
    return pl.when(runs).then("limitation_ends")


def note(as_of: date) -> pl.Expr:
    """What whoever signs has to know, of `legal_status, judgment_date, limitation_ends, security`; null for nothing."""
    ended = (pl.col("limitation_ends") < as_of).fill_null(False)
    status, dated = pl.col("legal_status"), pl.col("judgment_date").is_not_null()
    asks = status.is_in(["mediated", "judged"]).fill_null(False)
    claim = new_claim()
    day = pl.col("limitation_ends").dt.to_string("%Y-%m-%d")
    known = [
        (
            claim & ended,
            "limitation ended on {}: the court does not raise it, the borrower may; look for what interrupts it",
        ),
        (
            asks & dated & ended,
            "the time to apply for enforcement ended on {}: the other side may object; look for what interrupts it",
        ),
    ]
    plain = [
        (
            (status == "mediated") & ~dated,
            "the day of the mediation is not on the tape; made out of court, it first needs the court's confirmation",
        ),
        ((status == "judged") & ~dated, "the day of the judgment is not on the tape"),
        (
            claim & (pl.col("security") == "guarantee"),
            "see whether the guarantee's own period still runs",
        ),
    ]
    said = [pl.when(holds).then(pl.format(words, day)) for holds, words in known]
    said += [pl.when(holds.fill_null(False)).then(pl.lit(words)) for holds, words in plain]
    return pl.concat_str(said, separator="; ", ignore_nulls=True).replace("", None)


def note_of_suit() -> pl.Expr:
    """What else whoever hands in a new claim has to know, of `legal_status, contact_status, fraud_flag`."""
    claim = new_claim()
    said = [
        (
            claim & (pl.col("contact_status") == "vanished"),
            "the borrower has vanished: ask the court to serve by public notice",
        ),
        (
            claim & pl.col("fraud_flag"),
            "obtained by fraud: see first whether it is a matter for the police",
        ),
    ]
    words = [pl.when(holds.fill_null(False)).then(pl.lit(text)) for holds, text in said]
    return pl.concat_str(words, separator="; ", ignore_nulls=True).replace("", None)


def last_contacts(contacts: pl.DataFrame | None) -> pl.DataFrame:
    """`loan_id, last_contact, last_step, last_outcome`: the newest step of each loan."""
    schema = {
        "loan_id": pl.String,
        "last_contact": pl.Date,
        "last_step": pl.String,
        "last_outcome": pl.String,
    }
    if contacts is None or contacts.is_empty():
        return pl.DataFrame(schema=schema)
    last = contacts.sort("loan_id", "date", maintain_order=True).group_by(
        "loan_id", maintain_order=True
    )
    return last.agg(
        last_contact=pl.col("date").last(),
        last_step=pl.col("step").cast(pl.String).last(),
        last_outcome=pl.col("outcome").cast(pl.String).last(),
    )
