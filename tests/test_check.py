"""The audit: shipped cases pass, wrong numbers fail, other parameters run, the unknown is never passed."""

import copy
import json
import math
from importlib.resources import files

import jax
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jaxmem import check
from jaxmem.check import Verdict
from jaxmem.check.run import FORMATS
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

CASES = files("jaxmem.check") / "cases"
R, F = 8.314, 96485.0  # legacy constants


def shipped(name):
    return json.loads((CASES / f"{name}.json").read_text("utf-8"))


def audit(folder, *contents):
    """The rows of contents that are written to files of meaningless names."""
    for old in folder.glob("*.json"):
        old.unlink()
    for k, content in enumerate(contents):
        (folder / f"{k}.json").write_text(
            content if isinstance(content, str) else json.dumps(content), "utf-8"
        )
    return check.run([folder])


def short(rows):
    return [(row.case, row.quantity, row.expected, row.got) for row in rows]


def verdicts(rows):
    return [(row.quantity, row.verdict) for row in rows]


#: Shipped cases of cells, which take longer; `test_check_pump_leak`, `test_check_cressman` and `test_check_spreading`
#: audit them.
CELLS = ("pump_leak_steady", "pump_leak_transients", "keener_sneyd_pump_leak", "cressman2009")
CELLS += ("hubel_dahlem2014", "hubel_ullah2016", "wei_ullah_schiff2014")


def rest_slow(names, quick):
    """Cases to alter: one always, the others with the slow tests. That they fail is what their number of rows and their
    tolerances say already, of the rows that pass."""
    return [name if name == quick else pytest.param(name, marks=pytest.mark.slow) for name in names]


@pytest.fixture(scope="module")
def rows():
    return check.run(file for file in CASES.iterdir() if file.stem not in CELLS)


def test_every_shipped_case_passes(rows):
    assert [row for row in rows if row.verdict is not Verdict.PASSED] == []
    assert len(rows) == 3265
    assert {row.case.partition(":")[0] for row in rows} == {
        *("thermodynamics", "cycles", "gating", "closed_forms", "two_site_3B2S_K_Na", "three_site_K_channel"),
        *("cav_two_site_Ca_Ba_Na", "gramicidin_two_site", "nak_pump", "ncx", "cotransporters", "serca", "sglt1"),
    }
    numbers = [row for row in rows if row.expected is not None]
    assert all(row.error <= row.tolerance for row in numbers)
    assert all(row.tolerance <= 1e-5 for row in numbers if row.expected)


def test_the_shipped_cases_are_those_of_the_project(shared):
    for name, folder in (("thermodynamics", "transport"), ("cycles", "transport"), ("gating", "permeation")):
        assert shipped(name) == json.loads(
            (shared / "reference" / folder / f"{name}.json").read_text("utf-8")
        )


def test_every_reference_file_has_its_format(shared):
    for path in sorted((shared / "reference").rglob("*.json")):
        data = json.loads(path.read_text())
        data = {"cases": data} if isinstance(data, list) else data
        assert sum(kind.recognizes(data) for kind in FORMATS) >= 1, path.name


# --- cycles ---


def triangle(rates=((10.0, 1.0), (5.0, 2.0), (7.0, 0.5)), **fields):
    """A driven triangle, solved here by the matrix-tree theorem."""
    (a, b), (c, d), (e, f) = rates
    trees = [c * e + b * e + b * d, a * e + a * d + d * f, a * c + c * f + b * f]
    total = sum(trees)
    flux = (a * c * e - b * d * f) / total
    p = [tree / total for tree in trees]
    return {
        "id": "anything",
        "parameters": {
            "n_states": 3,
            "edges_i_j_kf_kr": [[1, 2, str(a), str(b)], [2, 3, c, d], [3, 1, e, f]],
            "units": "1/s",
        },
        "expected": {
            "p_ss": p,
            "edge_net_flux_per_s": {"1-2": flux, "3-2": -flux, "3-1": flux},
            "entropy_production_per_kB_per_s": flux * math.log(a * c * e / (b * d * f)),
            "spanning_tree_sum": total,
        },
        **fields,
    }


