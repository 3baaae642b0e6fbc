"""What passes through an open channel: fluxes of every species and the current they carry."""

import abc

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .electrochemistry import Bath, Species, ghk_flux, nernst
from .params import as_array, param, positive
from .units import F


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


def carried(fluxes: dict[Species, Float[Array, ""]], bath: Bath, current: Float[Array, ""]) -> Exchange:
    """The exchange in which each species crosses outward at a given rate [fmol/ms].

    **Raises:** `KeyError` if the bath holds no such species.
    """
    for species in fluxes:
        if species not in bath.species:
            names = ", ".join(s.name for s in bath.species) or "none"
            raise KeyError(f"The bath must hold {species.name}, which the channel carries; its species are: {names}.")
    out = (
        jnp.stack([fluxes.get(s, jnp.zeros_like(current)) for s in bath.species])
        if bath.species
        else jnp.zeros((0,), current.dtype)
    )
    return Exchange(-out, out, current)


class AbstractPermeation(eqx.Module):
    """The open channel."""

    @abc.abstractmethod
    def exchange(self, v: Float[Array, ""], bath: Bath) -> Exchange:
        """Fluxes and current of one open channel at v [mV]."""


class Ohmic(AbstractPermeation):
    """I = g (V - E): the reversal potential is given, or is the Nernst potential of one species of the bath.

    **Arguments:** `g` [nS]; `reversal` [mV] (current only: carries no species), or `species`.
    **Raises:** `ValueError` unless exactly one of the two is given.
    """

    g: Float[Array, ""] = param("nS", positive)
    reversal: Float[Array, ""] | None = param("mV")
    species: Species | None = eqx.field(static=True)

    def __init__(self, g, *, reversal=None, species: Species | None = None):
        if (reversal is None) == (species is None):
            raise ValueError(
                "Ohmic must have either a `reversal` potential [mV] or a `species` that sets it, not both."
            )
        self.g = as_array(g)
        self.reversal = None if reversal is None else as_array(reversal)
        self.species = species

    def exchange(self, v, bath):  # noqa: D102
        if self.species is None:
            current = self.g * (v - self.reversal)
            nothing = jnp.zeros((len(bath.species),), current.dtype)
            return Exchange(nothing, nothing, current)
        s = self.species
        current = self.g * (v - nernst(*bath[s], s.z, bath.temperature))
        return carried({s: current / (s.z * F)}, bath, current)


class GHK(AbstractPermeation):
    """Constant-field permeation: each species crosses by its own Goldman-Hodgkin-Katz flux.

    **Arguments:** `permeability` [pL/ms]: permeability times area of each species; `species`.
    **Source:** Goldman 1943; Hodgkin & Katz 1949.
    """

    permeability: Float[Array, " species"] = param("pL/ms", positive)
    species: tuple[Species, ...] = eqx.field(static=True)

    def __check_init__(self):
        if self.permeability.shape[-1:] != (len(self.species),):
            raise ValueError(
                f"Argument `permeability` must have one value for each of the {len(self.species)} species, "
                f"but has shape {self.permeability.shape}."
            )

    def exchange(self, v, bath):  # noqa: D102
        fluxes = {
            s: ghk_flux(v, *bath[s], s.z, self.permeability[k], bath.temperature) for k, s in enumerate(self.species)
        }
        current = sum(F * s.z * flux for s, flux in fluxes.items())
        return carried(fluxes, bath, current + jnp.zeros_like(v))
