"""Who helps whom across: net fluxes by how many other ions are in the pore."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import Bath
from ..kinetics import edge_flux
from .barrier_pore import BarrierPore


def knock_on(pore: BarrierPore, v: Float[ArrayLike, ""], bath: Bath) -> Float[Array, "species barriers others"]:
    """Net outward flux [1/ms] of every species over every barrier while 0, 1, ... other ions sit in the pore.

    Summed over `others` it is the flux of the species. Ions that cross one at a time carry it all with none; in a pore
    where one ion knocks the next on, an ion enters behind others and the one ahead leaves.

    **Arguments:** `v` [mV].
    **Source:** Hodgkin & Keynes, J. Physiol. 128, 61 (1955).
    """
    file = pore.file
    flux = edge_flux(pore.scheme, pore.flux(v, bath).occupancy, v, bath)
    others = (file.others == np.arange(file.sites)[:, None]).astype(float)
    table = jnp.asarray(file.over[:, :, None, :] * others, flux.dtype)
    return jnp.tensordot(table, flux, 1, precision=jax.lax.Precision.HIGHEST)
