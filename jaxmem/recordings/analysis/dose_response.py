"""Dose-response relations and the Hill curve."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.special import expit

from jaxmem.recordings.analysis.curve_fit import fit_curve, points
from jaxmem.recordings.analysis.iv import steady_iv
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError


@dataclass(frozen=True, eq=False)
class DoseResponse:
    """The response at each concentration (in the caller's unit), as a share of the control's."""

    concentration: Float[np.ndarray, " doses"]
    response: Float[np.ndarray, " doses"]


@dataclass(frozen=True, eq=False)
class Hill:
    """y = bottom + (top - bottom) c^n / (c^n + ec50^n), with standard errors.

    `ec50` has the unit of the concentrations; `n` is positive. Fixed values have error 0.
    """

    ec50: float
    n: float
    bottom: float
    top: float
    ec50_error: float
    n_error: float
    bottom_error: float
    top_error: float
    rmse: float

    def __call__(self, concentration: ArrayLike) -> np.ndarray:
        """The curve at concentrations, zero included."""
        c = np.asarray(concentration, float)
        with np.errstate(divide="ignore"):
            return _curve(np.log(c), np.array([np.log(self.ec50), np.log(self.n), self.bottom, self.top]))


def dose_response(
    recordings: Sequence[Recording], concentrations: ArrayLike, window: ArrayLike, *, control: Recording
) -> DoseResponse:
    """The mean current in a window at each concentration, divided by that of the control.

    **Arguments**

    - `recordings`: one per concentration; sweeps are averaged.
    - `concentrations`: in any one unit.
    - `window`: (t0, t1) [ms].
    - `control`: the recording without drug.

    **Raises:** `InputError` if numbers or units differ, or the control's current is zero.
    """
    c = np.asarray(concentrations, float).ravel()
    if c.size != len(recordings):
        raise InputError(
            f"There must be one concentration per recording, but there are {c.size} and {len(recordings)}."
        )
    if any(r.unit != control.unit for r in recordings):
        raise InputError(f"Recordings and control must share their unit, {control.unit}.")
    reference = float(steady_iv(control, window).current.mean())
    if reference == 0:
        raise InputError("The control's current in the window must not be zero.")
    return DoseResponse(c, np.array([steady_iv(r, window).current.mean() / reference for r in recordings]))


def hill_fit(
    concentration: ArrayLike,
    response: ArrayLike,
    *,
    sigma: ArrayLike | None = None,
    n: float | None = None,
    bottom: float | None = 0.0,
    top: float | None = None,
) -> Hill:
    """The Hill curve of least squares; EC50 and n are searched as logarithms, so they stay positive.

    For an inhibitor give ``bottom=1.0, top=0.0``: `bottom` is the response without drug; ec50 is then the
    IC50.

    **Arguments**

    - `concentration` (positive or zero), `response`: the points; those that are not finite are left out.
    - `sigma`: standard errors of the points; without them all count alike and their scatter sets the errors.
    - `n`, `bottom`, `top`: a number fixes the value, None fits it.

    **Raises:** `InputError` if a concentration is negative, there are too few points, or the fit fails.
    """
    x, y, s = points(concentration, response, sigma, 1 + (n is None) + (bottom is None) + (top is None))
    if np.any(x < 0) or not np.any(x > 0):
        raise InputError("Concentrations must not be negative, and one must be positive.")
    if n is not None and not n > 0:
        raise InputError(f"The Hill coefficient must be positive, but is {n}; exchange bottom and top instead.")
    low = float(y[np.argmin(x)]) if bottom is None else bottom
    high = float(y[np.argmax(x)]) if top is None else top
    with np.errstate(divide="ignore"):
        log_c = np.log(x)
    finite = log_c[np.isfinite(log_c)]
    middles = (*np.percentile(finite, (10, 30, 50, 70, 90)),)
    starts = [(m, np.log(k), low, high) for m in middles for k in (1.0, 3.0)]
    fixed = (None, None if n is None else float(np.log(n)), bottom, top)
    found = fit_curve(_curve, log_c, y, s, starts, fixed, sigma is not None)
    ec50, slope = np.exp(found.values[:2])
    errors = found.errors * np.array([ec50, slope, 1.0, 1.0])
    low, high = (float(x) for x in found.values[2:])
    e = [float(x) for x in errors]
    return Hill(float(ec50), float(slope), low, high, e[0], e[1], e[2], e[3], found.rmse)


def _curve(log_c: np.ndarray, p: np.ndarray) -> np.ndarray:
    log_ec50, log_n, bottom, top = p
    return bottom + (top - bottom) * expit(np.exp(log_n) * (log_c - log_ec50))
