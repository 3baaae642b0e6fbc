"""What every cell answers: how its state moves by itself."""

import abc
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

State = Any  # a pytree of arrays


class AbstractCell(eqx.Module):
    """A cell whose voltage, and perhaps concentrations and volume, are free to move.

    Parameters are its fields; what evolves is a state, a pytree of arrays. The verbs of `simulate` (`current_clamp`,
    `steady_state`, `follow`) need no more than this.
    """

    @abc.abstractmethod
    def init(self) -> State:
        """The state at which a run starts if none is given."""

    @abc.abstractmethod
    def derivative(self, state: State, current: Float[Array, ""]) -> State:
        """Rate of change of the state [1/ms].

        **Arguments:** `current`: injected into the cell, depolarizing positive, in the cell's own unit (pA, or uA/cm2
        where its conductances are densities).
        """

    @abc.abstractmethod
    def voltage(self, state: State) -> Float[Array, ""]:
        """The membrane potential [mV]."""

    def at_electrode(self, state: State) -> Float[Array, ""]:
        """The potential where current is injected [mV]."""
        return self.voltage(state)

    def observe(self, state: State) -> dict[str, Float[Array, ""]]:
        """What may be looked at, by name: potentials [mV], concentrations [mM], volumes."""
        return {"V": self.voltage(state)}

    def totals(self, state: State) -> Float[Array, " totals"]:
        """What no run changes: totals of particles, charge. A steady state is found at the totals of its start."""
        return jnp.zeros((0,), jnp.result_type(self.voltage(state)))
