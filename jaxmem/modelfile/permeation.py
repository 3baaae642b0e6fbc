"""What an open channel of a model file lets through: its [permeation]."""

from collections.abc import Callable

from ..library.hodgkin_huxley_1952 import Conductance
from ..permeation import GHK, Blocked, Ohmic, PermeabilityRatios
from .laws import read_several, read_species, species_of
from .parameters import Build, Parameters, stacked
from .part import Part, with_conductance
from .pores import barrier, graph, polynomial
from .schemes import read_conducting, read_graph
from .table import CONDUCTANCES, Table


def read_permeation(table: Table, parameters: Parameters) -> Part:
    """The permeation of a table, of the `kind` that it names.

    **Raises:** `InputError`.
    """
    return _KINDS[table.choice("kind", tuple(_KINDS), "ohmic")](table, parameters)


def read_leak(table: Table, parameters: Parameters) -> Part:
    """The ohmic permeation of a [leak]."""
    return _reversing(table.only("g", "reversal"), parameters)


def _ohmic(table: Table, parameters: Parameters) -> Part:
    table.only("kind", "g", "reversal", "species")
    if ("reversal" in table) == ("species" in table):
        table.fail("must have either a 'reversal' potential or a 'species' that sets it, not both")
    if "reversal" in table:
        return _reversing(table, parameters)
    if isinstance(table["species"], list):
        several = read_several(table, "species")
        each = parameters.arguments(table, "g", *CONDUCTANCES, positive=True)
        if len(each) != len(several):
            table.fail(f"must be a list of {len(several)}, one for each ion, but has {len(each)}", "g")
        row = stacked(each)
        return with_conductance(table, parameters, lambda values: Ohmic(row(values), species=several))
    one = read_species(table, "species")
    g = parameters.argument(table, "g", *CONDUCTANCES, positive=True)
    return with_conductance(table, parameters, lambda values: Ohmic(g(values), species=one))


def _reversing(table: Table, parameters: Parameters) -> Part:
    g = parameters.argument(table, "g", *CONDUCTANCES, positive=True)
    reversal = parameters.argument(table, "reversal", "potential")
    return with_conductance(table, parameters, lambda values: Ohmic(g(values), reversal=reversal(values)))


def _conductance(table: Table, parameters: Parameters) -> Part:
    g = parameters.argument(table.only("kind", "g"), "g", *CONDUCTANCES, positive=True)
    return with_conductance(table, parameters, lambda values: Conductance(g(values)), itself=True)


def _ghk(table: Table, parameters: Parameters) -> Part:
    entries = table.only("kind", "permeability").table("permeability")
    species, each = _by_species(entries, parameters, "permeability times area")
    return Part(table, lambda values: GHK(each(values), species))


def _ratios(table: Table, parameters: Parameters) -> Part:
    entries = table.only("kind", "permeability", "ratio").table("ratio")
    species, each = _by_species(entries, parameters, "number")
    p = parameters.argument(table, "permeability", "permeability times area", positive=True)
    return Part(table, lambda values: PermeabilityRatios(p(values), each(values), species))


def _by_species(entries: Table, parameters: Parameters, dimension: str) -> tuple[tuple, Build]:
    """Ions with one positive quantity each."""
    species = species_of(entries)
    return species, stacked([parameters.argument(entries, s.name, dimension, positive=True) for s in species])


def _blocked(table: Table, parameters: Parameters) -> Part:
    table.only("kind", "open", "edges", "states", "conducting")
    inner = table.table("open")
    if inner.data.get("kind") == "blocked":
        inner.fail("must not be blocked itself; put both blocks into one graph", "kind")
    opened, block = read_permeation(inner, parameters), read_graph(table, parameters)
    table.names("conducting")  # a block has no weights
    conducting = tuple(read_conducting(table, block.states))
    build = lambda values: Blocked(opened.build(values), block.build(values), conducting)
    return Part(table, build, opened.signal, opened.unit)


_KINDS: dict[str, Callable[[Table, Parameters], Part]] = {
    "ohmic": _ohmic,
    "ghk": _ghk,
    "ratios": _ratios,
    "conductance": _conductance,
    "barrier": barrier,
    "graph": graph,
    "polynomial": polynomial,
    "blocked": _blocked,
}
