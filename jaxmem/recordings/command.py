"""The command that was applied, from wherever it is kept: a file, a step table, an array or a Protocol."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxmem.protocols import Protocol, sweeps
from jaxmem.recordings.alignment import aligned, of_samples
from jaxmem.recordings.columns import Role, scaled, understand
from jaxmem.recordings.delimited import numbers, read_table
from jaxmem.recordings.formats import Format, format_of
from jaxmem.recordings.mat import read_variables
from jaxmem.recordings.npz import by_role, interval, name_the_only, read_arrays, vector
from jaxmem.recordings.steps import is_step_table, read_steps
from jaxmem.results import InputError


@dataclass(frozen=True)
class _Samples:
    """Voltages of a file, (rows, samples) in mV, and their times [ms] where it has any."""

    path: Path
    v: np.ndarray
    t: np.ndarray | None

    def command(self, hold: bool) -> Protocol:
        """The samples at their times as a command, or a family."""
        rows = [of_samples(self.t, row, hold=hold) for row in self.v]
        return rows[0] if len(rows) == 1 else sweeps(rows)


def read_protocol(
    path: str | os.PathLike,
    *,
    units: Mapping[str, str] | None = None,
    dt: float | None = None,
    held: bool = True,
) -> Protocol:
    """The command in a file: a step table, samples of voltage (CSV, NPZ or MATLAB), or that of a recording.

    Its times are those of the file. Before its start it is at its first voltage; a family is held at the first
    voltage of its first sweep. `protocol.held_at` changes that.

    **Arguments**

    - `units`: units of columns or variables that do not say theirs.
    - `dt`: sampling interval [ms] of samples without times.
    - `held`: each sample is kept until the next; if False, straight lines join them.

    **Raises:** `InputError` if it cannot be read, has no voltage, or has samples without times and no `dt` is given.
    """
    found = _from_file(Path(path), units)
    if isinstance(found, Protocol):
        return together(found)
    if found.t is None:
        if dt is None:
            raise InputError(f"{path}: has no times; give its sampling interval in ms (dt=0.1, --dt '0.1 ms')")
        found = _Samples(found.path, found.v, dt * np.arange(found.v.shape[1]))
    return together(found.command(held))


def together(protocol: Protocol) -> Protocol:
    """The command with one holding voltage for all sweeps: the first one's."""
    if protocol.family is None:
        return protocol
    return protocol.held_at(np.full(protocol.family, float(np.asarray(protocol.holding)[0])))


def command_of(
    protocol,
    t: Float[np.ndarray, " samples"],
    sweeps: int = 1,
    *,
    units: Mapping[str, str] | None = None,
    held: bool = True,
) -> Protocol | Float[np.ndarray, "rows samples"]:
    """The command of a recording with sample times `t` [ms]: a Protocol, or samples [mV] that are at these times.

    **Arguments**

    - `protocol`: the path of a protocol file; an array [mV], (samples,) or (sweeps, samples); or a Protocol, which
      is passed on.
    - `t`: times of the recording [ms].
    - `sweeps`: how many sweeps it has.
    - `units`, `held`: as for `read_protocol`.

    A protocol file is a CSV table of time and voltage; a step table (``start_ms,duration_ms,voltage_mV``, or with
    ``v_start_mV,v_end_mV`` for ramps); or a .mat or .npz file, which without times must have one voltage sample per
    sample of the recording.

    **Raises:** `InputError` if it cannot be read, does not cover the recording, or has another number of sweeps.
    """
    who = "protocol"
    if isinstance(protocol, (str, os.PathLike)):
        found, who = _from_file(Path(protocol), units), str(protocol)
        last = 0.0
        if isinstance(found, _Samples):
            if found.t is not None:
                last = found.t[-1] - found.t[-2]
            found = found.v if found.t is None else found.command(held)
        if isinstance(found, Protocol):
            _cover(who, found, t, last)
            found = together(found)
    elif isinstance(protocol, Protocol):
        found = protocol
    else:
        try:
            found = np.asarray(protocol, float)
        except (TypeError, ValueError):
            raise InputError(
                f"a protocol must be a path, an array [mV] or a Protocol, but is a {type(protocol).__name__}"
            ) from None
    if not isinstance(found, Protocol):
        found = np.atleast_2d(found)
        if found.ndim != 2 or found.shape[1] != t.size:
            raise InputError(
                f"{who}: must have one voltage per sample of the recording ({t.size}), but has {found.shape[-1]}; give "
                "it as a table with times, or cut it to the recording"
            )
    count = (found.family or 1) if isinstance(found, Protocol) else found.shape[0]
    if count not in (1, sweeps):
        raise InputError(f"{who}: must have one sweep or as many as the recording ({sweeps}), but has {count}")
    return found


