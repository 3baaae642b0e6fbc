"""The solver of pores for the audit: all voltages of a case at once, programs shared by cases of equal shape."""

import dataclasses
import functools
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np

from .. import electrodiffusion as ed
from ..electrochemistry import Bath, Species
from .points import compiled

BLOCK = 8  # edges of a piece, if the edges of every segment allow it
LANES = 8  # solved at once; what is missing is filled with the last one
NEWTON = ed.Newton(coarse=None)  # which compiles in half of the time
_LOCKS: defaultdict[Any, threading.Lock] = defaultdict(threading.Lock)


@dataclasses.dataclass(frozen=True)
class Problem:
    """A pore between baths, but for the voltage."""

    pore: ed.Pore
    bath: Bath
    mesh: ed.Mesh
    ends: tuple[ed.End, ed.End] = (ed.End(), ed.End())
    filling: Mapping[Species, float] | None = None
    steric: ed.Bikerman | None = None

    @property
    def parts(self) -> Any:
        """What the compiled functions take: segments cut into pieces of equal numbers of edges.

        So the number of segments is no shape: a channel of forty segments shares its program with a slab.
        """
        pore, mesh = self.pore, self.mesh
        edges = BLOCK if all(n % BLOCK == 0 for n in mesh.cells) else 1
        k, left = (np.asarray(x)[::edges] for x in (mesh.segment, mesh.left))
        right = np.asarray(mesh.right)[edges - 1 :: edges]
        of_piece = lambda value: np.asarray(value)[..., k]
        first, last = np.asarray(pore.radius)[k].T
        values = (
            of_piece(pore.length) * (right - left),
            np.stack([first + left * (last - first), first + right * (last - first)], 1),
            *map(of_piece, (pore.diffusion, pore.fixed_charge, pore.wall_charge, pore.permittivity, pore.partition)),
        )
        fields = lambda p: (
            *(p.length, p.radius, p.diffusion, p.fixed_charge, p.wall_charge, p.permittivity, p.partition),
        )
        within = lambda x: (np.asarray(x) - np.repeat(left, edges)) / np.repeat(right - left, edges)
        cut = ed.Mesh(within(mesh.left), within(mesh.right), (edges,) * len(k))
        return eqx.tree_at(fields, pore, values), self.bath, cut, self.ends, self.filling, self.steric


class Batch:
    """All problems of a file: those of one shape are solved together, when the first of them is asked for."""

    def __init__(self):
        """Nothing is asked for yet."""
        self._lanes: defaultdict[Any, list[Any]] = defaultdict(list)
        self._found: dict[Any, Any] = {}
        self._lock = threading.Lock()

    def profiles(
        self, problems: Sequence[Problem], volts: Sequence[float], sensitive: bool = False
    ) -> Callable[[], Any]:
        """What gives the steady states of problems of one shape at their voltages [mV], along a leading axis.

        **Arguments:** `sensitive`: whether to give the derivative of the charge at the ends by the voltage, too.
        """
        return self._later(_capacitance if sensitive else _profile, problems, volts)

    def reversals(self, problems: Sequence[Problem]) -> Callable[[], Any]:
        """What gives the potentials of no current [mV] of problems of one shape."""
        return self._later(_reversal, problems, [0.0] * len(problems))

    def _later(self, function: Callable[..., Any], problems: Sequence[Problem], volts: Sequence[float]) -> Any:
        places = []
        for problem, v in zip(problems, volts, strict=True):
            lane = jax.tree.map(np.asarray, (problem.parts, float(v)))
            key = function, jax.tree.structure(lane), tuple(np.shape(leaf) for leaf in jax.tree.leaves(lane))
            places.append((key, len(self._lanes[key])))
            self._lanes[key].append(lane)

        @functools.cache
        def give():
            if not places:
                return None
            found = self._solved(places[0][0])
            return jax.tree.map(lambda x: x[[k for _, k in places]], found)

        return give

    def _solved(self, key: Any) -> Any:
        with self._lock:
            lock = self._found.setdefault(("lock", key), threading.Lock())
        with lock:
            if key not in self._found:
                # Two threads would compile the same program twice.
                with _LOCKS[key]:
                    self._found[key] = _mapped(key[0], self._lanes[key])
        return self._found[key]


