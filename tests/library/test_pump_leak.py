"""Pump-leak cells: the analytic steady state, the cell that comes to it, their derivatives, the dimensionless curve."""

import json
from importlib.resources import files

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import simulate
from jaxmem.library import dusterwald_2018, kay_2017, keener_sneyd
from jaxmem.library.dusterwald_2018 import PumpLeak, analytic_steady_state

pytestmark = pytest.mark.x64

CASES = files("jaxmem.check") / "cases"


@eqx.filter_jit
def solution(cell):
    """V [mV], Na, K, Cl, X [mM], pump [uA/cm2]."""
    rest = analytic_steady_state(cell)
    return jnp.stack([rest.v, *rest.concentrations, rest.pump])


def test_the_published_rest():
    v, na, k, cl, x, pump = solution(dusterwald_2018.model())
    assert abs(v + 72.6) < 0.05 and abs(cl - 5.2) < 0.05 and abs(na - 14.002) < 1e-3
    assert round(1e4 * float(jnp.log10(1e-4 * pump))) == -40456
    assert abs(na + k + cl + x - 297.0) < 1e-10 and abs(na + k - cl - 0.85 * x) < 1e-10


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"g_kcc2": 0.0, "exponent": 0.0, "pump": 0.5},
        {"g_cl": 0.1, "g_kcc2": 0.3, "z": -1.7, "exponent": 1.5},
        {"z": 0.0, "pump": 3e5},
        {"z": 1.0, "pump": 1.0, "k_o": 20.0},
        {"z": -1.0, "pump": 0.0},
    ],
)
def test_the_analytic_state_balances_every_current(change):
    """From the equations, whatever the solution: leaks, pump and KCC2 of every ion, charge, osmolarity."""
    c = dusterwald_2018.model(**change)
    v, na, k, cl, x, pump = (float(y) for y in solution(c))
    p = {f.name: float(getattr(c, f.name)) for f in c.__dataclass_fields__.values()}
    nernst = lambda o, i: p["rt_over_f"] * np.log(o / i)
    e_na, e_k, e_cl = nernst(p["na_o"], na), nernst(p["k_o"], k), -nernst(p["cl_o"], cl)
    kcc2 = p["g_kcc2"] * (e_k - e_cl)
    assert_allclose(pump, p["pump"] * (na / p["na_o"]) ** p["exponent"], rtol=1e-11)
    assert_allclose(p["g_na"] * (v - e_na), -3 * pump, rtol=1e-9, atol=1e-12)
    assert_allclose(p["g_k"] * (v - e_k), 2 * pump + kcc2, rtol=1e-9, atol=1e-12)
    assert_allclose(p["g_cl"] * (v - e_cl), -kcc2, rtol=1e-9, atol=1e-12)
    assert_allclose([na + k + cl + x, na + k - cl + p["z"] * x], [p["osmolarity"], 0.0], atol=1e-9)


def test_a_cell_that_no_pump_holds_together_is_not_a_number():
    assert np.isnan(solution(dusterwald_2018.model(z=-5.0, k_o=500.0))[0])


def given(case):
    """The cell of a shipped case, in its own words."""
    p = case["parameters"]
    pump, n = (p["Jp_C_per_dm2_s"], 0) if p["p_C_per_dm2_s"] is None else (p["p_C_per_dm2_s"], p["pump_exponent_n"])
    g = {
        f"g_{ion}": 10 * p[key]
        for ion, key in zip(("na", "k", "cl", "kcc2"), ("gNa", "gK", "gCl", "gKCC"), strict=True)
    }
    out = {"na_o": 1e3 * p["Nao"], "k_o": 1e3 * p["Ko"], "cl_o": 1e3 * p["Clo"], "osmolarity": 1e3 * p["Pi_o"]}
    return dusterwald_2018.model(**g, **out, pump=1e4 * pump, exponent=n, z=p["z"], rt_over_f=1e3 * p["Vt"])


def shipped(name):
    return json.loads((CASES / f"{name}.json").read_text("utf-8"))


FIELDS = {"p": "pump", "Jp": "pump", "gNa": "g_na", "gK": "g_k", "gCl": "g_cl", "gKCC": "g_kcc2", "z": "z"}
FIELDS |= {"Ko": "k_o", "Clo": "cl_o"}
UNITS = {"p": 1e4, "Jp": 1e4, "z": 1.0, "Ko": 1e3, "Clo": 1e3}  # conductances: 10