@pytest.mark.parametrize(
    "rates", [((10.0, 1.0), (5.0, 2.0), (7.0, 0.5)), ((3e4, 2.0), (0.1, 7e3), (1.0, 4e-3))]
)
def test_other_cycles_pass_and_altered_numbers_fail(tmp_path, rates):
    case = triangle(rates)
    good = audit(tmp_path, {"cases": [case]})
    assert len(good) == 8
    assert {row.verdict for row in good} == {Verdict.PASSED}
    assert {row.tolerance for row in good} == {1e-9}
    case["expected"]["p_ss"][1] *= 1 + 1e-8
    case["expected"]["spanning_tree_sum"] *= 1 + 1e-8
    bad = [row for row in audit(tmp_path, {"cases": [case]}) if row.verdict is Verdict.FAILED]
    assert [row.quantity for row in bad] == ["p_ss[2]", "spanning_tree_sum"]
    assert bad[0].error == pytest.approx(1e-8, rel=1e-4)


def test_tolerances_of_a_case_are_kept(tmp_path):
    case = triangle(rtol=1e-3, atol_edge_flux_per_s=0.5)
    case["expected"]["p_ss"] = [p * (1 + 0.9e-3) for p in case["expected"]["p_ss"]]
    case["expected"]["edge_net_flux_per_s"] = {"1-2": case["expected"]["edge_net_flux_per_s"]["1-2"] + 0.4}
    assert {row.verdict for row in audit(tmp_path, {"cases": [case]})} == {Verdict.PASSED}
    case["rtol"], case["atol_edge_flux_per_s"] = 0.8e-3, 0.3
    failed = [row.quantity for row in audit(tmp_path, {"cases": [case]}) if row.verdict is Verdict.FAILED]
    assert failed == ["p_ss[1]", "p_ss[2]", "p_ss[3]", "edge_net_flux_per_s[1-2]"]


def test_eigenvalues_have_tolerances_of_their_own_and_no_order(tmp_path):
    n, rates = 5, np.array([[3.0, 1.0], [0.2, 7.0], [1.0, 1.0], [4.0, 0.1], [2.0, 2.5]])
    q = np.zeros((n, n))
    for k, (forward, backward) in enumerate(rates):
        q[k, (k + 1) % n], q[(k + 1) % n, k] = forward, backward
    q -= np.diag(q.sum(1))
    values = np.linalg.eigvals(q)[::-1]
    case = {
        "parameters": {
            "n_states": n,
            "edges_i_j_kf_kr": [[k + 1, (k + 1) % n + 1, *pair] for k, pair in enumerate(rates.tolist())],
        },
        "expected": {"eigenvalues_per_s": [[x.real, x.imag] for x in values]},
        "atol_eigenvalues": 1e-12,
    }
    assert {row.verdict for row in audit(tmp_path, {"cases": [case]})} == {Verdict.PASSED}
    case["expected"]["eigenvalues_per_s"][0][0] *= 1 + 1e-5
    assert [row.verdict for row in audit(tmp_path, {"cases": [case]})].count(Verdict.FAILED) == 1
    case["rtol_eigenvalues"] = 1e-4
    assert {row.verdict for row in audit(tmp_path, {"cases": [case]})} == {Verdict.PASSED}


def test_rates_in_another_unit_and_zero_net_flux(tmp_path):
    case = triangle(((2.0, 2.0), (3.0, 3.0), (0.5, 0.5)))
    case["parameters"]["units"] = "1/ms"
    case["expected"]["entropy_production_per_kB_per_s"] = 0.0
    assert {row.verdict for row in audit(tmp_path, {"cases": [case]})} == {Verdict.PASSED}


# --- gating ---


def two_state(q=2.5, v_half=-20.0, t=310.0, kt_per_volt=None, voltages=(-90.0, -20.0, 30.0)):
    kt = t * 8.31446261815324 / 96485.33212331 if kt_per_volt is None else kt_per_volt
    points = []
    for v in voltages:
        p = 1.0 / (1.0 + math.exp(-q * 1e-3 * (v - v_half) / kt))
        points.append({"V_mV": v, "P": p, "Q_e0": q * p, "C_e0_per_V": q * q * p * (1 - p) / kt})
    return {"q_e0": q, "V_half_mV": v_half, "T_K": t, "C_peak_e0_per_V": q * q / 4 / kt, "points": points}


