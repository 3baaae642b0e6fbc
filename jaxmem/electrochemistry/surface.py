"""Diffuse layers on charged surfaces: the Grahame equation and its inverse."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics.root import root
from ..units import C_PER_M2, E0, EPSILON0, N_A, thermal_voltage
from .bath import Solution

WATER = 78.5  # relative permittivity at 25 C

Real = Float[ArrayLike, ""]


def grahame_charge(
    potential: Real, solution: Solution, temperature: Real, permittivity: Real = WATER
) -> Float[Array, ""]:
    """Surface charge density [e0/nm2] that holds a surface at a potential.

    sigma^2 = 2 eps eps0 R T sum c_i (exp(-z_i psi F/RT) - 1), with the sign of psi.

    **Arguments:** `potential` psi [mV] relative to the bulk; `solution`: its ions must be electroneutral, what is
    missing or in excess is left out; `temperature` [K]; `permittivity`: relative.
    **Source:** Grahame, Chem. Rev. 41, 441 (1947).
    """
    phi = jnp.asarray(potential, solution.c.dtype) / thermal_voltage(jnp.asarray(temperature, solution.c.dtype))
    return _charge(phi, solution, temperature, permittivity)


def surface_potential(
    charge: Real, solution: Solution, temperature: Real, permittivity: Real = WATER
) -> Float[Array, ""]:
    """Potential [mV], relative to the bulk, of a surface with a charge density: the inverse of `grahame_charge`.

    -0.05 C/m2 in 100 mM of a 1:1 salt at 25 C: -56.86 mV. Differentiable in everything.

    **Arguments:** `charge` [e0/nm2] (`0.05 * units.C_PER_M2`); others as `grahame_charge`. NaN beyond 30 kT/e0.
    """
    as_array = lambda x: jnp.asarray(x, solution.c.dtype)
    return _potential(as_array(charge), solution, as_array(temperature), as_array(permittivity))


@eqx.filter_jit
def _potential(charge: Array, solution: Solution, temperature: Array, permittivity: Array) -> Float[Array, ""]:
    bound = jnp.full_like(charge, 30.0)
    phi = root(lambda phi: _charge(phi, solution, temperature, permittivity) - charge, -bound, bound)
    return phi * thermal_voltage(temperature)


def _charge(phi, solution: Solution, temperature: Real, permittivity: Real) -> Float[Array, ""]:
    z = jnp.asarray([s.z for s in solution.species], solution.c.dtype)
    # sum c (exp(-z phi) - 1) = phi^2 sum c z^2 g(-z phi) for electroneutral c: no difference of nearly equal numbers.
    squared = jnp.sum(solution.c * z**2 * _second_order(-z * phi))
    per_mm = 2.0 * EPSILON0 * permittivity * N_A * (thermal_voltage(temperature) * 1e-3 * E0)
    return phi * jnp.sqrt(per_mm * squared) * C_PER_M2


def _second_order(x: Float[Array, " ions"]) -> Float[Array, " ions"]:
    """(exp(x) - 1 - x)/x^2, smooth through x = 0."""
    small = jnp.abs(x) < 0.5
    near, far = jnp.where(small, x, 0.0), jnp.where(small, 1.0, x)
    series = jnp.zeros_like(x)
    for n in range(16, 1, -1):  # 1/2 (1 + x/3 (1 + x/4 (...))); 0.5^15/17! is below rounding
        series = (1.0 + near * series) / n
    return jnp.where(small, series, (jnp.expm1(far) - far) / far**2)
