"""A tall matrix as the small triangle that has the same products of columns."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

_ENTRIES = 8192  # of a block: above about 9000, BLAS libraries split each step of the factorization over threads,
# which costs more than the work and stalls when several lanes do so at once


def compress(matrix: Float[Array, "rows columns"]) -> Float[Array, "few columns"]:
    """The triangle R of a QR factorization; at most as many rows as columns.

    Block by block: the triangle of the rows so far and the next block is the next triangle. The blocks are
    not factored as a batch, which can hang when two threads do it on the same CPU.

    **Source** J. Demmel et al., SIAM J. Sci. Comput. 34, A206 (2012).
    """
    rows, columns = matrix.shape
    block = max(2 * columns, _ENTRIES // columns)
    count = -(-rows // block)
    if count <= 1:
        return jnp.linalg.qr(matrix, mode="r")
    blocks = jnp.pad(matrix, ((0, count * block - rows), (0, 0))).reshape(count, block, columns)

    def add(triangle: Array, rows: Array) -> tuple[Array, None]:
        return jnp.linalg.qr(jnp.concatenate([triangle, rows]), mode="r"), None

    return jax.lax.scan(add, jnp.linalg.qr(blocks[0], mode="r"), blocks[1:])[0]
