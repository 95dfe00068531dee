"""Real claims of which one total is known: what is recovered of each, when, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from arrears.core.dates import DAYS_A_MONTH

# Month up to which LendingClub's files show recoveries.
LC_SEEN = 2019 * 12 + 3


@dataclass(frozen=True)
class Claims:
    """One row a claim: recovered share of exposure (N,), exposure, order in time, segment codes, features (N, K).

    Attributes:
        wait: (N,) months from the charge-off to the end of the view; 0 where no tape can be laid out.
        late, spread: as of `totals.Layout`.
        cut: claims up to this time are learnt from; None for the earlier 60 %.
    """

    share: np.ndarray
    exposure: np.ndarray
    time: np.ndarray
    segment: np.ndarray
    features: np.ndarray
    wait: np.ndarray = field(default_factory=lambda: np.zeros(0))
    late: int = 0
    spread: int | None = None
    cut: float | None = None

    def part(self, rows: np.ndarray) -> Claims:
        """Some of the rows."""
        names = ("share", "exposure", "time", "segment", "features", "wait")
        some = {name: getattr(self, name)[rows] for name in names if len(getattr(self, name))}
        return replace(self, **some)


def sets(folder: Path) -> list[tuple[str, Claims]]:
    """Each data set with what is to be known about it."""
    return [
        (
            "**LendingClub**: exposure is principal not paid; the month of charge-off is not told, and is taken as "
            "five months after the instalments paid. Recoveries are mostly proceeds of a sale and settlements, not a "
            "stream of payments; claims with 33 instalments paid or more are censored and left out, and the later "
            "claims that stay have had less time too, which `fit and forecast` alone is told. Its tape has a claim's "
            "recovery as one payment, drawn evenly over the twelve months after the charge-off, which is a guess: if "
            "the proceeds of a sale come sooner, claims with little time left are foretold too low. The grade stands "
            "in place of the province.",
            lending_club(folder),
        ),
        (
            "**LendingClub, issued December 2015**: another file of the same lender, foretold from all of the claims "
            "above. It tells no grade, so segments are fifths by interest rate; loans of 60 months are among them.",
            lending_club_later(folder),
        ),
        (
            "**Prosper**: one look in March 2014 at claims of different age; age is a feature, and goes together with "
            "vintage. The claims judged are younger than any learnt from. Collection fees are not taken off. The tape "
            "of `fit and forecast` has a claim's recovery as one payment, drawn over its time by the market's curve, "
            "and foretells each claim up to its age.",
            prosper(folder),
        ),
        (
            "**Charged-off accounts of a bank**: no date; the split is by a fixed shuffle, so this is out of sample, "
            "not out of time. Share is actual over expected recovery as the bank foretold it, cut at 2 and halved. No "
            "tape can be laid out: neither what was owed nor when it was paid is told.",
            bank(folder),
        ),
        (
            "**Kenya**: claims still open 0 to 60 days after three weeks; the share is 1 where it is repaid within 30 "
            "further days. A loan has a row for each look; intervals take the rows as independent, so are too narrow. "
            "It all lies before day 91, where the forecast runs on due payments; what comes after day 91 stands below.",
            kenya(folder),
        ),
        (
            "**SBA**: share of gross disbursement that was not charged off, of loans charged off, by charge-off date. "
            "It includes what was paid before charge-off, so it is no recovery after it, and no tape can be laid out.",
            sba(folder),
        ),
    ]


def read(folder: Path, name: str) -> pl.DataFrame:
    """A table of the folder."""
    return pl.read_csv(folder / f"{name}.csv.gz", infer_schema_length=None)


def _claims(
    frame: pl.DataFrame, segment: str, numbers: Sequence[str], codes: Sequence[str] = ()
) -> Claims:
    frame = frame.drop_nulls(["share", "exposure", "time"]).filter(pl.col("exposure") > 0)
    columns = [frame[name].cast(pl.Float64).fill_null(-1.0).to_numpy() for name in numbers]
    coded = {
        name: frame[name].cast(pl.String).fill_null("").rank("dense").cast(pl.Int64).to_numpy() - 1
        for name in (segment, *codes)
    }
    return Claims(
        frame["share"].clip(0.0, 1.0).cast(pl.Float64).to_numpy(),
        frame["exposure"].cast(pl.Float64).to_numpy(),
        frame["time"].cast(pl.Float64).to_numpy(),
        coded[segment],
        np.column_stack([*columns, *(part.astype(float) for part in coded.values())]),
    )


def lending_club(folder: Path) -> Claims:
    """Loans charged off, before the months in which recoveries are censored."""
    issued = pl.col("issue_d").str.to_date()
    lost = read(folder, "lendingclub/outcomes").filter(pl.col("loan_status") == "Charged Off")
    lost = lost.with_columns(
        paid=(pl.col("total_rec_prncp") + pl.col("total_rec_int")) / pl.col("installment"),
        exposure=pl.col("funded_amnt_derived") - pl.col("total_rec_prncp"),
    ).with_columns(
        share=pl.col("recoveries") / pl.col("exposure"),
        time=issued.dt.year() * 12 + issued.dt.month() + pl.col("paid").floor() + 5,
    )
    claims = _claims(lost.filter(pl.col("paid") < 33), "grade", ["exposure", "int_rate", "paid"])
    return replace(claims, wait=LC_SEEN - claims.time, late=150, spread=12)


def lending_club_later(folder: Path) -> Claims:
    """All claims of the first file, and those of loans issued in December 2015 in the second."""
    issued = pl.col("issue_d").str.to_date()
    first = read(folder, "lendingclub/outcomes").select(
        "loan_status", "installment", "int_rate", "recoveries", "total_rec_prncp", "total_rec_int",
        funded="funded_amnt_derived", begun=issued.dt.year() * 12 + issued.dt.month(),
    )  # fmt: skip
    second = read(folder, "lendingclub_full/loans").select(
        "loan_status", "installment", "int_rate", "recoveries", "total_rec_prncp", "total_rec_int",
        funded="funded_amnt", begun=pl.lit(2015 * 12 + 12),
    )  # fmt: skip
    both = pl.concat(
        [first.with_columns(later=False), second.with_columns(later=True)], how="vertical_relaxed"
    )
    lost = both.filter(pl.col("loan_status") == "Charged Off").with_columns(
        paid=(pl.col("total_rec_prncp") + pl.col("total_rec_int")) / pl.col("installment"),
        exposure=pl.col("funded") - pl.col("total_rec_prncp"),
    ).with_columns(
        share=pl.col("recoveries") / pl.col("exposure"),
        month=pl.col("begun") + pl.col("paid").floor() + 5,
        fifth=(pl.col("int_rate").rank() * 5 / pl.len()).ceil(),
        time=pl.col("begun") + pl.col("paid").floor() + 5 + 1000 * pl.col("later").cast(pl.Int64),
    ).filter(pl.col("paid") < 33, pl.col("exposure") > 0)  # fmt: skip
    claims = _claims(lost, "fifth", ["exposure", "int_rate", "paid"])
    wait = LC_SEEN - lost["month"].to_numpy()
    return replace(claims, wait=wait, late=150, spread=12, cut=LC_SEEN)


def prosper(folder: Path) -> Claims:
    """Claims by date of charge-off, as seen on 11 March 2014."""
    day = pl.col("charged_off").str.to_date()
    loss = pl.col("gross_principal_loss")
    frame = read(folder, "prosper_charged_off/loans").with_columns(
        exposure=loss,
        share=(loss - pl.col("net_principal_loss") + pl.col("other_recoveries")) / loss,
        time=day.cast(pl.Int32),
        age=(pl.date(2014, 3, 11) - day).dt.total_days(),
        years=((pl.date(2014, 3, 11) - day).dt.total_days() // 365),
    )
    claims = _claims(
        frame, "years", ["age", "exposure", "rate", "score_low", "paid_before_charge_off"]
    )
    return replace(claims, wait=np.ceil(claims.features[:, 0] / DAYS_A_MONTH), late=121)


def bank(folder: Path) -> Claims:
    """Actual over expected recovery, halved; the order is a fixed shuffle."""
    frame = read(folder, "charged_off_bank/accounts")
    order = np.random.default_rng(0).permutation(frame.height)
    frame = frame.with_columns(
        exposure=2 * pl.col("expected_recovery_amount"),
        share=pl.col("actual_recovery_amount") / pl.col("expected_recovery_amount") / 2,
        time=pl.Series(order),
    )
    numbers = ["expected_recovery_amount", "age"]
    return _claims(frame, "recovery_strategy", numbers, ["sex"])


def kenya(folder: Path) -> Claims:
    """Looks at loans late by some days that are followed for 30 more."""
    start, seen = pl.col("start").str.to_date(), pl.col("seen").str.to_date()
    loans = read(folder, "kenya_microloans/loans").filter(pl.col("dates_clear") == 1)
    looks = []
    for late in (0, 7, 14, 30, 60):
        followed = (seen - start).dt.total_days() >= 21 + late + 30
        open_then = (pl.col("days") > 21 + late) | (pl.col("repaid") == 0)
        looks.append(
            loans.filter(open_then & followed).with_columns(
                late=pl.lit(late),
                exposure=pl.lit(1.0),
                share=((pl.col("repaid") == 1) & (pl.col("days") <= 21 + late + 30)).cast(
                    pl.Float64
                ),
                time=start.cast(pl.Int32),
            )
        )
    return _claims(pl.concat(looks), "late", ["loan_no"])


def sba(folder: Path) -> Claims:
    """Loans charged off, by date of charge-off."""
    frame = read(folder, "sba/loans").with_columns(
        exposure=pl.col("DisbursementGross"),
        share=1 - pl.col("ChgOffPrinGr") / pl.col("DisbursementGross"),
        time=pl.coalesce(
            pl.col("ChgOffDate").str.to_date(form, strict=False)
            for form in ("%d-%b-%y", "%m/%d/%Y")
        ).cast(pl.Int32),
        sector=pl.col("NAICS").cast(pl.String).str.head(2),
    )
    frame = frame.filter((pl.col("ChgOffPrinGr") > 0) & pl.col("time").is_not_null())
    return _claims(frame, "sector", ["exposure", "Term", "NoEmp"], ["UrbanRural", "LowDoc"])
