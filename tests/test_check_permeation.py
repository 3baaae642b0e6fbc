"""The audit of permeation: shipped cases altered, and closed forms and graphs of other parameters."""

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from test_check import audit, audit_junk, mutated, rest_slow, shipped, short

from jaxmem import check
from jaxmem.check import Verdict
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

SHIPPED = ("closed_forms", "two_site_3B2S_K_Na", "three_site_K_channel", "cav_two_site_Ca_Ba_Na", "gramicidin_two_site")
E0, KB, H = 1.602176634e-19, 1.380649e-23, 6.62607015e-34
R, F = 8.31446261815324, 96485.33212331


def test_the_shipped_cases_are_those_of_the_project(shared):
    for name in SHIPPED:
        assert shipped(name) == json.loads((shared / "reference" / "permeation" / f"{name}.json").read_text("utf-8"))


def test_receptors_of_the_project_pass(shared):
    found = check.run([shared / "reference" / "permeation" / "ampar_ca_block.json"])
    assert len(found) == 112
    assert {row.verdict for row in found} == {Verdict.PASSED}


CONDITIONS = {
    *("model", "parameters", "k", "T_K", "z", "V_mV", "flux_ratio_V_mV", "c_M", "c_mM", "co_M", "ci_M", "c_out_M"),
    *("c_in_M", "c_total_mM", "x_Ca", "Ca_M", "Na_out_mM", "dG_kcal", "a_per_mM", "b_per_mM", "I_max_pA", "rtol"),
    *("rtol_position", "exact_to", "mp_check_rel"),
}


@pytest.mark.parametrize("name", rest_slow(SHIPPED, "gramicidin_two_site"))
def test_any_altered_number_fails(tmp_path, name):
    """Every expected number, by more than what is allowed of it."""
    content = alter(shipped(name))
    found = audit(tmp_path, content)
    assert short(row for row in found if row.verdict is not Verdict.FAILED and row.expected != 0.0) == []
    assert len(found) > 50


def alter(value):
    if isinstance(value, dict):
        given = lambda key: key in CONDITIONS or key[:2] in ("K_", "w_", "i_")
        return {key: x if given(key) else alter(x) for key, x in value.items()}
    if isinstance(value, list):
        return [alter(x) for x in value]
    return value * (1 + 1e-5) if isinstance(value, int | float) else value


# --- graphs of rates ---


def stationary(rates, states):
    """Probabilities of the states of {(from, to): rate}."""
    q = np.zeros((len(states), len(states)))
    for (i, j), k in rates.items():
        q[states.index(i), states.index(j)] += k
        q[states.index(i), states.index(i)] -= k
    p = np.linalg.solve(np.vstack([q.T[:-1], np.ones(len(states))]), np.eye(len(states))[-1])
    return dict(zip(states, p, strict=True))


def two_sites(t=310.0):
    k = {"K1": 5.0, "K2": 0.7, "k_off1": 2e6, "k_off2": 3e6, "k_trans": 1e7, "delta": 0.15}
    points = []
    for co, ci, v in ((0.3, 0.05, -120.0), (0.02, 1.5, 80.0)):
        f = v / (1e3 * R * t / F)
        near, far = math.exp(0.5 * k["delta"] * f), math.exp(0.5 * (1 - 2 * k["delta"]) * f)
        rates = {("outer", "inner"): k["k_trans"] / far, ("inner", "outer"): k["k_trans"] * far}
        for free, outer, inner, on, off in (
            ("0", "outer", "inner", 0.5 * k["K1"] * k["k_off1"], k["k_off1"]),
            (None, None, None, 2.0 * k["K2"] * k["k_off2"], k["k_off2"]),
        ):
            for site, start, end in (
                ("outer", free or "inner", outer or "both"),
                ("inner", free or "outer", inner or "both"),
            ):
                c, field = (co, 1 / near) if site == "outer" else (ci, near)
                rates[start, end], rates[end, start] = on * c * field, off / field
        p = stationary(rates, ["0", "outer", "inner", "both"])
        current = 1e12 * E0 * (p["inner"] * rates["inner", "outer"] - p["outer"] * rates["outer", "inner"])
        listed = {
            "occ_both_inner_0_outer": [p[state] for state in ("both", "inner", "0", "outer")],
            "occ_empty": p["0"],
        }
        points.append({"c_out_mM": 1e3 * co, "c_in_M": ci, "V_mV": v, "I_pA": current, **listed})
    return {"kind": "gramicidin_two_site", "T_K": t, "parameters": k, "points": points, "rtol": 1e-8}


def test_other_binding_constants_of_two_sites_pass(tmp_path):
    found = audit(tmp_path, two_sites())
    assert short(row for row in found if row.verdict is not Verdict.PASSED) == []
    assert len(found) == 12
    assert found[0].case == "0: two sites points, V_mV -120, c_out_mM 300, c_in_M 0.05"


