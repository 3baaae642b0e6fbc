"""Error bars, correlation times, and combinations that the data do not determine."""

import numpy as np
import pytest
import scipy.signal

from jaxmem.fit.uncertainty import Linearization, block_sums, correlation_time, intervals, uncertainty

pytestmark = pytest.mark.x64


def ar1(rng, f, shape):
    noise = rng.normal(size=shape)
    noise[..., 0] /= np.sqrt(1 - f**2)
    return scipy.signal.lfilter([1.0], [1.0, -f], noise)


def part(jacobian, residuals, mask=None, traces=1):
    mask = np.ones((traces, len(residuals) // traces), bool) if mask is None else mask
    return Linearization(jacobian, residuals, mask)


def line(n):
    return np.stack([np.ones(n), np.linspace(-1.0, 1.0, n)], 1)


def test_naive_covariance_is_that_of_linear_regression():
    rng = np.random.default_rng(0)
    jacobian = rng.normal(size=(50, 3)) * [1.0, 1e-6, 1e4]
    residuals = rng.normal(size=50)
    scale = np.diag([1.0, 2.0, 3.0])
    found = uncertainty([part(jacobian, residuals, traces=50)], scale, np.ones(3), np.ones(3, bool), "abc")
    exact = residuals @ residuals / 47 * scale @ np.linalg.inv(jacobian.T @ jacobian) @ scale
    assert np.allclose(found.naive, exact, rtol=1e-9)
    assert found.undetermined == ()
    assert np.allclose(np.diag(found.correlation), 1.0)


def test_independent_samples_give_whites_sandwich():
    rng = np.random.default_rng(1)
    jacobian, residuals = line(40), rng.normal(size=40)
    found = uncertainty([part(jacobian, residuals, traces=40)], np.eye(2), np.ones(2), np.ones(2, bool), "ab")
    inverse = np.linalg.inv(jacobian.T @ jacobian)
    exact = inverse @ (jacobian.T * residuals**2) @ jacobian @ inverse * 40 / 38
    assert found.blocks == 40
    assert np.allclose(found.covariance, exact, rtol=1e-9)


@pytest.mark.parametrize("f", [0.0, 0.5, 0.9])
def test_correlation_time_of_autoregressive_noise(f):
    residuals = ar1(np.random.default_rng(2), f, (4, 20000))
    mask = np.random.default_rng(3).random(residuals.shape) < 0.8
    assert np.isclose(correlation_time(residuals, mask), (1 + f) / (1 - f), rtol=0.15)


def test_the_sandwich_covers_where_independent_errors_do_not():
    """A line with noise of correlation 0.9 between neighbors: 95 % intervals over 400 repeats."""
    rng, n, inside = np.random.default_rng(4), 4000, {"sandwich": 0, "naive": 0}
    jacobian = line(n)
    solve = np.linalg.pinv(jacobian)
    for noise in ar1(rng, 0.9, (400, n)):
        estimate = solve @ noise
        residuals = jacobian @ estimate - noise
        found = uncertainty([part(jacobian, residuals)], np.eye(2), np.ones(2), np.ones(2, bool), "ab")
        inside["sandwich"] += int(abs(estimate[1]) < 1.96 * np.sqrt(found.covariance[1, 1]))
        inside["naive"] += int(abs(estimate[1]) < 1.96 * np.sqrt(found.naive[1, 1]))
    assert 0.90 <= inside["sandwich"] / 400 <= 0.98
    assert inside["naive"] / 400 < 0.5


def test_blocks_do_not_straddle_traces_and_skip_unused_samples():
    mask = np.ones((2, 10), bool)
    mask[1, :5] = False
    residuals = np.where(mask, np.arange(20.0).reshape(2, 10), 0.0).reshape(-1)
    sums = block_sums(np.ones((20, 1)), Linearization(np.ones((20, 1)), residuals, mask), 4)
    assert sums[:, 0].tolist() == [0 + 1 + 2 + 3, 4 + 5 + 6 + 7, 8 + 9, 15 + 16 + 17, 18 + 19]


def test_a_product_of_two_parameters_is_named():
    rng = np.random.default_rng(5)
    t = np.linspace(0.0, 1.0, 80)
    values = np.array([2.0, 7.0, 1.0])  # a b exp(-c t)
    shape = np.exp(-t)
    jacobian = np.stack([7.0 * shape, 2.0 * shape, -14.0 * t * shape], 1)
    residuals = rng.normal(size=80)
    found = uncertainty([part(jacobian, residuals)], np.eye(3), values, np.ones(3, bool), ("g", "n", "c"))
    (combination,) = found.undetermined
    assert combination.names == ("g", "n")
    assert "only their product g x n" in str(combination)
    errors = np.sqrt(np.diag(found.covariance))
    assert np.isinf(errors[:2]).all() and np.isfinite(errors[2])
    without = uncertainty([part(jacobian[:, 1:], residuals)], np.eye(2), values[1:], np.ones(2, bool), ("n", "c"))
    assert without.undetermined == ()
    assert np.isclose(found.naive[2, 2], without.naive[1, 1])


def test_a_ratio_and_a_parameter_without_effect_are_named():
    t = np.linspace(0.1, 1.0, 30)
    jacobian = np.stack([t / 4.0, -3.0 * t / 16.0, 0.0 * t], 1)  # (a/b) t at a = 3, b = 4
    found = uncertainty([part(jacobian, np.sin(9 * t))], np.eye(3), np.array([3.0, 4.0, 1.0]), np.ones(3, bool), "abz")
    texts = sorted(str(c) for c in found.undetermined)
    assert any("ratio a / b" in text for text in texts) and any("z (has no effect" in text for text in texts)
    assert np.isinf(np.diag(found.covariance)).all()


def test_a_parameter_on_its_bound_has_no_error_bar():
    rng = np.random.default_rng(6)
    free = np.array([True, False])
    found = uncertainty([part(line(60), rng.normal(size=60))], np.eye(2), np.ones(2), free, "ab")
    assert np.isfinite(found.covariance[0, 0]) and np.isnan(found.covariance[1, 1])
    nothing = uncertainty([part(line(60), rng.normal(size=60))], np.eye(2), np.ones(2), ~np.ones(2, bool), "ab")
    assert np.isnan(nothing.covariance).all()


def test_fewer_samples_than_parameters_have_infinite_errors():
    found = uncertainty([part(line(2), np.ones(2))], np.eye(2), np.ones(2), np.ones(2, bool), "ab")
    assert np.isinf(np.diag(found.covariance)).all()


def test_what_is_less_certain_than_its_bounds_is_named_with_its_finite_error():
    rng = np.random.default_rng(7)
    jacobian = line(200) * [1.0, 1e-3]
    residuals = rng.normal(size=200)
    words = ([part(jacobian, residuals, traces=200)], np.eye(2), np.ones(2), np.ones(2, bool), "ab")
    (combination,) = uncertainty(*words, np.array([10.0, 10.0])).undetermined
    found = uncertainty(*words, np.array([10.0, 1e4]))
    assert found.undetermined == ()
    assert combination.names == ("b",)
    assert np.isclose(combination.spread, np.sqrt(found.covariance[1, 1]) / 10.0, rtol=1e-2)
    assert "times the width of the bounds" in str(combination)


def test_independent_points_have_the_covariance_of_regression():
    rng = np.random.default_rng(8)
    points = Linearization(line(12), rng.normal(size=12), np.ones((12, 1), bool), independent=True)
    words = (np.eye(2), np.ones(2), np.ones(2, bool), "ab")
    found = uncertainty([points], *words)
    assert np.array_equal(found.covariance, found.naive)
    assert (found.blocks, found.degrees_of_freedom) == (0, 10)
    beside = uncertainty([points, part(line(400), rng.normal(size=400))], *words)
    alone = uncertainty([part(line(400), rng.normal(size=400))], *words)
    assert beside.blocks > 12 and beside.degrees_of_freedom == beside.blocks - 2
    assert alone.degrees_of_freedom == alone.blocks - 2


def test_data_that_are_left_out_are_no_degrees_of_freedom_nor_are_parameters_on_a_bound():
    mask = np.ones((12, 1), bool)
    mask[3] = False
    points = Linearization(np.where(mask, line(12), 0.0), np.where(mask[:, 0], 1.0, 0.0), mask, True)
    assert uncertainty([points], np.eye(2), np.ones(2), np.ones(2, bool), "ab").degrees_of_freedom == 9
    assert uncertainty([points], np.eye(2), np.ones(2), np.array([True, False]), "ab").degrees_of_freedom == 10


def test_intervals_of_few_points_keep_their_promise():
    """A line through five points: Student's intervals hold the truth in 95 % of 4000 repeats, Gaussian ones do not."""
    rng, jacobian = np.random.default_rng(9), line(5)
    solve, inverse = np.linalg.pinv(jacobian), np.linalg.inv(jacobian.T @ jacobian)
    noise = rng.normal(size=(4000, 5))
    values = noise @ solve.T
    squares = np.sum((noise - values @ jacobian.T) ** 2, 1)
    errors = np.sqrt(squares[:, None] / 3 * np.diag(inverse))
    inside = {}
    for freedom in (3.0, 1e9):
        ends = intervals(values, errors, freedom, np.zeros(2, bool), 0.95)
        inside[freedom] = np.mean((ends[..., 0] < 0) & (ends[..., 1] > 0), 0)
    assert np.allclose(inside[3.0], 0.95, atol=0.015)
    assert np.all(inside[1e9] < 0.90)


def test_intervals_are_symmetric_in_the_search_scale_and_say_what_is_not_known():
    values, errors = np.array([4.0, 4.0, 4.0, 4.0]), np.array([1.0, 1.0, np.nan, np.inf])
    log = np.array([False, True, True, True])
    low, high = intervals(values, errors, 1e9, log, 0.6826894921370859).T
    assert np.allclose(low[:2], [3.0, 4.0 * np.exp(-0.25)], rtol=1e-6)
    assert np.allclose(high[:2], [5.0, 4.0 * np.exp(0.25)], rtol=1e-6)
    assert np.isnan([low[2], high[2]]).all() and (low[3], high[3]) == (0.0, np.inf)
    wide = intervals(values[:1], errors[:1], 0.0, log[:1], 0.95)
    assert wide.tolist() == [[-np.inf, np.inf]]
