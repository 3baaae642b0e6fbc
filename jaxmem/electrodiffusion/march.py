"""Steps in time of a pore: Rosenbrock steps for differential and algebraic equations, which keep every amount."""

from typing import Any, NamedTuple

import equinox as eqx
import equinox.internal as eqxi
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer
from jaxtyping import Array, Bool, Float, Int

from .._numerics.factored import factored
from .._numerics.ring import ring
from .._numerics.rosenbrock import rodas5p
from ..params import as_array
from ..results import InputError
from .moving import Moving, Unknowns, mended

_SAFETY, _LEAST, _MOST = 0.9, 0.2, 6.0
_SMALL = 1e-3  # concentrations below this part of the largest are measured by it
_PSI = 1e-2  # and potentials [kT/e] below this
_CHECKPOINTS = 64
_TABLE = rodas5p()
_STAGES = len(_TABLE.share)


def _optional(x: Any) -> Any:
    return None if x is None else as_array(x)


class Rosenbrock(eqx.Module):
    """Linearly implicit steps of order 5 with an estimate of the error, L-stable and stiffly accurate.

    One Jacobian a step, and no iteration. Poisson's equation, which is linear, is fulfilled in every stage.
    Concentrations follow from what crosses each edge in a step, with compensated sums, so that amounts do not depend
    on how exactly a linear system is solved. A step that makes a concentration negative by more than its tolerance is
    refused; what smaller deficits lack is taken from the nodes beside them.

    **Arguments:** `rtol`: the error of a step, relative to a concentration, or to 1e-3 of the largest of its species
    where there is less, and to the largest potential, or 0.01 kT/e; `atol` [mM]: in place of that share of the largest;
    `dt` [ns]: steps of this length, or a little less so that they end at samples, without a control of errors;
    `most`: how many steps between two samples, refused ones too; `reverse`: whether reverse mode is to work (with
    checkpoints; then forward mode does not).
    **Source:** Steinebach 2023, BIT Numer. Math. 63:27 (Rodas5P).
    """

    rtol: Any = eqx.field(converter=as_array, default=1e-6)
    atol: Any = eqx.field(converter=_optional, default=None)
    dt: Any = eqx.field(converter=_optional, default=None)
    most: int = eqx.field(static=True, default=100_000)
    reverse: bool = eqx.field(static=True, default=False)

    def __check_init__(self):
        for name, value, unit in (("rtol", self.rtol, ""), ("atol", self.atol, " mM"), ("dt", self.dt, " ns")):
            if value is not None and not isinstance(value, Tracer) and not np.all(np.asarray(value) > 0):
                raise InputError(f"`{name}` must be positive, but is {float(np.min(value)):g}{unit}.")


class Carry(NamedTuple):
    """Where a run is: the last step from `begin` to `t`, its two ends and its interpolant, and the next step."""

    begin: Float[Array, ""]
    t: Float[Array, ""]
    before: Float[Array, "species nodes"]
    x: Unknowns
    low: Float[Array, "species nodes"]  # what rounding left out of the concentrations
    dense: Float[Array, "3 species nodes"]
    fresh: Bool[Array, ""]  # whether an edge has just been passed, so that the potential is to be found anew
    h: Float[Array, ""]
    error: Float[Array, ""]
    accepted: Int[Array, ""]
    count: Int[Array, ""]


def march(
    moving: Moving, c: Float[Array, "species nodes"], times: Float[Array, " samples"], method: Rosenbrock
) -> tuple[Float[Array, "samples species nodes"], Array]:
    """Concentrations at some times from those at time zero, NaN where the run did not come so far; steps by then.

    **Arguments:** `times` (samples,) [ns]: not negative, increasing.
    """
    dtype = c.dtype
    begin = jnp.zeros((), dtype)
    x = moving.system.join(c, jnp.zeros((moving.system.fields, c.shape[1]), dtype))
    largest = jnp.max(jnp.abs(c), 1)
    largest = jnp.where(largest > 0, largest, jnp.max(largest))
    rtol = method.rtol.astype(dtype)
    least = _SMALL * largest if method.atol is None else jnp.full_like(largest, method.atol.astype(dtype) / rtol)
    step = Step(moving, rtol, lax.stop_gradient(least), None if method.dt is None else method.dt.astype(dtype))

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
        now = loop.x[: moving.system.species]
        found = (1.0 - s) * loop.before + s * (now + (1.0 - s) * inner)
        found = moving.joined(lax.cond(jnp.any(found < 0), lambda c: step.without_deficits(c), lambda c: c, found))
        found = jnp.where(target == loop.t, now, jnp.where(target < loop.t, found, jnp.nan))
        return loop, (found, loop.accepted)

    none = jnp.asarray(0)
    start = Carry(
        begin=begin,
        t=begin,
        before=c,
        x=x,
        low=jnp.zeros_like(c),
        dense=jnp.zeros((3, *c.shape), dtype),
        fresh=jnp.asarray(True),
        h=jnp.where(times[-1] > 0, times[-1], 1.0),
        error=jnp.ones((), dtype),
        accepted=none,
        count=none,
    )
    body: Any = jax.checkpoint(reach) if method.reverse else reach
    return lax.scan(body, start, times)[1]


