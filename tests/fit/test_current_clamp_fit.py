"""Fits of current-clamp recordings: voltage, spikes, features, through the same fit as everything else."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import fit, report, simulate
from jaxmem.cell import point
from jaxmem.library import hodgkin_huxley_1952
from jaxmem.protocols import step, sweeps
from jaxmem.recordings import Recording
from jaxmem.results import InputError

pytestmark = pytest.mark.x64


def axon():
    return point(hodgkin_huxley_1952.model(), 1.0, 279.45)


def placed(cell, g):
    where = lambda c: [m.permeation.g for m in c.membranes[0].mechanisms[:2]]
    return eqx.tree_at(where, cell, list(g))


@pytest.fixture(scope="module")
def recording():
    """Two sweeps of an axon whose conductances are not the standard ones, with noise."""
    t = np.arange(0.0, 30.01, 0.1)
    rng = np.random.default_rng(1)
    cell = placed(axon(), [130.0, 33.0])
    commands = [step(0.0, 2.0) + step(i, 28.0) for i in (8.0, 15.0)]
    v = [np.asarray(simulate.current_clamp(cell, c, t).v) for c in commands]
    return Recording(t, np.stack(v) + 0.2 * rng.standard_normal((2, t.size)), sweeps(commands), unit="mV", name="axon")


def free():
    na, k = (lambda c, i=i: c.membranes[0].mechanisms[i].permeation.g for i in (0, 1))
    return fit.free((na, fit.log_between(60.0, 240.0)), (k, fit.log_between(15.0, 80.0)))


@pytest.mark.slow
def test_a_recording_gives_its_conductances_back_and_a_report(recording, tmp_path):
    """From starts in the whole box, by the voltage and a smooth train of spikes together."""
    data = [fit.CurrentClamp(recording), fit.CurrentClamp(recording, reading=fit.SpikeTrain())]
    found = fit.least_squares(data, axon(), free(), key=jax.random.key(2), starts=4)
    assert np.allclose(found.values, [130.0, 33.0], rtol=5e-3)
    assert data[0].unit == "mV" and data[0].voltages[0] < -60.0
    written = report.write(found, [], tmp_path, experiments=data)
    assert (tmp_path / "fit_1.png").stat().st_size > 10_000 and written is not None


def test_readings_are_what_they_say():
    t = jnp.arange(0.0, 20.0, 0.05)
    v = -65.0 + 100.0 * (jnp.exp(-((t - 5.0) ** 2)) + jnp.exp(-((t - 15.0) ** 2)))
    rise = float(np.sqrt(np.log(100.0 / 45.0)))
    assert np.allclose(fit.SpikeTimesOf(3)(t, v), [5.0 - rise, 15.0 - rise, t[-1]], atol=2e-3)
    mean, spread, high, low, count = fit.Features()(t, v)
    assert float(mean) == pytest.approx(float(v.mean())) and float(spread) == pytest.approx(float(v.std()))
    assert 35.0 <= float(high) <= 35.0 + 2.0 * np.log(40) and -65.0 - 2.0 * np.log(400) <= float(low) <= -65.0
    assert float(count) == pytest.approx(2.0, abs=1e-3)
    train = fit.SpikeTrain(memory=5.0)(t, v)
    assert int(jnp.argmax(train[:200])) == pytest.approx((5.0 + rise) / 0.05, abs=8)
    assert float(train[150] / train[130]) == pytest.approx(np.exp(-1.0 / 5.0), rel=1e-3)  # between the spikes


def test_bad_recordings_are_refused(recording):
    with pytest.raises(InputError, match="must be a Recording"):
        fit.CurrentClamp(3.0)
    uneven = Recording(np.array([0.0, 1.0, 3.0]), np.zeros(3), step(1.0, 3.0), unit="mV")
    with pytest.raises(InputError, match="must be sampled evenly"):
        fit.CurrentClamp(uneven)
    with pytest.raises(InputError, match="give `sigma`"):
        fit.CurrentClamp(recording, sigma=0.0)
    with pytest.raises(InputError, match="needs a cell"):
        fit.CurrentClamp(recording).prepare(hodgkin_huxley_1952.model())


def test_the_true_cell_leaves_the_noise_and_readings_have_gradients(recording):
    """The trimmed form of the fit: residuals at the truth, and the slope of a smooth reading away from it."""
    data = fit.CurrentClamp(recording, sigma=0.2).prepare(axon())
    train = fit.CurrentClamp(recording, reading=fit.SpikeTrain()).prepare(axon())

    @jax.jit
    def losses(g):
        cell = placed(axon(), g)
        return jnp.std(data.residuals(cell)), jnp.sum(train.residuals(cell) ** 2)

    noise, none = losses(jnp.array([130.0, 33.0]))
    assert float(noise) == pytest.approx(1.0, abs=0.15) and float(none) < 0.05
    assert float(losses(jnp.array([110.0, 36.0]))[1]) > 10.0 * float(none)
