"""The zero of a function of one number between two bounds, with an exact derivative."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float


def root(
    f: Callable[[Float[Array, ""]], Float[Array, ""]], lower: Float[Array, ""], upper: Float[Array, ""]
) -> Float[Array, ""]:
    """Where f is zero between `lower` and `upper`; NaN if f has the same sign at both.

    Newton's method, with a bisection wherever it would leave the bracket or gains less than that, until the bracket
    or the step is a few roundings. The derivative by what f closes over is that of the implicit function, to any order,
    forward and reverse.
    """

    def solve(f, start):
        eps = jnp.finfo(start.dtype).eps
        low, high = f(lower), f(upper)
        opposite = (low * high <= 0) & jnp.isfinite(low) & jnp.isfinite(high)
        # Along the line from `a` to `b` the function goes from negative to positive.
        a, b = jnp.where(low < 0, lower, upper), jnp.where(low < 0, upper, lower)
        scale = jnp.maximum(jnp.abs(upper), jnp.abs(lower))

        def going(carry):
            _, a, b, step, count = carry
            return opposite & (jnp.abs(step) > 2 * eps * scale) & (jnp.abs(b - a) > 2 * eps * scale) & (count < 100)

        def narrow(carry):
            x, a, b, _, count = carry
            value, slope = jax.jvp(f, (x,), (jnp.ones_like(x),))
            a, b = jnp.where(value < 0, x, a), jnp.where(value < 0, b, x)
            usable = jnp.isfinite(slope) & (slope != 0)
            newton = x - value / jnp.where(usable, slope, 1.0)
            inside = usable & ((newton - a) * (newton - b) < 0)
            # Every third step halves the bracket, so that a flat function cannot hold it up.
            new = jnp.where(inside & (count % 3 != 2), newton, 0.5 * (a + b))
            return jnp.where(value == 0, x, new), a, b, jnp.where(value == 0, 0.0, new - x), count + 1

        begin = (start, a, b, jnp.abs(b - a), 0)
        x = lax.while_loop(going, narrow, begin)[0]
        x = jnp.where(low == 0, lower, jnp.where(high == 0, upper, x))
        return jnp.where(opposite, x, jnp.nan)

    def linear(g, y):
        return y / g(jnp.ones_like(y))

    start = lax.stop_gradient(0.5 * (lower + upper))
    return lax.custom_root(f, start, solve, linear)
