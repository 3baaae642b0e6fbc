"""How ions in a pore act on each other."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..params import param


class PairInteraction(eqx.Module):
    """Each pair of ions adds z_i z_j u(d), d being their distance in sites: repulsion for u > 0.

    Any function of the same arguments can take its place, a `jax`-differentiable one; a module if it has parameters.

    **Arguments:** `energy` [kT]: u of neighbors, of next neighbors, and so on, for two monovalent ions; distances
    beyond its length add nothing.
    """

    energy: Float[Array, " distances"] = param("kT")

    def __call__(self, occupied: Float[Array, "species sites"], z: Float[Array, " species"]) -> Float[Array, ""]:
        """The interaction energy [kT] of an occupancy.

        **Arguments:** `occupied`: one where a species sits at a site, else zero; `z`: valences.
        """
        charge = jnp.sum(z[:, None] * occupied, 0)
        sites, total = charge.shape[0], jnp.zeros((), charge.dtype)
        for distance in range(1, min(sites, self.energy.shape[0] + 1)):
            pairs = jnp.sum(charge[distance:] * charge[:-distance])
            total = total + self.energy[distance - 1] * pairs
        return total
