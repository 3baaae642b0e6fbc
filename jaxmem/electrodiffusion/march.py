"""Steps in time of a pore: Rosenbrock steps for differential and algebraic equations, which keep every amount."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import equinox.internal as eqxi
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from .._numerics.rosenbrock import rodas5p
from .moving import Moving, Unknowns, mended

_SAFETY, _LEAST, _MOST = 0.9, 0.2, 6.0
_SMALL = 1e-3  # concentrations below this part of the largest are measured by it
_PSI = 1e-2  # and potentials [kT/e] below this
_CHECKPOINTS = 64


@dataclass(frozen=True)
class Rosenbrock:
    """Linearly implicit steps of order 5 with an estimate of the error, L-stable and stiffly accurate.

    One Jacobian a step, and no iteration. Poisson's equation, which is linear, is fulfilled in every stage.
    Concentrations follow from what crosses each edge in a step, with compensated sums, so that amounts do not depend
    on how exactly a linear system is solved. A step that makes a concentration negative by more than its tolerance is
    refused; what smaller deficits lack is taken from the nodes beside them.

    **Arguments:** `rtol`: the error of a step, relative to a concentration, or to 1e-3 of the largest of its species
    where there is less, and to the largest potential, or 0.01 kT/e; `atol` [mM]: in place of that 1e-3; `dt` [ns]:
    steps of this length, or a little less so that they end at samples, without a control of errors; `most`: how many
    steps between two samples, refused ones too; `reverse`: whether reverse mode is to work (with checkpoints; then
    forward mode does not).
    **Source:** Steinebach 2023, BIT Numer. Math. 63:27 (Rodas5P).
    """

    rtol: float = 1e-6
    atol: float | None = None
    dt: float | None = None
    most: int = 100_000
    reverse: bool = False


class Carry(NamedTuple):
    """Where a run is: the last step from `begin` to `t`, its two ends and its interpolant, and the next step."""

    begin: Float[Array, ""]
    t: Float[Array, ""]
    before: Unknowns
    after: Unknowns
    x: Unknowns  # as `after`, with the potentials of the time just after an edge
    low: Float[Array, "species nodes"]  # what rounding left out of the concentrations
    dense: Float[Array, "3 unknowns nodes"]
    h: Float[Array, ""]
    error: Float[Array, ""]
    accepted: Int[Array, ""]
    count: Int[Array, ""]


def march(
    moving: Moving, c: Float[Array, "species nodes"], times: Float[Array, " samples"], method: Rosenbrock
) -> tuple[Float[Array, "samples unknowns nodes"], Array, Array]:
    """The unknowns at some times from concentrations at time zero; whether the end was reached; steps by each sample.

    **Arguments:** `times` (samples,) [ns]: not negative, increasing.
    """
    dtype = c.dtype
    table = rodas5p()
    numbers = lambda a: jnp.asarray(a, dtype)
    dense = numbers(table.dense)
    weights = numbers(table.a[-1]).at[-1].set(1.0)
    rows = tuple(numbers(a) for a in (table.a, table.c, table.alpha, table.tau, table.share))
    system, edges = moving.system, moving.command.edges
    species, stages = system.species, dense.shape[1]
    inertia = moving.inertia
    largest = jnp.max(jnp.abs(c), 1)
    largest = jnp.where(largest > 0, largest, jnp.max(largest))
    least = lax.stop_gradient(_SMALL * largest if method.atol is None else numbers(method.atol / method.rtol) + 0 * largest)
    rtol = method.rtol
    content = jnp.where(inertia > 0, inertia, 1.0)

    def scales(x):
        x = lax.stop_gradient(x)
        concentrations, y = system.split(x)
        potential = jnp.max(jnp.abs(y), 1, keepdims=True)
        potential = jnp.where(potential > _PSI, potential, _PSI)
        return jnp.concatenate([least[:, None] + jnp.abs(concentrations), jnp.broadcast_to(potential, y.shape)])

    def pace(x, t, passed):
        """A first step: a hundredth of the time in which concentrations change by themselves."""
        dc, dpsi = moving.rate(x, t, passed)
        scale = scales(x)
        quick = jnp.max(jnp.abs(dc) / scale[:species])
        quick = jnp.where(quick > 0, quick, jnp.finfo(dtype).tiny)
        return lax.stop_gradient(1e-2 / quick)

    def step(carry: Carry, target) -> Carry:
        passed = moving.command.passed(carry.t)
        edge = jnp.append(edges, jnp.inf)[passed]
        if method.dt is None:
            left = edge - carry.t
            last = carry.h >= left * (1.0 - 1e-9)
            h = jnp.where(last, left, jnp.where(carry.h > 0.5 * left, 0.5 * left, carry.h))
        else:
            edge = jnp.where(edge < target, edge, target)
            left = edge - carry.t
            pieces = jnp.ceil(left / method.dt * (1.0 - 1e-9))
            last = pieces <= 1.0
            h = left / jnp.where(last, 1.0, pieces)
        later = jnp.where(last, edge, carry.t + h)
        x0, t0 = carry.x, carry.t
        matrix = moving.jacobian(x0, t0, 1.0 / (table.gamma * h))
        _, in_time = jax.jvp(lambda t: moving.rows(x0, t, passed), (t0,), (jnp.ones_like(t0),))
        _, sources_in_time = jax.jvp(lambda t: moving.sources(x0, t), (t0,), (jnp.ones_like(t0),))

        def stage(kept, row):
            k, crossed, appeared = kept
            place, pull, alpha, tau, share, i = row
            x = x0 + jnp.tensordot(place, k, 1)
            t = jnp.where(alpha > 1.0 - 1e-9, later, t0 + alpha * h)
            right = -moving.rows(x, t, passed) - tau * h * in_time
            right = right.at[:species].add(inertia * jnp.tensordot(pull, k[:, :species], 1) / h)
            new = matrix.solve(right.T).T
            crossed = crossed + share * system.flows(*system.split(x))
            appeared = appeared + share * (moving.sources(x, t) + tau * h * sources_in_time)
            return (k.at[i].set(new), crossed, appeared), None

        begun = jnp.zeros((stages, *x0.shape), dtype), jnp.zeros_like(system.conductance), jnp.zeros_like(inertia)
        (k, crossed, appeared), _ = lax.scan(stage, begun, (*rows, jnp.arange(stages)))
        after = x0 + jnp.tensordot(weights, k, 1)
        # What crossed each edge, by the stages and the Jacobian times their sum, moves the amounts.
        mean = jnp.tensordot(rows[-1], k, 1)
        _, along = jax.jvp(lambda x: system.flows(*system.split(x)), (x0,), (mean,))
        _, beside = jax.jvp(lambda x: moving.sources(x, t0), (x0,), (mean,))
        none = jnp.zeros_like(inertia[:, :1])
        crossed = crossed + along
        gained = jnp.concatenate([none, crossed], 1) - jnp.concatenate([crossed, none], 1) + appeared + beside
        change = jnp.where(inertia > 0, h * gained / content, after[:species] - x0[:species]) + carry.low
        c, low = _two_sum(x0[:species], change)
        negative = jnp.min(c / least[:, None])
        c = lax.cond(jnp.any(c < 0), lambda c: _without_deficits(c, system.capacity, system.conductance), lambda c: c, c)
        after = jnp.concatenate([c, after[species:]])
        scale = scales(x0)
        other = scales(after)
        scale = rtol * jnp.where(scale > other, scale, other)
        error = jnp.max(jnp.abs(lax.stop_gradient(k[-1])) / scale)
        error = jnp.where(jnp.isfinite(error) & jnp.isfinite(negative), error, 1e10)
        error = jnp.where(negative < -rtol, jnp.where(error < 1e5, 1e5, error), error)
        error = jnp.where(error < 1e-10, 1e-10, error)
        accepted = error <= 1.0 if method.dt is None else jnp.asarray(True)
        # A proportional-integral controller where steps succeed, a proportional one after a refusal.
        good = jnp.clip(_SAFETY * error ** (-0.7 / 5.0) * carry.error ** (0.4 / 5.0), _LEAST, _MOST)
        bad = jnp.clip(_SAFETY * error**-0.2, _LEAST, 1.0)
        # Only a refusal says that the step was too long where an edge had shortened it.
        longer = jnp.where(h < carry.h, carry.h / _MOST, h)
        base = jnp.where(accepted & (longer > h), longer, h)
        following = lax.stop_gradient(base * jnp.where(accepted, good, bad))

        def over_edge(after):
            x = moving.consistent(after[:species], later, moving.command.passed(later))
            first = pace(x, later, moving.command.passed(later))
            return x, jnp.where(first < following, first, following)

        at_edge = accepted & jnp.any(later == edges)
        x, following = lax.cond(at_edge, over_edge, lambda after: (after, following), after)
        inner = jnp.tensordot(dense, k, 1)
        taken = Carry(t0, later, x0, after, x, lax.stop_gradient(low), inner, following, error, carry.accepted + 1, carry.count)
        kept = carry._replace(h=following)
        new = jax.tree.map(lambda a, b: jnp.where(accepted, a, b), taken, kept)
        return new._replace(count=carry.count + 1)

    def reach(carry: Carry, target):
        # A step that no longer moves the time says that there is no solution to follow.
        going = lambda x: (x.t < target) & (x.count < method.most) & (x.t + x.h > x.t)
        advance = lambda x: step(x, target)
        carry = carry._replace(count=jnp.zeros_like(carry.count))
        if method.reverse:
            loop = eqxi.while_loop(
                going, advance, carry, max_steps=method.most, kind="checkpointed", checkpoints=_CHECKPOINTS
            )
        else:
            loop = lax.while_loop(going, advance, carry)
        span = loop.t - loop.begin
        s = jnp.where(span > 0, (target - loop.begin) / jnp.where(span > 0, span, 1.0), 1.0)
        inner = loop.dense[0] + s * (loop.dense[1] + s * loop.dense[2])
        x = (1.0 - s) * loop.before + s * (loop.after + (1.0 - s) * inner)
        # Right-continuous, and NaN where the run did not come that far.
        x = jnp.where(target == loop.t, loop.x, jnp.where(target < loop.t, x, jnp.nan))
        return loop, (x, loop.accepted)

    zero = jnp.zeros((), dtype)
    x = moving.consistent(c, zero, moving.command.passed(zero))
    first = pace(x, zero, moving.command.passed(zero))
    h = numbers(method.dt) if method.dt is not None else jnp.where(first < times[-1], first, times[-1])
    h = jnp.where(h > 0, h, 1.0)
    none = jnp.asarray(0)
    start = Carry(
        zero, zero, x, x, x, jnp.zeros_like(c), jnp.zeros((3, *x.shape), dtype), h, jnp.ones((), dtype), none, none
    )
    body: Any = jax.checkpoint(reach) if method.reverse else reach
    carry, (found, steps) = lax.scan(body, start, times)
    return found, carry.t >= times[-1], steps


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The sum of two numbers, and what rounding left out of it."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _without_deficits(c, capacity, conductance):
    holds = capacity > 0
    amount = jnp.where(holds, capacity * c, 0.0)
    found = mended(amount, conductance > 0)
    return jnp.where(found != amount, found / jnp.where(holds, capacity, 1.0), c)