def test_other_sensors_pass_alone_in_a_file(tmp_path):
    found = audit(tmp_path, {"rtol": 1e-12, "two_state": [two_state(), two_state(-1.0, 10.0, 280.0)]})
    assert len(found) == 20
    assert {row.verdict for row in found} == {Verdict.PASSED}
    wrong = two_state()
    wrong["points"][0]["Q_e0"] *= 1 + 1e-5  # six digits are the default
    found = audit(tmp_path, {"two_state": wrong})
    assert [row.quantity for row in found if row.verdict is Verdict.FAILED] == ["Q_e0"]


def test_legacy_constants_are_honored(tmp_path):
    legacy = two_state(kt_per_volt=310.0 * R / F)
    for place in ({"legacy_constants": {"R": R, "F": F}}, {"R": R, "F": F}):
        found = audit(tmp_path, {"rtol": 1e-12, "two_state": {**legacy, **place}})
        assert {row.verdict for row in found} == {Verdict.PASSED}
    without = audit(tmp_path, {"rtol": 1e-12, "two_state": legacy})
    assert Verdict.FAILED in {row.verdict for row in without}


def test_other_bk_channels_pass(tmp_path):
    p = {"L0": 2e-5, "zL": 0.5, "VhJ": 120.0, "zJ": 0.8, "KD_uM": 5.0, "C": 12.0, "D": 10.0, "E": 1.5}
    kt, points = 1e3 * 300.0 * 8.31446261815324 / 96485.33212331, []
    for ca, v in ((0.0, -50.0), (3.0, 20.0), (500.0, 150.0)):
        gate, k = p["L0"] * math.exp(p["zL"] * v / kt), ca / p["KD_uM"]
        j = math.exp(p["zJ"] * (v - p["VhJ"]) / kt)
        is_open = gate * (1 + k * p["C"] + j * p["D"] + j * k * p["C"] * p["D"] * p["E"]) ** 4
        points.append({"Ca_uM": ca, "V_mV": v, "Po": is_open / (is_open + (1 + j + k + j * k * p["E"]) ** 4)})
    found = audit(tmp_path, {"rtol": 1e-11, "bk_HA2002": {"parameters": p, "T_K": 300.0, "points": points}})
    assert [row.verdict for row in found] == [Verdict.PASSED] * 3
    points[1]["Po"] *= 1.001
    found = audit(tmp_path, {"rtol": 1e-11, "bk_HA2002": {"parameters": p, "T_K": 300.0, "points": points}})
    assert [row.verdict for row in found] == [Verdict.PASSED, Verdict.FAILED, Verdict.PASSED]


def test_other_shaker_schemes_pass(tmp_path):
    """Four independent subunits (theta = 1): Po = a^4 and the charge in closed form."""
    a0, b0, g0, d0 = 500.0, 200.0, 1500.0, 80.0
    za, zb, zg, zd = 0.4, 1.2, 0.2, 0.9
    kt, steady = 1e3 * 295.0 * 8.31446261815324 / 96485.33212331, []
    for v in (-80.0, -45.0, 10.0):
        ab = a0 / b0 * math.exp((za + zb) * v / kt)
        gd = g0 / d0 * math.exp((zg + zd) * v / kt)
        total = 1 + ab + ab * gd
        charge = 4 * (ab * (za + zb) + ab * gd * (za + zb + zg + zd)) / total
        steady.append({"V_mV": v, "Po": (ab * gd / total) ** 4, "Q_e0": charge})
    names = ("alpha0", "z_alpha", "beta0", "z_beta", "gamma0", "z_gamma", "delta0", "z_delta", "theta")
    case = {
        "parameters": dict(zip(names, (a0, za, b0, zb, g0, zg, d0, zd, 1.0), strict=True)),
        "T_K": 295.0,
        "total_charge_e0": 4 * (za + zb + zg + zd),
        "steady": steady,
    }
    found = audit(tmp_path, {"rtol": 1e-12, "shaker_ZHA": case})
    assert [row.verdict for row in found] == [Verdict.PASSED] * 7


# --- thermodynamics ---


