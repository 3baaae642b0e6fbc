"""Voltage sensors by statistical mechanics: charge-voltage curves, gating capacitance, gating current.

Charges are in elementary charges e0, counted outward and from the first state of a scheme.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, as_bath
from ..kinetics import AbstractScheme, edge_flux, generator, state_charge, stationary
from ..params import param
from ..units import thermal_voltage
from .markov import Markov


class TwoState(eqx.Module):
    """A sensor with two positions: dG(V) = dg0 - q V F/RT [kT], P = 1/(1 + exp(dG)).

    **Arguments:** `dg0` [kT]: free energy of the active minus the resting position at V = 0; `q` [e0]: charge that
    moves.
    **Source:** Hille 2001, chapter 2; Bezanilla 2008.
    """

    dg0: Float[Array, ""] = param("kT")
    q: Float[Array, ""] = param("e0")

    @classmethod
    def at(cls, v_half: float, q: float, temperature: float) -> "TwoState":
        """The sensor that is half activated at v_half [mV]."""
        return cls(q * v_half / thermal_voltage(temperature), q)

    def energy(self, v: Float[Array, "..."], bath: Bath) -> Float[Array, "..."]:
        """dG(V) [kT]."""
        return self.dg0 - self.q * v / thermal_voltage(as_bath(bath).temperature)

    def active(self, v: Float[Array, "..."], bath: Bath) -> Float[Array, "..."]:
        """Probability of the active position."""
        return jax.nn.sigmoid(-self.energy(v, bath))

    def charge(self, v: Float[Array, "..."], bath: Bath) -> Float[Array, "..."]:
        """Mean charge moved, Q(V) = q P [e0]."""
        return self.q * self.active(v, bath)

    def capacitance(self, v: Float[Array, "..."], bath: Bath) -> Float[Array, "..."]:
        """Gating capacitance dQ/dV = q^2/(kT) P (1 - P) [e0/mV]."""
        energy = self.energy(v, bath)
        spread = jax.nn.sigmoid(energy) * jax.nn.sigmoid(-energy)
        return self.q**2 / thermal_voltage(as_bath(bath).temperature) * spread


def charge_voltage(scheme: AbstractScheme, v: Float[Array, ""], bath: Bath) -> Float[Array, ""]:
    """Mean gating charge in the steady state at v [mV], from the first state [e0]."""
    p = stationary(generator(scheme, v, bath))
    return jnp.sum(p * state_charge(scheme, bath))


def gating_capacitance(scheme: AbstractScheme, v: Float[Array, ""], bath: Bath) -> Float[Array, ""]:
    """Slope of the charge-voltage curve dQ/dV [e0/mV]."""
    return jax.grad(lambda x: charge_voltage(scheme, x, bath))(jnp.asarray(v, jnp.result_type(float)))


def total_charge(scheme: AbstractScheme, bath: Bath) -> Float[Array, ""]:
    """Charge between the most hyperpolarized and the most depolarized state of a scheme [e0]."""
    charge = state_charge(scheme, bath)
    return jnp.max(charge) - jnp.min(charge)


def gating_charge(scheme: AbstractScheme, p: Float[Array, "... states"], bath: Bath) -> Float[Array, "..."]:
    """Mean gating charge at an occupancy p, from the first state [e0]."""
    return p @ state_charge(scheme, bath)


def gating_current(
    scheme: AbstractScheme, p: Float[Array, "... states"], v: Float[Array, "..."], bath: Bath
) -> Float[Array, "..."]:
    """Gating current: sum over edges of charge times net flux [e0/ms per channel].

    Times `units.E0_PER_MS` it is in pA.
    """
    return edge_flux(scheme, p, v, bath) @ scheme.charges(as_bath(bath))


def limiting_slope(gating: Markov, v: Float[Array, ""], bath: Bath) -> Float[Array, ""]:
    """kT d ln Po / dV [e0] at v [mV]: tends to the charge coupled to opening where Po vanishes.

    **Source:** Almers 1978; Sigg & Bezanilla 1997.
    """
    conditions = as_bath(bath)

    def log_open(x):
        return jnp.log(gating.open_probability(gating.init(x, conditions), x))

    return thermal_voltage(conditions.temperature) * jax.grad(log_open)(jnp.asarray(v, jnp.result_type(float)))
