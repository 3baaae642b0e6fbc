"""The neuron of Hübel & Ullah: its flow, swelling without pumps, and the Donnan state at its end."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jax.numpy as jnp

from ..library import cortical_gates
from ..library.hubel_ullah_2016 import Neuron, State
from ..params import as_array
from . import cells, courses, expectations, fields
from .cells import converted, inverse, same, scaled
from .points import Case, Question, Reading, compare
from .row import Row
from .spoken import NUMBER, Protocol

PL = 1e-3  # of a um3
NAMES = {
    **{"nki0": ("k_i0", same), "nke0": ("k_e0", same), "nnai0": ("na_i0", same), "nnae0": ("na_e0", same)},
    **{"ncli0": ("cl_i0", same), "ncle0": ("cl_e0", same), "nimpi": ("fixed_i", same), "nimpe": ("fixed_e", same)},
    **{"gNaL": ("g_nal", same), "gNa": ("g_na", same), "gKL": ("g_kl", same), "gK": ("g_k", same)},
    **{"gClL": ("g_cll", same), "C": ("capacitance", same), "conv": ("fmol_per_charge", same), "phi": ("phi", same)},
    **{"naP": ("pump_na", same), "kP": ("pump_k", same), "Imax": ("pump_max", same), "vtot": ("vol", scaled(PL))},
    **{"tvl": ("water", inverse), "RT_over_F_mV": ("rt_over_f", same)},
}
STATE = {"V": 1.0, "n": 1.0, "h": 1.0, "n_ki": 1.0, "n_cli": 1.0, "vol_i": PL}
FLOW = ("dydt_per_", "rhs_")
DESCRIBED = {"parameters", "protocol", "state", "initial_state", "expected", "equations", "checks"}
LONG = 20_000.0  # [s], a hundred times as long as the slowest motion lasts
RESIDUAL = "max_abs_rhs"  # of the state that is expected: how far that was from rest


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the parameters have amounts that cannot leave, and the volume of both sides."""
    parameters = data.get("parameters")
    return isinstance(parameters, dict) and {"nki0", "nimpi", "vtot"} <= set(parameters)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each case."""
    for k, case in enumerate(fields.tables(data.get("cases"), "cases")):
        name = fields.name_of(case, k)
        wanted = fields.table(case.get("expected"), f"expected of {name}")
        tables = (case, *(fields.table(x.get("parameters"), f"parameters of {name}") for x in (case, data)))
        given = cells.parameters(NAMES, name, *tables)
        text = str(case.get("protocol", ""))
        if case.get("state") is not None:
            yield from _flow(given, wanted, name, case, data)
        elif "equilibrium" in text or not text:
            yield from _end(given, text, wanted, name, case, data)
        else:
            yield from _course(given, text, wanted, name, case, data)
        yield from expectations.rest(case, name, DESCRIBED | set(given))
    yield from expectations.rest(data, "file", {"cases", "parameters", "state_order", "equations"})


def _cell(given: Mapping[str, float]) -> Neuron:
    return Neuron(**converted(NAMES, given))


def _flow(given: Mapping[str, float], wanted: Case, name: str, case: Case, data: Case) -> Iterator[Row | Question]:
    """The derivative at the state of the case."""
    cell, where = _cell(given), f"state of {name}"
    state = State(*cells.state_of(fields.table(case["state"], where), STATE, where))
    flows = [key for key, value in wanted.items() if isinstance(value, list) and key.startswith(FLOW)]
    for quantity in flows:
        yield from cells.flow(wanted[quantity], quantity, name, cell, state, STATE, data, case)
    yield from compare(wanted, name, (), lambda *_: None, flows, case, data)


def _start(cell: Neuron, case: Case, name: str) -> State:
    """The state at time 0, in a table or in words: `V = -67 mV, n = n_inf(V), vol_i = 2160 um^3`.

    Gates of which no number is said are at their steady state at V, and the rest is the cell's own.
    """
    said = case.get("initial_state")
    if isinstance(said, dict):
        found = {key: fields.number(value, f"{key} of {name}") for key, value in said.items() if key in STATE}
    else:
        found = {key: float(x) for key, x in re.findall(rf"\b({'|'.join(STATE)})\s*=\s*{NUMBER}", str(said))}
    given = {
        own: as_array(STATE[key] * found[key]) for own, key in zip(State._fields, STATE, strict=True) if key in found
    }
    start = cell.init()._replace(**given)
    gates = {"n": cell.n, "h": cell.h}
    steady = {key: cortical_gates.relaxation(x, start.v)[0] for key, x in gates.items() if key not in found}
    return start._replace(**steady)


def _observed(observed: Mapping[str, Any]) -> dict[str, Any]:
    """What is observed, with the amounts inside [fmol]."""
    amounts = {f"n_{ion}_i": observed[f"{ion}_i"] * observed["vol_i"] for ion in ("Na", "K", "Cl")}
    return {**observed, **amounts}


def _course(
    given: Mapping[str, float], text: str, wanted: Case, name: str, case: Case, data: Case
) -> Iterator[Row | Question]:
    """A run through the changes of the protocol, to the time of the last row."""
    listed = courses.times_of(wanted, name)
    times = [t for *_, t in listed]
    pieces = Protocol(text, list(NAMES)).pieces(given, courses.end_of(name, listed))
    cells = [(_cell(now), end) for now, end in pieces]
    start, tolerance = _start(cells[0][0], case, name), courses.tolerance_of(case)
    story = courses.Story(lambda: courses.run(cells, start, times, tolerance), cells[0][0].observe(start))
    yield from story.questions(wanted, name, listed, case, data)


def _end(
    given: Mapping[str, float], text: str, wanted: Case, name: str, case: Case, data: Case
) -> Iterator[Row | Question]:
    """The steady state with the parameters that the protocol says: `equilibrium with Imax = 0`."""
    cell = _cell({**given, **Protocol(text, list(NAMES)).always})
    start = _start(cell, case, name)

    def compute() -> dict[str, Any]:
        # It fires before it comes to rest, and then forgets how it got there: amounts are kept by construction.
        return _observed(cell.observe(courses.run([(cell, LONG)], start, (), courses.COARSEST).state))

    example = _observed({key: jnp.asarray(x) for key, x in cell.observe(start).items()})

    def known(quantity: str, _: Any) -> Reading | None:
        if courses.read(example, quantity) is None:
            return None
        return Reading(compute, lambda found: courses.read(found, quantity))

    yield from compare(wanted, name, (), known, {RESIDUAL}, case, data)
