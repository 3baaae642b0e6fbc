"""The chain of intervals along which a state graph is propagated, and the few exponentials that it takes.

Intervals of the same length and voltage share a propagator. Where a recording has thousands of different
voltages, the propagator of an interval is a smooth function of its two voltages (the Gauss points of the
fourth-order step): it is interpolated between a few exponentials on Chebyshev points, with weights that
depend on the command alone and so are worked out once, on the host, for all parameters.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from .filling import bucket, filled

# Chebyshev points in the mean voltage of a block: a rate with the slope b is off by 2/12! (12 mV b/4)^12 of itself,
# which is 1e-12 at 0.17/mV and 4e-8 at 0.4/mV, steeper than any gate.
_POINTS = 12
_WIDTH = 12.0  # widest block [mV]
_CHANGE = 0.5  # largest change of the voltage within an interval [mV] that is interpolated, on 3 points
_FEW = 600  # so many different intervals are exponentiated one by one


class Chain(eqx.Module):
    """Intervals for state graphs: interval k has the propagator number `which[k]`; the sweeps of a family
    share propagators.

    The exponentials are those of intervals of length h and voltage v. The propagators are the first of them
    as they are, then, block by block, `mix` times the rest. Sample i lies at the start of interval `at[i]`;
    None stands for `at[i] = i`.
    """

    h: Float[Array, " exponentials"]
    v: Float[Array, "exponentials points"]
    mix: Float[Array, "blocks members nodes"]
    which: Int[Array, "*sweeps intervals"]
    at: Int[Array, "*sweeps samples"] | None

    def sampled(self, states: Float[Array, "intervals+1 states"], samples: int) -> Float[Array, "samples states"]:
        """The states at the samples, from those at the starts of the intervals (and the end); one sweep."""
        return states[:samples] if self.at is None else states[self.at]

    def mixed(self, own: Float[Array, "exponentials entries"]) -> Float[Array, "propagators entries"]:
        """What the propagators are, given what the exponentials are."""
        blocks, members, nodes = self.mix.shape
        if blocks == 0:
            return own
        direct, entries = own.shape[0] - blocks * nodes, own.shape[1]
        table = own[direct:].reshape(blocks, nodes, entries)
        mixed = jnp.matmul(self.mix, table, precision=lax.Precision.HIGHEST)
        return jnp.concatenate([own[:direct], mixed.reshape(blocks * members, entries)])

    def intervals(self) -> tuple[Float[Array, " intervals"], Float[Array, " intervals"]]:
        """Length [ms] and mean voltage [mV] of every interval; one sweep."""
        # The interpolation reproduces what is linear in the voltage.
        h, v = self.mixed(jnp.stack([self.h, jnp.mean(self.v, -1)], -1))[self.which].T
        return h, v


class Timeline(NamedTuple):
    """One sweep's intervals: where they begin [ms], their voltages [mV] (perhaps traced), the samples and
    the end [ms]."""

    begin: np.ndarray
    v: Any
    t: np.ndarray
    end: float


def make_chain(sweeps: Sequence[Timeline]) -> Chain:
    """The chains through the interval starts and samples of some sweeps, with a leading axis of sweeps on
    `which` and `at`."""
    lengths, voltages, which, at = [np.zeros(1)], [sweeps[0].v[:1]], [], []
    for sweep in sweeps:
        grid = np.unique(np.concatenate([sweep.begin, sweep.t, [sweep.end]]))
        which.append(np.arange(grid.size - 1) + sum(x.size for x in lengths))
        at.append(np.searchsorted(grid, sweep.t))
        lengths.append(np.diff(grid))
        voltages.append(sweep.v[np.searchsorted(sweep.begin, grid[:-1], side="right") - 1])
    h = np.concatenate(lengths)
    # The first interval, of no length, is there to fill up the shorter sweeps.
    count = bucket(max(x.size for x in which))
    which = np.stack([np.pad(x, (0, count - x.size)) for x in which])
    if not all(isinstance(x, np.ndarray) for x in voltages):
        return Chain(h, jnp.concatenate(voltages), np.zeros((0, 0, 0)), which, _indices(at))
    v = np.concatenate([np.broadcast_to(x, (len(x), max(y.shape[-1] for y in voltages))) for x in voltages])
    h, v, alike, number = _unique(h, v, max(abs(sweep.end) for sweep in sweeps))
    h, v, mix, place = _tabulated(h, v, alike)
    return Chain(h, v, mix, place[number][which], _indices(at))


def _indices(at: list[np.ndarray]) -> np.ndarray | None:
    """The indices of all sweeps, or None if they only count: picking by index is slow, and slower in reverse
    mode."""
    return None if all(np.array_equal(x, np.arange(x.size)) for x in at) else np.stack(at)


def _unique(h: np.ndarray, v: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The different intervals, whether each has the commonest length, and the number that each given
    interval has among them."""
    # Lengths that agree to twelve digits of the time line are the same: 0.1 ms is, wherever it lies. Each is
    # their mean, which keeps the duration of the whole.
    digits = np.round(h / (1e-12 * max(scale, 1.0)))
    _, kind, counts = np.unique(digits, return_inverse=True, return_counts=True)
    h = (np.bincount(kind, h) / counts)[kind]
    rows = np.column_stack([kind, v])
    order = np.lexsort(rows.T[::-1])
    fresh = np.any(np.diff(rows[order], axis=0, prepend=np.nan) != 0, axis=-1)
    number = np.empty(order.size, int)
    number[order] = np.cumsum(fresh) - 1
    unique = order[fresh]
    commonest = np.argmax(np.bincount(kind[unique]))
    return h[unique], v[unique], kind[unique] == commonest, number


