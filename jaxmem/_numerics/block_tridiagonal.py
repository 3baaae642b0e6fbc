"""Linear systems in which each node of a line knows its two neighbors: square blocks on three diagonals."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .platform import by_platform

Column = Float[Array, "nodes unknowns"]


class BlockTridiagonal(NamedTuple):
    """The matrix whose row i reads lower[i] x[i-1] + diagonal[i] x[i] + upper[i] x[i+1].

    **Arguments:** three arrays of shape (nodes, unknowns, unknowns); `lower[0]` and `upper[-1]` are not read.
    """

    lower: Float[Array, "nodes unknowns unknowns"]
    diagonal: Float[Array, "nodes unknowns unknowns"]
    upper: Float[Array, "nodes unknowns unknowns"]

    def __matmul__(self, x: Column) -> Column:
        """The product with x, of shape (nodes, unknowns)."""
        y = _apply(self.diagonal, x)
        y = y.at[1:].add(_apply(self.lower[1:], x[:-1]))
        return y.at[:-1].add(_apply(self.upper[:-1], x[1:]))

    @property
    def transposed(self) -> "BlockTridiagonal":
        """The transposed matrix."""
        turned = lambda a: jnp.swapaxes(a, 1, 2)
        shifted = lambda a, by: jnp.roll(turned(a), by, axis=0)
        return BlockTridiagonal(shifted(self.upper, 1), turned(self.diagonal), shifted(self.lower, -1))

    def solve(self, b: Column) -> Column:
        """x of A x = b, of shape (nodes, unknowns), differentiable by A and b to any order in both modes.

        Elimination without a search for pivots, which needs blocks whose leading parts are regular, as those of a
        conservation law are when its unknowns stand before the potential.
        """
        return lax.custom_linear_solve(
            self.__matmul__, b, lambda _, b: eliminate(self, b), lambda _, b: eliminate(self.transposed, b)
        )


def eliminate(a: BlockTridiagonal, b: Column) -> Column:
    """x of A x = b: node after node on a CPU, by cyclic reduction, in log2(nodes) stages, on an accelerator."""
    return by_platform(a, b, cpu=sweep, default=cyclic_reduction)


def sweep(a: BlockTridiagonal, b: Column) -> Column:
    """Block elimination from the first node to the last, and back.

    Measured on one CPU core, blocks of 4, float64: 0.7 us a node alone, 0.15 us in batches of 41; cyclic reduction
    takes 1 us and longer, at ten times the compilation.
    """
    size = b.shape[1]

    def forward(before, rows):
        w, g = before
        lower, diagonal, upper, right = rows
        rest = diagonal - sum(lower[:, k, None] * w[k][None] for k in range(size))
        right = right - sum(lower[:, k] * g[k] for k in range(size))
        table = gauss_jordan(jnp.concatenate([rest, upper, right[:, None]], 1))
        kept = table[:, :size], table[:, size]
        return kept, kept

    def backward(x, kept):
        w, g = kept
        x = g - sum(w[:, k] * x[k] for k in range(size))
        return x, x

    nothing = jnp.zeros_like(a.diagonal[0]), jnp.zeros_like(b[0])
    lower, upper = a.lower.at[0].set(0.0), a.upper.at[-1].set(0.0)
    _, kept = lax.scan(forward, nothing, (lower, a.diagonal, upper, b))
    return lax.scan(backward, nothing[1], kept, reverse=True)[1]


def gauss_jordan(table: Float[Array, "unknowns columns"]) -> Float[Array, "unknowns columns-unknowns"]:
    """D^-1 R of the table D R, without a search for pivots: each column of D leaves the table when it is done.

    The barriers keep the compiler from computing each stage again for every use of it.
    """
    table = lax.optimization_barrier(table)
    for p in range(table.shape[0]):
        row = table[p, 1:] / table[p, 0]
        others = table[:, 1:] - table[:, :1] * row[None]
        table = lax.optimization_barrier(jnp.concatenate([others[:p], row[None], others[p + 1 :]]))
    return table


def cyclic_reduction(a: BlockTridiagonal, b: Column) -> Column:
    """Every second node is eliminated, of what is left again every second, and so on."""
    return _reduced(a.lower.at[0].set(0.0), a.diagonal, a.upper.at[-1].set(0.0), b)


def _reduced(lower, diagonal, upper, b):
    nodes, size = b.shape
    if nodes == 1:
        return jnp.linalg.solve(diagonal, b[..., None])[..., 0]
    odd, even = slice(1, None, 2), slice(0, None, 2)
    table = jnp.concatenate([lower[odd], upper[odd], b[odd][..., None]], 2)
    table = jnp.linalg.solve(diagonal[odd], table)
    kept = nodes - nodes // 2

    def beside(x, first):
        """Of every node kept, what belongs to the node eliminated before it, or after it; zero if there is none."""
        pad = [(1, 0) if first else (0, 1)] + [(0, 0)] * (x.ndim - 1)
        return jnp.pad(x, pad)[:kept]

    down, up, g = table[..., :size], table[..., size:-1], table[..., -1]
    low, high = lower[even], upper[even]
    rest = _reduced(
        -_product(low, beside(down, True)),
        diagonal[even] - _product(low, beside(up, True)) - _product(high, beside(down, False)),
        -_product(high, beside(up, False)),
        b[even] - _apply(low, beside(g, True)) - _apply(high, beside(g, False)),
    )
    after = jnp.concatenate([rest[1:], jnp.zeros_like(rest[:1])])[: nodes // 2]
    between = g - _apply(down, rest[: nodes // 2]) - _apply(up, after)
    return jnp.zeros_like(b).at[even].set(rest).at[odd].set(between)


def _apply(a, x):
    return jnp.sum(a * x[:, None, :], 2)


def _product(a, b):
    return sum(a[:, :, k, None] * b[:, None, k] for k in range(a.shape[2]))
