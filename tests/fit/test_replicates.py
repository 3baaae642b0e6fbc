"""Fits of simulated data: do error bars hold the truth as often as they say?"""

import jax
import numpy as np
import pytest
from stand_ins import Curve, Numbers, T, decay

from jaxmem.fit import (
    Chunks,
    Ending,
    Free,
    Parameter,
    Threads,
    between,
    free,
    least_squares,
    log_between,
    replicates,
)
from jaxmem.fit.problem import make_problem
from jaxmem.fit.replicates import _simulate
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

TRUTH = Numbers(3.0, 0.8, -1.0)
FREE = free(
    (lambda m: m.a, log_between(0.1, 100.0)),
    (lambda m: m.b, between(0.0, 5.0)),
    (lambda m: m.c, between(-5.0, 5.0)),
)
KEY = jax.random.key(3)


class Points(Curve):
    """The same data as independent points."""

    @property
    def independent(self):
        return True


def experiment(kind=Points, sigma=0.3, **settings):
    return kind(np.zeros(T.size), decay, sigma=sigma, **settings)


def test_intervals_hold_the_truth_as_often_as_they_say():
    found = replicates(experiment(), TRUTH, FREE, key=KEY, count=400, executor=Chunks(400))
    assert np.all(np.abs(found.coverage - 0.95) < 0.04)
    assert np.allclose(found.spread, np.median(found.standard_errors, 0), rtol=0.15)
    assert np.all(np.abs(found.bias) < 0.2 * found.spread)
    assert np.all(found.stated == 1.0) and all(Ending(int(e)).converged for e in found.endings)
    assert np.isclose(np.mean(found.losses**2), 197 / 200, rtol=0.02)
    assert found.truth.tolist() == [3.0, 0.8, -1.0]
    assert "0.95 covered" in str(found) and "nS" in str(found) and "400 replicates (" in str(found)


def test_narrower_intervals_hold_it_less_often():
    found = replicates(experiment(), TRUTH, FREE, key=KEY, count=400, level=0.5, executor=Chunks(400))
    assert np.all(np.abs(found.coverage - 0.5) < 0.1)


def test_a_replicate_is_the_fit_of_its_data_and_depends_on_its_number_alone():
    one, two = experiment(), experiment(Curve, 0.1)
    many = replicates([one, two], TRUTH, FREE, key=KEY, count=5, executor=Chunks(2))
    few = replicates([one, two], TRUTH, FREE, key=KEY, count=3, executor=Chunks(2))
    assert np.array_equal(many.values[:3], few.values)
    data = _simulate(make_problem([one, two], TRUTH, FREE), KEY, 5, 1.0)
    for n in (0, 4):
        pair = [Points(data[0][n], decay, sigma=0.3), Curve(data[1][n], decay, sigma=0.1)]
        alone = least_squares(pair, TRUTH, FREE, key=KEY, starts=1)
        assert np.allclose(many.values[n], alone.values, rtol=1e-6)
        assert np.allclose(many.standard_errors[n], alone.standard_errors, rtol=1e-5)
        assert np.allclose(many.intervals[n], alone.interval(), rtol=1e-5)
    assert np.std(many.values[:, 0]) > 0


@pytest.mark.parametrize("executor", [Threads(2), Chunks(3)])
def test_threads_and_chunks_fit_the_same_data(executor):
    found = replicates(experiment(), TRUTH, FREE, key=KEY, count=4, executor=executor)
    other = replicates(experiment(), TRUTH, FREE, key=KEY, count=4, executor=Chunks(400))
    assert np.allclose(found.values, other.values, rtol=1e-7) and np.ptp(found.values[:, 0]) > 0


def test_a_fit_is_repeated_with_noise_of_the_size_of_its_residuals():
    noise = 0.3 * np.random.default_rng(0).normal(size=T.size)
    data = Points(np.asarray(decay(TRUTH)) + noise, decay, sigma=2.0)
    found = least_squares(data, Numbers(1.0, 1.0, 0.0), FREE, key=KEY, starts=4)
    again = replicates(data, found, key=KEY, count=40, executor=Chunks(400))
    assert np.array_equal(again.truth, found.values)
    assert np.allclose(again.spread, found.standard_errors, rtol=0.4)
    assert np.isclose(np.sqrt(np.mean(again.losses**2)), found.losses.min(), rtol=0.05)


def test_a_parameter_on_its_bound_states_no_interval():
    narrow = free((lambda m: m.a, between(3.0, 100.0)), (lambda m: m.b, between(0.0, 5.0)))
    found = replicates(experiment(), TRUTH, narrow, key=KEY, count=40, executor=Chunks(40))
    assert 0.2 < found.stated[0] < 0.8 and found.stated[1] == 1.0
    assert 0.0 < found.coverage[0] <= 1.0


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"count": 1}, "at least 2"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"noise": 0.0}, "positive multiple of sigma"),
        ({"free": None}, "need its free parameters"),
        ({"free": Free((Parameter("a", "", 0.0, 9.0),), lambda m, v: m)}, "with `read`"),
        ({"free": free((lambda m: m.a, between(5.0, 9.0)))}, "the truth 3 must lie in the bounds"),
        ({"truth": Numbers(np.inf, 0.8, 1.0), "free": free((lambda m: m.b, between(0.0, 9.0)))}, "not finite"),
    ],
)
def test_refusals_say_why(settings, words):
    given = {"truth": TRUTH, "free": FREE, "key": KEY, "executor": Chunks(2)} | settings
    with pytest.raises(InputError, match=words) as caught:
        replicates(experiment(), **given)
    assert "\n" not in str(caught.value)
