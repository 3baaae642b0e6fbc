"""Following an ordinary differential equation to where it comes to rest."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .newton import factor, largest, sizes, value_and_jacobian

Vector = Float[Array, " n"]


def relax(f: Callable[[Vector], Vector], start: Vector, mass: Vector, *, most: int = 2000) -> tuple[Vector, Any]:
    """Where mass x' = f(x) comes to rest, nearly: pseudo-transient continuation.

    Returns the last point, and whether the flow came to rest there.

    Linearly implicit Euler steps, (mass/dt - J) dx = f. The step grows while the equation is nearly linear over it and
    shrinks where it is not, so that far from rest the flow is followed, and near it this is Newton's method. A step
    that is long for an unstable direction would lead against the flow, to the state that is left; it shows in the sign
    of the determinant.

    **Arguments:** `mass`: one for an unknown that moves; zero for one that is there to hold a constraint, f, which
    grows with it or with the unknowns that it pushes; `most`: steps tried at most.

    **Source:** P. Deuflhard, Newton Methods for Nonlinear Problems, Springer (2004), section 6.4.
    """
    forward = jnp.prod(jnp.where(mass > 0, 1.0, -1.0).astype(start.dtype))
    small = jnp.sqrt(jnp.finfo(start.dtype).eps)

    def going(carry):
        *_, rested, count = carry
        return ~rested & (count < most)

    def advance(carry):
        x, dt, previous, _, count = carry
        value, matrix = value_and_jacobian(f, x)
        speed = largest(mass * value, sizes(x, start, jnp.ones_like(x)))
        dt = jnp.where(count > 0, dt, 0.1 / jnp.where(speed > 0, speed, 1.0))
        euler = factor(jnp.diag(mass / dt) - matrix)
        step = euler.solve(value)
        size = sizes(x, start, euler.columns)
        length = largest(step, size)
        # What a second Newton iteration of the same implicit step would add.
        bend = largest(euler.solve(f(x + step) - mass * step / dt), size)
        noise = length < small
        along = euler.sign == forward
        accept = jnp.isfinite(length) & jnp.isfinite(bend) & (((bend < 0.5 * length) & along) | noise)
        growth = jnp.where(noise, 4.0, jnp.clip(0.25 * length / jnp.where(bend > 0, bend, 1e-30), 0.2, 4.0))
        growth = jnp.where(accept, growth, 0.25)
        # At rest a longer step leads no farther; on a slow way it does.
        rested = accept & noise & (length <= 2 * previous)
        x = jnp.where(accept, x + step, x)
        return x, jnp.minimum(dt * growth, 1e30), jnp.where(accept & (growth > 2), length, 0.0), rested, count + 1

    zero = jnp.zeros((), start.dtype)
    x, _, _, rested, _ = lax.while_loop(going, advance, (start, zero, zero, jnp.asarray(False), 0))
    return x, rested