def command_at(
    protocol, t: Float[np.ndarray, " samples"], sweeps: int = 1, *, units: Mapping[str, str] | None = None
) -> Float[np.ndarray, "rows samples"]:
    """The command at the times of a recording [mV], one row for all sweeps or one per sweep.

    **Arguments:** as for `command_of`.
    **Raises:** `InputError`, as `command_of` does.
    """
    found = command_of(protocol, t, sweeps, units=units)
    if not isinstance(found, Protocol):
        return found
    found = aligned(found, t)
    return np.stack([np.asarray(found.sweep(i)(t), float) for i in range(found.family or 1)])


def _cover(path: str, command: Protocol, t: np.ndarray, last: float) -> None:
    """A command of a file must span a recording; its last sample lasts for `last` [ms], or one of the recording."""
    dt = t[1] - t[0]
    begin, end = float(np.max(command.t[..., 0])), float(np.min(command.t[..., -1]))
    if t[0] < begin - 1e-6 * dt or t[-1] > end + max(dt, last) * (1 + 1e-6):
        raise InputError(
            f"{path}: the protocol spans {begin:g} to {end:g} ms and must cover the recording, which spans {t[0]:g} to "
            f"{t[-1]:g} ms"
        )


def _from_file(path: Path, units: Mapping[str, str] | None) -> Protocol | _Samples:
    kind = format_of(path)
    if kind is Format.ABF:
        return _of_recording(path, units)
    if kind is Format.TEXT:
        return _from_table(path, units)
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
    if v.ndim != 2:
        raise InputError(f"{path}: voltage must have shape (samples,) or (sweeps, samples), but has {v.shape}")
    times, dt = vector(path, found, Role.TIME), interval(path, found, None)
    if times is None and dt is not None:
        times = dt * np.arange(v.shape[1])
    return _Samples(path, v, None) if times is None else _timed(path, times, v)


def _from_table(path: Path, units: Mapping[str, str] | None) -> Protocol | _Samples:
    table = read_table(path)
    if is_step_table(table):
        return read_steps(table).command
    columns = understand(table.path, table.names, units)
    times = [c for c in columns if c.role is Role.TIME]
    volts = [c for c in columns if c.role is Role.VOLTAGE]
    if volts and {Role.SWEEP, Role.SIGNAL} <= {c.role for c in columns}:
        return _of_recording(path, units)
    if len(times) != 1 or not volts:
        raise InputError(
            f"{table.path}: a protocol must have columns 'time [ms],voltage [mV]' or "
            f"'start_ms,duration_ms,voltage_mV', but has {', '.join(table.names)[:120]}"
        )
    values = numbers(table, [c.index for c in times + volts])
    v = np.stack([scaled(table.path, c.name, c.factor, values[:, k]) for k, c in enumerate(volts, 1)])
    return _timed(path, scaled(table.path, times[0].name, times[0].factor, values[:, 0]), v)


def _of_recording(path: Path, units: Mapping[str, str] | None) -> _Samples:
    """The command of a recording's file; one row if all sweeps have the same."""
    from jaxmem.recordings.read import read

    recording = read(path, units=units)
    v = recording.command_v
    return _Samples(path, v[:1] if np.all(v == v[0]) else v, recording.t)


def _timed(path, times: np.ndarray, v: np.ndarray) -> _Samples:
    if times.size != v.shape[1] or times.size < 2:
        raise InputError(
            f"{path}: time and voltage must have equal lengths of at least 2, but have {times.size} and {v.shape[1]}"
        )
    if np.any(np.diff(times) < 0):
        raise InputError(
            f"{path}: the times of a protocol must not decrease, but do after {times[np.argmax(np.diff(times) < 0)]:g} "
            "ms"
        )
    if times[-1] == times[0]:
        raise InputError(f"{path}: the times of a protocol must span some time, but are all {times[0]:g} ms")
    return _Samples(path, v, times)
