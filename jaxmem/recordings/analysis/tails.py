"""Exponential relaxations: deactivation tails, inactivation, recovery."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from jaxmem.recordings.analysis.noise import correlation_length
from jaxmem.recordings.analysis.windows import per_sweep, pieces
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError

_THINNED = 1500  # samples that the search for a start looks at


@dataclass(frozen=True, eq=False)
class Tails:
    """I(t) = offset + sum_k amplitude_k exp(-(t - origin) / tau_k) in each sweep, fastest first.

    Amplitudes and offset in the unit of the signal, `tau` [ms], `voltage` [mV]. The standard errors allow for
    correlated noise.
    """

    voltage: Float[np.ndarray, " sweeps"]
    origin: Float[np.ndarray, " sweeps"]
    amplitude: Float[np.ndarray, "sweeps exponentials"]
    tau: Float[np.ndarray, "sweeps exponentials"]
    offset: Float[np.ndarray, " sweeps"]
    amplitude_error: Float[np.ndarray, "sweeps exponentials"]
    tau_error: Float[np.ndarray, "sweeps exponentials"]
    offset_error: Float[np.ndarray, " sweeps"]
    rmse: Float[np.ndarray, " sweeps"]

    @property
    def instantaneous(self) -> Float[np.ndarray, " sweeps"]:
        """The current extrapolated to the origin, where the voltage jumped."""
        return self.amplitude.sum(axis=1) + self.offset

    @property
    def weighted_tau(self) -> Float[np.ndarray, " sweeps"]:
        """The time constant weighted by the size of each component: sum |a| tau / sum |a| [ms]."""
        weight = np.abs(self.amplitude)
        return np.sum(weight * self.tau, axis=1) / weight.sum(axis=1)

    def __call__(self, t: ArrayLike) -> Float[np.ndarray, "sweeps samples"]:
        """The fitted curves at times [ms]."""
        late = np.asarray(t, float)[None, :, None] - self.origin[:, None, None]
        return np.sum(self.amplitude[:, None] * np.exp(-late / self.tau[:, None]), axis=2) + self.offset[:, None]


def tail_fit(
    recording: Recording,
    window: ArrayLike,
    *,
    exponentials: int = 1,
    origin: ArrayLike | None = None,
    offset: float | None = None,
) -> Tails:
    """One or two exponentials and an offset through each sweep's used samples in a window.

    Only the time constants are searched (from the best point of a grid); amplitudes and offset follow by
    linear least squares.

    **Arguments**

    - `window`: (t0, t1) [ms], or one per sweep; it begins after the capacitive transient.
    - `exponentials`: 1 or 2.
    - `origin`: the time of the jump [ms], one or one per sweep, to which amplitudes refer; default: the
      window's start.
    - `offset`: fixes the offset (0 for a current that deactivates fully); default: fitted.

    **Raises:** `InputError` if a window has too few used samples.
    """
    if exponentials not in (1, 2):
        raise InputError(f"A tail is fitted with 1 or 2 exponentials, but {exponentials} were asked for.")
    starts = per_sweep(recording, window)[:, 0] if origin is None else np.asarray(origin, float)
    starts = np.broadcast_to(starts, (recording.sweeps,))
    rows = [
        _relaxation(t - t0, i, exponentials, offset)
        for t0, (t, i, _) in zip(starts, pieces(recording, window, 3 * exponentials + 3), strict=True)
    ]
    voltage = np.array([np.median(v) for _, _, v in pieces(recording, window)])
    amplitude, tau, level, amplitude_error, tau_error, level_error, rmse = (
        np.array(x) for x in zip(*rows, strict=True)
    )
    return Tails(voltage, starts, amplitude, tau, level, amplitude_error, tau_error, level_error, rmse)


def _relaxation(t: np.ndarray, i: np.ndarray, count: int, offset: float | None):
    span, step = t[-1] - t[0], float(np.median(np.diff(t)))
    grid = np.geomspace(max(2.0 * step, 1e-3 * span), 3.0 * span, 24)
    every = max(1, t.size // _THINNED)
    # Keep the beginning dense: the fast component lives there.
    chosen = np.unique(np.concatenate([np.arange(min(_THINNED, t.size)), np.arange(0, t.size, every)]))
    scale = float(np.std(i)) or 1.0

    def solve(log_tau: np.ndarray, t: np.ndarray, i: np.ndarray):
        basis = np.exp(-(t - t[0])[:, None] / np.exp(log_tau))
        if offset is None:
            basis = np.concatenate([basis, np.ones((t.size, 1))], axis=1)
        y = i if offset is None else i - offset
        weights = np.linalg.lstsq(basis, y, rcond=None)[0]
        return weights, basis @ weights - y, basis

    def cost(pair) -> float:
        return float(np.sum(solve(np.log(np.array(pair)), t[chosen], i[chosen])[1] ** 2))

    start = np.log(np.array(min(combinations(grid, count), key=cost)))
    low, high = np.log(0.2 * step), np.log(100.0 * span)
    found = least_squares(
        lambda p: solve(p, t, i)[1] / scale, start, bounds=(low, high), xtol=1e-10, ftol=1e-12, x_scale=1.0
    )
    log_tau = np.sort(found.x)
    weights, residuals, basis = solve(log_tau, t, i)
    tau = np.exp(log_tau)
    # The basis begins at the first sample; the amplitudes asked for refer to the origin, t = 0.
    back = np.exp(t[0] / tau)
    amplitude = weights[:count] * back
    late = (t - t[0])[:, None]
    slopes = weights[:count] * basis[:, :count] * late / tau**2
    jacobian = np.concatenate([basis[:, :count], slopes, basis[:, count:]], axis=1)
    norms = np.linalg.norm(jacobian, axis=0)
    norms = np.where(norms > 0, norms, 1.0)
    inverse = np.linalg.pinv((jacobian / norms).T @ (jacobian / norms)) / np.outer(norms, norms)
    free = jacobian.shape[1]
    variance = float(np.sum(residuals**2)) / (t.size - free) * correlation_length(residuals)
    # From (weight at the first sample, tau) to (amplitude at the origin, tau): a = w exp(t0 / tau).
    change = np.eye(free)
    change[:count, :count] = np.diag(back)
    change[:count, count : 2 * count] = np.diag(-amplitude * t[0] / tau**2)
    errors = np.sqrt(np.maximum(variance * np.diag(change @ inverse @ change.T), 0.0))
    level, level_error = (weights[count], errors[2 * count]) if offset is None else (offset, 0.0)
    rmse = float(np.sqrt(np.mean(residuals**2)))
    return amplitude, tau, level, errors[:count], errors[count : 2 * count], level_error, rmse
