"""The audit of three neurons whose ions move: shipped cases, other parameters and protocols, altered numbers, junk."""

import copy
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spreading_by_hand import hubel_dahlem, hubel_ullah, wei
from test_check import CASES, audit, audit_junk, mutated, shipped

from jaxmem import check
from jaxmem.check import Verdict, courses
from jaxmem.check.spoken import Protocol
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

FILES = {"hubel_dahlem2014": 162, "hubel_ullah2016": 109, "wei_ullah_schiff2014": 204}
DAHLEM, ULLAH, WEI = map(shipped, FILES)
WEI_START = WEI["published_initial_state"]
STATES = {
    "dahlem": dict(zip(DAHLEM["state_order"], (-47.0, 0.31, 118.0, 14.0, -3.0), strict=True)),
    "ullah": dict(zip(ULLAH["state_order"], (-30.0, 0.3, 0.5, 250.0, 30.0, 2250.0), strict=True)),
    "wei": dict(
        zip(
            WEI["state_order"],
            (-54.0, 0.3, 0.5, 0.2, 2.5e-15, 1.9e-13, 2.1e-14, 3.1e-14, 2.4e-14, 1.1e-14, 1.47e-15, 21.0),
            strict=True,
        )
    ),
}


def failed(rows):
    return [(row.case, row.quantity, row.expected, row.got) for row in rows if row.verdict is not Verdict.PASSED]


def content(file, *cases, **fields):
    """A file with the parameters of a shipped one."""
    kept = {key: file[key] for key in ("parameters", "state_order", "published_initial_state") if key in file}
    return copy.deepcopy({**kept, "cases": cases, **fields})


@pytest.mark.slow
@pytest.mark.parametrize("name", FILES)
def test_the_shipped_cases_pass(name):
    rows = check.run([CASES / f"{name}.json"])
    assert failed(rows) == [] and len(rows) == FILES[name]
    assert all(row.error <= 0.2 * row.tolerance for row in rows if row.expected)


def test_the_shipped_cases_are_those_of_the_project(shared):
    for name in FILES:
        reference = (shared / "reference" / "homeostasis" / f"{name}.json").read_text("utf-8")
        assert shipped(name) == json.loads(reference)


# --- flows ---


def flows():
    """Cases with other parameters and another order, and what by hand is expected of them."""
    own = {"Imax": 5.0, "B0": 400.0, "I_stim": 1.5, "ve": 0.8, "kP": 5.0}
    y = [*STATES["dahlem"].values()]
    for word, s in (("_glial", 0), ("_diffusive", 1)):
        slope = hubel_dahlem(DAHLEM["parameters"] | own | {"s": s}, y)
        yield DAHLEM, {"state": STATES["dahlem"], "parameters": own, "expected": {f"dydt_per_s{word}": slope}}
    yield DAHLEM, {"state": STATES["dahlem"], "parameters": own, "s": 1, "expected": {"dydt_per_ms": 1e-3 * slope}}
    own = {"Imax": 5.0, "vtot": 3000.0, "tvl": 300.0, "gClL": 0.02, "nimpe": 45.0}
    slope = hubel_ullah(ULLAH["parameters"] | own, [*STATES["ullah"].values()])
    yield ULLAH, {"state": STATES["ullah"], "parameters": own, "expected": {"dydt_per_s": slope}}
    own = {"rho": 0.9, "UNKCC1": 0.2, "vol0": 1.5e-15, "beta0": 6.0, "volK": 200.0, "Ai": 130.0, "epsO": 0.2}
    slope = wei(WEI["parameters"] | own | {"Kbath": 8.5, "Obath": 2.4}, [*STATES["wei"].values()])
    case = {"state": STATES["wei"], "Kbath": 8.5, "Obath": 2.4, "expected": {"dydt_per_ms": slope}}
    yield WEI, case | {"parameters": own}


