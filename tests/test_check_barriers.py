"""The audit of barrier pores: other sites, ions and conditions against dense linear algebra in numpy."""

import copy
import itertools
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from test_check import audit, audit_junk, mutated, shipped, short

from jaxmem.check import Verdict
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

E0, KB, H = 1.602176634e-19, 1.380649e-23, 6.62607015e-34
R, F = 8.31446261815324, 96485.33212331


class Dense:
    """A barrier pore by a dense linear system: the states are dictionaries from sites to ions."""

    def __init__(self, model, r=R, f=F):
        self.model, self.f = model, f
        self.ions, self.sites = model["ions"], len(model["delta_wells_from_outside"])
        self.kt = 1e3 * r * model["T_K"] / f  # [mV]
        self.nu = model.get("nu_1_s", KB * model["T_K"] / H)
        self.wells = [0.0, *model["delta_wells_from_outside"], 1.0]

    def solve(self, v, co, ci, ions=None):
        """Probability of each state, and the current [pA] and the inward flux [1/s] of each ion."""
        ions = ions or self.ions
        kinds = [None, *ions]
        states = list(itertools.product(kinds, repeat=self.sites))
        number = {state: k for k, state in enumerate(states)}
        rates = np.zeros((len(states), len(states)))
        entering = {ion: [] for ion in ions}
        for state in states:
            padded = [None, *state, None]
            for b in range(self.sites + 1):  # between the positions b and b + 1
                for start, end, bath in (
                    (b, b + 1, co if b == 0 else None),
                    (b + 1, b, ci if b == self.sites else None),
                ):
                    for ion in ions if bath is not None else [padded[start]]:
                        free = end in (0, self.sites + 1) or padded[end] is None
                        if ion is None or not free:
                            continue
                        after = list(padded)
                        after[start], after[end] = None, ion
                        after = tuple(after[1:-1])
                        z = ions[ion]["z"]
                        energy = [0.0, *ions[ion]["Gw"], 0.0][start] + z * self.wells[start] * v / self.kt
                        delta = self.model["delta_barriers_from_outside"][b]
                        top = ions[ion]["Gb"][b] + z * delta * v / self.kt
                        pairs = [self.pairs(s, ions) for s in (state, after)]
                        k = self.nu * math.exp(-(top + 0.5 * sum(pairs) - energy - pairs[0]))
                        k *= bath.get(ion, 0.0) if bath is not None else 1.0
                        rates[number[state], number[after]] += k
                        if b == 0:
                            entering[ion].append((number[state], k if end == 1 else -k))
        q = rates - np.diag(rates.sum(1))
        p = np.linalg.solve(np.vstack([q.T[:-1], np.ones(len(states))]), np.eye(len(states))[-1])
        inward = {ion: sum(p[k] * rate for k, rate in moves) for ion, moves in entering.items()}
        current = {ion: -1e12 * self.f / F * E0 * ions[ion]["z"] * flux for ion, flux in inward.items()}
        return dict(zip(states, p, strict=True)), current, inward

    def pairs(self, state, ions):
        u = self.model.get("u_pair_RT", [])
        z = [0 if ion is None else ions[ion]["z"] for ion in state]
        return sum(
            z[i] * z[j] * u[j - i - 1] for i, j in itertools.combinations(range(self.sites), 2) if j - i <= len(u)
        )

    def current(self, v, co, ci):
        return sum(self.solve(v, co, ci)[1].values())

    def holding(self, v, co, ci):
        p = self.solve(v, co, ci)[0]
        return [sum(x for state, x in p.items() if self.sites - state.count(None) == n) for n in range(self.sites + 1)]

    def one_way(self, ion, v, co, ci):
        ions = {**self.ions, "tracer": self.ions[ion]}
        co = {**{k: c for k, c in co.items() if k != ion}, "tracer": co[ion]}
        inward = self.solve(v, co, ci, ions)[2]
        return inward["tracer"], -inward[ion]

    def symmetric(self, ion, c, v):
        both = {ion: c}
        high, low, more, less = (self.current(x, both, both) for x in (1.0, -1.0, 0.01, -0.01))
        influx, efflux = self.one_way(ion, v, both, both)
        return {
            "c_M": c,
            "gamma_pS": 1e3 * (high - low) / 2.0,
            "gamma_slope_pS": 1e3 * (more - less) / 0.02,
            "occupancy_0_1_2_3": self.holding(0.0, both, both),
            "flux_ratio_exponent": -math.log(influx / efflux) * self.kt / (self.ions[ion]["z"] * v),
            "J_in_1_s": influx,
            "J_out_1_s": efflux,
        }

    def mixed(self, co, ci, voltages):
        reversal = brentq(lambda v: self.current(v, co, ci), -150.0, 150.0, xtol=1e-12, rtol=1e-15)
        points = [{"V_mV": v, "I_pA": self.current(v, co, ci)} for v in voltages]
        return {"co_M": co, "ci_M": ci, "V_rev_mV": reversal, "IV": points}


