"""A neuron in moving potassium and sodium: K builds up outside, Na inside, and the neuron has seizures.

Spikes release K into a thin outer space and let Na in; a pump, glia and diffusion to a bath take K away again. With 4
mM K in the bath the neuron rests at -68.1 mV. At 8 mM it bursts every 29.5 s, with K outside between 6.7 and 9.9 mM
(numbers of our reference cases; the paper's figure shows cycles of about half a minute). `Reduced` has the spikes
averaged out: its steady state loses its stability in Hopf points at 7.66 and 8.54 mM K in the bath.

The pump's current is not part of the voltage's equation, K inside follows Na inside (140 + 18 mM together), and
chloride does not move: these are the paper's approximations.

Units: mV, ms, mM, conductances are densities [mS/cm2], so currents are [uA/cm2]; as in the paper the slow parameters
are per second [mM/s, 1/s], and `tau` [ms] is the second that makes them rates per ms.

**Published:** equations and parameters, as corrected in the erratum; the reduced model as in the program that made the
figures (ModelDB). RT/F is 26.64 mV.

**Source:** Cressman JR, Ullah G, Ziburkus J, Schiff SJ, Barreto E. The influence of sodium and potassium dynamics on
excitability, seizures, and the stability of persistent states: I. Single neuron dynamics. J Comput Neurosci
26:159-170 (2009), doi:10.1007/s10827-008-0132-4, with its erratum, 30:781 (2011); ModelDB 136773.
"""

import math
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..cell import AbstractCell
from ..electrochemistry import Bath, K, Na
from ..gating import Gate
from ..params import as_array, param, positive
from ..transport.sodium_pumps import cressman
from ..units import thermal_voltage
from . import cortical_gates

Number = Float[Array, ""]


class State(NamedTuple):
    """V [mV], gates n and h, K outside and Na inside [mM], and calcium inside [its own unit]."""

    v: Number
    n: Number
    h: Number
    k_o: Number
    na_i: Number
    ca: Number


class ReducedState(NamedTuple):
    """K outside and Na inside [mM]."""

    k_o: Number
    na_i: Number


class Surroundings(eqx.Module):
    """Who moves K and Na when no channel does, and how the concentrations that are no states follow.

    **Arguments:** `k_bath` [mM], to which K diffuses at `diffusion` [1/s]; `pump` [mM/s], at half of it at `pump_na`
    and `pump_k` [mM]; `glia` [mM/s], at half of it at `glia_k` [mM], over `glia_width` [mM]; `volumes`: inner over
    outer; `na_i0` and `na_o0` [mM]: Na on both sides when no Na has moved; `cations` [mM]: K and Na inside together.
    """

    k_bath: Number = param("mM", positive, default=8.0)
    diffusion: Number = param("1/s", positive, default=4.0 / 3.0)
    pump: Number = param("mM/s", positive, default=1.25)
    pump_na: Number = param("mM", positive, default=25.0)
    pump_k: Number = param("mM", positive, default=5.5)
    glia: Number = param("mM/s", positive, default=200.0 / 3.0)
    glia_k: Number = param("mM", positive, default=18.0)
    glia_width: Number = param("mM", positive, default=2.5)
    volumes: Number = param("", positive, default=7.0)
    na_i0: Number = param("mM", positive, default=18.0)
    na_o0: Number = param("mM", positive, default=144.0)
    cations: Number = param("mM", positive, default=158.0)
    rt_over_f: Number = param("mV", positive, default=26.64)

    def bath(self, k_o: Number, na_i: Number) -> Bath:
        """K and Na on both sides [mM]: K_i = cations - Na_i, Na_o = na_o0 - volumes (Na_i - na_i0)."""
        outside = {Na: self.na_o0 - self.volumes * (na_i - self.na_i0), K: k_o}
        return Bath({Na: na_i, K: self.cations - na_i}, outside, self.rt_over_f / thermal_voltage(1.0))

    def pumped(self, bath: Bath) -> Number:
        """Turns of the pump, 3 Na out and 2 K in each [mM/s of the inner volume]."""
        most = {"maximum": self.pump, "Na_half": self.pump_na, "K_half": self.pump_k}
        return cressman(jnp.zeros_like(self.pump), bath, **most)

    def cleared(self, k_o: Number) -> Number:
        """K that glia and bath take from the outer space [mM/s]."""
        glia = self.glia * jax.nn.sigmoid((k_o - self.glia_k) / self.glia_width)
        return glia + self.diffusion * (k_o - self.k_bath)


