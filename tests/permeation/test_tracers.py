"""Labeled ions: one-way fluxes and Ussing's flux-ratio exponent."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem.electrochemistry import Ba, Bath, K, Na
from jaxmem.permeation import BarrierPore, flux_ratio_exponent, unidirectional_fluxes
from jaxmem.units import thermal_voltage

pytestmark = pytest.mark.x64

T = 293.15


def pore(interaction=(2.5, 0.8)):
    return BarrierPore(
        {K: [-3.5, -4.0, -3.5]}, {K: [8.0, 4.5, 4.5, 8.0]}, [0.08, 0.2, 0.35, 0.5, 0.65, 0.8, 0.92], list(interaction)
    )


def symmetric(c):
    return Bath({K: c}, {K: c}, T)


def test_one_ion_at_a_time_crosses_independently():
    model = BarrierPore({K: [-2.0]}, {K: [8.0, 7.0]}, [0.2, 0.5, 0.8])
    for bath in (symmetric(3.0), Bath({K: 140.0}, {K: 4.0}, T)):
        assert_allclose(flux_ratio_exponent(model, K, 20.0, bath), 1.0, rtol=1e-10)


def test_a_full_file_couples_its_ions():
    """1.05 at 3 mM, 2.10 at 3 M: between one and the number of sites."""
    assert_allclose(flux_ratio_exponent(pore(), K, 20.0, symmetric(3.0)), 1.05007803, rtol=1e-8)
    assert_allclose([1e3 * float(x) for x in unidirectional_fluxes(pore(), K, 20.0, symmetric(3.0))],
                    [1449383.72, 3328420.24], rtol=5e-9)  # fmt: skip
    assert 1.9 < float(flux_ratio_exponent(pore(), K, 20.0, symmetric(3e3))) < 3.0


def test_the_exponent_at_equilibrium_is_the_limit():
    bath = Bath({K: 140.0}, {K: 4.0}, T)
    e = float(thermal_voltage(T)) * np.log(4.0 / 140.0)
    near = [float(flux_ratio_exponent(pore(), K, e + dv, bath)) for dv in (0.0, 1e-9, 0.05)]
    assert_allclose(near, near[0], rtol=1e-3)
    assert_allclose(near[1], near[0], rtol=1e-8)


def test_the_tracers_are_the_flux():
    """Who is labeled changes nothing: efflux less influx is the net flux, with another ion there, too."""
    model = BarrierPore({K: [-2.0, -1.5], Na: [-0.8, -1.0]}, {K: [8.0, 6.0, 8.5], Na: [9.0, 7.5, 9.2]}, None, [1.5])
    bath = Bath({K: 140.0, Na: 12.0}, {K: 4.0, Na: 145.0}, T)
    influx, efflux = unidirectional_fluxes(model, K, -30.0, bath)
    assert influx > 0.0 and efflux > 0.0
    assert_allclose(efflux - influx, model.flux(-30.0, bath).flux[0], rtol=1e-11)


def test_the_exponent_has_a_gradient():
    slope = eqx.filter_grad(lambda p: flux_ratio_exponent(p, K, 0.0, symmetric(100.0)))(pore())
    assert np.all(np.isfinite(slope.sites)) and np.any(slope.sites)
    assert jnp.all(jnp.isfinite(slope.interaction.energy))


def test_a_species_that_does_not_pass_is_refused():
    with pytest.raises(ValueError, match="Argument `species` must be one of the pore's, K, but is Ba"):
        unidirectional_fluxes(pore(), Ba, 0.0, symmetric(1.0))