def cell(r=8.31446261815324, f=96485.33212331, **fields):
    """A cell with two cations and a proton pump, by hand."""
    t, v = 300.0, -0.05
    rt = r * t
    outside_inside = {"K": (0.005, 0.1), "Mg": (0.002, 0.0005), "H": (4e-8, 1e-7)}
    z = {"K": 1, "Mg": 2, "H": 1}
    dmu = {s: rt * math.log(i / o) + z[s] * f * v for s, (o, i) in outside_inside.items()}
    atp = -31000.0 + rt * math.log(1e-4 * 2e-3 / 4e-3)
    antiport = -dmu["Mg"] + 2 * dmu["K"]
    pump = {
        "stoichiometry_in_positive": {"H": -2},
        "ATP_hydrolysed": 1,
        "charge_moved_in_per_cycle": -2,
        "dG_transport_J_per_mol": -2 * dmu["H"],
        "dG_total_J_per_mol": -2 * dmu["H"] + atp,
        "V_rev_mV": 1e3 * (v + (-2 * dmu["H"] + atp) / (2 * f)),
    }
    exchanger = {
        "stoichiometry_in_positive": {"Mg": -1, "K": 2},
        "ATP_hydrolysed": None,
        "charge_moved_in_per_cycle": 0,
        "dG_total_J_per_mol": antiport,
        "V_rev_mV": None,
    }
    return {
        "parameters": {
            "T_K": "300",
            "V_V": v,
            "concentrations_M_out_in": {s: [str(o), i] for s, (o, i) in outside_inside.items()},
            "ATP_M": {"ATP": 4e-3, "ADP": 1e-4, "Pi": 2e-3},
            "dG0_ATP_J_per_mol": "-31000",
        },
        "expected": {
            "RT_J_per_mol": rt,
            "E_mV": {s: 1e3 * rt / (z[s] * f) * math.log(o / i) for s, (o, i) in outside_inside.items()},
            "dmu_in_J_per_mol": dmu,
            "dG_ATP_J_per_mol": atp,
            "transporters": {"pump": pump, "exchanger": exchanger},
            "limits": {"H_ATPase_2H_max_pH_gradient_at_V": (-atp + 2 * f * v) / (2 * rt * math.log(10))},
        },
        **fields,
    }


def test_other_cells_pass(tmp_path):
    found = audit(tmp_path, {"cases": [cell()]})
    assert len(found) == 16
    assert {row.verdict for row in found} == {Verdict.PASSED}


def test_a_cell_with_legacy_constants(tmp_path):
    legacy = cell(R, F)
    for k, place in enumerate(("case", "parameters", "file")):
        content = {"cases": [copy.deepcopy(legacy)]}
        if place == "case":
            content["cases"][0]["legacy_constants"] = {"R": R, "F": F}
        elif place == "parameters":
            content["cases"][0]["parameters"] |= {"R": R, "F": str(F)}
        else:
            content["constants"] = {"R_J_per_mol_K": R, "F_C_per_mol": F}
        assert {row.verdict for row in audit(tmp_path, content)} == {Verdict.PASSED}, k
    failed = [row for row in audit(tmp_path, {"cases": [legacy]}) if row.verdict is Verdict.FAILED]
    assert len(failed) == 13  # all but charges, and the potential that is undefined


def test_a_reversal_potential_is_undefined_exactly_without_charge(tmp_path):
    case = cell()
    case["expected"] = {"transporters": case["expected"]["transporters"]}
    case["expected"]["transporters"]["pump"]["V_rev_mV"] = None
    case["expected"]["transporters"]["exchanger"]["V_rev_mV"] = -10.0
    failed = [row.quantity for row in audit(tmp_path, {"cases": [case]}) if row.verdict is Verdict.FAILED]
    assert failed == ["pump V_rev_mV", "exchanger V_rev_mV"]


def test_donnan_equilibria_of_other_ions(tmp_path):
    """Monovalent bath: the closed form sinh(u) = z P / (2 c)."""
    c, p, z, t = 0.1, 0.03, 1.5, 295.0
    u = math.asinh(z * p / (2 * c))
    excess = c * (math.exp(-u) + math.exp(u)) + p - 2 * c
    case = {
        "parameters": {
            "T_K": t,
            "bath_M_z_conc": {"X": ["1", str(c)], "Y": [-1, c]},
            "impermeant_in_M": p,
            "impermeant_valence": z,
        },
        "expected": {
            "V_D_mV": 1e3 * u * R * t / F,
            "c_in_M": {"X": c * math.exp(-u), "Y": c * math.exp(u)},
            "osmotic_excess_M": excess,
            "osmotic_pressure_difference_Pa": 1e3 * R * t * excess,
            "dV_dP_mV_per_M": 1e3 * R * t / F * z / (2 * c * math.cosh(u)),
            "surface_charge": 1.0,
        },
        "legacy_constants": {"R": R, "F": F},
    }
    found = audit(tmp_path, {"donnan": [case], "cases": None})
    assert [row.verdict for row in found] == [Verdict.PASSED] * 6 + [Verdict.NOT_COVERED]


