"""Ohm's law, ion by ion."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Species, nernst
from ..params import as_array, param, positive
from ..units import F
from .exchange import AbstractPermeation, Exchange, carried


class Ohmic(AbstractPermeation):
    """I = g (V - E): the reversal potential is given, or is the Nernst potential of a species of the bath.

    **Arguments:** `g` [nS]; `reversal` [mV] (current only: carries no species), or `species`: one, or several with as
    many conductances, of which each carries its own current g (V - E).
    **Raises:** `ValueError` unless exactly one of the two is given, with a conductance for each species.
    """

    g: Float[Array, "*species"] = param("nS", positive)
    reversal: Float[Array, ""] | None = param("mV")
    species: Species | tuple[Species, ...] | None = eqx.field(static=True)

    def __init__(self, g, *, reversal=None, species: Species | tuple[Species, ...] | None = None):
        if (reversal is None) == (species is None):
            raise ValueError(
                "Ohmic must have either a `reversal` potential [mV] or a `species` that sets it, not both."
            )
        self.g = as_array(g)
        self.reversal = None if reversal is None else as_array(reversal)
        self.species = species
        if isinstance(species, tuple) and self.g.shape[-1:] != (len(species),):
            raise ValueError(
                f"Argument `g` must have one value for each of the {len(species)} species, but has shape "
                f"{self.g.shape}."
            )

    def exchange(self, v, bath):  # noqa: D102
        if self.species is None:
            current = self.g * (v - self.reversal)
            nothing = jnp.zeros((len(bath.species),), current.dtype)
            return Exchange(nothing, nothing, current)
        several = isinstance(self.species, tuple)
        currents = {
            s: (self.g[k] if several else self.g) * (v - nernst(*bath[s], s.z, bath.temperature))
            for k, s in enumerate(self.species if several else (self.species,))
        }
        return carried({s: i / (s.z * F) for s, i in currents.items()}, bath, sum(currents.values()))
