"""Every number of the reference file of membrane thermodynamics, through the public functions."""

import json
import math

import jax
import numpy as np
import pytest

import jaxmem.electrochemistry as ec
from jaxmem.electrochemistry import Ca, Cl, H, K, Na, gaba, glc, glu
from jaxmem.units import M, V

pytestmark = pytest.mark.x64
SPECIES = {s.name: s for s in (Na, K, Cl, Ca, H, ec.HCO3, glu, gaba, glc)}


@pytest.fixture(scope="module")
def reference(shared):
    return json.loads((shared / "reference" / "transport" / "thermodynamics.json").read_text())


@pytest.fixture(scope="module", params=range(4))
def case(request, reference):
    return reference["cases"][request.param]


@pytest.fixture(scope="module")
def cell(case):
    """Bath, potential [mV], and the free energy of ATP hydrolysis [kT]."""
    p = case["parameters"]
    both = {SPECIES[name]: pair for name, pair in p["concentrations_M_out_in"].items()}
    bath = ec.Bath(
        {s: float(pair[1]) * M for s, pair in both.items()},
        {s: float(pair[0]) * M for s, pair in both.items()},
        float(p["T_K"]),
    )
    atp = [float(p["ATP_M"][name]) * M for name in ("ATP", "ADP", "Pi")]
    standard = ec.from_molar(float(p["dG0_ATP_J_per_mol"]), bath.temperature)
    return bath, float(p["V_V"]) * V, ec.hydrolysis_energy(*atp, standard)


def close(got, want):
    np.testing.assert_allclose(float(got), want, rtol=1e-9)


def test_potentials(case, cell):
    bath, v, _ = cell
    t = bath.temperature
    for name, want in case["expected"]["E_mV"].items():
        s = SPECIES[name]
        close(ec.nernst(*bath[s], s.z, t), want)
        close(v - ec.driving_force(v, *bath[s], s.z, t), want)
    for name, want in case["expected"]["dmu_in_J_per_mol"].items():
        s = SPECIES[name]
        difference = ec.potential_difference(*bath[s], s.z, v, t)
        close(ec.to_molar(difference, t), want)
        inside, outside = (
            ec.electrochemical_potential(c, s.z, x, t) for c, x in zip(bath[s], (v, 0.0), strict=True)
        )
        np.testing.assert_allclose(inside - outside, difference, rtol=1e-9)
        assert ec.flow_direction(*bath[s], s.z, v, t) == math.copysign(1, want)


def test_transporters(case, cell):
    bath, v, atp = cell
    close(ec.to_molar(atp, bath.temperature), case["expected"]["dG_ATP_J_per_mol"])
    for row in case["expected"]["transporters"].values():
        moved = {SPECIES[name]: n for name, n in row["stoichiometry_in_positive"].items()}
        energy = row["ATP_hydrolysed"] * atp
        assert ec.charge_moved(moved) == row["charge_moved_in_per_cycle"]
        close(
            ec.to_molar(ec.transport_free_energy(moved, bath, v), bath.temperature),
            row["dG_transport_J_per_mol"],
        )
        total = ec.transport_free_energy(moved, bath, v, energy)
        close(ec.to_molar(total, bath.temperature), row["dG_total_J_per_mol"])
        assert bool(ec.spontaneous(total)) == (row["dG_total_J_per_mol"] < 0)
        if row["V_rev_mV"] is None:
            with pytest.raises(ValueError, match="electroneutral"):
                ec.reversal_potential(moved, bath, energy)
        else:
            close(ec.reversal_potential(moved, bath, energy), row["V_rev_mV"])


def test_constant_field(case, cell):
    bath, v, _ = cell
    relative = dict(
        zip((K, Na, Cl), map(float, case["parameters"]["relative_permeability_PK_PNa_PCl"]), strict=True)
    )
    want = case["expected"]
    cations = {K: relative[K], Na: relative[Na]}
    close(ec.ghk_voltage(relative, bath), want["GHK_voltage_mV"])
    close(ec.ghk_voltage(cations, bath), want["GHK_voltage_NaK_only_mV"])
    close(ec.mullins_noda_voltage(cations, bath), want["Mullins_Noda_r_1p5_mV"])
    close(ec.mullins_noda_voltage(cations, bath, 2.0), want["Mullins_Noda_r_2_mV"])
    pumped = ec.mullins_noda_voltage(cations, bath) - ec.ghk_voltage(cations, bath)
    close(pumped, want["pump_hyperpolarisation_mV_r_1p5"])
    for name, current in want["GHK_current_A_per_m2_outward_positive_P_x_1e-9_m_per_s"].items():
        s = SPECIES[name]
        args = (*bath[s], s.z, relative.get(s, 1.0) * 1e-9, bath.temperature)
        close(ec.ghk_current(v, *args), current)
        slope = jax.grad(ec.ghk_current)(v, *args) * 1e3  # per V
        close(slope, want["dGHK_current_dV_S_per_m2"][name])


