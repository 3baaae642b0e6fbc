"""The electrodiffusive Pinsky-Rinzel neuron: its flow and potentials, rest, spikes, and what is conserved."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import simulate
from ..library import saetra_2020
from ..library.saetra_2020 import DENDRITE, SOMA, SPECIES
from ..params import as_array
from ..protocols import step
from ..results import InputError
from ..space import Tissue, TissueState
from . import cells, events, expectations, fields
from .cells import converted, same, scaled
from .points import RTOL, Case, Question, Reading, compare, compiled
from .row import Row
from .spoken import NUMBER

#: What a file, in SI units, calls the parameters of the neuron, and what the library does.
NAMES = {
    **{"T": ("temperature", same), "R": ("gas", same), "F": ("faraday", same), "Cm": ("capacitance", scaled(1e2))},
    **{
        "Am": ("area", scaled(1e12)),
        "Vi": ("v_i", scaled(1e15)),
        "Ve": ("v_e", scaled(1e15)),
        "dx": ("distance", scaled(1e6)),
    },
    **{"lam_i": ("tortuosity_i", same), "lam_e": ("tortuosity_e", same), "alpha": ("coupling", same)},
    **{key: (f"g_{key[1:].lower()}", same) for key in ("gNaL", "gKL", "gClL", "gNa", "gDR", "gCa", "gAHP", "gC")},
    **{"rho": ("rho", same), "Ukcc": ("kcc2", same), "Unkcc": ("nkcc1", same), "Udec": ("decay", scaled(1e-3))},
    **{"Ca0": ("ca_0", same), "fCa": ("free", same)},
}
SIDES = {"i": "inside", "e": "outside"}
PLACES = {"d": DENDRITE, "s": SOMA}
#: The gates, by the place among the neuron's mechanisms and in the state there.
GATES = {"n": (6, 0), "h": (7, 0), "s": (8, 0), "z": (8, 1), "c": (9, 0), "q": (10, 0)}
CONTENTS = [f"{ion.name}_{place}{side}" for side in SIDES for place in PLACES for ion in SPECIES]
STATE = [*CONTENTS, *GATES]
POTENTIALS = ("phi_si", "phi_se", "phi_di", "phi_de", "V_s", "V_d")
FLOW, TOTAL = "dydt_SI", re.compile(r"total_([A-Za-z]+)_mol")
DESCRIBED = {"parameters", "protocol", "state", "initial_state", "expected", "integrator_disagreement"}
TOLERANCE, STEPS, SAMPLES, LONGEST = 1e-9, 5_000_000, 16384, 1e4
_FAR = 1e3  # the longest time [s] of which conserved amounts are asked, if no run is


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the parameters have both tortuosities and the strength of KCC2."""
    parameters = data.get("parameters")
    return isinstance(parameters, dict) and {"lam_i", "lam_e", "Ukcc"} <= set(parameters)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each case."""
    for k, case in enumerate(fields.tables(data.get("cases"), "cases")):
        name = fields.name_of(case, k)
        wanted = fields.table(case.get("expected"), f"expected of {name}")
        setting = _Setting.of(data, case, name)
        if case.get("state") is not None:
            yield from _flow(setting, wanted, name, case, data)
        else:
            yield from _course(setting, wanted, name, case, data)
        yield from expectations.rest(case, name, DESCRIBED | set(NAMES))
    yield from expectations.rest(
        data, "file", {"cases", "parameters", "state_order", "initial_state", "X_mM", "diffusion", "source"}
    )


@dataclasses.dataclass(frozen=True)
class _Setting:
    """What a case says of the neuron: its parameters, and what stays and how fast ions diffuse."""

    given: Mapping[str, Any]
    initial: Case

    @classmethod
    def of(cls, data: Case, case: Case, name: str) -> "_Setting":
        tables = (case, *(fields.table(x.get("parameters"), f"parameters of {name}") for x in (case, data)))
        given: dict[str, Any] = converted(NAMES, cells.parameters(NAMES, name, *tables))
        for key, value in given.items():
            if key in ("temperature", "gas", "faraday", "area", "v_i", "v_e", "distance", "free", "capacitance"):
                fields.positive(value, f"{key} of {name}")
        if data.get("diffusion") is not None:
            table = fields.table(data["diffusion"], "diffusion")
            given["diffusivity"] = {ion: 1e9 * expectations.above_zero(table, ion.name, "diffusion") for ion in SPECIES}
        if data.get("X_mM") is not None:
            table = fields.table(data["X_mM"], "X_mM")
            for side in SIDES:
                both = [expectations.number_of(table, f"{place}{side}", "X_mM") for place in PLACES]
                given[f"fixed_{side}"] = np.array(both)
        return cls(
            given, fields.table(case.get("initial_state") or data.get("initial_state"), f"initial_state of {name}")
        )

    def at(self, table: Case, where: str) -> tuple[Tissue, TissueState]:
        """The neuron that starts at a state, and that state."""
        found = {key: expectations.number_of(table, key, where) for key in STATE}
        low = next((key for key in CONTENTS if not found[key] > 0.0), None)
        if low is not None:
            raise InputError(f"{low} of {where} must be above zero, but is {found[low]:g}.")
        both = {
            word: {ion: np.array([found[f"{ion.name}_{place}{side}"] for place in PLACES]) for ion in SPECIES}
            for side, word in SIDES.items()
        }
        neuron = saetra_2020.model(**self.given, **both)
        state = neuron.init()
        gates = list(state.mechanisms)
        for key, (k, j) in GATES.items():
            gates[k] = gates[k].at[0, j].set(found[key])
        return neuron, state._replace(mechanisms=tuple(gates))


def _shown(neuron: Tissue, state: TissueState) -> dict[str, Any]:
    """What a file calls a state and its potentials [V], and the totals [mol]."""
    outside, inside = neuron.concentrations(state)
    found = {}
    for place, k in PLACES.items():
        for j, ion in enumerate(SPECIES):
            found[f"{ion.name}_{place}i"], found[f"{ion.name}_{place}e"] = inside[j, k], outside[j, k]
    found |= {key: state.mechanisms[k][0, j] for key, (k, j) in GATES.items()}
    outer, across = 1e-3 * neuron.potential(state), 1e-3 * state.v[0]
    for place, k in PLACES.items():
        found |= {f"V_{place}": across[k], f"phi_{place}e": outer[k], f"phi_{place}i": across[k] + outer[k]}
    amounts = 1e-15 * (jnp.sum(state.amounts[0], 1) + jnp.sum(state.amounts[1], 1))
    return found | {f"total_{ion.name}_mol": amounts[j] for j, ion in enumerate(SPECIES)}


_look = compiled(_shown)


@compiled
def _slope(neuron: Tissue, state: TissueState) -> dict[str, Any]:
    """The rate of change of every entry of a state [1/s]."""
    rate = neuron.derivative(state, jnp.zeros(()))
    per_second = jax.tree.map(lambda x: 1e3 * x, rate)
    return _shown(neuron, per_second._replace(volumes=state.volumes))


def _flow(setting: _Setting, wanted: Case, name: str, case: Case, data: Case) -> Iterator[Row | Question]:
    """The derivative and the potentials at the state of the case."""
    neuron, state = setting.at(fields.table(case["state"], f"state of {name}"), f"state of {name}")
    if FLOW in wanted:
        order = cells.order_of(data, dict.fromkeys(STATE, 1.0))
        numbers = fields.numbers(wanted[FLOW], f"{FLOW} of {name}", len(order))
        slopes = lambda: _slope(neuron, state)
        known = lambda quantity, _: Reading(slopes, lambda found: found[quantity], words=(FLOW,))
        for one in compare(dict(zip(order, numbers, strict=True)), name, (), known, (), case, data):
            yield dataclasses.replace(one, quantity=f"{FLOW}[{one.quantity}]")
    yield from _potentials(
        fields.table(wanted.get("potentials_V"), name), lambda: _look(neuron, state), name, case, data
    )
    yield from compare(wanted, name, (), lambda *_: None, {FLOW, "potentials_V"}, case, data)


def _potentials(table: Case, compute: Any, name: str, case: Case, data: Case) -> Iterator[Row | Question]:
    """Potentials [V], which may be zero, so that they have a tolerance of their own."""

    def known(quantity: str, _: Any) -> Reading | None:
        if quantity not in POTENTIALS:
            return None
        return Reading(compute, lambda found: found[quantity], words=("potentials_V",))

    for one in compare(table, name, (), known, (), case, data):
        if isinstance(one, Question):
            within = fields.within(name, case, data, of=("potentials_V",), rtol=RTOL, zero=1e-12)
            one = dataclasses.replace(one, within=within)
        yield one


def _course(setting: _Setting, wanted: Case, name: str, case: Case, data: Case) -> Iterator[Row | Question]:
    """A run from the initial state: the rows' times, spikes of a stimulus, and what is conserved at its end."""
    neuron, state = setting.at(setting.initial, "initial_state")
    listed = [
        (row, where, expectations.number_of(row, "t_s", where)) for row, where in expectations.rows_of(wanted, name)
    ]
    stimulus = _stimulus(str(case.get("protocol", "")))
    ends = [t for *_, t in listed] + [stimulus[1] if stimulus else 0.0]
    final = wanted.get("final_t")
    ends.append(fields.number(final, f"final_t of {name}") if final is not None else 0.0)
    end = max(ends) or min(_end_of(data), _FAR)
    if not 0.0 < end <= LONGEST or min(t for t in ends) < 0.0:
        raise InputError(f"The times of {name} must lie between 0 and {LONGEST:g} s, but reach {end:g} s.")
    times = [t for *_, t in listed]
    run = lambda: _run(neuron, state, end, times, stimulus)
    for k, (row, where, _) in enumerate(listed):
        table = {key: value for key, value in row.items() if key in POTENTIALS}
        inner = fields.table(row.get("state"), f"state of {where}")
        known = lambda quantity, _, k=k: (
            Reading(run, lambda found: found["rows"][k][quantity]) if quantity in STATE else None
        )
        yield from compare(inner, where, (), known, (), case, data)
        for one in _potentials(table, run, where, case, data):
            if isinstance(one, Question):
                take = lambda found, k=k, quantity=one.quantity: found["rows"][k][quantity]
                one = dataclasses.replace(one, reading=dataclasses.replace(one.reading, take=take))
            yield one
        yield from compare(row, where, (), lambda *_: None, {"t_s", "state", *POTENTIALS}, case, data)

    def known_of_run(quantity: str, value: Any) -> Reading | None:
        if quantity.startswith("spike_times_s"):
            count = len(fields.rows_of(value, f"{quantity} of {name}"))
            take = lambda found: events.filled(found["spikes"], count)
            return Reading(run, take, tuple(str(k + 1) for k in range(count)))
        if TOTAL.fullmatch(quantity) and any(quantity == f"total_{ion.name}_mol" for ion in SPECIES):
            return Reading(run, lambda found: found["end"][quantity])
        return None

    within = {**case, **({"atol_spike_times_s": case["atol_s"]} if case.get("atol_s") is not None else {})}
    for one in compare(wanted, name, (), known_of_run, {"rows", "final_t"}, within, data):
        if isinstance(one, Question) and one.quantity.startswith("spike_times_s"):
            allowed = fields.within(name, within, data, of=("spike_times_s",), rtol=0.0)
            one = dataclasses.replace(one, within=allowed)
        yield one


