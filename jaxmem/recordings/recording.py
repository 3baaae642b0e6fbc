"""A voltage-clamp recording: sweeps of current, the command that was applied, and which samples to use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from jaxmem.protocols import Protocol, joined, sweeps
from jaxmem.recordings.alignment import aligned, excerpt, of_samples
from jaxmem.recordings.jumps import jump_samples
from jaxmem.results import InputError

if TYPE_CHECKING:
    from jaxmem.recordings.analysis.leak import Leak


@dataclass(frozen=True, eq=False, repr=False)
class Recording:
    """Sweeps of one signal under voltage clamp. Nothing is changed in place: methods return new recordings.

    **Arguments**

    - `t`: times [ms], shape (samples,), increasing; they need not be evenly spaced.
    - `current`: the signal, shape (sweeps, samples), or (samples,) for one sweep. Outward current is
      positive.
    - `command`: the command as a `Protocol`, one for all sweeps or a family of one per sweep; or its samples
      [mV], (sweeps, samples) or (samples,), each held until the next. It is kept as a family. Each sweep starts in
      the steady state at the holding voltage of its command, for samples the first one.
    - `mask`: True where a sample is used, (sweeps, samples) or (samples,). Default: all are.
    - `name`: what to call it in tables and figures.
    - `unit`: the unit of `current`; `"pA"` unless the recording holds a density or a conductance.
    - `temperature`: [K], if known.
    - `source`: where it came from, usually the path of the file.

    **Raises** `InputError` if shapes differ, times do not increase, a value is not finite or there are fewer
    than 2 samples.
    """

    t: Float[np.ndarray, " samples"]
    current: Float[np.ndarray, "sweeps samples"]
    command: Protocol
    mask: Bool[np.ndarray, "sweeps samples"] = None  # type: ignore[assignment]
    _: KW_ONLY
    name: str = ""
    unit: str = "pA"
    temperature: float | None = None
    source: str = ""

    def __post_init__(self):
        """Checks the values and freezes the arrays."""
        who = self.source or self.name or "recording"
        t = _numbers(self.t, who, "time")
        current = np.atleast_2d(_numbers(self.current, who, "signal"))
        if t.ndim != 1 or t.size < 2:
            raise InputError(f"{who}: time must be one row of at least 2 samples, but has shape {t.shape}")
        if current.ndim != 2 or current.shape[1] != t.size or current.shape[0] == 0:
            raise InputError(
                f"{who}: the signal must have shape (sweeps, {t.size}) as time has {t.size} samples, but has "
                f"{current.shape}"
            )
        mask = np.ones(current.shape, bool) if self.mask is None else np.asarray(self.mask)
        if mask.dtype != bool:
            raise InputError(f"{who}: the mask must be boolean (True = used), but is {mask.dtype}")
        mask = _spread(mask, current.shape, who, "mask")
        _finite(t[None], t, who, "time")
        _finite(current, t, who, "signal")
        gaps = np.diff(t)
        if np.any(gaps <= 0):
            k = int(np.argmax(gaps <= 0))
            raise InputError(
                f"{who}: time must increase, but sample {k + 1} is at {t[k + 1]:g} ms after {t[k]:g} ms; if several "
                "sweeps follow each other, give a sweep column"
            )
        for field, value in (("t", t), ("current", current), ("mask", mask)):
            value = np.array(value)
            value.setflags(write=False)
            object.__setattr__(self, field, value)
        object.__setattr__(self, "command", _family(self.command, t, current.shape, who))

    def __repr__(self) -> str:
        """One line: name, sweeps, samples, times and unit."""
        used = float(self.mask.mean())
        return (
            f"Recording({self.name!r}, {self.sweeps} x {self.t.size} samples, {self.t[0]:g} to {self.t[-1]:g} ms, "
            f"{self.unit}, {100 * used:.3g} % used)"
        )

    # ---- what is in it

    @property
    def sweeps(self) -> int:
        """The number of sweeps."""
        return self.current.shape[0]

    @property
    def dt(self) -> float:
        """The median interval between samples [ms]."""
        return float(np.median(np.diff(self.t)))

    @cached_property
    def command_v(self) -> Float[np.ndarray, "sweeps samples"]:
        """The command at the times of the samples [mV]."""
        v = np.stack([np.asarray(self.command.sweep(i)(self.t), float) for i in range(self.sweeps)])
        v.setflags(write=False)
        return v

    @property
    def range(self) -> float:
        """Largest minus smallest used sample, in the unit of the signal."""
        if not self.mask.any():
            raise InputError(f"{self._who}: no sample is used; widen the mask or the window")
        used = self.current[self.mask]
        return float(used.max() - used.min())

    @property
    def _who(self) -> str:
        return self.source or self.name or "recording"

    # ---- which samples are used

    def blank(
        self,
        after: float = 5.0,
        before: float = 0.0,
        *,
        times: ArrayLike | None = None,
        threshold: float = 0.5,
    ) -> Recording:
        """Leaves out the samples around jumps of the command, where capacitances charge.

        **Arguments**

        - `after`: how long after a jump [ms]; the sample at the jump is the first left out.
        - `before`: how long before a jump [ms].
        - `times`: times of the jumps [ms]; default: found in the command, sweep by sweep.
        - `threshold`: smallest step that counts as a jump [mV], where jumps are found.
        """
        mask = self.mask.copy()
        slack = 1e-6 * self.dt  # so that 255.1 - 250.1 < 5 does not depend on rounding
        for row, v in zip(mask, self.command_v, strict=True):
            at = self.t[jump_samples(v, threshold)] if times is None else np.atleast_1d(np.asarray(times, float))
            for jump in at:
                first, last = np.searchsorted(self.t, (jump - before - slack, jump + after - slack))
                row[first:last] = False
        return replace(self, mask=mask)

    def only(self, t0: float, t1: float) -> Recording:
        """Uses only the samples with t0 <= t < t1 [ms]; the rest stays in the recording, unused."""
        return replace(self, mask=self.mask & self._inside(t0, t1))

    # ---- the command

    def delay(self, samples: int = 1) -> Recording:
        """Shifts the command later by whole (median) sampling intervals, as when the current lags the command file.

        Before its start, the command is at its holding voltage; negative `samples` shift it earlier.
        """
        return replace(self, command=self.command.delayed(int(samples) * self.dt))

    def offset_command(self, v: float) -> Recording:
        """Adds `v` [mV] to the command and its holding voltage, as for a liquid-junction potential."""
        parts = lambda p: (p.start, p.stop, p.holding)
        return replace(self, command=eqx.tree_at(parts, self.command, replace_fn=lambda x: x + float(v)))

    def held_at(self, v: float) -> Recording:
        """The same command with another voltage [mV] before its start, in whose steady state each sweep starts."""
        return replace(self, command=self.command.held_at(np.full(self.sweeps, float(v))))

    # ---- the signal

    def baseline(self, window: tuple[float, float]) -> Recording:
        """Subtracts from each sweep its mean over the used samples with t0 <= t < t1 [ms]."""
        used = self.mask & self._inside(*window)
        if not used.any(axis=1).all():
            raise InputError(f"{self._who}: the baseline window {window} ms has no used sample in some sweep")
        mean = np.sum(self.current, axis=1, where=used) / used.sum(axis=1)
        return replace(self, current=self.current - mean[:, None])

    def subtract_leak(self, leak: Recording | Leak | ArrayLike, reversal: ArrayLike | None = None) -> Recording:
        """The current without leak: minus g (V - E), or minus what another recording holds.

        **Arguments**

        - `leak`: a conductance [nS], one or one per sweep; or the `Leak` that `analysis.leak_fit` returns; or
          a `Recording` at the same times, such as one after full block (its sweeps are matched one to one, or
          the only one is used for all).
        - `reversal`: the leak's reversal potential [mV], with a conductance.
        """
        if isinstance(leak, Recording):
            if not _same_times(leak.t, self.t) or leak.sweeps not in (1, self.sweeps) or leak.unit != self.unit:
                raise InputError(
                    f"{self._who}: a recording to subtract must have the same times, unit and 1 or {self.sweeps} "
                    f"sweeps, but is {leak!r}"
                )
            return replace(self, current=self.current - leak.current, mask=self.mask & leak.mask)
        if reversal is None and hasattr(leak, "conductance"):
            leak, reversal = leak.conductance, leak.reversal  # type: ignore[union-attr]
        if reversal is None:
            raise InputError("subtract_leak needs a reversal potential [mV] beside a conductance")
        g, e = (np.reshape(np.asarray(x, float), (-1, 1)) for x in (leak, reversal))
        if g.shape[0] not in (1, self.sweeps) or e.shape[0] not in (1, self.sweeps):
            raise InputError(
                f"{self._who}: leak must be one value or one per sweep ({self.sweeps}), but has {g.shape[0]}"
            )
        return replace(self, current=self.current - g * (self.command_v - e))

    def density(self, capacitance: float) -> Recording:
        """The current per membrane capacitance [pA/pF], for a `capacitance` in pF."""
        if self.unit != "pA":
            raise InputError(f"{self._who}: density needs a current in pA, but the signal is in {self.unit}")
        if not capacitance > 0:
            raise InputError(f"Argument `capacitance` must be positive [pF], but is {capacitance}")
        return replace(self, current=self.current / capacitance, unit="pA/pF")

    # ---- sweeps and times

    def window(self, t0: float, t1: float) -> Recording:
        """Only the samples with t0 <= t < t1 [ms], times as they are; `only` keeps the history instead."""
        return self._samples(self._inside(t0, t1))

    def sweep(self, i: int) -> Recording:
        """Sweep `i` alone (negative counts from the end)."""
        if not -self.sweeps <= i < self.sweeps:
            raise InputError(f"{self._who}: sweep {i} does not exist; there are {self.sweeps}")
        return self.select([i])

    def select(self, sweeps: Sequence[int] | slice) -> Recording:
        """The sweeps of the given indices (or slice), in that order."""
        index = np.arange(self.sweeps)[sweeps] if isinstance(sweeps, slice) else np.asarray(sweeps, int)
        if index.size == 0 or index.min() < -self.sweeps or index.max() >= self.sweeps:
            raise InputError(f"{self._who}: sweeps {sweeps} do not exist; there are {self.sweeps}")
        return replace(
            self,
            current=self.current[index],
            command=jax.tree.map(lambda x: x[index], self.command),
            mask=self.mask[index],
        )

    def split(self, starts: Sequence[float], duration: float) -> Recording:
        """Cuts one long trace into sweeps from `starts` on, `duration` long [ms]; each begins at t = 0.

        Each sweep is then held at the command's value at its start, as if that had lasted.

        **Raises** `InputError` if there is more than one sweep already, a piece runs over the end, or the
        sampling is uneven.
        """
        if self.sweeps != 1:
            raise InputError(f"{self._who}: only a single trace can be split, but there are {self.sweeps} sweeps")
        first = np.searchsorted(self.t, np.asarray(starts, float) - 1e-6 * self.dt)
        length = round(duration / self.dt)
        if first.size == 0 or length < 2 or min(starts) < self.t[0] - self.dt or first.max() + length > self.t.size:
            raise InputError(
                f"{self._who}: pieces of {duration:g} ms at {list(starts)} ms must lie inside {self.t[0]:g} to "
                f"{self.t[-1]:g} ms"
            )
        index = first[:, None] + np.arange(length)
        local = self.t[index] - self.t[first][:, None]
        command = self.command.sweep(0)
        if not all(_same_times(row, local[0]) for row in local):
            raise InputError(f"{self._who}: pieces must share their sampling, but the intervals differ")
        return replace(
            self,
            t=local[0],
            current=self.current[0][index],
            command=sweeps([excerpt(command, self.t[k[0]], self.t[k[-1]]).delayed(-self.t[k[0]]) for k in index]),
            mask=self.mask[0][index],
        )

    def join(self, interval: float | None = None) -> Recording:
        """One long trace of all sweeps; sweep k is moved by k times `interval` [ms] (default: end to end)."""
        span = self.t[-1] - self.t[0] + self.dt
        step = span if interval is None else float(interval)
        t = (self.t[None] + step * np.arange(self.sweeps)[:, None]).ravel()
        parts = [excerpt(self.command.sweep(i), self.t[0], self.t[0] + step) for i in range(self.sweeps)]
        return replace(
            self,
            t=t,
            current=self.current.reshape(1, -1),
            command=joined(parts),
            mask=self.mask.reshape(1, -1),
        )

    def _inside(self, t0: float, t1: float) -> Bool[np.ndarray, " samples"]:
        slack = 1e-6 * self.dt
        inside = (self.t >= t0 - slack) & (self.t < t1 - slack)
        if not inside.any():
            raise InputError(
                f"{self._who}: no sample lies in {t0:g} to {t1:g} ms; the recording spans {self.t[0]:g} to "
                f"{self.t[-1]:g} ms"
            )
        return inside

    def _samples(self, index: Bool[np.ndarray, " samples"]) -> Recording:
        return replace(
            self,
            t=self.t[index],
            current=self.current[:, index],
            command=self.command,
            mask=self.mask[:, index],
        )


def stack(recordings: Sequence[Recording]) -> Recording:
    """One recording with the sweeps of all, which must share times and unit; the rest is the first one's."""
    if not recordings:
        raise InputError("stack needs at least one recording")
    first = recordings[0]
    for other in recordings:
        if not _same_times(other.t, first.t) or other.unit != first.unit:
            raise InputError(
                f"stacked recordings must share their times and unit, but {other!r} differs from {first!r}"
            )
    same = [r if np.array_equal(r.t, first.t) else replace(r, t=first.t, command=r.command_v) for r in recordings]
    return replace(
        first,
        current=np.concatenate([r.current for r in recordings]),
        command=sweeps([r.command.sweep(i) for r in same for i in range(r.sweeps)]),
        mask=np.concatenate([r.mask for r in recordings]),
    )


