"""Anchors from textbooks, limits, gradients, float32, and errors."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxmem.electrochemistry as ec
from jaxmem.electrochemistry import Ca, Cl, K, Na, gaba
from jaxmem.units import F, R, thermal_voltage

INSIDE = {K: 139.0, Na: 12.0, Cl: 7.0, Ca: 1e-4}
OUTSIDE = {K: 4.0, Na: 145.0, Cl: 116.0, Ca: 1.8}
BATH_ARGS = (INSIDE, OUTSIDE, 310.15)


def test_sodium_at_rest():
    """145 | 15 mM, 310 K, -65 mV: -12.12 kJ/mol inward, -5.85 of them chemical and -6.27 electrical."""
    total = ec.to_molar(ec.potential_difference(15.0, 145.0, 1, -65.0, 310.0), 310.0) / ec.kJ_per_mol
    chemical = ec.to_molar(ec.potential_difference(15.0, 145.0, 0, -65.0, 310.0), 310.0) / ec.kJ_per_mol
    np.testing.assert_allclose(total, -12.12, atol=0.005)
    np.testing.assert_allclose(chemical, -5.85, atol=0.005)
    np.testing.assert_allclose(total - chemical, -6.27, atol=0.005)
    assert ec.flow_direction(15.0, 145.0, 1, -65.0, 310.0) == -1


def test_molar_energies_convert_both_ways():
    np.testing.assert_allclose(ec.from_molar(0.592484 * ec.kcal_per_mol, 298.15), 1.0, rtol=1e-5)
    np.testing.assert_allclose(
        ec.to_molar(ec.from_molar(-30.5 * ec.kJ_per_mol, 310.0), 310.0), -30500.0, rtol=1e-6
    )


def test_constant_field_limits():
    flux = ec.ghk_flux
    np.testing.assert_allclose(flux(0.0, 10.0, 4.0, 1, 0.5, 310.0), 3.0, rtol=1e-6)
    np.testing.assert_allclose(flux(-80.0, 10.0, 4.0, 0, 0.5, 310.0), 3.0, rtol=1e-6)
    u = 2000.0 / thermal_voltage(310.0)
    np.testing.assert_allclose(flux(2000.0, 10.0, 4.0, 1, 0.5, 310.0), 0.5 * u * 10.0, rtol=1e-6)
    np.testing.assert_allclose(flux(-2000.0, 10.0, 4.0, 1, 0.5, 310.0), -0.5 * u * 4.0, rtol=1e-6)
    reversal = ec.nernst(7.0, 116.0, -1, 310.0)
    np.testing.assert_allclose(flux(reversal, 7.0, 116.0, -1, 1.0, 310.0), 0.0, atol=1e-5)
    slope = jax.grad(ec.ghk_current)(0.0, 5.0, 5.0, 1, 1.0, 310.0)
    np.testing.assert_allclose(slope, F * 5.0 / thermal_voltage(310.0), rtol=1e-5)


@pytest.mark.x64
def test_ghk_voltage_has_no_net_current_and_becomes_nernst():
    bath = ec.Bath(*BATH_ARGS)
    permeability = {K: 1.0, Na: 0.04, Cl: 0.45}
    v = ec.ghk_voltage(permeability, bath)
    parts = [ec.ghk_current(v, *bath[s], s.z, p, bath.temperature) for s, p in permeability.items()]
    np.testing.assert_allclose(sum(parts), 0.0, atol=1e-12 * max(map(abs, parts)))
    for s in (K, Cl):
        np.testing.assert_allclose(
            ec.ghk_voltage({s: 3.0}, bath), ec.nernst(*bath[s], s.z, 310.15), rtol=1e-13
        )


@pytest.mark.x64
@pytest.mark.parametrize("stoichiometry", [{Na: -3, K: 2}, {Na: 3, Ca: -1}, {Na: 1, K: 1, Cl: 2}, {K: 1}])
def test_free_energy_is_zero_where_it_says(stoichiometry):
    bath = ec.Bath(*BATH_ARGS)
    if ec.charge_moved(stoichiometry):
        v = ec.reversal_potential(stoichiometry, bath, -3.0)
        np.testing.assert_allclose(ec.transport_free_energy(stoichiometry, bath, v, -3.0), 0.0, atol=1e-13)
    for species in stoichiometry:
        c = ec.equilibrium_concentration(species, stoichiometry, bath, -60.0, -3.0)
        there = ec.Bath(INSIDE | {species: c}, OUTSIDE, 310.15)
        np.testing.assert_allclose(
            ec.transport_free_energy(stoichiometry, there, -60.0, -3.0), 0.0, atol=1e-12
        )


@pytest.mark.x64
def test_sodium_calcium_exchange_reverses_between_its_ions():
    bath = ec.Bath(*BATH_ARGS)
    sodium, calcium = (ec.nernst(*bath[s], s.z, bath.temperature) for s in (Na, Ca))
    np.testing.assert_allclose(
        ec.reversal_potential({Na: 3, Ca: -1}, bath), 3 * sodium - 2 * calcium, rtol=1e-12
    )


@pytest.mark.x64
def test_gradients_match_central_differences():
    def scalars(x):
        c_in, c_out, v, t = x
        bath = ec.Bath({K: c_in, Cl: 7.0}, {K: c_out, Cl: 116.0}, t)
        salt = ec.Solution({K: c_out, Cl: c_out})
        equilibrium = ec.donnan(salt, c_in, -1.3, t)
        return jnp.stack(
            [
                ec.nernst(c_in, c_out, 1, t),
                ec.electrochemical_potential(c_in, 2, v, t),
                ec.potential_difference(c_in, c_out, 2, v, t),
                ec.driving_force(v, c_in, c_out, -1, t),
                ec.ghk_flux(v, c_in, c_out, 2, 0.3, t),
                ec.ghk_current(v, c_in, c_out, -1, 0.3, t),
                ec.ghk_voltage({K: 1.0, Cl: 0.3}, bath),
                ec.transport_free_energy({K: -1, Cl: -1}, bath, v),
                ec.reversal_potential({K: 2, Cl: 1}, bath, -2.0),
                ec.equilibrium_concentration(Cl, {K: 1, Cl: 1}, bath, v),
                equilibrium.potential,
                equilibrium.osmotic_pressure,
                ec.debye_length(salt, t),
            ]
        )

    x = jnp.array([139.0, 4.0, -57.0, 305.0])
    forward, reverse = jax.jacfwd(scalars)(x), jax.jacrev(scalars)(x)
    np.testing.assert_allclose(forward, reverse, rtol=1e-10, atol=1e-13)
    steps = jnp.diag(1e-5 * x)
    central = jnp.stack([(scalars(x + h) - scalars(x - h)) / (2 * h.sum()) for h in steps], axis=1)
    np.testing.assert_allclose(forward, central, rtol=1e-6, atol=1e-9)


def test_float32_stays_float32():
    one = jnp.float32
    c_in, c_out, v, t = one(139.0), one(4.0), one(-57.0), one(305.0)
    bath = ec.Bath({K: c_in, Na: one(12.0)}, {K: c_out, Na: one(145.0)}, t)
    equilibrium = ec.donnan(ec.Solution({K: c_out, Cl: c_out}), one(10.0), one(-1.0), t)
    got = [
        (ec.nernst(c_in, c_out, 1, t), R * 305.0 / F * 1e3 * np.log(4.0 / 139.0)),
        (ec.ghk_current(one(1e-6), c_in, c_out, 1, one(0.3), t), F * 0.3 * 135.0),
        (ec.ghk_voltage({K: 1.0, Na: 0.0}, bath), R * 305.0 / F * 1e3 * np.log(4.0 / 139.0)),
        (ec.reversal_potential({K: 1}, bath), R * 305.0 / F * 1e3 * np.log(4.0 / 139.0)),
        (equilibrium.potential, -R * 305.0 / F * 1e3 * np.arcsinh(10.0 / 8.0)),
        (ec.to_molar(one(1.0), t), R * 305.0),
    ]
    for value, want in got:
        assert value.dtype == jnp.float32
        np.testing.assert_allclose(value, want, rtol=5e-6)
    assert ec.potential_difference(c_in, c_out, 1, v, t).dtype == jnp.float32


@pytest.mark.x64
@pytest.mark.parametrize("charge", [-3000.0, -30.0, 1e-9, 0.0, 30.0, 3000.0])
def test_donnan_is_electroneutral_from_weak_to_strong(charge):
    outside = ec.Solution({Na: 140.0, Ca: 2.0, ec.Species("SO4", -2): 4.0, Cl: 136.0, gaba: 1.0})
    at = ec.donnan(outside, 10.0, charge / 10.0, 310.0)
    z = np.array([float(s.z) for s in at.inside.species])
    np.testing.assert_allclose(z @ at.inside.c + charge, 0.0, atol=1e-12 * (300.0 + abs(charge)))
    for s in (Na, Ca, Cl):
        np.testing.assert_allclose(
            ec.potential_difference(at.inside[s], outside[s], s.z, at.potential, 310.0), 0.0, atol=1e-13
        )
    assert at.inside[gaba] == 1.0


def test_boltzmann():
    np.testing.assert_allclose(ec.boltzmann(jnp.array([0.0, jnp.log(3.0)])), [0.75, 0.25], rtol=1e-6)
    np.testing.assert_allclose(ec.boltzmann(jnp.array([-2000.0, 2000.0])), [1.0, 0.0])
    np.testing.assert_allclose(ec.boltzmann_factor(1.0), np.exp(-1.0), rtol=1e-6)


def test_debye_length_of_saline():
    salt = ec.Solution({Na: 100.0, Cl: 100.0})
    assert ec.ionic_strength(salt) == 100.0
    np.testing.assert_allclose(ec.debye_length(salt, 298.15), 0.962, atol=5e-4)


def test_zero_concentration_is_infinite_not_an_error():
    assert ec.nernst(0.0, 4.0, 1, 310.0) == jnp.inf
    assert ec.chemical_potential(0.0) == -jnp.inf
    assert jnp.isnan(ec.nernst(-1.0, 4.0, 1, 310.0))
    assert jnp.isfinite(ec.ghk_flux(-60.0, 0.0, 4.0, 2, 1.0, 310.0))


def test_errors_are_clear():
    bath = ec.Bath(*BATH_ARGS)
    with pytest.raises(ValueError, match="must carry charge to have a Nernst potential"):
        ec.nernst(1.0, 2.0, 0, 310.0)
    with pytest.raises(ValueError, match="must be monovalent, but Ca"):
        ec.ghk_voltage({K: 1.0, Ca: 1.0}, bath)
    with pytest.raises(ValueError, match="at least one species"):
        ec.ghk_voltage({}, bath)
    with pytest.raises(KeyError, match="Bath must hold gaba"):
        ec.transport_free_energy({gaba: 1}, bath, -60.0)
    with pytest.raises(KeyError, match="stoichiometry must move Cl"):
        ec.equilibrium_concentration(Cl, {K: 1}, bath, -60.0)


def test_batches():
    v = jnp.linspace(-100.0, 100.0, 5)
    assert ec.ghk_current(v, 139.0, 4.0, 1, 1.0, 310.0).shape == (5,)
    potential = jax.vmap(lambda p: ec.donnan(ec.Solution({Na: 150.0, Cl: 150.0}), p, -1.0, 310.0).potential)
    charges = jnp.array([10.0, 1000.0, 60.0])
    np.testing.assert_allclose(
        potential(charges), -thermal_voltage(310.0) * np.arcsinh(charges / 300.0), rtol=1e-5
    )
