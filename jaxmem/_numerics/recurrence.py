"""First-order linear recurrences: one gate's occupancy over all samples of a record."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from .platform import by_platform

# Measured on one CPU core, float64, 35 000 steps: 0.14 ms with 1 step an iteration, 0.09 ms with 4, 0.07 ms
# with 8, but 2.4 ms with 16; batches are fastest with 1 and lose little with 4. A two-level chunked form
# (0.10 ms) and a parallel prefix (0.20 ms) gain nothing and cost compile time.
_UNROLL = 4


def affine_recurrence(
    decay: Float[Array, " steps"], drive: Float[Array, " steps"], x0: Float[Array, ""]
) -> Float[Array, " samples"]:
    """The sequence x[0] = x0, x[k+1] = decay[k] x[k] + drive[k], of shape (steps + 1,).

    It is the solution of a bidiagonal linear system, and is differentiated as one: forward and reverse mode
    each cost one more recurrence (reverse runs it backward), to any order.

    **Arguments:**

    - `decay`: factors, without unit; a stable sequence has magnitudes at most one.
    - `drive`: additions, in the unit of x.
    - `x0`: initial value.
    """

    if decay.shape[0] == 0:
        return jnp.reshape(x0, (1,))

    def residual(x):
        return jnp.concatenate([x[:1], x[1:] - decay * x[:-1]])

    def solve(_, b):
        return _running(decay, b)

    def transpose_solve(_, b):
        # y[n] = b[n], y[k] = decay[k] y[k+1] + b[k]: the same from the other end.
        return _running(decay[::-1], b[::-1])[::-1]

    # One right-hand side: JAX transposes a solve only if all of it, or nothing, depends on what is varied.
    return lax.custom_linear_solve(residual, jnp.concatenate([x0[None], drive]), solve, transpose_solve)


def _running(decay: Float[Array, " steps"], b: Float[Array, " samples"]) -> Float[Array, " samples"]:
    """x[0] = b[0], x[k+1] = decay[k] x[k] + b[k+1]: step by step on a CPU, as a parallel prefix on an accelerator."""
    return by_platform(decay, b, cpu=_stepwise, default=_prefix)


def _stepwise(decay: Float[Array, " steps"], b: Float[Array, " samples"]) -> Float[Array, " samples"]:
    def step(x, ab):
        x = ab[0] * x + ab[1]
        return x, x

    return jnp.concatenate([b[:1], lax.scan(step, b[0], (decay, b[1:]), unroll=_UNROLL)[1]])


def _prefix(decay: Float[Array, " steps"], b: Float[Array, " samples"]) -> Float[Array, " samples"]:
    def after(first, second):
        return first[0] * second[0], first[1] * second[0] + second[1]

    return lax.associative_scan(after, (jnp.concatenate([jnp.zeros_like(b[:1]), decay]), b))[1]


def matrix_recurrence(
    d: Float[Array, "propagators states states"], which: Int[Array, " steps"], p0: Float[Array, " states"]
) -> Float[Array, "steps+1 states"]:
    """The sequence p[0] = p0, p[k+1] = p[k] + p[k] d[which[k]].

    It is the solution of a block-bidiagonal linear system, and is differentiated as one: each mode costs one
    more recurrence (reverse runs it backward) and one product per step, to any order.

    **Arguments:**

    - `d`: propagators minus identity; a few serve many steps.
    - `which`: the propagator of each step.
    - `p0`: initial occupancies.
    """

    # The step from the first state to p0 is one more propagator, so that nothing but propagators carries derivatives.
    states = p0.shape[0]
    first = jnp.zeros_like(p0).at[0].set(1.0)
    opening = jnp.zeros_like(d[0]).at[0].set(p0 - first)
    which = jnp.concatenate([jnp.full((1,), d.shape[0], which.dtype), which])
    d = jnp.concatenate([d, opening[None]])

    # The derivative reads the propagators row by row where a few serve many steps, which stores no matrix per step,
    # and as they are where most are used once, which adds nothing up.
    few = 4 * d.shape[0] < which.shape[0]

    def residual(p):
        if few:
            moved = sum(p[:-1, i, None] * d[:, i][which] for i in range(states))
        else:
            moved = jnp.sum(p[:-1, :, None] * d[which], 1)
        return jnp.concatenate([p[:1], p[1:] - p[:-1] - moved])

    def solve(_, b):
        def step(p, kb):
            k, b_k = kb
            p = p + jnp.sum(p[:, None] * d[k], 0) + b_k
            return p, p

        return jnp.concatenate([b[:1], lax.scan(step, b[0], (which, b[1:]))[1]])

    def transpose_solve(_, b):
        def step(y, kb):
            k, b_k = kb
            y = y + jnp.sum(d[k] * y[None, :], 1) + b_k
            return y, y

        return jnp.concatenate([lax.scan(step, b[-1], (which, b[:-1]), reverse=True)[1], b[-1:]])

    start = jnp.zeros((which.shape[0] + 1, states), p0.dtype).at[0, 0].set(1.0)
    return lax.custom_linear_solve(residual, start, solve, transpose_solve)[1:]
