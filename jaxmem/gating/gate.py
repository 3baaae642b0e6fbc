"""Hodgkin-Huxley gates: independent two-state particles with closed-form relaxation."""

import abc

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, as_bath
from ..kinetics import Scheme, scheme
from ..params import param, positive
from ..rates import AbstractRate
from .gating import AbstractGating


class AbstractGate(eqx.Module):
    """One gating particle: dx/dt = rate (steady - x)."""

    @abc.abstractmethod
    def relaxation(self, v: Float[Array, "..."], bath: Bath) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
        """Steady value (between 0 and 1) and relaxation rate [1/ms] at v [mV]; elementwise."""


class Gate(AbstractGate):
    """A gate with an opening and a closing rate: steady = a/(a + b), rate = a + b."""

    opening: AbstractRate
    closing: AbstractRate

    def relaxation(self, v, bath):  # noqa: D102
        a, b = self.opening(v, bath), self.closing(v, bath)
        return a / (a + b), a + b


class Sigmoid(eqx.Module):
    """1 / (1 + exp(-(V - v_half)/slope)): an activation curve; a negative slope makes it an inactivation curve."""

    v_half: Float[Array, ""] = param("mV")
    slope: Float[Array, ""] = param("mV")

    def __call__(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """The curve's value at v [mV]."""
        return jax.nn.sigmoid((v - self.v_half) / self.slope)


class Relaxation(AbstractGate):
    """A gate given by a steady-state curve and a rate law 1/tau(V)."""

    steady: Sigmoid
    rate: AbstractRate

    def relaxation(self, v, bath):  # noqa: D102
        return self.steady(v), self.rate(v, bath)


class Steady(eqx.Module):
    """x_inf(V)^power: what a gate shows that is so fast that it is always at its steady state, as m^3 of some models.

    **Arguments:** `gate`: its laws must need no bath but the temperature; `power`: a positive integer; `temperature`
    [K].
    """

    gate: AbstractGate
    power: int = eqx.field(static=True, default=1)
    temperature: Float[Array, ""] = param("K", positive, default=310.15)

    def __call__(self, v: Float[Array, "..."]) -> Float[Array, "..."]:
        """The curve's value at v [mV]."""
        return self.gate.relaxation(v, as_bath(self.temperature))[0] ** self.power


class Instantaneous(AbstractGating):
    """A gate that is always at its steady state (rectification, fast block, fast activation)."""

    steady: Sigmoid | Steady

    def init(self, v, bath):  # noqa: D102
        return ()

    def derivative(self, state, v, bath):  # noqa: D102
        return ()

    def advance(self, state, v, bath, dt):  # noqa: D102
        return ()

    def open_probability(self, state, v):  # noqa: D102
        return self.steady(v)


class HodgkinHuxley(AbstractGating):
    """Open probability as a product of powers of independent gates, m^p h^q.

    **Arguments:** `gates`, `powers`: one positive integer for each gate. `factor`: an optional gating that multiplies
    the product (an instantaneous rectification or activation). The state is the vector of gate values.
    **Source:** Hodgkin & Huxley 1952.
    """

    gates: tuple[AbstractGate, ...]
    powers: tuple[int, ...] = eqx.field(static=True)
    factor: Instantaneous | None = None

    def __check_init__(self):
        if len(self.gates) != len(self.powers) or any(p < 1 or p != int(p) for p in self.powers):
            raise ValueError(
                f"Argument `powers` must hold one positive integer for each of the {len(self.gates)} gates, but "
                f"is {self.powers}."
            )

    def relaxation(self, v, bath) -> tuple[Float[Array, "... gates"], Float[Array, "... gates"]]:
        """Steady values and relaxation rates [1/ms] of all gates."""
        steady, rate = zip(*(gate.relaxation(v, bath) for gate in self.gates), strict=True)
        return jnp.stack(steady, -1), jnp.stack(rate, -1)

    def init(self, v, bath):  # noqa: D102
        return self.relaxation(v, bath)[0]

    def derivative(self, state, v, bath):  # noqa: D102
        steady, rate = self.relaxation(v, bath)
        return rate * (steady - state)

    def advance(self, state, v, bath, dt):  # noqa: D102
        steady, rate = self.relaxation(v, bath)
        return state - (steady - state) * jnp.expm1(-rate * dt)

    def open_probability(self, state, v):  # noqa: D102
        value = 1.0
        for k, power in enumerate(self.powers):
            for _ in range(power):
                value = value * state[..., k]
        return value if self.factor is None else value * self.factor.open_probability((), v)


def as_scheme(gate: Gate) -> Scheme:
    """The two-state graph closed <-> open of a gate."""
    return scheme({("closed", "open"): (gate.opening, gate.closing)})