def test_other_flows_pass_and_altered_ones_fail(tmp_path):
    for file, case in flows():
        ((quantity, slope),) = case["expected"].items()
        order = file["state_order"][::-1]
        good = {**case, "expected": {quantity: slope[::-1].tolist()}, "rtol": 1e-9}
        rows = audit(tmp_path, content(file, good, state_order=order))
        assert failed(rows) == [] and len(rows) == len(order)
        bad = copy.deepcopy(good)
        bad["expected"][quantity][1] *= 1 + 1e-7
        assert [row[1] for row in failed(audit(tmp_path, content(file, bad, state_order=order)))] == [
            f"{quantity}[{order[1]}]"
        ]


# --- what is said ---


def test_protocols_in_words():
    given = {"z": 1.0, "s": 0.0, "Imax": 6.8}
    said = Protocol("pump factor z=0 for 20<=t<29.5 s, s=1 (diffusive)", list(given))
    assert said.always == {"s": 1.0}
    pieces = said.pieces(given, 300.0)
    assert [(now["z"], now["s"], end) for now, end in pieces] == [(1, 1, 20.0), (0, 1, 29.5), (1, 1, 300.0)]
    assert [end for _, end in said.pieces(given, 25.0)] == [20.0, 25.0]
    said = Protocol("Imax=6.8 for t<50 s, 2.5 afterwards; derived volume model", ["Imax"])
    assert [(now["Imax"], end) for now, end in said.pieces({"Imax": 1.0}, 60.0)] == [(6.8, 50.0), (2.5, 60.0)]
    said = Protocol("z=0.5 for 1 s<=t<2 s, z=0 for t>=3", ["z"])
    assert [now["z"] for now, _ in said.pieces({"z": 1.0}, 4.0)] == [1.0, 0.5, 1.0, 0.0]
    said = Protocol("Obath 32 -> 5 at t=0, gK=3 throughout, KATP=2", ["Obath", "gK"])
    assert said.pieces({"Obath": 32.0}, 7.0) == [({"Obath": 5.0, "gK": 3.0}, 7.0)]


def test_features_of_a_run():
    t = np.linspace(0.0, 10.0, 1001)
    x = 20.0 * np.sin(t)
    first, last = (courses.feature(f"t_ke_{word}_above_10mM_s") for word in ("first", "last"))
    assert first.of == "ke_mM" and first.find(t, x) == pytest.approx(np.pi / 6, abs=1e-4)
    assert last.find(t, x) == pytest.approx(2 * np.pi + 5 * np.pi / 6, abs=1e-4)
    assert np.isnan(courses.feature("t_Ko_above_30mM_s").find(t, x))
    late = courses.feature("Ko_min_mM", since=6.0)
    assert late.of == "Ko_mM" and late.find(t, x) == pytest.approx(x[600:].min())
    assert np.isnan(courses.feature("Ko_min_mM", since=11.0).find(t, x)) and courses.feature("Ko_mM") is None
    assert courses.late({"rtol": 1e-3, "rtol_late": 0.05, "rtol_late_applies_to": "rows with t_s > 110"}, 111.0) == {
        "rtol": 0.05
    }


# --- runs ---


def integrated(f, y, pieces, times):
    """The solution at the times, by scipy through pieces (parameters, end)."""
    from scipy.integrate import solve_ivp

    rows, begin = {}, 0.0
    for p, end in pieces:
        here = sorted({end, *(t for t in times if begin < t <= end)})
        run = solve_ivp(lambda t, y, p=p: f(p, y), (begin, end), y, "LSODA", here, rtol=1e-10, atol=1e-12)
        rows |= dict(zip(here, run.y.T, strict=True))
        y, begin = run.y[:, -1], end
    return [rows[t] for t in times]


