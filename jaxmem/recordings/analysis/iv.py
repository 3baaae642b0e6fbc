"""Current-voltage and conductance-voltage relations."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import ArrayLike

from jaxmem.recordings.analysis.windows import pieces
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError


@dataclass(frozen=True, eq=False)
class IV:
    """One point per sweep: the test voltage, the current, and when it was taken.

    `voltage` [mV]; `current` in `unit`; `time` [ms] of a peak, or the middle of the window; `standard_error`
    of a mean (samples taken as independent), NaN for peaks.
    """

    voltage: Float[np.ndarray, " sweeps"]
    current: Float[np.ndarray, " sweeps"]
    time: Float[np.ndarray, " sweeps"]
    standard_error: Float[np.ndarray, " sweeps"]
    unit: str = "pA"

    @property
    def normalized(self) -> Float[np.ndarray, " sweeps"]:
        """The current divided by the one of largest magnitude."""
        return self.current / self.current[np.argmax(np.abs(self.current))]


@dataclass(frozen=True, eq=False)
class GV:
    """Chord conductance [nS for pA] against voltage [mV]; `used` where the driving force is large enough."""

    voltage: Float[np.ndarray, " sweeps"]
    conductance: Float[np.ndarray, " sweeps"]
    used: Bool[np.ndarray, " sweeps"]

    @property
    def normalized(self) -> Float[np.ndarray, " sweeps"]:
        """The conductance divided by its largest used value."""
        return self.conductance / self.conductance[self.used].max()


def peak_iv(recording: Recording, window: ArrayLike, *, test: ArrayLike | None = None, sign: float = 0.0) -> IV:
    """The current of largest size in a window, for each sweep.

    **Arguments**

    - `window`: (t0, t1) [ms], or one per sweep.
    - `test`: window that the voltage is read from, if it is another one, as for tail currents after a test
      pulse.
    - `sign`: 1 looks for the largest outward current, -1 for the largest inward current, 0 for the largest of
      both.

    **Raises:** `InputError` if a sweep has no used sample in a window.
    """
    current, time = [], []
    for t, i, _ in pieces(recording, window):
        k = int(np.argmax(np.abs(i) if sign == 0 else sign * i))
        current.append(i[k])
        time.append(t[k])
    none = np.full(len(current), np.nan)
    return IV(
        _voltages(recording, window if test is None else test),
        np.array(current),
        np.array(time),
        none,
        recording.unit,
    )


def steady_iv(recording: Recording, window: ArrayLike, *, test: ArrayLike | None = None) -> IV:
    """The mean current in a window of each sweep, as at a step's end; arguments as for `peak_iv`."""
    means = [
        (i.mean(), i.std(ddof=1) / np.sqrt(i.size), 0.5 * (t[0] + t[-1])) for t, i, _ in pieces(recording, window, 2)
    ]
    current, error, time = np.array(means).T
    return IV(_voltages(recording, window if test is None else test), current, time, error, recording.unit)


def conductance_voltage(iv: IV, reversal: float, *, least_drive: float = 5.0) -> GV:
    """The chord conductance g = I / (V - E) of each point.

    **Arguments**

    - `iv`: current against voltage.
    - `reversal`: E [mV].
    - `least_drive`: points with a smaller |V - E| [mV] are kept as unused: there g is noise over nearly zero.

    **Raises:** `InputError` if no point is left.
    """
    drive = iv.voltage - reversal
    used = np.abs(drive) >= least_drive
    if not used.any():
        raise InputError(f"No voltage is {least_drive} mV or more from the reversal potential {reversal:g} mV.")
    conductance = np.divide(iv.current, drive, out=np.full(drive.shape, np.nan), where=used)
    return GV(iv.voltage, conductance, used)


def inactivation_curve(recording: Recording, window: ArrayLike, conditioning: ArrayLike, *, sign: float = 0.0) -> IV:
    """Availability: the peak current of a test pulse against the voltage of the conditioning pulse.

    **Arguments**

    - `window`: where the test pulse's peak lies (t0, t1) [ms], or one per sweep.
    - `conditioning`: where the conditioning voltage is read.
    - `sign`: as for `peak_iv`.

    `boltzmann_fit(curve.voltage, curve.normalized, slope=-10.0)` gives its midpoint and slope.
    """
    return peak_iv(recording, window, test=conditioning, sign=sign)


def pool(curves: Sequence[IV]) -> IV:
    """The mean of several cells' curves at the same voltages, with the standard error of the mean.

    **Raises:** `InputError` if there are fewer than two curves, or voltages or units differ.
    """
    if len(curves) < 2 or any(c.unit != curves[0].unit for c in curves):
        raise InputError("Two or more curves of the same unit are needed to pool them.")
    if any(c.voltage.shape != curves[0].voltage.shape or not np.allclose(c.voltage, curves[0].voltage) for c in curves):
        raise InputError("Pooled curves must share their voltages.")
    current = np.stack([c.current for c in curves])
    time = np.stack([c.time for c in curves]).mean(axis=0)
    error = current.std(axis=0, ddof=1) / np.sqrt(len(curves))
    return IV(curves[0].voltage, current.mean(axis=0), time, error, curves[0].unit)


def _voltages(recording: Recording, window: ArrayLike) -> Float[np.ndarray, " sweeps"]:
    whole = Recording(recording.t, recording.current, recording.command)  # the command counts where samples do not
    return np.array([np.median(v) for _, _, v in pieces(whole, window)])
