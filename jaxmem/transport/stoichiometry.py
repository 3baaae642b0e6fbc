"""What a transporter moves per turn, and everything that follows without its kinetics."""

import dataclasses
import enum
from collections.abc import Mapping

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import (
    ADP,
    ATP,
    Bath,
    Pi,
    Species,
    charge_moved,
    equilibrium_concentration,
    from_molar,
    hydrolysis_energy,
    kJ_per_mol,
    reversal_potential,
    transport_free_energy,
)

Real = Float[ArrayLike, ""]

#: Apparent standard free energy of ATP hydrolysis [J/mol] at pH 7, 1 mM free Mg, 37 C.
STANDARD = -30.5 * kJ_per_mol


class Kind(enum.Enum):
    """What drives a transporter, and which way its particles go."""

    CHANNEL = "channel"
    FACILITATED = "facilitated diffusion"
    SYMPORT = "secondary active, symport"
    ANTIPORT = "secondary active, antiport"
    PRIMARY = "primary active"


@dataclasses.dataclass(frozen=True)
class Stoichiometry:
    """Particles per turn of a transporter, and the ATP that it spends.

    `Stoichiometry("Na/K-ATPase", {Na: -3, K: 2}, atp=1)`.

    **Arguments:** `name`; `particles`: moved into the cell per turn, negative for those moved out; `atp`: molecules
    hydrolyzed per turn; `electroneutral`: claims that a turn moves no charge.
    **Raises:** `ValueError` if nothing moves, or a claim to be electroneutral is wrong.
    """

    name: str
    particles: Mapping[Species, int] = dataclasses.field(hash=False)
    atp: int = 0
    electroneutral: bool = False

    def __post_init__(self):
        object.__setattr__(self, "particles", {s: n for s, n in self.particles.items() if n})
        if not self.particles:
            raise ValueError(f"{self.name}: a transporter must move some particle, but moves none.")
        if self.electroneutral and self.charge:
            moved = ", ".join(f"{n:+d} {s.name}" for s, n in self.particles.items())
            raise ValueError(
                f"{self.name}: claims to be electroneutral, but {moved} into the cell moves {-self.charge:+g} e0."
            )

    @property
    def charge(self) -> float:
        """Electrogenicity [e0]: charge moved out of the cell per turn, the sign of its current."""
        return -charge_moved(self.particles)

    @property
    def kind(self) -> Kind:
        """Channel, facilitated, symport, antiport or primary active."""
        if self.atp:
            return Kind.PRIMARY
        if len(self.particles) == 1:
            return Kind.CHANNEL if self.charge else Kind.FACILITATED
        return Kind.SYMPORT if len({n > 0 for n in self.particles.values()}) == 1 else Kind.ANTIPORT


def chemical_energy(transporter: Stoichiometry, bath: Bath, standard: float = STANDARD) -> Float[Array, ""]:
    """Free energy [kT] of the ATP spent per turn, from ATP, ADP and Pi of the inner bath; zero without ATP.

    **Arguments:** `standard` [J/mol]: apparent standard free energy of hydrolysis.
    **Raises:** `KeyError` if the inner bath lacks one of them.
    """
    if not transporter.atp:
        return jnp.zeros_like(bath.temperature)
    lacking = [s.name for s in (ATP, ADP, Pi) if s not in bath.inside]
    if lacking:
        raise KeyError(
            f"{transporter.name} spends ATP, so the inner bath must hold ATP, ADP and Pi, but it lacks "
            f"{', '.join(lacking)}."
        )
    atp, adp, phosphate = (bath.inside[s] for s in (ATP, ADP, Pi))
    energy = hydrolysis_energy(atp, adp, phosphate, from_molar(standard, bath.temperature))
    return transporter.atp * energy


def transport_energy(transporter: Stoichiometry, bath: Bath, v: Real) -> Float[Array, ""]:
    """Free energy [kT] of moving the particles of one turn, without that of ATP: positive uphill."""
    return transport_free_energy(transporter.particles, bath, v)


def turn_energy(transporter: Stoichiometry, bath: Bath, v: Real, *, energy: Real | None = None) -> Float[Array, ""]:
    """Free energy [kT] of one whole turn: negative where it runs forward.

    **Arguments:** `v` [mV]; `energy` [kT] per turn that chemistry supplies (negative); from the bath's ATP by default.
    """
    spent = chemical_energy(transporter, bath) if energy is None else energy
    return transport_energy(transporter, bath, v) + spent


def direction(transporter: Stoichiometry, bath: Bath, v: Real, *, energy: Real | None = None) -> Float[Array, ""]:
    """1 where the transporter runs forward, as its stoichiometry is written, -1 backward, 0 where it stalls."""
    return -jnp.sign(turn_energy(transporter, bath, v, energy=energy))


def stalling_potential(transporter: Stoichiometry, bath: Bath, *, energy: Real | None = None) -> Float[Array, ""]:
    """Voltage [mV] at which the transporter stands still.

    **Raises:** `ValueError` for an electroneutral one.
    """
    spent = chemical_energy(transporter, bath) if energy is None else energy
    return reversal_potential(transporter.particles, bath, spent)


def set_point(
    transporter: Stoichiometry, species: Species, bath: Bath, v: Real, *, energy: Real | None = None
) -> Float[Array, ""]:
    """Inner concentration [mM] of a species at which the transporter stands still, all else as in the bath.

    What a cotransporter would bring chloride to, how far a pump can lower calcium.
    """
    spent = chemical_energy(transporter, bath) if energy is None else energy
    return equilibrium_concentration(species, transporter.particles, bath, v, spent)


def largest_accumulation(
    transporter: Stoichiometry, species: Species, bath: Bath, v: Real, *, energy: Real | None = None
) -> Float[Array, ""]:
    """Ratio of inner to outer concentration that the transporter can hold of a species."""
    return set_point(transporter, species, bath, v, energy=energy) / bath[species][1]


def efficiency(
    transporter: Stoichiometry, bath: Bath, v: Real, *, driving: tuple[Species, ...] = (), energy: Real | None = None
) -> Float[Array, ""]:
    """Share of the free energy spent by a turn that is stored again: one at the stall, never above where it runs.

    **Arguments:** `driving`: the species whose gradients drive a secondary active transporter, such as (Na,); a pump is
    driven by its ATP.
    """
    downhill = {s: n for s, n in transporter.particles.items() if s in driving}
    uphill = {s: n for s, n in transporter.particles.items() if s not in driving}
    spent = chemical_energy(transporter, bath) if energy is None else energy
    paid = spent + transport_free_energy(downhill, bath, v)
    return -transport_free_energy(uphill, bath, v) / paid
