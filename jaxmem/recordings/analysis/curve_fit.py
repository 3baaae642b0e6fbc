"""Least squares for small curves, with standard errors and fixed parameters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from jaxmem.results import InputError


@dataclass(frozen=True, eq=False)
class CurveFit:
    """Values and standard errors of all parameters (0 for fixed ones) and the root mean square error."""

    values: Float[np.ndarray, " parameters"]
    errors: Float[np.ndarray, " parameters"]
    rmse: float


def points(
    x: ArrayLike, y: ArrayLike, sigma: ArrayLike | None, least: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The finite points of a curve and their weights' inverse.

    **Raises:** `InputError` if shapes differ, an error is not positive, or there are fewer points than
    parameters.
    """
    x, y = np.asarray(x, float).ravel(), np.asarray(y, float).ravel()
    if x.shape != y.shape:
        raise InputError(f"A curve must have as many values as abscissas, but has {y.size} and {x.size}.")
    s = np.ones_like(x) if sigma is None else np.broadcast_to(np.asarray(sigma, float), x.shape)
    keep = np.isfinite(x) & np.isfinite(y) & np.isfinite(s)
    if np.any(s[keep] <= 0):
        raise InputError("The errors `sigma` of points must be positive.")
    if np.count_nonzero(keep) < least or np.unique(x[keep]).size < min(least, 2):
        raise InputError(f"The fit needs at least {least} finite points, but has {np.count_nonzero(keep)}.")
    return x[keep], y[keep], s[keep]


def fit_curve(
    curve: Callable[[np.ndarray, np.ndarray], np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    sigma: np.ndarray,
    starts: Sequence[Sequence[float]],
    fixed: Sequence[float | None],
    absolute: bool,
) -> CurveFit:
    """The best of several starts of a Levenberg-Marquardt fit of `curve(x, parameters)`.

    **Arguments**

    - `starts`: full parameter vectors to start from.
    - `fixed`: a value for each fixed parameter, None for each free one.
    - `absolute`: whether `sigma` are true standard errors; else they are relative and the residuals set the
      scale.

    **Raises:** `InputError` if no start converges to finite values.
    """
    free = np.array([value is None for value in fixed])
    base = np.array([0.0 if value is None else value for value in fixed])

    def full(p: np.ndarray) -> np.ndarray:
        values = base.copy()
        values[free] = p
        return values

    def residuals(p: np.ndarray) -> np.ndarray:
        return (curve(x, full(p)) - y) / sigma

    best = None
    for start in starts:
        with np.errstate(over="ignore", invalid="ignore"):
            begin = np.asarray(start, float)[free]
            if not np.all(np.isfinite(residuals(begin))):
                continue
            found = least_squares(residuals, begin, method="trf", x_scale="jac", xtol=1e-12, ftol=1e-12, gtol=1e-12)
        if np.all(np.isfinite(found.x)) and (best is None or found.cost < best.cost):
            best = found
    if best is None:
        raise InputError("The fit found no finite parameters; check the points, or fix top and bottom.")
    covariance = np.linalg.pinv(best.jac.T @ best.jac)
    spare = max(x.size - int(free.sum()), 0)
    scale = 1.0 if absolute else (2.0 * best.cost / spare if spare else np.nan)
    errors = np.zeros(base.shape)
    errors[free] = np.sqrt(scale * np.diag(covariance))
    rmse = float(np.sqrt(np.mean((curve(x, full(best.x)) - y) ** 2)))
    return CurveFit(full(best.x), errors, rmse)
