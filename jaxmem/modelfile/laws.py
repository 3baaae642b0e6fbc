"""Species and rate laws of a model file."""

from collections.abc import Callable

import jax.numpy as jnp

from .. import electrochemistry, rates
from ..electrochemistry import Species
from .parameters import Build, Parameters
from .table import Table

SPECIES: dict[str, Species] = {
    name: value for name, value in vars(electrochemistry).items() if isinstance(value, Species)
}
MODIFIERS = ("factor", "charge", "q10", "reference")


def read_species(table: Table, key: str) -> Species:
    """The species that a key names."""
    return SPECIES[table.choice(key, tuple(SPECIES))]


def read_several(table: Table, key: str) -> tuple[Species, ...]:
    """The species that a list names, each once."""
    found = tuple(read_species(one, place) for one, place in table.elements(key))
    twice = next((s.name for s in found if found.count(s) > 1), None)
    if twice:
        table.fail(f"names {twice} twice; name each ion once", key)
    return found


def species_of(table: Table) -> tuple[Species, ...]:
    """The species that the keys of a table are, at least one."""
    table.only(*SPECIES)
    if not table.data:
        table.fail("must name at least one ion, such as K; add it")
    return tuple(SPECIES[name] for name in table.data)


def read_rate(table: Table, parameters: Parameters) -> Build:
    """The law of one direction: `{ law = "exponential", a = "p1", b = "p2", factor = 4 }`."""
    law = table.choice("law", tuple(_LAWS))
    parameters.laws.append(table)
    build = _LAWS[law](table, parameters)
    for factor in _factors(table, parameters):
        build = _scaled(build, factor)
    if "charge" in table:
        build = _charged(build, parameters.arguments(table, "charge", "charge", "number"))
    if "q10" in table:
        q10 = parameters.argument(table, "q10", "number", positive=True)
        reference = table.quantity("reference", "temperature").value
        inner = build
        build = lambda values: rates.Q10(inner(values), q10(values), reference)
    return build


def _scaled(build: Build, factor: Build) -> Build:
    return lambda values: rates.Scaled(build(values), factor(values))


def _charged(build: Build, charges: list[Build]) -> Build:
    """The law times exp(z FV/RT), z being the sum of the charges."""
    return lambda values: rates.Charged(build(values), sum(z(values) for z in charges))


def _factors(table: Table, parameters: Parameters) -> list[Build]:
    """The factors of a law that are not one, whose product multiplies it."""
    if "factor" not in table:
        return []
    return [
        parameters.argument(one, place, "number", positive=True)
        for one, place in table.elements("factor")
        if one[place] != 1
    ]


def _arguments(table: Table, parameters: Parameters, rate: str, **others: tuple[str, bool]) -> dict[str, Build]:
    """The arguments of a law: a positive rate at `rate`, and others as name=(dimension, must not be zero)."""
    table.only("law", rate, *others, *MODIFIERS)
    found = {rate: parameters.argument(table, rate, "1/time", positive=True)}
    for key, (dimension, nonzero) in others.items():
        found[key] = parameters.argument(table, key, dimension, nonzero=nonzero)
    return found


def _constant(table: Table, parameters: Parameters) -> Build:
    k = _arguments(table, parameters, "k")["k"]
    return lambda values: rates.Constant(k(values))


def _exponential(table: Table, parameters: Parameters) -> Build:
    if "s" not in table:
        a, b = _arguments(table, parameters, "a", b=("1/potential", False)).values()
        return lambda values: rates.Exponential(a(values), b(values))
    if "v0" not in table:
        table = Table(table.file, table.place, {**table.data, "v0": "0 mV"})
    a, v0, s = _arguments(table, parameters, "a", v0=("potential", False), s=("potential", True)).values()

    def build(values):
        slope = s(values)
        return rates.Exponential(a(values) * jnp.exp(-v0(values) / slope), 1.0 / slope)

    return build


def _linoid(table: Table, parameters: Parameters) -> Build:
    a, v0, s = _arguments(table, parameters, "a", v0=("potential", False), s=("potential", True)).values()
    return lambda values: rates.Linoid(a(values), v0(values), s(values))


def _sigmoid(table: Table, parameters: Parameters) -> Build:
    a, v0, s = _arguments(table, parameters, "a", v0=("potential", False), s=("potential", True)).values()
    return lambda values: rates.Sigmoid(a(values), v0(values), s(values))


def _eyring(table: Table, parameters: Parameters) -> Build:
    k0, z = _arguments(table, parameters, "k0", z=("charge", False)).values()
    return lambda values: rates.Eyring(k0(values), z(values))


def _binding(table: Table, parameters: Parameters) -> Build:
    table.only("law", "k", "species", "side", *MODIFIERS)
    k = parameters.argument(table, "k", "1/(concentration time)", positive=True)
    species, inside = read_species(table, "species"), table.choice("side", ("inside", "outside")) == "inside"
    return lambda values: rates.Binding(k(values), species, inside)


_LAWS: dict[str, Callable[[Table, Parameters], Build]] = {
    "constant": _constant,
    "exponential": _exponential,
    "linoid": _linoid,
    "sigmoid": _sigmoid,
    "eyring": _eyring,
    "binding": _binding,
}
