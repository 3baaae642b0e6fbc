"""One lane of bounded least squares, against scipy and by its ways of ending."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from jaxmem.fit.trust_region import Ending, TrustRegion, search

pytestmark = pytest.mark.x64
T = np.linspace(0.0, 5.0, 60)


def rosenbrock(x):
    return jnp.stack([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])


def two_exponentials(x):
    data = 2.0 * np.exp(-0.7 * T) + 1.0 * np.exp(-3.0 * T) + 0.01 * np.sin(37.0 * T)
    return x[0] * jnp.exp(-x[1] * T) + x[2] * jnp.exp(-x[3] * T) - data


def boltzmann(x):
    v = np.linspace(-80.0, 40.0, 40)
    data = 3.0 / (1.0 + np.exp(-(v + 20.0) / 8.0)) + 0.02 * np.cos(v)
    return x[0] / (1.0 + jnp.exp(-(v - x[1]) / x[2])) - data


def run(residuals, x, bounds, **settings):
    def triangle(x):
        jacobian = jax.jacfwd(residuals)(x)
        return jnp.linalg.qr(jnp.concatenate([jacobian, residuals(x)[:, None]], 1), mode="r")

    loss = jax.jit(lambda x: 0.5 * jnp.sum(residuals(x) ** 2))
    triangle = jax.jit(triangle)
    bounds = tuple(np.asarray(b, float) for b in bounds)
    lane = search(
        np.asarray(x, float), lambda x: float(loss(x)), lambda x: np.asarray(triangle(x)), bounds,
        TrustRegion(**settings),
    )  # fmt: skip
    return lane


def peer(residuals, x, bounds):
    return scipy.optimize.least_squares(
        lambda x: np.asarray(residuals(jnp.asarray(x))), x,
        jac=lambda x: np.asarray(jax.jacfwd(residuals)(x)),
        bounds=bounds, x_scale="jac", xtol=1e-12, ftol=1e-12, gtol=1e-12,
    )  # fmt: skip


CASES = {
    "rosenbrock": (rosenbrock, [-1.2, 1.0], ([-3, -3], [3, 3])),
    "rosenbrock on a bound": (rosenbrock, [-1.2, 0.4], ([-3, -3], [0.5, 3])),
    "rosenbrock in a corner": (rosenbrock, [0.1, 1.9], ([-3, 1.5], [0.5, 3])),
    "exponentials": (two_exponentials, [1.0, 0.3, 0.5, 6.0], ([0, 0, 0, 0], [10, 10, 10, 10])),
    "exponentials on two bounds": (two_exponentials, [1.0, 0.3, 0.5, 6.0], ([0, 0, 0, 4], [1.8, 10, 10, 10])),
    "boltzmann": (boltzmann, [1.0, 0.0, 20.0], ([0, -100, 1], [10, 50, 50])),
}


@pytest.mark.parametrize("case", CASES)
def test_same_minimum_as_scipy(case):
    residuals, x, bounds = CASES[case]
    lane = run(residuals, x, bounds)
    best = peer(residuals, x, bounds)
    assert lane.ending.converged
    assert lane.loss <= best.cost * (1 + 1e-7) + 1e-20
    assert np.allclose(lane.x, best.x, rtol=1e-4, atol=1e-6)


def test_an_active_bound_is_met_exactly():
    lane = run(*CASES["rosenbrock on a bound"])
    assert lane.x[0] == 0.5
    assert np.isclose(lane.x[1], 0.25)


def test_a_start_on_bounds_is_released():
    lane = run(rosenbrock, [-3.0, 3.0], ([-3, -3], [3, 3]))
    assert np.allclose(lane.x, 1.0)


def test_a_minimum_without_noise_is_found_to_rounding():
    lane = run(rosenbrock, [-1.2, 1.0], ([-3, -3], [3, 3]))
    assert lane.loss < 1e-20


def test_nearly_dependent_columns_keep_their_digits():
    tilt = 1e-6

    def residuals(x):
        return jnp.stack([x[0] + x[1] - 3.0, tilt * (x[0] - x[1] - 1.0), tilt * (x[0] - x[1] - 1.0) ** 2])

    lane = run(residuals, [0.0, 0.0], ([-10, -10], [10, 10]), loss_tolerance=1e-15, gradient_tolerance=1e-15)
    assert np.allclose(lane.x, [2.0, 1.0], atol=1e-6)


def test_trials_that_are_not_finite_are_refused():
    def residuals(x):  # NaN left of zero, where the full step goes
        return jnp.stack([jnp.log(x[0]) - jnp.log(0.01), 0.0 * x[0]])

    lane = run(residuals, [3.0], ([-100.0], [100.0]))
    assert lane.ending.converged
    assert np.isclose(lane.x[0], 0.01)
    assert lane.evaluations > lane.jacobians


def test_a_hopeless_start_has_its_own_code():
    lane = run(lambda x: jnp.stack([jnp.sqrt(x[0]), x[0]]), [-1.0], ([-2.0], [2.0]))
    assert lane.ending is Ending.nonfinite_start
    assert np.isnan(lane.loss)


def test_too_few_evaluations_have_their_own_code():
    lane = run(*CASES["rosenbrock"], max_evaluations=4)
    assert lane.ending is Ending.max_evaluations
    assert lane.evaluations == 4


def test_a_start_at_the_minimum_ends_at_once():
    lane = run(rosenbrock, [1.0, 1.0], ([-3, -3], [3, 3]))
    assert lane.ending is Ending.gradient
    assert lane.evaluations == 1


@pytest.mark.parametrize("ending", Ending)
def test_every_ending_has_a_text(ending):
    assert ending.text.endswith(".")
