"""Propagators of Markov chains: the exponential of a generator, without subtraction."""

import math

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

_REACH = 0.5  # largest exit rate (times dt) that the series takes; larger ones are halved until it does
_MOST = 24  # squarings when their number follows the matrix: exit rates up to 8e6
_SUMMED = 16  # up to this many states a product is a sum, which is faster in a batch than a matrix product


def expm1_generator(
    q: Float[Array, "states states"], *, squarings: int | None = None
) -> Float[Array, "states states"]:
    """P - I for the propagator P = exp(q), of shape (states, states): rows sum to zero, off-diagonals >= 0.

    Scaling and squaring of a uniformized series. Each off-diagonal entry is a sum of products of non-negative
    numbers, so nothing cancels: entries keep their relative accuracy for tiny q and for stiff q, in float32 as
    in float64, and P is never negative. The diagonal is minus the sum of its row, so probability is conserved
    to rounding: add `p @ expm1_generator(q)` to p. Differentiable to any order in forward and reverse mode.

    **Arguments:**

    - `q`: generator times time step, without unit; only its off-diagonal entries, >= 0, are read.
    - `squarings`: None squares as often as the matrix needs, at most 24 times, and derivatives pay for
      24; a batch pays for its stiffest member. A number squares just so often, which makes derivatives several
      times cheaper: it is enough for exit rates up to 2^squarings/2.

    All entries are NaN when q is not finite or its largest exit rate is beyond what the squarings reach.

    **Source:** Higham, Functions of Matrices (2008), ch. 10; Grassmann, Eur. J. Oper. Res. 1, 47 (1977).
    """
    return _adaptive(q) if squarings is None else _squared(q, squarings)


@jax.custom_jvp
def _adaptive(q):
    p, doublings, valid = _start(q, None)

    def step(carry):
        k, p = carry
        return k + 1, _square(p)

    _, p = lax.while_loop(lambda carry: carry[0] < doublings, step, (jnp.zeros_like(doublings), p))
    return _finish(p, valid)


@_adaptive.defjvp
def _(primals, tangents):
    # A loop of unknown length has no reverse mode, so this is the derivative of the longest loop.
    return jax.jvp(_bounded, primals, tangents)


def _bounded(q):
    p, doublings, valid = _start(q, None)

    def step(p, k):
        return lax.cond(k < doublings, _square, lambda p: p, p), None

    p, _ = lax.scan(step, p, jnp.arange(_MOST, dtype=doublings.dtype))
    return _finish(p, valid)


def _squared(q, squarings):
    p, _, valid = _start(q, squarings)
    p, _ = lax.scan(lambda p, _: (_square(p), None), p, None, length=squarings)
    return _finish(p, valid)


def _start(q, squarings):
    """exp(q / 2^m) by its series, m, and whether q is within reach."""
    rates = jnp.where(_diagonal(q), 0.0, q)
    exits = rates.sum(axis=1)
    largest = lax.stop_gradient(exits.max())
    valid = jnp.isfinite(largest) & jnp.all(jnp.isfinite(rates))
    most = _MOST if squarings is None else squarings
    valid = valid & (largest <= _REACH * 2.0**most)
    rates, exits = jnp.where(valid, rates, 0.0), jnp.where(valid, exits, 0.0)
    largest = jnp.where(valid, largest, 0.0)
    # frexp: largest/_REACH = f 2^m with f < 1
    doublings = jnp.maximum(jnp.frexp(largest / _REACH)[1], 0)
    scale = 2.0**-squarings if squarings is not None else jnp.ldexp(jnp.ones_like(largest), -doublings)
    jumps = (rates + _on_diagonal(largest - exits)) * scale
    return _series(jumps), doublings, valid


def _series(b):
    """exp(b - c I) for non-negative b of row sums c <= `_REACH`: the Taylor sum of exp(b) over its row sums.

    Degree 16 in six products, in float32 degree 8 in four. Truncation is below rounding for states up to 7
    jumps apart (4 in float32); entries between states farther apart are tiny, and lose accuracy first.
    """
    order, blocks = (4, 4) if jnp.finfo(b.dtype).bits >= 64 else (2, 4)
    powers = [b]
    for _ in range(order - 1):
        powers.append(_product(powers[-1], b))
    taylor = [1.0 / math.factorial(k) for k in range(order * blocks + 1)]
    total = taylor[-1] * powers[-1]
    for block in reversed(range(blocks)):
        total = total + _on_diagonal(jnp.full_like(b[0], taylor[order * block]))
        for power, c in zip(powers, taylor[order * block + 1 : order * (block + 1)], strict=False):
            total = total + c * power
        if block:
            total = _product(total, powers[-1])
    return total / total.sum(axis=1, keepdims=True)


def _square(p):
    p = _product(p, p)
    return p * (2.0 - p.sum(axis=1, keepdims=True))  # to first order, p over its row sums


def _finish(p, valid):
    jumps = jnp.where(_diagonal(p), 0.0, p)
    return jnp.where(valid, jumps - _on_diagonal(jumps.sum(axis=1)), jnp.nan)


def _product(a, b):
    if a.shape[0] <= _SUMMED:
        return (a[:, :, None] * b[None, :, :]).sum(axis=1)
    return jnp.matmul(a, b, precision=lax.Precision.HIGHEST)


def _diagonal(q):
    return jnp.eye(q.shape[0], dtype=bool)


def _on_diagonal(x):
    return jnp.where(_diagonal(x), x[:, None], 0.0)
