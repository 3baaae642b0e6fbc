"""Channels and pumps in a membrane across a pore: what they carry is the source of electrodiffusion beside it."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Solution, Species
from ..electrodiffusion import Mesh, Pore
from ..permeation import Exchange
from ..results import InputError
from ..units import PORE_CURRENT, F

_PER_FMOL_PER_MS = F / PORE_CURRENT  # mM nm3/ns in 1 fmol/ms
_MS_PER_NS = 1e-6


class Across(eqx.Module):
    """Mechanisms in a membrane that a pore's coordinate crosses, as `source(c, psi, t)` for `electrodiffusion.evolve`.

    Each mechanism sees what is at the two nodes beside the membrane: their concentrations are its bath, the
    difference of their potentials its voltage; and what its `exchange` takes from one side and releases to the other
    appears there. It is the same `exchange` that a clamp and a cell use. Gates do not move within a run: they take
    milliseconds, ions nanoseconds to rearrange. They are held at `states`, and `advance` moves them between runs; or
    they are steady, always at rest at what they see, which is right where potentials change more slowly than gates.

    **Arguments:** `mechanisms`: a tuple, each for all of its molecules in the area of the membrane; `states`: theirs;
    `species`: of the pore, in order; `temperature` [K]; `left`: the node on the inner side; `gates`: "held" or
    "steady"; the last two static.
    """

    mechanisms: tuple
    states: tuple
    temperature: Float[Array, ""]
    species: tuple[Species, ...] = eqx.field(static=True)
    left: int = eqx.field(static=True)
    gates: str = eqx.field(static=True, default="held")

    def bath(self, c: Float[Array, "species nodes"]) -> Bath:
        """What the mechanisms see on both sides."""
        side = lambda node: Solution(dict(zip(self.species, c[:, node], strict=True)))
        return Bath(side(self.left), side(self.left + 1), self.temperature)

    def __call__(
        self, c: Float[Array, "species nodes"], psi: Float[Array, " nodes"], t: Float[Array, ""]
    ) -> Float[Array, "species nodes"]:
        """What appears of each ion at each node [mM nm3/ns]."""
        bath, given = self._exchanges(c, psi)
        nothing = jnp.zeros_like(c)
        inside = jnp.sum(jnp.stack([one.inside for one in given]), 0)
        outside = jnp.sum(jnp.stack([one.outside for one in given]), 0)
        pick = jnp.asarray([bath.species.index(s) for s in self.species])
        nothing = nothing.at[:, self.left].set(_PER_FMOL_PER_MS * inside[pick])
        return nothing.at[:, self.left + 1].set(_PER_FMOL_PER_MS * outside[pick])

    def current(self, c: Float[Array, "species nodes"], psi: Float[Array, " nodes"]) -> Float[Array, ""]:
        """The current through the mechanisms, outward [pA]."""
        _, given = self._exchanges(c, psi)
        return sum((one.current for one in given), start=jnp.zeros_like(self.temperature))

    def advance(
        self, c: Float[Array, "species nodes"], psi: Float[Array, " nodes"], dt: float | Float[Array, ""]
    ) -> "Across":
        """The same with the states that the mechanisms have after dt [ns] at these concentrations and potentials, which
        are of no use where gates are steady.

        So gates move in a run that is made of pieces, half of their step before each piece and half after it:

            source = source.advance(c, psi, 0.5 * dt)
            course = evolve(pore, v, [dt], bath, mesh=mesh, source=source, start=c)
            c, psi = course.concentrations[-1], course.potential[-1]
            source = source.advance(c, psi, 0.5 * dt)
        """
        bath, v = self.bath(c), self._voltage(psi)
        pairs = zip(self.mechanisms, self.states, strict=True)
        moved = tuple(m.advance(state, v, bath, _MS_PER_NS * dt) for m, state in pairs)
        return eqx.tree_at(lambda s: s.states, self, moved)

    def _voltage(self, psi: Float[Array, " nodes"]) -> Float[Array, ""]:
        return psi[self.left] - psi[self.left + 1]

    def _exchanges(self, c: Float[Array, "species nodes"], psi: Float[Array, " nodes"]) -> tuple[Bath, list[Exchange]]:
        bath, v = self.bath(c), self._voltage(psi)
        states = self.states if self.gates == "held" else tuple(m.init(v, bath) for m in self.mechanisms)
        return bath, [m.exchange(state, v, bath) for m, state in zip(self.mechanisms, states, strict=True)]


def across(
    pore: Pore,
    mesh: Mesh,
    mechanisms: tuple | eqx.Module,
    segment: int,
    v: float,
    bath: Bath,
    *,
    gates: str = "held",
) -> Across:
    """Mechanisms in the segment of a pore that is a membrane, with the states that they have at a voltage and bath.

    **Arguments:** `segment`: its index; no ion may enter it (`partition` zero), and `mesh` must have one edge across
    it, between the two nodes that the mechanisms touch; `v` [mV], `bath`: where the gates are at rest at the start;
    `gates`: "held" there, or "steady", at rest at what is beside the membrane at any time.

    **Raises:** `InputError` where the segment is not such a membrane.
    """
    if gates not in ("held", "steady"):
        raise InputError(f"Argument `gates` must be 'held' or 'steady', but is {gates!r}.")
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
    return Across(mechanisms, states, known.temperature, species=pore.species, left=left, gates=gates)
