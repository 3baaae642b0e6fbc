"""Ions that take up space: excess chemical potentials of crowding."""

import abc
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..units import N_A


class AbstractSteric(eqx.Module):
    """An excess energy w [kT], the same for every ion, that depends on all concentrations at a place."""

    @abc.abstractmethod
    def row(self, c: Sequence[Array], w: Array) -> Array:
        """Zero where w is the excess energy at concentrations c [mM]; increasing in w."""

    @abc.abstractmethod
    def excess(self, c: Array) -> Array:
        """The excess energy [kT] at concentrations c [mM], whose first axis are the species."""


class Bikerman(AbstractSteric):
    """Ions on a lattice: w = -ln(1 - sum a^3 N_A c), so that no place is filled more than once.

    **Arguments:** `diameter` (species,): size a of each ion [nm].

    **Source:** Bikerman, Phil. Mag. 33, 384 (1942); Kilic, Bazant & Ajdari, Phys. Rev. E 75, 021502 (2007).
    """

    diameter: Float[Array, " species"]

    @property
    def volume(self) -> Float[Array, " species"]:
        """The volume that a concentration of 1 mM of each ion fills."""
        return self.diameter**3 * (N_A * 1e-27)

    def row(self, c: Sequence[Array], w: Array) -> Array:
        """See `AbstractSteric`."""
        filled = sum(self.volume[k] * one for k, one in enumerate(c))
        return 1.0 - filled - jnp.exp(-w)

    def excess(self, c: Array) -> Array:
        """See `AbstractSteric`."""
        return -jnp.log1p(-jnp.tensordot(self.volume, c, 1))
