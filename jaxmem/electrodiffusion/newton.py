"""Newton's method for the steady state of a pore: in the potential alone, with the concentrations that belong to it."""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from .._numerics.block_tridiagonal import eliminate
from .._numerics.ring import Ring
from .system import System, gathered

Potentials = Float[Array, "fields nodes"]


@dataclass(frozen=True)
class Newton:
    """How the equations of a pore are solved.

    The unknown is the potential. In every potential the steady concentrations follow from linear equations, exactly
    and without a subtraction, so that they are never negative and the flux is the same at every node. What is left is
    Poisson's equation, whose exact Newton direction comes from the coupled block-tridiagonal Jacobian. A step is
    shortened until the residual falls. If that leads nowhere, voltage and charge are raised from zero in steps.

    **Arguments:** `tolerance`: the last change of the potential [kT/e] relative to its size, 1e-9 by default, for which
    float64 is needed; convergence is quadratic, so what is left is far smaller. `most`: iterations in one attempt;
    `attempts`: steps of voltage and charge; `coarse`: meshes of so many nodes begin from the
    solution on every eighth of them, which is faster but compiles longer; none do for None.
    """

    tolerance: float | None = None
    most: int = 80
    attempts: int = 40
    coarse: int | None = 400

    def accepted(self, dtype) -> float:
        """The tolerance in numbers of a type."""
        return 1e-9 if self.tolerance is None else max(self.tolerance, float(jnp.finfo(dtype).eps))


class Found(NamedTuple):
    """Where an iteration ended, whether the equations are solved there, and in how many steps."""

    y: Potentials
    converged: Bool[Array, ""]
    steps: Array


def opening(system: System) -> Potentials:
    """A potential to begin with: every node neutral, between reservoirs that change evenly from end to end."""
    z = jnp.asarray(system.valence, system.charge.dtype)
    resistance = jnp.concatenate([jnp.zeros_like(system.dielectric[:1]), jnp.cumsum(1.0 / system.dielectric)])
    s = resistance / resistance[-1]
    reservoir = system.bulk[:, :1] * (1.0 - s)[None] + system.bulk[:, 1:] * s[None]
    volume = jnp.max(system.capacity, 0)
    fixed = jnp.where(volume > 0, system.charge / jnp.where(volume > 0, volume, 1.0), 0.0)
    mobile = jnp.sum(jnp.abs(z)[:, None] * reservoir, 0)
    donnan = jnp.where(mobile > 0, jnp.arcsinh(fixed / jnp.where(mobile > 0, mobile, 1.0)), 0.0)
    psi = system.psi[0] * (1.0 - s) + system.psi[1] * s + donnan.at[0].set(0.0).at[-1].set(0.0)
    if system.crowding is None:
        return psi[None]
    return jnp.stack([psi, system.crowding.excess(reservoir)])


def solved(system: System, start: Potentials, method: Newton) -> Found:
    """The steady state: directly from `start`, else by raising voltage and charge, with shorter steps where needed."""
    rest = scaled(system, jnp.zeros_like(system.kappa))
    tolerance = method.accepted(start.dtype)

    def going(carry):
        _, _, reached, step, _, attempts = carry
        return (reached < 1.0) & (step > 1e-3) & (attempts < method.attempts)

    def attempt(carry):
        y, slope, reached, step, steps, attempts = carry
        target = jnp.where(reached + step > 1.0 - 1e-6, 1.0, reached + step)
        found = damped(scaled(system, target), y + (target - reached) * slope, tolerance, method.most)
        secant = jnp.where(reached > 0, (found.y - y) / (target - reached), 0.0)
        slope = jnp.where(found.converged, secant, slope)
        y = jnp.where(found.converged, found.y, jnp.where(attempts == 0, opening(rest), y))
        reached = jnp.where(found.converged, target, reached)
        step = jnp.where(found.converged, 2.0 * step, step / 4.0)
        return y, slope, reached, step, steps + found.steps, attempts + 1

    zero = jnp.zeros_like(system.kappa)
    carry = (start, jnp.zeros_like(start), zero, zero + 1.0, jnp.asarray(0), jnp.asarray(0))
    y, _, reached, _, steps, _ = lax.while_loop(going, attempt, carry)
    return Found(y, reached >= 1.0, steps)


