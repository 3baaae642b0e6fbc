"""Channels and pumps in a membrane across a pore: what they carry is the source of electrodiffusion beside it."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Solution, Species
from ..electrodiffusion import Mesh, Pore
from ..results import InputError
from ..units import PORE_CURRENT, F

_PER_FMOL_PER_MS = F / PORE_CURRENT  # mM nm3/ns in 1 fmol/ms


class Across(eqx.Module):
    """Mechanisms in a membrane that a pore's coordinate crosses, as `source(c, psi, t)` for `electrodiffusion.evolve`.

    Each mechanism sees what is at the two nodes beside the membrane: their concentrations are its bath, the
    difference of their potentials its voltage; and what its `exchange` takes from one side and releases to the other
    appears there. It is the same `exchange` that a clamp and a cell use. Gating, which takes longer than ions need to
    rearrange, is frozen at the states given.

    **Arguments:** `mechanisms`: a tuple, each for all of its molecules in the area of the membrane; `states`: theirs;
    `species`: of the pore, in order; `temperature` [K]; `left`: the node on the inner side, static.
    """

    mechanisms: tuple
    states: tuple
    temperature: Float[Array, ""]
    species: tuple[Species, ...] = eqx.field(static=True)
    left: int = eqx.field(static=True)

    def bath(self, c: Float[Array, "species nodes"]) -> Bath:
        """What the mechanisms see on both sides."""
        side = lambda node: Solution(dict(zip(self.species, c[:, node], strict=True)))
        return Bath(side(self.left), side(self.left + 1), self.temperature)

    def __call__(
        self, c: Float[Array, "species nodes"], psi: Float[Array, " nodes"], t: Float[Array, ""]
    ) -> Float[Array, "species nodes"]:
        """What appears of each ion at each node [mM nm3/ns]."""
        bath, v = self.bath(c), psi[self.left] - psi[self.left + 1]
        given = [m.exchange(state, v, bath) for m, state in zip(self.mechanisms, self.states, strict=True)]
        nothing = jnp.zeros_like(c)
        inside = jnp.sum(jnp.stack([one.inside for one in given]), 0)
        outside = jnp.sum(jnp.stack([one.outside for one in given]), 0)
        pick = jnp.asarray([bath.species.index(s) for s in self.species])
        nothing = nothing.at[:, self.left].set(_PER_FMOL_PER_MS * inside[pick])
        return nothing.at[:, self.left + 1].set(_PER_FMOL_PER_MS * outside[pick])

    def current(self, c: Float[Array, "species nodes"], psi: Float[Array, " nodes"]) -> Float[Array, ""]:
        """The current through the mechanisms, outward [pA]."""
        bath, v = self.bath(c), psi[self.left] - psi[self.left + 1]
        pairs = zip(self.mechanisms, self.states, strict=True)
        return sum((m.exchange(state, v, bath).current for m, state in pairs), start=jnp.zeros_like(v))


def across(pore: Pore, mesh: Mesh, mechanisms: tuple | eqx.Module, segment: int, v: float, bath: Bath) -> Across:
    """Mechanisms in the segment of a pore that is a membrane, with the states that they have at a voltage and bath.

    **Arguments:** `segment`: its index; no ion may enter it (`partition` zero), and `mesh` must have one edge across
    it, between the two nodes that the mechanisms touch; `v` [mV], `bath`: where the gates are at rest.

    **Raises:** `InputError` where the segment is not such a membrane.
    """
    mechanisms = mechanisms if isinstance(mechanisms, tuple) else (mechanisms,)
    if not 0 < segment < len(mesh.cells) - 1:
        raise InputError(f"A membrane must lie between two segments, but `segment` is {segment} of {len(mesh.cells)}.")
    if mesh.cells[segment] != 1:
        raise InputError(
            f"A membrane must be one edge of the mesh wide, but has {mesh.cells[segment]}; give `cells` per segment."
        )
    if not isinstance(pore.partition, Tracer) and np.any(np.asarray(pore.partition)[:, segment]):
        raise InputError("No ion may enter a membrane by itself: give every species the partition 0 in its segment.")
    inner, outer = (Solution({s: bath[s][side] for s in pore.species}) for side in (0, 1))
    known = Bath(inner, outer, bath.temperature)
    states = tuple(m.init(jnp.asarray(v, pore.length.dtype), known) for m in mechanisms)
    left = sum(mesh.cells[:segment])
    return Across(mechanisms, states, known.temperature, species=pore.species, left=left)
