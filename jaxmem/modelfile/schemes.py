"""State graphs of a model file: the edges of a gating scheme, of a pore, of a block."""

from collections.abc import Callable
from dataclasses import dataclass

from ..electrochemistry import Species
from ..kinetics import Balanced, Scheme, scheme
from .laws import read_rate, species_of
from .parameters import Build, Parameters, Values
from .table import Table, shown

Ends = tuple[str, str]
Exchange = dict[tuple[Species, bool], int]  # (species, inside): particles that the forward step releases
MOST = 20  # particles of a kind that one step may exchange


@dataclass(frozen=True)
class Graph:
    """A state graph whose parameters have no values yet.

    **Arguments:** `states`: in their order; `build`: from values to a `Scheme`.
    """

    states: tuple[str, ...]
    build: Callable[[Values], Scheme]


def read_graph(table: Table, parameters: Parameters) -> Graph:
    """The graph of the `edges` of a table, with `states` as their order if it is there.

    **Raises:** `InputError`.
    """
    edges: dict[Ends, tuple[Build, Build]] = {}
    charges: dict[Ends, float] = {}
    exchange: dict[Ends, Exchange] = {}
    balanced: list[Table] = []
    for entry in table.tables("edges"):
        entry.only("between", "forward", "backward", "charge", "exchange", "note")
        ends = _ends(entry)
        taken = _exchange(entry.table("exchange")) if "exchange" in entry else {}
        back = {key: -count for key, count in taken.items()}
        turned = (ends[1], ends[0])
        if ends in edges or (turned in edges and exchange.get(turned, {}) == back):
            turn = "; or turn one of them round, as they exchange different things" if taken else ""
            entry.fail(f"{shown(ends[0])} and {shown(ends[1])} are joined twice; add the rates{turn}", "between")
        forward = read_rate(entry.table("forward"), parameters)
        if isinstance(entry["backward"], str):
            entry.choice("backward", ("balanced",))
            balanced.append(entry)
            edges[ends] = (forward, lambda values: Balanced())
        else:
            edges[ends] = (forward, read_rate(entry.table("backward"), parameters))
        if "charge" in entry:
            charges[ends] = entry.quantity("charge", "charge").value
        if taken:
            exchange[ends] = taken
    if exchange and balanced:
        balanced[0].fail(
            "must be a rate in a graph that exchanges ions, as its cycles are not closed; tie one to the others, as in "
            "tie = { k1 = 1, k2 = -1 }",
            "backward",
        )
    states = _states(table, tuple(dict.fromkeys(state for ends in edges for state in ends)))

    def build(values: Values) -> Scheme:
        laws = {ends: (forward(values), backward(values)) for ends, (forward, backward) in edges.items()}
        return scheme(laws, charge=charges, exchange=exchange, states=states)

    return Graph(states, build)


def _ends(entry: Table) -> Ends:
    pair = entry.names("between")
    if len(pair) != 2 or pair[0] == pair[1]:
        given = f"{len(pair)}" if len(pair) != 2 else f"{shown(pair[0])} twice"
        entry.fail(f"must name two different states, but names {given}", "between")
    return (pair[0], pair[1])


def _exchange(table: Table) -> Exchange:
    """Particles that a forward step releases to a side, negative if it takes them up: `{ outside = { K = -1 } }`."""
    found: Exchange = {}
    for side in table.only("inside", "outside").data:
        ions = table.table(side)
        for species in species_of(ions):
            count = ions.whole(species.name, -MOST, MOST)
            if count == 0:
                ions.fail("must not be zero; leave the ion out", species.name)
            found[species, side == "inside"] = count
    return found


def _states(table: Table, named: tuple[str, ...]) -> tuple[str, ...]:
    states = tuple(table.names("states")) if "states" in table else named
    for key, given, other in (("edges", named, states), ("states", states, named)):
        for state in given:
            if state not in other:
                table.fail(
                    f"state '{shown(state)}' is in '{key}' but not in the other; states are {listed(other)}",
                    key,
                )
    return states


def read_conducting(table: Table, states: tuple[str, ...]) -> dict[str, float]:
    """The states that conduct: a list, or a table with their weights.

    **Raises:** `InputError` for states that the graph does not have, and weights that are not positive.
    """
    if isinstance(table["conducting"], dict):
        entries = table.table("conducting")
        weights = {name: entries.quantity(name, "number").value for name in entries.data}
    else:
        weights = dict.fromkeys(table.names("conducting"), 1.0)
    for name, weight in weights.items():
        if name not in states:
            table.fail(f"'{shown(name)}' is not a state; states are {listed(states)}", "conducting")
        if not weight > 0:
            table.fail(f"the weight of '{shown(name)}' must be positive, but is {weight:g}", "conducting")
    if not weights:
        table.fail(f"must name at least one state; states are {listed(states)}", "conducting")
    return weights


def listed(states: tuple[str, ...]) -> str:
    """States as they are listed in a message."""
    return shown(", ".join(states))
