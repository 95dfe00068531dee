"""One person, many loans: which loans belong to the same borrower, across products and lenders.

Fellegi and Sunter's model (1969): for each pair of loans that agree on some key, the evidence of each key for and
against is weighed by how often people who are the same agree on it (estimated by EM) and how often strangers do (by how
common the value is, so that a phone that many share says little). Only keyed pseudonyms are compared: equal ones, or
Bloom-encoded ones by their likeness (Dice).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy

Floats = npt.NDArray[np.float64]

KEYS = ("id_key", "phone_key", "name_key", "address_key", "birth_year")
SAME = 0.5
ALIKE = 0.8
_BLOOM = r"^[0-9a-f]{64,}$"
_COMMON = 60
_BANDS = 12
_ROUNDS = 25
# Keys are wrong now and then, however well the pairs agree that were found so far.
_MOST_SAME = 0.95
# How many strangers share a value that nobody else seems to share: an id by mistake alone, a phone or address at home.
_SHARED = {"id_key": 0.05, "phone_key": 0.5, "name_key": 2.0, "address_key": 1.0, "birth_year": 2.0}
_SAMPLED = 200_000
_START = {"id_key": 0.9, "phone_key": 0.8, "name_key": 0.9, "address_key": 0.7, "birth_year": 0.97}


def link(loans: pl.DataFrame) -> pl.DataFrame:
    """Persons of n loans.

    Returns:
        `loan_id, person_id, match_probability` (n rows, by loan): the person, and how probable it is that the loan is
        this person's: of its best link to another loan there, or, where it stands alone, that it belongs to none.
    """
    rows = loans.select("loan_id", "lender", "borrower_id", *KEYS).sort("loan_id")
    known = [key for key in KEYS if rows[key].null_count() < rows.height]
    left, right = _pairs(rows, known)
    probability = _probabilities(rows, known, left, right)
    count = rows.height
    linked = probability >= SAME
    graph = scipy.sparse.coo_array(
        (np.ones(int(linked.sum())), (left[linked], right[linked])), shape=(count, count)
    )
    _, group = scipy.sparse.csgraph.connected_components(graph, directed=False)
    best = np.zeros(count)
    other = np.zeros(count)
    for ends in (left, right):
        np.maximum.at(best, ends[linked], probability[linked])
        np.maximum.at(other, ends[~linked], probability[~linked])
    first = pl.DataFrame({"group": group, "loan_id": rows["loan_id"]})
    named = first.with_columns(person_id=pl.col("loan_id").min().over("group"))
    return named.select(
        "loan_id",
        person_id=pl.lit("P-") + pl.col("person_id"),
        match_probability=pl.Series(np.where(best > 0, best, 1.0 - other)),
    )


def debtors(loans: pl.DataFrame, persons: pl.DataFrame) -> pl.DataFrame:
    """`person_id, loans, lenders, products, claim, most_days_past_due`: a row a debtor, the largest claim first."""
    claim = pl.sum_horizontal("principal", "interest", "fees")
    rows = loans.select("loan_id", "lender", "product", "days_past_due", claim=claim).join(
        persons, on="loan_id", maintain_order="left"
    )
    several = rows.select(pl.col("person_id").is_duplicated()).to_series()
    # Most debtors have one loan, and there is nothing to sum.
    one = rows.filter(~several).select(
        "person_id",
        loans=pl.lit(1, pl.Int64),
        lenders=pl.lit(1, pl.Int64),
        products="product",
        claim="claim",
        most_days_past_due="days_past_due",
    )
    more = (
        rows.filter(several)
        .group_by("person_id")
        .agg(
            loans=pl.len().cast(pl.Int64),
            lenders=pl.col("lender").n_unique().cast(pl.Int64),
            products=pl.col("product").unique().sort().str.join("+"),
            claim=pl.col("claim").sum(),
            most_days_past_due=pl.col("days_past_due").max(),
        )
    )
    return pl.concat([one, more]).sort("claim", "person_id", descending=[True, False])


def _pairs(
    rows: pl.DataFrame, known: list[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs of rows that agree on something that says much, each once, the smaller first."""
    base = rows.with_row_index("row").with_columns(pl.col("row").cast(pl.Int64))
    blocks: list[pl.DataFrame] = [_block(base, [pl.col("lender"), pl.col("borrower_id")])]
    for key in ("id_key", "phone_key", "address_key"):
        if key in known:
            blocks.append(_block(base, [pl.col(key)]))
    if "name_key" in known:
        with_year = [pl.col("birth_year")] if "birth_year" in known else []
        blocks.append(_block(base, [pl.col("name_key"), *with_year]))
    for key in ("id_key", "name_key"):
        if key in known and _is_bloom(rows[key]):
            size = rows[key].str.len_chars().max()
            wide = int(str(size)) // _BANDS
            blocks += [
                _block(base, [pl.col(key).str.slice(band * wide, wide)]) for band in range(_BANDS)
            ]
    pairs = pl.concat(blocks).unique().sort("row", "row_right")
    return pairs["row"].to_numpy(), pairs["row_right"].to_numpy()


