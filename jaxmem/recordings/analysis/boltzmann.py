"""The Boltzmann curve of activation and inactivation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from jaxmem import units
from jaxmem.recordings.analysis.curve_fit import fit_curve, points


@dataclass(frozen=True, eq=False)
class Boltzmann:
    """y = bottom + (top - bottom) / (1 + exp(-(V - v_half) / slope)), with standard errors.

    `v_half`, `slope` [mV]; the slope is positive for activation, negative for inactivation. Fixed values have
    error 0.
    """

    v_half: float
    slope: float
    bottom: float
    top: float
    v_half_error: float
    slope_error: float
    bottom_error: float
    top_error: float
    rmse: float

    def __call__(self, v: ArrayLike) -> np.ndarray:
        """The curve at voltages [mV]."""
        return _curve(np.asarray(v, float), np.array([self.v_half, self.slope, self.bottom, self.top]))

    def valence(self, temperature: float) -> float:
        """The apparent gating charge z = RT / (F |slope|) [e0] at a temperature [K]."""
        return float(units.thermal_voltage(temperature) / abs(self.slope))


def boltzmann_fit(
    voltage: ArrayLike,
    value: ArrayLike,
    *,
    sigma: ArrayLike | None = None,
    slope: float = 10.0,
    bottom: float | None = 0.0,
    top: float | None = None,
) -> Boltzmann:
    """The Boltzmann curve of least squares through points.

    **Arguments**

    - `voltage` [mV], `value`: the points; those that are not finite are left out.
    - `sigma`: standard errors of the points; without them all count alike and their scatter sets the errors.
    - `slope`: a first guess [mV]; only its sign matters much, negative for inactivation.
    - `bottom`, `top`: a number fixes the level, None fits it.

    **Raises:** `InputError` if there are fewer points than free parameters, or the fit fails.
    """
    count = 2 + (bottom is None) + (top is None)
    x, y, s = points(voltage, value, sigma, count)
    low = float(y.min()) if bottom is None else bottom
    high = float(y.max()) if top is None else top
    middle = float(x[np.argmin(np.abs(y - 0.5 * (low + high)))])
    starts = [(v, k * slope, low, high) for v in (middle, *np.percentile(x, (25, 50, 75))) for k in (1.0, 0.5, 2.0)]
    found = fit_curve(_curve, x, y, s, starts, (None, None, bottom, top), sigma is not None)
    v_half, k, low, high, *errors = (float(x) for x in (*found.values, *found.errors))
    return Boltzmann(v_half, k, low, high, errors[0], errors[1], errors[2], errors[3], found.rmse)


def _curve(v: np.ndarray, p: np.ndarray) -> np.ndarray:
    v_half, slope, bottom, top = p
    return bottom + (top - bottom) * expit((v - v_half) / slope)
