"""The constant field: every ion crosses on its own, driven by its gradient and by an even field."""

import equinox as eqx
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species, ghk_flux
from ..params import as_array, param, positive
from .exchange import AbstractPermeation, Exchange, carried


class GHK(AbstractPermeation):
    """Constant-field permeation: each species crosses by its own Goldman-Hodgkin-Katz flux.

    **Arguments:** `permeability` [pL/ms]: permeability times area of each species; `species`.
    **Source:** Goldman 1943; Hodgkin & Katz 1949.
    """

    permeability: Float[Array, " species"] = param("pL/ms", positive)
    species: tuple[Species, ...] = eqx.field(static=True)

    def __check_init__(self):
        _one_each(self.permeability, self.species, "permeability")

    def exchange(self, v, bath):  # noqa: D102
        return _constant_field(self.permeability, self.species, v, bath)


class PermeabilityRatios(AbstractPermeation):
    """Constant-field permeation whose selectivity is a set of ratios to one permeability.

    **Arguments:** `permeability` [pL/ms]: permeability times area of the species with ratio one; `ratio`: of each
    species, such as 1 for K and 0.03 for Na; `species`.
    **Source:** Hille 2001, chapter 14.
    """

    permeability: Float[Array, ""] = param("pL/ms", positive)
    ratio: Float[Array, " species"] = param("", positive)
    species: tuple[Species, ...] = eqx.field(static=True)

    def __init__(self, permeability, ratio, species: tuple[Species, ...] | None = None):
        if species is None:
            species, ratio = tuple(ratio), list(ratio.values())
        self.permeability, self.ratio, self.species = as_array(permeability), as_array(ratio), species
        _one_each(self.ratio, species, "ratio")

    def exchange(self, v, bath):  # noqa: D102
        return _constant_field(self.permeability * self.ratio, self.species, v, bath)


def _constant_field(permeability: Float[Array, " species"], species: tuple[Species, ...], v, bath: Bath) -> Exchange:
    fluxes = {s: ghk_flux(v, *bath[s], s.z, permeability[k], bath.temperature) for k, s in enumerate(species)}
    return carried(fluxes, bath)


def _one_each(values: Float[Array, "..."], species: tuple[Species, ...], name: str) -> None:
    if values.shape[-1:] != (len(species),):
        raise ValueError(
            f"Argument `{name}` must have one value for each of the {len(species)} species, but has shape "
            f"{values.shape}."
        )