def _stimulus(text: str) -> tuple[float, float] | None:
    """The current [pA] and its start [s] that a protocol says: `inject 28 pA ... from t=10 s`."""
    amount = re.search(rf"inject\s+{NUMBER}\s*pA", text)
    begin = re.search(rf"from\s+t\s*=\s*{NUMBER}\s*s", text)
    return (float(amount[1]), float(begin[1]) if begin else 0.0) if amount else None


def _end_of(data: Case) -> float:
    """The last time of any row of the file [s], 1 s if there is none."""
    found = []
    for k, case in enumerate(fields.tables(data.get("cases"), "cases")):
        wanted = fields.table(case.get("expected"), f"expected of case {k + 1}")
        found += [
            expectations.number_of(row, "t_s", where) for row, where in expectations.rows_of(wanted, f"case {k + 1}")
        ]
    return max(found, default=1.0) or 1.0


def _run(
    neuron: Tissue, state: TissueState, end: float, times: list[float], stimulus: tuple[float, float] | None
) -> dict[str, Any]:
    """What a run shows at some times [s], when V of the soma rises through zero [s], and the state at the end."""
    current, begin = stimulus or (0.0, end)
    method = simulate.Adaptive(rtol=TOLERANCE, atol=TOLERANCE, most=STEPS)
    shown, spikes, at = {}, [], 0.0
    if 0.0 in times:
        shown[0.0] = _look(neuron, state)
    for stop in sorted({x for x in (*times, begin, end) if 0.0 < x <= end}):
        grid = 1e3 * np.linspace(0.0, stop - at, SAMPLES)
        command = step(as_array(current if at >= begin else 0.0), float(grid[-1]))
        trace = simulate.current_clamp(neuron, command, grid, init=state, method=method, throw=False)
        spikes.append(at + 1e-3 * events.crossings(grid, np.asarray(trace.v), 0.0, np.inf))
        state, at = trace.state, stop
        shown[stop] = _look(neuron, state)
    return {"rows": [shown[t] for t in times], "spikes": np.concatenate(spikes), "end": _look(neuron, state)}