def test_reference_states_and_their_derivatives():
    slopes = eqx.filter_jit(eqx.filter_jacfwd(solution))
    checked = 0
    for case in shipped("pump_leak_steady")["cases"]:
        if "parameters" not in case:
            continue
        cell = given(case)
        v, na, k, cl, x, pump = solution(cell)
        wanted = [case["expected"][key] for key in ("V_mV", "Na_in_mM", "K_in_mM", "Cl_in_mM", "X_in_mM", "log10_Jp")]
        assert_allclose([v, na, k, cl, x, np.log10(1e-4 * pump)], wanted, rtol=1e-9)
        by = slopes(cell)
        for parameter, table in case["implicit_gradients"].items():
            d = UNITS.get(parameter, 10.0) * getattr(by, FIELDS[parameter])
            got = [*(1e-3 * d[:4]), -d[4] / x]
            assert_allclose(got, [table[f"d{y}_d"] for y in ("V", "Na", "K", "Cl", "lnVol")], rtol=1e-8, atol=1e-12)
            checked += 1
    assert checked == 16


def test_reverse_mode_agrees():
    cell = dusterwald_2018.model()
    back, forward = eqx.filter_jit(
        lambda c: [by(lambda c: solution(c)[0])(c) for by in (eqx.filter_grad, eqx.filter_jacfwd)]
    )(cell)
    for a, b in zip(jax.tree.leaves(back), jax.tree.leaves(forward), strict=True):
        assert_allclose(a, b, rtol=1e-9)


def test_the_cell_starts_at_the_amounts_of_the_reference():
    cell = dusterwald_2018.model()
    state = eqx.filter_jit(lambda c: c.init())(cell)
    wanted = shipped("pump_leak_transients")["cases"][0]["parameters"]["initial_amounts_mol_and_volume_L"]
    amounts = cell.amounts(state)
    assert_allclose(
        [amounts.na, amounts.k, amounts.cl, state.volume],
        [1e15 * wanted["N_Na"], 1e15 * wanted["N_K"], 1e15 * wanted["N_Cl"], 1e12 * wanted["volume"]],
        rtol=1e-12,
    )
    again = cell.filled(amounts.na, amounts.k, amounts.cl, state.volume)
    assert_allclose(jnp.stack(again), jnp.stack(state), rtol=1e-10)
    assert_allclose(cell.voltage(state), solution(cell)[0], rtol=1e-10)


def test_currents_carry_the_ions():
    """The charge inside changes by what crosses the membrane, Na by -(I_Na + 3 J), all by hand; and an injected K."""
    cell = dusterwald_2018.model(g_kcc2=0.3, permeability=1.0)
    state = cell.filled(*map(jnp.asarray, (60.0, 230.0, 30.0, 2.5)))
    seen = {key: float(x) for key, x in cell.observe(state).items()}
    slope = jax.jit(lambda s, i: eqx.filter_jit(cell.derivative)(s, i))(state, jnp.asarray(7.0))
    area = 2 * np.pi * np.sqrt(2.5e3 / (np.pi * 25.0)) * 25.0
    current = lambda g, e: 0.01 * area * g * (seen["V"] - e)
    kcc2 = 0.01 * area * 0.3 * (seen["E_K"] - seen["E_Cl"])
    pump = 0.01 * area * 1000.0 * (seen["Na_in"] / 145.0) ** 3
    i_na = current(0.02, seen["E_Na"]) + 3 * pump
    i_k, i_cl = current(0.07, seen["E_K"]) - 2 * pump - kcc2 - 7.0, current(0.02, seen["E_Cl"]) + kcc2
    assert_allclose(slope.k, -i_k / 96485.0, rtol=1e-12)
    assert_allclose(slope.cl, i_cl / 96485.0, rtol=1e-12)
    assert_allclose(slope.charge - slope.k + slope.cl, -i_na / 96485.0, rtol=1e-10)
    osmolarity = (60.0 + 230.0 + 30.0 + float(cell.impermeant)) / 2.5
    assert_allclose(slope.volume, 1.8e-5 * 1.0 * area * 1e-3 * (osmolarity - 297.0), rtol=1e-12)
    assert_allclose(seen["V"], 96485.0 * float(state.charge) / (2.0 * 0.01 * area), rtol=1e-12)


