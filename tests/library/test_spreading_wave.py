"""A strip of tissue: the speed of its wave, and the derivative by the strength of the pump against differences."""

import importlib.util
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytestmark = pytest.mark.x64
PUMP = 6.8  # uA/cm2


@pytest.fixture(scope="module")
def example():
    path = pathlib.Path(__file__).parents[2] / "examples" / "spreading_depression_wave.py"
    spec = importlib.util.spec_from_file_location("wave_measured", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compared(f, changes):
    """Value and derivative of f at `PUMP`, and central differences over some changes; one program, one run."""
    changes = np.asarray(changes)
    both = jax.jit(jax.vmap(lambda x: jax.jvp(f, (x,), (jnp.ones_like(x),))))
    value, slope = map(np.asarray, both(jnp.asarray(PUMP + np.concatenate([[0.0], changes, -changes]))))
    up, down = np.split(value[1:], 2)
    return value[0], slope[0], (up - down) / (2.0 * changes)


def test_arrival_is_where_a_smooth_rise_crosses(example):
    t = np.arange(0.0, 40.0, 1.0)
    rise = lambda at: 60.0 / (1.0 + jnp.exp((at - t) / 5.0))
    value, slope = jax.jit(jax.value_and_grad(lambda at: example.arrival(t, rise(at))))(17.3)
    assert float(value) == pytest.approx(17.3, abs=1e-4) and float(slope) == pytest.approx(1.0, abs=1e-3)
    assert np.isnan(example.arrival(t, jnp.full((40,), 4.0)))


def test_derivative_of_an_arrival_by_the_pump(example):
    """Of the first front, in a short strip."""

    def time(pump):
        k = example.wave(pump, 9, 112.5, 75.0, 760.0, 0.025).observed["K_outside"]
        return example.arrival(np.arange(761.0), k[:, 6])

    value, slope, difference = compared(time, [0.01])
    assert 300.0 < value < 750.0
    assert slope == pytest.approx(difference[0], rel=1e-3)


@pytest.mark.slow
def test_derivative_of_the_speed_by_the_pump(example):
    """In steps of 0.1 ms the speed is as good, but its derivative is not; see `speed_at`."""
    speed, slope, difference = compared(example.speed_at, [0.02, 0.04])
    assert 2.0 < speed < 6.0 and speed == pytest.approx(2.7958, abs=1e-3)
    assert difference[0] == pytest.approx(difference[1], rel=1e-4)
    assert slope == pytest.approx((4.0 * difference[0] - difference[1]) / 3.0, rel=1e-4)
    assert slope < -0.2
    rough, wrong, same = compared(lambda pump: example.speed_at(pump, 0.1), [0.04])
    assert rough == pytest.approx(speed, rel=1e-3) and same[0] == pytest.approx(slope, rel=1e-2)
    assert abs(wrong / slope - 1.0) > 1e-2
