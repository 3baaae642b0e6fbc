"""The audit of pump-leak cells: shipped cases, altered numbers, other parameters and protocols, bad files."""

import copy
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, fsolve
from test_check import CASES, audit, audit_junk, mutated, rest_slow, shipped, short

from jaxmem import check
from jaxmem.check import Verdict
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

SHIPPED = {"pump_leak_steady": 193, "pump_leak_transients": 133, "keener_sneyd_pump_leak": 62}
CELL = {"gNa": 0.003, "gK": 0.01, "gCl": 0.004, "gKCC": 0.001, "Nao": 0.14, "Ko": 0.005, "Clo": 0.12}
CELL |= {"z": -0.7, "Vt": 0.0258, "Pi_o": 0.31, "pump_exponent_n": 2.5}


def fails(rows):
    return short(row for row in rows if row.verdict is not Verdict.PASSED)


@pytest.fixture(scope="module")
def rows():
    return check.run(CASES / f"{name}.json" for name in SHIPPED)


def test_every_shipped_case_passes(rows):
    assert fails(rows) == []
    assert {name: sum(row.case.startswith(f"{name}:") for row in rows) for name in SHIPPED} == SHIPPED
    courses = [row for row in rows if "rows[" in row.case and "transients" in row.case]
    assert len(courses) == 133 and all(row.error < 0.2 * row.tolerance for row in courses)


def test_the_shipped_cases_are_those_of_the_project(shared):
    for name in SHIPPED:
        assert shipped(name) == json.loads((shared / "reference" / "homeostasis" / f"{name}.json").read_text("utf-8"))


def alter(value):
    if isinstance(value, dict):
        return {key: alter(x) for key, x in value.items()}
    if isinstance(value, list):
        return [alter(x) for x in value]
    return value * (1 + 1e-4) if isinstance(value, int | float) else value


@pytest.mark.parametrize("name", rest_slow(SHIPPED, "keener_sneyd_pump_leak"))
def test_any_altered_number_fails(tmp_path, name):
    content = shipped(name)
    for case in content.get("cases", [content.get("case")]):
        for key in ("expected", "implicit_gradients", "P_minimum_volume", "P_max"):
            if key in case:
                case[key] = alter(case[key])
        case.pop("published", None)
        for row in case.get("rows", []):
            row.update(alter({key: x for key, x in row.items() if key not in ("P", "t_s")}))
    found = audit(tmp_path, content)
    assert short(row for row in found if row.verdict is not Verdict.FAILED and row.expected != 0.0) == []
    assert len(found) > 50


# --- other parameters ---


def balance(p, pump, constant):
    """Na, K, Cl, V of a steady state in M and V, by a solver for nonlinear equations."""
    nernst = lambda o, i: p["Vt"] * np.log(o / i)

    def equations(x):
        na, k, cl = np.exp(x[:3])
        v = 0.01 * x[3]
        j = pump if constant else pump * (na / p["Nao"]) ** p["pump_exponent_n"]
        e_na, e_k, e_cl = nernst(p["Nao"], na), nernst(p["Ko"], k), -nernst(p["Clo"], cl)
        kcc2 = p["gKCC"] * (e_k - e_cl)
        rest = p["Pi_o"] - na - k - cl
        flows = (p["gNa"] * (v - e_na) + 3 * j, p["gK"] * (v - e_k) - 2 * j - kcc2, p["gCl"] * (v - e_cl) + kcc2)
        return [*(1e4 * y for y in flows), 1e2 * (na + k - cl + p["z"] * rest)]

    x, _, status, message = fsolve(equations, [*np.log([0.014, 0.12, 0.006]), -7.0], xtol=1e-13, full_output=True)
    assert status == 1 or np.max(np.abs(equations(x))) < 1e-9, message
    na, k, cl = np.exp(x[:3])
    return np.array([na, k, cl, 0.01 * x[3]])


@pytest.mark.parametrize("constant", [False, True])
def test_other_steady_states(tmp_path, constant):
    pump = 6e-5 if constant else 0.02
    solve = lambda **changes: balance({**CELL, **changes}, pump, constant)
    na, k, cl, v = solve()
    step = 1e-4
    by_z = (solve(z=CELL["z"] + step) - solve(z=CELL["z"] - step)) / (2 * step)
    x = CELL["Pi_o"] - na - k - cl
    key = "Jp_C_per_dm2_s" if constant else "p_C_per_dm2_s"
    case = {
        "parameters": {**CELL, key: pump},
        "expected": {"V_mV": 1e3 * v, "Na_in_mM": 1e3 * na, "volume_per_mol_impermeant_L_per_mol": 1 / x},
        "implicit_gradients": {
            "z": {"dV_d": by_z[3], "dK_d": by_z[1], "dlnVol_d": by_z[:3].sum() / x},
            "Jp" if constant else "p": {"dfoo_d": 1.0},
            "p" if constant else "Jp": {"dV_d": 1.0},
        },
        "rtol": 1e-8,
        "rtol_gradients": 1e-5,
    }
    found = audit(tmp_path, {"cases": [case]})
    assert [row.verdict for row in found] == [Verdict.PASSED] * 6 + [Verdict.NOT_COVERED] * 2


