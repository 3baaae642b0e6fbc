"""What opens a channel in a model file: gates, or a Markov scheme."""

from collections.abc import Callable
from typing import Any

from ..gating import AbstractGate, Gate, HodgkinHuxley, Instantaneous, Markov, Relaxation, Sigmoid
from .laws import read_rate
from .parameters import Build, Parameters
from .schemes import read_conducting, read_graph
from .table import Table


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
    power = table.whole("power", 1, 20) if "power" in table else 1
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
    graph = read_graph(table, parameters)
    conducting = read_conducting(table, graph.states)
    return lambda values: Markov(graph.build(values), conducting)
