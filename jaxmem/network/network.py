"""Networks: populations of cells, the connections between them, and the space that they share."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..cell import Cell, CellState
from ..params import as_array, param
from ..results import InputError
from .connections import Connections, Line
from .copies import Copies, copies


class NetworkState(NamedTuple):
    """What evolves in a network: the cells' states by population, with a leading axis of cells, and the spikes under
    way on each connection, () before the first run."""

    cells: dict[str, CellState]
    lines: tuple[Line, ...]


class Network(eqx.Module):
    """Populations of cells of one compartment each, or a few, that talk by spikes, and through the space around them.

    A compartment that is `shared` is one space for all cells: every cell holds its part of it, with its own volume, and
    after each step all parts are mixed. What one cell releases all others meet; the diffusion, buffers and uptake of
    each cell act on its part. Amounts are conserved as in a cell.

    **Arguments:** `populations`: by name, `copies` of a cell, or a cell; `connections`; `shared`: names of compartments
    that every cell has; `threshold` [mV]: a cell spikes when its potential rises through it.
    **Raises:** `InputError` for names that do not fit, a part of the state that spikes cannot add to, and shared
    compartments that some cell does not have, or not with the same species.
    """

    populations: dict[str, Copies]
    connections: tuple[Connections, ...]
    shared: tuple[str, ...] = eqx.field(static=True)
    threshold: Float[Array, ""] = param("mV")

    def __init__(
        self,
        populations: Mapping[str, Copies | Cell],
        connections: Sequence[Connections] = (),
        *,
        shared: Sequence[str] = (),
        threshold: Any = -20.0,
    ):
        self.populations = {n: p if isinstance(p, Copies) else copies(p, 1) for n, p in populations.items()}
        self.connections, self.shared = tuple(connections), tuple(shared)
        self.threshold = as_array(threshold)
        for name, population in self.populations.items():
            if not isinstance(population.fixed, Cell):
                raise InputError(
                    f"Population '{name}' must be of cells (cell.Cell), but is of {population.fixed!r:.40}."
                )
        for c in self.connections:
            for name in (c.source, c.target):
                if name not in self.populations:
                    known = ", ".join(self.populations)
                    raise InputError(f"Connections must join populations of the network ({known}), but name '{name}'.")
            c.check(self.populations[c.target].number, self.populations[c.source].number)
            c.check_part(self.populations[c.target].copy(0))
        for name in self.shared:
            self._check_shared(name)

    def _check_shared(self, name: str) -> None:
        held = None
        for population, cells in self.populations.items():
            cell = cells.copy(0)
            if name not in cell.finite:
                raise InputError(
                    f"Every cell must have a compartment '{name}' with a volume to share it, but those of "
                    f"'{population}' do not."
                )
            species = cell.compartments[name].solution.species
            if species != (held := held or species):
                raise InputError(
                    f"All cells must hold the same species in '{name}', in one order, but those of '{population}' do "
                    "not."
                )

    def init(self) -> NetworkState:
        """Every cell as it starts by itself, shared compartments mixed, and no spike under way."""
        return NetworkState(self.mixed({n: p.each(lambda cell: cell.init()) for n, p in self.populations.items()}), ())

    def mixed(self, cells: dict[str, CellState]) -> dict[str, CellState]:
        """The states of all cells once their shared compartments are mixed: amounts in the ratio of volumes."""
        for name in self.shared:
            volume = lambda cell, state, name=name: cell.volume(state, name)
            volumes = {n: p.each(volume, cells[n]) for n, p in self.populations.items()}
            amount = sum(jnp.sum(s.amounts[name], 0) for s in cells.values())
            concentration = jnp.asarray(amount / sum(jnp.sum(v) for v in volumes.values()))
            cells = {
                n: s._replace(amounts=s.amounts | {name: volumes[n][:, None] * concentration[None, :]})
                for n, s in cells.items()
            }
        return cells
