"""The conditions of a model file, and the ions that a model needs in its bath."""

from typing import Any

import jax

from ..electrochemistry import Bath, Species
from ..kinetics import AbstractScheme
from ..permeation import GHK, BarrierPore, BindingPolynomial, Ohmic, PermeabilityRatios
from ..rates import Binding
from .laws import SPECIES
from .table import Table

_CARRIERS = (Ohmic, GHK, PermeabilityRatios, BarrierPore, BindingPolynomial)
_PARTS = (*_CARRIERS, AbstractScheme, Binding)


def read_bath(table: Table) -> Bath:
    """The [bath] of a file.

    **Raises:** `InputError`.
    """
    table.only("temperature", "inside", "outside")
    temperature = table.quantity("temperature", "temperature").value
    if not temperature > 0:
        table.fail(f"must be above absolute zero, but is {temperature:g} K; write '25 C' or '298 K'", "temperature")
    sides = []
    for side in ("inside", "outside"):
        entries = table.table(side).only(*SPECIES) if side in table else Table(table.file, side, {})
        sides.append({SPECIES[name]: entries.quantity(name, "concentration").value for name in entries.data})
        for species, c in sides[-1].items():
            if c < 0:
                entries.fail(f"must not be negative, but is {c:g} mM", species.name)
    return Bath(sides[0], sides[1], temperature)


def check_species(root: Table, model: Any, bath: Bath | None) -> None:
    """A bath that lists ions must list every one that the model names, on the side where it counts.

    One that lists none, or none at all, leaves the concentrations to the data or to the command line.

    **Raises:** `InputError`.
    """
    if bath is None or not bath.species:
        return
    for species, side in named(model):
        if species not in getattr(bath, side):
            root.fail(f'must give {species.name}; add {side} = {{ {species.name} = "1 mM" }}', "bath")


def named(model: Any) -> list[tuple[Species, str]]:
    """Every species that a model names, with the sides of the membrane on which it counts."""
    needs: list[tuple[Species, str]] = []
    for part in jax.tree.leaves(model, is_leaf=lambda x: isinstance(x, _PARTS)):
        if isinstance(part, Binding):
            needs.append((part.species, "inside" if part.inside else "outside"))
        elif isinstance(part, AbstractScheme):
            needs += named(list(vars(part).values()))
            needs += [(s, "inside" if inside else "outside") for row in part.exchange for (s, inside), _ in row]
        elif isinstance(part, _CARRIERS):
            species = part.species if isinstance(part.species, tuple) else (part.species,) if part.species else ()
            needs += [(s, side) for s in species for side in ("inside", "outside")]
    return list(dict.fromkeys(needs))
