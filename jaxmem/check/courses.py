"""Time courses of cells with moving ions: runs through changes of parameters, and what rows and summaries ask."""

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import simulate, units
from ..cell import AbstractCell
from ..results import InputError
from . import events, expectations, fields
from .points import RTOL, Case, Question, Reading, compare
from .row import Row
from .spoken import NUMBER

SAMPLES = 16384  # of every piece of a run, so that one compiled program makes all of them
MOST = 5_000_000  # steps of a piece
#: The integrator is so much more exact than what is asked of rows and of summaries alone, within the two limits.
MARGIN, OF_SUMMARY, FINEST, COARSEST = 3e-4, 3e-3, 1e-9, 1e-4


@dataclasses.dataclass(frozen=True)
class Course:
    """What a run shows: times [s], and what is observed there."""

    t: np.ndarray
    observed: dict[str, np.ndarray]
    state: Any

    def at(self, t: float) -> dict[str, Any]:
        """What is observed at a time that was asked for."""
        place = int(np.argmin(np.abs(self.t - t)))
        return {key: x[place] for key, x in self.observed.items()}


def run(pieces: Sequence[tuple[AbstractCell, float]], start: Any, times: Sequence[float], tolerance: float) -> Course:
    """A run of cells one after the other, each to its end [s], sampled densely and at the times [s]."""
    method = simulate.Adaptive(rtol=tolerance, atol=tolerance, most=MOST)
    t, shown, begin, state = [], [], 0.0, start
    for cell, end in pieces:
        grid = _grid(end - begin, [x - begin for x in times if begin <= x <= end])
        trace = simulate.current_clamp(cell, None, 1e3 * grid, init=state, method=method, throw=False)
        t.append(begin + grid)
        shown.append({key: np.asarray(x) for key, x in trace.observed.items()})
        begin, state = end, trace.state
    observed = {key: np.concatenate([piece[key] for piece in shown]) for key in shown[0]}
    return Course(np.concatenate(t), observed, state)


def _grid(length: float, times: Sequence[float]) -> np.ndarray:
    """Equal distances, but where a time is asked for it takes the place of the nearest one."""
    even = np.linspace(0.0, length, SAMPLES)
    wanted = np.unique(np.asarray(times, float))
    place = np.round(wanted / length * (SAMPLES - 1)).astype(int)
    if len(np.unique(place)) < len(place):
        return np.unique(np.concatenate([even, wanted]))
    even[place] = wanted
    return even


def tolerance_of(case: Case) -> float:
    """The tolerance of the integrator that suits a case: rows may lie within a spike, so that they ask for more."""
    asked = [fields.number(case[key], key) for key in ("rtol", "rtol_summary") if case.get(key) is not None]
    margin = MARGIN if "rows" in fields.table(case.get("expected"), "expected") else OF_SUMMARY
    return float(np.clip(margin * min(asked, default=RTOL), FINEST, COARSEST))


def key_of(quantity: str) -> tuple[str, float]:
    """How what is observed is found, `Nai_mM` as well as `Na_i`: letters alone; and how many of its units are in one of
    the cell's."""
    stem, unit, kind = fields.unit_of(quantity)
    return stem.replace("_", "").lower(), 1.0 / units.factor(unit) if kind else 1.0


def by_letters(observed: Mapping[str, Any]) -> dict[str, Any]:
    """What is observed under the names that `key_of` gives."""
    return {key.replace("_", "").lower(): x for key, x in observed.items()}


def read(observed: Mapping[str, Any], quantity: str) -> Any:
    """An observed quantity in the unit at the end of its name; None if there is none."""
    key, unit = key_of(quantity)
    found = by_letters(observed).get(key)
    return None if found is None else unit * found


@dataclasses.dataclass(frozen=True)
class Feature:
    """A number that a whole run shows: of which quantity, and how it is found from times [s] and values."""

    of: str
    find: Callable[[np.ndarray, np.ndarray], float]


