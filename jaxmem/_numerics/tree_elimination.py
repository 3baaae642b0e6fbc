"""Linear systems on trees: every unknown is coupled to its parent alone, and is eliminated in the order of the tree."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int


def solve_tree(
    parent: Int[Array, " n"],
    diagonal: Float[Array, "*shape"],
    upward: Float[Array, "*shape"],
    downward: Float[Array, "*shape"],
    b: Float[Array, "*shape"],
) -> Float[Array, "*shape"]:
    """The solution x of diagonal_i x_i + upward_i x_parent(i) + sum over children k of downward_k x_k = b_i.

    Without pivoting, in 2n dependent steps: the diagonal must dominate, as it does in implicit steps of diffusion. A
    tree without branches is a tridiagonal system. The derivative is one more elimination, in either mode and to any
    order.

    **Arguments:** `parent`: below each unknown's own index; that of the first, the root, is not read; `diagonal`;
    `upward`: entry of row i in the parent's column; `downward`: entry of the parent's row in column i (both are zero or
    not read at the root); `b`: the right-hand side. Trailing axes are independent systems on the same tree.
    **Source:** Hines 1984, Int J Biomed Comput 15:69.
    """
    n, shape = diagonal.shape[0], jnp.broadcast_shapes(diagonal.shape, upward.shape, downward.shape, b.shape)
    diagonal, upward, downward, b = (jnp.broadcast_to(x, shape) for x in (diagonal, upward, downward, b))
    if n == 1:
        return b / diagonal
    children = parent[1:]

    def product(x):
        out = diagonal * x
        out = out.at[1:].add(upward[1:] * x[children])
        return out.at[children].add(downward[1:] * x[1:])

    def eliminate(upward, downward, b):
        def up(k, kept):
            pivot, b = kept
            i = n - 1 - k
            p = parent[i]
            share = downward[i] / pivot[i]
            return pivot.at[p].add(-share * upward[i]), b.at[p].add(-share * b[i])

        def down(i, x):
            return x.at[i].set((x[i] - upward[i] * x[parent[i]]) / pivot[i])

        pivot, b = lax.fori_loop(0, n - 1, up, (diagonal, b))
        return lax.fori_loop(1, n, down, b.at[0].divide(pivot[0]))

    return lax.custom_linear_solve(
        product,
        b,
        lambda _, b: eliminate(upward, downward, b),
        lambda _, b: eliminate(downward, upward, b),
    )
