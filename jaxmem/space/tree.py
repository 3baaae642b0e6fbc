"""The shape of a cable or a tree: sections that are cut into compartments, each with a parent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from ..params import as_array, param, positive
from ..results import InputError
from ..units import UM3


@dataclass(frozen=True)
class Section:
    """An unbranched piece, cylindrical or tapering, cut into equal compartments.

    **Arguments:** `length` [um]; `diameter` [um]: one, or those at the beginning and the end; `compartments`; `parent`:
    the name of the section that it begins at, None for the first one; `at`: where on that section, from 0 to 1.
    """

    length: Any
    diameter: Any
    compartments: int
    parent: str | None = None
    at: float = 1.0


class Tree(eqx.Module):
    """Compartments in an order in which each comes after its parent: their sizes, and what joins them.

    What is known of a cable's shape is here and nowhere else, so other shapes (a measured morphology, compartments of
    given volumes) are made by filling the fields.

    **Arguments:** `parent`: index of each compartment's parent, that of the first not read; `branches`: those whose
    parent is not the one before them (made from `parent`); `area` [um2] of membrane;
    `volume` [pL]; `bridge` [um]: cross-section over distance, 1/(integral of dx / cross-section), from each center to
    that of the parent, zero for the first; `distance` [um]: of the centers from the beginning of the first section;
    `length` [um]; `names`: of sections with the first compartment of each and the one after its last.
    """

    parent: Int[Array, " n"]
    branches: Int[Array, " branches"]
    area: Float[Array, " n"] = param("um2", positive)
    volume: Float[Array, " n"] = param("pL", positive)
    bridge: Float[Array, " n"] = param("um", positive)
    distance: Float[Array, " n"] = param("um", positive)
    length: Float[Array, " n"] = param("um", positive)
    names: tuple[tuple[str, int, int], ...] = eqx.field(static=True)

    def __init__(self, parent, area, volume, bridge, distance, length, names=()):
        parent = np.asarray(parent)
        own = np.arange(parent.size)
        if parent.size == 0 or np.any(parent[1:] >= own[1:]) or np.any(parent[1:] < 0):
            raise InputError(
                "Compartments of a tree must come after their parents, but some do not; number them from the root on."
            )
        self.parent = jnp.asarray(np.concatenate([[0], parent[1:]]), jnp.int32)
        # All others follow their parent, so that neighbors are reached without indices.
        self.branches = jnp.asarray(own[1:][parent[1:] != own[:-1]], jnp.int32)
        self.area, self.volume, self.bridge = as_array(area), as_array(volume), as_array(bridge)
        self.distance, self.length, self.names = as_array(distance), as_array(length), tuple(names)

    @property
    def size(self) -> int:
        """The number of compartments."""
        return self.parent.shape[0]

    def of_parent(self, x: Float[Array, "*axes n"]) -> Float[Array, "*axes n"]:
        """What the parent of each compartment has; the root its own."""
        follows = jnp.concatenate([x[..., :1], x[..., :-1]], -1)
        return follows.at[..., self.branches].set(x[..., self.parent[self.branches]])

    def from_children(self, x: Float[Array, "*axes n"]) -> Float[Array, "*axes n"]:
        """The sum of what the children of each compartment give; that of the root must be zero."""
        follows = x.at[..., self.branches].set(0.0)
        summed = jnp.concatenate([follows[..., 1:], jnp.zeros_like(x[..., :1])], -1)
        return summed.at[..., self.parent[self.branches]].add(x[..., self.branches])

    def within(self, name: str) -> slice:
        """The compartments of a section.

        **Raises:** `InputError` if there is no such section.
        """
        for section, first, last in self.names:
            if section == name:
                return slice(first, last)
        known = ", ".join(section for section, *_ in self.names)
        raise InputError(f"A section must be one of the tree's ({known}), but is '{name}'.")

    def at(self, name: str, where: float = 0.5) -> int:
        """The compartment at a relative place, from 0 to 1, along a section.

        **Raises:** `InputError` if there is no such section, or the place does not lie on it.
        """
        piece = self.within(name)
        return piece.start + _place(where, piece.stop - piece.start, name)


def cylinder(length: Any, diameter: Any, compartments: int) -> Tree:
    """An unbranched cable of one section named "cable".

    **Arguments:** `length` [um]; `diameter` [um], or those at both ends; `compartments`.
    **Raises:** `InputError` for lengths and diameters that are not positive.
    """
    return tree({"cable": Section(length, diameter, compartments)})


def tree(sections: Mapping[str, Section]) -> Tree:
    """The tree of some sections, given by name, parents first.

    A section's first compartment is joined to the compartment of the parent in which it begins: by half of its own
    length, and by the parent's other half where it begins at the parent's end. Cones are exact, the place of a
    branching is so to within half a compartment.

    **Raises:** `InputError` for sections that are not in this order, and for sizes that are not positive.
    """
    starts: dict[str, int] = {}
    rows: list[dict[str, Any]] = []
    count = 0
    for name, section in sections.items():
        rows.append(_cut(name, section))
        row = rows[-1]
        if section.parent is None:
            if starts:
                raise InputError(f"Section '{name}' must have a parent: only the first section of a tree has none.")
            first, begin = 0, as_array(0.0)
            row["bridge"] = jnp.concatenate([jnp.zeros_like(row["length"][:1]), 1.0 / row["resistance"]])
        else:
            if section.parent not in starts:
                raise InputError(
                    f"Section '{name}' must come after its parent '{section.parent}'; known so far: "
                    f"{', '.join(starts) or 'none'}."
                )
            above = rows[list(starts).index(section.parent)]
            place = _place(section.at, above["count"], section.parent)
            first = starts[section.parent] + place
            ends = section.at in (0.0, 1.0)
            half = above["halves"][1 if section.at == 1.0 else 0][place] if ends else 0.0
            step = 0.5 * above["length"][place] if ends else 0.0
            begin = above["distance"][place] + (step if section.at == 1.0 else -step)
            joint = 1.0 / (row["halves"][0][:1] + half)
            row["bridge"] = jnp.concatenate([joint, 1.0 / row["resistance"]])
        row["distance"] = begin + row["along"]
        row["parent"] = np.concatenate([[first], count + np.arange(row["count"] - 1)]).astype(int)
        starts[name] = count
        count += row["count"]
    if not rows:
        raise InputError("A tree must have at least one section.")
    whole = {key: jnp.concatenate([row[key] for row in rows]) for key in _ROWS}
    names = tuple((name, starts[name], starts[name] + row["count"]) for name, row in zip(sections, rows, strict=True))
    return Tree(parent=np.concatenate([row["parent"] for row in rows]), **whole, names=names)


_ROWS = ("area", "volume", "bridge", "distance", "length")


def _cut(name: str, section: Section) -> dict[str, Any]:
    """The compartments of a section: frusta, whose resistance between two radii is l/(pi r1 r2)."""
    n = section.compartments
    if n < 1 or n != int(n):
        raise InputError(f"Section '{name}' must have at least one compartment, but has {n}.")
    ends = section.diameter if isinstance(section.diameter, tuple | list) else (section.diameter,) * 2
    length, d0, d1 = as_array(section.length), *(as_array(d) for d in ends)
    for what, value in (("length", length), ("diameter", d0), ("diameter", d1)):
        if not isinstance(value, Tracer) and not 0.0 < float(value) < np.inf:
            raise InputError(
                f"The {what} of section '{name}' must be a positive number of um, but is {float(value):g}."
            )
    edges = 0.5 * (d0 + (d1 - d0) * jnp.linspace(0.0, 1.0, n + 1, dtype=length.dtype))
    r0, r1, rm = edges[:-1], edges[1:], 0.5 * (edges[:-1] + edges[1:])
    step = length / n
    halves = tuple(0.5 * step / (jnp.pi * r * rm) for r in (r0, r1))
    return {
        "count": n,
        "length": jnp.broadcast_to(step, (n,)),
        "along": step * (jnp.arange(n, dtype=length.dtype) + 0.5),
        "area": jnp.pi * (r0 + r1) * jnp.sqrt(step**2 + (r1 - r0) ** 2),
        "volume": UM3 * jnp.pi * step * (r0**2 + r0 * r1 + r1**2) / 3.0,
        "halves": halves,
        "resistance": halves[1][:-1] + halves[0][1:],
    }


def _place(where: float, count: int, name: str) -> int:
    if not 0.0 <= where <= 1.0:
        raise InputError(f"A place on section '{name}' must lie between 0 and 1, but is {where:g}.")
    return min(int(where * count), count - 1)
