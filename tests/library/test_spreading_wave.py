"""A strip of tissue: the speed of its wave, and the derivative by the strength of the pump."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import simulate
from jaxmem.library import hubel_dahlem_cable

pytestmark = [pytest.mark.x64, pytest.mark.slow]


def times(pump):
    """When the front comes to 200 and 300 um [ms]."""
    tissue = hubel_dahlem_cable.model(compartments=32, length=400.0, width=150.0, record=[16, 24], pump=pump)
    record = simulate.SpikeTimes(-30.0, most=4)
    method = simulate.Hines(0.1)
    trace = simulate.current_clamp(tissue, None, [0.0, 4800.0], method=method, record=record, throw=False)
    return trace.records[0][:, 0]


def test_speed_and_its_derivative_by_the_pump():
    """The derivative is that of the computed speed, which a difference over a millionth has, too. Over larger changes
    the speed falls by 0.273 for each uA/cm2: the computed one has ripples, a step long, because a front that comes a
    little later meets the grid of steps elsewhere while sodium channels open, and the derivative is that of ripples."""
    steps = np.array([0.0, 1e-6, -1e-6, 0.1, -0.1])
    both = jax.jit(jax.vmap(lambda pump: jax.jvp(times, (pump,), (jnp.ones_like(pump),))))
    found, slopes = (np.asarray(x) for x in both(jnp.asarray(6.8 + steps)))
    gap = np.diff(found, axis=1)[:, 0]
    speed = 60.0 * 100.0 / gap  # mm/min
    assert 2.0 < speed[0] < 6.0 and speed[0] == pytest.approx(2.795, abs=2e-3)
    slope = -speed[0] * np.diff(slopes[0])[0] / gap[0]
    assert slope == pytest.approx((speed[1] - speed[2]) / 2e-6, rel=1e-2)
    assert (speed[3] - speed[4]) / 0.2 == pytest.approx(-0.273, abs=2e-3)
