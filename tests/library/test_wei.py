"""The neuron of Wei, Ullah & Schiff: its flow by hand, where it rests, and what it keeps."""

import json
from importlib.resources import files

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from spreading_by_hand import wei

from jaxmem import simulate
from jaxmem.library import cortical_gates, wei_ullah_schiff_2014
from jaxmem.library.wei_ullah_schiff_2014 import State

pytestmark = pytest.mark.x64

FILE = json.loads((files("jaxmem.check") / "cases" / "wei_ullah_schiff2014.json").read_text("utf-8"))
M3 = np.array([1.0] * 4 + [1e15] * 7 + [1.0])


@eqx.filter_jit
def slope(cell, state, current=0.0):
    return jnp.stack(cell.derivative(state, jnp.asarray(current)))


@eqx.filter_jit
def linear(cell, state):
    """The Jacobian of the flow, and that of the totals."""
    x = jnp.stack(state)
    flow = lambda x: jnp.stack(cell.derivative(State(*x), jnp.zeros(())))
    return jax.jacfwd(flow)(x), jax.jacfwd(lambda x: cell.totals(State(*x)))(x)


def state_of(values):
    return State(*map(jnp.asarray, np.asarray(values) * M3))


def at_rest(cell):
    """The state whose concentrations the reference has."""
    found = FILE["cases"][1]["expected"]["state"]
    inside = found["vol_i_over_vol0"] * cell.vol_0
    outside = (1 + 1 / cell.beta_0) * cell.vol_0 - inside
    v = jnp.asarray(found["V_mV"])
    gates = {key: cortical_gates.relaxation(getattr(cell, key), v)[0] for key in "mhn"}
    amounts = {
        f"{own}_{side}": jnp.asarray(found[f"{ion}{side}_mM"] * volume)
        for own, ion in (("k", "K"), ("na", "Na"), ("cl", "Cl"))
        for side, volume in (("i", inside), ("o", outside))
    }
    return State(v=v, **gates, **amounts, vol_i=inside, o2=jnp.asarray(found["O2"]))


@pytest.mark.parametrize("v", [-110.0, -80.9, -54.0, -52.0, -27.0, 41.0])  # three of them removable singularities
def test_the_flow_by_hand(v):
    given = FILE["parameters"] | {"Kbath": 8.5, "Obath": 2.4, "rho": 0.9, "UNKCC1": 0.2}
    state = [v, 0.3, 0.5, 0.2, 2.5e-15, 1.9e-13, 2.1e-14, 3.1e-14, 2.4e-14, 1.1e-14, 1.47e-15, 21.0]
    cell = wei_ullah_schiff_2014.model(k_bath=8.5, o2_bath=2.4, pump_max=0.9e-3, u_nkcc1=0.2e-3)
    assert_allclose(slope(cell, state_of(state)), wei(given, state) * M3, rtol=1e-10)
    driven = slope(cell, state_of(state), 2.0) - slope(cell, state_of(state))
    assert_allclose(driven, [2.0] + [0.0] * 11, atol=1e-12)


def test_the_flow_of_the_reference():
    case = FILE["cases"][0]
    cell = wei_ullah_schiff_2014.model(k_bath=case["Kbath"])
    state = state_of(list(case["state"].values()))
    wanted = case["expected"]["dydt_per_ms"] * M3
    assert_allclose(slope(cell, state), wanted, rtol=1e-9, atol=1e-17)  # that of the volume is rounding


def test_a_run_starts_at_the_published_state():
    cell = wei_ullah_schiff_2014.model()
    seen, published = cell.observe(cell.init()), FILE["published_initial_state"]
    for key in ("Ko", "Ki", "Nao", "Nai", "Clo", "Cli"):
        assert seen[f"{key[:-1]}_{key[-1]}"] == pytest.approx(published[f"{key}_mM"])
    assert [float(seen[key]) for key in ("V", "m", "h", "n", "O2")] == [-74.3, 0.0031, 0.9994, 0.0107, 29.3]


def test_the_rest_state_has_three_zero_eigenvalues_and_the_totals_belong_to_them():
    cell = wei_ullah_schiff_2014.model()
    state = at_rest(cell)
    assert_allclose(slope(cell, state) / jnp.stack(state), 0.0, atol=1e-11)
    flow, totals = linear(cell, state)
    rates = np.sort(np.abs(np.linalg.eigvals(flow)))
    assert np.all(rates[:3] < 1e-12) and rates[3] == pytest.approx(1.03e-5, rel=0.01)
    change = np.max(np.abs(totals @ flow), 1) / np.max(np.abs(totals) @ np.abs(flow), 1)
    assert np.all(change[:2] < 1e-14)
    # Charge stays only while the surface is that of the start; here the volume is 0.26 % less.
    assert 1e-9 < change[2] < 0.01
    assert np.linalg.matrix_rank(totals / np.linalg.norm(totals, axis=1, keepdims=True), tol=1e-6) == 3


def test_what_is_kept():
    """Na and Cl always; the charge inside less that on the membrane where the volume is that of the start."""
    cell = wei_ullah_schiff_2014.model(k_bath=8.5)
    state = [-50.0, 0.3, 0.5, 0.2, 8.2e-16, 2.0e-13, 2.9e-14, 2.6e-14, 2.7e-14, 8.6e-15, 1.4368e-15, 29.3]
    rate = lambda volume: np.asarray(
        jax.jvp(cell.totals, (s := state_of([*state[:10], volume, 29.3]),), (cell.derivative(s, jnp.zeros(())),))[1]
    )
    size = np.asarray(cell.totals(state_of(state)))
    assert np.all(np.abs(rate(1.4368e-15)) < 1e-16 * size)
    swollen = np.abs(rate(1.6e-15)) / size
    assert np.all(swollen[:2] < 1e-16) and swollen[2] > 1e-9


@pytest.mark.slow
def test_newton_finishes_a_run_to_rest():
    cell = wei_ullah_schiff_2014.model()
    near = simulate.current_clamp(cell, None, np.array([0.0, 5e5]), method=simulate.Adaptive(rtol=1e-9, atol=1e-9))
    rest = simulate.steady_state(cell, near.state)
    assert_allclose(cell.totals(rest.state), cell.totals(near.state), rtol=1e-12)
    assert rest.stable and rest.eigenvalues.shape == (9,)
    found = at_rest(cell)  # the volume still moves after 500 s, so the charge is not quite that of the end
    assert_allclose([rest.state.v, rest.state.na_i, rest.state.cl_i], [found.v, found.na_i, found.cl_i], rtol=2e-3)
