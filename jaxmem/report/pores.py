"""The figures of a report on Poisson-Nernst-Planck pores: what is along them, with the uncertainty of the fit."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from .. import plot
from ..electrochemistry import Bath
from ..fit import Fit
from ..permeation import PorePNP
from .numbers import digits


def parts(model: Any, kinds: Any) -> list[Any]:
    """The parts of a model that are of some kinds."""
    is_part = lambda part: isinstance(part, kinds)
    return [part for part in jax.tree.leaves(model, is_leaf=is_part) if is_part(part)]


def profiles(fit: Fit, v: float, bath: Bath, reach: float) -> list[tuple[Figure, str]]:
    """Potential and concentrations along every pore of the fitted model at v [mV], with bands of `reach` errors."""
    pictures = []
    for pore, found, (psi, logs) in zip(parts(fit.model, PorePNP), *_with_errors(fit, v, bath), strict=True):
        figure = plot.profile(found, pore.resolved, potential_error=psi, log_error=logs, reach=reach)
        text = f"The fitted pore at {digits(v)} mV in the first solution of the data that holds all its species."
        if (np.nan_to_num(psi) > 0).any():
            text += " Shaded, where wider than the line: 95 % intervals from the covariance of the fit."
        text += (
            "" if np.isfinite(psi).all() else " No band where a parameter on a bound, or not determined, takes part."
        )
        pictures.append((figure, text))
    return pictures


def _with_errors(fit: Fit, v: float, bath: Bath) -> tuple[list[Any], list[tuple[Any, Any]]]:
    """The profile of every pore, and the standard errors of its potential and of the logarithms of concentrations.

    Those of J C J^T, with the exact J of the profile by the parameters, in forward mode; NaN where a parameter takes
    part that has no error.
    """
    found = lambda values: [p.profile(jnp.asarray(v), bath) for p in parts(fit.free.place(fit.model, values), PorePNP)]

    def drawn(values: Any) -> list[tuple[Any, Any]]:
        positive = lambda c: jnp.where(c > 0, c, 1.0)
        return [(p.potential, jnp.log(positive(p.concentrations))) for p in found(values)]

    values = jnp.asarray(fit.values)
    known = np.isfinite(np.diag(fit.covariance))
    covariance = np.where(known[:, None] & known[None, :], fit.covariance, 0.0)
    slopes = jax.jit(jax.jacfwd(drawn))(values)
    spread = lambda jacobian: _spread(np.asarray(jacobian), covariance, known)
    return jax.jit(found)(values), [(spread(psi), spread(logs)) for psi, logs in slopes]


def _spread(
    jacobian: Float[np.ndarray, "*places p"], covariance: Float[np.ndarray, "p p"], known: Any
) -> Float[np.ndarray, "*places"]:
    variance = np.einsum("...p,pq,...q->...", jacobian, covariance, jacobian)
    lost = (jacobian[..., ~known] != 0.0).any(-1)
    return np.where(lost, np.nan, np.sqrt(np.maximum(variance, 0.0)))
