"""Tensor-product cubic splines on even grids."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.interpolate import CubicSpline

from jaxmem._numerics import spline

pytestmark = pytest.mark.x64


def test_one_axis_is_scipys_not_a_knot_spline():
    values = np.random.default_rng(0).normal(size=9)
    table = spline.coefficients(jnp.asarray(values), 1)
    reference = CubicSpline(np.arange(9.0), values)
    for x in (0.0, 0.4, 1.0, 5.5, 7.999, 8.0):
        f = lambda x: spline.evaluate(table, (x,))
        assert_allclose(f(x), reference(x), rtol=1e-12)
        assert_allclose(jax.grad(f)(x), reference(x, 1), rtol=1e-10)


def test_cubics_are_exact_in_every_axis():
    x, y = np.meshgrid(np.arange(6.0), np.arange(5.0), indexing="ij")
    cubic = lambda x, y: (x**3 - 2 * x + 1) * (0.5 * y**3 + y**2 - 3)
    table = spline.coefficients(jnp.asarray(np.stack([cubic(x, y), x], -1)), 2)
    for at in ((0.3, 3.9), (4.99, 0.01), (2.5, 2.0)):
        assert_allclose(
            spline.evaluate(table, tuple(map(jnp.asarray, at))), [cubic(*at), at[0]], rtol=1e-11, atol=1e-11
        )


def test_outside_is_nan_with_no_slope_of_its_own():
    table = spline.coefficients(jnp.arange(6.0), 1)
    f = lambda x: spline.evaluate(table, (x,))
    assert np.isnan(f(-1e-9)) and np.isnan(f(5.0 + 1e-9)) and np.isnan(f(jnp.nan))
    assert_allclose(f(5.0), 5.0, rtol=1e-13)
