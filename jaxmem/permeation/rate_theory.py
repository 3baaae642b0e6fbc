"""Transition-state theory: from a free-energy barrier to a rate, and what a change of it does."""

import math

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..rates import attempt_rate

Real = Float[ArrayLike, "*shape"]

#: Molar concentration of water [M]: the standard state of mole fractions in dilute solution.
WATER = 55.5


def rate_over_barrier(height: Real, temperature: Real, transmission: Real = 1.0) -> Float[Array, "*shape"]:
    """The rate [1/ms] over a barrier: k = kappa (kB T/h) exp(-dG/RT).

    **Arguments:** `height` dG [kT]; `temperature` [K]; `transmission` kappa.
    **Source:** Eyring, J. Chem. Phys. 3, 107 (1935); Hille 2001, chapter 10.
    """
    return jnp.asarray(transmission * attempt_rate(temperature) * jnp.exp(-jnp.asarray(height)))


def barrier_of_rate(rate: Real, temperature: Real, transmission: Real = 1.0) -> Float[Array, "*shape"]:
    """The height [kT] of the barrier that is crossed at a rate [1/ms]: the inverse of `rate_over_barrier`."""
    return jnp.log(transmission * attempt_rate(temperature) / jnp.asarray(rate))


def change_of_rate(energy: Real) -> Float[Array, "*shape"]:
    """The factor exp(-ddG/RT) by which a rate changes when its barrier rises by ddG [kT].

    In the linear regime, where one barrier limits the flux, it is the factor of the conductance, too: a mutation that
    lowers the barrier by 2 kcal/mol at 310.15 K, `change_of_rate(from_molar(-2 * kcal_per_mol, 310.15))`, makes it
    25.66 times larger.
    """
    return jnp.exp(-jnp.asarray(energy))


def from_mole_fraction(energy: Real) -> Float[Array, "*shape"]:
    """A site's or barrier's energy [kT] relative to a solution at 1 M, from one relative to mole fraction one.

    It is higher by ln 55.5 = 4.02 kT, as 1 M is a mole fraction of 1/55.5: exp(-G) times the concentration stays.

    **Source:** Hille 2001, chapter 14.
    """
    return jnp.asarray(energy) + math.log(WATER)


def to_mole_fraction(energy: Real) -> Float[Array, "*shape"]:
    """The inverse of `from_mole_fraction`."""
    return jnp.asarray(energy) - math.log(WATER)
