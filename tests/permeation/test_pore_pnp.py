"""Poisson-Nernst-Planck pores as open channels: constant field, access resistance, readings, gates, tables."""

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import cell, simulate
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Bath, Cl, K, Na
from jaxmem.electrodiffusion import Planar, Pore, uniform, with_access
from jaxmem.gating import Gate, HodgkinHuxley
from jaxmem.permeation import (
    GHK,
    PorePNP,
    conductance,
    current,
    permeability_ratio,
    rectification,
    reversal_potential,
    selectivity,
    tabulate,
    transport_numbers,
)
from jaxmem.protocols import step
from jaxmem.rates import Constant, Exponential
from jaxmem.results import InputError
from jaxmem.units import PORE_CURRENT, celsius, thermal_voltage

pytestmark = pytest.mark.x64

D = {K: 1.957, Cl: 2.032}
T = 298.15


def salt(inside=100.0, outside=100.0):
    return Bath({K: inside, Cl: inside}, {K: outside, Cl: outside}, T)


def charged(fixed=-300.0, last=0.0, law=None):
    law = charged_pore() if law is None else law
    return eqx.tree_at(lambda m: m.pore.fixed_charge, law, jnp.stack([jnp.asarray(fixed), jnp.asarray(last)]))


def charged_pore():
    pore = Pore([2.0, 3.0], D, radius=[0.5, 0.5, 0.7])
    return PorePNP(pore, mesh=uniform(pore, 24))


def test_without_charge_and_with_equal_strength_it_is_the_constant_field():
    bath = Bath({K: 140.0, Na: 10.0, Cl: 150.0}, {K: 5.0, Na: 145.0, Cl: 150.0}, T)
    area, length, mobilities = 0.8, 3.0, {K: 1.957, Na: 1.334, Cl: 2.032}
    pore = Pore(length, mobilities, radius=math.sqrt(area / math.pi))
    law = PorePNP(pore, mesh=uniform(pore, 6))
    ghk = GHK(1e-6 * np.array(list(mobilities.values())) * area / length, tuple(mobilities))  # nm3/ns in pL/ms
    for v in (-90.0, 0.0, 35.0):
        got, wanted = (one.exchange(jnp.asarray(v), bath) for one in (law, ghk))
        assert_allclose(got.outside, wanted.outside, rtol=1e-9, atol=1e-9 * float(jnp.abs(wanted.outside).max()))
        assert_allclose(got.current, wanted.current, rtol=1e-9)


@pytest.mark.parametrize("length", [20.0, 0.5])
def test_the_mouths_have_the_access_resistance_of_hall(length):
    a, c = 1.5, 250.0
    law = PorePNP(Pore(length, D, radius=a), access=D, nodes=33)
    sigma = PORE_CURRENT * (D[K] + D[Cl]) * c / float(thermal_voltage(T))  # nS/nm
    hall = sigma / (length / (math.pi * a * a) + 1.0 / (2.0 * a))
    assert_allclose(conductance(law, 0.0, salt(c, c)), hall, rtol=1e-9)
    assert law.resolved.length.shape == (3,)
    # The mouths follow the radius.
    wider = eqx.tree_at(lambda m: m.pore.radius, law, jnp.full((1, 2), 2.0 * a))
    assert_allclose(wider.resolved.length[0], 0.5 * math.pi * a, rtol=1e-14)


def test_mouths_are_those_of_tubes_and_know_every_ion():
    with pytest.raises(InputError, match="must be that of a tube, but the shape is Planar"):
        with_access(Pore(1.0, D, shape=Planar(1.0)), D)
    with pytest.raises(InputError, match="must give that of K, Cl in bulk, but gives K"):
        with_access(Pore(1.0, D, radius=1.0), {K: 1.957})
    with pytest.raises(InputError, match="`access` must give the diffusivity of K, Cl in bulk, but gives none"):
        PorePNP(Pore(1.0, D, radius=1.0), access={})


@pytest.mark.slow
def test_what_is_measured_of_a_charged_pore():
    law, bath = charged(-500.0, -500.0), salt(100.0, 10.0)
    e = reversal_potential(law, bath)
    nernst = float(thermal_voltage(T)) * math.log(10.0 / 100.0)
    assert nernst < float(e) < 0.3 * nernst  # negative charge prefers K
    assert abs(float(current(law, e, bath))) < 1e-10 * abs(float(current(law, e + 20.0, bath)))
    ratio = selectivity(law, bath, Cl, K)
    assert_allclose(ratio, permeability_ratio(e, bath, Cl, K), rtol=1e-12)
    assert 0.0 < float(ratio) < 0.2 < 5.0 < float(selectivity(charged(500.0, 500.0), bath, Cl, K))
    law = charged()
    shares = transport_numbers(law, 50.0, salt())
    assert_allclose(jnp.sum(shares), 1.0, rtol=1e-9)
    assert 0.6 < float(shares[salt().species.index(K)]) < 1.0
    assert_allclose(
        rectification(law, 80.0, salt()), -current(law, -80.0, salt()) / current(law, 80.0, salt()), rtol=1e-12
    )
    assert abs(float(rectification(law, 80.0, salt())) - 1.0) > 0.1
    assert_allclose(rectification(PorePNP(Pore(5.0, D, radius=1.0), nodes=9), 80.0, salt()), 1.0, rtol=1e-9)


@pytest.mark.slow
def test_derivatives_of_readings():
    law = charged_pore()
    bath = salt(100.0, 10.0)
    for reading, value in (
        (lambda m: reversal_potential(m, bath), -300.0),
        (lambda m: rectification(m, 60.0, salt()), -300.0),
    ):
        f = jax.jit(lambda x, reading=reading: reading(charged(x, law=law)))
        exact = jax.jit(jax.grad(f))(value)
        assert_allclose(exact, (f(value + 0.5) - f(value - 0.5)), rtol=1e-5)


@pytest.mark.slow
def test_a_gated_channel_in_a_clamp_and_in_a_cell():
    gate = HodgkinHuxley((Gate(Exponential(0.1, 0.02), Constant(0.2)),), (1,))
    law, bath = charged(), Bath({K: 140.0, Cl: 140.0}, {K: 5.0, Cl: 5.0}, celsius(25.0))
    t = np.arange(0.0, 12.0, 1.0)
    clamped = simulate.voltage_clamp(Channel(gate, law, 1000.0), step(-80.0, 2.0) + step(20.0, 10.0), t, bath=bath)
    (opening,) = clamped.open_probability
    one = [float(current(law, v, bath)) for v in (-80.0, 20.0)]
    assert_allclose(clamped.current, 1000.0 * opening * np.where(t < 2.0, one[0], one[1]), rtol=1e-9)
    table = tabulate(law, np.linspace(-100.0, 60.0, 17), bath)
    assert_allclose(current(table, 13.0, bath), current(law, 13.0, bath), rtol=2e-3)
    patch = cell.point((Channel(gate, table, 1000.0),), 20.0, bath, start=0.0)
    course = simulate.current_clamp(patch, None, np.array([0.0, 400.0]), method=simulate.Staggered(0.1))
    assert_allclose(course.v[-1], reversal_potential(law, bath), atol=0.1)  # alone it goes where it carries nothing


def test_a_bath_that_is_not_neutral_is_refused():
    with pytest.raises(InputError, match=r"inside must be neutral, but its charges add up to \+40 mM"):
        current(charged(), 0.0, Bath({K: 140.0, Cl: 100.0}, {K: 5.0, Cl: 5.0}, T))
