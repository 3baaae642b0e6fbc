"""The audit of pumps and transporters: other parameters against the equations in numpy, altered numbers, bad files."""

import copy
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_check import audit as write
from test_check import audit_junk, mutated, rest_slow, shipped, short

from jaxmem import check
from jaxmem.check import Verdict
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

SHIPPED = ("nak_pump", "ncx", "cotransporters", "serca", "sglt1")
R, F = 8.31446261815324, 96485.33212331


def audit(folder, *cases):
    return write(folder, {"cases": cases})


def passes(folder, *cases):
    rows = audit(folder, *cases)
    assert short(row for row in rows if row.verdict is not Verdict.PASSED) == []
    return len(rows)


def test_the_shipped_cases_are_those_of_the_project(shared):
    for name in SHIPPED:
        assert shipped(name) == json.loads((shared / "reference" / "transport" / f"{name}.json").read_text("utf-8"))


def alter(value, key=""):
    """Every expected number by more than what is allowed of it."""
    if isinstance(value, dict):
        return {key: alter(x, key) for key, x in value.items()}
    if isinstance(value, list):
        return [alter(x, key) for x in value]
    return value * (1 + 1e-5) if isinstance(value, int | float) else value


@pytest.mark.parametrize("name", rest_slow(SHIPPED, "ncx"))
def test_any_altered_number_fails(tmp_path, name):
    cases = shipped(name)["cases"]
    for case in cases:
        case["closure_residuals"] = alter(case.get("closure_residuals"))
        case["reversal"] = [{**p, "expected": alter(p["expected"])} for p in case.get("reversal", [])]
        for row in case["rows"]:
            for key in ("expected", "published_v_cycle_per_s", "model"):
                if key in row:
                    row[key] = alter(row[key])
    rows = audit(tmp_path, *cases)
    assert short(r for r in rows if r.verdict is not Verdict.FAILED and r.expected not in (0.0, None)) == []
    assert len(rows) > 50


def test_published_numbers_are_held_to_half_a_unit_of_their_last_digit(tmp_path):
    case = shipped("nak_pump")["cases"][0]
    case["rows"] = case["rows"][:1]
    printed = [
        next(row for row in audit(tmp_path, case) if row.quantity.startswith("published"))
        for case["rows"][0]["published_v_cycle_per_s"] in (13.7377, 13.7376, 13.7, "13.70", "13.74")
    ]
    assert [row.verdict is Verdict.PASSED for row in printed] == [True, False, True, False, True]


# --- other parameters, by the equations of the reference in numpy ---


def ring(forward, backward):
    """Occupancies and turnover of a ring by a linear system."""
    n = len(forward)
    q = np.zeros((n, n))
    for k in range(n):
        q[k, (k + 1) % n] += forward[k]
        q[(k + 1) % n, k] += backward[k]
    q -= np.diag(q.sum(1))
    p = np.linalg.solve(np.vstack([q.T[:-1], np.ones(n)]), np.eye(n)[-1])
    return p.tolist(), p[0] * forward[0] - p[1] * backward[0]


def slope(f, x):
    h = 1e-4 * max(abs(x), 1e-3)
    return (8 * (f(x + h) - f(x - h)) - (f(x + 2 * h) - f(x - 2 * h))) / (12 * h)


def four_steps(p, c, v, t, independent):
    u = F * v * 1e-3 / (R * t)
    n1i, n2i = c["Nai"] / (p["K_Nai1"] * np.exp(p["Delta"] * u)), c["Nai"] / p["K_Nai2"]
    n1e, n2e = c["Nae"] / (p["K_Nae1"] * np.exp((1 + p["Delta"]) * u)), c["Nae"] / p["K_Nae2"]
    ki, ke = c["Ki"] / p["K_Ki"], c["Ke"] / p["K_Ke"]
    ordered = lambda n1, n2, k: n1 * n2**2 + (1 + n2) ** 2 + (1 + k) ** 2 - 1
    free = lambda n1, n2, k: (1 + n1) * (1 + n2) ** 2 + (1 + k) ** 2 - 1
    d = free if independent else ordered
    di, de, a = d(n1i, n2i, ki), d(n1e, n2e, ke), c["MgATP"] / p["K_MgATP"]
    forms = 1 + c["Ki"] / p["K_KPi"] + c["H"] / 10 ** (3 - p["pK_HPi"]) + c["Nai"] / p["K_NaPi"]
    plus = (p["k1p"] * n1i * n2i**2 / di, p["k2p"], p["k3p"] * ke**2 / de, p["k4p"] * a / (1 + a))
    minus = (
        *(p["k1m"] * c["MgADP"], p["k2m"] * n1e * n2e**2 / de),
        *(p["k3m"] * c["Pi"] / forms * c["H"] / (1 + a), p["k4m"] * ki**2 / di),
    )
    return plus, minus, c["Pi"] / forms


