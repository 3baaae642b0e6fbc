"""From a command and sample times to arrays: the intervals over which a clamp integrates, laid out once on the host.

Two layouts of the same time line. `Nodes` merges every stretch of constant voltage into one interval, whatever the number of
samples in it: gates relax along it in closed form. `Chain` has an interval for every sample, those with the same voltage and
length sharing one propagator: state graphs are propagated along it.
"""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..protocols import Protocol
from ..results import InputError

_GAUSS = np.sqrt(3.0) / 6.0  # the two Gauss points of an interval lie at (1/2 -+ this) of its length


class Nodes(eqx.Module):
    """Intervals for gates: node k starts an interval of length h[k] at voltage v[k] (one value, or two Gauss points).

    Sample i lies `elapsed[i]` after the start of interval `node[i]`; elapsed is zero unless the voltage is constant there.
    """

    h: Float[Array, " nodes"]
    v: Float[Array, "nodes points"]
    node: Int[Array, " samples"]
    elapsed: Float[Array, " samples"]


class Chain(eqx.Module):
    """Intervals for state graphs: interval k has the propagator number `which[k]`, of length h and voltage v (unique ones).

    Sample i lies at the start of interval `at[i]`.
    """

    h: Float[Array, " unique"]
    v: Float[Array, "unique points"]
    which: Int[Array, " intervals"]
    at: Int[Array, " samples"]


class Plan(eqx.Module):
    """A command at given sample times, ready for integration."""

    t: Float[Array, " samples"]
    v: Float[Array, " samples"]
    holding: Float[Array, ""]
    nodes: Nodes | None
    chain: Chain | None


def make_plan(protocol: Protocol, t: Any, step: float, *, nodes: bool, chain: bool) -> Plan:
    """The plan of a command or a family of commands at sample times.

    **Arguments:** `t` [ms] (samples,), concrete; `step` [ms]: longest interval where the voltage moves; `nodes`, `chain`: which
    layouts are wanted.
    **Raises:** `InputError` for times that are traced, not finite, decreasing, or before the command starts.
    """
    if isinstance(t, jax.core.Tracer) or isinstance(protocol.t, jax.core.Tracer):
        raise InputError("The times of samples and of a protocol must be concrete: they decide the layout. Voltages may be traced.")
    t = np.asarray(t, np.float64)
    if t.ndim != 1 or t.size == 0 or not np.all(np.isfinite(t)):
        raise InputError(f"Sample times must be a list of finite numbers, but have shape {t.shape}.")
    if np.any(np.diff(t) < 0):
        raise InputError("Sample times must not decrease.")
    if protocol.family is None:
        return _cast([_single(protocol, t, step, nodes, chain)])
    return _cast([_single(protocol.sweep(i), t, step, nodes, chain) for i in range(protocol.family)], stack=True)


def _single(protocol: Protocol, t: np.ndarray, step: float, want_nodes: bool, want_chain: bool) -> Plan:
    edges, constant = protocol.t, protocol.constant
    t = _snapped(t, edges)
    if t[0] < edges[0]:
        raise InputError(f"Samples must not lie before the protocol's start at {edges[0]:g} ms, but the first is at {t[0]:g} ms.")
    starts = _piece_starts(protocol, constant)
    moving = np.flatnonzero(~constant & (np.diff(edges) > 0))
    points = [edges[starts], [edges[-1]]]
    if moving.size:
        piece = protocol.piece(t)
        inside = (piece >= 0) & (piece < constant.size)
        points.append(t[inside & ~constant[np.clip(piece, 0, constant.size - 1)]])
    grid = np.unique(np.concatenate(points))
    if moving.size:
        grid = _refined(grid, protocol, constant, step)
    end = max(grid[-1], t[-1])
    begin = grid
    length = np.diff(np.append(grid, end))
    which = protocol.piece(begin)
    still = np.append(constant, True)[which]
    h, v = length, _gauss(protocol, begin, length, which, bool(np.all(still)))
    plan_nodes = plan_chain = None
    if want_nodes:
        node = np.searchsorted(begin, t, side="right") - 1
        plan_nodes = Nodes(h, v, node, np.where(still[node], t - begin[node], 0.0))
    if want_chain:
        plan_chain = _chain(begin, v, t, end)
    return Plan(t, protocol.at(t, protocol.piece(t)), protocol.holding, plan_nodes, plan_chain)


