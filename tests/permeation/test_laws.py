"""Open-channel laws: exchange and current, their special cases, and what they refuse."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from jaxmem.electrochemistry import Bath, Ca, Cl, K, Na, as_bath, ghk_current, ghk_voltage, nernst
from jaxmem.permeation import GHK, Exchange, Ohmic, carried
from jaxmem.units import F, thermal_voltage

pytestmark = pytest.mark.x64

T = 298.15
C = st.floats(1e-4, 500.0)


def cell():
    return Bath({K: 140.0, Na: 12.0, Cl: 8.0, Ca: 1e-4}, {K: 4.0, Na: 145.0, Cl: 120.0, Ca: 1.8}, T)


@given(st.floats(-150.0, 150.0), st.floats(1e-3, 1e3))
def test_ohmic_with_a_given_reversal_carries_current_alone(v, g):
    exchange = Ohmic(g, reversal=-54.4).exchange(jnp.asarray(v), cell())
    assert_allclose(exchange.current, g * (v + 54.4), rtol=1e-14)
    assert exchange.inside.shape == exchange.outside.shape == (4,)
    assert not np.any(exchange.outside) and not np.any(exchange.inside)
    nothing = Ohmic(g, reversal=-54.4).exchange(jnp.asarray(v), as_bath(T))
    assert nothing.outside.shape == (0,)


@pytest.mark.parametrize("species", [K, Na, Cl, Ca])
def test_ohmic_of_a_species_reverses_at_its_nernst_potential(species):
    bath, model = cell(), Ohmic(3.0, species=species)
    reversal = float(nernst(*bath[species], species.z, T))
    exchange = model.exchange(jnp.asarray(reversal + 10.0), bath)
    assert_allclose(exchange.current, 30.0, rtol=1e-12)
    k = bath.index(species)
    assert_allclose(exchange.outside[k], 30.0 / (species.z * F), rtol=1e-12)
    assert_allclose(np.delete(exchange.outside, k), 0.0)
    assert_allclose(exchange.inside, -exchange.outside, rtol=0)


@pytest.mark.parametrize("options", [{}, {"reversal": -80.0, "species": K}])
def test_ohmic_takes_a_reversal_or_a_species(options):
    with pytest.raises(ValueError) as caught:
        Ohmic(1.0, **options)
    assert str(caught.value) == (
        "Ohmic must have either a `reversal` potential [mV] or a `species` that sets it, not both."
    )


@given(st.floats(-150.0, 150.0), C, C, C, C)
def test_ghk_is_the_sum_of_its_species(v, k_in, k_out, ca_in, ca_out):
    bath = Bath({K: k_in, Ca: ca_in}, {K: k_out, Ca: ca_out}, T)
    exchange = GHK(np.asarray([2e-3, 5e-4]), (K, Ca)).exchange(jnp.asarray(v), bath)
    parts = [ghk_current(v, k_in, k_out, 1, 2e-3, T), ghk_current(v, ca_in, ca_out, 2, 5e-4, T)]
    scale = sum(abs(float(part)) for part in parts)
    assert_allclose(exchange.current, sum(map(float, parts)), rtol=1e-12, atol=1e-13 * scale)
    assert_allclose(exchange.outside, np.asarray(parts) / (F * np.asarray([1, 2])), rtol=1e-12, atol=1e-15 * scale / F)
    assert_allclose(exchange.inside, -exchange.outside, rtol=0)


def test_ghk_reverses_at_the_ghk_voltage():
    table = {K: 1e-3, Na: 4e-5, Cl: 4.5e-4}
    model = GHK(np.asarray(list(table.values())), tuple(table))
    reversal = ghk_voltage(table, cell())
    largest = F * float(np.abs(model.exchange(reversal, cell()).outside).max())
    assert abs(float(model.exchange(reversal, cell()).current)) <= 1e-12 * largest


def test_ghk_at_zero_voltage_is_diffusion():
    exchange = GHK(np.asarray([2e-3]), (K,)).exchange(jnp.zeros(()), cell())
    assert_allclose(exchange.outside[0], 2e-3 * (140.0 - 4.0), rtol=1e-13)


def test_ghk_rectifies_to_one_side_far_from_reversal():
    model, kt = GHK(np.asarray([2e-3]), (K,)), thermal_voltage(T)
    assert_allclose(model.exchange(jnp.asarray(1e3), cell()).current, F * 2e-3 * 140.0 * 1e3 / kt, rtol=1e-12)
    assert_allclose(model.exchange(jnp.asarray(-1e3), cell()).current, F * 2e-3 * 4.0 * -1e3 / kt, rtol=1e-12)


@pytest.mark.parametrize("permeability", [np.ones(1), np.ones(3), np.asarray(1.0)])
def test_ghk_needs_one_permeability_for_each_species(permeability):
    with pytest.raises(ValueError) as caught:
        GHK(permeability, (K, Na))
    assert str(caught.value) == (
        f"Argument `permeability` must have one value for each of the 2 species, but has shape {permeability.shape}."
    )


def test_species_that_the_bath_lacks_are_named():
    bath = Bath({K: 140.0}, {K: 4.0}, T)
    for model in (Ohmic(1.0, species=Na), GHK(np.asarray([1.0]), (Na,))):
        with pytest.raises(KeyError, match=r"must hold Na\(\+1\)"):
            model.exchange(jnp.zeros(()), bath)
    with pytest.raises(KeyError, match="The bath must hold Na, which the channel carries; its species are: K"):
        carried({Na: jnp.ones(())}, bath, jnp.ones(()))


def test_a_species_on_one_side_alone_flows_from_there():
    """Zero concentration is legal: a calcium channel into a calcium-free solution."""
    bath = Bath({K: 140.0}, {K: 4.0, Ca: 1.8}, T)
    exchange = GHK(np.asarray([1e-4]), (Ca,)).exchange(jnp.asarray(20.0), bath)
    assert float(exchange.current) < 0.0
    assert_allclose(exchange.current, 2 * F * exchange.outside[1], rtol=1e-14)


def test_exchanges_scale():
    exchange = Exchange(jnp.asarray([1.0, -2.0]), jnp.asarray([-1.0, 2.0]), jnp.asarray(3.0)).scaled(jnp.asarray(2.0))
    assert_allclose(exchange.inside, [2.0, -4.0])
    assert_allclose(exchange.outside, [-2.0, 4.0])
    assert_allclose(exchange.current, 6.0)
