"""Small models and experiments on which the fitting engine is tested."""

from collections.abc import Callable

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxmem.fit import Experiment
from jaxmem.params import param, positive


class Numbers(eqx.Module):
    a: Float[Array, ""] = param("nS", positive)
    b: Float[Array, ""] = param("1/ms")
    c: Float[Array, ""] = param("mV")


class Curve(Experiment):
    """Data that `function(model)` predicts, one trace per row."""

    data: Float[Array, "traces samples"]
    function: Callable = eqx.field(static=True)
    mask: Array = None
    sigma: Array = None
    spacing: float = eqx.field(static=True, default=1.0)
    name: str = eqx.field(static=True, default="curve")

    def __post_init__(self):
        self.data = jnp.atleast_2d(jnp.asarray(self.data, jnp.result_type(float)))
        self.mask = jnp.ones(self.data.shape, bool) if self.mask is None else jnp.asarray(self.mask)
        self.sigma = jnp.asarray(1.0 if self.sigma is None else self.sigma, self.data.dtype)

    def predict(self, model):
        return jnp.atleast_2d(self.function(model))


T = np.linspace(0.0, 10.0, 200)


def decay(m):
    """a exp(-b t) + c."""
    return m.a * jnp.exp(-m.b * T) + m.c


def rosenbrock(m):
    """Zero at a = b = 1."""
    return jnp.stack([10.0 * (m.b - m.a**2), 1.0 - m.a])