def _snapped(t: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sample times with those that miss an edge of the command by rounding put onto it."""
    nearest = np.clip(np.searchsorted(edges, t), 1, edges.size - 1)
    nearest = np.where(t - edges[nearest - 1] < edges[nearest] - t, nearest - 1, nearest)
    tolerance = 1e-10 * max(abs(edges[0]), abs(edges[-1]), abs(t[-1]), 1.0)
    return np.where(np.abs(t - edges[nearest]) <= tolerance, edges[nearest], t)


def _piece_starts(protocol: Protocol, constant: np.ndarray) -> np.ndarray:
    """The pieces at which an interval must start: all, but for constant ones that go on at the same voltage."""
    lasting = np.diff(protocol.t) > 0
    kept = np.flatnonzero(lasting)
    if kept.size == 0:
        return np.array([0])
    if isinstance(protocol.start, jax.core.Tracer):
        return kept
    same = constant[kept[1:]] & constant[kept[:-1]] & (protocol.start[kept[1:]] == protocol.start[kept[:-1]])
    return kept[np.concatenate([[True], ~same])]


def _refined(grid: np.ndarray, protocol: Protocol, constant: np.ndarray, step: float) -> np.ndarray:
    """The grid with intervals in moving pieces cut into equal parts no longer than `step`."""
    length = np.diff(grid)
    moves = ~np.append(constant, True)[protocol.piece(grid[:-1])]
    parts = np.where(moves, np.maximum(1, np.ceil(length / step - 1e-9)), 1).astype(int)
    first = np.repeat(grid[:-1], parts)
    number = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    return np.append(first + number * np.repeat(length / parts, parts), grid[-1])


def _gauss(protocol: Protocol, begin: np.ndarray, length: np.ndarray, piece: np.ndarray, still: bool) -> Any:
    """Voltages of intervals: the constant value as one column, or the values at the two Gauss points as two."""
    shares = (0.5,) if still else (0.5 - _GAUSS, 0.5 + _GAUSS)
    columns = [protocol.at(begin + share * length, piece) for share in shares]
    return np.stack(columns, -1) if isinstance(columns[0], np.ndarray) else jnp.stack(columns, -1)


def _chain(begin: np.ndarray, v: Any, t: np.ndarray, end: float) -> Chain:
    grid = np.unique(np.concatenate([begin, t, [end]]))
    node = np.searchsorted(begin, grid[:-1], side="right") - 1
    length = np.diff(grid)
    at = np.searchsorted(grid, t)
    if not isinstance(v, np.ndarray):
        return Chain(length, v[node], np.arange(length.size), at)
    # Lengths that agree to ten digits of the time line are the same: 0.1 ms is, wherever it lies.
    digits = np.round(length / (1e-10 * max(abs(end), 1.0)))
    rows = np.column_stack([digits, v[node]])
    order = np.lexsort(rows.T[::-1])
    fresh = np.concatenate([[True], np.any(rows[order][1:] != rows[order][:-1], axis=-1)]) if order.size else np.zeros(0, bool)
    which = np.empty(order.size, int)
    which[order] = np.cumsum(fresh) - 1
    unique = order[fresh]
    return Chain(length[unique], v[node][unique], which, at)


def _bucket(n: int) -> int:
    """n rounded up to one of few sizes, so that nearly equal commands share a compiled program."""
    if n <= 64:
        return n
    grain = 2 ** (int(n).bit_length() - 5)
    return -(-n // grain) * grain


def _filled(x: Any, n: int, how: str) -> Any:
    """x with its first axis filled up to n: by zeros, or by its last row."""
    xp = np if isinstance(x, np.ndarray) else jnp
    more = [(0, n - x.shape[0])] + [(0, 0)] * (x.ndim - 1)
    return xp.pad(x, more) if how == "zeros" or x.shape[0] == 0 else xp.pad(x, more, mode="edge")


def _cast(plans: list[Plan], stack: bool = False) -> Plan:
    """Plans of one shape, as one plan of JAX arrays."""
    real, whole = jnp.result_type(float), jnp.int32
    if plans[0].nodes is not None:
        n = _bucket(max(p.nodes.h.size for p in plans))
        points = max(p.nodes.v.shape[-1] for p in plans)
        grown = [
            Nodes(_filled(p.nodes.h, n, "zeros"), _filled(_wide(p.nodes.v, points), n, "edge"), p.nodes.node, p.nodes.elapsed)
            for p in plans
        ]
        plans = [eqx.tree_at(lambda q: q.nodes, p, g) for p, g in zip(plans, grown, strict=True)]
    if plans[0].chain is not None:
        u, k = (_bucket(max(size(p.chain) for p in plans)) for size in (lambda c: c.h.size, lambda c: c.which.size))
        points = max(p.chain.v.shape[-1] for p in plans)
        # One more propagator of no length stands for the intervals that are only there to fill up.
        grown = [
            Chain(
                _filled(p.chain.h, u + 1, "zeros"),
                _filled(_wide(p.chain.v, points), u + 1, "edge"),
                np.concatenate([p.chain.which, np.full(k - p.chain.which.size, u)]),
                p.chain.at,
            )
            for p in plans
        ]
        plans = [eqx.tree_at(lambda q: q.chain, p, g) for p, g in zip(plans, grown, strict=True)]

    def array(*xs):
        integer = isinstance(xs[0], np.ndarray) and np.issubdtype(xs[0].dtype, np.integer)
        ready = [jnp.asarray(x, whole if integer else real) for x in xs]
        return jnp.stack(ready) if stack else ready[0]

    return jax.tree.map(array, *plans)


def _wide(v: Any, points: int) -> Any:
    xp = np if isinstance(v, np.ndarray) else jnp
    return v if v.shape[-1] == points else xp.broadcast_to(v, (*v.shape[:-1], points))
