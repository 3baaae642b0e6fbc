"""Leak: conductance and reversal potential of an ohmic line through a ramp or steps."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxmem.recordings.analysis.noise import correlation_length
from jaxmem.recordings.analysis.windows import pieces
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError


@dataclass(frozen=True, eq=False)
class Leak:
    """I = conductance (V - reversal), one per sweep, with standard errors that allow for correlated noise.

    `conductance` [nS for pA], `reversal` [mV]; `rmse` in the unit of the signal.
    """

    conductance: Float[np.ndarray, " sweeps"]
    reversal: Float[np.ndarray, " sweeps"]
    conductance_error: Float[np.ndarray, " sweeps"]
    reversal_error: Float[np.ndarray, " sweeps"]
    rmse: Float[np.ndarray, " sweeps"]

    @property
    def resistance(self) -> Float[np.ndarray, " sweeps"]:
        """1 / conductance [MOhm]."""
        return 1e3 / self.conductance


def leak_fit(recording: Recording, *windows: tuple[float, float]) -> Leak:
    """The straight line through current against command in one or more windows, for each sweep.

    Choose a ramp, or two steps (two windows, each after its transient), where no gated current flows.

    **Arguments:** `windows`: (t0, t1) [ms] each.
    **Raises:** `InputError` if the command does not change there, or a window has no used samples.
    """
    if not windows:
        raise InputError("leak_fit needs at least one window (t0, t1) in ms: a ramp, or two steps.")
    rows = [_line(recording, piece) for piece in zip(*(pieces(recording, w) for w in windows), strict=True)]
    return Leak(*np.array(rows).T)


def _line(recording: Recording, parts: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> tuple[float, ...]:
    i, v = (np.concatenate([part[k] for part in parts]) for k in (1, 2))
    if i.size < 3 or np.ptp(v) < 1e-3:
        raise InputError(
            f"{recording.source or recording.name or 'recording'}: the command must change within the windows of "
            f"leak_fit, but is {v[0]:g} mV throughout; choose a ramp, or a window on each of two steps"
        )
    v0 = v.mean()
    spread = np.sum((v - v0) ** 2)
    g = np.sum((v - v0) * (i - i.mean())) / spread
    residuals = i - i.mean() - g * (v - v0)
    variance = np.sum(residuals**2) / (i.size - 2) * correlation_length(residuals)
    g_error = np.sqrt(variance / spread)
    # E = v0 - mean / g; the mean of the current and the slope are independent.
    e_error = np.sqrt(variance / i.size + (i.mean() / g * g_error) ** 2) / abs(g) if g != 0 else np.inf
    reversal = v0 - i.mean() / g if g != 0 else np.nan
    return g, reversal, g_error, e_error, np.sqrt(np.mean(residuals**2))