def one_site():
    """A file of a pore with one site, for a monovalent cation, a divalent cation and an anion of odd names."""
    model = {
        "n_sites": 1,
        "T_K": 283.0,
        "nu_1_s": 2.5e12,
        "ions": {
            "Tl+": {"z": 1, "Gb": [8.0, 7.0], "Gw": [-1.5]},
            "Mn": {"z": 2, "Gb": [9.0, 11.0], "Gw": [-6.0]},
            "ClO4": {"z": -1, "Gb": [10.0, 9.5], "Gw": [0.5]},
        },
        "delta_barriers_from_outside": [0.1, 0.7],
        "delta_wells_from_outside": [0.4],
        "u_pair_RT": [0.0],
    }
    pore = Dense(model)
    co, ci = {"Tl+": 0.1, "Mn": 0.002, "ClO4": 0.104}, {"Tl+": 0.02, "ClO4": 0.02}
    at = lambda outside: pore.current(-35.0, outside, {})
    blocked = [{"Mn_M": c, "I_pA": at({"Tl+": 0.05, "Mn": c})} for c in (1e-6, 1e-4, 1e-2)]
    fractions = [{"x_Mn": x, "I_pA": at({"Mn": 0.03 * x, "Tl+": 0.03 * (1 - x)})} for x in (0.0, 0.25, 1.0)]
    return {
        "kind": "multi_ion_barrier",
        "rtol": 1e-8,
        "rtol_gamma_slope_pS": 1e-6,  # a difference here
        "model": model,
        "V_mV": -35.0,
        "flux_ratio_V_mV": -15.0,
        "symmetric_ion": "Tl+",
        "symmetric": pore.symmetric("Tl+", 0.05, -15.0),
        "mixed": [pore.mixed(co, ci, (-70.0, 0.0, 45.0))],
        "expected": {
            "Mn_only": [{"c_mM": c, "I_pA": at({"Mn": 1e-3 * c})} for c in (0.5, 20.0)],
            "AMFE": {
                "c_total_mM": 30.0,
                "points": fractions,
                "min_over_pure_Tl+": at({"Mn": 0.03}) / at({"Tl+": 0.03}),
            },
            "Tl+_current_vs_Mn": {
                "Tl+_out_mM": 50.0,
                "points": blocked,
                "Mn_at_min_M": 1e-2,
                "I_min_pA": blocked[-1]["I_pA"],
                "block_fold": at({"Tl+": 0.05}) / blocked[-1]["I_pA"],
            },
            "IV_mixture": {"co_M": co, "ci_M": ci, "points": [{"V_mV": 12.0, "I_pA": pore.current(12.0, co, ci)}]},
        },
    }


@pytest.fixture(scope="module")
def single():
    return one_site()


def test_a_pore_of_one_site_passes(tmp_path, single):
    found = audit(tmp_path, single)
    assert short(row for row in found if row.verdict is not Verdict.PASSED) == []
    assert len(found) == 7 + 4 + 2 + 4 + 6 + 1


def test_a_pore_of_four_sites_passes_and_altered_conditions_fail(tmp_path):
    model = {
        "T_K": 305.0,
        "ions": {"Rb": {"z": 1, "Gb": [8.0, 5.0, 6.0, 5.5, 7.5], "Gw": [-2.0, -1.5, -2.5, -1.0]}},
        "delta_barriers_from_outside": [0.05, 0.3, 0.5, 0.72, 0.95],
        "delta_wells_from_outside": [0.15, 0.4, 0.6, 0.85],
        "u_pair_RT": [1.2, 0.5],
    }
    pore = Dense(model)
    low, high = (pore.symmetric("Rb", c, 25.0) for c in (0.02, 0.8))
    low["occupancy_0_1_2_3"] = low["occupancy_0_1_2_3"][:4]  # as many as the name says, or all
    content = {
        "model": model,
        "symmetric": [low, high],
        "flux_ratio_V_mV": 25.0,
        "rtol": 1e-8,
        "rtol_gamma_slope_pS": 1e-6,
    }
    found = audit(tmp_path, content)
    assert short(row for row in found if row.verdict is not Verdict.PASSED) == []
    assert len(found) == 9 + 10
    for key, value in (("nu_1_s", 1.0001 * KB * 305.0 / H), ("u_pair_RT", [1.2, 0.5, 0.1])):
        found = audit(tmp_path, {**content, "model": {**model, key: value}})
        failed = {row.quantity for row in found if row.verdict is Verdict.FAILED}
        assert {"gamma_pS", "J_in_1_s"} <= failed


