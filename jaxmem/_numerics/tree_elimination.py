"""Linear systems on trees: every unknown is coupled to its parent alone, and is eliminated in the order of the tree."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int


def of_parent(x: Float[Array, "*shape"], parent: Int[Array, " n"], branches: Int[Array, " branches"]):
    """What the parent of each unknown has; the root its own. All but `branches` follow their parent."""
    return jnp.concatenate([x[:1], x[:-1]]).at[branches].set(x[parent[branches]], unique_indices=True)


def from_children(x: Float[Array, "*shape"], parent: Int[Array, " n"], branches: Int[Array, " branches"]):
    """The sum of what the children of each unknown give; what the root gives is not read."""
    summed = jnp.concatenate([x.at[branches].set(0.0, unique_indices=True)[1:], jnp.zeros_like(x[:1])])
    return summed.at[parent[branches]].add(x[branches])


def solve_tree(
    parent: Int[Array, " n"],
    diagonal: Float[Array, "*shape"],
    upward: Float[Array, "*shape"],
    downward: Float[Array, "*shape"],
    b: Float[Array, "*shape"],
    branches: Int[Array, " branches"] | None = None,
) -> Float[Array, "*shape"]:
    """The solution x of diagonal_i x_i + upward_i x_parent(i) + sum over children k of downward_k x_k = b_i.

    Without pivoting, in 2n dependent steps: the diagonal must dominate, as it does in implicit steps of diffusion. A
    tree without branches is a tridiagonal system, which is eliminated from both ends to the middle in half as many. The
    derivative is one more solution, in either mode and to any order.

    **Arguments:** `parent`: below each unknown's own index; that of the first, the root, is not read; `diagonal`;
    `upward`: entry of row i in the parent's column; `downward`: entry of the parent's row in column i (both are zero or
    not read at the root); `b`: the right-hand side; `branches`: the unknowns that do not follow their parent
    (`Tree.branches`); if it is None any may, and a chain is not known as one. Trailing axes are independent systems on
    the same tree.
    **Source:** Hines 1984, Int J Biomed Comput 15:69; both ends: Dongarra et al. 1979, LINPACK Users' Guide, ch. 7.
    """
    n, shape = diagonal.shape[0], jnp.broadcast_shapes(diagonal.shape, upward.shape, downward.shape, b.shape)
    diagonal, upward, downward, b = (jnp.broadcast_to(x, shape) for x in (diagonal, upward, downward, b))
    if n == 1:
        return b / diagonal
    if branches is None:
        branches = jnp.arange(1, n)
    root = jnp.zeros_like(upward[:1])
    upward, downward = (jnp.concatenate([root, x[1:]]) for x in (upward, downward))

    def product(x):
        taken = upward * of_parent(x, parent, branches)
        return diagonal * x + taken + from_children(downward * x, parent, branches)

    if branches.shape[0] == 0:
        # The pivots are those of the transposed system too. They depend on the entries, but the derivative of a
        # solution takes that from `product` alone.
        pivots = _pivots(*(lax.stop_gradient(x) for x in (diagonal, upward, downward)))
        solve = lambda upward, downward, b: _between_ends(pivots, upward, downward, b)
    else:
        solve = lambda upward, downward, b: _eliminated(parent, diagonal, upward, downward, b)
    return lax.custom_linear_solve(
        product,
        b,
        lambda _, b: solve(upward, downward, b),
        lambda _, b: solve(downward, upward, b),
    )


def _eliminated(parent, diagonal, upward, downward, b):
    n = diagonal.shape[0]

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


def _ends(first, last, fill: float):
    """Rows (k, 2, ...) from the ends of a chain to its middle: of `first` from its beginning, of `last` from its end;
    where their number is odd, one row of `fill` comes before the beginning."""
    n = first.shape[0]
    half = n // 2
    begin = first[:half]
    if n % 2:
        begin = jnp.concatenate([jnp.full_like(first[:1], fill), begin])
    return jnp.stack([begin, last[half:][::-1]], 1)


def _outer(x, y):
    """What links each row to the one nearer to an end (of the root and the last one: zero); x: with the one before,
    y: with the one after, both numbered by the later of the two."""
    return _ends(x, jnp.concatenate([y[1:], jnp.zeros_like(y[:1])]), 0.0)


def _inner(x, y):
    """What links each row to the one nearer to the middle, from the same numbers."""
    return _ends(jnp.concatenate([y[1:], jnp.zeros_like(y[:1])]), x, 0.0)


def _pivots(diagonal, upward, downward):
    """The reciprocals of the pivots of a chain, from its ends to the middle (k, 2, ...), the last two not coupled."""
    both = upward * downward

    def next_one(before, row):
        diagonal, both = row
        pivot = 1.0 / (diagonal - both * before)
        return pivot, pivot

    rows = _ends(diagonal, diagonal, 1.0), _outer(both, both)
    return lax.scan(next_one, jnp.zeros_like(rows[0][0]), rows)[1]


def _between_ends(pivots, upward, downward, b):
    def next_one(before, row):
        y, link = row
        y = y - link * before
        return y, y

    n, inner = b.shape[0], pivots * _inner(upward, downward)
    before = jnp.concatenate([jnp.zeros_like(pivots[:1]), pivots[:-1]])
    y = _ends(b, b, 0.0)
    y = pivots * lax.scan(next_one, jnp.zeros_like(y[0]), (y, before * _outer(upward, downward)))[1]
    middle = (y[-1] - inner[-1] * y[-1, ::-1]) / (1.0 - inner[-1, 0] * inner[-1, 1])[None]
    x = lax.scan(next_one, middle, (y[:-1], inner[:-1]), reverse=True)[1]
    x = jnp.concatenate([x, middle[None]])
    return jnp.concatenate([x[n % 2 :, 0], x[::-1, 1]])


def solve_block_tree(
    parent: Int[Array, " n"],
    diagonal: Float[Array, "n m m"],
    upward: Float[Array, "n m m"],
    downward: Float[Array, "n m m"],
    b: Float[Array, "n m"],
    branches: Int[Array, " branches"] | None = None,
) -> Float[Array, "n m"]:
    """As `solve_tree`, with m unknowns in each place and blocks in place of the entries; m is small.

    **Arguments:** those of `solve_tree`; `branches` are of use for m = 1 alone.
    """
    n, m = b.shape
    if m == 1:
        entries = diagonal[:, 0, 0], upward[:, 0, 0], downward[:, 0, 0]
        return solve_tree(parent, *entries, b[:, 0], branches)[:, None]
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
