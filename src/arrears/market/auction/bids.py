"""What rational buyers bid for a package that is worth the same to all, and of which each has its own estimate.

The one who wins is the one whose estimate was highest, so a buyer who bids its estimate pays too much: the winner's
curse. METHODS 6.1 has the closed form for uniform errors (Kagel and Levin 1986); the general case is the differential
equation of Milgrom and Weber (1982), b'(x) = (v(x, x) - b(x)) f(x|x) / F(x|x), solved here numerically.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import scipy

from arrears.errors import BadArgument

Floats = npt.NDArray[np.float64]
_NODES = 80
# Errors beyond so many deviations are left out of a normal law.
_FAR = 6.0


class Noise(NamedTuple):
    """The law of the error of an estimate: its density and distribution, and how far it reaches to both sides."""

    density: Floats
    below: Floats
    reach: float


def noise(kind: str, spread: float, at: Floats) -> Noise:
    """A law of errors at some places.

    Args:
        kind: `uniform` on plus or minus `spread`, or `normal` with that deviation.

    Raises:
        BadArgument: no such law, or a spread that is not above 0.
    """
    if spread <= 0.0:
        raise BadArgument(f"A spread of {spread}; errors need one above 0.")
    scaled = at / spread
    if kind == "uniform":
        inside = np.abs(scaled) <= 1.0
        return Noise(inside / (2 * spread), np.clip((scaled + 1.0) / 2.0, 0.0, 1.0), spread)
    if kind == "normal":
        bell = np.exp(-0.5 * scaled**2) / (spread * np.sqrt(2 * np.pi))
        return Noise(bell, scipy.special.ndtr(scaled), _FAR * spread)
    raise BadArgument(f"No law of errors {kind!r}.", fix="Use uniform or normal.")


def equilibrium(
    bidders: int,
    values: tuple[float, float],
    *,
    spread: float,
    kind: str = "uniform",
    points: int = 2_000,
) -> tuple[Floats, Floats]:
    """Estimates and the symmetric equilibrium bids on them (points,), by the differential equation.

    The equation is linear in the bid: each step is solved exactly for a worth that is a straight line and a pull that
    is constant in it.

    Args:
        bidders: 2 or more.
        values: the package is worth something between these, each value as likely as any other.
        spread, kind: of the errors, as in `noise`.

    Raises:
        BadArgument: fewer than two bidders, or no values between.
    """
    if bidders < 2 or values[0] >= values[1]:
        raise BadArgument("An equilibrium needs two bidders or more, and a range of values.")
    reach = noise(kind, spread, np.zeros(1)).reach
    x = np.linspace(values[0] - reach, values[1] + reach, points + 1)[1:]
    worth, _ = _worth_and_pull(x, bidders, values, spread=spread, kind=kind)
    _, pull = _worth_and_pull(x[:-1] + np.diff(x) / 2, bidders, values, spread=spread, kind=kind)
    bid = np.empty(points)
    # Next to the lowest estimate uniform errors give a bid that is a straight line from the lowest worth.
    bid[0] = values[0] + (worth[0] - values[0]) * bidders / (bidders + 1.0)
    for k, step in enumerate(np.diff(x)):
        lag = (worth[k + 1] - worth[k]) / (step * pull[k])
        bid[k + 1] = worth[k + 1] - lag + (bid[k] - worth[k] + lag) * np.exp(-pull[k] * step)
    return x, bid


def _worth_and_pull(
    place: Floats, bidders: int, values: tuple[float, float], *, spread: float, kind: str
) -> tuple[Floats, Floats]:
    """v(x, x), the worth if the best of the others has the same estimate, and f(x|x) / F(x|x), at each place."""
    reach = noise(kind, spread, np.zeros(1)).reach
    low, high = np.maximum(values[0], place - reach), np.minimum(values[1], place + reach)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    worth = low[:, None] + np.multiply.outer(high - low, (nodes + 1.0) / 2.0)
    law = noise(kind, spread, place[:, None] - worth)
    # Given the worth: this bidder's density, the best of the others below x, and at x.
    both = weights * law.density**2 * law.below ** (bidders - 2)
    under = (weights * law.density * law.below ** (bidders - 1)).sum(axis=1)
    at = both.sum(axis=1)
    return (worth * both).sum(axis=1) / at, (bidders - 1) * at / under


def closed_form(estimate: Floats, bidders: int, *, spread: float, least: float) -> Floats:
    """Equilibrium bids on estimates with uniform errors e (METHODS 6.1).

    b = x - e + 2 e / (n + 1) exp(-n (x - x0) / 2 e).

    Args:
        least: no bid is lower (a start price, or the lowest worth that can be); x0 is the estimate on which it is bid.
            Estimates below x0 bid nothing: NaN.
    """
    first = least + spread * (bidders - 1.0) / (bidders + 1.0)
    late = np.exp(-bidders / (2.0 * spread) * np.maximum(estimate - first, 0.0))
    bid = estimate - spread + 2.0 * spread / (bidders + 1.0) * late
    return np.where(estimate >= first, bid, np.nan)


def naive_profit(bidders: int, spread: float) -> float:
    """What a winner gains who bids its estimate, errors uniform: -e (n - 1) / (n + 1) (METHODS T5)."""
    return -spread * (bidders - 1.0) / (bidders + 1.0)


def rational_profit(bidders: int, spread: float) -> float:
    """What a winner gains in the equilibrium, errors uniform: 2 e / (n + 1) (METHODS T5)."""
    return 2.0 * spread / (bidders + 1.0)
