"""The neuron of Cressman et al.: its flow by hand, its rest, its seizures, and the reduced model."""

import json
from importlib.resources import files

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from cressman_by_hand import by_hand
from numpy.testing import assert_allclose

from jaxmem import simulate
from jaxmem.library import cressman_2009
from jaxmem.library.cressman_2009 import ReducedState, State, Surroundings

pytestmark = pytest.mark.x64

CASES = json.loads((files("jaxmem.check") / "cases" / "cressman2009.json").read_text("utf-8"))
KEYS = ("V", "n", "h", "Ko", "Nai", "Ca")


def case(name):
    return next(one for one in CASES["cases"] if one["id"] == name)


@eqx.filter_jit
def slope(cell, state, current):
    return jnp.stack(jax.tree.leaves(cell.derivative(state, current)))


def state_of(*values):
    return State(*map(jnp.asarray, values))


def test_the_flow_is_that_of_the_reference():
    found = case("rhs_check")
    state = state_of(*(found["state"][key] for key in KEYS))
    got = slope(cressman_2009.model(), state, jnp.zeros(()))
    assert_allclose(got, found["expected"]["dydt_per_ms"], rtol=1e-10)


@pytest.mark.parametrize("v", [-120.0, -70.1, -34.0, -30.0, 41.0])  # two of them removable singularities
def test_the_flow_by_hand(v):
    values = (v, 0.3, 0.4, 11.0, 22.0, 0.7)
    cell = cressman_2009.model(surroundings=Surroundings(k_bath=6.5))
    assert_allclose(slope(cell, state_of(*values), jnp.zeros(())), by_hand(*values, k_bath=6.5), rtol=1e-11)
    driven = slope(cell, state_of(*values), jnp.asarray(3.0)) - slope(cell, state_of(*values), jnp.zeros(()))
    assert_allclose(driven, [3.0, 0, 0, 0, 0, 0], atol=1e-13)


def test_what_is_observed():
    cell = cressman_2009.model()
    seen = cell.observe(cell.init())
    assert_allclose([seen["K_i"], seen["Na_o"], seen["V"]], [142.5, 161.5, -50.0])
    assert_allclose([seen["E_K"], seen["E_Na"]], 26.64 * np.log([7.8 / 142.5, 161.5 / 15.5]), rtol=1e-14)
    reduced = cressman_2009.reduced()
    assert reduced.observe(reduced.init())["E_K"] == pytest.approx(float(seen["E_K"]), rel=1e-14)


@pytest.mark.slow
def test_it_rests_at_4_millimolar():
    found = case("rest_kbath_4")
    cell = cressman_2009.model(surroundings=Surroundings(k_bath=4.0))
    rest = simulate.steady_state(cell)
    assert_allclose(
        rest.state, [found["expected"][key] for key in ("V_mV", "n", "h", "Ko_mM", "Nai_mM", "Ca")], rtol=1e-6
    )
    wanted = sorted(x for x, _ in found["expected"]["eigenvalues_per_ms"])
    assert_allclose(np.sort(rest.eigenvalues.real), wanted, rtol=1e-3)
    assert rest.stable


@pytest.mark.slow
def test_seizures_at_8_millimolar():
    wanted = case("seizure_like_kbath_8")["expected"]
    t = np.append(0.0, 50.0 + np.arange(0.0, 1e5 + 0.5))
    method = simulate.Adaptive(rtol=1e-5, atol=1e-5, most=10_000_000)
    trace = simulate.current_clamp(cressman_2009.model(), None, t, method=method)
    k_o = np.asarray(trace.observed["K_o"])[1:]
    crossings = np.flatnonzero((k_o[:-1] < 9.0) & (k_o[1:] >= 9.0))
    first = [k for j, k in enumerate(crossings) if j == 0 or np.any(k_o[crossings[j - 1] : k] < 8.0)]
    assert_allclose(np.diff(1e-3 * np.asarray(first))[1:].mean(), wanted["period_s"], rtol=2e-3)
    assert_allclose([k_o[5000:].max(), k_o[5000:].min()], [wanted["Ko_max_mM"], wanted["Ko_min_mM"]], rtol=1e-3)


# --- the reduced model ---


def test_the_reduced_model_is_at_rest_where_the_reference_is():
    found = case("reduced_model_hopf")
    rows = jnp.asarray(found["expected"]["branch_samples_kbath_Ko_Nai_trace_det"])

    @jax.jit
    @jax.vmap
    def at(k_bath, k_o, na_i):
        cell = cressman_2009.reduced(surroundings=Surroundings(k_bath=k_bath, diffusion=1.2, glia=66.0))
        flow = lambda x: jnp.stack(cell.derivative(ReducedState(*x), jnp.zeros(())))
        x = jnp.stack([k_o, na_i])
        matrix = 1e3 * jax.jacfwd(flow)(x)
        return flow(x), jnp.trace(matrix), jnp.linalg.det(matrix)

    rest, trace, det = at(*rows[:, :3].T)
    assert_allclose(rest, 0.0, atol=1e-15)
    assert_allclose(trace, rows[:, 3], rtol=1e-8)
    assert_allclose(det, rows[:, 4], rtol=1e-8)


@pytest.mark.slow
def test_the_continuation_finds_both_hopf_points():
    cell = cressman_2009.reduced(surroundings=Surroundings(k_bath=6.0, diffusion=1.2, glia=66.0))
    branch = simulate.follow(cell, lambda c: c.surroundings.k_bath, (2.0, 13.0))
    wanted = case("reduced_model_hopf")["expected"]["hopf_points"]
    assert len(branch.special) == len(wanted) == 2
    for point, expected in zip(branch.hopf, wanted, strict=True):
        got = [point.parameter, point.state.k_o, point.state.na_i, 1e3 * point.frequency, 1e-3 * point.period]
        assert_allclose(got, list(expected.values()), rtol=1e-6)
