"""Markov gating: the occupancy of a state graph, some of whose states conduct."""

from collections.abc import Mapping

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import as_bath
from ..kinetics import AbstractScheme, generator, propagate, stationary
from .gating import AbstractGating


class Markov(AbstractGating):
    """A state graph read for the occupancy of its conducting states.

    **Arguments:** `scheme`; `conducting`: the conducting states, as names or as a mapping from name to relative
    conductance. The state is the vector of occupancies, in the order of `scheme.states`.
    **Raises:** `ValueError` if a conducting state is not in the scheme, or none is named.
    """

    scheme: AbstractScheme
    weights: tuple[float, ...] = eqx.field(static=True)

    def __init__(self, scheme: AbstractScheme, conducting: Mapping[str, float] | tuple[str, ...]):
        table = dict(conducting) if isinstance(conducting, Mapping) else dict.fromkeys(conducting, 1.0)
        for name in table:
            if name not in scheme.states:
                raise ValueError(
                    f"Argument `conducting` must name states of the scheme, but names '{name}'; "
                    f"states are {', '.join(scheme.states)}."
                )
        if not table:
            raise ValueError(f"At least one state must conduct; states are {', '.join(scheme.states)}.")
        self.scheme = scheme
        self.weights = tuple(float(table.get(name, 0.0)) for name in scheme.states)

    def generator(self, v: Float[Array, "..."], bath) -> Float[Array, "... states states"]:
        """The generator [1/ms] of the scheme at v [mV]."""
        return generator(self.scheme, v, bath)

    def init(self, v, bath):  # noqa: D102
        return stationary(self.generator(v, as_bath(bath)))

    def derivative(self, state, v, bath):  # noqa: D102
        return jnp.sum(state[:, None] * self.generator(v, bath), 0)

    def advance(self, state, v, bath, dt):  # noqa: D102
        return propagate(self.generator(v, bath), state, dt)

    def open_probability(self, state, v):  # noqa: D102
        open_states = [k for k, weight in enumerate(self.weights) if weight]
        return sum(self.weights[k] * state[..., k] for k in open_states)
