"""Pores of a model file: barriers and sites, state graphs, binding polynomials."""

from ..electrochemistry import Species
from ..permeation import MOST_STATES, BarrierPore, BindingPolynomial, GraphPore
from .laws import species_of
from .parameters import Build, Parameters, stacked
from .part import Part
from .schemes import read_graph
from .table import Table

MOST_SITES = MOST_STATES.bit_length() - 1  # of a pore for one species, which has 2^sites states
MOST_IONS = 4  # at once in an occupancy


def barrier(table: Table, parameters: Parameters) -> Part:
    """Barriers and sites in single file, `kind = "barrier"`."""
    table.only("kind", "sites", "barriers", "distances", "interaction", "transmission", "reference")
    sites, barriers = (_energies(table, key, parameters) for key in ("sites", "barriers"))
    if set(sites) != set(barriers):
        named, given = (", ".join(s.name for s in rows) for rows in (sites, barriers))
        table.fail(f"must have the same ions in 'sites' and 'barriers', but they have {named} and {given}")
    options: dict[str, Build] = {}
    if "distances" in table:
        options["distances"] = parameters.row(table, "distances", "number")
    if "interaction" in table:
        options["interaction"] = parameters.row(table, "interaction", "energy")
    if "transmission" in table:
        options["transmission"] = parameters.argument(table, "transmission", "number", positive=True)
    if "reference" in table:
        options["reference"] = parameters.argument(table, "reference", "temperature", positive=True)

    def build(values):
        energies = ({s: row(values) for s, row in rows.items()} for rows in (sites, barriers))
        return BarrierPore(*energies, **{key: option(values) for key, option in options.items()})

    return Part(table, build)


def _energies(table: Table, key: str, parameters: Parameters) -> dict[Species, Build]:
    """A row of energies for each ion, from outside."""
    inner = table.table(key)
    rows = {s: parameters.arguments(inner, s.name, "energy") for s in species_of(inner)}
    counts = {s.name: len(row) for s, row in rows.items()}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{count} for {name}" for name, count in counts.items())
        table.fail(f"must have as many energies for each ion, but has {listed}", key)
    if max(counts.values()) > MOST_SITES + 1:
        table.fail(f"must be a pore of at most {MOST_SITES} sites, but has {max(counts.values())} {key}", key)
    return {s: stacked(row) for s, row in rows.items()}


def graph(table: Table, parameters: Parameters) -> Part:
    """A state graph that is read for the ions that it exchanges, `kind = "graph"`."""
    found = read_graph(table.only("kind", "states", "edges"), parameters)
    return Part(table, lambda values: GraphPore(found.build(values)))


def polynomial(table: Table, parameters: Parameters) -> Part:
    """Occupancies in equilibrium with one bath, `kind = "polynomial"`."""
    table.only("kind", "side", "occupancies")
    inside = table.choice("side", ("inside", "outside"), "outside") == "inside"
    occupancies, constants, rates = [], [], []
    for entry in table.tables("occupancies"):
        entry.only("ions", "constant", "rate", "note")
        ions = entry.table("ions")
        occupancies.append({s: ions.whole(s.name, 1, MOST_IONS) for s in species_of(ions)})
        total = sum(occupancies[-1].values())
        if total > MOST_IONS:
            entry.fail(f"must hold at most {MOST_IONS} ions, but holds {total}", "ions")
        if occupancies.count(occupancies[-1]) > 1:
            entry.fail("is an occupancy that is already there; add up their constants", "ions")
        dimension = "1/concentration" if total == 1 else f"1/concentration^{total}"
        constants.append(parameters.argument(entry, "constant", dimension, positive=True))
        rates.append(parameters.argument(entry, "rate", "1/time", positive=True))
    weight, rate = stacked(constants), stacked(rates)
    return Part(
        table, lambda values: BindingPolynomial(tuple(occupancies), weight(values), rate(values), inside=inside)
    )
