"""Step tables: rows of start, duration and voltage, and ramps between two voltages."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxmem import units as unit_system
from jaxmem.protocols import Protocol
from jaxmem.recordings.columns import scaled, split_name
from jaxmem.recordings.delimited import Table, numbers
from jaxmem.results import InputError

_FORM = "'start_ms,duration_ms,voltage_mV' (or 'start_ms,duration_ms,v_start_mV,v_end_mV,kind')"
_UNITS = {"start": "ms", "duration": "ms", "voltage": "mV", "v": "mV", "v_start": "mV", "v_end": "mV"}


@dataclass(frozen=True)
class Steps:
    """Consecutive pieces of a command: [start, start + duration) from `first` to `last`, in ms and mV.

    At a time in no piece, after the end, the last voltage holds.
    """

    path: str
    start: Float[np.ndarray, " pieces"]
    duration: Float[np.ndarray, " pieces"]
    first: Float[np.ndarray, " pieces"]
    last: Float[np.ndarray, " pieces"]

    @property
    def command(self) -> Protocol:
        """The pieces as a command, held at its first voltage before the start."""
        edges = np.append(self.start, self.start[-1] + self.duration[-1])
        nothing = np.zeros((self.start.size, 0))
        zeros = np.zeros(self.start.size)
        return Protocol(edges, self.first, self.last, nothing, nothing, zeros, self.first[0])


def is_step_table(table: Table) -> bool:
    """Whether the columns are those of a step table."""
    names = {split_name(name)[0].lower() for name in table.names}
    return {"start", "duration"} <= names


def read_steps(table: Table) -> Steps:
    """The pieces of a step table, checked to follow each other.

    **Raises:** `InputError` if a column or unit is missing, or rows overlap or leave gaps.
    """
    found = {}
    for index, text in enumerate(table.names):
        name, unit = split_name(text)
        if name.lower() not in _UNITS:
            continue
        try:
            found[name.lower()] = index, unit_system.factor(unit or "", _UNITS[name.lower()])
        except ValueError:
            raise InputError(f"{table.path}: column '{text[:40]}' must say its unit, like {_FORM}") from None
    voltage = [name for name in ("voltage", "v") if name in found]
    levels = ("v_start", "v_end") if "v_start" in found and "v_end" in found else (voltage * 2)[:2]
    if not levels:
        raise InputError(
            f"{table.path}: a step table must have the columns {_FORM}, but has {', '.join(table.names)[:120]}"
        )
    names = ("start", "duration", *levels)
    values = numbers(table, [found[n][0] for n in names])
    start, duration, first, last = (scaled(table.path, n, found[n][1], values[:, k]) for k, n in enumerate(names))
    tolerance = 1e-6 * max(1.0, float(np.abs(start).max()))
    if np.any(duration <= 0):
        raise InputError(
            f"{table.path}: line {table.places[int(np.argmax(duration <= 0))]}: a duration must be positive"
        )
    gap = start[1:] - (start + duration)[:-1]
    if np.any(np.abs(gap) > tolerance):
        k = int(np.argmax(np.abs(gap) > tolerance))
        raise InputError(
            f"{table.path}: line {table.places[k + 1]}: each row must start where the one before ends "
            f"({start[k] + duration[k]:g} ms), but starts at {start[k + 1]:g} ms"
        )
    return Steps(table.path, start, duration, first, last)
