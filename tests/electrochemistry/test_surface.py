"""The Grahame equation and its inverse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem.electrochemistry import Ca, Cl, Na, Solution, grahame_charge, surface_potential
from jaxmem.units import C_PER_M2, factor

pytestmark = pytest.mark.x64

T = 298.15


def salt(c=100.0):
    return Solution({Na: c, Cl: c})


def test_the_published_number():
    assert_allclose(surface_potential(-0.05 * C_PER_M2, salt(), T), -56.8641507, rtol=1e-8)
    assert_allclose(factor("C/m2"), 6.241509074, rtol=1e-9)


def test_a_symmetric_salt_is_the_hyperbolic_sine():
    """0.1174 sqrt(c/M) sinh(psi/51.4 mV) C/m2 at 25 C."""
    psi = np.array([-150.0, -20.0, 1e-7, 60.0, 200.0])
    expected = 0.11740 * np.sinh(psi / 51.3852) * C_PER_M2
    got = [float(grahame_charge(x, salt(1000.0), T)) for x in psi]
    assert_allclose(got, expected, rtol=2e-4)


@pytest.mark.parametrize("solution", [salt(1.0), Solution({Na: 100.0, Ca: 2.0, Cl: 104.0})])
def test_the_potential_is_the_inverse_of_the_charge(solution):
    for charge in (-1.0, -1e-3, -1e-9, 0.0, 1e-4, 0.4):
        psi = surface_potential(charge, solution, T)
        assert_allclose(grahame_charge(psi, solution, T), charge, rtol=1e-9, atol=1e-18)


def test_slopes_are_smooth_through_zero_charge():
    slope = jax.grad(lambda q: surface_potential(q, salt(), T))
    assert_allclose(slope(0.0), (slope(1e-4) + slope(-1e-4)) / 2, rtol=1e-5)
    near = [float(surface_potential(q, salt(), T)) for q in (-0.2001, -0.1999)]
    assert_allclose(slope(-0.2), (near[1] - near[0]) / 2e-4, rtol=1e-6)
    assert jnp.isfinite(jax.grad(lambda c: surface_potential(-0.1, salt(c), T))(50.0))
