"""The audit of Poisson-Nernst-Planck: the project's cases, other numbers, altered numbers, bad files."""

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import solve_bvp
from scipy.optimize import brentq

from jaxmem import check
from jaxmem.check import Verdict
from jaxmem.check.pnp_linear import Charging, Step, modes
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

R, F, EPS0, E0, N_A = 8.314462618, 96485.33212, 8.8541878128e-12, 1.602176634e-19, 6.02214076e23
T = 305.0
VT = 1e3 * R * T / F  # [mV]


def audit(folder, *contents):
    for k, content in enumerate(contents):
        (folder / f"{k}.json").write_text(json.dumps(content), "utf-8")
    return check.run([folder / f"{k}.json" for k in range(len(contents))])


def fails(rows):
    return [(r.case, r.quantity, r.expected, r.got) for r in rows if r.verdict is not Verdict.PASSED]


def debye(c, eps=78.5):
    """Of a 1:1 salt [nm]."""
    return 1e9 * np.sqrt(EPS0 * eps * R * T / (2.0 * F * F * c))


@pytest.mark.slow
def test_every_case_of_the_project_passes(shared):
    rows = check.run([shared / "reference" / "pnp"])
    assert fails(rows) == []
    assert len({row.case.partition(":")[0] for row in rows}) == 19
    assert len(rows) == 896


def test_what_is_published_in_closed_form_passes_and_altered_numbers_fail(tmp_path, shared):
    """Files whose numbers need one program of the solver between them."""
    names = ("conical_pore", "bipolar_diode")
    contents = [json.loads((shared / "reference" / "pnp" / f"{name}.json").read_text("utf-8")) for name in names]
    rows = audit(tmp_path, *contents)
    assert fails(rows) == [] and len(rows) == 59
    for content in contents:
        for case in content if isinstance(content, list) else [content]:
            case["rectification"]["abs_I_minus_over_I_plus"] *= 1.0 + 2e-4
            case["expected"][0]["I_cation_pA"] *= 1.0 - 2e-4
    found = fails(audit(tmp_path, *contents))
    assert len(found) == 6 and {name for _, name, *_ in found} == {"I_cation_pA", "abs_I_minus_over_I_plus"}


def currents(length, radii, sigma, c, d, v):
    """Currents of both ions of a 1:1 salt through a cone [pA], by collocation."""
    kappa = F * F * 1e-18 / (EPS0 * 78.5 * R * T)
    radius = lambda x: radii[0] + (radii[1] - radii[0]) * x / length
    area = lambda x: np.pi * radius(x) ** 2
    fixed = lambda x: 2.0 * sigma / radius(x) * 1e27 / N_A

    def slope(x, y, j):
        _, field, plus, minus = y  # field is A psi'
        rise = field / area(x)
        return [
            rise,
            -kappa * area(x) * (plus - minus + fixed(x)),
            -j[0] / (d[0] * area(x)) - plus * rise,
            -j[1] / (d[1] * area(x)) + minus * rise,
        ]

    ends = lambda a, b, j: [a[0] - v / VT, a[2] - c, a[3] - c, b[0], b[2] - c, b[3] - c]
    x = 0.5 * length * (1.0 - np.cos(np.pi * np.linspace(0.0, 1.0, 201)))
    guess = [v / VT * (1.0 - x / length), np.zeros_like(x), np.full_like(x, c), np.full_like(x, c)]
    found = solve_bvp(slope, ends, x, guess, p=[1.0, 1.0], tol=1e-8, max_nodes=200_000)
    assert found.success, found.message
    return found.p[0] * F * 1e-6, -found.p[1] * F * 1e-6


