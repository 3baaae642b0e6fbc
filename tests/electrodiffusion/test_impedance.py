"""The impedance of pores: a closed form, and small sinusoids in time."""

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import electrodiffusion
from jaxmem.electrochemistry import Bath, Cl, K
from jaxmem.electrodiffusion import End, Planar, Pore, Rosenbrock
from jaxmem.results import InputError
from jaxmem.units import EPSILON0, F, R

pytestmark = pytest.mark.x64

CELL = (End(passes=()), End(passes=()))
BATH = Bath({K: 10.0, Cl: 10.0}, {K: 10.0, Cl: 10.0}, 298.15)


def between_blocking_electrodes(frequency, half, d, c):
    """Of a salt of equal ions between two electrodes of 1 nm2, 2 half apart [GOhm]."""
    epsilon, s = 78.5 * EPSILON0, 2j * np.pi * frequency * 1e9
    screening = F * F * 2.0 * c / (epsilon * R * 298.15)
    half, d = half * 1e-9, d * 1e-9
    k = np.sqrt(screening + s / d)
    # Charge density sinh(k x); potential -sinh(k x)/(epsilon k^2) + slope x, so that no ion leaves.
    slope = np.cosh(k * half) / (epsilon * k) * (1.0 - k * k / screening)
    drop = 2.0 * (np.sinh(k * half) / (epsilon * k * k) - slope * half)
    field = np.cosh(k * half) / (epsilon * k) - slope
    return drop / (s * epsilon * field * 1e-18) * 1e-9


def test_a_cell_between_blocking_electrodes():
    pore = Pore(20.0, {K: 2.0, Cl: 2.0}, shape=Planar(1.0))
    frequency = np.logspace(-5, 1.5, 14)
    expected = between_blocking_electrodes(frequency, 10.0, 2.0, 10.0)
    off = []
    for cells in (200, 400):
        mesh = electrodiffusion.uniform(pore, cells)
        found = electrodiffusion.impedance(pore, 0.0, BATH, frequency, mesh=mesh, ends=CELL)
        off.append(np.max(np.abs(found / expected - 1.0)))
    assert off[1] < 2e-4
    assert off[0] / off[1] == pytest.approx(4.0, rel=0.05)


def pushed(t):
    return 30.0 + 0.01 * jnp.sin(2.0 * jnp.pi * 0.05 * t)


def test_a_small_sinusoid_in_time():
    bath = Bath({K: 50.0, Cl: 50.0}, {K: 10.0, Cl: 10.0}, 298.15)
    pore = Pore([4.0, 6.0], {K: 1.5, Cl: 2.0}, radius=[1.0, 1.5], fixed_charge=[0.0, -40.0])
    mesh = electrodiffusion.uniform(pore, 30)
    t = 100.0 + np.arange(40) * 0.5
    course = electrodiffusion.evolve(pore, pushed, t, bath, mesh=mesh, method=Rosenbrock(rtol=1e-10))
    swing = np.exp(-2j * np.pi * 0.05 * t) / 20.0
    current = swing @ np.asarray(course.current)
    found = electrodiffusion.impedance(pore, 30.0, bath, [0.05], mesh=mesh)
    assert_allclose(0.01 / 1j / current, np.full(2, found[0]), rtol=1e-5)
    # Slowly, it is the slope of the steady current.
    slow = electrodiffusion.impedance(pore, 30.0, bath, [1e-9], mesh=mesh)[0]
    steady = lambda v: float(electrodiffusion.solve(pore, v, bath, mesh=mesh).current)
    assert_allclose(slow.real, 0.02 / (steady(30.01) - steady(29.99)), rtol=1e-6)
    assert abs(slow.imag) < 1e-6 * slow.real


def test_a_frequency_must_be_positive():
    pore = Pore(20.0, {K: 2.0, Cl: 2.0}, shape=Planar(1.0))
    with pytest.raises(InputError, match="positive"):
        electrodiffusion.impedance(pore, 0.0, BATH, [0.0])
