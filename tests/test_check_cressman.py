"""The audit of the neuron of Cressman et al.: the shipped case, other parameters, altered numbers, bad files."""

import copy
import json

import numpy as np
import pytest
from cressman_by_hand import by_hand
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_check import CASES, audit, audit_junk, mutated, shipped, short

from jaxmem import check
from jaxmem.check import Verdict
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

KEYS = ("V", "n", "h", "Ko", "Nai", "Ca")
STATE = dict(zip(KEYS, (-41.0, 0.3, 0.4, 11.0, 22.0, 0.7), strict=True))


def fails(rows):
    return short(row for row in rows if row.verdict is not Verdict.PASSED)


def content(*cases, **fields):
    return {**{key: shipped("cressman2009")[key] for key in ("parameters", "state_order")}, "cases": cases, **fields}


@pytest.mark.slow
def test_the_shipped_case_passes():
    rows = check.run([CASES / "cressman2009.json"])
    assert fails(rows) == [] and len(rows) == 85
    spikes = [row for row in rows if "seizure" in row.case]
    assert len(spikes) == 9 and all(row.error < 0.1 * row.tolerance for row in spikes)


def test_the_shipped_case_is_that_of_the_project(shared):
    reference = shared / "reference" / "homeostasis" / "cressman2009.json"
    assert shipped("cressman2009") == json.loads(reference.read_text("utf-8"))


def test_other_flows(tmp_path):
    """Another bath, by the case, in another order; per second; and one number altered."""
    order = [*KEYS[3:], *KEYS[:3]]
    slope = dict(zip(KEYS, by_hand(*STATE.values(), k_bath=5.0), strict=True))
    case = {"state": STATE, "kbath_mM": 5.0, "expected": {"dydt_per_ms": [slope[key] for key in order]}, "rtol": 1e-10}
    other = copy.deepcopy(case) | {"parameters": {"kbath": 5.0}}
    del other["kbath_mM"]
    other["expected"] = {"dydt_per_s": [1e3 * slope[key] for key in order], "jerk": 1.0}
    wrong = copy.deepcopy(case)
    wrong["expected"]["dydt_per_ms"][2] *= 1 + 1e-9
    wrong["kbath_mM"] = 5.001
    found = audit(tmp_path, content(case, other, wrong, state_order=order))
    assert [row.verdict for row in found[:13]] == [Verdict.PASSED] * 12 + [Verdict.NOT_COVERED]
    assert [row.quantity for row in found if row.verdict is Verdict.FAILED] == [
        "dydt_per_ms[Ko]",
        "dydt_per_ms[Ca]",
    ]


RUN = (
    "start at V=-50, n=0.08, h=0.9, Ko=7.8, Nai=15.5, Ca=0; 5 ms pre-integration, then 0.4 s; events = upward "
    "crossings of Ko=8.2 mM re-armed below 8 mM; first interval dropped; extrema over t>0.1 s"
)


def test_another_run_of_another_neuron(tmp_path):
    """Against scipy: short enough to be exact."""
    from scipy.integrate import solve_ivp

    slope = lambda t, y: by_hand(*y, k_bath=9.0)
    run = solve_ivp(
        slope, (0, 405), (-50, 0.08, 0.9, 7.8, 15.5, 0.0), "LSODA", np.arange(5.0, 405.5), rtol=1e-9, atol=1e-10
    )
    k_o = run.y[3]
    k = int(np.argmax(k_o >= 8.2))
    expected = {"Ko_max_mM": k_o[100:].max(), "Ko_min_mM": k_o[100:].min(), "Nai_max_mM": run.y[4][100:].max()}
    expected |= {"event_times_s": [1e-3 * (k - 1 + (8.2 - k_o[k - 1]) / (k_o[k] - k_o[k - 1]))], "period_s": 1.0}
    case = {"protocol": RUN, "kbath_mM": 9.0, "expected": expected, "rtol": 1e-3}
    found = audit(tmp_path, content(case))
    assert fails(found) == [("0: case 1", "period_s", 1.0, pytest.approx(np.nan, nan_ok=True))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(protocol=RUN.replace("Ko=7.8, ", "")), "must have the field 'Ko'"),
        (lambda c: c.update(protocol=RUN.replace("then 0.4 s", "then on")), "must say how long it runs"),
        (lambda c: c.update(protocol=RUN.replace("then 0.4 s", "then 1e99 s")), "must run for at most"),
        (lambda c: c.update(protocol=RUN.replace("crossings", "passes")), "must say what an event is"),
        (lambda c: c.update(protocol=RUN, kbath_mM="full"), "kbath of run must be a finite number"),
        (lambda c: c.update(state={"V": 1.0}), "must have the field 'n'"),
        (lambda c: c.update(state=STATE, expected={"dydt_per_ms": [1.0]}), "must have 6 values, but has 1"),
        (lambda c: c.update(expected={"eigenvalues_per_ms": [1.0]}), "must have 6 values, but has 1"),
        (lambda c: c.update(expected={"eigenvalues_per_ms": [[1.0]]}), "must hold [real part, imaginary part]"),
        (lambda c: c.update(expected={"hopf_points": [{"Ko_mM": 3.0}]}), "must have the field 'kbath_mM'"),
        (lambda c: c.update(expected={"branch_samples_kbath_Ko": [[3.0]]}), "must have 2 values, but has 1"),
    ],
)
def test_malformed_cases_are_one_line(tmp_path, change, message):
    case = {"id": "run", "expected": {"period_s": 1.0}}
    change(case)
    with pytest.raises(InputError) as problem:
        audit(tmp_path, content(case))
    assert message in str(problem.value) and "\n" not in str(problem.value)


def test_a_wrong_order_is_one_line(tmp_path):
    with pytest.raises(InputError, match="state_order must hold V, n, h, Ko, Nai, Ca, but is V"):
        audit(tmp_path, content({"state": STATE, "expected": {"dydt_per_ms": [1.0]}}, state_order=["V"]))


@pytest.mark.slow
def test_altered_numbers_and_another_branch(tmp_path):
    """A pump that is stronger: the Hopf points move, and what was expected of the published one fails."""
    found = shipped("cressman2009")
    rest, reduced = found["cases"][1], found["cases"][3]
    rest["expected"] = {key: x * (1 + 1e-5) for key, x in rest["expected"].items() if key != "eigenvalues_per_ms"}
    reduced["parameters"]["rho"] = 1.3
    del reduced["expected"]["hopf_points"][0]["kbath_mM"]
    with pytest.raises(InputError, match="must have the field 'kbath_mM'"):
        audit(tmp_path, content(rest, reduced))
    reduced["expected"]["hopf_points"] = [
        {"kbath_mM": 7.7, "Ko_mM": 6.9},
        {"kbath_mM": 8.6, "period_s": 12.0, "x": 1.0},
    ]
    rows = audit(tmp_path, content(rest, reduced))
    assert all(row.verdict is Verdict.FAILED for row in rows if row.quantity != "x")
    assert len(rows) == 6 + 5 + 48 and all(np.isfinite(row.got) for row in rows if row.quantity != "x")


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_never_escape_as_another_error(tmp_path, data):
    case = {"state": STATE, "kbath_mM": 5.0, "expected": {"dydt_per_ms": [1.0] * 6}, "rtol": 1e-10}
    audit_junk(tmp_path, mutated(content(case), data))