def _tabulated(
    h: np.ndarray, v: np.ndarray, alike: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Exponentials (lengths, voltages), the mixing weights, and the propagator that each of the given
    intervals has.

    Intervals of the common length whose voltage hardly changes are interpolated, in blocks along the mean
    voltage.
    """
    mean, change = v.mean(-1), v[:, -1] - v[:, 0]
    members = np.flatnonzero(alike & (np.abs(change) <= _CHANGE))
    members = members[np.argsort(mean[members], kind="stable")]
    turns = 1 if np.all(change[members] == 0) else 3
    kept = _blocks(members, mean, _POINTS * turns) if h.size > _FEW and members.size else []
    direct = np.setdiff1d(np.arange(h.size), np.concatenate(kept)) if kept else np.arange(h.size)
    size, own = max((block.size for block in kept), default=0), bucket(direct.size)
    place = np.empty(h.size, int)
    place[direct] = np.arange(direct.size)
    reach = np.abs(change[members]).max(initial=0.0)
    nodes, weights = [np.zeros((0, 2))], []
    for b, block in enumerate(kept):
        place[block] = own + b * size + np.arange(block.size)
        x, w = _chebyshev(mean[block], mean[block[0]], mean[block[-1]], _POINTS)
        y, u = _chebyshev(change[block], -reach, reach, turns)
        nodes.append(np.stack([a.ravel() for a in np.meshgrid(x, y, indexing="ij")], -1))
        weights.append(filled((w[:, :, None] * u[:, None, :]).reshape(block.size, -1), size, "zeros"))
    grid = np.concatenate(nodes)
    ends = grid[:, :1] if v.shape[-1] == 1 else grid[:, :1] + grid[:, 1:] * np.array([[-0.5, 0.5]])
    lengths = np.concatenate([filled(h[direct], own, "zeros"), np.full(len(grid), h[alike][0])])
    mix = np.stack(weights) if weights else np.zeros((0, 0, 0))
    return lengths, np.concatenate([filled(v[direct], own, "edge"), ends]), mix, place


def _blocks(members: np.ndarray, mean: np.ndarray, nodes: int) -> list[np.ndarray]:
    """The members in blocks of equal width along the mean voltage, without those that hold fewer members
    than nodes."""
    low, high = mean[members[0]], mean[members[-1]]
    count = max(1, int(np.ceil((high - low) / _WIDTH)))
    cuts = np.searchsorted(mean[members], np.linspace(low, high, count + 1)[1:-1])
    return [block for block in np.split(members, cuts) if block.size > nodes]


def _chebyshev(x: np.ndarray, low: float, high: float, n: int) -> tuple[np.ndarray, np.ndarray]:
    """n Chebyshev points on [low, high] and the weights (x, points) that interpolate from them to x.

    **Source:** Berrut & Trefethen 2004.
    """
    angle = (2 * np.arange(n) + 1) * np.pi / (2 * n)
    points = 0.5 * (low + high) + 0.5 * (high - low) * np.cos(angle)
    if n == 1 or high == low:
        return points, np.full((x.size, n), 1.0 / n)
    distance = x[:, None] - points
    hit = distance == 0
    terms = (-1.0) ** np.arange(n) * np.sin(angle) / np.where(hit, 1.0, distance)
    weights = terms / terms.sum(1, keepdims=True)
    return points, np.where(hit.any(1, keepdims=True), hit.astype(float), weights)
