"""What a mechanism releases per time: amounts on either side, and the current."""

import abc
from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species
from ..units import N_A, F

PER_PARTICLE = 1e15 / N_A  # fmol


class Exchange(eqx.Module):
    """What a mechanism releases per time.

    **Arguments:** `inside`, `outside` [fmol/ms]: amounts released to each side, in the order of `bath.species`;
    `current` [pA]: charge through the field, outward positive.
    """

    inside: Float[Array, " species"]
    outside: Float[Array, " species"]
    current: Float[Array, ""]

    def scaled(self, factor: Float[Array, ""]) -> "Exchange":
        """The exchange of `factor` such mechanisms."""
        return Exchange(factor * self.inside, factor * self.outside, factor * self.current)


def carried(
    fluxes: Mapping[Species, Float[Array, ""]], bath: Bath, current: Float[Array, ""] | None = None
) -> Exchange:
    """The exchange in which each species crosses outward at a given rate [fmol/ms].

    **Arguments:** `current` [pA]: F sum z J by default.
    **Raises:** `KeyError` if the bath holds no such species.
    """
    for species in fluxes:
        if species not in bath.species:
            names = ", ".join(s.name for s in bath.species) or "none"
            raise KeyError(f"The bath must hold {species.name}, which the channel carries; its species are: {names}.")
    if current is None:
        current = sum((F * s.z * flux for s, flux in fluxes.items()), start=jnp.zeros_like(bath.temperature))
    out = (
        jnp.stack([fluxes.get(s, jnp.zeros_like(current)) for s in bath.species])
        if bath.species
        else jnp.zeros((0,), current.dtype)
    )
    return Exchange(-out, out, current)


class AbstractPermeation(eqx.Module):
    """The open channel."""

    def check(self, bath: Bath) -> None:
        """Refuses a bath, whose values are known, that the law cannot hold for.

        **Raises:** `ValueError`; here nothing is refused.
        """

    @abc.abstractmethod
    def exchange(self, v: Float[Array, ""], bath: Bath) -> Exchange:
        """Fluxes and current of one open channel at v [mV]."""