@pytest.mark.slow
def test_the_rest_of_the_cell_and_its_derivatives_are_near_the_analytic_ones():
    """The capacitor's charge moves them by 3e-5; a smaller capacitor by less, in proportion."""

    def rest(cell):
        state = simulate.steady_state(cell).state
        c = cell.concentrations(state)
        found = jnp.stack([cell.voltage(state), *c])
        return found, found

    def analytic(cell):
        found = solution(cell)[:5]
        return found, found

    both = eqx.filter_jit(lambda cell: [eqx.filter_jacfwd(f, has_aux=True)(cell) for f in (rest, analytic)])
    off = []
    for capacitance, bound in ((2.0, 1e-4), (2e-4, 1e-8)):
        (by, got), (by_analytic, wanted) = both(dusterwald_2018.model(capacitance=capacitance))
        off.append(np.max(np.abs(got / wanted - 1)))
        for name in FIELDS.values():
            a, b = getattr(by, name), getattr(by_analytic, name)
            assert np.max(np.abs(a - b)) < 20 * bound * np.max(np.abs(b))
        if capacitance == 2.0:
            assert_allclose(got[2], 122.87332818715299, rtol=1e-8)  # of the ordinary differential equation
    assert off[0] < 1e-4 and off[1] == pytest.approx(1e-4 * off[0], rel=0.05)


def test_kay():
    v, na, k, cl, x, pump = solution(kay_2017.model())
    assert_allclose([v, na, k, cl, x, pump], [-94.1330843470219, 16.70614255562738, 133.29385744437263,
                                              3.843731389011303, 146.1562686109887, 0.5], rtol=1e-9)  # fmt: skip
    cell = kay_2017.model()
    assert_allclose(cell.impermeant / x, 4 / 3 * np.pi * 5.0**3 * 1e-3, rtol=1e-4)  # a sphere of 5 um


# --- the curve of Keener and Sneyd ---


def test_the_curve_is_that_of_the_reference():
    case, curve = shipped("keener_sneyd_pump_leak")["case"], keener_sneyd.Curve()
    point = jax.jit(lambda p: jnp.stack(keener_sneyd.Curve()(p)))(jnp.asarray([row["P"] for row in case["rows"]]))
    keys = ("alpha", "mu", "V_mV", "V_Na_mV", "V_K_mV", "rho_cubic")
    assert_allclose(point, [[row[key] for row in case["rows"]] for key in keys], rtol=1e-9)
    assert_allclose(curve.minimum_volume(), case["P_minimum_volume"], rtol=1e-9)
    assert_allclose(curve.largest_pump(), case["P_max"], rtol=1e-9)


def test_the_curve_turns_where_it_says():
    curve = keener_sneyd.Curve(na_o=145.0, k_o=5.0, gamma=0.05, z=-0.7)
    volume = jax.jit(lambda p: curve(p).mu)
    slope = jax.jit(jax.grad(volume))
    least, most = curve.minimum_volume(), curve.largest_pump()
    assert abs(slope(least)) < 1e-12 * volume(least) and slope(least - 0.1) < 0 < slope(least + 0.1)
    assert volume(most - 1e-9) > 1e6 and curve(most).alpha == pytest.approx(1.0)
    assert keener_sneyd.Curve(na_o=5.0, k_o=200.0, gamma=1.0).largest_pump() == 0.0


@pytest.mark.slow
def test_a_cell_rests_on_the_curve():
    for z in (-1.0, -0.4):
        curve = keener_sneyd.Curve(z=z)
        for pump in (0.1, 1.77, 8.0):
            v, na, k, _, x, _ = solution(keener_sneyd.model(pump=pump, curve=curve))
            point = curve(jnp.asarray(pump))
            assert_allclose([v, 457.0 / x], [point.v, point.mu], rtol=1e-10)
            assert_allclose([25.8 * np.log(437.0 / na), 25.8 * np.log(20.0 / k)], [point.v_na, point.v_k], rtol=1e-8)


def test_the_cell_is_a_cell():
    assert isinstance(keener_sneyd.model(), PumpLeak)
