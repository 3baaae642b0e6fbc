"""A penalty in the form of data: neighboring numbers of a profile should be alike."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from ..results import InputError
from .experiment import Experiment


class Smooth(Experiment):
    """The differences of neighbors in a row of numbers of a model, as if they had been measured to be zero.

    Fitted together with data it keeps a profile smooth, such as a fixed charge along many segments of a pore. It is a
    prior: each difference is taken to be normal with the standard deviation `sigma`, so the data must have a `sigma`
    of their noise, not the default. The larger `sigma`, the rougher the profile may be.

    ```python
    smooth = Smooth(lambda m: m.pore.fixed_charge, 50.0, count=12)  # mM from one segment to the next
    found = least_squares([Steady(currents, sigma=0.2), smooth], model, free, key=key)
    ```

    **Arguments:** `select`: the numbers, a function of the model; `sigma`: of the differences, in their unit; `count`:
    how many numbers there are; `order`: 1 for differences of neighbors, 2 for those of differences.
    **Raises:** `InputError` for a `sigma` that is not positive, and too few numbers.
    """

    name: str = eqx.field(static=True)
    data: Float[Array, "differences 1"]
    mask: Bool[Array, "differences 1"]
    sigma: Float[Array, ""]
    spacing: float = eqx.field(static=True)
    select: Callable[[Any], Any] = eqx.field(static=True)
    order: int = eqx.field(static=True)

    def __init__(
        self, select: Callable[[Any], Any], sigma: float, *, count: int, order: int = 1, name: str = "smoothness"
    ):
        if not (np.isfinite(sigma) and sigma > 0):
            raise InputError(f"{name}: `sigma` must be positive, but is {sigma:g}.")
        if order < 1 or count <= order:
            raise InputError(
                f"{name}: differences of order {order} need {order + 1} numbers or more, but `count` is {count}."
            )
        self.name, self.spacing, self.select, self.order = name, 1.0, select, order
        self.data = jnp.zeros((count - order, 1))
        self.mask = jnp.ones(self.data.shape, bool)
        self.sigma = jnp.asarray(sigma, self.data.dtype)

    def predict(self, model: Any) -> Float[Array, "differences 1"]:
        """The differences."""
        return jnp.diff(self.select(model), self.order)[:, None]

    @property
    def independent(self) -> bool:
        """Differences are taken to know nothing of each other."""
        return True
