"""The neuron of Hübel & Dahlem: its flow, the steady states of the closed neuron along dk, spreading depression."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .. import simulate
from .._numerics.newton import damped
from ..library.hubel_dahlem_2014 import Closed, ClosedState, Diffusive, Glial, Regulated, State
from ..params import as_array
from ..results import InputError
from . import cells, courses, expectations, fields, spectrum
from .cells import converted, same
from .points import Case, Question, Reading, compare, compiled
from .row import Row
from .spoken import Protocol

#: What a file calls the parameters of the neuron, and what the cell does.
NEURON = {
    **{"vi": "v_i", "ve": "v_e", "ki0": "k_i0", "nai0": "na_i0", "cli0": "cl_i0", "ke0": "k_e0", "nae0": "na_e0"},
    **{"cle0": "cl_e0", "gNaL": "g_nal", "gNa": "g_na", "gKL": "g_kl", "gK": "g_k", "gClL": "g_cll", "naP": "pump_na"},
    **{"kP": "pump_k", "Imax": "pump_max", "phi": "phi", "C": "capacitance", "conv": "fmol_per_charge"},
    **{"RT_over_F_mV": "rt_over_f", "I_stim": "holding"},
}
NEURON = {key: (own, same) for key, own in NEURON.items()}
GLIAL = {"k1": ("k1", same), "B0": ("b0", same), "Kcr": ("half", same)}
DIFFUSIVE = {"lam": ("rate", same), "kbath": ("k_bath", same)}
#: Who regulates, 0 glia and 1 diffusion; and the share of the pumps that runs.
SWITCH, PUMPS = "s", "z"
NAMES = {**NEURON, **GLIAL, **DIFFUSIVE}
STATE = {"V": 1.0, "n": 1.0, "ki": 1.0, "cli": 1.0, "dk": 1.0}
FLOW = ("dydt_per_", "rhs_")  # how the names of rates of change begin
STATES = ("state", "published", "initial_state")
BRANCH = frozenset(("equilibria", "eigenvalues_per_s", "eigenvalues_per_ms", "folds", "hopf"))
RANGE = 100.0  # [mM]: how far dk is followed from zero, and from what is expected
DESCRIBED = {"parameters", "protocol", "state", "published", "initial_state", "expected", "equations"}


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the parameters have the glial buffer and the volumes."""
    parameters = data.get("parameters")
    return isinstance(parameters, dict) and {"vi", "ve", "cli0", "B0"} <= set(parameters)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each case."""
    branches: dict[Any, _Branch] = {}
    for k, case in enumerate(fields.tables(data.get("cases"), "cases")):
        name = fields.name_of(case, k)
        wanted = fields.table(case.get("expected"), f"expected of {name}")
        tables = (case, *(fields.table(x.get("parameters"), f"parameters of {name}") for x in (case, data)))
        given = cells.parameters({**NAMES, SWITCH: ("", same)}, name, *tables)
        flows = [key for key, value in wanted.items() if isinstance(value, list) and key.startswith(FLOW)]
        for quantity in flows:
            yield from _flow(quantity, wanted[quantity], name, given, case, data)
        if any(key in wanted for key in BRANCH):
            branch = branches.setdefault(tuple(given.items()), _Branch(Closed(**converted(NEURON, given))))
            yield from branch.questions(wanted, name, case, data)
        elif case.get("protocol") is not None:
            yield from _course(given, wanted, name, case, data)
        else:
            yield from compare(wanted, name, (), lambda *_: None, flows, case, data)
        yield from expectations.rest(case, name, DESCRIBED | set(given))
    yield from expectations.rest(data, "file", {"cases", "parameters", "state_order", "equations"})


def _cell(given: Mapping[str, float], name: str) -> Regulated:
    """The neuron with the regulation that the switch says."""
    switch = given.get(SWITCH, 0.0)
    if switch not in (0.0, 1.0):
        raise InputError(f"{SWITCH} of {name} must be 0, glial, or 1, diffusive, but is {switch:g}.")
    own = converted(NEURON, given)
    own["pump_max"] = given.get(PUMPS, 1.0) * own.get("pump_max", float(Closed().pump_max))
    regulation = Diffusive(**converted(DIFFUSIVE, given)) if switch else Glial(**converted(GLIAL, given))
    return Regulated(Closed(**own), regulation)


def _state(case: Case, name: str) -> State | None:
    """The state that a case gives, under whatever name; None if it gives none."""
    key = next((key for key in STATES if case.get(key) is not None), None)
    if key is None:
        return None
    return State(*cells.state_of(fields.table(case[key], f"{key} of {name}"), STATE, name))


def _flow(
    quantity: str, value: Any, name: str, given: Mapping[str, float], case: Case, data: Case
) -> Iterator[Question]:
    """The derivative with the regulation that the quantity names, else with that of the switch."""
    switch = next((x for word, x in (("_glial", 0.0), ("_diffusive", 1.0)) if quantity.endswith(word)), None)
    cell = _cell(given if switch is None else {**given, SWITCH: switch}, name)
    state = _state(case, name) or cell.init()
    yield from cells.flow(value, quantity, name, cell, state, STATE, data, case)


def _course(given: Mapping[str, float], wanted: Case, name: str, case: Case, data: Case) -> Iterator[Row | Question]:
    """A run through the changes of the protocol, to the time of the last row."""
    protocol = Protocol(str(case["protocol"]), (*NAMES, SWITCH, PUMPS))
    listed = courses.times_of(wanted, name)
    times = [t for *_, t in listed]
    pieces = [(_cell(now, name), end) for now, end in protocol.pieces(given, courses.end_of(name, listed))]
    start = _state(case, name) or pieces[0][0].init()
    tolerance = courses.tolerance_of(case)
    story = courses.Story(lambda: courses.run(pieces, start, times, tolerance), pieces[0][0].observe(start))
    yield from story.questions(wanted, name, listed, case, data)


class _Branch:
    """The steady states of the closed neuron along dk, followed once for all that is asked of them."""

    def __init__(self, cell: Closed):
        """Nothing is asked for yet."""
        self.cell = cell
        self.named = [0.0]  # every dk that is expected
        self.asked: set[float] = set()  # where all steady states are wanted

    def __call__(self) -> dict[str, Any]:
        """Folds and Hopf points, and the steady states at each dk that was asked for, with their eigenvalues."""
        span = min(self.named) - RANGE, max(self.named) + RANGE
        try:
            branch = simulate.follow(self.cell, lambda cell: cell.dk, span, throw=False)
        except (RuntimeError, np.linalg.LinAlgError):  # there is no steady state to start from
            branch = None
        shown = lambda points: [*points, dict.fromkeys(self.shown(self.cell.init(), 0.0), np.nan)]
        found: dict[str, Any] = {
            kind: shown([self.shown(point.state, point.parameter) for point in points])
            for kind, points in (("folds", branch.folds if branch else ()), ("hopf", branch.hopf if branch else ()))
        }
        for dk in self.asked:
            cell = self.at(dk)
            states = [_settled(cell, near) for near in _near(branch, dk)] if branch else []
            states = [state for state in states if np.isfinite(state.v)]
            found[str(dk)] = shown([self.shown(state, dk) for state in states])
            nothing = np.full(len(ClosedState._fields), np.nan + 0j)
            found[f"eigenvalues {dk}"] = [*(simulate.stability(cell, state) for state in states), nothing]
        return found

    def at(self, dk: float) -> Closed:
        """The neuron at a dk."""
        return eqx.tree_at(lambda cell: cell.dk, self.cell, as_array(dk))

    def shown(self, state: ClosedState, dk: float) -> dict[str, float]:
        """What is observed there, and dk."""
        return {key: float(x) for key, x in self.at(dk).observe(state).items()} | {"dk": dk}

    def questions(self, wanted: Case, name: str, case: Case, data: Case) -> Iterator[Row | Question]:
        """One question for each number of each point; a point is compared with the nearest one that was found."""
        example = self.shown(self.cell.init(), 0.0)
        for kind in ("equilibria", "folds", "hopf"):
            points = fields.tables(wanted.get(kind), f"{kind} of {name}")
            for k, point in enumerate(points):
                where = f"{name} {kind}[{k + 1}]"
                dk = expectations.number_of(point, "dk", where) if kind != "equilibria" or "dk" in point else 0.0
                self.named.append(dk)
                self.asked |= {dk} if kind == "equilibria" else set()
                v = expectations.number_of(point, "V", where)
                place = str(dk) if kind == "equilibria" else kind

                def known(quantity: str, _: Any, place: str = place, v: float = v) -> Reading | None:
                    if courses.read(example, quantity) is None:
                        return None
                    return Reading(self.__call__, lambda found: courses.read(_nearest(found[place], v), quantity))

                yield from compare(point, where, (), known, (), case, data)
                yield from self.spectrum(wanted, name, k, v, dk, case, data) if kind == "equilibria" else ()
        yield from compare(wanted, name, (), lambda *_: None, BRANCH, case, data)

    def spectrum(
        self, wanted: Case, name: str, k: int, v: float, dk: float, case: Case, data: Case
    ) -> Iterator[Question]:
        """The eigenvalues at the k-th equilibrium."""
        for quantity, unit in (("eigenvalues_per_s", 1e3), ("eigenvalues_per_ms", 1.0)):
            lists = fields.rows_of(wanted.get(quantity), f"{quantity} of {name}")
            if k < len(lists):
                take = lambda found, unit=unit: unit * found[f"eigenvalues {dk}"][_place(found[str(dk)], v)]
                where = f"{name} equilibria[{k + 1}]"
                count = len(ClosedState._fields)
                yield from spectrum.questions(lists[k], quantity, where, count, self.__call__, take, (), case, data)


def _near(branch: simulate.Branch, dk: float) -> list[ClosedState]:
    """Where the branch passes a dk, by interpolation."""
    found = []
    for k, (a, b) in enumerate(itertools.pairwise(branch.parameter - dk)):
        if a == 0.0 or a * b < 0.0:
            between = lambda x, k=k, share=a / (a - b): as_array((1.0 - share) * x[k] + share * x[k + 1])
            found.append(jax.tree.map(between, branch.state))
    return found


def _place(points: Any, v: float) -> int:
    """Which point is nearest in V."""
    return int(np.argmin([np.nan_to_num(abs(point["V"] - v), nan=np.inf) for point in points]))


def _nearest(points: Any, v: float) -> Mapping[str, Any]:
    """The point that is nearest in V."""
    return points[_place(points, v)]


@compiled
def _settled(cell: Closed, near: ClosedState) -> ClosedState:
    """The steady state next to a state, stable or not."""
    flat, unravel = ravel_pytree(near)
    found = damped(lambda x: ravel_pytree(cell.derivative(unravel(x), jnp.zeros(())))[0], flat)
    return unravel(jnp.where(found.converged, found.x, jnp.nan))