def course(p, start, pumps, switches, times):
    """Amounts [fmol] and volume [pL] of a cell in scipy, the pump switched; V at the times."""
    f, area = 96485.0, lambda w: 2 * np.sqrt(np.pi * p["L"] * w)  # dm2, L
    nernst = lambda o, i: p["Vt"] * np.log(o / i)

    def potential(y):
        charge = y[0] + y[1] - y[2] + p["z"] * 1e15 * p["nX"]
        return 1e-15 * f * charge / (p["C"] * area(1e-12 * y[3]))

    def slope(t, y, pump):
        na, k, cl = 1e-3 * y[:3] / y[3]
        a, v = area(1e-12 * y[3]), potential(y)
        e_na, e_k, e_cl = nernst(p["Nao"], na), nernst(p["Ko"], k), -nernst(p["Clo"], cl)
        j, kcc2 = pump * (na / p["Nao"]) ** p["pump_exponent_n"], p["gKCC"] * (e_k - e_cl)
        i = (p["gNa"] * (v - e_na) + 3 * j, p["gK"] * (v - e_k) - 2 * j - kcc2, -p["gCl"] * (v - e_cl) - kcc2)
        inside = na + k + cl + 1e12 * p["nX"] / y[3]
        return [*(-1e15 * a * x / f for x in i), 1e12 * 0.018 * p["pw"] * a * (inside - p["Pi_o"])]

    y, found, begin = np.asarray(start, float), {}, 0.0
    for pump, end in zip(pumps, [*switches, times[-1]], strict=True):
        here = [t for t in times if begin < t <= end]
        run = solve_ivp(
            slope, (begin, end), y, "BDF", here, args=(pump,), rtol=1e-9, atol=np.abs(y) * 1e-12, max_step=np.inf
        )
        found |= {t: (1e3 * potential(run.y[:, k]), *run.y[:, k]) for k, t in enumerate(here)}
        y, begin = (run.y[:, -1] if here and here[-1] == end else y), end
    return found


def test_another_protocol(tmp_path):
    """Other switch times, values and cell, against scipy; the text names the values, the list the times."""
    p = {**CELL, "pump_exponent_n": 3, "C": 1e-4, "L": 4e-4, "pw": 1e-3, "nX": 4e-13}
    w = 2.5e-12
    start = [0.02 * w, 0.115 * w, 0.0]
    start[2] = start[0] + start[1] + p["z"] * p["nX"] + 3e-17
    times = [20.0, 40.0, 90.0, 150.0, 300.0]
    pumps, switches = (0.0, 0.2, 0.07), [40.0, 150.0]
    wanted = course(p, [*(1e15 * x for x in start), 1e12 * w], pumps, switches, times)
    amounts = dict(zip(("N_Na", "N_K", "N_Cl", "volume"), [*start, w], strict=True))
    text = "p = 0.1 for t<0; p = 0 for 0<=t<600 s; p = 0.2 for 600<=t<700 s; p = 0.1 afterwards"
    case = {
        "parameters": {
            **p,
            "p0_C_per_dm2_s": 0.07,
            "initial_amounts_mol_and_volume_L": amounts,
            "protocol": {"text": text, "switch_times": switches},
        },
        "rows": [
            {"t_s": t, "expected": {"V_mV": v, "Na_in_mM": na / vol, "volume_L": 1e-12 * vol}}
            for t, (v, na, _, _, vol) in wanted.items()
        ],
        "rtol": 1e-4,
    }
    found = audit(tmp_path, {"cases": [case]})
    assert fails(found) == [] and len(found) == 15
    other = copy.deepcopy(case)
    other["parameters"]["protocol"]["switch_times"] = [41.0, 150.0]
    assert len(fails(audit(tmp_path, {"cases": [other]}))) > 3
    # Without a list the times are those of the text; without amounts the cell starts at rest with its first pump.
    del case["parameters"]["initial_amounts_mol_and_volume_L"]
    case["parameters"]["protocol"] = {"text": text.replace("600", "40").replace("700", "150")}
    case["rows"] = [{"t_s": 1e-9, "expected": {"X_in_mM": 1.0}}]
    (row,) = audit(tmp_path, {"cases": [case]})
    na, k, cl, _ = balance({**CELL, "pump_exponent_n": 3}, 0.07, False)
    assert row.got == pytest.approx(1e3 * (CELL["Pi_o"] - na - k - cl), rel=1e-6)


