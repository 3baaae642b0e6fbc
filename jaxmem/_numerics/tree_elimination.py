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


def solve_block_tree(
    parent: Int[Array, " n"],
    diagonal: Float[Array, "n m m"],
    upward: Float[Array, "n m m"],
    downward: Float[Array, "n m m"],
    b: Float[Array, "n m"],
) -> Float[Array, "n m"]:
    """As `solve_tree`, with m unknowns in each place and blocks in place of the entries; m is small.

    **Arguments:** those of `solve_tree`.
    """
    n, m = b.shape
    if m == 1:
        return solve_tree(parent, diagonal[:, 0, 0], upward[:, 0, 0], downward[:, 0, 0], b[:, 0])[:, None]
    times = lambda a, x: jnp.sum(a * x[..., None, :], -1)
    turned = lambda a: jnp.swapaxes(a, -1, -2)

    def product(x):
        out = times(diagonal, x)
        if n == 1:
            return out
        out = out.at[1:].add(times(upward[1:], x[parent[1:]]))
        return out.at[parent[1:]].add(times(downward[1:], x[1:]))

    def eliminate(diagonal, upward, downward, b):
        def up(k, kept):
            pivot, b = kept
            i = n - 1 - k
            p = parent[i]
            right = jnp.concatenate([upward[i], b[i][:, None]], 1)
            solved = _small_solve(pivot[i], right)
            taken = jnp.sum(downward[i][:, :, None] * solved[None], 1)
            return pivot.at[p].add(-taken[:, :-1]), b.at[p].add(-taken[:, -1])

        def down(i, x):
            right = x[i] - times(upward[i], x[parent[i]])
            return x.at[i].set(_small_solve(pivot[i], right[:, None])[:, 0])

        pivot, b = lax.fori_loop(0, n - 1, up, (diagonal, b))
        root = _small_solve(pivot[0], b[0][:, None])[:, 0]
        return lax.fori_loop(1, n, down, b.at[0].set(root))

    return lax.custom_linear_solve(
        product,
        b,
        lambda _, b: eliminate(diagonal, upward, downward, b),
        lambda _, b: eliminate(turned(diagonal), turned(downward), turned(upward), b),
    )


def _small_solve(a: Float[Array, "m m"], b: Float[Array, "m k"]) -> Float[Array, "m k"]:
    """Gauss elimination written out, without pivoting."""
    m = a.shape[0]
    rows = [jnp.concatenate([a[i], b[i]]) for i in range(m)]
    for i in range(m):
        rows[i] = rows[i] / rows[i][i]
        for j in range(m):
            if j != i:
                rows[j] = rows[j] - rows[j][i] * rows[i]
    return jnp.stack(rows)[:, m:]