def test_other_energies_of_a_mixture_pass(tmp_path):
    """Minima, against a search in numpy; a minimum's place is known to the square root of its value's rounding."""
    content = shipped("cav_two_site_Ca_Ba_Na")
    model = content["model"]
    del model["nu_1_s"]
    model["T_K"] = 300.0
    for ion, up in (("Ca", 1.0), ("Ba", 0.5), ("Na", -0.5)):
        model["ions"][ion]["Gw"] = [g + up for g in model["ions"][ion]["Gw"]]
    model["ions"]["Ca"]["Gb"][2] += 0.3
    pore, v = Dense(model), -30.0
    mixtures = []
    for total in (5.0, 40.0):
        at = lambda x, total=total: pore.current(v, {"Ca": 1e-3 * total * x, "Ba": 1e-3 * total * (1 - x)}, {})
        least = minimize_scalar(lambda x, at=at: -at(x), bounds=(1e-4, 0.6), options={"xatol": 1e-10})
        entry = {"x_Ca_at_min": least.x, "I_min_pA": at(least.x), "min_over_pure_Ca": at(least.x) / at(1.0)}
        entry["depth_vs_linear"] = 1.0 - at(least.x) / (least.x * at(1.0) + (1.0 - least.x) * at(0.0))
        mixtures.append({"c_total_mM": total, "points": [{"x_Ba": 0.4, "I_pA": at(0.6)}], **entry})
    block = lambda c: pore.current(v, {"Na": 0.12, "Ca": c}, {})
    least = minimize_scalar(lambda c: -block(math.exp(c)), bounds=(math.log(1e-6), 0.0), options={"xatol": 1e-10})
    swept = {
        "Na_out_M": 0.12,
        "Ca_at_min_mM": 1e3 * math.exp(least.x),
        "block_fold": block(0.0) / block(math.exp(least.x)),
    }
    swept["points"] = [{"Ca_uM": c, "I_pA": block(1e-6 * c)} for c in (1.0, 1e6)]
    expected = {
        "AMFE": mixtures,
        "Na_current_vs_Ca": swept,
        "Na_only": [{"c_M": 0.3, "I_pA": pore.current(v, {"Na": 0.3}, {})}],
    }
    found = audit(tmp_path, {"model": model, "V_mV": v, "expected": expected, "rtol": 1e-8, "rtol_position": 1e-5})
    assert short(row for row in found if row.verdict is not Verdict.PASSED) == []
    assert len(found) == 10 + 4 + 1


def test_legacy_constants_of_a_pore_are_honored(tmp_path, single):
    r, f = 8.31, 96485.0
    pore = Dense(single["model"], r, f)
    content = {**single, "symmetric": pore.symmetric("Tl+", 0.05, -15.0), "expected": None}
    content["mixed"] = pore.mixed({"Tl+": 0.1}, {"Tl+": 0.02, "ClO4": 0.1}, (30.0,))
    found = audit(tmp_path, {**content, "legacy_constants": {"R": r, "F": f}})
    assert short(row for row in found if row.verdict is not Verdict.PASSED) == []
    assert Verdict.FAILED in {row.verdict for row in audit(tmp_path, content)}


def test_what_is_unknown_of_a_pore_is_not_covered(tmp_path, single):
    content = {**single, "symmetric": {**single["symmetric"], "noise_pA2": 3.0}, "mixed": None, "expected": {}}
    content["symmetric"] = {key: content["symmetric"][key] for key in ("c_M", "noise_pA2", "occupancy_0_1_2_3")}
    content["expected"] = {"Tl+_only": [{"c_mM": 3.0, "kappa": None}], "Rb_only": [{"c_mM": 1.0, "I_pA": -1.0}]}
    content["electrostatics"] = [{"c_M": 0.1, "I_pA": 3.0}]
    found = audit(tmp_path, content)
    unknown = [row.quantity for row in found if row.verdict is Verdict.NOT_COVERED]
    assert unknown == ["noise_pA2", "electrostatics", "kappa", "Rb_only"]
    assert [row.verdict for row in found].count(Verdict.PASSED) == 2


