"""The books of a tissue: its contents, what flows in it, its fields, and what is observed and kept."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from .._numerics.tree_elimination import solve_tree
from ..cell.membrane import without_ion
from ..electrochemistry import Bath, K, Species
from ..params import as_array, param, positive
from ..results import InputError
from ..units import F, thermal_voltage
from .cable import AbstractAlong, Supply, compartments
from .edges import Edges, Even, edges, mobilities, ratio, scharfetter_gummel, spreads, total
from .phase import Cells, Opening, Phase
from .placed import Placed
from .tree import Tree

_PF_PER_UM2 = 0.01  # of 1 uF/cm2
_ROUNDS = 8  # of the fixed point that sets the field of an exact rate of change; each gains one to two digits


class TissueState(NamedTuple):
    """`v` [mV] (cells, n); `mechanisms`, those of all cells in a row; `amounts` [fmol] (species, n) and `volumes` [pL]
    (n,): of the outside, then of the inside of each cell."""

    v: Float[Array, "cells n"]
    mechanisms: tuple[Any, ...]
    amounts: tuple[Float[Array, "species n"], ...]
    volumes: tuple[Float[Array, " n"], ...]


class AbstractTissue(AbstractAlong):
    """Cells and the space between them along a tree, without the steps of a run: see `Tissue`."""

    tree: Tree
    outside: Phase
    cells: dict[str, Cells]
    openings: tuple[Opening, ...]
    temperature: Float[Array, ""] = param("K", positive)
    faraday: Float[Array, ""] = param("C/mol", positive)
    electrode: Int[Array, ""]
    record: Int[Array, "*places"]
    names: tuple[str, ...] = eqx.field(static=True)
    carrier: Species = eqx.field(static=True)
    law: Even = eqx.field(static=True)

    def __init__(
        self,
        tree: Tree,
        outside: Phase,
        cells: Mapping[str, Cells] | None = None,
        *,
        temperature: Any,
        openings: Sequence[Opening] = (),
        electrode: int = 0,
        record: Any = None,
        carrier: Species = K,
        law: Even = scharfetter_gummel,
        faraday: Any = F,
    ):
        self.tree, self.outside, self.cells = tree, outside, dict(cells or {})
        self.names = tuple(self.cells)  # the order that was given, which a dict of a pytree forgets
        self.openings, self.temperature, self.faraday = tuple(openings), as_array(temperature), as_array(faraday)
        self.electrode = compartments(electrode, tree)
        self.record = self.electrode if record is None else compartments(record, tree)
        self.carrier, self.law = carrier, law
        self._check()

    def _check(self) -> None:
        for name, phase in self.phases.items():
            if phase.solution.species != self.species:
                raise InputError(
                    f"All spaces must list the same species in the same order, but '{name}' has "
                    f"{_names(phase.solution.species)} and the outside {_names(self.species)}; a species that is not "
                    "there has concentration 0."
                )
            for what, value in (("volume", phase.volume), ("bridge", phase.bridge)):
                if value.shape != (self.tree.size,):
                    raise InputError(
                        f"The {what} of '{name}' must have one value for each of the {self.tree.size} compartments, "
                        f"but has shape {value.shape}."
                    )
        if self.cells and self.carrier not in self.species:
            raise InputError(f"Injected current is carried by {self.carrier.name}, which the solutions must hold.")
        for name, cell in self._cells.items():
            for placed in cell.mechanisms:
                if without_ion(placed.mechanism) is not None:
                    raise InputError(
                        f"In a Tissue every current must carry an ion, but a {type(placed.mechanism).__name__} of "
                        f"'{name}' has Ohmic(g, reversal=E); give it the species: Ohmic(g, species=K)."
                    )
        for opening in self.openings:
            if opening.solution.species != self.species:
                raise InputError(
                    f"The bath of an opening must list the species of the outside, {_names(self.species)}, but has "
                    f"{_names(opening.solution.species)}."
                )

    @property
    def _cells(self) -> dict[str, Cells]:
        return {name: self.cells[name] for name in self.names}

    @property
    def species(self) -> tuple[Species, ...]:
        """The species of every space."""
        return self.outside.solution.species

    @property
    def phases(self) -> dict[str, Phase]:
        """All spaces by name, "outside" first."""
        return {"outside": self.outside, **{name: cell.inside for name, cell in self._cells.items()}}

    @property
    def mechanisms(self) -> tuple[Placed, ...]:
        """Those of all cells in a row."""
        return tuple(m for cell in self._cells.values() for m in cell.mechanisms)

    @property
    def _z(self) -> tuple[int, ...]:
        return tuple(s.z for s in self.species)

    @property
    def _thermal(self) -> Float[Array, ""]:
        return thermal_voltage(self.temperature)

    def longest_step(self) -> float:
        """The time [ms] in which diffusion would empty half a compartment: potentials are set by concentrations that
        are extrapolated into a step, which longer ones may amplify."""
        if any(isinstance(x, Tracer) for x in jax.tree.leaves(self)):
            return math.inf
        fastest = 0.0
        for phase in self.phases.values():
            k = mobilities(phase.effective, phase.bridge)
            out = (k + self.tree.from_children(k)) * phase.free[:, None] / phase.volume[None]
            fastest = max(fastest, float(jnp.max(out)))
        return 2.0 / fastest if fastest else math.inf

    def init(self) -> TissueState:
        """The concentrations and potentials at the start, mechanisms in their steady states.

        The charge that ions leave in a space is that of particles that stay, whatever they are.
        """
        shape = (self.tree.size,)
        rows = [jnp.broadcast_to(cell.start, shape) for cell in self._cells.values()]
        v = jnp.stack(rows) if rows else jnp.zeros((0, *shape), self.temperature.dtype)
        amounts = tuple(phase.amounts() for phase in self.phases.values())
        volumes = tuple(phase.volume for phase in self.phases.values())
        c = self._free(amounts, volumes)
        found = []
        for k, cell in enumerate(self._cells.values()):
            found += [m.init(v[k], self._bath(c, k)) for m in cell.mechanisms]
        return TissueState(v, tuple(found), amounts, volumes)

    def concentrations(self, state: Any) -> tuple[Float[Array, "species n"], ...]:
        """All concentrations [mM], bound shares included, of the outside and of each cell."""
        return tuple(n / w[None] for n, w in zip(state.amounts, state.volumes, strict=True))

    def _of_phases(self, what: Callable[[Phase], Array]) -> Array:
        """Something of every space, with a leading axis of these."""
        return jnp.stack([what(phase) for phase in self.phases.values()])

    def _free(self, amounts: Any, volumes: Any) -> Float[Array, "phases species n"]:
        return _stacked(amounts) / _stacked(volumes)[:, None] * self._of_phases(lambda p: p.free)[..., None]

    def _bath(self, c: Float[Array, "phases species n"], k: int) -> Bath:
        """The bath of the k-th cell's membrane, with a leading axis of compartments."""
        sides = [
            eqx.tree_at(lambda s: s.c, phase.solution, x.T)
            for phase, x in ((list(self.phases.values())[1 + k], c[1 + k]), (self.outside, c[0]))
        ]
        return Bath(sides[0], sides[1], self.temperature)

    def surroundings(self, carry: Any, k: int) -> tuple[Float[Array, " n"], Bath]:  # noqa: D102
        owner = [i for i, cell in enumerate(self._cells.values()) for _ in cell.mechanisms][k]
        return carry.v[owner], self._bath(self._free(carry.amounts, carry.volumes), owner)

    def _membranes(
        self, mechanisms: tuple[Any, ...], v: Float[Array, "cells n"], c: Any
    ) -> tuple[Float[Array, "cells species n"], Float[Array, "cells species n"]]:
        """What the mechanisms of each cell release inside and outside [fmol/ms]."""
        found, first = [], 0
        for k, cell in enumerate(self._cells.values()):
            bath = self._bath(c, k)
            inner = outer = jnp.zeros_like(c[0])
            for placed, state in zip(cell.mechanisms, mechanisms[first:], strict=False):
                exchange = placed.exchange(state, v[k], bath, cell.area)
                inner, outer = inner + exchange.inside.T, outer + exchange.outside.T
            first += len(cell.mechanisms)
            found.append((inner, outer))
        if not found:
            return c[:0], c[:0]
        inner, outer = zip(*found, strict=True)
        return jnp.stack(inner), jnp.stack(outer)

    @property
    def _swells(self) -> bool:
        return any(cell.water is not None for cell in self._cells.values())

    def _water(self, c: Any, volumes: Float[Array, "phases n"]) -> Float[Array, "phases n"]:
        """The flow of water into each space [pL/ms]."""
        if not self._swells:
            return jnp.zeros_like(volumes)
        osmolarity = [
            jnp.sum(x / phase.free[:, None], 0) + phase.impermeant * (phase.volume / w)
            for x, w, phase in zip(c, volumes, self.phases.values(), strict=True)
        ]
        out, inner = jnp.zeros_like(volumes[0]), []
        for k, cell in enumerate(self._cells.values()):
            if cell.water is None:
                inner.append(jnp.zeros_like(volumes[0]))
                continue
            inner.append(cell.water * cell.area * (osmolarity[1 + k] - osmolarity[0]))
            out = out - inner[-1]
        return jnp.stack([out, *inner])

    def _mobilities(self, volumes: Any) -> Float[Array, "phases species n"]:
        """What diffuses per difference of concentration to the parent [pL/ms]; swelling widens the way."""
        bridge = self._of_phases(lambda p: p.bridge)
        if self._swells:
            wide = _stacked(volumes) / self._of_phases(lambda p: p.volume)
            bridge = bridge * (0.5 * (wide + self.tree.of_parent(wide)))
        return mobilities(self._of_phases(lambda p: p.effective), bridge)

    def _capacitances(self) -> Float[Array, "cells n"]:
        rows = [_PF_PER_UM2 * cell.capacitance * cell.area for cell in self._cells.values()]
        return jnp.stack(rows) if rows else jnp.zeros((0, self.tree.size), self.temperature.dtype)

    def _differences(self, v: Float[Array, "cells n"]) -> Float[Array, "cells n"]:
        return (self.tree.of_parent(v) - v) / self._thermal

    def _fields(
        self, found: Edges, w: Float[Array, "cells n"]
    ) -> tuple[Float[Array, "phases n"], Float[Array, "phases n"]]:
        """The differences of potential u to the parent in every space, at which all axial currents sum to zero, and the
        conductances [fmol/ms] there; w: those of the membrane potentials."""
        pushed, pulled = total(found.pushed, self._z), total(found.pulled, self._z)
        u = ratio(jnp.sum(pushed, 0) - jnp.sum(pulled[1:] * w, 0), jnp.sum(pulled, 0))
        return jnp.concatenate([u[None], u[None] + w]), pulled

    def drops(self, state: Any) -> Float[Array, "phases n"]:
        """The differences of potential to the parent, F (phi_parent - phi)/RT, in the outside and in each cell."""
        c = self._free(state.amounts, state.volumes)
        above = self.tree.of_parent(c)
        mobility, w = self._mobilities(state.volumes), self._differences(state.v)
        start = jnp.concatenate([jnp.zeros_like(c[0][:1]), w])
        again = lambda _, u: self._fields(self._edges(c, above, mobility, u), w)[0]
        return lax.fori_loop(0, _ROUNDS, again, start)

    def _edges(self, c: Any, above: Any, mobility: Any, u: Float[Array, "phases n"]) -> Edges:
        return edges(c, above, mobility, spreads(u, self._z, self.law), self._z)

    def potential(self, state: Any) -> Float[Array, " n"]:
        """The potential of the outside [mV] relative to that of the root."""
        u = self.drops(state)[0]
        one = jnp.ones_like(u)
        rise = (-self._thermal * u).at[0].set(0.0)
        return solve_tree(self.tree.parent, one, -one, jnp.zeros_like(u), rise, self.tree.branches)

    def _gained(self, flux: Float[Array, "*axes n"]) -> Float[Array, "*axes n"]:
        """What compartments gain by fluxes to their parents."""
        return self.tree.from_children(flux) - flux

    def _opened(self, opening: Opening, c: Float[Array, "species n"]) -> tuple[Any, Any, Any]:
        """The flux out of an opening without a net current, and the factors [pL/ms] of its two concentrations."""
        here, bath = c[:, opening.at], opening.solution.c
        k = mobilities(self.outside.effective, opening.bridge[None])[:, 0]
        z = jnp.asarray(self._z, k.dtype)

        def again(_, both):
            spread = spreads(both[0][None], self._z, self.law)[:, 0]
            return jnp.sum(z * k * spread * (here - bath)) / jnp.sum(z * z * k * (0.5 * (here + bath))), spread

        u, spread = lax.fori_loop(0, _ROUNDS, again, (jnp.zeros_like(k[0]), jnp.ones_like(k)))
        leaving, entering = k * (spread - 0.5 * z * u), k * (spread + 0.5 * z * u)
        return leaving * here - entering * bath, leaving, entering * bath

    def derivative(self, state: TissueState, current: Float[Array, ""]) -> TissueState:  # noqa: D102
        c = self._free(state.amounts, state.volumes)
        u = self.drops(state)
        flux = self._edges(c, self.tree.of_parent(c), self._mobilities(state.volumes), u).flux(u)
        sources = self._crossing(self._membranes(state.mechanisms, state.v, c), current)
        gained = sources + self._gained(flux)
        v = self.faraday * total(gained[1:], self._z) / self._capacitances()
        for opening in self.openings:
            gained = gained.at[0, :, opening.at].add(-self._opened(opening, c[0])[0])
        moved = []
        for k, (placed, one) in enumerate(zip(self.mechanisms, state.mechanisms, strict=True)):
            moved.append(placed.derivative(one, *self.surroundings(state, k)))
        return TissueState(v, tuple(moved), tuple(gained), tuple(self._water(c, _stacked(state.volumes))))

    def _crossing(self, released: Any, current: Any) -> Float[Array, "phases species n"]:
        """What comes into each space through membranes, and by the current of the electrode [fmol/ms]."""
        inner, outer = released
        found = jnp.concatenate([jnp.sum(outer, 0)[None], inner])
        if not self.cells:
            return found
        moved = current / (self.faraday * self.carrier.z)
        both = jnp.stack([-moved, moved])
        return found.at[jnp.arange(2), self.species.index(self.carrier), self.electrode].add(both)

    def _supplied(self, supply: Supply, like: Float[Array, "phases species n"]) -> Float[Array, "phases species n"]:
        """What is put into each space [fmol/ms]."""
        found, names = jnp.zeros_like(like), list(self.phases)
        for (name, species), amount in supply.items():
            if name not in names or species not in self.species:
                raise InputError(
                    f"Particles must be put into a space of the tissue ({', '.join(names)}) that holds them "
                    f"({_names(self.species)}), but are {species.name} into '{name}'."
                )
            k = names.index(name)
            found = found.at[k, self.species.index(species), self.electrode].add(amount)
        return found

    def voltage(self, state: Any) -> Float[Array, "*places"]:
        """The membrane potential of the first cell at the recorded compartments [mV]; without cells that of the
        outside."""
        return state.v[0, self.record] if self.cells else self.potential(state)[self.record]

    def at_electrode(self, state: Any) -> Float[Array, ""]:  # noqa: D102
        return state.v[0, self.electrode] if self.cells else jnp.zeros_like(self.temperature)

    def observe(self, state: Any) -> dict[str, Float[Array, " n"]]:
        """In every compartment: `V` of the first cell and `V_glia`, ... of the others, `V_outside` from the root [mV];
        `Na_outside`, `K_neuron`, ... [mM]; `volume_neuron`, ... [pL] of cells that swell."""
        seen = {"V" if k == 0 else f"V_{name}": state.v[k] for k, name in enumerate(self.names)}
        seen["V_outside"] = self.potential(state)
        for name, c, volume in zip(self.phases, self.concentrations(state), state.volumes, strict=True):
            seen |= {f"{s.name}_{name}": c[k] for k, s in enumerate(self.species)}
            if name in self.cells and self.cells[name].water is not None:
                seen[f"volume_{name}"] = volume
        return seen

    def totals(self, state: Any) -> Float[Array, " totals"]:
        """What no run changes: the amount of every species [fmol], where no end is open; the charge inside every
        compartment of a cell beside what its membrane holds, and that of all spaces of a compartment [fmol]."""
        found = [] if self.openings else [jnp.sum(jnp.stack(state.amounts), (0, 2))]
        charge = jnp.stack([total(x, self._z) for x in state.amounts])
        held = self._capacitances() * state.v / self.faraday
        found += [(charge[1:] - held).ravel(), jnp.sum(charge, 0)]
        if self._swells:
            found.append(jnp.sum(jnp.stack(state.volumes), 0))
        return jnp.concatenate(found)


def _stacked(x: Any) -> Array:
    """What a state has for each space, with a leading axis of these."""
    return jnp.stack(x) if isinstance(x, tuple) else x


def _names(species: Sequence[Species]) -> str:
    return ", ".join(s.name for s in species) or "none"
