"""Optimizers of optax inside the box."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from stand_ins import Curve, Numbers, decay

from jaxmem.fit import between, free, least_squares, log_between, minimize, value_and_gradient
from jaxmem.fit.gradient import forward_mode
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

MODEL = Numbers(1.0, 1.0, 0.0)
FREE = free(
    (lambda m: m.a, log_between(0.1, 100.0)),
    (lambda m: m.b, between(0.0, 5.0)),
    (lambda m: m.c, between(-5.0, 5.0)),
)
DATA = Curve(np.asarray(decay(Numbers(3.0, 0.8, -1.0))), decay)


def test_experiments_are_fitted_with_error_bars():
    steps = []
    found = minimize([DATA], MODEL, FREE, optimizer=optax.adam(2e-2), steps=600, progress=lambda *w: steps.append(w))
    exact = least_squares([DATA], MODEL, FREE, key=jax.random.key(0), starts=2)
    assert np.allclose(found.values, exact.values, rtol=0.02)
    assert np.isfinite(found.standard_errors).all()
    assert np.array_equal(found.start_values, [1.0, 1.0, 0.0])
    assert found.result.endswith("gradients in forward mode.")
    assert steps[-1][:2] == (600, 600) and steps[-1][2] <= steps[0][2]


def test_any_loss_is_minimized_inside_the_box():
    loss = lambda m: (m.a - 3.0) ** 2 + (m.b - 9.0) ** 2 + m.c**4
    found = minimize(loss, MODEL, FREE, steps=800)
    assert np.allclose(found.values[:2], [3.0, 5.0], rtol=1e-2)
    assert found.bounds_hit[1] == "upper"
    assert np.isclose(found.losses[0], 16.0, atol=1e-2)


def test_a_lane_that_is_not_finite_disturbs_no_other():
    loss = lambda m: jnp.sqrt(m.b) + (m.a - 1.0) ** 2
    wide = free((lambda m: m.b, between(-3.0, 3.0)), (lambda m: m.a, between(0.0, 2.0)))
    found = minimize(loss, MODEL, wide, key=jax.random.key(0), starts=8, steps=200)
    failed = found.lanes.start[:, 0] < 0
    assert 0 < failed.sum() < 8
    assert np.array_equal(np.isnan(found.losses), failed)
    assert np.array_equal(found.lanes.values[failed, 1], found.lanes.values[failed, 1])
    assert np.all(found.losses[~failed] < 1.0)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: minimize([DATA], MODEL, FREE, steps=0), "at least 1"),
        (
            lambda: minimize([DATA], MODEL, free((lambda m: m.a, between(0, np.inf, start=(0, 1))))),
            "finite bounds",
        ),
        (lambda: minimize(lambda m: jnp.log(-m.a), MODEL, FREE, steps=2), "finite loss"),
    ],
)
def test_refusals_say_why(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_the_gradient_is_the_same_in_either_mode():
    """Few parameters take forward mode, in which nothing is transposed; many reverse."""
    for size in (3, 12):
        x = jnp.linspace(0.1, 1.0, size)
        loss = lambda x: jnp.sum(jnp.sin(x) * jnp.cumsum(x**2))
        value, gradient = value_and_gradient(loss, x)
        assert float(value) == pytest.approx(float(loss(x)), rel=1e-15)
        assert np.allclose(gradient, jax.grad(loss)(x), rtol=1e-13)
        assert forward_mode(size) == (size == 3)
