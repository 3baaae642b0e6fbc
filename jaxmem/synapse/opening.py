"""How synaptic channels open when spikes arrive: open fractions that spikes add to, and that decay by themselves.

Without spikes nothing is open. `simulate.Arrivals` and `network.Connections` add the weights of spikes to the state.
Many add up, beyond one too: with the conductance of one synapse the open probability is the number of those open.
"""

import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from ..gating import AbstractGating
from ..params import as_array, param, positive


class Exponential(AbstractGating):
    """Opens at once, and decays with a time constant: ds/dt = -s/tau, s -> s + weight.

    **Arguments:** `tau` [ms].
    """

    tau: Float[Array, ""] = param("ms", positive)

    def init(self, v, bath):  # noqa: D102
        return jnp.zeros_like(v + self.tau)

    def derivative(self, state, v, bath):  # noqa: D102
        return -state / self.tau

    def advance(self, state, v, bath, dt):  # noqa: D102
        return state * jnp.exp(-dt / self.tau)

    def open_probability(self, state, v):  # noqa: D102
        return state


class DoubleExponential(AbstractGating):
    """Opens with one time constant and decays with another, and a spike of weight 1 reaches a peak of 1.

    s = (e^(-t/decay) - e^(-t/rise))/peak at a time t after a spike. The state holds the two exponentials, in this
    order, and a spike adds its weight to both.

    **Arguments:** `rise`, `decay` [ms].
    **Raises:** `ValueError` unless the rise is faster than the decay.
    """

    rise: Float[Array, ""] = param("ms", positive)
    decay: Float[Array, ""] = param("ms", positive)

    def __init__(self, rise, decay):
        self.rise, self.decay = as_array(rise), as_array(decay)
        known = not any(isinstance(x, Tracer) for x in (self.rise, self.decay))
        if known and not np.all(np.asarray(self.rise) < np.asarray(self.decay)):
            raise ValueError(
                f"Argument `rise` must be less than `decay`, but they are {self.rise} and {self.decay} ms; for a rise "
                "at once use Exponential(decay)."
            )

    @property
    def time_to_peak(self) -> Float[Array, ""]:
        """When a single spike has the largest effect [ms]."""
        return self.rise * self.decay / (self.decay - self.rise) * jnp.log(self.decay / self.rise)

    def _rates(self) -> Float[Array, "2"]:
        return jnp.stack([1.0 / self.decay, 1.0 / self.rise])

    def init(self, v, bath):  # noqa: D102
        return jnp.zeros_like(v + self._rates())

    def derivative(self, state, v, bath):  # noqa: D102
        return -self._rates() * state

    def advance(self, state, v, bath, dt):  # noqa: D102
        return state * jnp.exp(-dt * self._rates())

    def open_probability(self, state, v):  # noqa: D102
        peak = jnp.exp(-self.time_to_peak / self.decay) - jnp.exp(-self.time_to_peak / self.rise)
        return (state[..., 0] - state[..., 1]) / peak
