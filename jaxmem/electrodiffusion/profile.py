"""What is found along a pore: potential, concentrations, fluxes."""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from ..electrochemistry import Species
from ..results import RESULTS
from ..units import PORE_CURRENT
from .system import System


class Profile(eqx.Module):
    """A pore in its steady state.

    - `x` (nodes,) [nm], from the inside; `potential` (nodes,) [mV], zero outside.
    - `concentrations` (species, nodes) [mM]: of the water that would be in equilibrium with the place, so that they are
      continuous; times `partition` of a segment they are what is there.
    - `flux` (species,) [mM nm3/ns] and `currents` (species,) [pA], from the inside to the outside; `current` [pA].
    - `spread`: the largest difference between the fluxes of the same species over two edges, relative to its largest
      one-way flux: a few roundings where the equations are solved.
    - `displacement` (edges,) [e0]: eps0 eps A times the field, toward the outside.
    - `charge` (2,) [e0]: of the two ends, what is needed to hold the potential there; their sum is zero in a ring.
    - `result`: a code; `steps`: Newton steps taken.
    """

    x: Float[Array, " nodes"]
    potential: Float[Array, " nodes"]
    concentrations: Float[Array, "species nodes"]
    flux: Float[Array, " species"]
    spread: Float[Array, ""]
    displacement: Float[Array, " edges"]
    charge: Float[Array, " 2"]
    steps: Float[Array, ""]
    result: RESULTS
    species: tuple[Species, ...] = eqx.field(static=True)

    @property
    def currents(self) -> Float[Array, " species"]:
        """The current that each species carries, outward [pA]."""
        z = jnp.asarray([float(s.z) for s in self.species], self.flux.dtype)
        return PORE_CURRENT * jnp.reshape(z, (1,) * (self.flux.ndim - 1) + (-1,)) * self.flux

    @property
    def current(self) -> Float[Array, ""]:
        """The current, outward [pA]."""
        return jnp.sum(self.currents, -1)

    def __getitem__(self, species: Species) -> Float[Array, " nodes"]:
        """The concentration of a species along the pore [mM]."""
        return self.concentrations[..., self.species.index(species), :]


def net_flux(
    system: System, c: Float[Array, "species nodes"], y: Float[Array, "fields nodes"]
) -> tuple[Float[Array, " species"], Float[Array, ""]]:
    """The flux of each species, and the largest difference between edges over the largest one-way flux.

    All edges carry the same flux but for rounding, which is of the size of their one-way fluxes: their mean is weighted
    accordingly.
    """
    net = system.flows(c, y)
    ahead, back = system.passages(lax.stop_gradient(system.rises(y)))
    ahead, back = lax.stop_gradient((ahead * c[:, :-1], back * c[:, 1:]))
    size = jnp.where(ahead > back, ahead, back)
    largest, smallest = jnp.max(size, 1, keepdims=True), jnp.min(size, 1, keepdims=True)
    weight = jnp.where(size > 0, (smallest / jnp.where(size > 0, size, 1.0)) ** 2, 1.0)
    mean = jnp.sum(weight * net, 1) / jnp.sum(weight, 1)
    spread = jnp.abs(net - mean[:, None]) / jnp.where(largest > 0, largest, 1.0)
    return mean, lax.stop_gradient(jnp.max(spread))
