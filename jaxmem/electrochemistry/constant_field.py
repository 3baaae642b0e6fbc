"""Constant-field electrodiffusion: Goldman-Hodgkin-Katz flux, current and voltage."""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics.bernoulli import bernoulli
from ..units import F, thermal_voltage
from .bath import Bath, K, Na, Species

Real = Float[ArrayLike, "*shape"]


def ghk_flux(
    v: Real, inside: Real, outside: Real, z: int | Real, permeability: Real, temperature: Real
) -> Float[Array, "*shape"]:
    """Outward flux of one species through a constant field [fmol/ms for a permeability in pL/ms].

    J = P u (c_in - c_out e^-u)/(1 - e^-u) with u = z F V/(RT), as P (c_in b(-u) - c_out b(u)) with the
    Bernoulli function b: smooth at V = 0, and plain diffusion P (c_in - c_out) for z = 0.

    **Arguments:** `v` [mV]; `inside`, `outside`: concentrations [mM], zero is legal; `z` valence;
    `permeability` times area [pL/ms] (a permeability in m/s gives mol/(m2 s)); `temperature` [K].

    **Source:** Goldman, J. Gen. Physiol. 27, 37 (1943); Hodgkin & Katz, J. Physiol. 108, 37 (1949).
    """
    u = jnp.asarray(z * (v / thermal_voltage(temperature)))
    return jnp.asarray(permeability * (inside * bernoulli(-u) - outside * bernoulli(u)))


def ghk_current(
    v: Real, inside: Real, outside: Real, z: int | Real, permeability: Real, temperature: Real
) -> Float[Array, "*shape"]:
    """Outward current of one species through a constant field, z F J [pA for a permeability in pL/ms].

    **Arguments:** as `ghk_flux`; a permeability in m/s gives A/m2.

    **Source:** Hodgkin & Katz, J. Physiol. 108, 37 (1949).
    """
    return jnp.asarray(F * z * ghk_flux(v, inside, outside, z, permeability, temperature))


def ghk_voltage(permeability: Mapping[Species, Real], bath: Bath) -> Float[Array, "*shape"]:
    """Potential at which the GHK currents of monovalent ions cancel [mV].

    V = RT/F ln[(sum+ P c_out + sum- P c_in)/(sum+ P c_in + sum- P c_out)], + over cations, - over anions.

    **Arguments:** `permeability`: of each species, in any common unit, `{K: 1.0, Na: 0.04, Cl: 0.45}`;
    `bath`.

    **Raises:** `KeyError` when a species is not in the bath; `ValueError` for one that is not monovalent.

    **Source:** Hodgkin & Katz, J. Physiol. 108, 37 (1949).
    """
    if not permeability:
        raise ValueError("Argument `permeability` must name at least one species; try {K: 1.0, Na: 0.04}.")
    above, below = 0.0, 0.0
    for species, p in permeability.items():
        if species.z not in (1, -1):
            raise ValueError(
                f"Species of the GHK voltage must be monovalent, but {species} is not; "
                "find the zero of the sum of ghk_current instead."
            )
        inside, outside = bath[species] if species.z > 0 else bath[species][::-1]
        above, below = above + p * outside, below + p * inside
    return thermal_voltage(bath.temperature) * jnp.log(jnp.divide(above, below))


def mullins_noda_voltage(
    permeability: Mapping[Species, Real], bath: Bath, ratio: Real = 1.5
) -> Float[Array, "*shape"]:
    """Resting potential of a cell whose Na/K pump balances the leaks of both ions [mV].

    V = RT/F ln[(r P_K K_out + P_Na Na_out)/(r P_K K_in + P_Na Na_in)]; r = 1 is the GHK voltage.

    **Arguments:** `permeability`: of K and Na; `bath`; `ratio` r: Na extruded per K taken up, 3/2 for the
    pump.

    **Raises:** `KeyError` when K or Na is missing from either.

    **Source:** Mullins & Noda, J. Gen. Physiol. 47, 117 (1963).
    """
    return ghk_voltage({K: ratio * permeability[K], Na: permeability[Na]}, bath)