def _mapped(function: Callable[..., Any], lanes: Sequence[Any]) -> Any:
    """What a function gives for lanes of one shape, a fixed number of them at once."""
    found = []
    for first in range(0, len(lanes), LANES):
        some = lanes[first : first + LANES]
        filled = some + [some[-1]] * (LANES - len(some))
        stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *filled)
        got = jax.tree.map(np.asarray, function(*stacked))
        found.append(jax.tree.map(lambda x, some=some: x[: len(some)], got))
    return jax.tree.map(lambda *parts: np.concatenate(parts), *found)


def _solved(parts: Any, v: Any) -> ed.Profile:
    pore, bath, mesh, ends, filling, steric = parts
    return ed.solve(pore, v, bath, mesh=mesh, ends=ends, filling=filling, steric=steric, newton=NEWTON, throw=False)


@compiled
def _profile(parts: Any, v: Any) -> ed.Profile:
    return jax.vmap(_solved)(parts, v)


@compiled
def _capacitance(parts: Any, v: Any) -> tuple[ed.Profile, Any]:
    def one(parts, v):
        profile, moved = jax.jvp(functools.partial(_solved, parts), (v,), (jax.numpy.ones_like(v),))
        return profile, moved.charge

    return jax.vmap(one)(parts, v)


@compiled
def _reversal(parts: Any, _: Any) -> Any:
    def one(parts):
        pore, bath, mesh, ends, filling, steric = parts
        return ed.reversal_potential(pore, bath, mesh=mesh, ends=ends, filling=filling, steric=steric)

    return jax.vmap(one)(parts)


# --- meshes ---


def clustered(pore: ed.Pore, cells: Sequence[int], finest: Sequence[tuple[float | None, float | None]]) -> ed.Mesh:
    """The mesh of given numbers of edges in every segment, of spacings near `finest` [nm] at its two ends.

    Edges grow in proportion to their distance from an end, so that layers of any thickness are resolved alike; without
    a spacing at one end the layer is at the other, and without any the edges are equal.
    """
    ends = np.asarray(pore.ends)
    places = [ends[:1]]
    for k, (n, (first, last)) in enumerate(zip(cells, finest, strict=True)):
        length = ends[k + 1] - ends[k]
        places.append(ends[k] + length * _fractions(n, first, last, length)[1:])
        places[-1][-1] = ends[k + 1]
    return ed.at(np.concatenate(places), pore)


def _fractions(n: int, first: float | None, last: float | None, length: float) -> np.ndarray:
    i = np.linspace(0.0, 1.0, n + 1)
    if first is None and last is None:
        return i
    if first is not None and last is not None:
        # Half of the edges for each end.
        half = _one_sided(np.minimum(2 * i, 1.0), min(first, last) / (length / 2.0), n // 2)
        other = _one_sided(np.minimum(2 * (1.0 - i), 1.0), min(first, last) / (length / 2.0), n // 2)
        return np.where(i <= 0.5, 0.5 * half, 1.0 - 0.5 * other)
    if first is not None:
        return _one_sided(i, first / length, n)
    return 1.0 - _one_sided(1.0 - i, float(last or 0.0) / length, n)


def _one_sided(i: np.ndarray, h: float, n: int) -> np.ndarray:
    """(e^(a i) - 1)/(e^a - 1), whose first of n steps is h; equal steps if those are no longer."""
    if h * n >= 1.0:
        return i
    low, high = 1e-6, 60.0
    for _ in range(80):
        a = 0.5 * (low + high)
        low, high = (a, high) if np.expm1(a / n) / np.expm1(a) > h else (low, a)
    return np.expm1(a * i) / np.expm1(a)


def at_places(x: np.ndarray, values: np.ndarray, places: Sequence[float], slope: bool = False) -> np.ndarray:
    """Values (or slopes) between nodes, from the polynomial through the six nodes that are nearest."""
    found = []
    for place in places:
        first = int(np.clip(np.searchsorted(x, place) - 3, 0, len(x) - 6))
        nodes = x[first : first + 6]
        unit = nodes[-1] - nodes[0]
        powers = ((nodes - place) / unit)[:, None] ** np.arange(6)
        # Row 0 of the inverse weighs values at the place, row 1 slopes.
        weights = np.linalg.inv(powers)[1 if slope else 0] / (unit if slope else 1.0)
        found.append(weights @ values[first : first + 6])
    return np.asarray(found)