def test_another_cone_against_collocation(tmp_path):
    length, radii, sigma, c, d, v = 60.0, (2.0, 5.0), 0.07, 60.0, (1.2, 0.7), 80.0
    plus, minus = currents(length, radii, sigma, c, d, v)
    ohm = np.pi * radii[0] * radii[1] / length * sum(d) * 1e-9 * c * F / (1e-3 * VT) * 1e-9 * 1e12
    case = {
        "kind": "conical_pore_quasi1D",
        "T_K": T,
        "L_nm": length,
        "r_at_x0_nm": radii[0],
        "r_at_xL_nm": radii[1],
        "sigma_e_per_nm2": sigma,
        "c_bath_mM": c,
        "z": [1, -1],
        "D_m2_s": [1e-9 * x for x in d],
        "eps_r": 78.5,
        "uncharged_conductance_pS": ohm,
        "expected": [{"V": 1e-3 * v, "I_pA": plus + minus, "I_cation_pA": plus, "I_anion_pA": minus, "I_foo_pA": 1.0}],
        "rtol": 1e-5,
    }
    rows = audit(tmp_path, case)
    assert [row.verdict for row in rows] == [Verdict.PASSED] * 3 + [Verdict.NOT_COVERED, Verdict.PASSED]
    case["sigma_e_per_nm2"] = 0.0701
    assert len(fails(audit(tmp_path, case))) == 4


@pytest.mark.slow
def test_other_charges_and_baths_of_walls_and_of_fixed_charge(tmp_path):
    """Grahame and Donnan, by formulas of their own."""
    sigma, c = 0.08, 40.0
    psi = 2.0 * VT * np.arcsinh(sigma / np.sqrt(8.0 * EPS0 * 78.5 * R * T * c))
    surface = [c * np.exp(-psi / VT), c * np.exp(psi / VT)]
    wall = {
        "kind": "grahame",
        "T_K": T,
        "eps_r": 78.5,
        "z": [1, -1],
        "c_bulk_mM": [c, c],
        "lambda_D_nm": debye(c),
        "expected": [{"sigma_C_m2": sigma, "psi0_mV": psi, "c_surface_mM": surface}],
    }
    x, z, bulk = 75.0, np.array([1, -2]), np.array([50.0, 25.0])
    u = brentq(lambda u: np.sum(z * bulk * np.exp(-z * u)) + x, -10.0, 10.0, xtol=1e-15)
    donnan = {
        "kind": "donnan",
        "T_K": T,
        "X_fixed_mM": x,
        "z": z.tolist(),
        "c_bulk_mM": bulk.tolist(),
        "expected": {"psi_D_mV": u * VT, "c_in_mM": (bulk * np.exp(-z * u)).tolist()},
        "rtol": 1e-6,
    }
    rows = audit(tmp_path, {**wall, "rtol": 1e-5}, donnan)
    assert fails(rows) == [] and len(rows) == 7 + 6
    wall["expected"][0]["psi0_mV"] *= 1.0 + 1e-4
    donnan["expected"]["c_in_mM"][1] *= 1.0 - 1e-4
    assert len(fails(audit(tmp_path, {**wall, "rtol": 1e-5}, donnan))) == 2 + 2


def test_another_charged_membrane(tmp_path):
    """By the formula of Teorell, Meyer and Sievers."""
    x = 75.0
    d, left, right = (0.8, 1.9), 20.0, 130.0
    mobility = (d[0] - d[1]) / sum(d)
    s = lambda c: np.sqrt(x * x + 4.0 * c * c)
    ratio = (s(right) - mobility * x) / (s(left) - mobility * x)
    e = VT * (np.arcsinh(x / 2 / left) - np.arcsinh(x / 2 / right) - mobility * np.log(ratio))
    membrane = {
        "kind": "teorell_meyer_sievers",
        "T_K": T,
        "X_fixed_mM": x,
        "D_plus": 1e-9 * d[0],
        "D_minus": 1e-9 * d[1],
        "expected": [{"c_left_mM": left, "c_right_mM": right, "E_right_minus_left_mV": e}],
    }
    rows = audit(tmp_path, membrane)
    assert fails(rows) == [] and len(rows) == 1
    membrane["expected"][0]["E_right_minus_left_mV"] += 1e-6
    assert len(fails(audit(tmp_path, membrane))) == 1