def test_another_run_of_hubel_and_ullah(tmp_path):
    """A pump that fails, and half of it that comes back; the start in words and as a table."""
    p = ULLAH["parameters"] | {"gClL": 0.03}
    start = [-60.0, 0.1, 0.9, 277.7, 21.7, 2200.0]
    times = [1.0, 3.5, 8.0]
    rows = integrated(hubel_ullah, start, [(p, 2.0), (p | {"Imax": 0.0}, 6.0), (p | {"Imax": 3.0}, 8.0)], times)
    listed = [
        {"t_s": t, "V_mV": y[0], "vol_i_um3": y[5], "ki": 1e3 * y[3] / y[5], "cli": 1e3 * y[4] / y[5]}
        for t, y in zip(times, rows, strict=True)
    ]
    words = "Imax=0 for 2<=t<6 s, 3 afterwards"
    table = dict(zip(ULLAH["state_order"], start, strict=True))
    case = {"protocol": words, "parameters": {"gClL": 0.03}, "expected": {"rows": listed}, "rtol": 1e-4}
    first = case | {"initial_state": table}
    spoken = case | {"initial_state": "V = -60 mV, n = 0.1, h = 0.9, n_ki0, n_cli0, vol_i = 2200 um^3"}
    found = audit(tmp_path, content(ULLAH, first, spoken))
    assert failed(found) == [] and len(found) == 24
    first["expected"]["rows"][2]["vol_i_um3"] *= 1.0005
    assert [row[1] for row in failed(audit(tmp_path, content(ULLAH, first)))] == ["vol_i_um3"]


@pytest.mark.slow
def test_another_run_of_hubel_and_dahlem(tmp_path):
    p = DAHLEM["parameters"] | {"s": 1, "kbath": 6.0}
    y = [*DAHLEM["cases"][4]["initial_state"].values()]
    times = [0.5, 2.0, 6.0]
    rows = integrated(hubel_dahlem, y, [(p, 1.0), (p | {"Imax": 2.04}, 4.0), (p, 6.0)], times)
    share = p["vi"] / p["ve"]
    listed = [
        {"t_s": t, "V_mV": y[0], "ki_mM": y[2], "dk_mM": y[4], "ke_mM": p["ke0"] + share * (p["ki0"] - y[2]) + y[4]}
        for t, y in zip(times, rows, strict=True)
    ]
    case = {"protocol": "z=0.3 for 1<=t<4 s, s=1", "kbath": 6.0, "expected": {"rows": listed}, "rtol": 1e-4}
    assert failed(audit(tmp_path, content(DAHLEM, case))) == []


@pytest.mark.slow
def test_another_closed_neuron(tmp_path):
    """With a stronger pump the points are elsewhere, so that those of the published neuron fail; no point is found
    where none is."""
    equilibria, folds = copy.deepcopy(DAHLEM["cases"][2:4])
    equilibria["parameters"] = folds["parameters"] = {"Imax": 7.0}
    rows = audit(tmp_path, content(DAHLEM, equilibria, folds))
    assert all(np.isfinite(row.got) for row in rows) and len(rows) == 36 + 24
    assert {row.verdict for row in rows if row.quantity in ("V", "ki")} == {Verdict.FAILED}


@pytest.mark.slow
def test_another_run_of_wei(tmp_path):
    """Another bath by the words, oxygen by the case; from where another case of the file is at rest, too."""
    p = WEI["parameters"] | {"Kbath": 12.0, "Obath": 20.0}
    v, inside, outside = WEI_START["V_mV"], p["vol0"], p["vol0"] / p["beta0"]
    amounts = [
        WEI_START[f"{ion}{side}_mM"] * volume
        for ion in ("K", "Na", "Cl")
        for side, volume in (("o", outside), ("i", inside))
    ]
    y = np.array([v, WEI_START["m"], WEI_START["h"], WEI_START["n"], *amounts, inside, WEI_START["O2_o"]])
    unit = np.array([1.0] * 4 + [1e15] * 7 + [1.0])
    times = [0.2, 1.0]
    rows = integrated(lambda p, y: 1e3 * unit * wei(p, y / unit), y * unit, [(p, 1.0)], times)
    outer = lambda y: (1 + 1 / p["beta0"]) * 1e15 * p["vol0"] - y[10]
    listed = [
        {"t_s": t, "V_mV": y[0], "Ko_mM": y[4] / outer(y), "Nai_mM": y[7] / y[10], "O2": y[11]}
        | {"vol_i_over_vol0": y[10] / (1e15 * p["vol0"])}
        for t, y in zip(times, rows, strict=True)
    ]
    expected = {"rows": listed, "Ko_max_mM": 1.0}
    case = {"protocol": "Kbath=12, from published_initial_state", "Obath": 20.0, "expected": expected, "rtol": 1e-4}
    nearby = {"id": "low", "Kbath": 3.0, "protocol": "to rest", "expected": {"state": {"Ko_mM": 3.0}}, "rtol": 0.2}
    state = {"protocol": "start at low, Obath 32 -> 20 at t=0", "Kbath": 3.0, "rtol": 0.5}
    state["expected"] = {"rows": [{"t_s": 0.01, "V_mV": -82.0, "O2": 30.0}]}
    found = audit(tmp_path, content(WEI, case, nearby, state))
    assert [row[1] for row in failed(found)] == ["Ko_max_mM"] and len(found) == 11 + 1 + 2
    start = next(row for row in found if row.quantity == "Ko_mM" and "low" in row.case)
    assert start.got == pytest.approx(2.87, abs=0.3)


