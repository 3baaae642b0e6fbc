"""Chemical and electrochemical potentials, the Nernst potential, Boltzmann factors; energies in kT."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Bool, Float

from ..units import R, thermal_voltage

Real = Float[ArrayLike, "*shape"]

kJ_per_mol = 1e3  # in J/mol, the unit of `from_molar` and `to_molar`
kcal_per_mol = 4184.0


def to_molar(energy: Real, temperature: Real) -> Float[Array, "*shape"]:
    """An energy in kT as a molar energy [J/mol]: RT times it; divide by `kJ_per_mol` or `kcal_per_mol`.

    **Arguments:** `energy` [kT]; `temperature` [K].
    """
    return jnp.asarray(energy * (R * temperature))


def from_molar(energy: Real, temperature: Real) -> Float[Array, "*shape"]:
    """A molar energy in kT: `from_molar(-30.5 * kJ_per_mol, 310.15)` is -11.83.

    **Arguments:** `energy` [J/mol]; `temperature` [K].
    """
    return jnp.asarray(energy / (R * temperature))


def chemical_potential(concentration: Real) -> Float[Array, "*shape"]:
    """mu = ln(c / 1 M) [kT], of an ideal solute relative to its standard state of 1 M.

    **Arguments:** `concentration` [mM]; zero gives -inf, a negative one NaN.
    """
    return jnp.log(concentration / 1e3)


def electrochemical_potential(
    concentration: Real, z: int | Real, v: Real, temperature: Real
) -> Float[Array, "*shape"]:
    """mu + z F V/(RT) [kT], of an ion where the potential is V relative to the bath's.

    **Arguments:** `concentration` [mM]; `z` valence; `v` [mV]; `temperature` [K].
    """
    return chemical_potential(concentration) + z * (v / thermal_voltage(temperature))


def potential_difference(
    inside: Real, outside: Real, z: int | Real, v: Real, temperature: Real
) -> Float[Array, "*shape"]:
    """Electrochemical potential inside minus outside, ln(c_in/c_out) + z F V/(RT) [kT].

    It is the free energy of moving a particle inward: negative where inward flow is spontaneous. For Na at
    145 outside and 15 inside, 310 K and -65 mV it is -4.70 kT, or -12.12 kJ/mol by `to_molar`.

    **Arguments:** `inside`, `outside`: concentrations [mM]; `z` valence; `v` [mV]; `temperature` [K].
    """
    return jnp.log(jnp.divide(inside, outside)) + z * (v / thermal_voltage(temperature))


def flow_direction(
    inside: Real, outside: Real, z: int | Real, v: Real, temperature: Real
) -> Float[Array, "*shape"]:
    """Direction of spontaneous flow: 1 outward, -1 inward, 0 at equilibrium.

    **Arguments:** as `potential_difference`, of which it is the sign.
    """
    return jnp.sign(potential_difference(inside, outside, z, v, temperature))


def nernst(inside: Real, outside: Real, z: int | Real, temperature: Real) -> Float[Array, "*shape"]:
    """Equilibrium potential of an ion, E = RT/(zF) ln(c_out/c_in) [mV].

    **Arguments:** `inside`, `outside`: concentrations [mM] (zero gives an infinite potential); `z` valence;
    `temperature` [K].

    **Raises:** `ValueError` when `z` is the number 0.
    """
    if isinstance(z, int | float) and z == 0:
        raise ValueError(
            "An ion must carry charge to have a Nernst potential, but z is 0; use potential_difference."
        )
    return jnp.log(jnp.divide(outside, inside)) * (thermal_voltage(temperature) / z)


def driving_force(
    v: Real, inside: Real, outside: Real, z: int | Real, temperature: Real
) -> Float[Array, "*shape"]:
    """V - E [mV], the potential that drives an ion's current outward (E from `nernst`).

    **Arguments:** `v` [mV]; `inside`, `outside`: concentrations [mM]; `z` valence; `temperature` [K].
    """
    return jnp.asarray(v - nernst(inside, outside, z, temperature))


def boltzmann_factor(energy: Real) -> Float[Array, "*shape"]:
    """exp(-energy): the weight of a state relative to one of energy zero.

    **Arguments:** `energy` [kT].
    """
    return jnp.exp(-jnp.asarray(energy))


def boltzmann(energies: Float[Array, "*batch states"]) -> Float[Array, "*batch states"]:
    """Equilibrium probabilities of states, exp(-G_i)/sum_j exp(-G_j), along the last axis; never overflows.

    **Arguments:** `energies` [kT].
    """
    return jax.nn.softmax(-jnp.asarray(energies), axis=-1)


def spontaneous(energy: Real) -> Bool[Array, "*shape"]:
    """Whether a process of this free energy runs forward by itself: energy < 0.

    **Arguments:** `energy`: free energy of the process, in any unit.
    """
    return jnp.asarray(energy) < 0
