"""Two sites in a row from binding constants and exit rates, as in gramicidin: current and occupancies."""

from collections.abc import Iterator
from typing import Any

from .. import kinetics
from ..electrochemistry import Species
from ..rates import Charged, Constant
from . import fields, graphs
from .constants import constants
from .points import Case, Question, Reading, compare, occupancies, points
from .row import Row

STATES = ("empty", "outer", "inner", "both")
KEYS = ("K1", "K2", "k_off1", "k_off2", "k_trans")
GIVEN = ("parameters", "T_K", "z", "states", "points")


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the file gives its kind as such a pore, or has its parameters."""
    parameters = data.get("parameters")
    return data.get("kind") == "gramicidin_two_site" or (isinstance(parameters, dict) and set(KEYS) <= set(parameters))


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """Current and occupancies at every point."""
    name = fields.name_of(data, 0, "two sites")
    parameters = fields.table(fields.need(data, "parameters", name), f"parameters of {name}")
    at = constants(name, data, parameters)
    temperature = at.temperature(fields.positive(fields.need(data, "T_K", name), f"T_K of {name}"))
    ion = Species("ion", fields.valence({**data, **parameters}, name, 1))
    compute = graphs.steady(_scheme(parameters, ion, name), ion, temperature)
    names = {"0": 0, **{state: k for k, state in enumerate(STATES)}}
    order = fields.states(data.get("states"), names, f"states of {name}") or STATES

    def known(quantity: str, value: Any) -> Reading | None:
        if quantity == "I_pA":
            return Reading(compute, lambda result: at.per_mole * result.current)
        return occupancies(quantity, value, names, order, compute, lambda result: result.occupancy)

    yield from compare(data, name, (), lambda *_: None, GIVEN)
    yield from points(data, "points", name, graphs.CONDITIONS, known)


def _scheme(parameters: Case, ion: Species, name: str) -> kinetics.Scheme:
    """Each site binds from its own side; the electric field is symmetric.

    The binding constant of the empty pore counts both sites, so either has half of it; that of the second ion is for
    the one site left, from which either of two ions may exit.
    """

    def read(key: str) -> float:
        return fields.positive(fields.need(parameters, key, f"parameters of {name}"), f"{key} of {name}")

    first, second, off1, off2, across = (read(key) for key in KEYS)
    delta = fields.number(fields.need(parameters, "delta", f"parameters of {name}"), f"delta of {name}")
    edges, exchange = {}, {}
    for edge, inside, on, off in (
        (("empty", "outer"), False, 0.5 * first * off1, off1),
        (("empty", "inner"), True, 0.5 * first * off1, off1),
        (("inner", "both"), False, 2.0 * second * off2, off2),
        (("outer", "both"), True, 2.0 * second * off2, off2),
    ):
        charge = 0.5 * ion.z * (delta if inside else -delta)
        edges[edge], exchange[edge] = graphs.binding(ion, inside, on, off, charge)
    half = 0.5 * ion.z * (1.0 - 2.0 * delta)
    edges["outer", "inner"] = tuple(Charged(Constant(1e-3 * across), charge) for charge in (-half, half))
    return kinetics.scheme(edges, exchange=exchange, states=STATES)
