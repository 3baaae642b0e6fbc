"""Propagators of Markov chains: the exponential of a generator, without subtraction."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

_REACH = 0.5  # largest exit rate (times dt) that the series takes; larger ones are halved until it does
_MOST = 32  # squarings when their number follows the matrix: exit rates up to 2e9
_SUMMED = 16  # up to this many states a product is a sum, which is faster in a batch than a matrix product


def expm1_generator(
    q: Float[Array, "*stack states states"], *, squarings: int | None = None
) -> Float[Array, "*stack states states"]:
    """P - I for the propagator P = exp(q), of shape (states, states) or a stack of such.

    Rows sum to zero, off-diagonals are >= 0.

    Scaling and squaring of a uniformized series. Each off-diagonal entry is a sum of products of
    non-negative numbers, so nothing cancels: entries keep their relative accuracy for tiny q and for stiff
    q, in float32 as in float64, and P is never negative. The diagonal is minus the sum of its row, so
    probability is conserved to rounding: add `p @ expm1_generator(q)` to p. Differentiable to any order in
    forward and reverse mode.

    **Arguments:**

    - `q`: generator times time step, without unit; only its off-diagonal entries, >= 0, are read.
    - `squarings`: None squares as often as the stiffest matrix of the stack needs, at most 32 times. A number
      is the most it squares: enough for exit rates up to 2^squarings/2.

    All entries are NaN when q is not finite or its largest exit rate is beyond what the squarings reach.

    **Source:** Higham, Functions of Matrices (2008), ch. 10; Grassmann, Eur. J. Oper. Res. 1, 47 (1977).
    """
    # A product runs along the stack, which therefore lies last in memory.
    flat = jnp.moveaxis(q.reshape(-1, *q.shape[-2:]), 0, -1)
    d = (
        _adaptive(flat)
        if squarings is None
        else _squared(flat, _scaling(lax.stop_gradient(flat), squarings), squarings)
    )
    return jnp.moveaxis(d, -1, 0).reshape(q.shape)


@jax.custom_jvp
def _adaptive(q):
    scaling = _scaling(q, _MOST)
    needed = scaling[1].max(initial=0)

    def step(carry):
        k, p = carry
        return k + 1, _square_if((k < scaling[1])[None, None], p)

    _, p = lax.while_loop(lambda carry: carry[0] < needed, step, (jnp.zeros_like(needed), _start(q, *scaling)))
    return _finish(p, scaling[2])


@_adaptive.defjvp
def _(primals, tangents):
    # A loop of unknown length has no reverse mode, so this is the derivative of the longest loop, which skips
    # what is not needed.
    return jax.jvp(lambda q: _squared(q, _scaling(primals[0], _MOST), _MOST), primals, tangents)


def _squared(q, scaling, most):
    needed = scaling[1].max(initial=0)

    def step(p, k):
        return lax.cond(k < needed, lambda p: _square_if((k < scaling[1])[None, None], p), lambda p: p, p), None

    p, _ = lax.scan(step, _start(q, *scaling), jnp.arange(most, dtype=needed.dtype))
    return _finish(p, scaling[2])


def _scaling(q, most):
    """The largest exit rate, how many halvings bring it within `_REACH`, and if `most` are enough."""
    rates = jnp.where(_diagonal(q), 0.0, q)
    largest = rates.sum(axis=1).max(axis=0)
    valid = jnp.isfinite(largest) & jnp.all(jnp.isfinite(rates), axis=(0, 1)) & (largest <= _REACH * 2.0**most)
    largest = jnp.where(valid, largest, 0.0)
    # frexp: largest/_REACH = f 2^m with f < 1
    return largest, jnp.maximum(jnp.frexp(largest / _REACH)[1], 0), valid


def _start(q, largest, doublings, valid):
    """exp(q / 2^doublings) by its series."""
    rates = jnp.where(_diagonal(q) | ~valid[None, None], 0.0, q)
    jumps = rates + _on_diagonal(largest[None] - rates.sum(axis=1))
    return _series(jumps * jnp.ldexp(jnp.ones_like(largest), -doublings)[None, None])


def _series(b):
    """exp(b - c I) for non-negative b of row sums c <= `_REACH`: the Taylor sum of exp(b) over its row sums.

    Degree 16, in float32 degree 8. Truncation is below rounding for states up to 7 jumps apart (4 in
    float32); entries between states farther apart are tiny, and lose accuracy first.
    """
    degree = 16 if jnp.finfo(b.dtype).bits >= 64 else 8
    identity = _on_diagonal(jnp.ones_like(b[0]))

    def horner(total, share):
        return identity + share * _product(b, total), None

    # A loop, not a polynomial written out: it compiles in a tenth of the time.
    total, _ = lax.scan(horner, identity, jnp.asarray([1.0 / k for k in range(degree, 0, -1)], b.dtype))
    return total / total.sum(axis=1, keepdims=True)


def _square_if(wanted, p):
    squared = _product(p, p)
    # To first order, the square over its row sums.
    return jnp.where(wanted, squared * (2.0 - squared.sum(axis=1, keepdims=True)), p)


def _finish(p, valid):
    jumps = jnp.where(_diagonal(p), 0.0, p)
    leaving = jumps.sum(axis=1)
    # A row may sum to one plus a rounding, which must not leave a negative probability of staying.
    leaving = leaving - lax.stop_gradient(jnp.maximum(leaving - 1.0, 0.0))
    return jnp.where(valid[None, None], jumps - _on_diagonal(leaving), jnp.nan)


def _product(a, b):
    if a.shape[0] <= _SUMMED:
        # Written out, each term runs along the stack: three times as fast as a reduction.
        return jnp.asarray(sum(a[:, k, None] * b[None, k] for k in range(a.shape[0])))
    return jnp.einsum("iku,kju->iju", a, b, precision=lax.Precision.HIGHEST)


def _diagonal(q):
    return jnp.eye(q.shape[0], dtype=bool)[:, :, None]


def _on_diagonal(x):
    return jnp.where(_diagonal(x), x[:, None], 0.0)
