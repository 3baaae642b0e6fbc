"""What is measured of a law, transition-state theory, and the numerics beneath."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem._numerics.root import root
from jaxmem.electrochemistry import Bath, Ca, Cl, K, Na, from_molar, ghk_voltage, kcal_per_mol, nernst
from jaxmem.permeation import (
    GHK,
    Ohmic,
    PermeabilityRatios,
    attempt_rate,
    barrier_of_rate,
    change_of_rate,
    chord_conductance,
    conductance,
    current,
    from_mole_fraction,
    permeability_ratio,
    rate_over_barrier,
    reversal_potential,
    to_mole_fraction,
)

pytestmark = pytest.mark.x64

T = 298.15


def bath():
    return Bath({K: 140.0, Na: 12.0, Cl: 8.0}, {K: 4.0, Na: 145.0, Cl: 120.0}, T)


def test_rates_over_barriers():
    assert_allclose(attempt_rate(298.15), 6.2124379e9, rtol=1e-7)
    assert_allclose(1e3 * rate_over_barrier(from_molar(2 * kcal_per_mol, 310.15), 310.15), 2.51831586e11, rtol=1e-8)
    assert_allclose(rate_over_barrier(10.0, T, 0.5), 0.5 * rate_over_barrier(10.0, T), rtol=1e-15)
    assert_allclose(barrier_of_rate(rate_over_barrier(13.7, T, 0.5), T, 0.5), 13.7, rtol=1e-14)


def test_a_mutation_changes_a_rate_by_its_energy():
    assert_allclose(change_of_rate(from_molar(-2 * kcal_per_mol, 310.15)), 25.6619018, rtol=1e-8)
    assert_allclose(change_of_rate(0.0), 1.0)


def test_standard_states_shift_energies_by_four_kt():
    """An entry rate is the same from either: exp(-G) x = exp(-(G + ln 55.5)) c."""
    assert_allclose(from_mole_fraction(3.0) - 3.0, np.log(55.5), rtol=1e-15)
    assert_allclose(to_mole_fraction(from_mole_fraction(-7.0)), -7.0, rtol=1e-15)
    assert_allclose(np.exp(-3.0) * 0.1 / 55.5, np.exp(-float(from_mole_fraction(3.0))) * 0.1, rtol=1e-13)


def test_reversal_is_where_the_current_is_zero():
    table = {K: 1e-3, Na: 4e-5, Cl: 4.5e-4}
    ghk = GHK(np.asarray(list(table.values())), tuple(table))
    assert_allclose(reversal_potential(ghk, bath()), ghk_voltage(table, bath()), rtol=1e-12)
    assert_allclose(reversal_potential(Ohmic(2.0, reversal=-54.4), bath()), -54.4, rtol=1e-13)
    assert np.isnan(reversal_potential(ghk, bath(), lower=0.0))
    several = Ohmic(np.asarray([2.0, 1.0]), species=(K, Na))
    e_k, e_na = (nernst(*bath()[s], 1, T) for s in (K, Na))
    assert_allclose(reversal_potential(several, bath()), (2 * e_k + e_na) / 3.0, rtol=1e-12)


def test_reversal_has_the_derivatives_of_the_implicit_function():
    place = jax.jit(lambda p: reversal_potential(GHK(jnp.stack([jnp.asarray(1e-3), p]), (K, Na)), bath()))
    formula = lambda p: ghk_voltage({K: 1e-3, Na: p}, bath())
    assert_allclose(jax.grad(place)(4e-5), jax.grad(formula)(4e-5), rtol=1e-10)
    assert_allclose(jax.jvp(place, (4e-5,), (1.0,))[1], jax.grad(formula)(4e-5), rtol=1e-10)
    assert_allclose(jax.grad(jax.grad(place))(4e-5), jax.grad(jax.grad(formula))(4e-5), rtol=1e-8)
    many = jnp.asarray([1e-6, 4e-5, 1e-2])
    assert_allclose(jax.vmap(place)(many), jax.vmap(formula)(many), rtol=1e-11)


def test_conductances_are_slopes_and_chords():
    ohm = Ohmic(2.0, reversal=-54.4)
    for v in (-54.4, 0.0, 30.0):
        assert_allclose(conductance(ohm, v, bath()), 2.0, rtol=1e-14)
        assert_allclose(chord_conductance(ohm, v, bath()), 2.0, rtol=1e-9)
        assert_allclose(chord_conductance(ohm, v, bath(), -54.4), 2.0, rtol=1e-13)
    ghk = GHK(np.asarray([1e-3]), (K,))
    h = 1e-3
    slope = (current(ghk, 20.0 + h, bath()) - current(ghk, 20.0 - h, bath())) / (2 * h)
    assert_allclose(conductance(ghk, 20.0, bath()), slope, rtol=1e-8)


@pytest.mark.parametrize(("one", "z"), [(Na, 1), (Ca, 2)])
def test_permeability_ratios_come_back_from_reversal_potentials(one, z):
    """Bi-ionic: K inside, the other outside; and mixed."""
    for conditions in (
        Bath({K: 140.0, one: 0.0}, {K: 0.0, one: 110.0}, T),
        Bath({K: 140.0, one: 1.0}, {K: 4.0, one: 110.0}, T),
    ):
        model = PermeabilityRatios(2e-3, {K: 1.0, one: 0.07})
        reversal = reversal_potential(model, conditions)
        assert_allclose(permeability_ratio(reversal, conditions, one, K), 0.07, rtol=1e-10)
    assert one.z == z


def test_ratios_are_permeabilities_in_proportion():
    ratios, plain = PermeabilityRatios(2e-3, {K: 1.0, Na: 0.03}), GHK(np.asarray([2e-3, 6e-5]), (K, Na))
    assert_allclose(current(ratios, -20.0, bath()), current(plain, -20.0, bath()), rtol=1e-14)
    with pytest.raises(ValueError, match="Argument `ratio` must have one value for each of the 2 species"):
        PermeabilityRatios(1.0, np.ones(3), (K, Na))
    with pytest.raises(ValueError, match="Argument `g` must have one value for each of the 2 species"):
        Ohmic(1.0, species=(K, Na))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: jnp.tanh(50.0 * (x - 0.3)),
        lambda x: (x - 0.3) ** 3,
        lambda x: jnp.exp(20.0 * x) - jnp.exp(6.0),
        lambda x: 0.3 - x,
        lambda x: jnp.where(x < 0.3, -1.0, 1.0) * jnp.sqrt(jnp.abs(x - 0.3)),
    ],
)
def test_roots_are_found_to_rounding(f):
    assert_allclose(root(f, jnp.asarray(-1.0), jnp.asarray(5.0)), 0.3, rtol=1e-5 if f(0.4) == f(0.4) ** 3 else 2e-5)


def test_roots_at_the_ends_and_without_a_bracket():
    ends = jnp.asarray(0.0), jnp.asarray(2.0)
    assert root(lambda x: x, *ends) == 0.0 and root(lambda x: x - 2.0, *ends) == 2.0
    assert np.isnan(root(lambda x: x + 1.0, *ends)) and np.isnan(root(lambda x: x * jnp.nan, *ends))
    assert_allclose(root(lambda x: jnp.cos(x), *ends), np.pi / 2, rtol=1e-15)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        (lambda: Bath({K: -1.0}, {K: 4.0}, T), "A concentration must be a number of mM and not negative, but K inside"),
        (lambda: Bath({K: 1.0}, {K: np.nan}, T), "but K outside is nan"),
        (lambda: Bath({K: 1.0}, {K: 4.0}, -3.0), "A temperature must be above absolute zero, but is -3 K"),
    ],
)
def test_baths_that_cannot_be_are_refused(conditions, said):
    law = GHK(np.asarray([1e-3]), (K,))
    for reading in (current, conductance, lambda law, v, bath: reversal_potential(law, bath)):
        with pytest.raises(ValueError, match=said):
            reading(law, 0.0, conditions())
