"""The neuron of Cressman et al. in moving K and Na: its flow, its rest, its seizures; and its reduced model."""

import re
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import simulate
from ..library.cressman_2009 import Cressman, State, Surroundings
from ..params import as_array
from ..results import InputError
from . import cressman_reduced, events, expectations, fields, spectrum
from .cressman_reduced import SURROUNDINGS, given
from .points import Case, Question, Reading, compare, compiled
from .row import Row
from .spoken import NUMBER

#: What a file calls the neuron's own parameters, and what the cell does.
NEURON = {
    **{"gamma": "gamma", "tau": "tau", "Cm": "capacitance", "phi": "phi", "ECa": "e_ca", "ECl": "e_cl"},
    **{"gNa": "g_na", "gNaL": "g_nal", "gK": "g_k", "gKL": "g_kl", "gAHP": "g_ahp", "gClL": "g_cll", "gCa": "g_ca"},
}
STATE = {"V": "v", "n": "n", "h": "h", "Ko": "k_o", "Nai": "na_i", "Ca": "ca"}
REST = {"V_mV": "V", "n": "n", "h": "h", "Ko_mM": "Ko", "Nai_mM": "Nai", "Ca": "Ca"}
EXTREMA = {f"{ion}_{word}_mM": (key, word) for ion, key in (("Ko", "K_o"), ("Nai", "Na_i")) for word in ("max", "min")}
DESCRIBED = {"parameters", "protocol", "model", "residual", "state", "expected", "equations", "initial_state"}
TOLERANCE = 1e-5  # of a step
STEPS = 10_000_000  # at most
LONGEST = 1e7  # [ms], a run
SAMPLE = 1.0  # [ms]


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the parameters have the bath, and the conductance that Ca opens."""
    parameters = data.get("parameters")
    return isinstance(parameters, dict) and {"gAHP", "kbath"} <= set(parameters)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each case."""
    cycles = _Cycles()
    for k, case in enumerate(fields.tables(data.get("cases"), "cases")):
        name = fields.name_of(case, k)
        wanted = fields.table(case.get("expected"), f"expected of {name}")
        if "hopf_points" in wanted or any(key.startswith(cressman_reduced.SAMPLES) for key in wanted):
            yield from cressman_reduced.rows(case, name, data)
            continue
        values, keys = _parameters(case, data, name)
        if case.get("state") is not None:
            yield from _flow(case, wanted, values, name, data)
        elif case.get("protocol") is not None:
            yield from _cycle(cycles, case, wanted, values, name, data)
        else:
            yield from _rest(case, wanted, values, name, data)
        yield from expectations.rest(case, name, DESCRIBED | keys)
    yield from expectations.rest(data, "file", {"cases", "parameters", "state_order", "equations"})


def _parameters(case: Case, data: Case, name: str) -> tuple[tuple[float, ...], set[str]]:
    """All parameters in the order of `SURROUNDINGS` and `NEURON`, and the keys of the case that are some of them."""
    published = Cressman()
    tables = [fields.table(place.get("parameters"), f"parameters of {name}") for place in (case, data)]
    around, keys = given(case, SURROUNDINGS, published.surroundings, name, *tables)
    own, more = given(case, NEURON, published, name, *tables)
    return (*around.values(), *own.values()), keys | more


def _neuron(values: Any) -> Cressman:
    around = dict(zip(SURROUNDINGS.values(), values, strict=False))
    own = dict(zip(NEURON.values(), values[len(around) :], strict=True))
    return Cressman(Surroundings(**around), **own)


def _flow(case: Case, wanted: Case, values: Any, name: str, data: Case) -> Iterator[Row | Question]:
    """The derivative at a state, in the order that the file gives."""
    order = [str(key) for key in fields.rows_of(data.get("state_order"), "state_order")] or list(STATE)
    if sorted(order) != sorted(STATE):
        raise InputError(f"state_order must hold {', '.join(STATE)}, but is {', '.join(order)}.")
    where = f"state of {name}"
    table = fields.table(case["state"], where)
    at = (values, tuple(expectations.number_of(table, key, where) for key in STATE))
    places = [list(STATE).index(key) for key in order]
    known = {"dydt_per_ms": 1.0, "dydt_per_s": 1e3}
    reading = lambda unit: Reading(_slopes, lambda slope: unit * slope[places], tuple(order))
    yield from compare(
        wanted, name, at, lambda quantity, _: reading(known[quantity]) if quantity in known else None, (), case, data
    )


@compiled
def _slopes(values, state):
    def at(values, state):
        return jnp.stack(_neuron(values).derivative(State(*state), jnp.zeros(())))

    return jax.vmap(at)(values, state)