@pytest.mark.parametrize("independent", [False, True])
def test_other_pump_cycles(tmp_path, independent):
    case = shipped("nak_pump")["cases"][1]
    rng = np.random.default_rng(int(independent))
    p = {key: x * np.exp(rng.normal(0, 0.3)) for key, x in case["parameters"].items() if key not in "TRF"}
    t = 300.0
    case |= {"id": "anything", "equations": "factorised" if independent else "", "rows": [], "rtol": 1e-7}
    case["parameters"] = {**p, "T": t}
    c = {"Ki": 120.0, "Ke": 7.0, "Nai": 13.0, "Nae": 110.0, "MgATP": 3.0, "MgADP": 0.2, "Pi": 2.0, "H": 1e-4}
    at = lambda v, **changes: ring(*four_steps(p, {**c, **changes}, v, t, independent)[:2])[1]
    for v in (-70.0, 30.0):
        plus, minus, phosphate = four_steps(p, c, v, t, independent)
        occupied, turns = ring(plus, minus)
        expected = {
            **{"v_cycle_per_s": turns, "p": occupied, "alpha_plus": plus, "alpha_minus": minus},
            **{"Pi_free_mM": phosphate, "cycle_affinity_over_RT": np.log(np.prod(plus) / np.prod(minus))},
            "dv_dV_per_s_per_V": slope(lambda v: at(1e3 * v), 1e-3 * v),
            **{f"dv_d{ion}_per_s_per_mM": slope(lambda x, ion=ion, v=v: at(v, **{ion: x}), c[ion]) for ion in c},
        }
        case["rows"].append({"V_mV": v, "conc_mM": c, "expected": expected})
    case["rows"].append({**case["rows"][1], "V_V": 0.03, "conc_M": {k: 1e-3 * x for k, x in c.items()}})
    del case["rows"][2]["conc_mM"], case["rows"][2]["V_mV"]
    by = lambda ke: at(0.0, Ke=ke)
    model = [{"Ke_mM": ke, "v_cycle_per_s": by(ke), "normalised": by(ke) / by(4.0)} for ke in (0.5, 9.0)]
    case["rows"].append({"name": "K", "T_K": t, "base": c, "normalise_at_Ke_mM": 4.0, "model": model})
    # Three quantities of a row have four numbers, four have one, and there are eight derivatives.
    assert passes(tmp_path, case) == 3 * (12 + 4 + 8) + 4


def test_other_pump_laws(tmp_path):
    c = {"Nai": "12", "Nao": "150", "Ki": "130", "Ko": "3"}
    v, t = -55.0, 300.0
    u = F * v * 1e-3 / (R * t)
    f = 1 / (1 + 0.1245 * np.exp(-0.1 * u) + 0.0365 * (np.exp(150 / 67.3) - 1) / 7 * np.exp(-u))
    many = (
        ("I = Imax*Ko/(KmK+Ko)*Nai/(KmNa+Nai); Imax=10 nA, KmK=2 mM, KmNa=30 mM", 10 * 3 / 5 * 12 / 42),
        (
            "J = Imax*f_NaK(V)*1/(1+(11/Nai)^4)*Ko/(Ko+1.2), Imax=1.9 uA/uF; "
            "f=1/(1+0.1245 e^(-0.1u)+0.0365 sigma e^(-u)), sigma=(e^(Nao/67.3)-1)/7, u=FV/RT, T=300 K",
            1.9 * f / (1 + (11 / 12) ** 4) * 3 / 4.2,
        ),
        ("I/Imax = (1+3/Ko)^-2 (1+9/Nai)^-3", 2.0**-2 * (1 + 9 / 12) ** -3),
        (
            "J = rho/(1+exp((20-Nai)/2.5))/(1+exp(3.5-Ko)), rho=2 mM/s",
            2 / (1 + np.exp(8 / 2.5)) / (1 + np.exp(0.5)),
        ),
    )
    cases = [
        {"description": text, "unit": "x", "rows": [{"inputs": {"conc": c, "V_mV": v}, "expected": x}]}
        for text, x in many
    ]
    assert passes(tmp_path, *cases) == 4
    rows = audit(tmp_path, *cases)
    assert [row.quantity for row in rows] == ["I", "J", "I/Imax", "J"]
    # A formula that differs is another law, which is not passed.
    cases[2]["description"] = "I/Imax = (1+3/Ko)^-3 (1+9/Nai)^-3"
    assert [row.verdict for row in audit(tmp_path, *cases)].count(Verdict.NOT_COVERED) == 1


