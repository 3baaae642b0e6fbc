"""Data together with how a model predicts them."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from .. import likelihood
from ..electrochemistry import Bath, as_bath
from ..recordings import Recording
from ..results import InputError
from ..simulate import Exact, Plan, clamp, plan_clamp, voltage_clamp


class Experiment(eqx.Module):
    """Data of one kind, and the model's prediction of them.

    **Arguments** (fields of every experiment)

    - `name`: for tables.
    - `data`: shape (traces, samples). Neighbors within a trace may be correlated; traces are independent.
    - `mask`: True where a sample is used.
    - `sigma`: what residuals are divided by, in the unit of the data; broadcasts against `data`.
    - `spacing`: time between samples [ms] (1 where there is no time).
    """

    name: eqx.AbstractVar[str]
    data: eqx.AbstractVar[Float[Array, "traces samples"]]
    mask: eqx.AbstractVar[Bool[Array, "traces samples"]]
    sigma: eqx.AbstractVar[Any]
    spacing: eqx.AbstractVar[float]

    @abc.abstractmethod
    def predict(self, model: Any) -> Float[Array, "traces samples"]:
        """What the model says the data are."""

    def prepare(self, model: Any) -> "Experiment":
        """The same experiment with everything laid out for models of this kind; pure functions from there
        on."""
        return self

    def residuals(self, model: Any) -> Float[Array, " residuals"]:
        """(prediction - data)/sigma in one row; zero where the mask leaves out a sample."""
        return jnp.where(self.mask, (self.predict(model) - self.data) / self.sigma, 0.0).reshape(-1)

    def log_likelihood(self, model: Any) -> Float[Array, ""]:
        """Log-likelihood of independent Gaussian noise, in proportion to sigma and of the most likely size."""
        scale = jnp.broadcast_to(jnp.log(self.sigma), self.data.shape)
        weights = jnp.sum(jnp.where(self.mask, scale, 0.0))
        return likelihood.gaussian_unknown_sigma(self.residuals(model), self.count) - weights

    @property
    def dense(self) -> bool:
        """Whether every parameter reaches every part of the computation.

        Derivatives are then cheapest all in one pass.
        """
        return True

    @property
    def independent(self) -> bool:
        """Whether the noise of every sample is known to be independent of all others.

        It never is along a recording, of which a filter makes neighbors alike.
        """
        return False

    @property
    def unit(self) -> str:
        """Unit of the data; "1" for numbers without one."""
        return "1"

    @property
    def conditions(self) -> Bath | None:
        """The bath of the data, with a leading axis where it is another for each point; None if unknown."""
        return None

    @property
    def voltages(self) -> tuple[float, float] | None:
        """Lowest and highest voltage of the data [mV]; None where no voltage plays a part."""
        return None

    @property
    def count(self) -> int:
        """Number of used samples."""
        return int(np.count_nonzero(self.mask))

    @property
    def range(self) -> float:
        """Largest minus smallest used sample, in the unit of the data."""
        return used_range(np.asarray(self.data), np.asarray(self.mask))


def used_range(data: Float[np.ndarray, "..."], mask: Bool[np.ndarray, "..."]) -> float:
    """Largest minus smallest used sample; zero if there is none."""
    used = data[mask]
    return float(used.max() - used.min()) if used.size else 0.0


def noise_level(recording: Recording) -> float:
    """Standard deviation of the fastest noise in a recording, in its unit.

    From third differences of neighbors, whose spread (in the sense of the median) signals, drifts and jumps
    hardly touch. A low-pass filter makes neighbors alike, and then this is less than the noise.
    """
    differences = np.diff(recording.current, 3, axis=1)
    used = np.lib.stride_tricks.sliding_window_view(recording.mask, 4, axis=1).all(-1)
    if not used.any():
        raise InputError("The noise needs four used samples in a row; give `sigma` instead.")
    return float(1.4826 * np.median(np.abs(differences[used])) / np.sqrt(20.0))


class VoltageClamp(Experiment):
    """A voltage-clamp recording.

    **Arguments**

    - `recording`: current, command and mask.
    - `bath`: a `Bath`, or a temperature [K] where no concentration is needed.
    - `sigma`: what residuals are divided by, in the recording's unit: one number, or shape (sweeps, 1). The
      range of the used samples by default, so that experiments fitted together count by their
      (RMSE/range)^2; see `noise_level` for another.
    - `method`: of `simulate.voltage_clamp`.

    **Raises** `InputError` if no sample is used or `sigma` is not positive.
    """

    name: str
    data: Float[Array, "sweeps samples"]
    mask: Bool[Array, "sweeps samples"]
    sigma: Float[Array, "..."]
    spacing: float
    recording: Recording
    bath: Bath
    method: Exact

    def __init__(self, recording: Recording, bath: Bath | float, *, sigma: Any = None, method: Exact | None = None):
        if not isinstance(recording, Recording):
            raise InputError(f"Argument `recording` must be a Recording, but is a {type(recording).__name__}.")
        if not recording.mask.any():
            raise InputError(f"{recording.name or 'recording'}: no sample is used; widen the mask.")
        scale = np.asarray(recording.range if sigma is None else sigma, float)
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            hint = "give sigma" if sigma is None else "give a positive number"
            raise InputError(f"{recording.name or 'recording'}: residuals are divided by {scale.min():g}; {hint}.")
        if scale.ndim not in (0, 2):
            raise InputError(f"Argument `sigma` must be one number or have shape (sweeps, 1), but has {scale.shape}.")
        self.name = recording.name or "recording"
        self.data, self.mask = jnp.asarray(recording.current), jnp.asarray(recording.mask)
        self.sigma = jnp.asarray(scale, self.data.dtype)
        self.spacing = recording.dt
        self.recording, self.bath, self.method = recording, as_bath(bath), method or Exact()

    def predict(self, model: Any) -> Float[Array, "sweeps samples"]:
        """The model's current at the samples, in the unit of its conductance times mV."""
        r = self.recording
        return voltage_clamp(model, r.command, r.t, bath=self.bath, method=self.method, throw=False).current

    @property
    def unit(self) -> str:
        """Unit of the recording."""
        return self.recording.unit

    @property
    def conditions(self) -> Bath:
        """The bath."""
        return self.bath

    @property
    def voltages(self) -> tuple[float, float]:
        """Lowest and highest voltage of the command at the samples [mV]."""
        return float(self.recording.command_v.min()), float(self.recording.command_v.max())

    def prepare(self, model: Any) -> "PlannedClamp":
        """The same with the clamp laid out for models of this kind."""
        plan = plan_clamp(model, self.recording.command, self.recording.t, self.method)
        return PlannedClamp(self.name, self.data, self.mask, self.sigma, self.spacing, plan, self.bath)


class PlannedClamp(Experiment):
    """A voltage clamp whose times are laid out: a pure function of the model, for compiled code."""

    name: str = eqx.field(static=True)
    data: Float[Array, "sweeps samples"]
    mask: Bool[Array, "sweeps samples"]
    sigma: Float[Array, "..."]
    spacing: float = eqx.field(static=True)
    plan: Plan
    bath: Bath

    def predict(self, model: Any) -> Float[Array, "sweeps samples"]:
        """The model's current at the samples."""
        return clamp(model, self.plan, self.bath).current

    @property
    def dense(self) -> bool:
        """State graphs mix everything; a gate's rates reach that gate alone."""
        return self.plan.chain is not None
