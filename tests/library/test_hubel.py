"""The neurons of Hübel & Dahlem and of Hübel & Ullah: their flows by hand, their steady states, what they keep."""

import json
from importlib.resources import files

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from spreading_by_hand import hubel_dahlem, hubel_ullah

from jaxmem import simulate
from jaxmem.electrochemistry import Cl, K, Na
from jaxmem.library import hubel_dahlem_2014, hubel_ullah_2016

pytestmark = pytest.mark.x64


def shipped(name):
    return json.loads((files("jaxmem.check") / "cases" / f"{name}.json").read_text("utf-8"))


DAHLEM, ULLAH = shipped("hubel_dahlem2014"), shipped("hubel_ullah2016")


@eqx.filter_jit
def slope(cell, state, current=0.0):
    return jnp.stack(jax.tree.leaves(cell.derivative(state, jnp.asarray(current))))


@eqx.filter_jit
def jacobian(cell, state):
    flow = lambda x: jnp.stack(cell.derivative(type(state)(*x), jnp.zeros(())))
    return jax.jacfwd(flow)(jnp.stack(state))


def dahlem(*values):
    kind = hubel_dahlem_2014.State if len(values) == 5 else hubel_dahlem_2014.ClosedState
    return kind(*map(jnp.asarray, values))


def ullah(v, n, h, k, cl, volume):
    return hubel_ullah_2016.State(*map(jnp.asarray, (v, n, h, k, cl, 1e-3 * volume)))


@pytest.mark.parametrize("v", [-120.0, -67.2, -34.0, -30.0, 41.0])  # two of them removable singularities
def test_the_flow_of_hubel_and_dahlem_by_hand(v):
    state = (v, 0.31, 118.0, 14.0, -3.0)
    glial = hubel_dahlem_2014.model(pump_max=5.0, g_cll=0.03)
    other = hubel_dahlem_2014.Diffusive(rate=4e-5, k_bath=6.0)
    diffusive = hubel_dahlem_2014.model(regulation=other, pump_max=5.0, g_cll=0.03)
    given = DAHLEM["parameters"] | {"Imax": 5.0, "gClL": 0.03, "lam": 4e-5, "kbath": 6.0}
    for cell, s in ((glial, 0), (diffusive, 1)):
        assert_allclose(1e3 * slope(cell, dahlem(*state)), hubel_dahlem(given | {"s": s}, state), rtol=1e-11)
    driven = hubel_dahlem_2014.model(pump_max=5.0, g_cll=0.03, holding=2.0)
    assert_allclose(slope(driven, dahlem(*state), 1.0) - slope(glial, dahlem(*state)), [3.0, 0, 0, 0, 0], atol=1e-12)


@pytest.mark.parametrize("v", [-120.0, -67.2, -34.0, -30.0, 41.0])
def test_the_flow_of_hubel_and_ullah_by_hand(v):
    state = (v, 0.3, 0.5, 250.0, 30.0, 2250.0)
    got = slope(hubel_ullah_2016.model(pump_max=5.0, water=1 / 300), ullah(*state))
    wanted = hubel_ullah(ULLAH["parameters"] | {"Imax": 5.0, "tvl": 300.0}, state)
    assert_allclose(got * np.array([1e3] * 5 + [1e6]), wanted, rtol=1e-11)


def test_the_flows_of_the_reference():
    case = DAHLEM["cases"][0]
    for word, regulation in (("glial", None), ("diffusive", hubel_dahlem_2014.Diffusive())):
        got = slope(hubel_dahlem_2014.model(regulation=regulation), dahlem(*case["state"].values()))
        assert_allclose(1e3 * got, case["expected"][f"dydt_per_s_{word}"], rtol=1e-10)
    case = ULLAH["cases"][0]
    got = slope(hubel_ullah_2016.model(), ullah(*case["state"].values()))
    assert_allclose(got * np.array([1e3] * 5 + [1e6]), case["expected"]["dydt_per_s"], rtol=1e-10)


def test_the_published_rest_is_nearly_one():
    cell = hubel_dahlem_2014.model()
    assert_allclose(cell.init(), [-67.193253, 0.069410823, 129.25764, 9.900239, 0.0], rtol=1e-7)
    assert abs(1e3 * slope(cell, cell.init())[0]) < 1.0