def test_linear_relaxation_in_closed_form():
    """What sums over modes give, against the equations integrated, for a thick layer (no real wave number), too."""
    for gap in (1.2, 6.0):
        n = 400
        x = (np.arange(n) + 0.5) / n  # half of a cell, odd about the middle; charge q, in units of the last
        h = 1.0 / n
        laplace = (np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1) - 2.0 * np.eye(n)) / h**2
        laplace[0, 0] -= 1.0 / h**2
        laplace[-1, -1] += 1.0 / h**2
        # rho_t = rho'' - gap^2 rho, and no flux at 1: rho' + gap^2 phi' = 0, with phi'(1) = v - integral of x rho.
        weight = x * h
        matrix = laplace - gap**2 * np.eye(n)
        matrix[-1] += gap**2 * weight / h
        drive = np.zeros(n)
        drive[-1] = -(gap**2) / h
        values, vectors = np.linalg.eig(matrix)
        last = np.linalg.solve(matrix, -drive)
        found = Charging(gap)
        for t in (0.05, 0.4, 1.5):
            rho = last - (vectors @ (np.exp(values * t / gap) * np.linalg.solve(vectors, last + 0j))).real
            assert_allclose(found.charge(t), (1.0 - weight @ rho) / (gap / np.tanh(gap)), rtol=2e-3)
        assert_allclose(found.slowest, -gap / values.real.max(), rtol=2e-3)
        assert_allclose(found.charge(0.0), found.first, rtol=1e-6)
    rates, shapes = modes(np.array([2.0, 2.0]), 0.3, 5.0)
    assert_allclose(rates, [2.0 * 0.09, 2.0 * (0.09 + 1.0 / 25.0)], rtol=1e-12)
    assert_allclose(shapes[1] / shapes[0], [1.0, -1.0], rtol=1e-12)
    # Long after the step, and before it has spread: the plateau, (D- - D+)/(D- + D+) of the relative step.
    assert_allclose(Step(np.array([1.0, 3.0]), 1.0, 1000.0, 100.0).rise(50.0), 0.5, rtol=1e-3)


GHK = {
    "kind": "ghk_exact",
    "T_K": T,
    "z": [1, 1, -1],
    "D_m2_s": [1e-9, 2e-9, 2e-9],
    "L_nm": 10.0,
    "eps_r": 78.5,
    "c_left_mM": [100, 0, 100],
    "c_right_mM": [0, 100, 100],
    "expected": [{"V": 0.0, "I_A_m2": [1.0, 2.0, 3.0]}],
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("L_nm"), "must have the field 'L_nm'"),
        (lambda c: c.update(eps_r=0), "eps_r of case 1 must be above zero"),
        (lambda c: c.update(z=[1, 1, 1]), "must have a cation and an anion"),
        (lambda c: c.update(z=[1, 1, 40]), "must be between -10 and 10"),
        (lambda c: c.update(c_left_mM=[100, 0, 90]), "must be neutral, but its charges add up to +10 mM"),
        (lambda c: c.update(c_left_mM=[100, -1, 99]), "must not be negative"),
        (lambda c: c.update(D_m2_s=[1e-9]), "must have 3 values, but has 1"),
        (lambda c: c.update(expected=[{"V": 0.0, "I_A_m2": [1.0, [2.0]]}]), "must be numbers, or lists"),
        (lambda c: c.update(expected=[{"I_A_m2": [1.0, 2.0, 3.0]}]), "must have the field 'V'"),
        (lambda c: c.update(rtol=-1.0), "must not be negative"),
    ],
)
def test_malformed_cases_are_one_line(tmp_path, change, message):
    case = json.loads(json.dumps(GHK))
    change(case)
    with pytest.raises(InputError) as problem:
        audit(tmp_path, [case])
    assert message in str(problem.value) and "\n" not in str(problem.value)


def test_unknown_kinds_are_not_covered(tmp_path):
    rows = audit(tmp_path, [{"kind": "anything", "a": 1}], [{**GHK, "expected": []}, {"kind": "anything"}])
    assert [row.verdict for row in rows] == [Verdict.NOT_COVERED] * 2


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_never_escape_as_another_error(tmp_path, data):
    """Only what reads a file: nothing is solved."""
    from jaxmem.check import pnp

    case = json.loads(json.dumps(GHK))
    case["expected"] = [{"V": 0.1}]
    key = data.draw(st.sampled_from(sorted(case)))
    case[key] = data.draw(st.sampled_from([None, [], {}, "x", -1, 0, True, [[1]], [None], 1e300, {"a": 1}]))
    if pnp.recognizes({"cases": [case]}):
        try:
            list(pnp.rows({"cases": [case]}))
        except InputError as problem:
            assert "\n" not in str(problem)
