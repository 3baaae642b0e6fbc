"""Many cells at once: what precision costs the times of spikes, and gradients through spikes in both modes."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import simulate
from jaxmem.cell import point
from jaxmem.library import hodgkin_huxley_1952
from jaxmem.protocols import step

pytestmark = pytest.mark.x64
CELLS = 64


def conductances(spread):
    """Sodium, potassium and leak [mS/cm2] of the cells, each within `spread` of the squid's, which is the first."""
    factors = np.exp(np.random.default_rng(0).uniform(-spread, spread, (CELLS, 3)))
    factors[0] = 1.0
    return np.array([120.0, 36.0, 0.3]) * factors


def clamped(g, current, t, record=()):
    """A squid patch of conductances `g` [mS/cm2], everything in their precision."""
    cell = point(hodgkin_huxley_1952.model(q10=None), 1.0, 279.45)
    cell = jax.tree.map(lambda x: x.astype(g.dtype) if eqx.is_inexact_array(x) else x, cell)
    laws = lambda c: [channel.permeation.g for channel in c.membranes[0].mechanisms]
    cell = eqx.tree_at(laws, cell, list(g))
    return simulate.current_clamp(cell, step(current, t[-1]), t, record=record, throw=False)


def test_float32_spikes_when_float64_does():
    """Over 100 ms, in cells that fire once and in cells that go on."""

    def times(g):
        record = simulate.SpikeTimes(jnp.asarray(-20.0, g.dtype), most=12)
        return clamped(g, 10.0, [100.0], record).records[0]

    run, g = jax.jit(jax.vmap(times)), conductances(0.2)
    double, single = run(jnp.asarray(g)), run(jnp.asarray(g, jnp.float32))
    assert single.dtype == jnp.float32
    fired = np.isfinite(double)
    assert np.array_equal(np.isfinite(single), fired)
    assert fired[0].sum() == 7 and set(fired.sum(1)) >= {1, 7, 8}
    apart = np.abs(np.where(fired, double, 0.0) - np.where(fired, single, 0.0).astype(float))
    assert apart[0].max() < 1e-3  # ms; 3e-5 was measured
    assert apart.max() < 0.05  # 1e-3, in a cell that barely fires again


def test_gradients_through_spikes_agree():
    """Both modes to 1e-9, and central differences, in each conductance of each cell, of the voltage, its peak and the
    times of two spikes.

    Reverse mode computes each block of steps again, fused with other code; what asks there whether computed values
    are equal, as the derivative of `maximum` does, may lose a step of a lane.
    """
    t = np.arange(0.0, 20.01, 0.1)
    record = simulate.Peak(), simulate.SpikeTimes(most=2)

    def shape(g):
        trace = clamped(g, 15.0, t, record)
        peak, times = trace.records
        return jnp.concatenate([trace.v, peak[None], times])

    each, cells = jax.jit(jax.vmap(shape)), jnp.asarray(conductances(0.05))
    wanted = each(cells)
    assert float(wanted[:, -3].min()) > 20.0 and float(wanted[:, -1].max()) < 18.0  # every cell has two spikes

    def loss(g, wanted):
        return jnp.mean((shape(g) - wanted) ** 2)

    away = cells * jnp.asarray([[1.05, 0.95, 1.1]])
    forward = jax.jit(jax.vmap(jax.jacfwd(loss)))(away, wanted)
    total = lambda g: jnp.sum(jax.vmap(loss)(g, wanted))
    value, reverse = jax.jit(jax.value_and_grad(total))(away)
    assert float(value) > CELLS and float(jnp.abs(forward).min()) > 0.1
    np.testing.assert_allclose(reverse, forward, rtol=1e-9)
    for k in range(3):
        d = 1e-5 * away * jnp.eye(3)[k][None]
        up, down = (np.mean((np.asarray(each(g)) - np.asarray(wanted)) ** 2, axis=1) for g in (away + d, away - d))
        np.testing.assert_allclose((up - down) / (2 * d[:, k]), forward[:, k], rtol=1e-4)
