"""Many cables and tissues at once, in both precisions: sweeps, and a lane that fails and disturbs no other; single
precision alone."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from test_tissue import axon, pumped

from jaxmem import simulate, space, sweep
from jaxmem.library import hodgkin_huxley_1952
from jaxmem.params import as_array, param, positive
from jaxmem.protocols import step
from jaxmem.results import RESULTS
from jaxmem.units import MS_PER_CM2

CLOSE = 1e-9 if jnp.result_type(float) == jnp.float64 else 2e-5  # what the order of sums may change
BAD = 5
DENSITIES = MS_PER_CM2 * np.array([0.7, 0.8, 0.9, 1.0, 1.1, np.nan, 1.2, 1.3])
GOOD = np.arange(8) != BAD


class Axon(eqx.Module):
    """A short piece of squid membrane, and how it is shaped."""

    diameter: jax.Array = param("um", positive)
    density: jax.Array = param("1/um2", positive)

    def cell(self, kind: str):
        if kind == "tissue":
            return with_density(axon(self.diameter, 0.5, 4, 200.0), self.density)
        tree = space.cylinder(400.0, self.diameter, 6)
        sodium, *others = hodgkin_huxley_1952.model(q10=None)
        return space.Cable(tree, [space.place(sodium, density=self.density), *others], 279.45)


def with_density(tissue, density):
    return eqx.tree_at(lambda c: c.cells["axon"].mechanisms[0].density, tissue, density)


def end(cell):
    """The potential at the far end on the upstroke, and how the run ended."""
    trace = simulate.current_clamp(cell, step(200.0, 1.0), [0.0, 1.0], method=simulate.Hines(0.05), throw=False)
    return trace.observed["V"][-1, -1], trace.result


@pytest.mark.parametrize("kind", ["cable", pytest.param("tissue", marks=pytest.mark.slow)])
def test_a_sweep_over_densities_and_diameters(kind):
    def lane(model):
        f = lambda density: end(eqx.tree_at(lambda m: m.density, model, density).cell(kind))
        (v, result), slope = jax.value_and_grad(f, has_aux=True)(model.density)
        return {"V": v, "slope": slope, "result": result}

    model = Axon(2.0, MS_PER_CM2)
    diameters = np.linspace(1.5, 2.5, 8)
    entries = (lambda m: m.density, DENSITIES), (lambda m: m.diameter, diameters)
    found = sweep.run(lane, sweep.vary(model, *entries, design=sweep.listed))
    code = np.where(GOOD, 0, int(RESULTS.nonfinite_input._value))
    np.testing.assert_array_equal(found.codes, code)
    for name in ("V", "slope"):
        assert np.isfinite(found[name][GOOD]).all() and np.isnan(found[name][BAD])
        assert len(np.unique(found[name][GOOD])) == 7
    alone = jax.jit(lane)(Axon(diameters[2], DENSITIES[2]))
    for name in ("V", "slope"):
        np.testing.assert_allclose(found[name][2], alone[name], rtol=CLOSE)


@pytest.mark.parametrize("kind", ["cable", pytest.param("tissue", marks=pytest.mark.slow)])
def test_a_lane_that_fails_inside_disturbs_no_other(kind):
    """Here the lane is run with what is no number, which a sweep would not do."""

    def loss(densities):
        v, result = jax.vmap(lambda x: end(Axon(2.0, x).cell(kind)))(densities)
        return jnp.sum(jnp.where(jnp.isfinite(v), v, 0.0)), (v, result)

    run = jax.jit(jax.grad(loss, has_aux=True))
    slope, (v, result) = run(as_array(DENSITIES))
    clean, (right, _) = run(as_array(np.where(GOOD, DENSITIES, MS_PER_CM2)))
    np.testing.assert_array_equal(v[GOOD], right[GOOD])
    np.testing.assert_array_equal(slope[GOOD], clean[GOOD])
    assert np.isnan(v[BAD]) and np.all(np.asarray(slope)[GOOD] > 0.0)
    np.testing.assert_array_equal(np.asarray(result == RESULTS.successful), GOOD)
    assert np.asarray(result == RESULTS.nonfinite_input)[BAD]


def test_velocity_of_a_cable_in_either_precision():
    tree = space.cylinder(4000.0, 2.0, 200)
    cable = space.Cable(tree, hodgkin_huxley_1952.model(q10=None), 279.45, record=[60, 140])
    trace = simulate.current_clamp(cable, step(1000.0, 1.0), [0.0, 12.0], record=simulate.SpikeTimes(0.0))
    assert trace.v.dtype == jnp.result_type(float)
    first, last = np.asarray(trace.records[0][:, 0])
    assert 1600.0 / (last - first) == pytest.approx(474.032, rel=1e-3)  # float64, both here and in NEURON (test_cable)


def kept(tissue, stimulus, t, dt):
    """The relative change of the amount of each ion, that of the charges relative to the largest, and the trace."""
    trace = simulate.current_clamp(tissue, stimulus, t, method=simulate.Hines(dt))
    assert {x.dtype for x in jax.tree.leaves(trace) if eqx.is_inexact_array(x)} == {jnp.zeros(()).dtype}
    start, end = (np.asarray(tissue.totals(x), float) for x in (tissue.init(), trace.state))
    return (end - start)[:3] / start[:3], np.abs(end - start)[3:] / np.max(start[:3]), trace


def test_a_tissue_in_either_precision():
    ions, charges, trace = kept(axon(0.5, 0.5, 20, 400.0, record=[10]), step(20.0, 1.5), [0.0, 5.0], 0.025)
    assert np.all(np.abs(ions) < 1e-5) and np.all(charges < 1e-5)
    assert float(trace.v[-1, 0]) == pytest.approx(-2.32065, abs=0.01)


def test_two_seconds_of_cells_on_a_tree_in_either_precision():
    ions, charges, trace = kept(pumped(), None, [0.0, 1000.0, 2000.0], 0.5)
    assert np.all(np.abs(ions) < 3e-5) and np.all(charges < 3e-5)
    right = [10.4752923, 10.47401675, 10.47032258, 10.44638754, 10.42896249, 10.51475307, 10.53002153]  # float64
    np.testing.assert_allclose(trace.observed["K_outside"][-1], right, rtol=2e-4)
