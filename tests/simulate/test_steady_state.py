"""Steady states against closed forms: values, stability, gradients, and lanes that have none."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from zoo import LARGE, SLOW, Animals, cubic, zoo

from jaxmem.cell import Cell, Compartment, Membrane
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Cl, K, Na
from jaxmem.gating import AlwaysOpen
from jaxmem.library import dusterwald_2018
from jaxmem.permeation import Ohmic
from jaxmem.results import RESULTS
from jaxmem.simulate import stability, steady_state
from jaxmem.transport import Published, catalogue, sodium_pumps

pytestmark = pytest.mark.x64


@pytest.fixture(scope="module")
def rest():
    return steady_state(zoo())


def test_state_is_exact_in_every_unit(rest):
    assert rest.state.cusp / LARGE == pytest.approx(float(cubic(-1.0)), rel=4e-16 * 4)
    np.testing.assert_allclose(rest.state.rotor, 0.0, atol=1e-14)
    assert abs(rest.state.fork) < 1e-14
    assert rest.state.ring == pytest.approx(1.0, rel=4e-16)
    assert rest.state.pair[0] == pytest.approx(float(cubic(-1.0)), rel=1e-15)
    assert jnp.sum(rest.state.pair) == pytest.approx(-1.0, rel=1e-15)  # the total of the start


def test_eigenvalues_leave_out_what_is_conserved(rest):
    steep = 1.0 - 3.0 * float(cubic(-1.0)) ** 2
    known = [SLOW * steep, -0.5 + 2.0j, -0.5 - 2.0j, -1.0, steep, -2.0]
    known = sorted(known, key=lambda x: (-np.real(x), -np.imag(x)))
    # (the pair moves twice: x' = T + x - x^3 and y = T - x)
    np.testing.assert_allclose(rest.eigenvalues, known, rtol=1e-9, atol=1e-15)
    assert rest.stable
    everything = stability(zoo(), rest.state, with_conserved=True)
    assert everything.size == 8
    np.testing.assert_allclose(everything[:2], 0.0, atol=1e-15)
    np.testing.assert_allclose(everything[2:], known, rtol=1e-9, atol=1e-15)


def test_flow_leads_to_the_stable_side_and_a_steady_start_stays():
    def from_(x):
        start = zoo().init()._replace(cusp=jnp.asarray(x * LARGE))
        return float(steady_state(zoo((0.0, -0.5, -1.0, 0.0)), start).state.cusp) / LARGE

    assert from_(0.05) == pytest.approx(1.0, rel=1e-14)
    assert from_(-0.05) == pytest.approx(-1.0, rel=1e-14)
    assert abs(from_(0.0)) < 1e-15  # unstable


def test_gradients_are_those_of_the_closed_forms(rest):
    def look(p, pair, stone):
        start = zoo().init()._replace(pair=pair, stone=stone)
        state = steady_state(zoo(p), start).state
        return jnp.stack([state.cusp / LARGE, state.ring, state.pair[0]])

    p, pair = jnp.asarray([-1.0, -0.5, -1.0, 0.6]), zoo().init().pair
    slope = 1.0 / (3.0 * cubic(-1.0) ** 2 - 1.0)
    by_p = np.zeros((3, 4))
    by_p[0, 0], by_p[1, 3] = slope, -0.6 / 0.8
    by_pair = np.zeros((3, 2))
    by_pair[2] = slope  # by either amount, through the total alone
    got = jax.jit(jax.jacfwd(look, argnums=(0, 1, 2)))(p, pair, jnp.asarray(1.0))
    np.testing.assert_allclose(got[0], by_p, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(got[1], by_pair, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(got[2], [0.0, 0.5 / 0.8, 0.0], rtol=1e-12, atol=1e-13)


def test_lanes_that_fail_leave_the_others_alone():
    def lanes(factor, ring):
        cells = jax.vmap(lambda r: zoo((-1.0 * factor, -0.5, -1.0, r)))(ring)
        return jax.vmap(lambda c: steady_state(c, throw=False))(cells)

    def loss(factor, ring):
        found = lanes(factor, ring)
        values = jnp.stack([found.state.cusp / LARGE, found.state.ring])
        return jnp.nansum(values), found

    graded = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))
    # Beyond 1 the ring has no steady state: its flow has no end, and Newton's method goes round for ever.
    (_, found), (by_factor, by_ring) = graded(1.0, jnp.asarray([0.6, 1.5, jnp.nan, 0.8]))
    good = np.array([True, False, False, True])
    np.testing.assert_array_equal(np.isfinite(found.state.ring), good)
    np.testing.assert_allclose(found.state.ring[good], [0.8, 0.6], rtol=1e-15)
    slope = float(jax.grad(cubic)(-1.0))
    assert by_factor == pytest.approx(-2.0 * slope, rel=1e-12)
    np.testing.assert_allclose(by_ring, [-0.75, 0.0, 0.0, -0.8 / 0.6], rtol=1e-12)
    codes = [RESULTS.successful, RESULTS.no_steady_state, RESULTS.nonfinite_input, RESULTS.successful]
    np.testing.assert_array_equal(found.result._value, [int(code._value) for code in codes])
    assert np.isnan(found.eigenvalues[1]).all()
    assert found.eigenvalues.shape == (4, 6)


def test_errors_name_cause_and_remedy(rest):
    with pytest.raises(RuntimeError, match=r"No steady state was found .* give a `start`"):
        steady_state(zoo((-1.0, -0.5, -1.0, 1.5)))
    with pytest.raises(RuntimeError, match="not conserved by its `derivative`; leave it out"):
        steady_state(zoo(wrong_total=1.0))
    with pytest.raises(RuntimeError, match=r"is singular: .* complete `totals`"):
        steady_state(zoo((-1.0, -0.5, 0.0, 0.0)), zoo().init()._replace(fork=jnp.asarray(0.0)))
    given = zoo().init()
    assert isinstance(rest.state, Animals)
    assert jax.tree.structure(given) == jax.tree.structure(rest.state)


@pytest.mark.slow
def test_gradients_of_the_pump_leak_cell(shared):
    """Volume, chloride and potential by every parameter, against the analytic solution of the electroneutral cell."""
    cases = json.loads((shared / "reference" / "homeostasis" / "pump_leak_steady.json").read_text())["cases"]
    case = next(x for x in cases if x["id"] == "Dusterwald2018_default")
    # The less charge the membrane holds the nearer the cell is to electroneutral, and the farther apart are its sizes.
    cell = dusterwald_2018.model(capacitance=2e-6, exponent=3.0)
    start = cell.init()
    start = start._replace(cl=1.3 * start.cl, volume=1.1 * start.volume)

    def look(cell):
        state = steady_state(cell, start).state
        inside = cell.concentrations(state)
        return {
            "V": cell.voltage(state),
            "Na": inside.na,
            "K": inside.k,
            "Cl": inside.cl,
            "lnVol": jnp.log(state.volume),
        }

    got = jax.jit(look)(cell)
    for name in ("Na", "K", "Cl"):
        assert got[name] == pytest.approx(case["expected"][f"{name}_in_mM"], rel=1e-8)
    assert got["V"] == pytest.approx(case["expected"]["V_mV"], rel=1e-8)
    slopes = jax.jit(jax.jacrev(look))(cell)
    # Of the reference: volts and molar by S/dm2 (10 mS/cm2), molar and C/(dm2 s) (1e4 uA/cm2).
    per = {"gNa": 10.0, "gK": 10.0, "gCl": 10.0, "gKCC": 10.0, "p": 1e4, "z": 1.0, "Ko": 1e3, "Clo": 1e3}
    field = {"gNa": "g_na", "gK": "g_k", "gCl": "g_cl", "gKCC": "g_kcc2", "p": "pump", "z": "z", "Ko": "k_o"}
    field["Clo"] = "cl_o"
    for parameter, name in field.items():
        known = case["implicit_gradients"][parameter]
        for quantity, slope in slopes.items():
            unit = 1.0 if quantity == "lnVol" else 1e3
            found = float(getattr(slope, name)) * per[parameter] / unit
            assert found == pytest.approx(known[f"d{quantity}_d"], rel=1e-6), (parameter, quantity)


def closed(g_k, *, from_charge):
    """A cell with leaks and a pump in a closed surrounding; water moves between both."""
    inside = Compartment.balanced({Na: 15.0, K: 140.0, Cl: 8.0}, 2.0, potential=-70.0, capacitance=20.0)
    outside = Compartment.balanced({Na: 145.0, K: 4.0, Cl: 139.0}, 1.0, valence=-1.0, potential=70.0, capacitance=20.0)
    leaks = [Channel(AlwaysOpen(), Ohmic(g, species=ion)) for g, ion in ((0.5, Na), (g_k, K), (3.0, Cl))]
    pump = Published(sodium_pumps.cressman, catalogue.NA_K_ATPASE, 2e-4)
    membrane = Membrane("cell", "ecs", 20.0, [*leaks, pump], water=2e-6)
    compartments = {"cell": inside, "ecs": outside}
    return Cell(membrane, compartments, temperature=310.0, start=-70.0, from_charge=from_charge)


@pytest.mark.slow
@pytest.mark.parametrize("from_charge", [False, True], ids=["capacitor", "charge"])
def test_closed_cell_rests_with_the_particles_and_the_water_of_its_start(from_charge):
    """At rest the potential is what an hour of integration at a tolerance of 1e-10 ends at."""

    @jax.jit
    def look(g_k):
        cell = closed(g_k, from_charge=from_charge)
        found = steady_state(cell)
        return cell.voltage(found.state), (found, cell.totals(cell.init()), cell.totals(found.state))

    v, (found, before, after) = look(8.0)
    assert v == pytest.approx(-55.58097239, abs=1e-7)
    np.testing.assert_allclose(after, before, rtol=1e-13, atol=1e-12)
    # Nine unknowns, or eight without the potential, of which four amounts move freely.
    np.testing.assert_allclose(np.real(found.eigenvalues), [-2.0545e-5, -7.7434e-5, -1.03477e-3, -0.575152], rtol=1e-4)
    slope = jax.jit(jax.grad(lambda g: look(g)[0]))(8.0)
    h = 2e-3
    step = lambda k: float(look(8.0 + k * h)[0] - look(8.0 - k * h)[0])
    assert slope == pytest.approx((8.0 * step(1) - step(2)) / (12.0 * h), rel=1e-8)
