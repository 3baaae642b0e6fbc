"""The command that was applied, from wherever it is kept: a file, a step table, an array or a Protocol."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxmem.protocols import Protocol
from jaxmem.recordings.columns import Role, scaled, understand
from jaxmem.recordings.delimited import Table, numbers, read_table
from jaxmem.recordings.formats import Format, format_of
from jaxmem.recordings.mat import read_variables
from jaxmem.recordings.npz import by_role, interval, name_the_only, read_arrays, vector
from jaxmem.recordings.steps import is_step_table, read_steps
from jaxmem.results import InputError


def command_at(
    protocol, t: Float[np.ndarray, " samples"], sweeps: int = 1, *, units: Mapping[str, str] | None = None
) -> Float[np.ndarray, "rows samples"]:
    """The command at the times of a recording [mV], one row for all sweeps or one per sweep.

    **Arguments**

    - `protocol`: the path of a protocol file; an array [mV], (samples,) or (sweeps, samples); or a Protocol,
      called at `t`.
    - `t`: times of the recording [ms].
    - `sweeps`: how many sweeps it has.
    - `units`: units of columns or variables that do not say theirs.

    A protocol file is a CSV table of time and voltage, held from each sample to the next; a step table
    (``start_ms,duration_ms,voltage_mV``, or with ``v_start_mV,v_end_mV`` for ramps); or a .mat or .npz file
    with one voltage sample per sample of the recording.

    **Raises:** `InputError` if it cannot be read, is shorter than the recording, or has another number of
    sweeps.
    """
    if isinstance(protocol, (str, os.PathLike)):
        v, who = _from_file(Path(protocol), t, units), str(protocol)
    elif isinstance(protocol, Protocol):
        count = protocol.family or 1
        v, who = np.stack([np.asarray(protocol.sweep(i)(t), float) for i in range(count)]), "protocol"
    else:
        try:
            v, who = np.asarray(protocol, float), "protocol"
        except (TypeError, ValueError):
            raise InputError(
                f"a protocol must be a path, an array [mV] or a Protocol, but is a {type(protocol).__name__}"
            ) from None
    v = np.atleast_2d(v)
    if v.ndim != 2 or v.shape[1] != t.size:
        raise InputError(
            f"{who}: must have one voltage per sample of the recording ({t.size}), but has {v.shape[-1]}; "
            "give "
            f"it as a table with times, or cut it to the recording"
        )
    if v.shape[0] not in (1, sweeps):
        raise InputError(
            f"{who}: must have one sweep or as many as the recording ({sweeps}), but has {v.shape[0]}"
        )
    return v


def _from_file(path: Path, t: np.ndarray, units: Mapping[str, str] | None) -> np.ndarray:
    kind = format_of(path)
    if kind is Format.ABF:
        from jaxmem.recordings.abf import read_abf

        return read_abf(path).command_v
    if kind is Format.TEXT:
        table = read_table(path)
        return read_steps(table).at(t) if is_step_table(table) else _from_table(table, t, units)
    arrays = read_arrays(path) if kind is Format.NPZ else read_variables(path)
    arrays = name_the_only(arrays, Role.VOLTAGE)
    found = by_role(path, arrays, units)
    if Role.VOLTAGE not in found:
        raise InputError(
            f"{path}: has no voltage among {', '.join(arrays)[:120] or 'its arrays'}; name it 'voltage_mV'"
        )
    v = found[Role.VOLTAGE][0]
    v = v.ravel()[None] if v.size == max(v.shape, default=0) else v
    v = v.T if kind is Format.MAT and v.ndim == 2 and v.shape[0] > v.shape[1] else v
    times, dt = vector(path, found, Role.TIME), interval(path, found, None)
    if times is None and dt is not None and v.ndim == 2:
        times = t[0] + dt * np.arange(v.shape[1])
    return v if times is None or v.ndim != 2 else _hold(path, times, v, t)


def _from_table(table: Table, t: np.ndarray, units: Mapping[str, str] | None) -> np.ndarray:
    columns = understand(table.path, table.names, units)
    times = [c for c in columns if c.role is Role.TIME]
    volts = [c for c in columns if c.role is Role.VOLTAGE]
    if len(times) != 1 or not volts:
        raise InputError(
            f"{table.path}: a protocol must have columns 'time [ms],voltage [mV]' or "
            f"'start_ms,duration_ms,voltage_mV', but has {', '.join(table.names)[:120]}"
        )
    values = numbers(table, [c.index for c in times + volts])
    v = np.stack([scaled(table.path, c.name, c.factor, values[:, k]) for k, c in enumerate(volts, 1)])
    return _hold(table.path, scaled(table.path, times[0].name, times[0].factor, values[:, 0]), v, t)


def _hold(path, times: np.ndarray, v: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The last value at or before each time; at a repeated time the later one."""
    if times.size != v.shape[1] or times.size < 2:
        raise InputError(
            f"{path}: time and voltage must have equal lengths of at least 2, but have {times.size} and "
            f"{v.shape[1]}"
        )
    if np.any(np.diff(times) < 0):
        raise InputError(
            f"{path}: the times of a protocol must not decrease, but do after "
            f"{times[np.argmax(np.diff(times) < 0)]:g} ms"
        )
    last = times[-1] + max(times[-1] - times[-2], t[1] - t[0]) * (1 + 1e-6)
    if t[0] < times[0] - 1e-6 * (t[1] - t[0]) or t[-1] > last:
        raise InputError(
            f"{path}: the protocol spans {times[0]:g} to {times[-1]:g} ms and must cover the recording, "
            "which spans "
            f"{t[0]:g} to {t[-1]:g} ms"
        )
    return v[:, np.searchsorted(times, t + 1e-6 * (t[1] - t[0]), side="right") - 1]
