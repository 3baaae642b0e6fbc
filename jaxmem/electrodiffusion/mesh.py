"""Where the nodes are: meshes that resolve the layers at the ends of segments."""

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from ..electrochemistry import Bath
from ..results import InputError
from ..units import EPSILON0, N_A, F, R
from .pore import Pore

PER_NM3 = 1e24 * 1e3 / N_A  # mM of one particle in a nm3
_FINEST = 0.1  # spacing at the ends of segments over the Debye length there, if there are nodes enough


class Mesh(eqx.Module):
    """The edges between nodes, as parts of the segments of a pore.

    Nodes follow the segments, whose lengths may change, and be differentiated by, while the mesh stays.

    **Arguments:** `left`, `right` (edges,): where an edge begins and ends, as fractions of its segment; `cells`: how
    many edges each segment has, static.
    """

    left: Float[Array, " edges"]
    right: Float[Array, " edges"]
    cells: tuple[int, ...] = eqx.field(static=True)

    @property
    def nodes(self) -> int:
        """The number of nodes."""
        return sum(self.cells) + 1

    @property
    def segment(self) -> Int[np.ndarray, " edges"]:
        """The segment of each edge."""
        return np.repeat(np.arange(len(self.cells)), self.cells)

    def positions(self, pore: Pore) -> Float[Array, " nodes"]:
        """The coordinate of every node [nm]."""
        start, length = pore.ends[:-1][self.segment], pore.length[self.segment]
        return jnp.concatenate([start[:1] + self.left[:1] * length[:1], start + self.right * length])

    def every(self, stride: int) -> tuple["Mesh", Int[np.ndarray, " nodes"]]:
        """A coarser mesh of about every `stride`-th node, and which nodes these are; ends of segments stay."""
        first = np.concatenate([[0], np.cumsum(self.cells)])
        within = [np.linspace(0, n, -(-n // stride) + 1).round().astype(int) for n in self.cells]
        edges = [at + first[s] for s, at in enumerate(within)]
        kept = np.concatenate([edges[0][:1], *(nodes[1:] for nodes in edges)])
        begins = np.concatenate([nodes[:-1] for nodes in edges])
        ends = np.concatenate([nodes[1:] for nodes in edges])
        return Mesh(self.left[begins], self.right[ends - 1], tuple(len(at) - 1 for at in within)), kept


def at(x: Float[Array, " nodes"], pore: Pore) -> Mesh:
    """The mesh with nodes at given places.

    **Arguments:** `x` (nodes,) [nm]: increasing from end to end of the pore, with a node at each end of a segment.
    **Raises:** `InputError`.
    """
    places, ends = np.asarray(x, float), np.asarray(pore.ends)
    rounding = 1e-9 * (ends[-1] - ends[0])
    if places.ndim != 1 or places.size < 3 or not np.all(np.diff(places) > 0):
        raise InputError("The nodes of a mesh must be at least three, and increase.")
    nearest = np.abs(places[:, None] - ends).min(0)
    if np.any(nearest > rounding) or abs(places[0] - ends[0]) > rounding or abs(places[-1] - ends[-1]) > rounding:
        raise InputError(
            f"A mesh must go from {ends[0]:g} to {ends[-1]:g} nm with a node at each end of a segment; "
            f"that at {ends[int(np.argmax(nearest))]:g} nm is missing, or nodes lie outside."
        )
    middle = 0.5 * (places[1:] + places[:-1])
    segment = np.clip(np.searchsorted(ends, middle, side="right") - 1, 0, len(ends) - 2)
    start, length = ends[segment], np.diff(ends)[segment]
    fraction = lambda at: jnp.asarray(np.clip((at - start) / length, 0.0, 1.0), pore.length.dtype)
    cells = tuple(int(n) for n in np.bincount(segment, minlength=len(ends) - 1))
    return Mesh(fraction(places[:-1]), fraction(places[1:]), cells)


def uniform(pore: Pore, cells: int) -> Mesh:
    """The mesh of equal edges within each segment, `cells` in all, shared out by length.

    **Raises:** `InputError` where there are fewer cells than segments.
    """
    lengths = np.asarray(pore.length)
    if cells < len(lengths):
        raise InputError(f"A mesh must have an edge for each of {len(lengths)} segments, but `cells` is {cells}.")
    share = np.maximum(1, np.round(cells * lengths / lengths.sum()).astype(int))
    return at(np.concatenate([np.asarray(pore.ends[:1]), *_between(pore, share)]), pore)


def _between(pore, share):
    ends = np.asarray(pore.ends)
    for first, last, cells in zip(ends[:-1], ends[1:], share, strict=True):
        yield np.linspace(first, last, cells + 1)[1:]


def debye_lengths(pore: Pore, bath: Bath) -> Float[Array, " segments"]:
    """The shortest Debye length that is to be expected in each segment [nm], sqrt(eps0 eps R T / (F^2 sum z^2 c)).

    Of the bath with the larger ionic strength, or of the ions that neutralize the charge of the segment.
    """
    z2 = jnp.asarray([float(s.z) ** 2 for s in bath.species], bath.temperature.dtype)
    inside, outside = (jnp.stack([bath[s][side] for s in bath.species], -1) for side in (0, 1))
    strength = jnp.maximum((z2 * inside).sum(-1), (z2 * outside).sum(-1))
    fixed = jnp.abs(pore.fixed_charge) + 2.0 * jnp.abs(wall_concentration(pore))
    kappa = F * F * 1e-18 / (EPSILON0 * R) / bath.temperature
    return jnp.sqrt(pore.permittivity / (kappa * (strength + fixed)))


def wall_concentration(pore: Pore) -> Float[Array, " segments"]:
    """The charge of the wall of each segment, spread over its volume [mM]."""
    ends = pore.ends
    numbers = (ends[:-1], ends[1:], pore.radius[:, 0], pore.radius[:, 1])
    per_volume = pore.shape.wall(*numbers) / pore.shape.volume(*numbers)
    return pore.wall_charge * per_volume * PER_NM3


def graded(pore: Pore, bath: Bath, nodes: int = 257, cells: int | Sequence[int] | None = None) -> Mesh:
    """A mesh from the physics: fine, by the Debye length, at the ends of segments and coarse in between.

    **Arguments:** `nodes`: about how many in all; `cells`: edges of every segment, or of each, in place of that.

    Within a segment the distance from its ends grows geometrically. Works on traced pores, too, because the number of
    nodes depends on the number of segments alone.

    **Raises:** `InputError` where `cells` are not one number for each segment.
    """
    segments = pore.length.shape[-1]
    if cells is None:
        cells = max(4, 2 * round((nodes - 1) / (2 * segments)))
    each = (cells,) * segments if isinstance(cells, int) else tuple(cells)
    if len(each) != segments or min(each) < 1:
        raise InputError(f"`cells` must be a positive number for each of {segments} segments, but is {each}.")
    finest = _FINEST * debye_lengths(pore, bath) / pore.length
    if len(set(each)) == 1:
        fractions = jax.vmap(lambda h: _clustered(h, each[0]))(finest)
        return Mesh(fractions[:, :-1].reshape(-1), fractions[:, 1:].reshape(-1), each)
    parts = [_clustered(finest[i], n) for i, n in enumerate(each)]
    return Mesh(jnp.concatenate([f[:-1] for f in parts]), jnp.concatenate([f[1:] for f in parts]), each)


def _clustered(h: Float[Array, ""], cells: int) -> Float[Array, " cells+1"]:
    """Fractions from 0 to 1 with first and last spacing near h, by a hyperbolic tangent; equal if h is large enough."""
    # The first of n spacings is near (2 b / n) / sinh(2 b): its inverse, by a few substitutions, none if equal will do.
    ratio = jnp.where(h * cells < 1.0, 1.0 / jnp.where(h * cells < 1.0, h * cells, 0.5), 1.0)
    b = jnp.log(2.0 * ratio) + 1.0
    for _ in range(20):  # sinh(u) = ratio u for u = 2 b
        b = jnp.arcsinh(ratio * b)
    b = jax.lax.stop_gradient(0.5 * b)
    i = jnp.linspace(-1.0, 1.0, cells + 1, dtype=h.dtype)
    even = b < 1e-3
    b = jnp.where(even, 1.0, b)
    return 0.5 * (1.0 + jnp.where(even, i, jnp.tanh(b * i) / jnp.tanh(b)))
