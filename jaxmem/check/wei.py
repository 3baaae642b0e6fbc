"""The neuron of Wei, Ullah & Schiff: its flow, where it comes to rest, seizures, and what happens without oxygen."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..library.wei_ullah_schiff_2014 import Neuron, State
from ..params import as_array
from ..results import InputError
from . import cells, courses, events, expectations, fields
from .cells import converted, inverse, same, scaled
from .courses import Course
from .points import Case, Question, Reading, compare
from .row import Row
from .spoken import NUMBER, Protocol

PER_S = 1e-3  # 1/s in 1/ms
M3 = 1e15  # m3 in pL, and mM m3 in fmol
NAMES = {
    **{"C": ("capacitance", same), "gNa": ("g_na", same), "gNaL": ("g_nal", same), "gK": ("g_k", same)},
    **{"gKL": ("g_kl", same), "gClL": ("g_cll", same), "beta0": ("beta_0", same), "rho": ("pump_max", scaled(PER_S))},
    **{"UKCC2": ("u_kcc2", scaled(PER_S)), "UNKCC1": ("u_nkcc1", scaled(PER_S)), "Gglia": ("glia_max", scaled(PER_S))},
    **{"epsK": ("diffusion", scaled(PER_S)), "epsO": ("o2_supply", scaled(PER_S)), "alphaO": ("o2_per_k", same)},
    **{"Kbath": ("k_bath", same), "Obath": ("o2_bath", same), "vol0": ("vol_0", scaled(M3)), "Ai": ("fixed_i", same)},
    **{"Ae": ("fixed_o", same), "volK": ("water", inverse), "F_C_per_mol": ("faraday", same)},
    **{"RT_over_F_mV": ("rt_over_f", same)},
}
STATE = {
    **{"V_mV": 1.0, "m": 1.0, "h": 1.0, "n": 1.0, "N_Ko": M3, "N_Ki": M3, "N_Nao": M3, "N_Nai": M3, "N_Clo": M3},
    **{"N_Cli": M3, "vol_i_m3": M3, "O2_o": 1.0},
}
IONS = {"k": "K", "na": "Na", "cl": "Cl"}
#: What a file calls fluxes, what the cell does, and in how many of the file's units one of the cell's is.
FLUXES = {
    **{"beta": ("ratio", 1.0), "gamma": ("per_current", 1e3), "IK": ("k", 1.0), "INa": ("na", 1.0), "ICl": ("cl", 1.0)},
    **{"Jp": ("pump", 1e3), "Jgp": ("glial_pump", 1e3), "Jg": ("glia", 1e3), "Jd": ("diffusion", 1e3)},
    **{"JKCC2": ("kcc2", 1e3), "JNKCC1": ("nkcc1", 1e3)},
}
START = "published_initial_state"
LONG = 4000.0  # [s], to rest
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5}
DESCRIBED = {"parameters", "protocol", "state", "expected", "equations", "integrator_disagreement", START}
RESIDUAL = "max_rel_rate_per_ms"  # of the state that is expected: how far that was from rest


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the parameters have cotransporters and oxygen."""
    parameters = data.get("parameters")
    return isinstance(parameters, dict) and {"UKCC2", "UNKCC1", "Obath", "vol0"} <= set(parameters)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each case."""
    rests = _Rests(data)
    for k, case in enumerate(fields.tables(data.get("cases"), "cases")):
        name = fields.name_of(case, k)
        wanted = fields.table(case.get("expected"), f"expected of {name}")
        given = _parameters(case, data, name)
        if case.get("state") is not None:
            yield from _flow(given, wanted, name, case, data)
        elif any(key in wanted for key in ("state", "fluxes")):
            yield from rests.questions(given, wanted, name, case)
        else:
            yield from _story(rests, given, wanted, name, case, data)
        yield from expectations.rest(case, name, DESCRIBED | {RESIDUAL, *given})
    yield from expectations.rest(data, "file", {"cases", "parameters", "state_order", "equations", START})


def _parameters(case: Case, data: Case, name: str) -> dict[str, float]:
    """Those of the case, then those of the file; the words of a protocol come between the two."""
    own = [case, fields.table(case.get("parameters"), f"parameters of {name}")]
    said = _protocol(case).always
    return cells.parameters(NAMES, name, *own, said, fields.table(data.get("parameters"), "parameters"))


def _protocol(case: Case) -> Protocol:
    return Protocol(str(case.get("protocol", "")), list(NAMES))


def _cell(given: Mapping[str, float]) -> Neuron:
    return Neuron(**converted(NAMES, given))


def _flow(given: Mapping[str, float], wanted: Case, name: str, case: Case, data: Case) -> Iterator[Row | Question]:
    """The derivative at the state of the case."""
    where = f"state of {name}"
    state = State(*cells.state_of(fields.table(case["state"], where), STATE, where))
    flows = [key for key, value in wanted.items() if isinstance(value, list) and key.startswith("dydt_per_")]
    for quantity in flows:
        yield from cells.flow(wanted[quantity], quantity, name, _cell(given), state, STATE, data, case)
    yield from compare(wanted, name, (), lambda *_: None, flows, case, data)


def _start(cell: Neuron, *places: Case) -> State:
    """The published initial state: concentrations, of which the first of the places that has them makes amounts."""
    table = next((place[START] for place in places if place.get(START) is not None), None)
    if table is None:
        return cell.init()
    read = lambda key: as_array(expectations.number_of(fields.table(table, START), key, START))
    inside, outside = M3 * read("vol_i_m3"), cell.vol_0 / cell.beta_0
    amounts = {
        f"{own}_{side}": read(f"{ion}{side}_mM") * volume
        for own, ion in IONS.items()
        for side, volume in (("i", inside), ("o", outside))
    }
    return State(v=read("V_mV"), m=read("m"), h=read("h"), n=read("n"), **amounts, vol_i=inside, o2=read("O2_o"))


def _observed(cell: Neuron, observed: Mapping[str, Any]) -> dict[str, Any]:
    """What is observed, with the volume relative to that at the start."""
    relative = np.asarray(jnp.asarray(observed["vol_i"]) / cell.vol_0)
    return {**observed, "vol_i_over_vol0": relative, "vol": relative}


class _Rests:
    """Where the neuron comes to rest from the published initial state, once for each set of parameters."""

    def __init__(self, data: Case):
        """None so far."""
        self.data = data
        self.found: dict[Any, State] = {}

    def state(self, given: Mapping[str, float], case: Case, long: float = LONG) -> State:
        """The state at the end of a run: a root search would not do, because the way decides where it ends."""
        key = (tuple(sorted(given.items())), long)
        if key not in self.found:
            cell = _cell(given)
            self.found[key] = courses.run([(cell, long)], _start(cell, case, self.data), (), courses.FINEST).state
        return self.found[key]

    def named(self, case_id: str) -> Case | None:
        """The case of an id."""
        several = fields.tables(self.data.get("cases"), "cases")
        return next((case for k, case in enumerate(several) if fields.name_of(case, k) == case_id), None)

    def questions(self, given: Mapping[str, float], wanted: Case, name: str, case: Case) -> Iterator[Row | Question]:
        """One question for each number of the state and each flux there."""
        cell = _cell(given)
        said = re.search(rf"{NUMBER}\s*s\b", str(case.get("protocol", "")))
        long = min(max(LONG, float(said[1])), courses.LONGEST) if said else LONG

        def compute() -> dict[str, Any]:
            state = self.state(given, case, long)
            fluxes = cell.fluxes(state)._asdict()
            shown = {key: unit * np.asarray(fluxes[own]) for key, (own, unit) in FLUXES.items()}
            return {"state": _observed(cell, cell.observe(state)), "fluxes": shown}

        example = _observed(cell, cell.observe(cell.init()))

        def known(quantity: str, _: Any) -> Reading | None:
            if courses.read(example, quantity) is None:
                return None
            return Reading(compute, lambda found: courses.read(found["state"], quantity))

        flux = lambda quantity, _: (
            Reading(compute, lambda found: found["fluxes"][quantity]) if quantity in FLUXES else None
        )
        for key, look in (("state", known), ("fluxes", flux)):
            table = fields.table(wanted.get(key), f"{key} of {name}")
            yield from compare(table, f"{name} {key}", (), look, {RESIDUAL}, case, self.data)
        yield from compare(wanted, name, (), lambda *_: None, {"state", "fluxes", RESIDUAL}, case, self.data)


class _Said:
    """What the words of a protocol say besides parameters.

    As in "from published_initial_state; 200 s; events=upward crossings of Ko=9.5 re-armed below 8; extrema after 120 s;
    period = mean interval from the third event on", or "start at rest_Kbath_3.5, Obath 32 -> 0 at t=0".
    """

    def __init__(self, case: Case, name: str):
        text = str(case.get("protocol", ""))

        def find(pattern: str) -> str | None:
            match = re.search(pattern, text)
            return match[1] if match else None

        begins = find(r"start at (\S+?)(?=[,;]?(?:\s|$))")
        self.start = None if begins is None or "initial" in begins else begins
        self.duration = float(find(rf"(?:^|;)\s*{NUMBER}\s*s\s*(?:;|$)") or 0.0)
        self.since = float(find(rf"extrema after {NUMBER}\s*s") or 0.0)
        self.of = find(r"crossings of (\w+)\s*=") or "Ko"
        level = find(rf"crossings of \w+\s*=\s*{NUMBER}")
        self.level = None if level is None else float(level)
        self.rearm = float(find(rf"re-armed below {NUMBER}") or self.level or 0.0)
        words = "|".join(ORDINALS)
        number, word = find(r"(\d+)(?:st|nd|rd|th) event on"), find(rf"({words}) event on")
        self.dropped = (int(number) if number else ORDINALS.get(word or "first", 1)) - 1
        if "event_times_s" in fields.table(case.get("expected"), name) and self.level is None:
            raise InputError(f"The protocol of {name} must say what an event is, as in 'crossings of Ko=9.5'.")

    def special(self) -> dict[str, Any]:
        """When events are, and the mean time between them."""
        if self.level is None:
            return {}
        level = self.level

        def when(course: Course) -> np.ndarray:
            return events.crossings(course.t, courses.read(course.observed, self.of), level, self.rearm)

        return {"event_times_s": when, "period_s": lambda course: events.mean_interval(when(course), self.dropped)}


def _story(
    rests: _Rests, given: Mapping[str, float], wanted: Case, name: str, case: Case, data: Case
) -> Iterator[Row | Question]:
    """A run from the published initial state, or from where another case comes to rest."""
    said = _Said(case, name)
    listed = courses.times_of(wanted, name)
    times = [t for *_, t in listed]
    end = courses.end_of(name, listed, said.duration)
    own = {key: value for key, value in given.items() if case.get(key) is not None}
    pieces = [(_cell({**now, **own}), stop) for now, stop in _protocol(case).pieces(given, end)]
    other = None if said.start is None else rests.named(said.start)
    if said.start is not None and other is None:
        raise InputError(f"The protocol of {name} must start at a case of the file, but there is no '{said.start}'.")
    first = pieces[0][0]

    def make() -> Course:
        start = rests.state(_parameters(other, data, name), other) if other is not None else _start(first, case, data)
        course = courses.run(pieces, start, times, courses.tolerance_of(case))
        return Course(course.t, _observed(first, course.observed), course.state)

    example = _observed(first, jax.tree.map(np.asarray, first.observe(first.init())))
    story = courses.Story(make, example, said.special(), frozenset(("event_times_s",)), said.since)
    yield from story.questions(wanted, name, listed, case, data)