def test_the_closed_neuron_has_three_steady_states():
    expected = DAHLEM["cases"][2]["expected"]
    cell = hubel_dahlem_2014.closed()
    for point, wanted in zip(expected["equilibria"], expected["eigenvalues_per_s"], strict=True):
        state = dahlem(*(point[key] for key in ("V", "n", "ki", "cli")))
        flow = jacobian(cell, state)
        # What is left of the flow is the rounding of the state.
        assert np.all(np.abs(np.linalg.solve(flow, slope(cell, state))) < 1e-8 * np.abs(np.stack(state)))
        assert_allclose(np.sort(1e3 * np.linalg.eigvals(flow)), np.sort([x for x, _ in wanted]), rtol=1e-5)
        seen = cell.observe(state)
        assert_allclose([seen["K_e"], seen["Na_i"], seen["Na_e"]], [point[x] for x in ("ke", "nai", "nae")], rtol=1e-6)


def test_dk_is_potassium_outside():
    state = dahlem(-60.0, 0.1, 125.0, 11.0)
    less, more = (hubel_dahlem_2014.closed(dk=dk).observe(state) for dk in (0.0, 2.5))
    assert more["K_e"] - less["K_e"] == pytest.approx(2.5)
    neuron, inner = hubel_dahlem_2014.model().at(dahlem(-60.0, 0.1, 125.0, 11.0, 2.5))
    assert neuron.dk == 2.5 and inner == state


@pytest.mark.slow
def test_the_branch_of_the_closed_neuron_turns_and_loses_its_stability():
    expected = DAHLEM["cases"][3]["expected"]
    branch = simulate.follow(hubel_dahlem_2014.closed(), lambda cell: cell.dk, (-100.0, 100.0))
    points = lambda special: sorted((x.parameter, x.state.v, x.state.k_i) for x in special)
    listed = lambda kind: sorted((x["dk"], x["V"], x["ki"]) for x in expected[kind])
    assert_allclose(points(branch.folds), listed("folds"), rtol=1e-6)
    # The last one is that of the reference, where depolarization block ends; three more are slow oscillations.
    assert_allclose(points(branch.hopf)[2:3], listed("hopf"), rtol=1e-6)
    assert len(branch.hopf) == 4 and max(x.frequency for x in branch.hopf) == pytest.approx(1.26399, rel=1e-4)
    for x in branch.hopf:
        pair = branch.eigenvalues[x.index][np.abs(np.imag(branch.eigenvalues[x.index])) > 0]
        assert np.min(np.abs(pair.real)) < 1e-6 * x.frequency


# --- Hübel & Ullah ---


def test_the_donnan_state_is_at_rest_where_all_ions_are_at_equilibrium():
    end = ULLAH["cases"][2]["expected"]
    state = ullah(*(end[key] for key in ("V_mV", "n", "h", "n_ki_fmol", "n_cli_fmol", "vol_i_um3")))
    cell = hubel_ullah_2016.model(pump_max=0.0)
    seen = cell.observe(state)
    assert_allclose([seen[key] for key in ("V", "E_Na", "E_K", "E_Cl")], end["V_mV"], rtol=1e-9)
    assert np.all(np.abs(np.linalg.solve(jacobian(cell, state), slope(cell, state))) < 1e-8 * np.abs(np.stack(state)))
    bath = cell.bath(state)
    inside = jnp.sum(bath.inside.c) + cell.fixed_i / state.vol_i
    outside = jnp.sum(bath.outside.c) + cell.fixed_e / (cell.vol - state.vol_i)
    assert inside == pytest.approx(float(outside), rel=1e-10)  # equal osmolarity


def test_amounts_are_kept_and_the_inside_stays_neutral():
    cell = hubel_ullah_2016.model()
    start, state = cell.init(), ullah(-40.0, 0.3, 0.5, 250.0, 30.0, 2250.0)
    (inside, outside), (inside_0, outside_0) = cell.amounts(state), cell.amounts(start)
    assert_allclose(np.add(inside, outside), np.add(inside_0, outside_0), rtol=1e-14)
    charge = lambda side: side.na + side.k - side.cl
    assert charge(inside) == pytest.approx(float(charge(inside_0)))
    bath = cell.bath(start)
    assert_allclose([bath[ion][0] * start.vol_i for ion in (Na, K, Cl)], inside_0[:3], rtol=1e-14)


@pytest.mark.slow
def test_without_a_way_for_chloride_it_does_not_swell():
    """Amounts inside are kept but for Na against K: the volume that osmolarity asks for stays."""
    cell = hubel_ullah_2016.model(g_cll=0.0, pump_max=0.0)
    before = cell.derivative(cell.init(), jnp.zeros(()))
    after = cell.derivative(cell.init()._replace(k_i=jnp.asarray(150.0)), jnp.zeros(()))
    assert before.cl_i == after.cl_i == 0.0 and after.vol_i == pytest.approx(float(before.vol_i), rel=1e-12)