def _rest(case: Case, wanted: Case, values: Any, name: str, data: Case) -> Iterator[Row | Question]:
    """The steady state and the eigenvalues of the flow there."""
    at, unit = (values,), {"eigenvalues_per_ms": 1.0, "eigenvalues_per_s": 1e3}
    place = {key: list(STATE).index(own) for key, own in REST.items()}
    read = lambda k: Reading(_rests, lambda rest: rest["state"][k])
    known = lambda quantity, _: read(place[quantity]) if quantity in place else None
    yield from compare(wanted, name, at, known, set(unit), case, data)
    for quantity in set(unit) & set(wanted):
        take = lambda rest, scale=unit[quantity]: scale * rest["eigenvalues"]
        yield from spectrum.questions(wanted[quantity], quantity, name, len(STATE), _rests, take, at, case, data)


@compiled
def _steady(values):
    return jax.vmap(lambda row: simulate.steady_state(_neuron(row)))(values)


def _rests(values: np.ndarray) -> dict[str, Any]:
    rest = _steady(values)
    return {"state": np.stack([np.asarray(x) for x in rest.state], -1), "eigenvalues": rest.eigenvalues}


def _cycle(cycles: "_Cycles", case: Case, wanted: Case, values: Any, name: str, data: Case) -> Iterator[Row | Question]:
    """Seizures: when K outside crosses a level, the mean time between, and extrema."""
    protocol = _Protocol(str(case["protocol"]), case.get("initial_state"), name)
    run = cycles.add(protocol, values)
    read = lambda take: Reading(cycles.__call__, lambda results: take(results[run]))

    def known(quantity: str, value: Any) -> Reading | None:
        if quantity == "event_times_s":
            count = len(fields.rows_of(value, f"{quantity} of {name}"))
            names = tuple(str(k + 1) for k in range(count))
            return Reading(cycles.__call__, lambda results: events.filled(results[run]["events"], count), names)
        return read(lambda result: result[quantity]) if quantity in {"period_s", *EXTREMA} else None

    yield from compare(wanted, name, (), known, (), case, data)


class _Protocol:
    """What the text of a protocol says.

    As in "start at V=-50, n=0.09, h=0.97, Ko=7.8, Nai=15.5, Ca=0; 50 ms pre-integration, then 100 s; events = upward
    crossings of Ko=9 mM re-armed below 8 mM; first interval dropped; extrema over t>5 s".

    **Arguments:** `start`: the state at the beginning where the text has none.
    """

    def __init__(self, text: str, start: Any, name: str):
        def find(pattern: str, meant: str, otherwise: float | None = None) -> float:
            match = re.search(pattern, text)
            if match is None and otherwise is None:
                raise InputError(f"The protocol of {name} must say {meant}.")
            return float(match[1]) if match else float(otherwise or 0.0)

        where = f"initial_state of {name}"
        said = dict(re.findall(rf"\b([A-Za-z]+)\s*=\s*{NUMBER}", text.partition(";")[0]))
        said = said if start is None else fields.table(start, where)
        self.start = tuple(expectations.number_of(said, key, where) for key in STATE)
        self.before = find(rf"{NUMBER}\s*ms pre-integration", "", 0.0)  # [ms]
        self.duration = 1e3 * find(rf"then {NUMBER}\s*s\b", "how long it runs, as in 'then 100 s'")
        if not 0.0 < self.duration <= LONGEST or self.before > LONGEST:
            raise InputError(f"The protocol of {name} must run for at most {1e-3 * LONGEST:g} s.")
        self.level = find(rf"crossings of Ko\s*=\s*{NUMBER}", "what an event is, as in 'crossings of Ko=9 mM'")
        self.rearm = find(rf"re-armed below {NUMBER}", "", self.level)
        self.extrema_from = 1e3 * find(rf"extrema over t\s*>=?\s*{NUMBER}", "", 0.0)
        self.dropped = int("first interval dropped" in text or "dropping the first" in text)


class _Cycles:
    """The runs of a file, made one after the other by one compiled program."""

    def __init__(self) -> None:
        self.asked: list[tuple[_Protocol, Any]] = []

    def add(self, protocol: _Protocol, values: Any) -> int:
        """Asks for a run; the place of its result."""
        self.asked.append((protocol, values))
        return len(self.asked) - 1

    def __call__(self) -> list[dict[str, Any]]:
        """The summary of each run."""
        return [_summary(*asked) for asked in self.asked]


def _summary(protocol: _Protocol, values: Any) -> dict[str, Any]:
    later = protocol.before + np.arange(0.0, protocol.duration + 0.5 * SAMPLE, SAMPLE)
    t = np.unique(np.append(0.0, later))
    start = State(*map(as_array, protocol.start))
    method = simulate.Adaptive(rtol=TOLERANCE, atol=TOLERANCE, most=STEPS)
    trace = simulate.current_clamp(_neuron(as_array(values)), None, t, init=start, method=method, throw=False)
    shown = {key: np.asarray(trace.observed[key])[-later.size :] for key in ("K_o", "Na_i")}
    t = later - protocol.before
    found = events.crossings(1e-3 * t, shown["K_o"], protocol.level, protocol.rearm)
    extrema = {
        quantity: {"max": np.max, "min": np.min}[word](shown[key][t > protocol.extrema_from])
        for quantity, (key, word) in EXTREMA.items()
    }
    return extrema | {"events": found, "period_s": events.mean_interval(found, protocol.dropped)}