# --- bad files ---


RUN = {"protocol": "Imax=6.8 for t<50 s, 0 afterwards", "expected": {"rows": [{"t_s": 1.0, "V_mV": -67.0}]}}


@pytest.mark.parametrize(
    ("file", "case", "message"),
    [
        (ULLAH, RUN | {"expected": {"rows": [{"t_s": 1e99}]}}, "at most 100000 s"),
        (ULLAH, RUN | {"expected": {"rows": [{"t_s": -1.0}]}}, "must not be negative"),
        (ULLAH, RUN | {"expected": {"rows": [{"t_s": 0.0}]}}, "must have rows after t_s = 0"),
        (ULLAH, {"state": {"V": 1.0}, "expected": {"dydt_per_s": [1.0] * 6}}, "must have the field 'n'"),
        (ULLAH, {"state": STATES["ullah"], "expected": {"dydt_per_s": [1.0]}}, "must have 6 values, but has 1"),
        (ULLAH, {"parameters": {"vtot": "big"}, "expected": {}}, "vtot of case 1 must be a finite number"),
        (DAHLEM, {"state": STATES["dahlem"], "s": 2, "expected": {"dydt_per_s": [1.0] * 5}}, "must be 0, glial, or 1"),
        (DAHLEM, {"expected": {"folds": [{"V": 1.0}]}}, "must have the field 'dk'"),
        (
            WEI,
            {"protocol": "start at nowhere, Obath=3", "expected": {"Ko_max_mM": 1.0, "rows": [{"t_s": 1.0}]}},
            "none",
        ),
        (WEI, {"protocol": "; 20 s; from somewhere", "expected": {"event_times_s": [1.0]}}, "what an event is"),
    ],
)
def test_malformed_cases_are_one_line(tmp_path, file, case, message):
    with pytest.raises(InputError) as problem:
        audit(tmp_path, content(file, case))
    text = str(problem.value)
    assert "\n" not in text and (message in text or (message == "none" and "there is no 'nowhere'" in text))


def test_what_is_unknown_is_not_covered(tmp_path):
    cases = [
        {"state": STATES["dahlem"], "expected": {"jerk": 1.0, "dydt_per_s": [1.0] * 5}, "rtol": 1e300},
        {"expected": {"rows": [{"t_s": 1.0, "V_mV": 1.0}]}, "colour": "blue"},
    ]
    rows = audit(tmp_path, content(DAHLEM, *cases, extra=3.0))
    unknown = [row.quantity for row in rows if row.verdict is Verdict.NOT_COVERED]
    assert sorted(unknown) == ["colour", "extra", "jerk", "rows"]


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_never_escape_as_another_error(tmp_path, data):
    file, case = data.draw(st.sampled_from([*flows()]))
    ((quantity, slope),) = case["expected"].items()
    audit_junk(tmp_path, mutated(content(file, {**case, "expected": {quantity: slope.tolist()}}), data))