def feature(quantity: str, since: float = 0.0) -> Feature | None:
    """An extremum `ke_max_mM`, or when a level is crossed, `t_ke_first_above_20mM_s`; None if it is neither.

    The first crossing is upward, the last one (`last_above`) is downward.

    **Arguments:** `since` [s]: from when on extrema are looked for.
    """
    crossing = re.fullmatch(rf"t_(\w+?)(?:_(first|last))?_above_{NUMBER}([a-zA-Z]*)_s", quantity)
    if crossing:
        name, which, level, unit = crossing.groups()
        sign, place = (-1.0, -1) if which == "last" else (1.0, 0)

        def when(t: np.ndarray, x: np.ndarray) -> float:
            found = events.crossings(t, sign * x, sign * float(level), np.inf)
            return float(found[place]) if found.size else np.nan

        return Feature(f"{name}_{unit}" if unit else name, when)
    extremum = re.fullmatch(r"(\w+)_(max|min)((?:_\w+)?)", quantity)
    if extremum:
        take = {"max": np.max, "min": np.min}[extremum[2]]
        return Feature(extremum[1] + extremum[3], lambda t, x: float(take(x[t >= since])) if t[-1] >= since else np.nan)
    return None


def late(case: Case, t: float) -> Case:
    """The tolerances of a case for its row at a time [s]: `rtol_late` where `rtol_late_applies_to` has it."""
    since = re.search(rf"t_s\s*>=?\s*{NUMBER}", str(case.get("rtol_late_applies_to", "")))
    if case.get("rtol_late") is None or since is None or t <= float(since[1]):
        return case
    return {**{key: case[key] for key in case if key.startswith("atol")}, "rtol": case["rtol_late"]}


Times = list[tuple[Case, str, str, float]]
LONGEST = 1e5  # [s]


def end_of(name: str, listed: Times, said: float = 0.0) -> float:
    """When a run ends [s]: at its last row, or as long as is said.

    **Raises:** `InputError` if it would have no length, or never end.
    """
    end = max([said, *(t for *_, t in listed)])
    if not 0.0 < end <= LONGEST:
        raise InputError(
            f"{name} must have rows after t_s = 0, or say in its protocol how long it runs, as in '; 200 s;', at most "
            f"{LONGEST:g} s; its end would be {end:g} s."
        )
    return end


def times_of(wanted: Case, name: str) -> Times:
    """The rows of what is expected: each with what it is called, and the name and value [s] of its time."""
    found = []
    for row, where in expectations.rows_of(wanted, name):
        key, t = fields.measured(row, "t_s", where)
        found.append((row, where, key, fields.not_negative(t, f"{key} of {where}")))
    return found


@dataclasses.dataclass(frozen=True)
class Story:
    """A run, and what is asked of it.

    **Arguments:** `make`: the run; `example`: what is observed, at any state; `special`: further numbers of the whole
    run, by name, of which `lists` are lists; `since` [s]: from when on extrema are looked for.
    """

    make: Callable[[], Course]
    example: Mapping[str, Any]
    special: Mapping[str, Callable[[Course], Any]] = dataclasses.field(default_factory=dict)
    lists: frozenset[str] = frozenset()
    since: float = 0.0

    def knows(self, quantity: str) -> bool:
        """Whether a quantity is observed."""
        return read(self.example, quantity) is not None

    def questions(self, wanted: Case, name: str, listed: Times, case: Case, data: Case) -> Iterator[Row | Question]:
        """One question for each quantity of each row, of the summary, and of what else is expected."""
        whole = {**fields.table(wanted.get("summary"), f"summary of {name}"), **wanted}
        features = {key: found for key in whole if (found := feature(key, self.since)) and self.knows(found.of)}
        asked = {key for row, *_ in listed for key in row if self.knows(key)}

        def compute() -> dict[str, Any]:
            course = self.make()
            at = [course.at(t) for *_, t in listed]
            return {
                "rows": [{key: read(shown, key) for key in asked} for shown in at],
                "whole": {key: x.find(course.t, read(course.observed, x.of)) for key, x in features.items()},
                "special": {key: find(course) for key, find in self.special.items()},
            }

        def known(quantity: str, value: Any) -> Reading | None:
            kind = "special" if quantity in self.special else "whole" if quantity in features else None
            if kind is None:
                return None
            if quantity not in self.lists:
                return Reading(compute, lambda found: found[kind][quantity], words=("summary",))
            count = len(fields.rows_of(value, f"{quantity} of {name}"))
            take = lambda found: events.filled(found[kind][quantity], count)
            return Reading(compute, take, tuple(str(k + 1) for k in range(count)), words=("summary",))

        for k, (row, where, key, t) in enumerate(listed):
            here = lambda quantity, _, k=k: (
                Reading(compute, lambda found: found["rows"][k][quantity]) if quantity in asked else None
            )
            yield from compare(row, where, (), here, {key}, late(case, t), data)
        yield from compare(fields.table(wanted.get("summary"), name), f"{name} summary", (), known, (), case, data)
        yield from compare(wanted, name, (), known, {"rows", "summary"}, case, data)
