"""Potentials without current: closed forms, a published number, derivatives, and pores that resolve their layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import electrodiffusion as ed
from jaxmem.electrochemistry import Bath, Ca, Cl, H, K, Na, ghk_voltage
from jaxmem.results import InputError
from jaxmem.units import F, R

pytestmark = pytest.mark.x64

T = 298.15
VT = 1e3 * R * T / F
D = {Na: 1.334, K: 1.957, Cl: 2.032}
QUICKLY = {"xla_backend_optimization_level": 0}


def test_one_salt_has_the_potential_of_its_mobilities_at_any_ratio():
    for ratio in (1.0, 1.0 + 1e-9, 3.0, 1e-3, 1e4):
        bath = Bath({Na: 10.0, Cl: 10.0}, {Na: 10.0 * ratio, Cl: 10.0 * ratio}, T)
        d = {Na: D[Na], Cl: D[Cl]}
        expected = VT * (D[Na] - D[Cl]) / (D[Na] + D[Cl]) * np.log(ratio)
        for potential in (ed.henderson_potential, ed.junction_potential):
            np.testing.assert_allclose(potential(d, bath), expected, rtol=1e-7, atol=1e-12)
    valence_two = Bath({Ca: 10.0, Cl: 20.0}, {Ca: 70.0, Cl: 140.0}, T)
    mobility = (0.792 - 2.032) / (2.0 * 0.792 + 2.032)
    np.testing.assert_allclose(ed.junction_potential({Ca: 0.792, Cl: 2.032}, valence_two), VT * mobility * np.log(7.0))


def test_published_junctions():
    """Hydrochloric acid and potassium chloride, 0.1 M: 26.85 mV by the mobilities (Lewis & Sargent: 26.8 mV)."""
    d = {H: 9.311, K: 1.957, Cl: 2.032}
    bath = Bath({H: 100.0, Cl: 100.0}, {K: 100.0, Cl: 100.0}, T)
    for potential in (ed.henderson_potential, ed.junction_potential):
        np.testing.assert_allclose(potential(d, bath), -26.850292917, rtol=1e-9)
    # Two salts of different concentration tell Planck's junction from Henderson's.
    apart = Bath({Na: 150.0, Cl: 150.0}, {K: 30.0, Cl: 30.0}, T)
    np.testing.assert_allclose(ed.henderson_potential(D, apart), 9.83667156, rtol=1e-8)
    np.testing.assert_allclose(ed.junction_potential(D, apart), 10.06231843, rtol=1e-9)


def test_derivatives_of_a_charged_membrane_are_those_of_differences():
    def potential(d, c, fixed):
        bath = Bath({Na: c, Cl: c}, {K: 30.0, Cl: 30.0}, T)
        return ed.junction_potential({Na: d, K: 1.957, Cl: 2.032}, bath, fixed)

    at = (1.334, 150.0, -40.0)
    value, slopes = jax.jit(jax.value_and_grad(potential, argnums=(0, 1, 2)), compiler_options=QUICKLY)(*at)
    forward = jax.jit(jax.jacfwd(potential, argnums=(0, 1, 2)), compiler_options=QUICKLY)(*at)
    np.testing.assert_allclose(forward, slopes, rtol=1e-12)
    moved = jax.jit(jax.vmap(potential), compiler_options=QUICKLY)
    steps = np.diag(1e-4 * np.abs(at))
    ends = moved(*jnp.asarray(at + np.concatenate([steps, -steps])).T)
    np.testing.assert_allclose(slopes, (ends[:3] - ends[3:]) / (2.0 * np.diag(steps)), rtol=1e-6)
    np.testing.assert_allclose(value, np.mean(ends), rtol=1e-6)


def test_a_strongly_charged_membrane_is_an_electrode_for_its_counterions():
    bath = Bath({K: 10.0, Cl: 10.0}, {K: 100.0, Cl: 100.0}, T)
    d = {K: 1.957, Cl: 2.032}
    nernst = VT * np.log(10.0)
    np.testing.assert_allclose(ed.junction_potential(d, bath, -1e6), nernst, rtol=1e-6)
    np.testing.assert_allclose(ed.junction_potential(d, bath, 1e6), -nernst, rtol=1e-6)


PORE = ed.Pore(10.0, D, shape=ed.Planar(1.0))
MESH = ed.at(np.array([0.0, 0.5, 2.0, 5.0, 9.0, 10.0]), PORE)


def goldman(c, d):
    bath = Bath({Na: c, K: 150.0 - c, Cl: 150.0}, {Na: 145.0, K: 5.0, Cl: 150.0}, T)
    return ghk_voltage({**D, Na: d}, bath)


def reversal(c, d):
    bath = Bath({Na: c, K: 150.0 - c, Cl: 150.0}, {Na: 145.0, K: 5.0, Cl: 150.0}, T)
    return ed.reversal_potential(ed.Pore(10.0, {**D, Na: d}, shape=ed.Planar(1.0)), bath, mesh=MESH)


def test_the_reversal_potential_of_a_constant_field_is_that_of_goldman():
    """Also where an ion is on one side alone, where all are in equilibrium, and beside a lane that is a NaN."""
    c, d = jnp.array([12.0, 0.0, 145.0, jnp.nan]), jnp.array([0.1, 1.3, 0.5, 1.0])
    v = jax.jit(jax.vmap(reversal), compiler_options=QUICKLY)(c, d)
    np.testing.assert_allclose(
        v[:3], [goldman(*lane) for lane in zip(c[:3], d[:3], strict=True)], rtol=1e-10, atol=1e-10
    )
    assert jnp.isnan(v[3])


@pytest.mark.slow
def test_the_derivative_of_a_reversal_potential_is_that_of_goldman():
    slopes = jax.jit(jax.grad(reversal, argnums=(0, 1)), compiler_options=QUICKLY)(12.0, 0.1)
    np.testing.assert_allclose(slopes, jax.grad(goldman, argnums=(0, 1))(12.0, 0.1), rtol=1e-7)


def test_what_cannot_have_a_potential_is_refused():
    bath = Bath({Na: 150.0, Cl: 150.0}, {K: 30.0, Cl: 30.0}, T)
    with pytest.raises(InputError, match=r"must name every ion of the bath, but lacks K\."):
        ed.junction_potential({Na: 1.3, Cl: 2.0}, bath)
    with pytest.raises(InputError, match="an ion that passes both ends"):
        ed.reversal_potential(PORE, bath, ends=(ed.End(passes=()), ed.End()))
    with pytest.raises(InputError, match=r"must be neutral, but its charges add up to \+150 mM"):
        ed.reversal_potential(PORE, Bath({Na: 150.0, K: 0.0, Cl: 0.0}, {Na: 0.0, K: 30.0, Cl: 30.0}, T))
