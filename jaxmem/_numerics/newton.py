"""The zero of a function of several numbers of very different size, with an exact derivative."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import lu_factor, lu_solve
from jaxtyping import Array, Float

Vector = Float[Array, " n"]
Function = Callable[[Vector], Vector]


class Factored(NamedTuple):
    """A square matrix, and scaled by its rows and columns until the largest entry of each is one, and factored."""

    matrix: Float[Array, "n n"]
    rows: Vector
    columns: Vector
    lu: Float[Array, "n n"]
    pivots: Any

    def solve(self, b: Vector) -> Vector:
        """x of A x = b."""
        return self.columns * lu_solve((self.lu, self.pivots), self.rows * b)

    @property
    def condition(self) -> Float[Array, ""]:
        """The smallest pivot over the largest: a few roundings where the matrix is singular."""
        pivots = jnp.abs(jnp.diagonal(self.lu))
        return jnp.min(pivots) / jnp.max(pivots)

    @property
    def sign(self) -> Float[Array, ""]:
        """The sign of the determinant."""
        swaps = jnp.sum(self.pivots != jnp.arange(self.pivots.size, dtype=self.pivots.dtype))
        return jnp.prod(jnp.sign(jnp.diagonal(self.lu))) * jnp.where(swaps % 2 == 0, 1.0, -1.0).astype(self.lu.dtype)


class Found(NamedTuple):
    """Where an iteration ended: the point, the factored Jacobian there, whether it is a zero, steps taken."""

    x: Vector
    jacobian: Factored
    converged: Any
    steps: Any


def scales(a: Float[Array, "n n"]) -> tuple[Vector, Vector]:
    """Scales of rows and columns with which the largest entry of each is about one (Ruiz 2001)."""
    size = jnp.abs(a)
    root = lambda x: jnp.where(x > 0, 1 / jnp.sqrt(jnp.where(x > 0, x, 1.0)), 1.0)

    def balance(_, found):
        rows, columns = found
        scaled = rows[:, None] * size * columns[None]
        return rows * root(jnp.max(scaled, 1)), columns * root(jnp.max(scaled, 0))

    return lax.fori_loop(0, 8, balance, (jnp.ones_like(size[:, 0]), jnp.ones_like(size[0])))


def factor(a: Float[Array, "n n"]) -> Factored:
    """A matrix made ready to solve with: its scales (after Ruiz) and its factors."""
    rows, columns = scales(a)
    lu, pivots = lu_factor(rows[:, None] * a * columns[None])
    return Factored(a, rows, columns, lu, pivots)


def value_and_jacobian(f: Function, x: Vector) -> tuple[Vector, Float[Array, "n m"]]:
    """f and its derivative at a point."""
    push = lambda tangent: jax.jvp(f, (x,), (tangent,))
    return jax.vmap(push, out_axes=(None, 1))(jnp.eye(x.size, dtype=x.dtype))


def sizes(x: Vector, start: Vector, columns: Vector) -> Vector:
    """What a change of each unknown is compared with: its own size, now and at the start.

    An unknown near zero is compared with a small part of what the scales of the Jacobian take for its unit.
    """
    unit = columns * jnp.max(jnp.abs(x) / columns)
    return jnp.maximum(jnp.maximum(jnp.abs(x), jnp.abs(start)), jnp.finfo(x.dtype).eps ** (1 / 3) * unit)


def largest(step: Vector, size: Vector) -> Float[Array, ""]:
    """The largest relative change; an unknown that stays zero has not changed."""
    still = step == 0
    return jnp.max(jnp.where(still, 0.0, jnp.abs(step) / jnp.where(still, 1.0, size)))


def damped(f: Function, *starts: Vector, most: int = 60) -> Found:
    """Newton's method with steps shortened until they bring the zero nearer, from the first start that leads to one.

    A step is taken if the next simplified step, J(x)^-1 f(x + t dx), is shorter than this one: a test which does not
    depend on the units of f or of x. It goes on until the steps are a few roundings, or no longer shrink.

    **Arguments:** `most`: steps tried at most from each start.

    **Source:** P. Deuflhard, Newton Methods for Nonlinear Problems, Springer (2004), sections 2.1.2 and 3.3.
    """
    origins = jnp.stack(starts)
    n, dtype = origins.shape[1], origins.dtype
    eps = jnp.finfo(dtype).eps

    def going(carry):
        *_, converged, _, which, _ = carry
        return ~converged & (which < len(starts))

    def advance(carry):
        x, jacobian, step, length, t, _, count, which, total = carry
        start = origins[which]
        fresh = count == 0
        new = jnp.where(fresh, start, x + t * step)
        value, matrix = value_and_jacobian(f, new)
        size = sizes(new, start, jacobian.columns)
        shorter = largest(jacobian.solve(value), size) < (1 - t / 4) * length
        new_jacobian = factor(matrix)
        new_step = -new_jacobian.solve(value)
        new_length = largest(new_step, sizes(new, start, new_jacobian.columns))
        # Steps that are a few roundings are noise, whose length says nothing.
        noise = ~fresh & (length < jnp.sqrt(eps))
        accept = fresh | (jnp.isfinite(new_length) & (shorter | noise))
        converged = accept & ((new_length <= 2 * eps) | (noise & (new_length > length / 4)))
        x, jacobian, step, length = jax.tree.map(
            lambda a, b: jnp.where(accept, a, b),
            (new, new_jacobian, new_step, new_length),
            (x, jacobian, step, length),
        )
        t = jnp.where(fresh, 1.0, jnp.where(accept, jnp.minimum(1.0, 2 * t), t / 4))
        stuck = ~converged & (~jnp.isfinite(length) | (t < 1e-4) | (count >= most))
        which = jnp.where(stuck, which + 1, which)
        return x, jacobian, step, length, t, converged, jnp.where(stuck, 0, count + 1), which, total + 1

    nothing = jnp.zeros((n,), dtype)
    eye = jnp.eye(n, dtype=dtype)
    identity = Factored(eye, nothing + 1, nothing + 1, eye, jnp.arange(n, dtype=jnp.int32))
    one = jnp.ones((), dtype)
    carry = (origins[0], identity, nothing, one, one, jnp.asarray(False), 0, 0, 0)
    x, jacobian, _, _, _, converged, _, _, total = lax.while_loop(going, advance, carry)
    return Found(x, jacobian, converged, total)


class Root(NamedTuple):
    """A zero with its derivative: the point, whether it was found, and how far its Jacobian is from a singular one."""

    x: Vector
    found: Any
    condition: Any


def implicit(f: Function, start: Vector, solve: Callable[[Function, Vector], Found]) -> Root:
    """What `solve(f, start)` finds, with the derivative of the implicit function by all that f closes over.

    The derivative is exact to any order, forward and reverse. A lane that does not converge stays at its start, so
    that a caller who replaces it by NaN has no NaN in the derivative of the others.
    """

    def safe(f, start):
        found = solve(f, start)
        x = jnp.where(found.converged, found.x, start)
        return x, (found.converged.astype(start.dtype), found.jacobian.condition)

    def linear(g, y):
        matrix = jax.vmap(g, out_axes=1)(jnp.eye(y.size, dtype=y.dtype))
        rows, columns = scales(lax.stop_gradient(matrix))
        scaled = rows[:, None] * matrix * columns[None]
        pivots = jnp.diagonal(lu_factor(lax.stop_gradient(scaled))[0])
        sound = jnp.all(jnp.isfinite(scaled)) & jnp.all(jnp.isfinite(pivots)) & jnp.all(pivots != 0)
        scaled = jnp.where(sound, scaled, jnp.eye(y.size, dtype=y.dtype))
        return columns * jnp.linalg.solve(scaled, rows * y)

    start = lax.stop_gradient(start)
    x, (converged, condition) = lax.custom_root(f, start, safe, linear, has_aux=True)
    return Root(x, converged > 0, condition)


def newton(f: Function, start: Vector) -> Vector:
    """Where f is zero, near `start`; NaN if Newton's method does not lead there.

    It converges to rounding, whatever the units of f and x. The derivative by what f closes over is that of the
    implicit function, to any order, forward and reverse.
    """
    x, found, _ = implicit(f, start, damped)
    return jnp.where(found, x, jnp.nan)
