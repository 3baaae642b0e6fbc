"""Cubic splines on even grids, of any number of variables: coefficients once, then four per axis."""

import functools

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


@functools.lru_cache(maxsize=32)
def _inverse(points: int) -> Float[np.ndarray, "coefficients points"]:
    """From values at an even grid to the coefficients of the not-a-knot cubic spline through them."""
    size = points + 2
    matrix = np.zeros((size, size))
    for k in range(points):
        matrix[k + 1, k : k + 3] = 1 / 6, 4 / 6, 1 / 6
    # The third derivative has no jump at the second and the last but one point.
    matrix[0, :5], matrix[-1, -5:] = (1, -4, 6, -4, 1), (1, -4, 6, -4, 1)
    return np.linalg.inv(matrix)[:, 1:-1]


def coefficients(values: Float[Array, "..."], axes: int) -> Float[Array, "..."]:
    """Coefficients of the tensor-product spline through values on a grid, along the first `axes` axes.

    Each of these axes has at least five points and gets two more.
    """
    for axis in range(axes):
        inverse = jnp.asarray(_inverse(values.shape[axis]), values.dtype)
        values = jnp.moveaxis(jnp.tensordot(inverse, values, (1, axis), precision="highest"), 0, axis)
    return values


def evaluate(coefficients: Float[Array, "..."], at: tuple[Float[Array, ""], ...]) -> Float[Array, "..."]:
    """The spline at one place; NaN outside its grid. Twice continuously differentiable.

    **Arguments:** `at`: for each of the first axes the place in grid steps from its first point.
    """
    inside = jnp.array(True)
    for axis, x in enumerate(at):
        last = coefficients.shape[axis] - 3
        inside = inside & (x >= 0) & (x <= last)
    weights, starts = [], []
    for axis, x in enumerate(at):
        last = coefficients.shape[axis] - 3
        x = jnp.where(inside, x, 0.0)
        k = jnp.clip(jnp.floor(x).astype(int), 0, last - 1)
        weights.append(_basis(x - k.astype(x.dtype)))
        starts.append(k)
    near = coefficients
    for axis, k in enumerate(starts):
        near = jnp.take(near, k + jnp.arange(4), axis=axis, mode="clip")
    for weight in weights:
        near = jnp.sum(near * weight.reshape(4, *[1] * (near.ndim - 1)), 0)
    return jnp.where(inside, near, jnp.nan)


def _basis(t: Float[Array, ""]) -> Float[Array, "4"]:
    """The four cubic B-splines that reach a place t between two grid points."""
    s = 1.0 - t
    middle = lambda x: (4.0 - 6.0 * x**2 + 3.0 * x**3) / 6.0
    return jnp.stack([s**3 / 6.0, middle(t), middle(s), t**3 / 6.0])
