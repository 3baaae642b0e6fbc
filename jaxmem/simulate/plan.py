"""From a command and sample times to arrays: the intervals over which a clamp integrates, laid out once on
the host.

Two layouts of the same time line. `Nodes` merges every stretch of constant voltage into one interval,
whatever the number of samples in it: gates relax along it in closed form. `Chain` has an interval for every
sample: state graphs are propagated along it.
"""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from ..protocols import Protocol
from ..results import InputError
from .chain import Chain, Timeline, make_chain
from .filling import bucket, filled, widened

GAUSS = math.sqrt(3.0) / 6.0  # the two Gauss points of an interval lie at (1/2 -+ this) of its length


class Nodes(eqx.Module):
    """Intervals for gates: node k starts an interval of length h[k] at voltage v[k] (one value, or two
    Gauss points).

    Sample i lies `elapsed[i]` after the start of interval `node[i]`; elapsed is zero unless the voltage is
    constant there.
    """

    h: Float[Array, " nodes"]
    v: Float[Array, "nodes points"]
    node: Int[Array, " samples"]
    elapsed: Float[Array, " samples"]


class Plan(eqx.Module):
    """A command at given sample times, ready for integration."""

    t: Float[Array, " samples"]
    v: Float[Array, " samples"]
    holding: Float[Array, ""]
    nodes: Nodes | None
    chain: Chain | None


def make_plan(protocol: Protocol, t: Any, step: float, *, nodes: bool, chain: bool) -> Plan:
    """The plan of a command or a family of commands at sample times.

    **Arguments:** `t` [ms] (samples,), concrete; `step` [ms]: longest interval where the voltage moves;
    `nodes`, `chain`: which layouts are wanted.
    **Raises:** `InputError` for times that are traced, not finite, decreasing, or before the command starts.
    """
    if isinstance(t, Tracer) or isinstance(protocol.t, Tracer):
        raise InputError(
            "The times of samples and of a protocol must be concrete: they decide the layout. Voltages may be traced."
        )
    t = np.asarray(t, np.float64)
    if t.ndim != 1 or t.size == 0 or not np.all(np.isfinite(t)):
        raise InputError(f"Sample times must be a list of finite numbers, but have shape {t.shape}.")
    if np.any(np.diff(t) < 0):
        raise InputError("Sample times must not decrease.")
    commands = [protocol] if protocol.family is None else [protocol.sweep(i) for i in range(protocol.family)]
    sweeps = [_single(command, t, step) for command in commands]
    single = protocol.family is None
    chain_of = make_chain([timeline for _, timeline in sweeps]) if chain else None
    return _cast([plan for plan, _ in sweeps], chain_of, nodes, single)


def _single(protocol: Protocol, t: np.ndarray, step: float) -> tuple[Plan, Timeline]:
    edges, constant = protocol.t, protocol.constant
    t = _snapped(t, edges)
    if t[0] < edges[0]:
        raise InputError(
            f"Samples must not lie before the protocol's start at {edges[0]:g} ms, but the first is at {t[0]:g} ms."
        )
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
    node = np.searchsorted(begin, t, side="right") - 1
    nodes = Nodes(h, v, node, np.where(still[node], t - begin[node], 0.0))
    plan = Plan(t, protocol.at(t, protocol.piece(t)), protocol.holding, nodes, None)
    return plan, Timeline(begin, v, t, end)


def _snapped(t: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sample times with those that miss an edge of the command by rounding put onto it."""
    nearest = np.clip(np.searchsorted(edges, t), 1, edges.size - 1)
    nearest = np.where(t - edges[nearest - 1] < edges[nearest] - t, nearest - 1, nearest)
    tolerance = 1e-10 * max(abs(edges[0]), abs(edges[-1]), abs(t[-1]), 1.0)
    return np.where(np.abs(t - edges[nearest]) <= tolerance, edges[nearest], t)


def _piece_starts(protocol: Protocol, constant: np.ndarray) -> np.ndarray:
    """The pieces at which an interval must start: all but constant ones that go on at the same voltage."""
    lasting = np.diff(protocol.t) > 0
    kept = np.flatnonzero(lasting)
    if kept.size == 0:
        return np.array([0])
    if isinstance(protocol.start, Tracer):
        return kept
    same = constant[kept[1:]] & constant[kept[:-1]] & (protocol.start[kept[1:]] == protocol.start[kept[:-1]])
    return kept[np.concatenate([[True], ~same])]


def _refined(grid: np.ndarray, protocol: Protocol, constant: np.ndarray, step: float) -> np.ndarray:
    """The grid with intervals in moving pieces cut into equal parts no longer than `step`."""
    length = np.diff(grid)
    moves = ~np.append(constant, True)[protocol.piece(grid[:-1])]
    parts = np.where(moves, np.maximum(1, np.ceil(length / step * (1.0 - 1e-9))), 1).astype(int)
    first = np.repeat(grid[:-1], parts)
    number = np.arange(parts.sum()) - np.repeat(np.cumsum(parts) - parts, parts)
    return np.append(first + number * np.repeat(length / parts, parts), grid[-1])


def _gauss(protocol: Protocol, begin: np.ndarray, length: np.ndarray, piece: np.ndarray, still: bool) -> Any:
    """Voltages of intervals: the constant value in one column, or those at the two Gauss points in two."""
    shares = (0.5,) if still else (0.5 - GAUSS, 0.5 + GAUSS)
    columns = [protocol.at(begin + share * length, piece) for share in shares]
    return np.stack(columns, -1) if isinstance(columns[0], np.ndarray) else jnp.stack(columns, -1)


def _cast(sweeps: list[Plan], chain: Chain | None, nodes: bool, single: bool) -> Plan:
    """The plans of one or more sweeps as one plan of JAX arrays."""
    if nodes:
        n, points = bucket(max(p.nodes.h.size for p in sweeps)), max(p.nodes.v.shape[-1] for p in sweeps)
        grown = [
            Nodes(
                filled(p.nodes.h, n, "zeros"),
                filled(widened(p.nodes.v, points), n, "edge"),
                p.nodes.node,
                p.nodes.elapsed,
            )
            for p in sweeps
        ]
    else:
        grown = [None] * len(sweeps)
    plain = [Plan(p.t, p.v, p.holding, g, None) for p, g in zip(sweeps, grown, strict=True)]
    plan = jax.tree.map(lambda *xs: _array(xs[0]) if single else jnp.stack([_array(x) for x in xs]), *plain)
    if chain is None:
        return plan
    one = jax.tree.map(_array, chain)
    if single:
        one = Chain(one.h, one.v, one.mix, one.which[0], None if one.at is None else one.at[0])
    return Plan(plan.t, plan.v, plan.holding, plan.nodes, one)


def _array(x: Any) -> Array:
    integer = isinstance(x, np.ndarray) and np.issubdtype(x.dtype, np.integer)
    return jnp.asarray(x, jnp.int32 if integer else jnp.result_type(float))


def sweep_axes(plan: Plan) -> Plan:
    """Which leaves of a family's plan have an axis of sweeps: 0 or None, in the shape of the plan."""
    axes = jax.tree.map(lambda _: 0, plan)
    if plan.chain is None:
        return axes
    chain = Chain(None, None, None, 0, None if plan.chain.at is None else 0)
    return Plan(axes.t, axes.v, axes.holding, axes.nodes, chain)
