"""Cells made of compartments and membranes: the books of amounts, volume and charge."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, K, Solution, Species, as_bath
from ..params import as_array, param, positive
from ..results import InputError
from ..units import F
from .abstract import AbstractCell
from .compartment import Compartment
from .links import AbstractLink, Amounts
from .membrane import Membrane, named, without_ion
from .tree import enclosed, two_sides


class CellState(NamedTuple):
    """What evolves in a cell.

    `v` [mV]: one potential per membrane; `mechanisms`: the states of the
    mechanisms of each membrane; `amounts` [fmol] (species,) and `volumes` [pL]: by the name of the compartment, without
    baths, and without the volumes that no water changes; `links`: the states of the links.
    """

    v: tuple[Float[Array, ""], ...]
    mechanisms: tuple[tuple[Any, ...], ...]
    amounts: dict[str, Float[Array, " species"]]
    volumes: dict[str, Float[Array, ""]]
    links: tuple[Any, ...]


class Flows(NamedTuple):
    """What flows in a cell: `dv` [mV/ms] of each membrane; `amounts` released to each compartment [fmol/ms]; `water`
    [pL/ms]; `links`: the rates of what links keep."""

    dv: tuple[Float[Array, ""], ...]
    amounts: dict[str, Float[Array, " species"]]
    water: dict[str, Float[Array, ""]]
    links: tuple[Any, ...]


class Cell(AbstractCell):
    """Compartments, the membranes between them, and what else moves particles.

    Mass and charge are what the mechanisms' `exchange` says, and nothing else: a channel's current changes the
    concentrations of the ions that it carries, and the potential. There are two ways to the potential. By default each
    membrane is a capacitor that starts at `start`, C dV/dt = -I. With `from_charge` the compartments' charge sets it,
    C V = Q, at the start and ever after: what the charge is must then be right to a millionth, and charge that moves
    beside membranes (diffusion between compartments) counts.

    **Arguments:** `membranes`: the first is the cell's own, whose potential is recorded and where current is injected;
    `compartments`: by name; `links`: diffusion, buffers, uptake; `temperature` [K]; `start` [mV]: potential(s) at which
    a run starts; `electrode`: the ion that injected current carries into the cell (and out of a closed surrounding), K
    by default where both hold it.
    **Raises:** `InputError` for names that do not fit, membranes in a loop, compartments that are not electroneutral,
    ions that a mechanism carries and a compartment does not hold, and conductances whose current carries no ion.
    """

    membranes: tuple[Membrane, ...]
    compartments: dict[str, Compartment]
    links: tuple[AbstractLink, ...]
    temperature: Float[Array, ""] = param("K", positive)
    start: tuple[Float[Array, ""], ...]
    from_charge: bool = eqx.field(static=True)
    electrode: Species | None = eqx.field(static=True)

    def __init__(
        self,
        membranes: Membrane | Sequence[Membrane],
        compartments: Mapping[str, Compartment],
        *,
        links: Sequence[AbstractLink] = (),
        temperature: Any,
        start: Any = -65.0,
        from_charge: bool = False,
        electrode: Species | None = None,
    ):
        self.membranes = (membranes,) if isinstance(membranes, Membrane) else tuple(membranes)
        self.compartments, self.links = dict(compartments), tuple(links)
        self.temperature, self.from_charge = as_array(temperature), from_charge
        self.electrode = electrode or self._carrier()
        starts = start if isinstance(start, tuple | list) else (start,) * len(self.membranes)
        self.start = tuple(as_array(v) for v in starts)
        self._check()

    def _carrier(self) -> Species | None:
        """What injected current carries if nobody says: K, or else an ion that both sides hold."""
        ends = [
            self.compartments[n] for m in self.membranes[:1] for n in (m.inside, m.outside) if n in self.compartments
        ]
        closed = [c.solution.species for c in ends if c.volume is not None]
        held = [s for s in (K, *(closed[0] if closed else ())) if s.z and all(s in species for species in closed)]
        return held[0] if held else None

    def _check(self) -> None:
        if not self.membranes:
            raise InputError("A cell must have at least one membrane.")
        for m in self.membranes:
            for name in (m.inside, m.outside):
                if name not in self.compartments:
                    known = ", ".join(self.compartments)
                    raise InputError(
                        f"A membrane must join compartments of the cell ({known}), but one names '{name}'."
                    )
        sides = self._sides()
        if self.from_charge and not all(sides):
            raise InputError("A potential can follow from the charge only where one side of its membrane is closed.")
        for name in self.finite:
            self.compartments[name].check(name)
        for m in self.membranes:
            solutions = [self.compartments[name].solution for name in (m.inside, m.outside)]
            closed = [name for name in (m.inside, m.outside) if name in self.finite]
            for mechanism in m.mechanisms:
                current_only = without_ion(mechanism) if closed else None
                if current_only is not None:
                    raise InputError(
                        f"In a cell with moving concentrations every current must carry an ion, but a "
                        f"{type(mechanism).__name__} between '{m.inside}' and '{m.outside}' "
                        "has Ohmic(g, reversal=E); give it the species: Ohmic(g, species=K)."
                    )
                for species in named(mechanism) if closed else ():
                    if all(species not in s for s in solutions):
                        raise InputError(
                            f"A compartment must hold {species.name}, which a mechanism of the membrane between "
                            f"'{m.inside}' and '{m.outside}' carries; add it to both solutions."
                        )

    def _sides(self) -> tuple[tuple[tuple[str, float], ...], ...]:
        joined = tuple((m.inside, m.outside) for m in self.membranes)
        return two_sides(joined, self.finite)

    @property
    def finite(self) -> tuple[str, ...]:
        """The names of the compartments whose contents change."""
        return tuple(name for name, c in self.compartments.items() if c.volume is not None)

    @property
    def swelling(self) -> tuple[str, ...]:
        """The names of the compartments whose volumes change."""
        wet = {name for m in self.membranes if m.water is not None for name in (m.inside, m.outside)}
        return tuple(name for name in self.finite if name in wet)

    def volume(self, state: CellState, name: str) -> Float[Array, ""]:
        """The volume of a compartment that is no bath [pL]."""
        volume = state.volumes[name] if name in state.volumes else self.compartments[name].volume
        assert volume is not None, f"{name} is a bath"
        return volume

    def at(self, bath: Bath | float) -> "Cell":
        """The same cell with other solutions on both sides of its first membrane, at their temperature."""
        bath = as_bath(bath)
        compartments = dict(self.compartments)
        for name, solution in (
            (self.membranes[0].inside, bath.inside),
            (self.membranes[0].outside, bath.outside),
        ):
            if solution.species:
                compartments[name] = eqx.tree_at(lambda c: c.solution, compartments[name], solution)
        whole = eqx.tree_at(lambda c: (c.compartments, c.temperature), self, (compartments, bath.temperature))
        whole._check()
        return whole

    def init(self) -> CellState:
        """Mechanisms and links in their steady states at the starting potentials and concentrations."""
        volumes = {name: self.compartments[name].volume for name in self.swelling}
        amounts = {name: self.compartments[name].volume * self.compartments[name].solution.c for name in self.finite}
        links = tuple(link.init({name: c.solution for name, c in self.compartments.items()}) for link in self.links)
        state = CellState(self.start, (), amounts, volumes, links)
        if self.from_charge:
            charges = [sum(sign * self.charge(state, name) for name, sign in side) for side in self._sides()]
            v = tuple(F * q / m.capacitance for q, m in zip(charges, self.membranes, strict=True))
            state = state._replace(v=v)
        mechanisms = tuple(m.init(v, self.bath(state, m)) for m, v in zip(self.membranes, state.v, strict=True))
        return state._replace(mechanisms=mechanisms)

    def solutions(self, state: CellState) -> dict[str, Solution]:
        """The solutions of all compartments [mM]."""
        return {
            name: eqx.tree_at(lambda s: s.c, c.solution, state.amounts[name] / self.volume(state, name))
            if name in state.amounts
            else c.solution
            for name, c in self.compartments.items()
        }

    def bath(self, state: CellState, membrane: Membrane | None = None) -> Bath:
        """The bath of a membrane (the first by default): the solutions on its two sides."""
        membrane = membrane or self.membranes[0]
        solutions = self.solutions(state)
        return Bath(solutions[membrane.inside], solutions[membrane.outside], self.temperature)

    def charge(self, state: CellState, name: str) -> Float[Array, ""]:
        """Net charge of a compartment [fmol of e0], with what its links keep."""
        books = [link.kept(y) for link, y in zip(self.links, state.links, strict=True)]
        compartment = self.compartments[name]
        return self._net(name, state.amounts[name], books) + compartment.valence * compartment.impermeant

    def _net(self, name: str, amounts: Float[Array, " species"], books: Sequence[Amounts]) -> Float[Array, ""]:
        """The charge of some amounts [fmol] in a compartment, and of what links keep for it."""
        species = self.compartments[name].solution.species
        kept = [s.z * x for book in books for (where, s), x in book.items() if where == name]
        return sum(kept, jnp.sum(jnp.asarray([s.z for s in species], amounts.dtype) * amounts))

    def voltage(self, state: CellState) -> Float[Array, ""]:
        """The potential of the first membrane [mV]."""
        return state.v[0]

    def flows(
        self,
        state: CellState,
        v: Sequence[Float[Array, ""]],
        inject: Callable[[Float[Array, ""]], Float[Array, ""]],
        supply: Amounts,
    ) -> Flows:
        """What flows at potentials v.

        **Arguments:** `inject`: injected current [pA] by the potential; `supply`: amounts put in from elsewhere
        [fmol/ms].
        """
        solutions = self.solutions(state)
        amounts = {name: jnp.zeros_like(x) for name, x in state.amounts.items()}
        water = {name: jnp.zeros_like(x) for name, x in state.volumes.items()}
        currents = []

        def put(name: str, species: Species, amount: Float[Array, ""]) -> None:
            if name in amounts:
                k = self.compartments[name].solution.index(species)
                amounts[name] = amounts[name].at[k].add(amount)

        for m, states, volt in zip(self.membranes, state.mechanisms, v, strict=True):
            bath = Bath(solutions[m.inside], solutions[m.outside], self.temperature)
            exchange = m.exchange(states, volt, bath)
            current = exchange.current
            if not currents:
                injected = inject(volt)
                current = current - injected
                for name, sign in ((m.inside, 1.0), (m.outside, -1.0)):
                    if name in amounts and self.electrode is not None:
                        put(name, self.electrode, sign * injected / (F * self.electrode.z))
            currents.append(current)
            for name, released in ((m.inside, exchange.inside), (m.outside, exchange.outside)):
                if name in amounts:
                    here = self.compartments[name].solution.species
                    amounts[name] = amounts[name] + jnp.stack([released[bath.index(s)] for s in here])
            if m.water is not None:
                push = self._osmolarity(state, solutions, m.inside) - self._osmolarity(state, solutions, m.outside)
                for name, sign in ((m.inside, 1.0), (m.outside, -1.0)):
                    if name in water:
                        water[name] = water[name] + sign * m.water * push
        rates = []
        for link, kept in zip(self.links, state.links, strict=True):
            rate, released = link.rates(kept, solutions)
            rates.append(rate)
            for (name, species), amount in released.items():
                put(name, species, amount)
        for (name, species), amount in supply.items():
            put(name, species, amount)
        if self.from_charge:
            books = [link.kept(rate) for link, rate in zip(self.links, rates, strict=True)]
            gain = {name: self._net(name, amounts[name], books) for name in amounts}
            dq = [F * sum(sign * gain[name] for name, sign in side) for side in self._sides()]
        else:
            dq = [-i for i in currents]
        dv = tuple(q / m.capacitance for q, m in zip(dq, self.membranes, strict=True))
        return Flows(dv, amounts, water, tuple(rates))

    def _osmolarity(self, state: CellState, solutions: Mapping[str, Solution], name: str) -> Float[Array, ""]:
        compartment, total = self.compartments[name], jnp.sum(solutions[name].c)
        # A bath has no volume to dilute its impermeants in: there they are a concentration [mM].
        return total + (
            compartment.impermeant / self.volume(state, name) if name in self.finite else compartment.impermeant
        )

    def derivative(self, state: CellState, current: Float[Array, ""], supply: Amounts | None = None) -> CellState:
        """Rate of change of the state [1/ms].

        **Arguments:** `current` [pA]: injected into the first membrane's inside; `supply` [fmol/ms]: amounts put into
        compartments from elsewhere, by (compartment, species).
        """
        flow = self.flows(state, state.v, lambda _: jnp.asarray(current), supply or {})
        mechanisms = tuple(
            m.derivative(s, v, self.bath(state, m))
            for m, s, v in zip(self.membranes, state.mechanisms, state.v, strict=True)
        )
        return CellState(flow.dv, mechanisms, flow.amounts, flow.water, flow.links)

    def observe(self, state: CellState) -> dict[str, Float[Array, ""]]:
        """`V` [mV] and the other potentials `V_er`, ... by the inside; concentrations `Na_cell` [mM] and volumes
        `volume_cell` [pL] of all compartments that change."""
        seen = {}
        for k, (m, v) in enumerate(zip(self.membranes, state.v, strict=True)):
            seen["V" if k == 0 else f"V_{m.inside}"] = v
        solutions = self.solutions(state)
        for name in self.finite:
            seen |= {f"{s.name}_{name}": solutions[name][s] for s in solutions[name].species}
            seen[f"volume_{name}"] = self.volume(state, name)
        return seen

    def totals(self, state: CellState) -> Float[Array, " totals"]:
        """What no run changes: the amount of every species in every set of compartments that it cannot leave, and the
        charge on either side of a membrane that does not lie on it [fmol]; the volume of every set of compartments that
        water cannot leave [pL]."""
        kept: list[Amounts] = [link.kept(y) for link, y in zip(self.links, state.links, strict=True)]
        found = []
        for species, names in self._enclosed():
            held = [state.amounts[n][self.compartments[n].solution.index(species)] for n in names]
            held += [x for books in kept for (n, s), x in books.items() if s == species and n in names]
            found.append(sum(held[1:], held[0]))
        for m, v, side in zip(self.membranes, state.v, self._sides(), strict=True):
            if side:
                charge = [sign * self.charge(state, name) for name, sign in side]
                found.append(sum(charge[1:], charge[0]) - m.capacitance * v / F)
        for names in enclosed([(m.inside, m.outside) for m in self.membranes if m.water is not None], self.swelling):
            volumes = [state.volumes[name] for name in names]
            found.append(sum(volumes[1:], volumes[0]))
        return jnp.stack(found) if found else jnp.zeros((0,), self.temperature.dtype)

    def _enclosed(self) -> list[tuple[Species, tuple[str, ...]]]:
        """Each species with the sets of compartments that it moves between and cannot leave."""
        species = dict.fromkeys(s for name in self.finite for s in self.compartments[name].solution.species)
        carried = [(m.inside, m.outside, named(m.mechanisms)) for m in self.membranes]
        carried += [(a, b, frozenset((s,))) for link in self.links for s, a, b in link.joins]
        return [
            (s, tuple(name for name in group if s in self.compartments[name].solution))
            for s in species
            for group in enclosed([(a, b) for a, b, moving in carried if s in moving], self.finite)
            if any(s in self.compartments[name].solution for name in group)
        ]


def point(
    mechanisms: Any,
    capacitance: Any,
    bath: Bath | float,
    *,
    start: Any = -65.0,
) -> Cell:
    """The cell of one membrane whose solutions do not change: an excitable patch.

    **Arguments:** `mechanisms`: one or a tuple; `capacitance` [pF], or [uF/cm2] where conductances are densities
    [mS/cm2] and currents then are, too [uA/cm2]; `bath`: a `Bath`, or a temperature [K] where no mechanism needs
    concentrations; `start` [mV].
    """
    bath = as_bath(bath)
    compartments = {"cell": Compartment(bath.inside), "bath": Compartment(bath.outside)}
    membrane = Membrane("cell", "bath", capacitance, mechanisms)
    return Cell(membrane, compartments, temperature=bath.temperature, start=start)
