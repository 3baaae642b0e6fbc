"""A channel population: gating times permeation times number."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .electrochemistry import Bath, as_bath
from .gating import AbstractGating
from .params import as_array, param, positive
from .permeation import AbstractPermeation, Exchange


class Channel(eqx.Module):
    """A mechanism: `number` channels that `gating` opens and `permeation` lets the current through.

    With `number` 1 (the default) the conductance of the permeation is the whole population's.
    """

    gating: AbstractGating
    permeation: AbstractPermeation
    number: Float[Array, ""] = param("", positive)

    def __init__(self, gating: AbstractGating, permeation: AbstractPermeation, number: Any = 1.0):
        self.gating, self.permeation, self.number = gating, permeation, as_array(number)

    def init(self, v: Float[Array, ""], bath: Bath) -> Any:
        """The steady state of the gating at v [mV]."""
        return self.gating.init(v, as_bath(bath))

    def derivative(self, state: Any, v: Float[Array, ""], bath: Bath) -> Any:
        """Rate of change of the state [1/ms]."""
        return self.gating.derivative(state, v, as_bath(bath))

    def advance(self, state: Any, v: Float[Array, ""], bath: Bath, dt: Float[Array, ""]) -> Any:
        """The state after dt [ms] at constant v and bath."""
        return self.gating.advance(state, v, as_bath(bath), dt)

    def exchange(self, state: Any, v: Float[Array, ""], bath: Bath) -> Exchange:
        """Amounts released [fmol/ms] and current [pA] of the whole population."""
        share = self.number * self.gating.open_probability(state, v)
        return self.permeation.exchange(v, as_bath(bath)).scaled(share)

    def open_probability(self, state: Any, v: Float[Array, ""]) -> Float[Array, ""]:
        """Open probability in a state."""
        return self.gating.open_probability(state, jnp.asarray(v))


class SteadyState(AbstractPermeation):
    """A mechanism, or several together, in its steady state at every voltage: a law of v and the bath alone.

    What is measured of an open pore (`permeation.conductance`, `reversal_potential`, `tabulate`, ...) is then read from
    channels, pumps and transporters, too.

    **Arguments:** `model`: a mechanism, a tuple of them, or an open pore's law, which stays as it is.
    """

    model: Any

    def check(self, bath):  # noqa: D102
        for part in jax.tree.leaves(self.model, is_leaf=_is_law):
            if _is_law(part):
                part.check(bath)

    def exchange(self, v, bath):  # noqa: D102
        parts = self.model if isinstance(self.model, tuple) else (self.model,)
        exchanges = [
            part.exchange(v, bath)
            if isinstance(part, AbstractPermeation)
            else part.exchange(part.init(v, bath), v, bath)
            for part in parts
        ]
        return jax.tree.map(lambda *terms: sum(terms[1:], terms[0]), *exchanges)


def _is_law(part: Any) -> bool:
    return isinstance(part, AbstractPermeation)
