from decimal import Decimal, getcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem._numerics.bernoulli import bernoulli

getcontext().prec = 60


def exact(x: float) -> tuple[Decimal, Decimal, Decimal]:
    """Value, slope and second derivative to at least 30 digits."""
    y = Decimal(float(x))
    if abs(y) < Decimal("1e-7"):  # next terms are below 1e-30 relative
        return (
            1 - y / 2 + y * y / 12 - y**4 / 720,
            -Decimal(1) / 2 + y / 6 - y**3 / 180 + y**5 / 5040,
            Decimal(1) / 6 - y * y / 60 + y**4 / 1008,
        )
    e = y.exp()
    m = e - 1
    return y / m, (m - y * e) / m**2, e * (y * (e + 1) - 2 * m) / m**3


def points(dtype):
    largest = 700.0 if dtype == np.float64 else 80.0
    size = np.concatenate([[0.0], np.geomspace(1e-30, largest, 120), np.linspace(1.9, 2.1, 21)]).astype(dtype)
    return np.concatenate([size, -size])


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.x64)])
@pytest.mark.parametrize(("order", "roundings"), [(0, 3), (1, 3), (2, 8)])
def test_value_and_derivatives_are_right_to_rounding(dtype, order, roundings):
    f = bernoulli
    for _ in range(order):
        f = jax.grad(f)
    x = points(dtype)
    got = np.asarray(jax.vmap(f)(jnp.asarray(x)))
    assert got.dtype == dtype
    tiny, eps = Decimal(float(np.finfo(dtype).tiny)), Decimal(float(np.finfo(dtype).eps))
    checked = 0
    for xi, yi in zip(x, got, strict=True):
        want = exact(xi)[order]
        if abs(want) > tiny:
            checked += 1
            assert abs(Decimal(float(yi)) / want - 1) < roundings * eps, xi
    assert checked > 0.9 * len(x)


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.x64)])
def test_ends_and_the_middle(dtype):
    x = jnp.asarray([0.0, np.finfo(dtype).tiny, 1e4, -1e4, 1e30, -1e30, np.inf], dtype)
    np.testing.assert_array_equal(bernoulli(x), np.asarray([1, 1, 0, 1e4, 0, 1e30, 0], dtype))
    slope = jax.vmap(jax.grad(bernoulli))(x)
    np.testing.assert_array_equal(slope, np.asarray([-0.5, -0.5, 0, -1, 0, -1, 0], dtype))
    assert np.isnan(bernoulli(jnp.asarray(np.nan, dtype)))


@pytest.mark.x64
def test_modes_agree_and_derivatives_go_on():
    for x in (-30.0, -2.5, -1e-9, 0.0, 0.3, 2.5, 30.0):
        forward = jax.jvp(bernoulli, (x,), (1.0,))[1]
        assert forward == jax.grad(bernoulli)(x)
    third = jax.grad(jax.grad(jax.grad(bernoulli)))
    np.testing.assert_allclose(
        third(0.5), (jax.hessian(bernoulli)(0.501) - jax.hessian(bernoulli)(0.499)) / 2e-3, rtol=1e-5
    )
