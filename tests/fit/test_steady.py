"""Fits of steady measurements: predictions, weights, error bars of independent points."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from stand_ins import Curve, T

from jaxmem import fit, permeation
from jaxmem.channel import Channel, SteadyState
from jaxmem.electrochemistry import Bath, Cl, K, Na
from jaxmem.fit import Steady, between, free, log_between
from jaxmem.fit.problem import loss_of_one, make_problem
from jaxmem.fit.store import fingerprint
from jaxmem.gating import AlwaysOpen, Gate, HodgkinHuxley
from jaxmem.permeation import GHK, Ohmic
from jaxmem.rates import Exponential
from jaxmem.recordings import Measurement, reversal
from jaxmem.results import InputError

pytestmark = pytest.mark.x64
V, OUT = np.tile(np.linspace(-100.0, 60.0, 9), 2), np.repeat([4.0, 100.0], 9)
TRUE = np.array([3e-3, 4e-4])
LINEAR = free((lambda m: m.permeability[0], between(0.0, 1.0)), (lambda m: m.permeability[1], between(0.0, 1.0)))
LOG = free((lambda m: m.permeability[0], log_between(1e-5, 1.0)), (lambda m: m.permeability[1], log_between(1e-5, 1.0)))


def bath():
    return Bath({K: 140.0, Na: 12.0}, {K: OUT, Na: 120.0}, 293.15)


def measurement(value=None, **settings):
    return Measurement(V, bath(), np.arange(V.size) if value is None else value, **{"name": "curves", **settings})


def ghk(p=TRUE):
    return GHK(np.array(p), (K, Na))


def noisy(seed=0, size=0.05, **settings):
    clean = np.asarray(Steady(measurement(), sigma=1.0).predict(ghk()))[:, 0]
    error = size * np.abs(clean)
    return measurement(clean + error * np.random.default_rng(seed).normal(size=clean.size), error=error, **settings)


def channel():
    gate = Gate(Exponential(0.1, 0.05), Exponential(0.2, -0.04))
    return Channel(HodgkinHuxley((gate,), (1,)), Ohmic(2.0, species=K))


READINGS = {
    "current": permeation.current,
    "slope": permeation.conductance,
    "chord": functools.partial(permeation.chord_conductance, reversal=-10.0),
    "reversal": reversal,
}


@pytest.mark.parametrize("name", READINGS)
def test_predictions_are_the_reading_of_every_point(name):
    """A membrane of a gated and an open channel, point by point."""
    model, reading = (channel(), Channel(AlwaysOpen(), ghk())), READINGS[name]
    found = np.asarray(Steady(measurement(reading=reading, unit="nS"), sigma=1.0).predict(model))
    law, few = SteadyState(model), [0, 12]
    at = jax.jit(lambda v, out: reading(law, v, Bath({K: 140.0, Na: 12.0}, {K: out, Na: 120.0}, 293.15)))
    one = [float(at(V[k], OUT[k])) for k in few]
    assert found.shape == (V.size, 1)
    assert np.allclose(found[few, 0], one, rtol=1e-12)


def test_predictions_are_relative_to_one_point_which_is_left_out():
    plain, relative = (Steady(measurement(unit="1", normalized=n), sigma=1.0) for n in (None, 3))
    found, clean = (np.asarray(e.predict(ghk()))[:, 0] for e in (relative, plain))
    assert np.allclose(found, clean / clean[3])
    assert (plain.count, relative.count) == (V.size, V.size - 1) and not relative.mask[3, 0]


def test_sigma_is_the_errors_or_the_range_or_what_is_given():
    assert np.allclose(Steady(measurement(error=0.5)).sigma, 0.5)
    assert np.allclose(Steady(measurement()).sigma, 17.0)
    assert np.allclose(Steady(measurement(error=0.5), sigma=OUT).sigma[:, 0], OUT)
    experiment = Steady(measurement(), sigma=OUT)
    left = np.asarray(experiment.residuals(ghk()))
    assert np.allclose(left, (np.asarray(experiment.predict(ghk()))[:, 0] - np.arange(V.size)) / OUT)
    assert (experiment.range, experiment.independent, experiment.dense) == (17.0, True, True)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Steady(np.ones(3)), "must be a Measurement"),
        (lambda: Steady(measurement(), sigma=0.0), "give positive numbers"),
        (lambda: Steady(measurement(), sigma=np.ones(3)), "one for each of 18 points"),
        (lambda: Steady(measurement(np.ones(V.size))), "give sigma"),
        (lambda: Steady(Measurement([0.0], bath=300.0, value=[1.0], normalized=0), sigma=1.0), "add points"),
    ],
)
def test_refusals_say_why(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_a_fit_has_the_error_bars_of_regression():
    data = Steady(noisy())
    found = fit.least_squares(data, ghk([1.0, 1.0]), LOG, key=jax.random.key(0), starts=3)
    truth, count = TRUE, V.size
    assert np.all(np.abs(found.values - truth) < 4.0 * found.standard_errors)
    assert np.all(found.standard_errors < 0.1 * truth)
    jacobian = np.stack([np.asarray(data.predict(ghk(row)))[:, 0] for row in np.eye(2)], 1) / data.sigma  # it is linear
    left = np.asarray(data.residuals(found.model))
    exact = left @ left / (count - 2) * np.linalg.inv(jacobian.T @ jacobian)
    assert np.allclose(found.covariance, exact, rtol=1e-6)
    assert np.array_equal(found.standard_errors, found.naive_errors)
    assert (found.blocks, found.degrees_of_freedom) == (0, count - 2)
    assert f"standard errors from independent points, {count - 2} more than parameters" in str(found)
    assert [p.unit for p in found.free.parameters] == ["pL/ms", "pL/ms"]

    t = scipy.stats.t.ppf(0.95, count - 2)
    ends = found.interval(0.9)
    factor = np.exp(t * found.standard_errors / found.values)
    assert np.allclose(ends, np.stack([found.values / factor, found.values * factor], 1))
    assert np.all(found.interval()[:, 1] > ends[:, 1])
    with pytest.raises(InputError, match="between 0 and 1"):
        found.interval(95)
    score = fit.held_out(found, Steady(noisy(1)))
    assert score.prediction.shape == (count, 1) and 0.0 < score.rmse_over_range < 0.05


def test_other_data_and_an_equal_reading_do_not_compile_again():
    def loss(seed):
        chord = functools.partial(permeation.chord_conductance, reversal=-10.0)
        problem = make_problem(Steady(noisy(seed, reading=chord)), ghk(), LINEAR)
        return float(loss_of_one(problem, jnp.asarray(TRUE)))

    first = loss(1)
    before = loss_of_one._cached._cache_size()
    assert loss(2) != first
    assert loss_of_one._cached._cache_size() == before


def test_progress_on_disk_does_not_depend_on_where_functions_are_in_memory():
    def place(law, v, bath):
        return permeation.current(law, v, bath)

    def other(law, v, bath):
        return permeation.current(law, v, bath)

    other.__qualname__ = place.__qualname__
    problems = [make_problem(Steady(noisy(reading=f)), ghk(), LINEAR) for f in (place, other)]
    assert fingerprint(problems[0], 1, TRUE) == fingerprint(problems[1], 1, TRUE)


def test_beside_recordings_each_point_is_a_block():
    """The same parameter in a decay and in points of a current."""
    model = (Ohmic(1.0, reversal=0.0), Ohmic(1.0, reversal=0.0))
    rng = np.random.default_rng(0)
    trace = Curve(5.0 * np.exp(-0.3 * T) + 0.1 * rng.normal(size=T.size), _decays)
    v = np.array([-80.0, -40.0, 40.0, 80.0])
    points = Steady(Measurement(v, Bath({Cl: 1.0}, {Cl: 1.0}, 300.0), 8.0 * v + rng.normal(size=4)), sigma=10.0)
    entries = free((lambda m: m[0].g, between(0.0, 20.0)), (lambda m: m[1].g, between(0.0, 20.0)))
    found = fit.least_squares([trace, points], model, entries, key=jax.random.key(0), starts=2)
    alone = fit.least_squares(
        [trace], model, free((lambda m: m[0].g, between(0.0, 20.0))), key=jax.random.key(0), starts=2
    )
    assert np.isclose(found.values.sum(), 8.0, atol=0.1)
    assert found.blocks == alone.blocks + 4
    assert found.degrees_of_freedom == found.blocks - 2
    assert f"from {found.blocks} blocks" in str(found)


def _decays(m):
    return m[0].g * jnp.exp(-0.3 * T)


def test_a_saved_fit_keeps_its_intervals(tmp_path):
    found = fit.least_squares(Steady(noisy()), ghk(), LOG, key=jax.random.key(0), starts=1)
    found.save(tmp_path / "fit.npz")
    again = fit.load(tmp_path / "fit.npz", ghk(), LOG)
    assert np.array_equal(again.interval(), found.interval())