def exchange_current(p, c, v, t):
    u = F * v * 1e-3 / (R * t)
    if "d" in p:
        n = p["n"]
        top = np.exp(p["gamma"] * (n - 2) * u) * c["Nai"] ** n * c["Cao"]
        top -= np.exp((p["gamma"] - 1) * (n - 2) * u) * c["Nao"] ** n * c["Cai"]
        both = c["Cai"] * c["Nao"] ** n + c["Cao"] * c["Nai"] ** n
        return p["k"] * top / ((1 + p["d"] * both) * (1 + c["Cai"] / p["K_Cai_mM"]))
    back = np.exp((p["eta"] - 1) * u)
    top = (np.exp(p["eta"] * u) * c["Nai"] ** 3 * c["Cao"] - back * c["Nao"] ** 3 * c["Cai"]) / (1 + p["ksat"] * back)
    if "KmNa" in p:
        return p["k"] * top / ((p["KmNa"] ** 3 + c["Nao"] ** 3) * (p["KmCa"] + c["Cao"]))
    sites = p["KmCai"] * c["Nao"] ** 3 * (1 + (c["Nai"] / p["KmNai"]) ** 3) + p["KmCao"] * c["Nai"] ** 3
    sites += p["KmNao"] ** 3 * c["Cai"] * (1 + c["Cai"] / p["KmCai"])
    sites += c["Nai"] ** 3 * c["Cao"] + c["Nao"] ** 3 * c["Cai"]
    return p["Vmax"] * top / (1 + (p["Kd"] / c["Cai"]) ** 3) / sites


@pytest.mark.parametrize("which", range(3))
def test_other_exchangers(tmp_path, which):
    case = shipped("ncx")["cases"][which]
    p = {key: x for key, x in case["parameters"].items() if key != "units"}
    p = {key: 4 if key == "n" else 1.2 * x for key, x in p.items()}
    n, t = p.get("n", 3), 295.0
    c = {"Nai": 14.0, "Nao": 120.0, "Cai": 3e-4, "Cao": 2.5}
    e = (n * np.log(c["Nao"] / c["Nai"]) - np.log(c["Cao"] / c["Cai"])) / (n - 2) * R * t / F * 1e3
    at = lambda v, **changes: exchange_current(p, {**c, **changes}, v, t)
    expected = {"I": at(20.0), "dI_dV_per_V": slope(lambda v: at(1e3 * v), 0.02)}
    expected |= {f"dI_d{ion}_per_mM": slope(lambda x, ion=ion: at(20.0, **{ion: x}), c[ion]) for ion in c}
    rows = [
        {"V_mV": 20.0, "conc_mM": c, "expected": expected},
        {"V_mV": "E_NCX", "conc_mM": c, "expected": {"E_NCX_mV": e, "I_at_E_NCX": 0.0}},
    ]
    assert passes(tmp_path, {"parameters": p, "T_K": t, "rows": rows, "rtol": 1e-7, "atol_at_reversal": 1e-10}) == 8


