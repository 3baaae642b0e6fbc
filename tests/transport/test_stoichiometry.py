"""Free-energy books of transporters: textbook numbers, kinds, electrogenicity, set points, what is refused."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem.electrochemistry import ADP, ATP, Bath, Ca, Cl, K, Na, Pi, Species, from_molar, glc, kJ_per_mol, to_molar
from jaxmem.transport import (
    Kind,
    Stoichiometry,
    catalogue,
    chemical_energy,
    direction,
    efficiency,
    largest_accumulation,
    set_point,
    stalling_potential,
    transport_energy,
    turn_energy,
)

pytestmark = pytest.mark.x64

T = 310.0


def kilojoules(energy):
    return float(to_molar(energy, T)) / kJ_per_mol


def cell():
    """145 Na outside, 15 inside; K 140 inside, 5 outside."""
    inside, outside = {Na: 15.0, K: 140.0, Cl: 8.0, Ca: 1e-4}, {Na: 145.0, K: 5.0, Cl: 120.0, Ca: 1.8}
    return Bath(inside, outside, T)


FUELED = {ATP: 5.0, ADP: 0.04, Pi: 1.0}


def test_the_sodium_pumps_budget_is_the_textbooks():
    """310 K, -65 mV: Na -12.12 kJ/mol inward (printed -12.13), 3 Na out +36.4, 2 K in +4.63 (printed 4.64)."""
    at = lambda table: kilojoules(transport_energy(Stoichiometry("x", table), cell(), -65.0))
    assert round(at({Na: 1}), 2) == -12.12
    assert round(at({Na: -3}), 1) == 36.4
    assert round(at({K: 2}), 2) == 4.63
    assert round(at({Na: -3, K: 2}), 1) == 41.0
    whole = kilojoules(turn_energy(catalogue.NA_K_ATPASE, cell(), -65.0, energy=from_molar(-50.0 * kJ_per_mol, T)))
    assert round(whole) == -9
    assert float(direction(catalogue.NA_K_ATPASE, cell(), -65.0, energy=from_molar(-50e3, T))) == 1.0


def test_a_symporter_with_two_sodium_ions():
    """2 Na : 1 S against S 10 | 1: about -18.3 kJ/mol."""
    s = Species("S", 0)
    bath = Bath({Na: 15.0, s: 10.0}, {Na: 145.0, s: 1.0}, T)
    assert round(kilojoules(turn_energy(Stoichiometry("symporter", {Na: 2, s: 1}), bath, -65.0)), 1) == -18.3


def test_electrogenicity():
    assert catalogue.NA_K_ATPASE.charge == 1.0
    assert catalogue.NCX.charge == -1.0
    assert catalogue.KCC2.charge == 0.0 == catalogue.NKCC1.charge
    assert catalogue.SGLT1.charge == -2.0 and catalogue.EAAT.charge == -2.0


def test_kinds():
    kinds = {
        Kind.PRIMARY: (catalogue.NA_K_ATPASE, catalogue.SERCA, catalogue.PMCA, catalogue.H_ATPASE),
        Kind.ANTIPORT: (catalogue.NCX, catalogue.NHE, catalogue.AE, catalogue.EAAT, catalogue.NCKX, catalogue.CHX),
        Kind.SYMPORT: (catalogue.KCC2, catalogue.NKCC1, catalogue.SGLT1, catalogue.GAT1, catalogue.NBC),
        Kind.FACILITATED: (catalogue.GLUT,),
        Kind.CHANNEL: (Stoichiometry("channel", {K: -1}),),
    }
    for kind, several in kinds.items():
        assert {s.kind for s in several} == {kind}


def test_the_energy_of_atp_comes_from_its_concentrations():
    bath = Bath({Na: 15.0, K: 140.0, **FUELED}, {Na: 145.0, K: 5.0}, T)
    expected = -30.5 + 8.31446261815324e-3 * T * np.log(0.04e-3 * 1e-3 / 5e-3)
    assert_allclose(kilojoules(chemical_energy(catalogue.NA_K_ATPASE, bath)), expected, rtol=1e-12)
    assert float(chemical_energy(catalogue.NCX, bath)) == 0.0
    assert_allclose(
        turn_energy(catalogue.NA_K_ATPASE, bath, -65.0),
        transport_energy(catalogue.NA_K_ATPASE, bath, -65.0) + chemical_energy(catalogue.NA_K_ATPASE, bath),
        rtol=1e-13,
    )


def test_where_they_stall():
    e_na, e_ca = (float(x) for x in (np.log(145 / 15), np.log(1.8 / 1e-4) / 2))
    kt = 8.31446261815324 * T / 96485.33212331 * 1e3
    assert_allclose(stalling_potential(catalogue.NCX, cell()), kt * (3 * e_na - 2 * e_ca), rtol=1e-11)
    stall = stalling_potential(catalogue.NA_K_ATPASE, cell(), energy=-21.0)
    assert_allclose(turn_energy(catalogue.NA_K_ATPASE, cell(), stall, energy=-21.0), 0.0, atol=1e-12)
    assert_allclose(efficiency(catalogue.NA_K_ATPASE, cell(), stall, energy=-21.0), 1.0, rtol=1e-12)
    assert 0.5 < float(efficiency(catalogue.NA_K_ATPASE, cell(), -65.0, energy=-21.0)) < 1.0


def test_set_points_and_accumulation():
    assert_allclose(set_point(catalogue.KCC2, Cl, cell(), -65.0), 5.0 * 120.0 / 140.0, rtol=1e-12)
    assert_allclose(set_point(catalogue.NKCC1, Cl, cell(), -65.0), np.sqrt(145 * 5 * 120**2 / (15 * 140)), rtol=1e-12)
    bath = Bath({Na: 15.0, glc: 1.0}, {Na: 145.0, glc: 5.0}, T)
    ratio = largest_accumulation(catalogue.SGLT1, glc, bath, -65.0)
    assert_allclose(ratio, (145 / 15) ** 2 * np.exp(2 * 65.0 / 26.7137), rtol=1e-4)
    energy = turn_energy(catalogue.SGLT1, bath, -65.0)
    assert_allclose(
        efficiency(catalogue.SGLT1, bath, -65.0, driving=(Na,)),
        1.0 - energy / transport_energy(Stoichiometry("Na", {Na: 2}), bath, -65.0),
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (
            lambda: Stoichiometry("mine", {Na: 3, Ca: -1}, electroneutral=True),
            ValueError,
            r"mine: claims to be electroneutral, but \+3 Na, -1 Ca into the cell moves \+1 e0",
        ),
        (lambda: Stoichiometry("mine", {Na: 0}), ValueError, "mine: a transporter must move some particle"),
        (
            lambda: turn_energy(catalogue.NA_K_ATPASE, cell(), -65.0),
            KeyError,
            "Na/K-ATPase spends ATP, so the inner bath must hold ATP, ADP and Pi, but it lacks ATP, ADP, Pi",
        ),
        (lambda: turn_energy(catalogue.NHE, cell(), -65.0), KeyError, r"must hold H\(\+1\)"),
        (lambda: stalling_potential(catalogue.KCC2, cell()), ValueError, "but this one is electroneutral"),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(make, error, said):
    with pytest.raises(error, match=said):
        make()
