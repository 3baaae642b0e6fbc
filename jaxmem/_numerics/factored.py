"""A block-tridiagonal matrix that several systems are solved with: eliminated once."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .block_tridiagonal import BlockTridiagonal, Column, cyclic_reduction, gauss_jordan
from .platform import by_platform


class Factored(NamedTuple):
    """A block-tridiagonal matrix with what its elimination leaves.

    **Arguments:** `inverse` (nodes, unknowns, unknowns): of the pivots D_i; `left`: D_i^-1 lower_i; `right`:
    D_i^-1 upper_i. Where cyclic reduction is faster, on accelerators, they are empty.
    """

    matrix: BlockTridiagonal
    inverse: Float[Array, "nodes unknowns unknowns"]
    left: Float[Array, "nodes unknowns unknowns"]
    right: Float[Array, "nodes unknowns unknowns"]

    def solve(self, b: Column) -> Column:
        """x of A x = b, of shape (nodes, unknowns), differentiable by A and b to any order in both modes."""
        own = lax.stop_gradient(self)
        return lax.custom_linear_solve(
            self.matrix.__matmul__, b, lambda _, b: _substituted(own, b), lambda _, b: _transposed(own, b)
        )


def factored(matrix: BlockTridiagonal) -> Factored:
    """The elimination of a matrix, without a search for pivots, as `BlockTridiagonal.solve` asks for."""
    kept = by_platform(
        lax.stop_gradient(matrix), cpu=_pivots, default=lambda a: tuple(jnp.zeros_like(a.diagonal) for _ in range(3))
    )
    return Factored(matrix, *kept)


def _pivots(a: BlockTridiagonal) -> tuple[Array, Array, Array]:
    size = a.diagonal.shape[1]
    unit = jnp.eye(size, dtype=a.diagonal.dtype)

    def forward(before, rows):
        lower, diagonal, upper = rows
        rest = diagonal - sum(lower[:, k, None] * before[k][None] for k in range(size))
        table = gauss_jordan(jnp.concatenate([rest, unit, lower, upper], 1))
        return table[:, 2 * size :], table

    lower, upper = a.lower.at[0].set(0.0), a.upper.at[-1].set(0.0)
    _, table = lax.scan(forward, jnp.zeros_like(unit), (lower, a.diagonal, upper))
    return table[:, :, :size], table[:, :, size : 2 * size], table[:, :, 2 * size :]


def _substituted(a: Factored, b: Column) -> Column:
    def own(a, b):
        return _backward(a.right, _forward(a.left, _times(a.inverse, b)))

    return by_platform(a, b, cpu=own, default=lambda a, b: cyclic_reduction(a.matrix, b))


def _transposed(a: Factored, b: Column) -> Column:
    def own(a, b):
        turned = lambda block: jnp.swapaxes(block, 1, 2)
        y = _forward(jnp.roll(turned(a.right), 1, 0), b)
        # D_i^T x_i = y_i - lower_(i+1)^T x_(i+1), in w = D^T x so that the blocks at hand will do.
        w = _backward(jnp.roll(turned(a.left), -1, 0), y)
        return _times(turned(a.inverse), w)

    return by_platform(a, b, cpu=own, default=lambda a, b: cyclic_reduction(a.matrix.transposed, b))


def _forward(blocks, b):
    """x_i = b_i - blocks_i x_(i-1)."""

    def step(before, row):
        block, right = row
        x = right - sum(block[:, k] * before[k] for k in range(right.shape[0]))
        return x, x

    return lax.scan(step, jnp.zeros_like(b[0]), (blocks, b))[1]


def _backward(blocks, b):
    """x_i = b_i - blocks_i x_(i+1)."""

    def step(after, row):
        block, right = row
        x = right - sum(block[:, k] * after[k] for k in range(right.shape[0]))
        return x, x

    return lax.scan(step, jnp.zeros_like(b[0]), (blocks, b), reverse=True)[1]


def _times(a, x):
    return jnp.sum(a * x[:, None, :], 2)
