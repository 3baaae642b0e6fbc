"""Stationary distribution of a Markov chain by elimination without subtraction."""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

_UNROLLED = 8  # up to this many states the elimination is written out; above it, it is a loop


def stationary_distribution(q: Float[Array, "states states"]) -> Float[Array, " states"]:
    """The distribution p with p q = 0 and sum p = 1, of shape (states,).

    Grassmann-Taksar-Heyman elimination: states are removed one by one from the last, each leaving the chain
    watched only on those before it. Nothing is subtracted, so every entry has a relative error of a few
    roundings whatever the spread of the rates. The derivative is the same elimination run on the tangents
    (its transpose in reverse mode), which keeps that property: d ln p / d ln rate is right to a few
    roundings. Differentiable to any order.

    All entries are NaN, with zero derivatives, when q is not finite or when some state cannot reach the first
    one (no exits, or a closed class without it). A state that the first cannot reach has probability zero.

    **Arguments:** `q`: generator [1/ms]; only its off-diagonal entries, >= 0, are read.

    **Source:** Grassmann, Taksar, Heyman, Oper. Res. 33, 1107 (1985); O'Cinneide, Numer. Math. 65, 109
    (1993).
    """
    finite = jnp.all(jnp.isfinite(q))
    q = jnp.where(finite, q, 1.0)
    if q.shape[0] <= _UNROLLED:
        p, proper = _written_out(q)
        return jnp.where(finite & proper, p, jnp.nan)
    return jnp.where(finite, _looped(q), jnp.nan)


def _written_out(q: Float[Array, "states states"]) -> tuple[Float[Array, " states"], Bool[Array, ""]]:
    states = q.shape[0]
    entries, proper = [], jnp.array(True)
    for k in range(states - 1, 0, -1):
        row = q[k, :k]
        exits, proper = _positive(row.sum(), proper)
        column = q[:k, k] / exits
        q = q[:k, :k] + column[:, None] * row[None, :]
        entries.append(column)
    p = jnp.ones_like(q[0, :1])
    for column in reversed(entries):
        new = (p * column).sum(keepdims=True)
        p = _rescale(jnp.concatenate([p, new]), new[0])
    return p / p.sum(), proper


def _positive(exits: Float[Array, ""], proper: Bool[Array, ""]) -> tuple[Float[Array, ""], Bool[Array, ""]]:
    """`exits`, or one if it is zero, which makes the chain improper."""
    return jnp.where(exits > 0, exits, 1.0), proper & (exits > 0)


def _rescale(p: Float[Array, " states"], new: Float[Array, ""]) -> Float[Array, " states"]:
    """`p` over its largest entry so far; the scale cancels in the end, so it has no derivative."""
    return p / lax.stop_gradient(jnp.maximum(new, 1.0))


@jax.custom_jvp
def _looped(q: Float[Array, "states states"]) -> Float[Array, " states"]:
    _, columns, _, proper = _eliminate(q)
    return jnp.where(proper, _substitute(columns), jnp.nan)


@_looped.defjvp
def _(primals, tangents):
    (q,), (dq,) = primals, tangents
    rows, columns, exits, proper = _eliminate(q)
    p, dp = jax.jvp(_substitute, (columns,), (_eliminate_tangent(rows, columns, exits, dq),))
    return jnp.where(proper, p, jnp.nan), jnp.where(proper, dp, 0.0)


def _eliminate(q):
    """For k = 1 to states - 1, of the chain watched on 0..k: q[k, :k], q[:k, k]/exits, and the exits of k."""
    index = jnp.arange(q.shape[0])

    def remove(carry, k):
        q, proper = carry
        row = jnp.where(index < k, q[k], 0.0)
        exits, proper = _positive(row.sum(), proper)
        column = jnp.where(index < k, q[:, k], 0.0) / exits
        return (q + column[:, None] * row[None, :], proper), (row, column, exits)

    (_, proper), (rows, columns, exits) = lax.scan(remove, (q, jnp.array(True)), index[1:], reverse=True)
    return rows, columns, exits, proper


def _eliminate_tangent(rows, columns, exits, dq):
    """Tangent of the columns: linear in `dq` with the factors as constants, so the transpose is lean."""
    index = jnp.arange(dq.shape[0])

    def remove(dq, factors):
        k, row, column, exits = factors
        d_row = jnp.where(index < k, dq[k], 0.0)
        d_column = (jnp.where(index < k, dq[:, k], 0.0) - column * d_row.sum()) / exits
        return dq + d_column[:, None] * row[None, :] + column[:, None] * d_row[None, :], d_column

    return lax.scan(remove, dq, (index[1:], rows, columns, exits), reverse=True)[1]


def _substitute(columns):
    states = columns.shape[1]
    index = jnp.arange(states)

    def add(p, xs):
        k, column = xs
        new = (p * column).sum()
        return _rescale(jnp.where(index == k, new, p), new), None

    first = jnp.where(index == 0, jnp.ones_like(columns[0]), 0.0)
    p, _ = lax.scan(add, first, (index[1:], columns))
    return p / p.sum()
