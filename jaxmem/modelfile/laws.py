"""Rate laws, gates and schemes of a model file."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp

from .. import electrochemistry, rates
from ..electrochemistry import Species
from ..gating import AbstractGate, Gate, HodgkinHuxley, Instantaneous, Markov, Relaxation, Sigmoid
from ..kinetics import Balanced, scheme
from .parameters import Build, Parameters
from .table import Table, shown

SPECIES: dict[str, Species] = {
    name: value for name, value in vars(electrochemistry).items() if isinstance(value, Species)
}
MODIFIERS = ("factor", "q10", "reference")


def read_species(table: Table, key: str) -> Species:
    """The species that a key names."""
    return SPECIES[table.choice(key, tuple(SPECIES))]


def read_rate(table: Table, parameters: Parameters) -> Build:
    """The law of one direction: `{ law = "exponential", a = "p1", b = "p2", factor = 4 }`."""
    law = table.choice("law", tuple(_LAWS))
    parameters.laws.append(table)
    build = _LAWS[law](table, parameters)
    for factor in _factors(table, parameters):
        build = _scaled(build, factor)
    if "q10" in table:
        q10 = parameters.argument(table, "q10", "number", positive=True)
        reference = table.quantity("reference", "temperature").value
        inner = build
        build = lambda values: rates.Q10(inner(values), q10(values), reference)
    return build


def _scaled(build: Build, factor: Build) -> Build:
    return lambda values: rates.Scaled(build(values), factor(values))


def _factors(table: Table, parameters: Parameters) -> list[Build]:
    if "factor" not in table:
        return []
    given = table["factor"] if isinstance(table["factor"], list) else [table["factor"]]
    entries = [Table(table.file, table.place, {"factor": x}) for x in given]
    found = [parameters.argument(entry, "factor", "number", positive=True) for entry in entries]
    return [f for f, x in zip(found, given, strict=True) if x != 1]


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


def read_gating(table: Table, parameters: Parameters) -> Build:
    """The [gating] of a channel: gates (the default) or a Markov scheme."""
    kind = table.choice("kind", ("gates", "markov"), "markov" if "edges" in table else "gates")
    return (_markov if kind == "markov" else _gates)(table, parameters)


def _curve(table: Table, parameters: Parameters) -> Build:
    table.only("v_half", "slope")
    v_half = parameters.argument(table, "v_half", "potential")
    slope = parameters.argument(table, "slope", "potential", nonzero=True)
    return lambda values: Sigmoid(v_half(values), slope(values))


def _gate(table: Table, parameters: Parameters) -> tuple[Callable[[Any], AbstractGate], int]:
    power = table.data.get("power", 1)
    if isinstance(power, bool) or not isinstance(power, int) or not 1 <= power <= 20:
        table.fail(f"must be a whole number from 1 to 20, but is {shown(power)}", "power")
    if "steady" in table or "rate" in table:
        table.only("power", "steady", "rate", "note")
        steady, rate = _curve(table.table("steady"), parameters), read_rate(table.table("rate"), parameters)
        return (lambda values: Relaxation(steady(values), rate(values))), power
    table.only("power", "opening", "closing", "steady", "rate", "note")
    opening, closing = (read_rate(table.table(key), parameters) for key in ("opening", "closing"))
    return (lambda values: Gate(opening(values), closing(values))), power


def _gates(table: Table, parameters: Parameters) -> Build:
    table.only("kind", "gates", "rectification")
    built = [_gate(entry, parameters) for _, entry in table.table("gates").items()]
    if not built:
        table.fail("must hold at least one gate; add [gating.gates.m]", "gates")
    gates, powers = zip(*built, strict=True)
    curve = _curve(table.table("rectification"), parameters) if "rectification" in table else None

    def build(values):
        factor = None if curve is None else Instantaneous(curve(values))
        return HodgkinHuxley(tuple(gate(values) for gate in gates), powers, factor)

    return build


def _markov(table: Table, parameters: Parameters) -> Build:
    table.only("kind", "states", "conducting", "edges")
    edges: dict[tuple[str, str], tuple[Build, Build]] = {}
    charges: dict[tuple[str, str], float] = {}
    for entry in table.tables("edges"):
        entry.only("between", "forward", "backward", "charge", "note")
        pair = entry.names("between")
        if len(pair) != 2 or pair[0] == pair[1]:
            given = f"{len(pair)}" if len(pair) != 2 else f"{shown(pair[0])} twice"
            entry.fail(f"must name two different states, but names {given}", "between")
        ends = (pair[0], pair[1])
        if ends in edges or ends[::-1] in edges:
            entry.fail(f"{shown(pair[0])} and {shown(pair[1])} are joined twice; add the rates", "between")
        forward = read_rate(entry.table("forward"), parameters)
        if isinstance(entry["backward"], str):
            entry.choice("backward", ("balanced",))
            edges[ends] = (forward, lambda values: Balanced())
        else:
            edges[ends] = (forward, read_rate(entry.table("backward"), parameters))
        if "charge" in entry:
            charges[ends] = entry.quantity("charge", "charge").value
    named = tuple(dict.fromkeys(state for ends in edges for state in ends))
    states = tuple(table.names("states")) if "states" in table else named
    for key, given in (("edges", named), ("states", states)):
        other = states if key == "edges" else named
        for state in given:
            if state not in other:
                table.fail(
                    f"state '{shown(state)}' is in '{key}' but not in the other; states are {_listed(other)}",
                    key,
                )
    conducting = _conducting(table, states)

    def build(values):
        laws = {ends: (forward(values), backward(values)) for ends, (forward, backward) in edges.items()}
        return Markov(scheme(laws, charge=charges, states=states), conducting)

    return build


def _conducting(table: Table, states: tuple[str, ...]) -> dict[str, float]:
    if isinstance(table["conducting"], dict):
        entries = table.table("conducting")
        weights = {name: entries.quantity(name, "number").value for name in entries.data}
    else:
        weights = dict.fromkeys(table.names("conducting"), 1.0)
    for name, weight in weights.items():
        if name not in states:
            table.fail(f"'{shown(name)}' is not a state; states are {_listed(states)}", "conducting")
        if not weight > 0:
            table.fail(f"the weight of '{shown(name)}' must be positive, but is {weight:g}", "conducting")
    if not weights:
        table.fail(f"must name at least one state; states are {_listed(states)}", "conducting")
    return weights


def _listed(states: tuple[str, ...]) -> str:
    return shown(", ".join(states))
