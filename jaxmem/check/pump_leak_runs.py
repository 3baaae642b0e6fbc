"""Runs of pump-leak cells from given amounts, with a pump that is switched at given times."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import equinox as eqx
import numpy as np

from .. import simulate
from ..library.dusterwald_2018 import PumpLeak, State
from ..params import as_array
from ..results import InputError
from . import expectations, fields
from .points import Case, Question, Reading
from .row import Row
from .spoken import NUMBER

TOLERANCE = 1e-9  # of a step
SAMPLES = 16  # of every piece of a run at least, so that one compiled program serves many files
#: What a row expects, what the cell calls it, and how many of the row's units are in one of the cell's.
QUANTITIES = {key: (key.removesuffix("_mV"), 1.0) for key in ("V_mV", "E_Na_mV", "E_K_mV", "E_Cl_mV")}
QUANTITIES |= {key: (key.removesuffix("_mM"), 1.0) for key in ("Na_in_mM", "K_in_mM", "Cl_in_mM", "X_in_mM")}
QUANTITIES |= {"volume_L": ("volume", 1e-12), "Jp_C_per_dm2_s": ("pump", 1e-4)}
AMOUNTS = {"N_Na": 1e15, "N_K": 1e15, "N_Cl": 1e15, "volume": 1e12}  # mol and L in fmol and pL
Piece = tuple[PumpLeak, float]  # a cell, and when it ends [s]


class Runs:
    """The runs of a file: all are made at once, by one compiled program."""

    def __init__(self) -> None:
        """None so far."""
        self.asked: list[tuple[State, list[Piece], list[float]]] = []

    def add(self, start: State, pieces: list[Piece], times: list[float]) -> int:
        """Asks for a run with samples at times [s]; the place of its result."""
        self.asked.append((start, pieces, times))
        return len(self.asked) - 1

    def __call__(self) -> list[dict[str, np.ndarray]]:
        """What is observed in each run at each of its times."""
        longest = max(len(times) for *_, times in self.asked)
        size = max(SAMPLES, 1 << longest.bit_length())
        return [_run(*asked, size) for asked in self.asked]


def rows(runs: Runs, cell: PumpLeak, case: Case, name: str, *places: Case) -> Iterator[Row | Question]:
    """One row for each quantity at each time of a case."""
    parameters = fields.table(case["parameters"], f"parameters of {name}")
    found = [(row, where, *fields.measured(row, "t_s", where)) for row, where in expectations.rows_of(case, name)]
    times = sorted({t for *_, t in found})
    if times and times[0] < 0.0:
        raise InputError(f"t_s of {name} must not be negative, but one is {times[0]:g}.")
    if times:
        run = runs.add(_start(cell, parameters, name), _pieces(cell, parameters, name), times)
    for row, where, key, t in found:

        def known(quantity: str, _: Any, place: int = times.index(t)) -> Reading | None:
            if quantity not in QUANTITIES:
                return None
            own, unit = QUANTITIES[quantity]
            return Reading(runs.__call__, lambda results: unit * results[run][own][place])

        yield from expectations.expected(row, where, (), known, {key}, case, *places)
    yield from expectations.rest(case, name, {"equations", "parameters", "rows", "integrator_disagreement_rel"})


def _start(cell: PumpLeak, parameters: Case, name: str) -> State:
    """The state at time 0: the amounts of the case, else the analytic steady state."""
    key = "initial_amounts_mol_and_volume_L"
    if parameters.get(key) is None:
        return cell.init()
    where = f"{key} of {name}"
    given = fields.table(parameters[key], where)
    amounts = (unit * expectations.above_zero(given, own, where) for own, unit in AMOUNTS.items())
    return cell.filled(*map(as_array, amounts))


def _pieces(cell: PumpLeak, parameters: Case, name: str) -> list[Piece]:
    """The cell between the switches of its pump.

    The protocol's text says what the pump does, `p = 0.1 for t<0; p = 0 for 0<=t<600 s; p = 0.1 afterwards`. When it
    does it is in `switch_times` if these are given. What the text has for the time before 0 stands for the pump of the
    parameters.
    """
    protocol = fields.table(parameters.get("protocol"), f"protocol of {name}")
    where = f"switch_times of {name}"
    switches = [fields.not_negative(t, where) for t in fields.rows_of(protocol.get("switch_times"), where)]
    steps = re.findall(rf"p\s*=\s*{NUMBER}\s*(?:C\S*\s*)?(?:for\s+([^;]*)|afterwards)", str(protocol.get("text", "")))
    before = {float(p) for p, when in steps if re.fullmatch(r"t\s*<\s*0\s*(?:s\s*)?", when)}
    after = [float(p) for p, when in steps if not re.fullmatch(r"t\s*<\s*0\s*(?:s\s*)?", when)]
    if not switches:
        ends = (re.search(rf"t\s*<=?\s*{NUMBER}", when) for _, when in steps[len(steps) - len(after) :])
        switches = [float(end[1]) for end in ends if end]
    if not switches:
        return [(cell, np.inf)]
    if len(after) != len(switches) + 1 or any(b <= a for a, b in itertools.pairwise(switches)):
        raise InputError(
            f"The protocol of {name} must say in its text what p is between the {len(switches)} switch_times and after "
            "them, as in 'p = 0 for 0<=t<600 s; p = 0.1 afterwards', and these must increase."
        )
    pump = lambda p: cell.pump if p in before else as_array(1e4 * p)
    cells = [eqx.tree_at(lambda c: c.pump, cell, pump(p)) for p in after]
    return list(zip(cells, [*switches, np.inf], strict=True))


def _run(state: State, pieces: list[Piece], times: list[float], size: int) -> dict[str, np.ndarray]:
    """What is observed at the times [s]; every piece has the same number of samples, so that one program runs all."""
    method = simulate.Adaptive(rtol=TOLERANCE, atol=TOLERANCE)
    found: list[dict[str, np.ndarray]] = []
    begin = 0.0
    for cell, end in pieces:
        here = [t for t in times if begin < t <= end or t == begin == 0.0]
        stop = end if np.isfinite(end) and times[-1] > end else max([begin, *here])
        wanted = 1e3 * (np.asarray(here) - begin)
        samples = np.unique(np.append(wanted, 1e3 * (stop - begin)))
        if samples[-1] > 0.0:
            fill = samples[-1] * 0.5 ** np.arange(1, 2 * size)
            fill = fill[~np.isin(fill, samples)][: size - len(samples)]
            t = np.sort(np.append(samples, fill))
            trace = simulate.current_clamp(cell, None, t, init=state, method=method, throw=False)
            place = np.searchsorted(t, wanted)
            found.append({key: np.asarray(x)[place] for key, x in trace.observed.items()})
            state = trace.state
        elif here:
            found.append({key: np.asarray(x)[None] for key, x in cell.observe(state).items()})
        begin = stop
        if begin >= times[-1]:
            break
    return {key: np.concatenate([piece[key] for piece in found]) for key in found[0]}