def test_other_carriers(tmp_path):
    k = {"k23": 900.0, "k41": 3.0, "k32": 70.0, "k14": 5.0, "Ks": 0.02}
    inside, outside = 0.004, 0.03

    def glucose(inside, outside):
        i, o = inside / k["Ks"], outside / k["Ks"]
        top = k["k23"] * k["k41"] * i - k["k32"] * k["k14"] * o
        return top / ((1 + i) * (k["k32"] * o + k["k41"]) + (1 + o) * (k["k23"] * i + k["k14"]))

    expected = {
        "J_out_per_carrier_per_s": glucose(inside, outside),
        "dJ_dGin": slope(lambda x: glucose(x, outside), inside),
        "dJ_dGout": slope(lambda x: glucose(inside, x), outside),
    }
    row = {"G_in_M": inside, "G_out_M": outside, "expected": expected}
    assert passes(tmp_path, {"parameters": k, "rows": [row], "rtol": 1e-7}) == 3

    rates = {"m1p": 900, "m1n": 80, "m2p": 500, "m2n": 300, "m3p": 200, "m4p": 40, "m4n": 20, "A": 1, "B": 2, "D": 3}
    forward = [rates[f"m{n}p"] for n in (1, 2, 3, 4)]
    backward = [rates["m1n"], rates["m2n"], 0.0, rates["m4n"]]
    p, turns = ring(forward, backward)
    current = -p[0] - 2 * p[1] - 3 * p[3] + (1 * 40 + 3 * 20) / 60
    row = {"expected": {"p": p, "turnover_per_s": turns, "I_model_units": current}}
    assert passes(tmp_path, {"parameters_per_s": rates, "rows": [row]}) == 6

    m = {
        "K_Na": 0.02,
        "K_H": 5e-8,
        "K_NH4": 0.03,
        "P_Na": 5e3,
        "P_H": 2e3,
        "P_NH4": 9e3,
        "fM": 1.5,
        "fm": 0.2,
        "KI": 2e-6,
    }
    c = {"Nai": 0.02, "Nao": 0.13, "Hi": 9e-8, "Ho": 4e-8, "NH4i": 1e-3, "NH4o": 3e-3}
    faster = (m["fM"] * c["Hi"] + m["fm"] * m["KI"]) / (c["Hi"] + m["KI"])
    ions = ("Na", "H", "NH4")
    x = {side: np.array([c[f"{ion}{side}"] / m[f"K_{ion}"] for ion in ions]) for side in "io"}
    P = faster * np.array([m[f"P_{ion}"] for ion in ions])
    total = (1 + x["o"].sum()) * P @ x["i"] + (1 + x["i"].sum()) * P @ x["o"]
    fluxes = [P[k] * P @ (x["o"][k] * x["i"] - x["i"][k] * x["o"]) / total for k in range(3)]
    row = {"conc_M": c, "expected": {f"J{ion}_in": j for ion, j in zip(ions, fluxes, strict=True)}}
    assert passes(tmp_path, {"parameters": m, "rows": [row]}) == 3


def test_other_pumps_of_the_reticulum(tmp_path):
    case = shipped("serca")["cases"][0]
    p = {key: 1.3 * x for key, x in case["parameters"].items()}
    c = {"Cai": 3e-4, "Casr": 0.2, "H": 8e-5, "ATP": 0.5, "ADP": 0.02, "Pi": 4.0}

    def steps(c):
        i, s, h = c["Cai"] / p["Kdcai"], c["Casr"] / p["Kdcasr"], c["H"]
        h1, hi, hs, h0 = h / p["KdH1"], h**2 / p["KdHi"], h**2 / p["KdHsr"], h / p["KdH"]
        di, ds = i**2 * (1 + hi) + hi * (1 + h1), s**2 * h0 + h0 + hs * (1 + h0)
        plus = (p["kp1"] * c["ATP"], p["kp2"] * i**2 / di, p["kp3"] * hs / ds)
        return plus, (p["km1"] * hi / di, p["km2"] * c["ADP"] * s**2 * h0 / ds, p["km3"] * c["Pi"])

    plus, minus = steps(c)
    affinity = np.log(np.prod(plus) / np.prod(minus))
    expected = {
        **{"v_cycle_per_s": ring(plus, minus)[1], "alpha_plus": plus, "alpha_minus": minus},
        "affinity_over_RT": affinity,
        **{
            f"dv_d{x}_per_s_per_mM": slope(lambda y, x=x: ring(*steps({**c, x: y}))[1], c[x])
            for x in ("Cai", "Casr", "ATP")
        },
    }
    given = {f"{key}_mM": x for key, x in c.items()}
    still = {key: x for key, x in given.items() if key != "Casr_mM"}
    case |= {
        **{"parameters": p, "rtol": 1e-7, "rows": [{**given, "expected": expected}]},
        # Affinity falls by two for every e-fold in the lumen.
        "reversal": [{**still, "expected": {"Casr_mM_at_v0": c["Casr"] * np.exp(affinity / 2)}}],
    }
    case["rows"].append({**given, "ATP_mM": None, "ATP_M": 5e-4, "expected": expected})
    del case["rows"][1]["ATP_mM"]
    assert passes(tmp_path, case) == 2 * (1 + 6 + 1 + 3) + 1