class Cressman(AbstractCell):
    """The neuron with its spikes.

    **Arguments:** `surroundings`; conductances `g_...` [mS/cm2], those ending in l are leaks, `g_ahp` is opened by
    Ca; reversal potentials `e_ca`, `e_cl` [mV]; `capacitance` [uF/cm2]; `phi`: factor of the gates' rates; `gamma`:
    of what 1 uA/cm2 brings into the inner volume [mM/s]; `tau` [ms]: the second; Ca enters by `ca_influx` per uA/cm2
    through channels half open at `ca_half`, `ca_slope` [mV], and stays for `ca_decay` [ms]; `m`, `n`, `h`: the gates.
    """

    surroundings: Surroundings = eqx.field(default_factory=Surroundings)
    g_na: Number = param("mS/cm2", positive, default=100.0)
    g_nal: Number = param("mS/cm2", positive, default=0.0175)
    g_k: Number = param("mS/cm2", positive, default=40.0)
    g_kl: Number = param("mS/cm2", positive, default=0.05)
    g_ahp: Number = param("mS/cm2", positive, default=0.01)
    g_cll: Number = param("mS/cm2", positive, default=0.05)
    g_ca: Number = param("mS/cm2", positive, default=0.1)
    e_ca: Number = param("mV", default=120.0)
    e_cl: Number = param("mV", default=26.64 * math.log(6.0 / 130.0))
    capacitance: Number = param("uF/cm2", positive, default=1.0)
    phi: Number = param("", positive, default=3.0)
    gamma: Number = param("mM cm2/(uA s)", positive, default=0.044494542)
    tau: Number = param("ms", positive, default=1000.0)
    ca_influx: Number = param("", positive, default=0.002)
    ca_half: Number = param("mV", default=-25.0)
    ca_slope: Number = param("mV", positive, default=2.5)
    ca_decay: Number = param("ms", positive, default=80.0)
    m: Gate = eqx.field(default_factory=cortical_gates.sodium_activation)
    n: Gate = eqx.field(default_factory=cortical_gates.potassium_activation)
    h: Gate = eqx.field(default_factory=cortical_gates.sodium_inactivation)

    def init(self) -> State:
        """The published start: -50 mV, 7.8 mM K outside and 15.5 mM Na inside, no Ca."""
        return State(*map(as_array, (-50.0, 0.08553, 0.96859, 7.8, 15.5, 0.0)))

    def derivative(self, state: State, current: Number) -> State:
        """d/dt [1/ms].

        **Arguments:** `current` [uA/cm2], which moves no K or Na.
        """
        v, n, h, k_o, na_i, ca = state
        around = self.surroundings
        bath = around.bath(k_o, na_i)
        e_na, e_k = self.reversal(bath)
        (m, _), (n_steady, n_rate), (h_steady, h_rate) = (
            cortical_gates.relaxation(gate, v) for gate in (self.m, self.n, self.h)
        )
        i_na = (self.g_na * m**3 * h + self.g_nal) * (v - e_na)
        i_k = (self.g_k * n**4 + self.g_ahp * ca / (1.0 + ca) + self.g_kl) * (v - e_k)
        i_cl = self.g_cll * (v - self.e_cl)
        i_ca = self.g_ca * (v - self.e_ca) * jax.nn.sigmoid((v - self.ca_half) / self.ca_slope)
        pump = around.pumped(bath)
        return State(
            v=(current - i_na - i_k - i_cl) / self.capacitance,
            n=self.phi * n_rate * (n_steady - n),
            h=self.phi * h_rate * (h_steady - h),
            k_o=(around.volumes * (self.gamma * i_k - 2.0 * pump) - around.cleared(k_o)) / self.tau,
            na_i=-(self.gamma * i_na + 3.0 * pump) / self.tau,
            ca=-self.ca_influx * i_ca - ca / self.ca_decay,
        )

    def reversal(self, bath: Bath) -> tuple[Number, Number]:
        """Nernst potentials of Na and K [mV]."""
        e_na, e_k = (self.surroundings.rt_over_f * jnp.log(bath[ion][1] / bath[ion][0]) for ion in (Na, K))
        return e_na, e_k

    def voltage(self, state: State) -> Number:  # noqa: D102
        return state.v

    def observe(self, state: State) -> dict[str, Number]:
        """`V`, `E_Na`, `E_K` [mV], the gates, `K_o`, `Na_i`, `K_i`, `Na_o` [mM] and `Ca`."""
        bath = self.surroundings.bath(state.k_o, state.na_i)
        e_na, e_k = self.reversal(bath)
        found = {"V": state.v, "E_Na": e_na, "E_K": e_k, "n": state.n, "h": state.h, "Ca": state.ca}
        return found | {"K_o": state.k_o, "Na_i": state.na_i, "K_i": bath[K][0], "Na_o": bath[Na][1]}


