"""Receptors that a permeant ion blocks: two sites, of which the deeper one stops the current when it is occupied."""

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from .. import kinetics
from ..electrochemistry import Bath, Species
from ..permeation import Blocked, Ohmic
from ..rates import AbstractRate, Binding, Charged, Constant
from . import fields
from .constants import constants
from .points import Case, Question, Reading, compare, compiled, occupancies, points
from .row import Row, not_covered

STATES = ("empty", "site1", "site2", "both")
CONDUCTING = ("empty", "site1")
DATA = ("G_measured", "G_SE", "G_SD", "n")  # what a point has measured


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the file lists receptors."""
    return "receptors" in data


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """The relative conductance of every receptor at every point."""
    model = fields.table(data.get("model"), "model")
    for k, receptor in enumerate(fields.tables(data["receptors"], "receptors")):
        name = fields.name_of({"case": receptor.get("receptor"), **receptor}, k)
        yield from _receptor(receptor, model, name, data)
    for key, value in data.items():
        if key not in fields.REMARKS | {"model", "receptors"} and key.partition("_")[0] not in fields.TOLERANCES:
            yield not_covered(key, key, value)


def _receptor(receptor: Case, model: Case, name: str, data: Case) -> Iterator[Row | Question]:
    parameters = fields.table(fields.need(receptor, "parameters", name), f"parameters of {name}")
    t = fields.positive(fields.need({**model, **receptor}, "T_K", name), f"T_K of {name}")
    temperature = constants(name, receptor, parameters, model, data).temperature(t)
    measured = fields.tables(receptor.get("points"), f"points of {name}")
    stems = [fields.unit_of(key)[0] for point in measured for key in point]
    called = next((stem.removesuffix("_out") for stem in stems if stem.endswith("_out")), "Ca")
    ion = Species(called, fields.valence({**model, **receptor, **parameters}, name, 2))
    scheme = _scheme(parameters, ion, name)
    compute = functools.partial(
        _steady, Blocked(Ohmic(1.0, reversal=0.0), scheme, CONDUCTING), ion, jnp.asarray(temperature)
    )
    names = {state: k for k, state in enumerate(STATES)}
    order = fields.states({**model, **receptor}.get("states"), names, f"states of {name}") or STATES

    def known(quantity: str, value: Any) -> Reading | None:
        if quantity in ("G_model", "G"):
            return Reading(compute, lambda result: result["open"])
        return occupancies(quantity, value, names, order, compute, lambda result: result["occupancy"])

    # What the model says of the inner bath holds where a point says nothing.
    of_inner = lambda table: {key: c for key, c in table.items() if fields.unit_of(key)[0] == f"{called}_in"}
    inner = of_inner(receptor) or of_inner(model)
    given = ("receptor", "parameters", "points", "states", "T_K", "z", *inner)
    yield from compare(receptor, name, (), lambda *_: None, given, data)
    conditions = ("V_mV", f"{called}_out_mM", f"{called}_in_mM")
    plain = [
        {key: value for key, value in {**({} if of_inner(point) else inner), **point}.items() if key not in DATA}
        for point in measured
    ]
    yield from points({**receptor, "points": plain}, "points", name, conditions, known, data)


def _scheme(parameters: Mapping[str, Any], ion: Species, name: str) -> kinetics.Scheme:
    """Both sites bind and release whatever the other does; an ion goes from one to the other if that is free.

    The outer site exchanges with the outer bath, the inner site with both. Distances are electrical, from outside;
    half of each step's charge is in either rate.
    """

    def read(key: str) -> float:
        return fields.number(fields.need(parameters, key, f"parameters of {name}"), f"{key} of {name}")

    def above(key: str) -> float:
        return fields.positive(fields.need(parameters, key, f"parameters of {name}"), f"{key} of {name}")

    k1, k1r, k2, k2r, k3, k4, k4r = (above(key) for key in ("k1", "k1r", "k2", "k2r", "k3", "k4", "k4r"))
    d1, d3 = read("d1"), read("d3")
    d2, d4 = abs(d1 - d3), max(0.0, 1.0 - max(d1, d3))

    def law(rate: AbstractRate, distance: float) -> Charged:
        return Charged(rate, 0.5 * ion.z * distance)

    outer = law(Binding(k1, ion, False), -d1), law(Constant(k1r), d1)
    across = law(Constant(k2), -d2), law(Constant(k2r), d2)
    # Detailed balance round the cycle of the outer bath and the two sites.
    deep = law(Binding(k3, ion, False), -d3), law(Constant(k3 * (k1r / k1) * (k2r / k2)), d3)
    inner = law(Constant(k4r), -d4), law(Binding(k4, ion, True), d4)
    taken = {(ion, False): -1}
    edges, exchange = {}, {}
    for free, filled in (("empty", "site1"), ("site2", "both")):
        edges[free, filled], exchange[free, filled] = outer, taken
    for free, filled in (("empty", "site2"), ("site1", "both")):
        edges[free, filled], exchange[free, filled] = deep, taken
        edges[filled, free], exchange[filled, free] = inner, {(ion, True): 1}
    edges["site1", "site2"] = across
    return kinetics.scheme(edges, exchange=exchange, states=STATES)


@compiled
def _steady(pore: Blocked, ion: Species, temperature, v, outside, inside):
    def at(v, outside, inside):
        bath = Bath({ion: inside}, {ion: outside}, temperature)
        return {"open": pore.unblocked(v, bath), "occupancy": kinetics.turnover(pore.scheme, v, bath).occupancy}

    return jax.vmap(at)(v, outside, inside)
