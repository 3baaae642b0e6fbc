"""Voltage clamps as data for a fit."""

import dataclasses

import jax
import numpy as np
import pytest

from jaxmem.channel import Channel
from jaxmem.fit import VoltageClamp, between, free, held_out, least_squares, log_between, noise_level
from jaxmem.gating import AlwaysOpen
from jaxmem.library import hodgkin_huxley_1952
from jaxmem.permeation import Ohmic
from jaxmem.recordings import Recording
from jaxmem.results import InputError

pytestmark = pytest.mark.x64
T = np.arange(0.0, 20.0, 0.1)
COMMAND = np.stack([np.where(T < 2.0, -75.0, v) for v in (-40.0, 0.0, 30.0)])
BATH = 279.45
FREE = free(
    (lambda m: m.permeation.g, log_between(1.0, 1000.0)),
    (lambda m: m.gating.gates[0].closing.rate.a, log_between(1e-3, 10.0)),
)


def recording(noise=0.0, **changes):
    clean = VoltageClamp(Recording(T, np.ones_like(COMMAND), COMMAND), BATH, sigma=1.0).predict(
        hodgkin_huxley_1952.potassium()
    )
    rng = np.random.default_rng(0)
    return dataclasses.replace(
        Recording(T, np.asarray(clean) + noise * rng.normal(size=clean.shape), COMMAND, name="steps"),
        **changes,
    )


def test_residuals_are_zero_at_the_truth_and_where_masked():
    data = VoltageClamp(recording().blank(1.0), BATH)
    model = hodgkin_huxley_1952.potassium()
    assert np.allclose(data.residuals(model), 0.0, atol=1e-12)
    other = FREE.place(model, 1.1 * np.array([float(x) for x in FREE.read(model)]))
    residuals = np.asarray(data.residuals(other)).reshape(data.mask.shape)
    assert np.all(residuals[~data.recording.mask] == 0.0)
    assert np.abs(residuals).max() > 0.01


def test_prepared_predictions_are_those_of_the_voltage_clamp():
    data, model = VoltageClamp(recording(), BATH), hodgkin_huxley_1952.potassium()
    assert np.allclose(data.prepare(model).predict(model), data.predict(model), rtol=1e-12)


def test_sigma_is_the_range_unless_given():
    r = recording()
    assert np.isclose(float(VoltageClamp(r, BATH).sigma), r.range)
    one, two = VoltageClamp(r, BATH, sigma=2.0), VoltageClamp(r, BATH, sigma=np.full((3, 1), 4.0))
    model = hodgkin_huxley_1952.potassium()
    model = FREE.place(model, np.array([30.0, 0.1]))
    assert np.allclose(one.residuals(model), 2.0 * two.residuals(model))


def test_noise_level_is_the_noise_and_not_the_signal():
    size = float(np.std(recording().current)) * 1e-3
    assert np.isclose(noise_level(recording(noise=size)), size, rtol=0.15)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: VoltageClamp(np.ones(3), BATH), "must be a Recording"),
        (lambda: VoltageClamp(recording(mask=np.zeros(COMMAND.shape, bool)), BATH), "no sample is used"),
        (lambda: VoltageClamp(recording(), BATH, sigma=-1.0), "positive"),
        (lambda: VoltageClamp(recording(), BATH, sigma=np.ones(3)), "shape"),
        (lambda: VoltageClamp(Recording(T, np.ones_like(COMMAND), COMMAND), BATH), "give sigma"),
    ],
)
def test_refusals_say_why(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_a_fit_finds_the_parameters_and_predicts_other_sweeps():
    r = recording(noise=1.0)
    model = hodgkin_huxley_1952.potassium()
    truth = np.array([float(x) for x in FREE.read(model)])
    found = least_squares([VoltageClamp(r.select([0, 1]), BATH)], model, FREE, key=jax.random.key(0), starts=4)
    assert np.all(np.abs(found.values - truth) < 4.0 * found.standard_errors)
    assert np.all(found.standard_errors < 0.05 * truth)
    assert [p.unit for p in found.free.parameters] == ["nS", "1/ms"]
    score = held_out(found, VoltageClamp(r.sweep(2), BATH))
    assert np.isclose(score.rmse, 1.0, rtol=0.15)
    assert score.prediction.shape == (1, T.size)
    assert np.isclose(score.rmse_over_range, score.rmse / r.sweep(2).range)


def test_a_leak_is_fitted_as_part_of_a_membrane():

    model = (hodgkin_huxley_1952.potassium(), Channel(AlwaysOpen(), Ohmic(0.5, reversal=-20.0)))
    r = Recording(T, np.ones_like(COMMAND), COMMAND)
    clean = np.asarray(VoltageClamp(r, BATH, sigma=1.0).predict(model))
    both = free(
        (lambda m: m[0].permeation.g, log_between(1.0, 1000.0)),
        (lambda m: m[1].permeation.g, log_between(0.01, 10.0)),
        (lambda m: m[1].permeation.reversal, between(-60.0, 20.0)),
    )
    truth = [float(x) for x in both.read(model)]
    data = VoltageClamp(dataclasses.replace(r, current=clean), BATH)
    found = least_squares([data], model, both, key=jax.random.key(1), starts=2)
    assert np.allclose(found.values, truth, rtol=1e-6)
