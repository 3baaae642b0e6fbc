"""The spaces that run along a tree: what is dissolved in them, how large they are, and how ions move along them."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from ..electrochemistry import Ca, Cl, K, Na, Solution, Species
from ..params import as_array, param, positive
from ..results import InputError
from .placed import Placed, as_placed
from .tree import Tree

#: Diffusivities in water at 25 C [um2/ms].
WATER: dict[Species, float] = {Na: 1.33, K: 1.96, Cl: 2.03, Ca: 0.71}


class Phase(eqx.Module):
    """A space along a tree: the inside of cells, or what lies between them.

    **Arguments:** `solution`: concentrations [mM] at which it starts, or a mapping that makes them, each one number or
    one for every compartment; `volume` [pL] of each compartment; `bridge` [um]: free cross-section over distance from
    each compartment to its parent (`Tree.bridge` for a cable's inside); `diffusivity` [um2/ms]: by species, those in
    water by default; `tortuosity`: paths are longer by it, and diffusion slower by its square; `free`: the shares of
    species that are not bound, 1 where nothing is said: only these move, and mechanisms see them alone; `impermeant`
    [mM]: particles that stay and count for osmosis.
    **Raises:** `InputError` for values that cannot be.
    """

    solution: Solution
    volume: Float[Array, " n"] = param("pL", positive)
    bridge: Float[Array, " n"] = param("um", positive)
    diffusivity: Float[Array, " species"] = param("um2/ms", positive)
    tortuosity: Float[Array, ""] = param("", positive)
    free: Float[Array, " species"] = param("", positive)
    impermeant: Float[Array, "*n"] = param("mM", positive)

    def __init__(
        self,
        solution: Solution | Mapping[Species, Any],
        volume: Any,
        bridge: Any,
        *,
        diffusivity: Mapping[Species, Any] | None = None,
        tortuosity: Any = 1.0,
        free: Mapping[Species, Any] | None = None,
        impermeant: Any = 0.0,
    ):
        self.solution = solution if isinstance(solution, Solution) else Solution(solution)
        species = self.solution.species
        known = {**WATER, **(diffusivity or {})}
        missing = [s.name for s in species if s not in known]
        if missing:
            raise InputError(f"Argument `diffusivity` must have a value [um2/ms] for {', '.join(missing)}.")
        self.diffusivity = jnp.stack([as_array(known[s]) for s in species])
        self.free = jnp.stack([as_array((free or {}).get(s, 1.0)) for s in species])
        self.volume, self.bridge, self.impermeant = as_array(volume), as_array(bridge), as_array(impermeant)
        self.tortuosity = as_array(tortuosity)
        if self.solution.c.shape[:-1] not in ((), self.volume.shape):
            raise InputError(
                f"Concentrations must be one number or one for each of the {self.volume.shape[0]} compartments, "
                f"but have shape {self.solution.c.shape[:-1]}."
            )
        for name, value in (("concentration", self.solution.c), ("diffusivity", self.diffusivity)):
            _refuse(name, value, low=0.0)
        for name, value in (("volume", self.volume), ("tortuosity", self.tortuosity)):
            _refuse(name, value, low=np.nextafter(0.0, 1.0))

    @property
    def effective(self) -> Float[Array, " species"]:
        """Diffusivity of what is free to move [um2/ms], along the tree: D/tortuosity^2."""
        return self.diffusivity / self.tortuosity**2

    def amounts(self) -> Float[Array, "species n"]:
        """The amounts at the start [fmol]."""
        c = self.solution.c if self.solution.c.ndim > 1 else jnp.tile(self.solution.c[None], (self.volume.shape[0], 1))
        return c.T * self.volume[None]


def _refuse(name: str, value: Any, low: float) -> None:
    if isinstance(value, Tracer):
        return
    least = float(np.min(np.asarray(value))) if np.size(value) else low
    if not low <= least < np.inf or not np.all(np.isfinite(np.asarray(value))):
        raise InputError(f"Each {name} of a phase must be a positive number, but one is {least:g}.")


def inside(tree: Tree, solution: Any, **more: Any) -> Phase:
    """The inside of a tree of cables. **Arguments:** those of `Phase`."""
    return Phase(solution, tree.volume, tree.bridge, **more)


def outside(tree: Tree, solution: Any, share: Any = 0.5, **more: Any) -> Phase:
    """The space around a tree, whose cross-section is `share` of the inside's everywhere.

    **Arguments:** those of `Phase`.
    """
    return Phase(solution, share * tree.volume, share * tree.bridge, **more)


class Cells(eqx.Module):
    """What lies between the outside and one inside: a membrane along the tree with its mechanisms.

    **Arguments:** `inside`: a `Phase`; `mechanisms`: placed ones (`place`), or such that are everywhere; `area` [um2]
    of membrane in each compartment; `capacitance` [uF/cm2]; `water` [pL/ms/mM/um2]: flow of water inward per difference
    of osmolarity and area, None where no water passes; `start` [mV].
    """

    inside: Phase
    mechanisms: tuple[Placed, ...]
    area: Float[Array, " n"] = param("um2", positive)
    capacitance: Float[Array, "*n"] = param("uF/cm2", positive)
    water: Float[Array, "*n"] | None = param("", positive)
    start: Float[Array, "*n"] = param("mV")

    def __init__(
        self,
        inside: Phase,
        mechanisms: Any,
        area: Any,
        *,
        capacitance: Any = 1.0,
        water: Any = None,
        start: Any = -65.0,
    ):
        self.inside, self.mechanisms = inside, as_placed(mechanisms, inside.volume.shape[0])
        self.area, self.capacitance = as_array(area), as_array(capacitance)
        self.water, self.start = as_array(water), as_array(start)


class Opening(eqx.Module):
    """An end of the outside that is open to a bath: ions pass by diffusion and drift, without a net current.

    **Arguments:** `at`: the compartment; `solution`: of the bath, with the species of the outside; `bridge` [um]:
    cross-section over distance from the compartment's center to the bath. Half the compartment's length makes the
    concentrations at its very end those of the bath (clamped); a longer way, an opening.
    """

    at: Int[Array, ""]
    solution: Solution
    bridge: Float[Array, ""] = param("um", positive)

    def __init__(self, at: Any, solution: Solution | Mapping[Species, Any], bridge: Any):
        self.at, self.bridge = jnp.asarray(at, jnp.int32), as_array(bridge)
        self.solution = solution if isinstance(solution, Solution) else Solution(solution)