@pytest.mark.parametrize("name", ["thermodynamics", "cycles", "gating"])
def test_any_altered_number_fails(tmp_path, name):
    """Every expected number of one shipped case, a millionth off."""
    content = shipped(name)
    if name == "gating":
        content = {
            "rtol": content["rtol"],
            "two_state": content["two_state"],
            "shaker_ZHA": content["shaker_ZHA"],
        }
        conditions = {"q_e0", "V_half_mV", "T_K", "V_mV", "t_ms", "V_hold_mV", "V_test_mV"}
        altered = alter({k: v for k, v in content.items() if k != "rtol"}, conditions | {"parameters"})
        content.update(altered)
    else:
        content = {**content, "cases": content["cases"][:1]} | (
            {"donnan": []} if name == "thermodynamics" else {}
        )
        case = content["cases"][0]
        case["expected"] = alter(case["expected"], {"stoichiometry_in_positive", "ATP_hydrolysed"})
    found = audit(tmp_path, content)
    passed = [row for row in found if row.verdict is Verdict.PASSED]
    assert [row for row in passed if row.expected not in (None, 0.0)] == []
    assert len(found) > 10


def alter(value, keep):
    if isinstance(value, dict):
        return {key: x if key in keep else alter(x, keep) for key, x in value.items()}
    if isinstance(value, list):
        return [alter(x, keep) for x in value]
    return value * (1 + 1e-6) if isinstance(value, int | float) else value


# --- what is not known ---


def test_unknown_quantities_are_not_covered(tmp_path):
    cycle, gate, thermo = triangle(), two_state(), cell()
    cycle["expected"] = {"p_ss": cycle["expected"]["p_ss"], "turnover": 3.0, "eigenvalues_per_s": None}
    gate["points"] = [{"V_mV": 0.0, "entropy": 1.0}]
    thermo["parameters"]["concentrations_M_out_in"]["Xy"] = ["1", "2"]
    thermo["expected"] = {
        "E_mV": {"Xy": 1.0},
        "viscosity": 2.0,
        "limits": {"Xy_in_max_pump_M": 1.0, "K_in_setpoint_NHE_M": 1.0},
        "transporters": {"x": {"stoichiometry_in_positive": {"Xy": 1}, "V_rev_mV": 3.0}},
    }
    found = audit(tmp_path, {"cases": [cycle]}, {"two_state": [gate], "news": [1]}, {"cases": [thermo]})
    unknown = [row for row in found if row.verdict is Verdict.NOT_COVERED]
    assert [row.quantity for row in unknown] == [
        "turnover",
        "eigenvalues_per_s",
        "entropy",
        "news",
        "E_mV[Xy]",
        "viscosity",
        "limits Xy_in_max_pump_M",
        "limits K_in_setpoint_NHE_M",
        "x V_rev_mV",
    ]
    assert all(row.got is None for row in unknown)
    assert len(found) - len(unknown) == 4
    thermo["parameters"]["valences"] = {"Xy": 1}
    thermo["expected"] = {"E_mV": {"Xy": -1e3 * 8.31446261815324 * 300 / 96485.33212331 * math.log(2)}}
    (row,) = [row for row in audit(tmp_path, {"cases": [thermo]}) if "Xy" in row.quantity]
    assert row.verdict is Verdict.PASSED


@pytest.mark.parametrize(
    "content", [{}, [], 3, None, "text", {"cases": []}, {"cases": [{"id": "x"}]}, {"kind": "pnp"}]
)
def test_files_of_another_kind_are_not_covered(tmp_path, content):
    found = audit(tmp_path, json.dumps(content))
    assert verdicts(found) == [("file", Verdict.NOT_COVERED)]
    assert found[0].case == "0.json"


def test_folders_are_searched_and_files_may_have_any_name(tmp_path):
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "x.json").write_text(json.dumps({"cases": [triangle()]}))
    (tmp_path / "noise.txt").write_text("not JSON")
    assert len(check.run([tmp_path])) == 8
    odd = tmp_path / "cycle"
    odd.write_text(json.dumps({"cases": [triangle()]}))
    assert len(check.run([str(odd)])) == len(check.run(odd)) == 8