def receptors(z=1, ion="Spm", r=8.31, f=96485.0):
    names = ("k1", "k1r", "k2", "k2r", "k3", "k4r", "k4", "d1", "d3")
    k = dict(zip(names, (0.3, 0.2, 0.15, 0.1, 0.02, 0.4, 0.05, 0.5, 0.2), strict=True))  # the sites in reversed order
    states, points = ["both", "site2", "empty", "site1"], []
    for co, ci, v in ((1.0, 0.5, -80.0), (30.0, 0.5, 60.0), (30.0, 2.0, 60.0)):
        h = 0.5 * z * v / (1e3 * r * 295.0 / f)
        d2, d4 = abs(k["d1"] - k["d3"]), max(0.0, 1.0 - max(k["d1"], k["d3"]))
        back = k["k2r"] * k["k1r"] * k["k3"] / (k["k2"] * k["k1"])
        fill1, leave1 = k["k1"] * math.exp(-k["d1"] * h) * co, k["k1r"] * math.exp(k["d1"] * h)
        fill2 = k["k3"] * math.exp(-k["d3"] * h) * co + k["k4"] * math.exp(d4 * h) * ci
        leave2 = back * math.exp(k["d3"] * h) + k["k4r"] * math.exp(-d4 * h)
        rates = {("site1", "site2"): k["k2"] * math.exp(-d2 * h), ("site2", "site1"): k["k2r"] * math.exp(d2 * h)}
        for empty, full, on, off in (
            *(("empty", "site1", fill1, leave1), ("site2", "both", fill1, leave1)),
            *(("empty", "site2", fill2, leave2), ("site1", "both", fill2, leave2)),
        ):
            rates[empty, full], rates[full, empty] = on, off
        p = stationary(rates, states)
        point = {f"{ion}_out_mM": co, "V_mV": v, "G_model": p["empty"] + p["site1"], "G_measured": 0.3, "G_SE": 0.1}
        points.append({**point, "P": list(p.values()), **({f"{ion}_in_uM": 1e3 * ci} if ci != 0.5 else {})})
    model = {"states": states, f"{ion}_in_mM": 0.5, "T_K": 295.0, "z": z, "R": r, "F": f}
    return {"model": model, "receptors": {"receptor": "any", "parameters": k, "points": points}, "rtol": 1e-9}


def test_other_receptors_and_ions_pass(tmp_path):
    found = audit(tmp_path, receptors())
    assert short(row for row in found if row.verdict is not Verdict.PASSED) == []
    assert [row.quantity for row in found[:5]] == ["G_model", "P[both]", "P[site2]", "P[empty]", "P[site1]"]
    assert len(found) == 15
    content = receptors(2)
    content["model"]["R"] = R
    content["receptors"]["chi2"] = 3.0
    verdicts = [row.verdict for row in audit(tmp_path, content)]
    assert verdicts.count(Verdict.FAILED) == 15 and verdicts.count(Verdict.NOT_COVERED) == 1


# --- closed forms ---


def closed():
    t, (a, b), largest = 290.0, (2e-3, 0.03), 4.0
    saturation = lambda c: largest * a * b * c**2 / (1 + a * c + a * b * c**2)
    rise = lambda c: largest * a * b * c * (2 + a * c) / (1 + a * c + a * b * c**2) ** 2
    (x, y), (wxx, wyy, wxy), (ixx, iyy, ixy), total = (0.3, 0.05), (0.4, 0.2, 0.7), (1.5, 0.6, 0.1), 30.0

    def mixture(share):
        n, m = x * share * total, y * (1 - share) * total
        weights = {"0": 1.0, "Sr": n, "Li": m, "SrSr": wxx * n * n, "LiLi": wyy * m * m, "LiSr": 2 * wxy * n * m}
        return weights, (ixx * weights["SrSr"] + iyy * weights["LiLi"] + ixy * weights["LiSr"]) / sum(weights.values())

    least = minimize_scalar(lambda share: mixture(share)[1], bounds=(0.0, 1.0), options={"xatol": 1e-10})
    points = []
    for share in (0.0, 0.3):
        weights, i = mixture(share)
        point = {"x_Sr": share, "I_pA": i, "P_LiSr": weights["LiSr"] / sum(weights.values())}
        points.append({**point, "P_0_LiLi_Sr": [weights[n] / sum(weights.values()) for n in ("0", "LiLi", "Sr")]})
    k, z = {"kon_o": 3e8, "kon_i": 1e8, "koff_o": 4e7, "koff_i": 1e7, "delta": 0.3}, 2
    f, co, ci = z * -40.0 / (1e3 * R * t / F), 0.2, 0.05
    fill = k["kon_o"] * co * math.exp(-0.15 * f), k["kon_i"] * ci * math.exp(0.35 * f)
    leave = k["koff_o"] * math.exp(0.15 * f), k["koff_i"] * math.exp(-0.35 * f)
    full = sum(fill) / (sum(fill) + sum(leave))
    one = {"c_out_M": co, "c_in_M": ci, "V_mV": -40.0, "occupancy": full}
    one["I_pA"] = 1e12 * z * E0 * (leave[0] * full - fill[0] * (1 - full))
    height = 40e3 / (R * t)
    return {
        "rtol": 1e-8,
        "rtol_position": 1e-5,
        "tst": {
            "dG_kJ": 40.0,
            "T_K": t,
            "exp_dG_RT": math.exp(height),
            "rate_kT_h_exp_minus": KB * t / H / math.exp(height),
        },
        "two_site_saturation": [
            {
                "a_per_mM": a,
                "b_per_M": 1e3 * b,
                "I_max_pA": largest,
                "c_half_mM": (a + math.sqrt(a * a + 4 * a * b)) / (2 * a * b),
                "points": [{"c_mM": c, "I_pA": saturation(c), "dI_dc": rise(c)} for c in (0.01, 700.0)],
            }
        ],
        "amfe_binding_polynomial": {
            **{"K_Li_per_mM": y, "K_Sr_per_mM": x, "w_SrSr": wxx, "w_LiLi": wyy, "w_SrLi": wxy},
            **{"i_SrSr_pA": ixx, "i_LiLi_pA": iyy, "i_LiSr_pA": ixy, "c_total_M": 1e-3 * total, "points": points},
            **{"x_min": least.x, "I_min_pA": least.fun},
            "depth_vs_linear": 1 - least.fun / (least.x * mixture(1.0)[1] + (1 - least.x) * mixture(0.0)[1]),
        },
        "one_site_two_barrier": [{"T_K": t, "k": k, "z": z, "points": [one]}],
    }