def scaled(system: System, by: Float[Array, ""]) -> System:
    """The system with voltage and every charge that is not mobile multiplied."""
    return replace(system, psi=by * system.psi, charge=by * system.charge, surface=by * system.surface)


def damped(system: System, start: Potentials, tolerance: float, most: int) -> Found:
    """Newton's method whose steps are shortened until the residual falls."""
    fields = system.fields
    size_of = lambda y: 1.0 + jnp.max(jnp.abs(y))

    def going(carry):
        y, _, size, _, _, n = carry
        return (n < most) & ~(size < tolerance * size_of(y)) & jnp.isfinite(size)

    def advance(carry):
        y, dy, size, scale, now, n = carry

        def searching(carry):
            t, _, _, new, k = carry
            shorter = (new <= (1.0 - 0.02 * t) * now) | ((size < 1e-6) & (k > 0))
            return (k < 12) & ~shorter

        def search(carry):
            t, _, _, _, k = carry
            t = jnp.where(k == 0, 1.0, t / 3.0)
            c, _ = system.concentrations(y + t * dy)
            x = system.join(c, y + t * dy)
            r = system.residual(x)[-fields:]
            return t, x, r, jnp.sum((r / scale) ** 2), k + 1

        nothing = jnp.zeros((system.unknowns, y.shape[1]), y.dtype)
        begun = (jnp.ones_like(size), nothing, jnp.zeros_like(y), jnp.full_like(size, jnp.nan), jnp.asarray(0))
        t, x, r, _, _ = lax.while_loop(searching, search, begun)
        y = y + t * dy
        rows = nothing.at[-fields:].set(-r)
        matrix = system.matrix(x)
        change = matrix.solve(rows.T) if isinstance(matrix, Ring) else eliminate(matrix, rows.T)
        dy = change.T[-fields:]
        scale = _scales(system, x)
        # A maximum need not notice what is no number.
        size = jnp.where(jnp.all(jnp.isfinite(dy)), jnp.max(jnp.abs(dy)), jnp.nan)
        return y, dy, size, scale, jnp.sum((r / scale) ** 2), n + 1

    far = jnp.asarray(jnp.finfo(start.dtype).max, start.dtype)
    none = jnp.zeros_like(start)
    y, dy, size, _, _, n = lax.while_loop(going, advance, (start, none, far, none + 1.0, far, jnp.asarray(0)))
    return Found(y + dy, size < tolerance * size_of(y), n)


def _scales(system: System, x: Float[Array, "unknowns nodes"]) -> Float[Array, "fields nodes"]:
    """What turns a row of Poisson's equation into a change of the potential at its node."""
    c, _ = system.split(x)
    z = jnp.asarray(system.valence, c.dtype)
    coupling = gathered(system.dielectric, system.dielectric)
    screening = jnp.sum((z * z)[:, None] * system.capacity * c, 0)
    scale = (coupling + system.kappa * screening)[None]
    return scale if system.fields == 1 else jnp.concatenate([scale, jnp.ones_like(scale)])


@partial(jax.custom_jvp, nondiff_argnums=(2,))
def steady(system: System, start: Potentials, method: Newton) -> tuple[Float[Array, "unknowns nodes"], Array, Array]:
    """The unknowns of all nodes in the steady state, whether it was found, and how many Newton steps it took.

    The derivative by every number of the system is that of the implicit function, by one more block-tridiagonal solve,
    to any order in both modes. A lane that failed has a derivative of zero, so that it disturbs no other.
    """
    found = solved(system, start, method)
    y = jnp.where(found.converged, found.y, start)
    c, _ = system.concentrations(y)
    return system.join(c, y), found.converged.astype(start.dtype), found.steps.astype(start.dtype)


@steady.defjvp
def _(method, primals, tangents):
    system, start = primals
    x, converged, steps = steady(system, start, method)
    _, moved = jax.jvp(lambda s: s.residual(x), (system,), (tangents[0],))
    dx = -system.matrix(x).solve(moved.T).T
    dx = jnp.where(converged > 0, dx, 0.0)
    return (x, converged, steps), (dx, jnp.zeros_like(converged), jnp.zeros_like(steps))
