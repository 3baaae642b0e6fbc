"""Steady measurements as data for a fit: points of (voltage, bath), each independent of the others."""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..channel import SteadyState
from ..electrochemistry import Bath
from ..recordings import Measurement
from ..results import InputError
from .experiment import Experiment


class SteadyPoints(Experiment):
    """Points of a steady quantity as arrays, for compiled code: one trace of one sample each."""

    name: str = eqx.field(static=True)
    data: Float[Array, "points 1"]
    mask: Bool[Array, "points 1"]
    sigma: Float[Array, "points 1"]
    spacing: float = eqx.field(static=True)
    v: Float[Array, " points"]
    bath: Bath
    reading: Callable
    normalized: int | None = eqx.field(static=True)

    def predict(self, model: Any) -> Float[Array, "points 1"]:
        """The reading of the model in its steady state at every point."""
        law = SteadyState(model)
        found = jax.vmap(lambda v, bath: self.reading(law, v, bath))(self.v, self.bath)
        return (found if self.normalized is None else found / found[self.normalized])[:, None]

    @property
    def independent(self) -> bool:
        """Points know nothing of each other."""
        return True


class Steady(Experiment):
    """A measurement of a steady quantity: currents, conductances or reversal potentials at points of (v, bath).

    Points are independent of each other, so the standard errors of a fit of such data alone are those of ordinary
    nonlinear regression, s^2 (J^T J)^-1.

    **Arguments**

    - `measurement`: a `recordings.Measurement`.
    - `sigma`: what residuals are divided by, in the unit of the values: one number, or one for each point. The
      measurement's errors by default; without them the range of its values. Only its ratios among points, and among
      experiments fitted together, matter: how large the noise is, the residuals tell.

    A point that the data are relative to (`Measurement.normalized`) is left out: a model says nothing of it.

    **Raises** `InputError` if `sigma` is not positive, or nothing varies and it is not given.
    """

    name: str
    data: Float[Array, "points 1"]
    mask: Bool[Array, "points 1"]
    sigma: Float[Array, "points 1"]
    spacing: float
    measurement: Measurement

    def __init__(self, measurement: Measurement, *, sigma: Any = None):
        if not isinstance(measurement, Measurement):
            raise InputError(f"Argument `measurement` must be a Measurement, but is a {type(measurement).__name__}.")
        name = measurement.name or "measurement"
        given = measurement.error if sigma is None else sigma
        scale = np.asarray(measurement.range if given is None else given, float)
        if scale.shape not in ((), measurement.value.shape):
            raise InputError(
                f"{name}: `sigma` must be one number, or one for each of {measurement.points} points, but has shape "
                f"{scale.shape}."
            )
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            hint = "give sigma" if sigma is None else "give positive numbers"
            raise InputError(f"{name}: residuals are divided by {scale.min():g}; {hint}.")
        mask = np.ones(measurement.value.shape, bool)
        if measurement.normalized is not None:
            mask[measurement.normalized] = False
        if not mask.any():
            raise InputError(f"{name}: must have a point beside the one that the data are relative to; add points.")
        self.name, self.spacing, self.measurement = name, 1.0, measurement
        self.data = jnp.asarray(measurement.value)[:, None]
        self.mask = jnp.asarray(mask)[:, None]
        self.sigma = jnp.asarray(np.broadcast_to(scale, mask.shape), self.data.dtype)[:, None]

    def predict(self, model: Any) -> Float[Array, "points 1"]:
        """The model's values at the points, in the unit of the measurement."""
        return _predict(self.prepare(model), model)

    def prepare(self, model: Any) -> SteadyPoints:
        """The same as arrays, for pure functions."""
        m, dtype = self.measurement, self.data.dtype
        bath = jax.tree.map(lambda x: jnp.asarray(x, dtype), m.bath)
        return SteadyPoints(
            self.name, self.data, self.mask, self.sigma, self.spacing,
            jnp.asarray(m.v, dtype), bath, _by_value(m.reading), m.normalized,
        )  # fmt: skip

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return self.measurement.unit

    @property
    def conditions(self) -> Bath:
        """The bath of every point."""
        return self.measurement.bath

    @property
    def voltages(self) -> tuple[float, float]:
        """Lowest and highest voltage of the points [mV]."""
        return float(self.measurement.v.min()), float(self.measurement.v.max())

    @property
    def independent(self) -> bool:
        """Points know nothing of each other."""
        return True


_predict = eqx.filter_jit(lambda points, model: points.predict(model))


def _by_value(reading: Callable) -> Callable:
    """A partial function that is equal to another of the same arguments, so that it does not compile again."""
    if not isinstance(reading, functools.partial):
        return reading
    return eqx.Partial(reading.func, *reading.args, **reading.keywords)