def test_a_reversal_potential_may_be_undefined(tmp_path, single):
    for value, verdict in ((None, Verdict.PASSED), (-50.0, Verdict.FAILED)):
        mixed = {"co_M": {"Tl+": 0.1}, "ci_M": {}, "V_rev_mV": value}
        (row,) = audit(tmp_path, {"model": single["model"], "mixed": mixed})
        assert row.verdict is verdict


# --- what is wrong ---


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("model"), "must have the field 'model'"),
        (lambda c: c["model"].pop("ions"), "must have the field 'ions'"),
        (lambda c: c["model"].update(ions={}), "must have ions and 1 to 20 sites"),
        (lambda c: c["model"].update(n_sites=2), "Gw of Tl+ must have 2 values, but has 1"),
        (lambda c: c["model"].update(n_sites=1e300), "must have ions and 1 to 20 sites"),
        (lambda c: c["model"].update(T_K=-1.0), "T_K must be above zero"),
        (lambda c: c["model"]["ions"]["Mn"].pop("z"), "ion Mn must have the field 'z'"),
        (lambda c: c["model"]["ions"]["Mn"].update(z=1e300), "must be between -10 and 10"),
        (lambda c: c["model"]["ions"]["Mn"].update(Gb=[1.0]), "Gb of Mn must have 2 values, but has 1"),
        (lambda c: c["model"].update(delta_wells_from_outside=[0.9]), "must increase from outside between 0 and 1"),
        (lambda c: c["model"].update(delta_barriers_from_outside=[0.1]), "delta_barriers must have 2 values"),
        (lambda c: c["model"].update(u_pair_RT=[1, 2, 3]), "u_pair_RT must have at most 1 values"),
        (lambda c: c.update(symmetric_ion="Xx"), "must name ions of the model, Tl+, Mn, ClO4, but names 'Xx'"),
        (lambda c: c.pop("symmetric_ion"), "symmetric must have a symmetric_ion"),
        (lambda c: c.pop("flux_ratio_V_mV"), "must have symmetric_ion and flux_ratio_V_mV"),
        (lambda c: c.pop("V_mV"), "must have the field 'V_mV'"),
        (lambda c: c["symmetric"].update(c_M=-0.1), "c_M of symmetric must not be negative"),
        (lambda c: c["symmetric"].update(occupancy_0_1_2_3=0.5), "must be a list"),
        (lambda c: c["mixed"][0].update(co_M={"Xx": 1.0}), "but names 'Xx'"),
        (lambda c: c["mixed"][0].update(IV=3), "IV of mixed must be a list"),
        (lambda c: c["mixed"][0]["IV"][0].update(V_mV="fast"), "must be a finite number, but is 'fast'"),
        (lambda c: c["mixed"][0]["IV"][0].update(points=[]), "has points itself"),
        (lambda c: c["expected"]["AMFE"].pop("c_total_mM"), "must have the field 'c_total_mM'"),
        (lambda c: c["expected"]["AMFE"]["points"][0].pop("x_Mn"), "must have the field 'x_"),
        (lambda c: c["expected"]["AMFE"]["points"][0].update(x_Mn=2.0), "must be between 0 and 1"),
        (lambda c: c["expected"]["AMFE"].update(x_ClO4_at_min=0.5), "must tell two ions"),
        (
            lambda c: c["expected"].update(IV_mixture={"co_M": {}, "points": [{"V_mV": 1, "I_pA": 1}]}),
            "what is in the baths",
        ),
        (lambda c: c.update(rtol="tight"), "must be a finite number"),
    ],
)
def test_malformed_pores_are_one_line(tmp_path, single, change, message):
    content = copy.deepcopy(single)
    change(content)
    with pytest.raises(InputError) as problem:
        audit(tmp_path, content)
    text = str(problem.value)
    assert message in text and "0.json: " in text and "\n" not in text and len(text) < 400


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_pores_never_escape_as_another_error(tmp_path, single, data):
    audit_junk(tmp_path, mutated(single, data))