def test_other_symporters(tmp_path):
    """One Na per turn, and a carrier whose charge it does not cancel."""
    case = shipped("sglt1")["cases"][0]
    p = {key: float(x) * 1.1 for key, x in case["parameters"].items()} | {"n": 1, "T_K": 300.0}
    na_o, na_i, s_o, s_i, v = 0.05, 0.02, 2e-3, 5e-4, -60.0

    def rates(v):
        u = F * v * 1e-3 / (R * 300.0)
        empty, loaded = p["zc"] * p["delta"] / 2, -(1 + p["zc"]) * p["delta"] / 2
        return {
            **{"12": p["k12"] * na_o * np.exp(-p["alpha1"] * u / 2), "21": p["k21"] * np.exp(p["alpha1"] * u / 2)},
            **{"23": p["k23"] * s_o, "32": p["k32"], "45": p["k45"], "54": p["k54"] * s_i},
            **{"34": p["k34"] * np.exp(loaded * u), "43": p["k43"] * np.exp(-loaded * u)},
            **{"56": p["k56"] * np.exp(-p["alpha2"] * u / 2), "65": p["k65"] * na_i * np.exp(p["alpha2"] * u / 2)},
            **{"61": p["k61"] * np.exp(empty * u), "16": p["k16"] * np.exp(-empty * u)},
            **{"25": p["k25"] * np.exp(loaded * u), "52": p["k52"] * np.exp(-loaded * u)},
        }

    def steady(v):
        q, k = np.zeros((6, 6)), rates(v)
        for pair, rate in k.items():
            q[int(pair[0]) - 1, int(pair[1]) - 1] = rate
        q -= np.diag(q.sum(1))
        occupied = np.linalg.solve(np.vstack([q.T[:-1], np.ones(6)]), np.eye(6)[-1])
        sugar = k["34"] * occupied[2] - k["43"] * occupied[3]
        return q, occupied, sugar, sugar + k["25"] * occupied[1] - k["52"] * occupied[4]

    q, occupied, sugar, sodium = steady(v)
    eigenvalues = sorted(np.linalg.eigvals(q), key=lambda x: x.real)
    k = {key: p[f"k{key}"] for key in rates(0.0)}
    around = np.log(k["12"] * k["56"] * k["61"] / (k["21"] * k["65"] * k["16"]))
    full = around + np.log(k["23"] * k["34"] * k["45"] / (k["32"] * k["43"] * k["54"]))
    slip = around + np.log(k["25"] / k["52"])
    expected = {
        **{"p": occupied.tolist(), "J_sugar_in_per_s": sugar, "J_Na_in_per_s": sodium, "rates_per_s": rates(v)},
        "I_outward_positive_e_per_s_per_carrier": -sodium,
        "dI_dV_e_per_s_per_V": slope(lambda v: -steady(1e3 * v)[3], 1e-3 * v),
        "eigenvalues_per_s": [[float(x.real), float(x.imag)] for x in eigenvalues[::-1]],
    }
    row = {"Na_out_mM": 50.0, "Na_in_M": na_i, "S_out_M": s_o, "S_in_M": s_i, "V_mV": v, "expected": expected}
    case |= {"parameters": p, "rows": [row], "rtol": 1e-7, "atol_eigenvalues": 1e-8}
    case["closure_residuals"] = {"full_cycle_ln_K": full, "slip_cycle_ln_K": slip, "sugar_loop_ln_K": full - slip}
    assert passes(tmp_path, case) == 6 + 4 + 14 + 12 + 3


def test_other_cotransport(tmp_path):
    case = shipped("cotransporters")["cases"][0]
    c = {"Nai": 9.0, "Nao": 150.0, "Ki": 130.0, "Ko": 6.0, "Cli": 20.0, "Clo": 110.0}
    linear = 7.5 * R * 290.0 / F * (np.log(6 / 130) + np.log(110 / 20))
    expected = {
        "KCC2_Wei2014_mM_per_s_efflux": 0.3 * np.log(130 * 20 / (6 * 110)),
        "KCC2_linear_EK_minus_ECl_A_per_m2_for_g7.5_S_per_m2": linear,
        "NKCC1_setpoint_Cli_mM": np.sqrt(150 * 6 * 110**2 / (9 * 130)),
    }
    case |= {"T_K": 290.0, "rows": [{"conc_mM": c, "expected": {**expected, "NKCC9": 1.0}}]}
    rows = audit(tmp_path, case)
    assert [row.verdict for row in rows] == [Verdict.PASSED] * 3 + [Verdict.NOT_COVERED]


# --- what is not known, and what is wrong ---


