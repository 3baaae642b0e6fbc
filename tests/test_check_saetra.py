"""The audit of the electrodiffusive Pinsky-Rinzel neuron: the reference, other numbers, altered ones, junk."""

import copy
import json

import numpy as np
import pytest
from saetra_by_hand import slope
from test_check import audit

from jaxmem import check
from jaxmem.check import Verdict
from jaxmem.results import InputError

pytestmark = pytest.mark.x64


@pytest.fixture(scope="module")
def file(shared):
    return json.loads((shared / "reference" / "homeostasis" / "edpr2020.json").read_text("utf-8"))


def failed(rows):
    return [(row.quantity, row.verdict) for row in rows if row.verdict is not Verdict.PASSED]


def other(file):
    """The file with other parameters, another order and a case whose numbers are worked out by hand."""
    new = copy.deepcopy(file)
    changes = {"T": 300.0, "dx": 3e-4, "alpha": 1.5, "gNa": 250.0, "gC": 90.0, "rho": 2.5e-6, "Ukcc": 5e-7, "fCa": 0.02}
    new["parameters"] |= changes | {"R": 8.31446, "F": 96485.3, "lam_e": 1.8, "Cm": 0.02, "Ve": 6e-16, "Unkcc": 4e-7}
    new["diffusion"] |= {"K": 1.5e-9, "Ca": 8e-10}
    new["state_order"] = new["state_order"][::-1]
    state = {key: value * (1.0 + 0.02 * np.sin(k)) for k, (key, value) in enumerate(new["cases"][0]["state"].items())}
    state |= {"K_di": 101.0, "Cl_de": 120.0, "z": 0.8, "Ca_di": 0.02}
    for place in ("si", "di"):  # potentials of a few millivolts to tens of them
        charge = sum(z * state[f"{k}_{place}"] for k, z in (("Na", 1), ("K", 1), ("Cl", -1), ("Ca", 2)))
        new["X_mM"][place] = charge + (4e-4 if place == "si" else 7e-4)
    rates, potentials = slope(new, state)
    new["cases"] = [
        {"id": "mine", "state": state, "expected": {"dydt_SI": rates, "potentials_V": potentials}, "rtol": 1e-9}
    ]
    return new


def test_reference_by_hand(file):
    case = file["cases"][0]
    rates, potentials = slope(file, case["state"])
    np.testing.assert_allclose(rates, case["expected"]["dydt_SI"], rtol=1e-12)
    for key, value in case["expected"]["potentials_V"].items():
        assert potentials[key] == pytest.approx(value, rel=1e-12, abs=1e-15)


def test_other_numbers_pass_and_altered_ones_fail(file, tmp_path):
    good = other(file)
    rows = audit(tmp_path, good)
    assert failed(rows) == [] and len(rows) == 28
    bad = copy.deepcopy(good)
    bad["cases"][0]["expected"]["dydt_SI"][7] *= 1 + 1e-7
    bad["cases"][0]["expected"]["potentials_V"]["phi_se"] *= 1 + 1e-7
    bad["cases"][0]["expected"]["mystery"] = 1.0
    quantities = {quantity: verdict for quantity, verdict in failed(audit(tmp_path, bad))}
    assert quantities == {
        f"dydt_SI[{good['state_order'][7]}]": Verdict.FAILED,
        "phi_se": Verdict.FAILED,
        "mystery": Verdict.NOT_COVERED,
    }


@pytest.mark.slow
def test_the_reference_passes(shared):
    rows = check.run([shared / "reference" / "homeostasis" / "edpr2020.json"])
    assert failed(rows) == [] and len(rows) == 154
    assert all(row.error <= 0.2 * row.tolerance for row in rows if row.expected and row.tolerance)


def test_a_short_run_with_an_altered_row_fails(file, tmp_path):
    case = copy.deepcopy(file["cases"][1])
    case["expected"]["rows"] = case["expected"]["rows"][:1]
    case["expected"]["rows"][0]["state"]["K_se"] *= 1 + 1e-4
    case["expected"]["rows"][0]["V_s"] += 1e-5
    conserved = {"id": "kept", "expected": {**file["cases"][3]["expected"], "total_K_mol": 2.907e-13}, "rtol": 1e-10}
    found = failed(audit(tmp_path, {**file, "cases": [case, conserved]}))
    assert found == [(key, Verdict.FAILED) for key in ("K_se", "V_s", "total_K_mol")]


@pytest.mark.parametrize(
    ("alter", "text"),
    [
        (lambda data: data["initial_state"].pop("K_se"), "must have the field 'K_se'"),
        (lambda data: data["initial_state"].update(Na_di=-1.0), "Na_di of initial_state must be above zero"),
        (lambda data: data["parameters"].update(Vi=0.0), "v_i of relax_10s must be above zero"),
        (lambda data: data["diffusion"].pop("Ca"), "must have the field 'Ca'"),
        (lambda data: data["cases"][0]["expected"]["rows"][0].update(t_s=1e9), "must lie between 0 and 10000 s"),
        (lambda data: data.update(X_mM=[1.0]), "X_mM must be an object"),
    ],
)
def test_junk_is_one_line(file, tmp_path, alter, text):
    data = copy.deepcopy({**file, "cases": file["cases"][1:2]})
    alter(data)
    with pytest.raises(InputError) as caught:
        audit(tmp_path, data)
    assert text in str(caught.value) and "\n" not in str(caught.value)
