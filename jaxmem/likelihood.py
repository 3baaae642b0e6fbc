"""What residuals mean: squared error and Gaussian log-likelihoods, and criteria to compare models.

Residuals are prediction minus data. Samples that a mask leaves out are zeros, so each function takes the
`count` of used samples; it is the number of residuals by default.
"""

import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float


def squared_error(residuals: Float[Array, "..."], sigma: Any = 1.0) -> Float[Array, ""]:
    """Half the sum of squares, 1/2 sum (r/sigma)^2.

    **Arguments:** `sigma`: in the unit of the residuals, broadcast against them.
    """
    return 0.5 * jnp.sum((residuals / sigma) ** 2)


def gaussian(residuals: Float[Array, "..."], sigma: Any, count: Any = None) -> Float[Array, ""]:
    """Log-likelihood of independent Gaussian noise, -1/2 sum (r/sigma)^2 - n ln(sigma sqrt(2 pi)).

    **Arguments:** `sigma`: one number; `count`: number n of used samples.
    """
    n = residuals.size if count is None else count
    return -squared_error(residuals, sigma) - n * (jnp.log(sigma) + 0.5 * math.log(2.0 * math.pi))


def gaussian_unknown_sigma(residuals: Float[Array, "..."], count: Any = None) -> Float[Array, ""]:
    """Log-likelihood of independent Gaussian noise at its most likely sigma^2 = sum r^2/n: -n/2 (ln(2 pi
    sigma^2) + 1).

    **Arguments:** `count`: number n of used samples.
    """
    n = residuals.size if count is None else count
    return -0.5 * n * (jnp.log(2.0 * math.pi * jnp.sum(residuals**2) / n) + 1.0)


def aic(log_likelihood: Any, parameters: int) -> Any:
    """Akaike's criterion, 2 k - 2 ln L; the smaller the better."""
    return 2.0 * parameters - 2.0 * log_likelihood


def bic(log_likelihood: Any, parameters: int, count: int) -> Any:
    """Schwarz's criterion, k ln n - 2 ln L, of n independent samples; the smaller the better."""
    return math.log(count) * parameters - 2.0 * log_likelihood
