"""A tall matrix as the small triangle that has the same products of columns."""

import jax.numpy as jnp
from jaxtyping import Array, Float

_ENTRIES = 8192  # of a block: above about 9000, BLAS libraries split each step of the factorization over threads,
# which costs more than the work and stalls when several lanes do so at once


def compress(matrix: Float[Array, "rows columns"]) -> Float[Array, "few columns"]:
    """The triangle R of a QR factorization; at most as many rows as columns.

    Blocks of rows are factored one by one and their triangles stacked, until one block is left.

    **Source** J. Demmel et al., SIAM J. Sci. Comput. 34, A206 (2012).
    """
    rows, columns = matrix.shape
    block = max(2 * columns, _ENTRIES // columns)
    while rows > block:
        count = -(-rows // block)
        padded = jnp.pad(matrix, ((0, count * block - rows), (0, 0)))
        matrix = jnp.linalg.qr(padded.reshape(count, block, columns), mode="r").reshape(-1, columns)
        rows = matrix.shape[0]
    return jnp.linalg.qr(matrix, mode="r")
