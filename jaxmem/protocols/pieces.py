"""Constructors of voltage commands: steps, ramps, sines, staircases, and commands given by samples or
tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..results import InputError
from .protocol import Protocol, sweeps


def _piece(
    start: Any, stop: Any, duration: Any, amplitude: Any = (), frequency: Any = (), origin: float = 0.0
) -> Protocol:
    if not np.all(np.asarray(duration) >= 0):
        raise InputError(f"A duration must not be negative, but is {duration} ms.")
    stack = lambda x: jnp.stack([x]) if isinstance(x, Tracer) else np.asarray([x], np.float64)
    first = start
    if len(amplitude):
        first = start - sum(a * np.sin(w * origin) for a, w in zip(amplitude, frequency, strict=True))
    return Protocol(
        np.array([0.0, duration]),
        stack(start),
        stack(stop),
        stack(jnp.asarray(amplitude) if any(isinstance(a, Tracer) for a in amplitude) else amplitude),
        stack(frequency),
        np.array([origin]),
        first,
    )


def step(v: Any, duration: float) -> Protocol:
    """A constant command of v [mV] for a duration [ms]."""
    return _piece(v, v, duration)


def ramp(v0: Any, v1: Any, duration: float) -> Protocol:
    """A straight line from v0 to v1 [mV] in a duration [ms]."""
    return _piece(v0, v1, duration)


def sine(
    offset: Any,
    amplitudes: Sequence[Any],
    frequencies: Sequence[float],
    duration: float,
    *,
    origin: float = 0.0,
) -> Protocol:
    """offset + sum_j amplitude_j sin(frequency_j (time - origin)) for a duration.

    **Arguments:** `offset`, `amplitudes` [mV]; `frequencies` [rad/ms]; `duration` [ms]; `origin` [ms]: when
    the sines are at zero, counted from the start of this piece (negative if they started before it).
    """
    if len(amplitudes) != len(frequencies):
        raise InputError(
            f"Each sine must have an amplitude and a frequency, but there are {len(amplitudes)} and {len(frequencies)}."
        )
    return _piece(offset, offset, duration, amplitudes, frequencies, origin)


def staircase(voltages: Iterable[Any], duration: float) -> Protocol:
    """Equal steps to each of the voltages [mV], `duration` [ms] each."""
    return joined([step(v, duration) for v in voltages])


def joined(protocols: Sequence[Protocol]) -> Protocol:
    """Commands one after another."""
    if not protocols:
        raise InputError("There must be at least one command to join, but none was given.")
    whole = protocols[0]
    for following in protocols[1:]:
        whole = whole + following
    return whole


def _samples(t: Any, v: Any, name: str) -> tuple[np.ndarray, Any]:
    t = np.asarray(t, np.float64)
    v = v if isinstance(v, Tracer) else np.asarray(v, np.float64)
    if t.ndim != 1 or t.size < 2 or v.ndim not in (1, 2) or v.shape[-1] != t.size:
        raise InputError(
            f"{name}(t, v) must have at least two times and as many voltages (or sweeps by times), "
            f"but t has shape {t.shape} and v {v.shape}."
        )
    return t, v


def _sampled(t: np.ndarray, start: Any, stop: Any, holding: Any) -> Protocol:
    zeros = np.zeros(start.shape)
    times = np.broadcast_to(t, (*start.shape[:-1], t.size))
    nothing = np.zeros((*start.shape, 0))
    return Protocol(times, start, stop, nothing, nothing, zeros, holding)


def held(t: Any, v: Any) -> Protocol:
    """A command that keeps each sample until the next, as a digital-to-analog converter does; recorded
    files are of this kind.

    **Arguments:** `t` [ms] (samples,), increasing; `v` [mV] (samples,) or (sweeps, samples). The last
    sample is kept for ever.
    """
    t, v = _samples(t, v, "held")
    if np.any(np.diff(t) <= 0):
        raise InputError("The sample times of a held command must increase.")
    # The last sample gets a piece of no duration, so that it is what the command keeps after its end.
    return _sampled(np.append(t, t[-1]), v, v, v[..., 0])


def sampled(t: Any, v: Any) -> Protocol:
    """A command that runs straight from sample to sample; a time given twice is a jump.

    **Arguments:** `t` [ms] (samples,), not decreasing; `v` [mV] (samples,) or (sweeps, samples).
    """
    t, v = _samples(t, v, "sampled")
    if np.any(np.diff(t) < 0):
        raise InputError("The sample times of a command must not decrease.")
    return _sampled(t, v[..., :-1], v[..., 1:], v[..., 0])


def from_table(rows: Iterable[Sequence[float]]) -> Protocol:
    """A command from rows (start [ms], duration [ms], voltage [mV]) or (start, duration, first voltage,
    last voltage).

    **Raises:** `InputError` if a row starts where the one before it does not end.
    """
    whole: Protocol | None = None
    for number, row in enumerate(rows, 1):
        if len(row) not in (3, 4):
            raise InputError(
                "A row of a step table must hold start, duration and one or two voltages, "
                f"but row {number} is {tuple(row)}."
            )
        begin, duration = float(row[0]), float(row[1])
        if whole is not None and not abs(float(whole.t[-1]) - begin) <= 1e-6 * max(1.0, abs(begin)):
            raise InputError(
                f"Row {number} of a step table must start where the one before ends ({whole.t[-1]:g} ms), "
                f"but starts at {begin:g}."
            )
        piece = ramp(row[2], row[-1], duration).delayed(begin if whole is None else 0.0)
        whole = piece if whole is None else whole + piece
    if whole is None:
        raise InputError("A step table must have at least one row.")
    return whole


def family(make: Any, values: Iterable[Any]) -> Protocol:
    """One command for each value: ``family(lambda v: step(-80, 10) + step(v, 500), range(-60, 50, 10))``."""
    return sweeps([make(value) for value in values])


def to_table(protocol: Protocol) -> list[Mapping[str, float]]:
    """The pieces of a single command without sines as rows start_ms, duration_ms, v_start_mV, v_end_mV."""
    if protocol.family is not None:
        raise InputError("A step table must hold a single command; pick one of the family by `protocol.sweep(i)`.")
    if np.any(protocol.amplitude):
        raise InputError("A step table cannot hold sines.")
    keys = ("start_ms", "duration_ms", "v_start_mV", "v_end_mV")
    columns = (protocol.t[:-1], np.diff(protocol.t), protocol.start, protocol.stop)
    return [dict(zip(keys, map(float, row), strict=True)) for row in zip(*columns, strict=True) if row[1] > 0]