# --- what is wrong ---


def one_line(problem):
    text = str(problem.value)
    assert "\n" not in text and len(text) < 400
    return text


@pytest.mark.parametrize(
    "text", ["", "{", '{"cases": [}', "\x00", '{"cases": NaN}', "[" * 100_000, "{'a': 1}"]
)
def test_what_is_not_json_is_one_line(tmp_path, text):
    with pytest.raises(InputError, match=r"0\.json must be a JSON file") as problem:
        audit(tmp_path, text)
    one_line(problem)


def test_bytes_that_are_not_text(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(InputError, match="is not UTF-8 text") as problem:
        check.run([tmp_path])
    one_line(problem)


def test_paths_that_are_not_there(tmp_path):
    with pytest.raises(InputError, match="must be a file of cases or a folder of such"):
        check.run([tmp_path / "nowhere.json"])
    with pytest.raises(InputError, match=r"must hold files of cases, but has no \*\.json"):
        check.run([tmp_path])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["parameters"].pop("n_states"), "must have the field 'n_states'"),
        (lambda c: c["parameters"].update(n_states=4), "Every state must be reachable from 1, but 4 cannot"),
        (lambda c: c["parameters"].update(n_states=2), "names '3'"),
        (lambda c: c["parameters"].update(units="1/fortnight"), "Unit must be one of jaxmem's"),
        (lambda c: c["parameters"]["edges_i_j_kf_kr"][0].pop(), "but one has 3"),
        (
            lambda c: c["parameters"]["edges_i_j_kf_kr"][0].__setitem__(2, "fast"),
            "must be a finite number, but is 'fast'",
        ),
        (lambda c: c["parameters"]["edges_i_j_kf_kr"][0].__setitem__(2, -1), "not negative"),
        (lambda c: c["parameters"]["edges_i_j_kf_kr"].append([2, 1, 1, 1]), "joined twice"),
        (lambda c: c["expected"]["p_ss"].pop(), "must have one value for each of the 3 states"),
        (lambda c: c["expected"].update(p_ss=7), "must be a list"),
        (lambda c: c["expected"]["edge_net_flux_per_s"].update({"1-9": 1.0}), "names '1-9'"),
        (lambda c: c.update(expected=[1]), "must be an object"),
        (lambda c: c.update(rtol="tight"), "rtol of anything must be a finite number"),
        (lambda c: c.update(rtol=-1.0), "must not be negative"),
    ],
)
def test_malformed_cycles_are_one_line(tmp_path, change, message):
    case = triangle()
    change(case)
    with pytest.raises(InputError) as problem:
        audit(tmp_path, {"cases": [case]})
    text = str(problem.value)
    assert message in text and "0.json: " in text and "\n" not in text


def mutated(content, data):
    """A copy in which one value anywhere is replaced by junk."""
    content = copy.deepcopy(content)
    where = content
    while True:
        key = data.draw(st.sampled_from(list(where) if isinstance(where, dict) else list(range(len(where)))))
        if not isinstance(where[key], dict | list) or not where[key] or data.draw(st.integers(0, 5)) == 0:
            break
        where = where[key]
    junk = st.sampled_from(
        [None, "", "x", -1, 0, 1e308, True, [], {}, [[]], {"a": 1}, "1e400", 10**400, [1, 2, 3]]
    )
    where[key] = data.draw(junk)
    return content


def audit_junk(folder, content):
    """Junk in a file is one line, or the file is audited."""
    try:
        found = audit(folder, content)
    except InputError as problem:
        assert "\n" not in str(problem)
    else:
        assert found


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_never_escape_as_another_error(tmp_path, data):
    """One value anywhere in a small file of each format is replaced."""
    gate = {"two_state": [two_state(voltages=(0.0,))], "rtol": 1e-9}
    content = data.draw(st.sampled_from([{"cases": [triangle()]}, {"cases": [cell()]}, gate]))
    audit_junk(tmp_path, mutated(content, data))


def test_single_precision_is_refused():
    jax.config.update("jax_enable_x64", False)
    try:
        with pytest.raises(InputError, match="must run in float64, but jax is in float32") as problem:
            check.run()
        one_line(problem)
    finally:
        jax.config.update("jax_enable_x64", True)
