"""Single loans' luck: the distribution of a sum of few or many payments, from its moments and the chance of nothing."""

from __future__ import annotations

import numpy as np
import scipy

from arrears.recovery.params import Floats

# Below this skewness the Wilson-Hilferty form is exact to a thousandth of a deviation.
_NEARLY_NORMAL = 0.3


def matched(mean: Floats, moments: tuple[Floats, Floats], *, none: Floats, rank: Floats) -> Floats:
    """Quantiles of sums that are 0 with a known chance and else follow Pearson's type III (all of one shape).

    The law of what is above 0 is a shifted gamma law with the mean, variance and third central moment that the sum
    leaves it; it is cut at 0.

    Args:
        mean: of the whole sum, the chance of 0 included.
        moments: its variance and third central moment.
        none: logarithm of the chance that the sum is 0.
        rank: in (0, 1).
    """
    variance, third = moments
    zero = np.clip(np.exp(np.minimum(none, 0.0)), 0.0, 1.0 - 1e-12)
    some = 1.0 - zero
    first = mean / some
    second = (variance + mean**2) / some
    cubed = (third + 3.0 * variance * mean + mean**3) / some
    spread = np.maximum(second - first**2, 0.0)
    deviation = np.sqrt(spread)
    skew = cubed - 3.0 * second * first + 2.0 * first**3
    skew = np.divide(skew, deviation**3, out=np.zeros_like(skew), where=deviation > 1e-9 * first)
    above = np.clip((rank - zero) / some, 1e-9, 1.0 - 1e-9)
    found: Floats = np.maximum(first + deviation * _standard(skew, above), 0.0)
    return np.where(rank <= zero, 0.0, found)


def wandering(variance: Floats, stream: np.random.Generator) -> Floats:
    """Ranks in (0, 1) of cumulative luck by month and scenario (months, S): each month adds luck of its own.

    Sums of independent parts: luck of two months is correlated as the root of the ratio of its variances (months, S).
    """
    steps = np.diff(np.maximum.accumulate(variance, axis=0), axis=0, prepend=0.0)
    whole = np.cumsum(steps, axis=0)
    walk = np.cumsum(np.sqrt(steps) * stream.standard_normal(steps.shape), axis=0)
    ranks: Floats = scipy.special.ndtr(
        np.divide(walk, np.sqrt(whole), out=np.zeros_like(walk), where=whole > 0)
    )
    return ranks


def _standard(skew: Floats, rank: Floats) -> Floats:
    """Quantiles of Pearson's type III with mean 0 and deviation 1."""
    rank = np.broadcast_to(rank, skew.shape)
    size = np.maximum(np.abs(skew), 1e-6)
    upper = np.where(skew < 0.0, 1.0 - rank, rank)
    cubes = 1.0 + size / 6.0 * (scipy.special.ndtri(upper) - size / 6.0)
    found = 2.0 / size * (cubes**3 - 1.0)
    skewed = size > _NEARLY_NORMAL
    shape = 4.0 / size[skewed] ** 2
    found[skewed] = (scipy.special.gammaincinv(shape, upper[skewed]) - shape) / np.sqrt(shape)
    result: Floats = np.where(skew < 0.0, -found, found)
    return result


def at_levels(levels: Floats, mean: Floats) -> Floats:
    """Moments of luck (3, months, S) where a book's cash of `mean` (months, S) lies between steady levels.

    Args:
        levels: (3, 4, months) cash, variance, third moment and logarithm of no cash at a low, a middle and a high level
            of the common factor; the moments are a parabola in the cash.
    """
    low, middle, high = levels[:, 0, :, None]
    place = np.clip(mean, low, high)
    flat = high - low <= 1e-12 * np.maximum(high, 1.0)
    a, b, c = (np.where(flat, 1.0, gap) for gap in (middle - low, high - middle, high - low))
    weights = np.stack(
        [
            (place - middle) * (place - high) / (a * c),
            -(place - low) * (place - high) / (a * b),
            (place - low) * (place - middle) / (b * c),
        ]
    )
    weights = np.where(flat, np.array([0.0, 1.0, 0.0])[:, None, None], weights)
    moments: Floats = np.einsum("lkm,lms->kms", levels[:, 1:], weights)
    return moments
