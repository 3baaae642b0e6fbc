"""Stationary distribution of a Markov chain by elimination without subtraction."""

import itertools

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

_UNROLLED = 8  # up to this many states the elimination is written out; above it, it is a loop
_STAGES = (16, 64)  # above so many states the loop has one stage more; each compiles on its own


@jax.jit  # so that a call outside compiled code compiles its loops once for each number of states
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
    factors, proper = _eliminate(q)
    return jnp.where(proper, _substitute([columns for _, columns, _ in factors]), jnp.nan)


@_looped.defjvp
def _(primals, tangents):
    (q,), (dq,) = primals, tangents
    factors, proper = _eliminate(q)
    columns = [columns for _, columns, _ in factors]
    p, dp = jax.jvp(_substitute, (columns,), (_eliminate_tangent(factors, dq),))
    return jnp.where(proper, p, jnp.nan), jnp.where(proper, dp, 0.0)


def _stages(states: int) -> list[tuple[int, int]]:
    """(states left at its start, states left at its end) of every stage, the last to one state.

    A loop needs arrays of one shape. Cutting off what is done after every stage halves the work of a single loop.
    """
    count = 1 + sum(states > limit for limit in _STAGES)
    ends = [round(states * part / count) for part in range(count, 0, -1)] + [1]
    return list(itertools.pairwise(ends))


def _eliminate(q):
    """For each stage and its k, from low to high: of the chain watched on 0..k, q[k, :k], q[:k, k]/exits, the exits."""
    factors, proper = [], jnp.array(True)
    for high, low in _stages(q.shape[0]):
        index = jnp.arange(high)

        def remove(carry, k, index=index):
            q, proper = carry
            row = jnp.where(index < k, q[k], 0.0)
            exits, proper = _positive(row.sum(), proper)
            column = jnp.where(index < k, q[:, k], 0.0) / exits
            return (q + column[:, None] * row[None, :], proper), (row, column, exits)

        (q, proper), found = lax.scan(remove, (q[:high, :high], proper), index[low:], reverse=True)
        factors.append(found)
    return factors, proper


def _eliminate_tangent(factors, dq):
    """Tangent of the columns: linear in `dq` with the factors as constants, so the transpose is lean."""
    tangents = []
    for (high, low), found in zip(_stages(dq.shape[0]), factors, strict=True):
        index = jnp.arange(high)

        def remove(dq, factor, index=index):
            k, row, column, exits = factor
            d_row = jnp.where(index < k, dq[k], 0.0)
            d_column = (jnp.where(index < k, dq[:, k], 0.0) - column * d_row.sum()) / exits
            return dq + d_column[:, None] * row[None, :] + column[:, None] * d_row[None, :], d_column

        dq, d_columns = lax.scan(remove, dq[:high, :high], (index[low:], *found), reverse=True)
        tangents.append(d_columns)
    return tangents


def _substitute(columns):
    states = columns[0].shape[1]
    index = jnp.arange(states)

    def add(p, xs):
        k, column = xs
        new = (p * column).sum()
        return _rescale(jnp.where(index == k, new, p), new), None

    padded = jnp.concatenate([jnp.pad(c, ((0, 0), (0, states - c.shape[1]))) for c in reversed(columns)])
    first = jnp.where(index == 0, jnp.ones_like(padded[0]), 0.0)
    p, _ = lax.scan(add, first, (index[1:], padded))
    return p / p.sum()
