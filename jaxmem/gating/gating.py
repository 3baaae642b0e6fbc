"""The interface of everything that opens a channel, and the channel that is always open."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath

State = Any  # a pytree of arrays


class AbstractGating(eqx.Module):
    """State of the gates, how it moves, and the open probability that it gives."""

    @abc.abstractmethod
    def init(self, v: Float[Array, ""], bath: Bath) -> State:
        """The steady state at v [mV]."""

    @abc.abstractmethod
    def derivative(self, state: State, v: Float[Array, ""], bath: Bath) -> State:
        """Rate of change of the state [1/ms]."""

    @abc.abstractmethod
    def advance(self, state: State, v: Float[Array, ""], bath: Bath, dt: Float[Array, ""]) -> State:
        """The state after dt [ms] at constant v and bath, exact."""

    @abc.abstractmethod
    def open_probability(self, state: State, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """Open probability in a state; leading axes of the state are kept."""


class AlwaysOpen(AbstractGating):
    """No gate: open probability one."""

    def init(self, v, bath):  # noqa: D102
        return ()

    def derivative(self, state, v, bath):  # noqa: D102
        return ()

    def advance(self, state, v, bath, dt):  # noqa: D102
        return ()

    def open_probability(self, state, v):  # noqa: D102
        return jnp.ones_like(v)