def _family(command: Protocol | ArrayLike, t: np.ndarray, shape: tuple[int, ...], who: str) -> Protocol:
    if not isinstance(command, Protocol):
        v = _spread(_numbers(command, who, "command"), shape, who, "command")
        _finite(v, t, who, "command")
        return sweeps([of_samples(t, row) for row in v])
    if command.family not in (None, shape[0]):
        raise InputError(
            f"{who}: the command must have one sweep or as many as the signal ({shape[0]}), but has {command.family}"
        )
    command = aligned(command, t)
    return command if command.family is not None else sweeps([command] * shape[0])


def _same_times(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.allclose(a, b, rtol=0.0, atol=1e-3 * (b[1] - b[0])))


def _numbers(value: ArrayLike, who: str, what: str) -> np.ndarray:
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{who}: {what} must be an array of numbers, but is {type(value).__name__}") from None


def _spread(value: np.ndarray, shape: tuple[int, ...], who: str, what: str) -> np.ndarray:
    if value.shape not in (shape, shape[1:], (1, shape[1])):
        raise InputError(
            f"{who}: the {what} must have shape {shape} or ({shape[1]},), but has {value.shape}; give one value per "
            "sample of the signal"
        )
    return np.broadcast_to(value, shape)


def _finite(value: np.ndarray, t: np.ndarray, who: str, what: str) -> None:
    bad = ~np.isfinite(value)
    if bad.any():
        sweep, k = np.argwhere(bad)[0]
        raise InputError(
            f"{who}: every {what} sample must be finite, but sweep {sweep}, sample {k} (t = {t[k]:g} ms) is "
            f"{value[sweep, k]}; cut it out or repair it first"
        )
