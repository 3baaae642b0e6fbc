"""Thermodynamics of coupled transport: what a stoichiometry costs, where it reverses, how far it can pump.

A stoichiometry is a mapping from species to particles moved into the cell per cycle, `{Na: -3, K: 2}` for
the Na/K pump. Chemical energy spent with it (ATP) is a number in kT per cycle, negative when it drives the
cycle.
"""

from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..units import thermal_voltage
from .bath import Bath, Species
from .potentials import potential_difference

Real = Float[ArrayLike, "*shape"]
Stoichiometry = Mapping[Species, float]


def charge_moved(stoichiometry: Stoichiometry) -> float:
    """Charge moved into the cell per cycle, sum n z [e0]; zero for an electroneutral transporter.

    **Arguments:** `stoichiometry`: particles moved into the cell per cycle.
    """
    return sum(n * species.z for species, n in stoichiometry.items())


def hydrolysis_energy(atp: Real, adp: Real, phosphate: Real, standard: Real) -> Float[Array, "*shape"]:
    """Free energy of ATP hydrolysis, G0 + ln([ADP][Pi]/[ATP]), concentrations in M [kT]; near -23 in cells.

    **Arguments:** `atp`, `adp`, `phosphate`: concentrations [mM]; `standard`: apparent G0 at the pH and Mg of
    the cell [kT], `from_molar(-30.5 * kJ_per_mol, temperature)`.
    """
    return jnp.asarray(standard + jnp.log(jnp.divide(adp * phosphate, atp) / 1e3))


def transport_free_energy(
    stoichiometry: Stoichiometry, bath: Bath, v: Real, energy: Real = 0.0
) -> Float[Array, "*shape"]:
    """Free energy of one transport cycle, sum n (ln(c_in/c_out) + z F V/(RT)) + energy [kT].

    Negative: the cycle runs forward. Minus it is the affinity of the cycle.

    **Arguments:** `stoichiometry`: particles moved into the cell per cycle; `bath`; `v` [mV]; `energy`:
    chemical energy per cycle [kT], ATP consumed times `hydrolysis_energy`.

    **Raises:** `KeyError` when a species is not in the bath.
    """
    total = jnp.asarray(energy)
    for species, n in stoichiometry.items():
        total = total + n * potential_difference(*bath[species], species.z, v, bath.temperature)
    return total


def reversal_potential(
    stoichiometry: Stoichiometry, bath: Bath, energy: Real = 0.0
) -> Float[Array, "*shape"]:
    """Potential at which a cycle's free energy is zero [mV]; for one ion it is its Nernst potential.

    **Arguments:** as `transport_free_energy`.

    **Raises:** `ValueError` when the cycle moves no charge; `KeyError` when a species is not in the bath.
    """
    charge = charge_moved(stoichiometry)
    if charge == 0:
        raise ValueError(
            "A cycle must move charge to have a reversal potential, but this one is electroneutral; "
            "see transport_free_energy."
        )
    at_zero = transport_free_energy(stoichiometry, bath, jnp.zeros_like(bath.temperature), energy)
    return -at_zero * (thermal_voltage(bath.temperature) / charge)


def equilibrium_concentration(
    species: Species, stoichiometry: Stoichiometry, bath: Bath, v: Real, energy: Real = 0.0
) -> Float[Array, "*shape"]:
    """Inside concentration of one species at which a cycle stands still, everything else as in the bath [mM].

    The set point of a cotransporter, the lowest concentration that a pump can reach, the highest
    accumulation: `equilibrium_concentration(Cl, {K: -1, Cl: -1}, bath, v)` is K_out Cl_out/K_in.

    **Arguments:** `species`: one of the stoichiometry's; the others as `transport_free_energy`. The inside
    concentration of `species` in the bath is not used.

    **Raises:** `KeyError` when `species` is not in the stoichiometry or a species is not in the bath.
    """
    if not stoichiometry.get(species):
        names = ", ".join(map(str, stoichiometry))
        raise KeyError(f"The stoichiometry must move {species}, but moves {names}; choose one of these.")
    others = {s: n for s, n in stoichiometry.items() if s != species}
    rest = transport_free_energy(others, bath, v, energy)
    u = v / thermal_voltage(bath.temperature)
    return bath[species][1] * jnp.exp(-rest / stoichiometry[species] - species.z * u)