def test_other_closed_forms_pass(tmp_path):
    found = audit(tmp_path, closed())
    assert short(row for row in found if row.verdict is not Verdict.PASSED) == []
    assert len(found) == 2 + 5 + 3 + 10 + 2
    content = {"two_site_saturation": {**closed()["two_site_saturation"][0], "slope": 2.0}, "knock_on": [1]}
    unknown = [row.quantity for row in audit(tmp_path, content) if row.verdict is Verdict.NOT_COVERED]
    assert unknown == ["slope", "knock_on"]


# --- what is wrong ---


OTHERS = [
    (two_sites, lambda c: c["parameters"].pop("K2"), "must have the field 'K2'"),
    (two_sites, lambda c: c["parameters"].update(k_trans=0), "k_trans of two sites must be above zero"),
    (two_sites, lambda c: c.update(states=["empty", "x"]), "must be among"),
    (two_sites, lambda c: c["points"][0].pop("c_in_M"), "must have the field 'c_in_mM'"),
    (two_sites, lambda c: c["points"][0].update(occ_both_inner_0_outer=[1.0]), "must have 4 values, but has 1"),
    (receptors, lambda c: c["receptors"].pop("parameters"), "must have the field 'parameters'"),
    (receptors, lambda c: c["receptors"]["parameters"].update(k3="x"), "k3 of any must be a finite number"),
    (receptors, lambda c: c["model"].pop("T_K"), "must have the field 'T_K'"),
    (receptors, lambda c: c["model"].pop("Spm_in_mM"), "must have the field 'Spm_in_mM'"),
    (receptors, lambda c: c["receptors"]["points"][1].pop("V_mV"), "must have the field 'V_mV'"),
    (receptors, lambda c: c["model"].update(states=[["a"]]), "must be among"),
    (closed, lambda c: c["tst"].pop("dG_kJ"), "must have the field 'dG_kcal'"),
    (closed, lambda c: c["two_site_saturation"][0].update(a_per_mM=0.0), "must be above zero"),
    (closed, lambda c: c["amfe_binding_polynomial"].pop("K_Li_per_mM"), "of two ions, but has Sr"),
    (closed, lambda c: c["amfe_binding_polynomial"].pop("w_SrLi"), "must have the field 'w_"),
    (closed, lambda c: c["amfe_binding_polynomial"]["points"][0].pop("x_Sr"), "must have the field 'x_Sr'"),
    (closed, lambda c: c["one_site_two_barrier"][0]["k"].pop("delta"), "must have the field 'delta'"),
]


@pytest.mark.parametrize(("content", "change", "message"), OTHERS)
def test_malformed_files_are_one_line(tmp_path, content, change, message):
    content = content()
    change(content)
    with pytest.raises(InputError) as problem:
        audit(tmp_path, content)
    text = str(problem.value)
    assert message in text and "0.json: " in text and "\n" not in text and len(text) < 400


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_never_escape_as_another_error(tmp_path, data):
    audit_junk(tmp_path, mutated(data.draw(st.sampled_from([two_sites(), receptors(), closed()])), data))