class Reduced(AbstractCell):
    """The neuron with its spikes averaged out: K and Na move by what it fires on average at their present values.

    With k = K_o/K_i and a = Na_i/Na_o, its currents are

        I_Na = g + 1.5,  I_K = 0.94 (g + 2.6 e^(-32.5 k)),  g = g1 g2 g3,
        g1 = 420 [1 - 0.75 (1 - 0.93 e^(-2.6 a))^0.3],  g2 = exp[(1 - 7.41 k)/(1.94 + 1.98 e^(-2.6 a))],
        g3 = [1 + e^(35.7 (1 + 1.94 a - 24.3 k))]^-5 [1 + e^(0.88 (1 + 1.48 a - 24.6 k))]^-5.

    **Arguments:** `surroundings`; `na_influx` and `k_efflux`: the factors of these currents [mM/s]; `tau` [ms]: the
    second.
    """

    surroundings: Surroundings = eqx.field(default_factory=lambda: Surroundings(diffusion=1.2, glia=66.0))
    na_influx: Number = param("mM/s", positive, default=0.04714)
    k_efflux: Number = param("mM/s", positive, default=0.33)
    tau: Number = param("ms", positive, default=1000.0)

    def init(self) -> ReducedState:
        """The start of `Cressman`."""
        return ReducedState(as_array(7.8), as_array(15.5))

    def derivative(self, state: ReducedState, current: Number) -> ReducedState:
        """d/dt [mM/ms].

        **Arguments:** `current`: has no effect, as there is no potential.
        """
        around = self.surroundings
        bath = around.bath(*state)
        k, a = bath[K][1] / bath[K][0], bath[Na][0] / bath[Na][1]
        i_na, i_k = self.currents(k, a)
        pump = around.pumped(bath)
        k_o = self.k_efflux * i_k - 2.0 * around.volumes * pump - around.cleared(state.k_o)
        return ReducedState(k_o / self.tau, (self.na_influx * i_na - 3.0 * pump) / self.tau)

    def currents(self, k: Number, a: Number) -> tuple[Number, Number]:
        """Mean currents I_Na and I_K, without unit, of k = K_o/K_i and a = Na_i/Na_o."""
        e = jnp.exp(-2.6 * a)
        g = 420.0 * (1.0 - 0.75 * (1.0 - 0.93 * e) ** 0.3) * jnp.exp((1.0 - 7.41 * k) / (1.94 + 1.98 * e))
        g = g * jax.nn.sigmoid(-35.7 * (1.0 + 1.94 * a - 24.3 * k)) ** 5
        g = g * jax.nn.sigmoid(-0.88 * (1.0 + 1.48 * a - 24.6 * k)) ** 5
        return g + 1.5, 0.94 * (g + 2.6 * jnp.exp(-32.5 * k))

    def voltage(self, state: ReducedState) -> Number:
        """The Nernst potential of K [mV], in place of a membrane potential, which the reduction has not."""
        outside, inside = state.k_o, self.surroundings.cations - state.na_i
        return self.surroundings.rt_over_f * jnp.log(outside / inside)

    def observe(self, state: ReducedState) -> dict[str, Number]:
        """`E_K` [mV]; `K_o`, `Na_i`, `K_i`, `Na_o` [mM]."""
        bath = self.surroundings.bath(*state)
        return {
            "E_K": self.voltage(state),
            **{"K_o": state.k_o, "Na_i": state.na_i, "K_i": bath[K][0], "Na_o": bath[Na][1]},
        }


def model(**overrides: Number | float | Gate | Surroundings) -> Cressman:
    """The neuron with spikes: `model(surroundings=Surroundings(k_bath=4.0))` is one at rest.

    **Arguments:** those of `Cressman`.
    """
    return Cressman(**overrides)


def reduced(**overrides: Number | float | Surroundings) -> Reduced:
    """The neuron with spikes averaged out.

    **Arguments:** those of `Reduced`.
    """
    return Reduced(**overrides)
