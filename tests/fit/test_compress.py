"""The triangle of a tall matrix."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem.fit.compress import compress

pytestmark = pytest.mark.x64


@pytest.mark.parametrize("shape", [(3, 5), (5, 5), (100, 4), (9001, 10), (30000, 3), (4000, 90)])
def test_products_of_columns_are_kept(shape):
    matrix = np.random.default_rng(0).normal(size=shape)
    triangle = np.asarray(compress(jnp.asarray(matrix)))
    assert triangle.shape == (min(shape), shape[1])
    assert np.allclose(triangle.T @ triangle, matrix.T @ matrix, rtol=1e-12, atol=1e-10)


def test_small_directions_keep_their_digits():
    """Columns that differ by 1e-10: their products have lost the difference, the triangle has not."""
    rng = np.random.default_rng(1)
    one, two = rng.normal(size=(2, 20000))
    triangle = np.asarray(compress(jnp.asarray(np.stack([one, one + 1e-10 * two], 1))))
    aside = np.linalg.norm(two - one * (one @ two) / (one @ one))
    assert np.isclose(abs(triangle[1, 1]), 1e-10 * aside, rtol=1e-4)


def test_a_matrix_that_is_not_finite_is_not_finite_and_spoils_no_other():
    matrices = jnp.asarray(np.random.default_rng(2).normal(size=(3, 2000, 6)))
    spoiled = matrices.at[1, 7, 2].set(jnp.nan)
    clean, mixed = (np.asarray(jax.jit(jax.vmap(compress))(m)) for m in (matrices, spoiled))
    assert np.isnan(mixed[1]).any()
    assert np.array_equal(clean[[0, 2]], mixed[[0, 2]])