def _block(base: pl.DataFrame, keys: list[pl.Expr]) -> pl.DataFrame:
    """Pairs within groups of equal keys; groups larger than a family of loans say nothing and are left out."""
    named = base.select("row", **{f"key{n}": key for n, key in enumerate(keys)}).drop_nulls()
    names = [f"key{n}" for n in range(len(keys))]
    few = named.filter(pl.len().over(names).is_between(2, _COMMON))
    return (
        few.join(few, on=names)
        .filter(pl.col("row") < pl.col("row_right"))
        .select("row", "row_right")
    )


def _is_bloom(column: pl.Series) -> bool:
    return bool(column.drop_nulls().cast(pl.String).str.contains(_BLOOM).all())


def _probabilities(
    rows: pl.DataFrame,
    known: list[str],
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
) -> Floats:
    """Probability that each pair is one person (p,), by EM over the agreement of keys."""
    if len(left) == 0:
        return np.zeros(0)
    count = rows.height
    agrees, there, strangers = [], [], []
    for key in known:
        one, two, rare = _compare(rows[key], left, right, _SHARED[key])
        agrees.append(one)
        there.append(two)
        strangers.append(np.clip(rare, 0.01 / count, 0.5))
    own = (rows["lender"] + "|" + rows["borrower_id"]).to_numpy()
    certain = own[left] == own[right]
    shape = (len(known), len(left))
    agree, seen = (np.array(parts, dtype=np.bool_).reshape(shape) for parts in (agrees, there))
    chance = np.array(strangers, dtype=np.float64).reshape(shape)
    same = np.array([_START[key] for key in known]).reshape(-1, 1)
    prior = 1.0 / count
    probability = np.zeros(len(left))
    for _ in range(_ROUNDS):
        yes = np.log(same) - np.log(chance)
        no = np.log1p(-same) - np.log1p(-chance)
        weight: Floats = np.where(seen, np.where(agree, yes, no), 0.0).sum(axis=0)
        probability = scipy.special.expit(weight + np.log(prior / (1.0 - prior)))
        probability[certain] = 1.0
        mass = seen.astype(np.float64) @ probability
        moved = np.divide(
            (seen & agree).astype(np.float64) @ probability,
            mass,
            out=same[:, 0].copy(),
            where=mass > 0,
        )
        same = np.clip(moved, 0.5, _MOST_SAME)[:, None]
        prior = float(np.clip(probability.sum() / (count * (count - 1) / 2), 1e-12, 0.5))
    return probability


def _compare(
    column: pl.Series,
    left: npt.NDArray[np.int64],
    right: npt.NDArray[np.int64],
    shared: float,
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], Floats]:
    """Whether pairs agree on a key, whether both have it, and how often strangers would.

    The more rows besides the pair hold a value, the oftener strangers do; `shared` stands for those not on the tape.
    """
    there = column.is_not_null().to_numpy()
    seen = there[left] & there[right]
    named = column.cast(pl.String).cast(pl.Categorical).to_physical().cast(pl.Int64)
    codes = (named + 1).fill_null(0).to_numpy()
    held, known = np.bincount(codes), max(int(there.sum()), 1)
    equal = seen & (codes[left] == codes[right])
    others: Floats = (np.maximum(held[codes[left]] - 2.0, 0.0) + shared) / known
    usual = float(((held[1:] / known) ** 2).sum()) if len(held) > 1 else 0.5
    if column.dtype == pl.String and _is_bloom(column):
        alike = seen & (_dice(column, left, right) >= ALIKE)
        by_chance = max(_alike_by_chance(column, there), 1.0 / known)
        return alike, seen, np.where(equal, others, np.where(alike, by_chance, usual))
    return equal, seen, np.where(equal, others, usual)


def _alike_by_chance(column: pl.Series, there: npt.NDArray[np.bool_]) -> float:
    """How often filters of two rows are alike that have nothing else to do with each other."""
    rows = np.flatnonzero(there).astype(np.int64)
    if len(rows) < 2:
        return 0.0
    tries = np.arange(_SAMPLED, dtype=np.int64)
    one, two = rows[tries % len(rows)], rows[(tries * 7_919 + 1 + tries // len(rows)) % len(rows)]
    apart = one != two
    return float((_dice(column, one[apart], two[apart]) >= ALIKE).mean()) if apart.any() else 0.0


def _dice(column: pl.Series, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]) -> Floats:
    """Likeness of two Bloom filters: twice the bits in common over the bits of both."""
    size = int(str(column.str.len_chars().max())) // 2 * 2
    filled = column.fill_null("0" * size).str.slice(0, size).str.zfill(size)
    packed = np.frombuffer(bytes.fromhex("".join(filled.to_list())), dtype=np.uint8)
    bits = packed.reshape(len(column), size // 2)
    ones = np.bitwise_count(bits).sum(axis=1).astype(np.float64)
    likeness = np.zeros(len(left))
    for start in range(0, len(left), 1 << 18):
        part = slice(start, start + (1 << 18))
        common = np.bitwise_count(bits[left[part]] & bits[right[part]]).sum(axis=1)
        both = ones[left[part]] + ones[right[part]]
        likeness[part] = np.divide(2.0 * common, both, out=np.zeros(len(both)), where=both > 0)
    return likeness
