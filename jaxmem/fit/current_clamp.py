"""Current-clamp recordings as data for a fit: the voltage itself, spikes, or features of the trace."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..cell import Cell
from ..electrochemistry import Bath
from ..protocols import Protocol
from ..recordings import Recording
from ..results import InputError
from ..simulate import Current, Staggered, Steps, march, plan_steps
from .experiment import Experiment, used_range

Reading = Callable[[Any, Any], Any]  # of times [ms] (samples,) and voltages [mV] (samples,): a row of numbers


def voltage(t: Float[Array, " samples"], v: Float[Array, " samples"]) -> Float[Array, " samples"]:
    """The voltage itself [mV]."""
    return v


class SpikeTrain(eqx.Module):
    """Spikes as a smooth signal: how far above threshold the voltage is, between 0 and 1, with a memory.

    s(t) = integral of sigmoid((V - threshold)/width) exp(-(t - t')/memory) dt'/memory. A spike that comes a little too
    early, or one too many, changes it a little, so that a fit finds its way, where the times of spikes jump.

    **Arguments:** `threshold`, `width` [mV]; `memory` [ms].
    **Source:** the smooth form of the distance of spike trains of van Rossum 2001.
    """

    threshold: float = eqx.field(static=True, default=-20.0)
    width: float = eqx.field(static=True, default=5.0)
    memory: float = eqx.field(static=True, default=5.0)

    def __call__(self, t: Float[Array, " samples"], v: Float[Array, " samples"]) -> Float[Array, " samples"]:
        """The signal at the samples."""
        above = jax.nn.sigmoid((v - self.threshold) / self.width)
        kept = jnp.exp(-jnp.diff(t) / self.memory)
        fed = (1.0 - kept) * 0.5 * (above[1:] + above[:-1])
        join = lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1])
        return jnp.concatenate([jnp.zeros_like(v[:1]), jax.lax.associative_scan(join, (kept, fed))[1]])


class SpikeTimesOf(eqx.Module):
    """Times of the first spikes [ms], by interpolation between samples; missing ones count as the end of the trace.

    Sharp, but without a slope where a spike is missing: start from a fit of `SpikeTrain`.

    **Arguments:** `most`: how many; `threshold` [mV].
    """

    most: int = eqx.field(static=True)
    threshold: float = eqx.field(static=True, default=-20.0)

    def __call__(self, t: Float[Array, " samples"], v: Float[Array, " samples"]) -> Float[Array, " most"]:
        """The times."""
        before, after = v[:-1], v[1:]
        rises = (before < self.threshold) & (after >= self.threshold)
        share = (self.threshold - before) / jnp.where(rises, after - before, 1.0)
        times = jnp.where(rises, t[:-1] + jnp.diff(t) * share, t[-1])
        return jnp.sort(times)[: self.most]


class Features(eqx.Module):
    """What summarizes a trace: mean, spread, highest and lowest voltage [mV], and how many spikes, counted smoothly.

    The count is the sum of the rises of sigmoid((V - threshold)/width); highest and lowest are soft, within `width`.

    **Arguments:** `threshold`, `width` [mV]; `after` [ms]: what comes before is left out.
    """

    threshold: float = eqx.field(static=True, default=-20.0)
    width: float = eqx.field(static=True, default=2.0)
    after: float = eqx.field(static=True, default=0.0)

    def __call__(self, t: Float[Array, " samples"], v: Float[Array, " samples"]) -> Float[Array, " 5"]:
        """The five features."""
        used = t >= self.after
        mean = jnp.mean(v, where=used)
        high = self.width * jax.nn.logsumexp(jnp.where(used, v, -jnp.inf) / self.width)
        low = -self.width * jax.nn.logsumexp(jnp.where(used, -v, -jnp.inf) / self.width)
        above = jax.nn.sigmoid((v - self.threshold) / self.width)
        count = jnp.sum(jnp.where(used[1:], jnp.maximum(jnp.diff(above), 0.0), 0.0))
        return jnp.stack([mean, jnp.std(v, where=used), high, low, count])


class PlannedCurrentClamp(Experiment):
    """A current clamp whose steps are laid out: a pure function of the cell, for compiled code."""

    name: str = eqx.field(static=True)
    data: Float[Array, "sweeps values"]
    mask: Bool[Array, "sweeps values"]
    sigma: Float[Array, "..."]
    spacing: float = eqx.field(static=True)
    command: Protocol
    steps: tuple[Steps, ...]
    method: Staggered
    bath: Bath | None
    reading: Reading

    def voltages_of(self, model: Cell) -> Float[Array, "sweeps samples"]:
        """The voltage of the cell at the samples of every sweep."""
        cell = model if self.bath is None else model.at(self.bath)
        traces = [
            march(cell, cell.init(), (Current(self.command.sweep(i)),), (), self.method, steps).v
            for i, steps in enumerate(self.steps)
        ]
        return jnp.stack(traces)

    def predict(self, model: Cell) -> Float[Array, "sweeps values"]:
        """The reading of the voltage in every sweep."""
        t = self.steps[0].t
        return jax.vmap(lambda v: self.reading(jnp.asarray(t, v.dtype), v))(self.voltages_of(model))


class CurrentClamp(Experiment):
    """A current-clamp recording, and a cell that is to behave like it.

    Data and prediction go through the same `reading`: `voltage` (the default), `SpikeTrain()`, `SpikeTimesOf(most)`,
    `Features()`, or any function of times and voltages; so the same recording may be fitted for several at once.

    **Arguments**

    - `recording`: a `Recording` whose signal is the voltage [mV] and whose command is the injected current [pA, or
      uA/cm2 where the cell has densities], depolarizing positive; evenly sampled.
    - `bath`: in place of the cell's own conditions.
    - `reading`: what is compared.
    - `sigma`: what residuals are divided by, in the unit of the reading: one number, or one for each of its values. The
      range of the data by default.
    - `settle` [ms]: how long the cell runs without current before the recording begins.
    - `dt` [ms]: longest step.

    **Raises** `InputError` for uneven samples, if no sample is used, or `sigma` is not positive.
    """

    name: str
    data: Float[Array, "sweeps values"]
    mask: Bool[Array, "sweeps values"]
    sigma: Float[Array, "..."]
    spacing: float
    recording: Recording
    bath: Bath | None
    reading: Reading
    settle: float
    dt: float

    def __init__(
        self,
        recording: Recording,
        bath: Bath | None = None,
        *,
        reading: Reading = voltage,
        sigma: Any = None,
        settle: float = 0.0,
        dt: float = 0.025,
    ):
        if not isinstance(recording, Recording):
            raise InputError(f"Argument `recording` must be a Recording, but is a {type(recording).__name__}.")
        name = recording.name or "recording"
        if np.ptp(np.diff(recording.t)) > 1e-3 * recording.dt:
            raise InputError(f"{name}: a current clamp must be sampled evenly; resample the recording.")
        t = jnp.asarray(recording.t)
        self.data = jnp.stack([jnp.asarray(reading(t, jnp.asarray(v))) for v in recording.current])
        whole = self.data.shape == recording.current.shape
        self.mask = jnp.asarray(recording.mask if whole else np.isfinite(np.asarray(self.data)))
        if not bool(self.mask.any()):
            raise InputError(f"{name}: no sample is used; widen the mask.")
        scale = np.asarray(used_range(np.asarray(self.data), np.asarray(self.mask)) if sigma is None else sigma, float)
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            raise InputError(f"{name}: residuals are divided by {scale.min():g}; give `sigma`, positive numbers.")
        self.sigma = jnp.broadcast_to(jnp.asarray(scale, self.data.dtype), self.data.shape)
        self.name, self.spacing = name, recording.dt if whole else 1.0
        self.recording, self.bath, self.reading = recording, bath, reading
        self.settle, self.dt = float(settle), float(dt)

    def prepare(self, model: Cell) -> PlannedCurrentClamp:
        """The same with its steps laid out."""
        if not isinstance(model, Cell):
            raise InputError(
                f"A current clamp needs a cell, such as cell.point(...), but has a {type(model).__name__}."
            )
        r = self.recording
        dt = r.dt / math.ceil(r.dt / self.dt - 1e-9)
        before = dt * round(self.settle / dt)
        command = r.command.delayed(before - float(r.t[0]))
        t = before + r.dt * np.arange(r.t.size)
        method = Staggered(dt)
        method.check(model)
        steps = [plan_steps((Current(command.sweep(i)),), t, dt) for i in range(r.sweeps)]
        method = eqx.tree_at(lambda m: m.dt, method, jnp.asarray(dt, self.data.dtype))
        return PlannedCurrentClamp(
            self.name, self.data, self.mask, self.sigma, self.spacing, command, tuple(steps), method, self.bath,
            self.reading,
        )  # fmt: skip

    def predict(self, model: Cell) -> Float[Array, "sweeps values"]:
        """The reading of the cell's voltage in every sweep."""
        return _predict(self.prepare(model), model)

    def voltages_of(self, model: Cell) -> Float[Array, "sweeps samples"]:
        """The voltage of the cell at the samples of every sweep [mV]."""
        return _voltages(self.prepare(model), model)

    @property
    def unit(self) -> str:
        """Unit of the data."""
        return "mV" if self.reading is voltage else "1"

    @property
    def conditions(self) -> Bath | None:
        """The bath, if it is not the cell's own."""
        return self.bath

    @property
    def voltages(self) -> tuple[float, float]:
        """Lowest and highest recorded voltage [mV]."""
        return float(self.recording.current.min()), float(self.recording.current.max())


_predict = eqx.filter_jit(lambda planned, model: planned.predict(model))
_voltages = eqx.filter_jit(lambda planned, model: planned.voltages_of(model))