def test_what_is_not_known_is_never_passed(tmp_path):
    case = shipped("ncx")["cases"][0]
    case["rows"] = case["rows"][:1]
    case["rows"][0]["expected"] |= {"dI_dMg_per_mM": 1.0, "I_at_E_NCX": 1e-3}
    case["rows"][0]["pressure"], case["colour"] = 3.0, 2.0
    unknown = {"id": "other", "rows": [{"expected": {"x": 1.0}}]}
    rows = audit(tmp_path, case, unknown)
    lacking = {row.quantity for row in rows if row.verdict is Verdict.NOT_COVERED}
    assert lacking == {"dI_dMg_per_mM", "pressure", "colour", "case"}
    failed = {row.quantity for row in rows if row.verdict is Verdict.FAILED}
    assert failed == {"I_at_E_NCX"}


BAD = {
    "a concentration that lacks": ("nak_pump", 1, lambda c: c["rows"][0]["conc_mM"].pop("Nai"), "concentration of Nai"),
    "a rate below zero": ("nak_pump", 1, lambda c: c["parameters"].update(k2p=-1.0), "k2p of parameters"),
    "a constant that lacks": ("nak_pump", 1, lambda c: c["parameters"].pop("K_Ke"), "must have the field 'K_Ke'"),
    "no temperature": ("nak_pump", 1, lambda c: c["parameters"].pop("T"), "T_K"),
    "text for a number": ("ncx", 0, lambda c: c["rows"][0].update(V_mV="rest"), "must be a finite number"),
    "an exchanger without charge": ("ncx", 0, lambda c: c["parameters"].update(n=2), "from 3 to 10"),
    "a negative concentration": ("ncx", 1, lambda c: c["rows"][0]["conc_mM"].update(Cai="-1"), "must not be negative"),
    "rows that are none": ("ncx", 1, lambda c: c.update(rows=[3]), "must be an object"),
    "expected that is none": ("ncx", 1, lambda c: c["rows"][0]["expected"].update(I=[1.0]), "must be a finite number"),
    "too few occupancies": (
        "cotransporters",
        3,
        lambda c: c["rows"][0]["expected"].update(p=[1.0]),
        "must have 4 values",
    ),
    "glutamate that may be": (
        "cotransporters",
        3,
        lambda c: c["rows"][0].update(glutamate="some"),
        "present or absent",
    ),
    "no rate before its remark": ("cotransporters", 3, lambda c: c["parameters_per_s"].update(m4p="(4->1)"), "m4p"),
    "a carrier without a site": ("cotransporters", 2, lambda c: c["parameters"].update(Ks=0), "above zero"),
    "no calcium": ("serca", 0, lambda c: c["rows"][0].pop("Cai_mM"), "must have the field 'Cai_mM'"),
    "many sodium ions": ("sglt1", 0, lambda c: c["parameters"].update(n=9), "from 1 to 4"),
    "half an eigenvalue": (
        *("sglt1", 0, lambda c: c["rows"][0]["expected"].update(eigenvalues_per_s=[[1.0]] * 6)),
        "must have 2 values",
    ),
    "too few eigenvalues": (
        *("sglt1", 0, lambda c: c["rows"][0]["expected"].update(eigenvalues_per_s=[[1.0, 0.0]])),
        "must have 12 values",
    ),
    "a published list": ("nak_pump", 0, lambda c: c["rows"][0].update(published_v_cycle_per_s=[1.0]), "finite number"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_one_line(tmp_path, what):
    name, k, spoil, says = BAD[what]
    case = copy.deepcopy(shipped(name)["cases"][k])
    index = {"cotransporters": ("CCC", "NHE3", "GLUT", "EAAT")}.get(name)
    if index:
        case = next(c for c in shipped(name)["cases"] if c["id"].startswith(index[k]))
    spoil(case)
    with pytest.raises(InputError) as problem:
        audit(tmp_path, case)
    text = str(problem.value)
    assert says in text and "0.json" in text and "\n" not in text


def test_junk_in_the_place_of_cases_is_not_covered(tmp_path):
    for junk in (
        3,
        "x",
        [None, 4, []],
        {"rows": 3},
        [{"parameters": [1]}],
        [{"rows": [[1]]}],
        [{"description": "I = 3"}],
    ):
        (tmp_path / "0.json").write_text(json.dumps({"cases": junk}), "utf-8")
        assert {row.verdict for row in check.run([tmp_path])} == {Verdict.NOT_COVERED}


def one_row(case):
    return {**case, "rows": case["rows"][:1]}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_never_escape_as_another_error(tmp_path, data):
    every = [one_row(case) for name in SHIPPED for case in shipped(name)["cases"]]
    audit_junk(tmp_path, mutated({"cases": [data.draw(st.sampled_from(every))]}, data))