def test_another_curve(tmp_path):
    na, k, gamma, z, vt = 145.0, 4.0, 0.07, -0.6, 26.7
    alpha = lambda p: (na * np.exp(-3 * p) + k * np.exp(2 * p * gamma)) / (na + k)
    p = 1.3
    mu = (1 + np.sqrt(z**2 + alpha(p) * (1 - z**2))) / (2 * (1 - alpha(p)))
    y = (-z + np.sqrt(z**2 + 4 * alpha(p) * mu**2)) / (2 * alpha(p) * mu)
    names = ("Ne_mM", "Ke_mM", "gamma_gNa_over_gK", "z", "RT_over_F_mV")
    case = {
        "parameters": dict(zip(names, (na, k, gamma, z, vt), strict=True)),
        "rows": [{"P": p, "mu": mu, "V_mV": -vt * np.log(y), "rho_cubic": p / (y * np.exp(-3 * p)) ** 3, "eta": 1.0}],
        "P_max": brentq(lambda p: alpha(p) - 1, 1.0, 100.0, xtol=1e-14),
    }
    found = audit(tmp_path, {"cases": [case, case], "rtol": 1e-9})
    assert [row.verdict for row in found] == ([Verdict.PASSED] * 3 + [Verdict.NOT_COVERED] + [Verdict.PASSED]) * 2


# --- what is wrong ---


def without(key):
    return lambda case: case["parameters"].pop(key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("gK"), "must have the field 'gK'"),
        (without("p_C_per_dm2_s"), "must have a pump, p_C_per_dm2_s or Jp_C_per_dm2_s"),
        (lambda c: c["parameters"].update(gNa="much"), "gNa of parameters of cell must be a finite number"),
        (lambda c: c["parameters"].update(Nao=-1), "must not be negative"),
        (lambda c: c.update(expected=[1]), "must be an object"),
        (lambda c: c.update(implicit_gradients={"z": 1}), "must be an object"),
        (lambda c: c.update(rows=[{"expected": {"V_mV": 1.0}}]), "must have the field 't_s'"),
        (lambda c: c.update(rows=[{"t_s": -1.0}]), "t_s of cell must not be negative"),
        (
            lambda c: c.update(rows=[{"t_s": 1.0}], parameters={**c["parameters"], "protocol": {"switch_times": [3]}}),
            "must say in its text what p is between the 1 switch_times",
        ),
        (
            lambda c: c.update(
                rows=[{"t_s": 1.0}], parameters={**c["parameters"], "initial_amounts_mol_and_volume_L": {"N_Na": 1.0}}
            ),
            "must have the field 'N_K'",
        ),
    ],
)
def test_malformed_cases_are_one_line(tmp_path, change, message):
    case = {"id": "cell", "parameters": {**CELL, "p_C_per_dm2_s": 0.1}, "expected": {}}
    change(case)
    with pytest.raises(InputError) as problem:
        audit(tmp_path, {"cases": [case]})
    assert message in str(problem.value) and "\n" not in str(problem.value)


def test_a_run_that_goes_nowhere_fails_and_stops_nothing(tmp_path):
    """A cell without leaks has no steady state to start from."""
    parameters = {**CELL, "p_C_per_dm2_s": 0.1, "gNa": 0.0}
    rest = {"parameters": parameters, "expected": {"V_mV": 1.0}}
    run = {"parameters": parameters, "rows": [{"t_s": 1.0, "expected": {"V_mV": 1.0}}, {"t_s": 0.0, "expected": {}}]}
    found = audit(tmp_path, {"cases": [rest, run]})
    assert [row.verdict for row in found] == [Verdict.FAILED] * 2


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_never_escape_as_another_error(tmp_path, data):
    steady = shipped("pump_leak_steady")
    curve = shipped("keener_sneyd_pump_leak")
    curve["case"]["rows"] = curve["case"]["rows"][:2]
    content = data.draw(st.sampled_from([{**steady, "cases": [steady["cases"][0], steady["cases"][-1]]}, curve]))
    audit_junk(tmp_path, mutated(content, data))