def test_pump_balances_the_leaks(case, cell):
    bath, _, _ = cell
    relative = dict(
        zip((K, Na), map(float, case["parameters"]["relative_permeability_PK_PNa_PCl"][:2]), strict=True)
    )
    rest = ec.mullins_noda_voltage(relative, bath)
    sodium, potassium = (ec.ghk_flux(rest, *bath[s], s.z, relative[s], bath.temperature) for s in (Na, K))
    np.testing.assert_allclose(2 * sodium + 3 * potassium, 0, atol=1e-12 * abs(3 * potassium))


def test_set_points(case, cell):
    bath, v, atp = cell
    want = case["expected"]["limits"]

    def inside(species, moved, at=v, energy=0.0):
        return ec.equilibrium_concentration(species, moved, bath, at, energy)

    close(inside(Cl, {K: -1, Cl: -1}) / M, want["Cl_in_setpoint_KCC2_M"])
    close(inside(Cl, {Na: 1, K: 1, Cl: 2}) / M, want["Cl_in_setpoint_NKCC1_M"])
    close(inside(Cl, {Cl: 1}) / M, want["Cl_in_setpoint_passive_M"])
    close(inside(Ca, {Na: 3, Ca: -1}) / M, want["Ca_in_min_NCX3_M"])
    close(inside(Ca, {Ca: -1, H: 1}, energy=atp) / M, want["Ca_in_min_PMCA_1H_M"])
    close(inside(Ca, {Ca: -1, H: 2}, energy=atp) / M, want["Ca_in_min_PMCA_2H_M"])
    close(
        inside(Ca, {Ca: 2}, at=0.0, energy=atp) / bath[Ca][1],
        want["SERCA_2Ca_per_ATP_max_ratio_CaSR_over_Cai_at_zero_SR_potential"],
    )
    accumulated = {
        "glu_in_over_out_max_EAAT": (glu, {Na: 3, H: 1, glu: 1, K: -1}),
        "gaba_in_over_out_max_GAT1_2Na1Cl": (gaba, {Na: 2, Cl: 1, gaba: 1}),
        "glc_in_over_out_max_SGLT1": (glc, {Na: 2, glc: 1}),
        "glc_in_over_out_max_SGLT2": (glc, {Na: 1, glc: 1}),
    }
    for name, (species, moved) in accumulated.items():
        close(inside(species, moved) / bath[species][1], want[name])
    protons = inside(H, {H: -2}, energy=atp)
    close(math.log10(bath[H][1] / protons), want["H_ATPase_2H_max_pH_gradient_at_V"])


@pytest.mark.parametrize("index", range(3))
def test_donnan(reference, index):
    case = reference["donnan"][index]
    p, want = case["parameters"], case["expected"]
    bath = ec.Solution(
        {ec.Species(name, int(z)): float(c) * M for name, (z, c) in p["bath_M_z_conc"].items()}
    )
    impermeant, valence, t = (float(p[k]) for k in ("impermeant_in_M", "impermeant_valence", "T_K"))
    at = ec.donnan(bath, impermeant * M, valence, t)
    close(at.potential, want["V_D_mV"])
    for species, c in zip(at.inside.species, at.inside.c, strict=True):
        close(c / M, want["c_in_M"][species.name])
    close(at.inside[Na] / bath[Na], want["donnan_ratio_cation_in_over_out"])
    close(at.osmotic_excess / M, want["osmotic_excess_M"])
    close(at.osmotic_pressure, want["osmotic_pressure_difference_Pa"])
    for slope in (jax.grad, jax.jacfwd):
        close(
            slope(lambda x: ec.donnan(bath, x * M, valence, t).potential)(impermeant), want["dV_dP_mV_per_M"]
        )
