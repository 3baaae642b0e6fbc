"""Linear systems along a line whose two ends are one place."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .block_tridiagonal import BlockTridiagonal, Column
from .factored import Factored, factored


class Ring(NamedTuple):
    """The matrix of a line in which the first unknowns of both end nodes are held, but for their rows.

    In place of these, the rows of the first node are any functions of all unknowns, and those of the last say that the
    unknowns there are those of the first node. The held values are sought for which that is so.

    **Arguments:** `line`: the matrix of the line; `closure` (joined, nodes, unknowns): the rows of the first node;
    `answer` (joined, nodes, unknowns): what the line answers to a unit at both ends; `across` (joined, joined): the
    closure of that.
    """

    line: Factored
    closure: Float[Array, "joined nodes unknowns"]
    answer: Float[Array, "joined nodes unknowns"]
    across: Float[Array, "joined joined"]

    def solve(self, b: Column) -> Column:
        """x of A x = b, of shape (nodes, unknowns), differentiable by A and b to any order in both modes."""
        joined = self.closure.shape[0]
        x = self.line.solve(b.at[0, :joined].set(0.0))
        lacking = b[0, :joined] - jnp.tensordot(self.closure, x, 2)
        return x + jnp.tensordot(jnp.linalg.solve(self.across, lacking), self.answer, 1)


def ring(line: BlockTridiagonal, closure: Float[Array, "joined nodes unknowns"]) -> Ring:
    """The matrix of a ring. **Arguments:** see `Ring`."""
    eliminated = factored(line)
    joined = closure.shape[0]
    unit = jnp.zeros_like(closure)
    each = jnp.arange(joined)
    unit = unit.at[each, 0, each].set(1.0).at[each, -1, each].set(1.0)
    answer = jax.vmap(eliminated.solve)(unit)
    return Ring(eliminated, closure, answer, jnp.tensordot(closure, jnp.moveaxis(answer, 0, -1), 2))