class Step(eqx.Module):
    """One step. **Arguments:** `least` (species,): concentrations below it are measured by it [mM]."""

    moving: Moving
    rtol: Float[Array, ""]
    least: Float[Array, " species"]
    dt: Float[Array, ""] | None

    def __call__(self, carry: Carry, target: Float[Array, ""]) -> Carry:
        """The state after one more step, or the same with a shorter step to try."""
        moving, system = self.moving, self.moving.system
        species = system.species
        t0, passed = carry.t, moving.command.passed(carry.t)
        x0, longest = lax.cond(
            carry.fresh, lambda carry: self._begun(carry, passed), lambda carry: (carry.x, carry.h), carry
        )
        carry = carry._replace(x=x0, h=longest, fresh=jnp.asarray(False))
        h, later, at_edge = self._length(carry, passed, target)
        k, crossed, appeared = self._stages(x0, t0, passed, h, later)
        weights = jnp.asarray(_TABLE.a[-1], h.dtype).at[-1].set(1.0)
        y = x0[species:] + jnp.tensordot(weights, k[:, species:], 1)
        # What crossed each edge moves the amounts.
        gained = moving.gained(crossed) + appeared
        inertia = moving.inertia
        change = jnp.where(
            inertia > 0, h * gained / jnp.where(inertia > 0, inertia, 1.0), jnp.tensordot(weights, k[:, :species], 1)
        )
        c, low = _two_sum(x0[:species], change + carry.low)
        negative = jnp.min(c / self.least[:, None])
        c = moving.joined(lax.cond(jnp.any(c < 0), lambda c: self.without_deficits(c), lambda c: c, c))
        after = jnp.concatenate([c, y])
        error = lax.stop_gradient(self._error(x0, after, k[-1], negative))
        accepted = error <= 1.0 if self.dt is None else jnp.asarray(True)
        taken = Carry(
            begin=t0,
            t=later,
            before=x0[:species],
            x=after,
            low=lax.stop_gradient(low),
            dense=jnp.tensordot(jnp.asarray(_TABLE.dense, h.dtype), k[:, :species], 1),
            fresh=at_edge,
            h=carry.h,
            error=error,
            accepted=carry.accepted + 1,
            count=carry.count,
        )
        new = jax.tree.map(lambda a, b: jnp.where(accepted, a, b), taken, carry)
        return new._replace(h=lax.stop_gradient(_next(h, carry, error, accepted)), count=carry.count + 1)

    def _begun(self, carry, passed):
        """Potentials just after an edge, and a hundredth of the time in which concentrations change by themselves."""
        species = self.moving.system.species
        c = carry.x[:species]
        x = self.moving.consistent(c, carry.t, passed)
        dc, _ = self.moving.rate(x, carry.t, passed)
        quick = jnp.max(jnp.abs(dc) / (self.least[:, None] + jnp.abs(c)))
        first = 1e-2 / jnp.where(quick > 0, quick, jnp.finfo(c.dtype).tiny)
        return x, lax.stop_gradient(jnp.where(first < carry.h, first, carry.h))

    def _length(self, carry, passed, target):
        """The length of a step, when it ends, and whether that is at an edge of the command."""
        edge = jnp.append(self.moving.command.edges, jnp.inf)[passed]
        if self.dt is None:
            left = edge - carry.t
            last = carry.h >= left * (1.0 - 1e-9)
            h = jnp.where(last, left, jnp.where(carry.h > 0.5 * left, 0.5 * left, carry.h))
            return h, jnp.where(last, edge, carry.t + h), last
        end = jnp.where(edge < target, edge, target)
        left = end - carry.t
        pieces = jnp.ceil(left / self.dt * (1.0 - 1e-9))
        last = pieces <= 1.0
        h = left / jnp.where(last, 1.0, pieces)
        later = jnp.where(last, end, carry.t + h)
        return h, later, later == edge

    def _stages(self, x0, t0, passed, h, later):
        """The stages, and of each species what crosses each edge and what appears at each node, by time."""
        moving, system = self.moving, self.moving.system
        species = system.species
        numbers = lambda a: jnp.asarray(a, h.dtype)
        shift = 1.0 / (_TABLE.gamma * h)
        line = moving.jacobian(x0, t0, shift)
        matrix = ring(line, moving.closure(x0, t0, shift)) if system.ring else factored(line)
        changing = lambda t: (moving.rows(x0, t, passed), moving.sources(x0, t))
        _, (of_rows, of_sources) = jax.jvp(changing, (t0,), (jnp.ones_like(t0),))

        def stage(kept, row):
            k, crossed, appeared = kept
            place, pull, alpha, tau, share, i = row
            x = x0 + jnp.tensordot(place, k, 1)
            t = jnp.where(alpha > 1.0 - 1e-9, later, t0 + alpha * h)
            right = -moving.rows(x, t, passed) - tau * h * of_rows
            right = right.at[:species].add(moving.inertia * jnp.tensordot(pull, k[:, :species], 1) / h)
            crossed = crossed + share * system.flows(*system.split(x))
            appeared = appeared + share * (moving.sources(x, t) + tau * h * of_sources)
            return (k.at[i].set(matrix.solve(right.T).T), crossed, appeared), None

        rows = (
            *(numbers(a) for a in (_TABLE.a, _TABLE.c, _TABLE.alpha, _TABLE.tau, _TABLE.share)),
            jnp.arange(_STAGES),
        )
        begun = (
            jnp.zeros((_STAGES, *x0.shape), h.dtype),
            jnp.zeros_like(system.conductance),
            jnp.zeros_like(system.capacity),
        )
        (k, crossed, appeared), _ = lax.scan(stage, begun, rows)
        mean = jnp.tensordot(numbers(_TABLE.share), k, 1)
        passing = lambda x: (system.flows(*system.split(x)), moving.sources(x, t0))
        _, (along, beside) = jax.jvp(passing, (x0,), (mean,))
        return k, crossed + along, appeared + beside

    def _error(self, x0, after, change, negative):
        """The largest error relative to what it may be; much more than 1 for a concentration that is negative."""

        def sizes(x):
            c, y = self.moving.system.split(x)
            potential = jnp.max(jnp.abs(y), 1, keepdims=True)
            potential = jnp.where(potential > _PSI, potential, _PSI)
            return jnp.concatenate([self.least[:, None] + jnp.abs(c), jnp.broadcast_to(potential, y.shape)])

        one, other = sizes(x0), sizes(after)
        error = jnp.max(jnp.abs(change) / (self.rtol * jnp.where(one > other, one, other)))
        error = jnp.where(jnp.isfinite(error) & jnp.isfinite(negative), error, 1e10)
        error = jnp.where((negative < -self.rtol) & (error < 1e5), 1e5, error)
        return jnp.where(error < 1e-10, 1e-10, error)

    def without_deficits(self, c: Float[Array, "species nodes"]) -> Float[Array, "species nodes"]:
        """Concentrations of the same amounts, none of them negative."""
        system = self.moving.system
        holds = system.capacity > 0
        amount = jnp.where(holds, system.capacity * c, 0.0)
        found = mended(amount, system.conductance > 0)
        return jnp.where(found != amount, found / jnp.where(holds, system.capacity, 1.0), c)


def _next(h, carry: Carry, error, accepted):
    """The length of the next step, or of the next try."""
    # A proportional-integral controller where steps succeed, a proportional one after a refusal.
    good = jnp.clip(_SAFETY * error ** (-0.7 / 5.0) * carry.error ** (0.4 / 5.0), _LEAST, _MOST)
    bad = jnp.clip(_SAFETY * error**-0.2, _LEAST, 1.0)
    # Only a refusal says that the step was too long where an edge had shortened it.
    longer = jnp.where(h < carry.h, carry.h / _MOST, h)
    base = jnp.where(accepted & (longer > h), longer, h)
    return base * jnp.where(accepted, good, bad)


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The sum of two numbers, and what rounding left out of it."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)
