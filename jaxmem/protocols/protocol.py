"""Voltage commands as data: pieces in time, each a line plus sines, right-continuous at the jumps.

A protocol's values may be traced (a gradient with respect to a step's voltage), its times are concrete:
they decide which samples fall into which piece.
"""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from ..results import InputError

_ROUNDING = 1e-9  # [mV]


def _values(x: Any) -> Any:
    """Concrete numbers as float64 on the host, so that times keep their digits in single precision too;
    tracers as they are."""
    return x if isinstance(x, Tracer) else np.asarray(x, np.float64)


def _host(*arrays: Any) -> Any:
    """The array library that computes with given values: numpy while all of them are concrete, else
    jax.numpy."""
    return np if all(isinstance(x, np.ndarray) for x in arrays) else jnp


class Protocol(eqx.Module):
    """A voltage command [mV] over time [ms], or a family of commands (a leading axis on every field).

    In the piece from t[k] to t[k+1] the command is the line from start[k] to stop[k] plus
    sum_j amplitude[k, j] sin(frequency[k, j] (time - origin[k])). Before the first time it is `holding`,
    after the last it keeps the value that the last piece ends on.
    """

    t: Float[Array, "... pieces+1"] = eqx.field(converter=_values)
    start: Float[Array, "... pieces"] = eqx.field(converter=_values)
    stop: Float[Array, "... pieces"] = eqx.field(converter=_values)
    amplitude: Float[Array, "... pieces sines"] = eqx.field(converter=_values)
    frequency: Float[Array, "... pieces sines"] = eqx.field(converter=_values)
    origin: Float[Array, "... pieces"] = eqx.field(converter=_values)
    holding: Float[Array, "..."] = eqx.field(converter=_values)

    def __check_init__(self):
        if isinstance(self.t, np.ndarray):
            if not np.all(np.isfinite(self.t)):
                raise InputError("The times of a protocol must be finite, but some are NaN or infinite.")
            if np.any(np.diff(self.t, axis=-1) < 0):
                raise InputError("The times of a protocol must not decrease, and durations must not be negative.")
        for name in ("start", "stop", "amplitude", "frequency", "holding"):
            value = getattr(self, name)
            if isinstance(value, np.ndarray) and not np.all(np.isfinite(value)):
                raise InputError(f"The command voltage must be finite, but `{name}` holds NaN or infinite values.")

    def __call__(self, time: Float[Array, "..."]) -> Float[Array, "..."]:
        """The command [mV] at times [ms]; at a jump, the new value.

        **Raises:** `InputError` for a family: `protocol.sweep(i)` picks one command.
        """
        if self.family is not None:
            raise InputError("Only a single command has a value at a time; pick one by `protocol.sweep(i)`.")
        return self.at(time, self.piece(time))

    def piece(self, time: Any) -> np.ndarray:
        """The index of the piece that each (concrete) time falls into; -1 before the start, `pieces` after
        the end."""
        return np.searchsorted(self.t, np.asarray(time, np.float64), side="right") - 1

    def at(self, time: Any, piece: np.ndarray) -> Any:
        """The command [mV] at times, taken from given pieces, whatever piece the time itself falls into."""
        xp = _host(self.start, self.stop, self.amplitude, self.frequency, self.holding)
        time, count = np.asarray(time, np.float64), self.start.shape[-1]
        k = np.clip(piece, 0, count - 1)
        begin, length = self.t[k], self.t[k + 1] - self.t[k]
        # After the end the time is frozen at the last piece's end.
        time = np.where(piece >= count, self.t[-1], time)
        share = np.where(length > 0, (time - begin) / np.where(length > 0, length, 1.0), 1.0)
        v = self.start[k] + (self.stop[k] - self.start[k]) * share
        for j in range(self.amplitude.shape[-1]):
            v = v + self.amplitude[k, j] * xp.sin(self.frequency[k, j] * (time - self.origin[k]))
        return xp.where(piece < 0, self.holding, v)

    def __add__(self, other: "Protocol") -> "Protocol":
        """The other command after this one."""
        if self.t.ndim != 1 or other.t.ndim != 1:
            raise InputError("Only single commands can be joined; join first, then stack them with `sweeps`.")
        shift = self.t[-1] - other.t[0]
        xp = _host(*jax.tree.leaves((self, other)))
        width = max(self.amplitude.shape[-1], other.amplitude.shape[-1])
        wide = [xp.pad(a, ((0, 0), (0, width - a.shape[-1]))) for a in (self.amplitude, other.amplitude)]
        fast = [xp.pad(a, ((0, 0), (0, width - a.shape[-1]))) for a in (self.frequency, other.frequency)]
        return Protocol(
            np.concatenate([self.t, other.t[1:] + shift]),
            xp.concatenate([self.start, other.start]),
            xp.concatenate([self.stop, other.stop]),
            xp.concatenate(wide),
            xp.concatenate(fast),
            np.concatenate([self.origin, other.origin + shift]),
            self.holding,
        )

    @property
    def constant(self) -> np.ndarray:
        """Which pieces hold one voltage; none of them counts as constant while the voltages are traced."""
        if any(isinstance(x, Tracer) for x in (self.start, self.stop, self.amplitude)):
            return np.zeros(self.start.shape, bool)
        return np.asarray(self.start == self.stop) & np.all(np.asarray(self.amplitude) == 0, -1)

    @property
    def duration(self) -> float:
        """The time [ms] from the start to the end (of the longest command of a family)."""
        return float(np.max(self.t[..., -1] - self.t[..., 0]))

    @property
    def jumps(self) -> np.ndarray:
        """The times [ms] at which a single command jumps."""
        count = self.start.shape[-1]
        ends = np.concatenate([[self.holding], np.asarray(self.at(self.t[1:], np.arange(count)))])
        begins = np.asarray(self.at(self.t[:-1], np.arange(count)))
        # Where pieces meet, rounding alone is no jump.
        return np.asarray(self.t)[:-1][np.abs(begins - ends[:-1]) > _ROUNDING]

    @property
    def family(self) -> int | None:
        """The number of commands of a family; None for a single command."""
        return self.t.shape[0] if self.t.ndim == 2 else None

    def sweep(self, i: int) -> "Protocol":
        """One command of a family."""
        return self if self.family is None else jax.tree.map(lambda x: _values(x[i]), self)

    def delayed(self, by: float) -> "Protocol":
        """The same command later by a time [ms]; the holding voltage fills the gap."""
        return Protocol(
            self.t + by, self.start, self.stop, self.amplitude, self.frequency, self.origin + by, self.holding
        )

    def held_at(self, holding: Any) -> "Protocol":
        """The same command with another voltage [mV] before its start."""
        return eqx.tree_at(lambda p: p.holding, self, _values(holding))


def sweeps(protocols: Sequence[Protocol]) -> Protocol:
    """A family of commands, one per sweep; shorter ones are filled up with pieces of no duration."""
    if not protocols:
        raise InputError("A family must hold at least one command, but none was given.")
    if any(p.family is not None for p in protocols):
        raise InputError("A family must be made of single commands, but one of them is a family itself.")
    pieces = max(p.start.shape[-1] for p in protocols)
    sines = max(p.amplitude.shape[-1] for p in protocols)
    filled = []
    for p in protocols:
        more = pieces - p.start.shape[-1]
        last = p.at(p.t[-1:], np.array([p.start.shape[-1]]))
        xp = _host(*jax.tree.leaves(p))
        tail = xp.repeat(last, more)
        room = ((0, more), (0, sines - p.amplitude.shape[-1]))
        filled.append(
            Protocol(
                np.concatenate([p.t, np.repeat(p.t[-1:], more)]),
                xp.concatenate([p.start, tail]),
                xp.concatenate([p.stop, tail]),
                xp.pad(p.amplitude, room),
                xp.pad(p.frequency, room),
                np.pad(p.origin, (0, more)),
                p.holding,
            )
        )
    return jax.tree.map(lambda *xs: _host(*xs).stack(xs), *filled)
