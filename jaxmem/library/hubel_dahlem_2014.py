"""Spreading depression of a neuron with its own outer space: ions of the closed neuron, and who takes up potassium.

Pumps alone hold the ions of a closed neuron (`Closed`), and it has two stable states: rest at -67.19 mV, and one free
of energy at -23.11 mV with 44.8 mM K outside. What glia or blood take up is the slow variable dk that moves the neuron
between the two (`Regulated`): after 9.5 s without pumps K outside rises to 69.6 mM and recovers after 75 s.

Ions move between fixed volumes v_i and v_e, and every amount is kept, so that K_i, Cl_i and dk say where all ions are;
Na_i follows from electroneutrality. The membrane's capacitance is charged by the same currents, but holds no ions. n
and h lie on a line, m is at its steady state. The pump's current is a part of that of Na and of K.

Units: mV, ms, mM, pL; conductances are densities [mS/cm2], so currents are [uA/cm2]. In the paper volumes are um3 and
time is in seconds.

**Published:** equations, parameters, and the rounded rest at which a run starts. RT/F is 26.64 mV.

**Source:** Huebel N, Dahlem MA. Dynamics from seconds to hours in Hodgkin-Huxley model with time-dependent ion
concentrations and buffer reservoirs. PLoS Comput Biol 10:e1003941 (2014), doi:10.1371/journal.pcbi.1003941; ModelDB
167714.
"""

from __future__ import annotations

import abc
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..cell import AbstractCell
from ..electrochemistry import Bath, Cl, K, Na
from ..gating import Gate
from ..params import param, positive
from ..transport.sodium_pumps import cressman
from ..units import thermal_voltage
from . import cortical_gates

Number = Float[Array, ""]


class ClosedState(NamedTuple):
    """V [mV], gate n, and K and Cl inside [mM]."""

    v: Number
    n: Number
    k_i: Number
    cl_i: Number


class State(NamedTuple):
    """A `ClosedState` and dk [mM]: K that came into the outer space from glia or blood."""

    v: Number
    n: Number
    k_i: Number
    cl_i: Number
    dk: Number


class Currents(NamedTuple):
    """Of Na and K with the pump's share, and of Cl [uA/cm2], outward positive."""

    na: Number
    k: Number
    cl: Number


class Closed(AbstractCell):
    """The neuron whose outer space exchanges with nothing; `dk` [mM] of K has come into it before.

    **Arguments:** volumes `v_i`, `v_e` [pL]; concentrations `..._i0`, `..._e0` [mM], from which all amounts follow;
    conductances `g_...` [mS/cm2], those ending in l are leaks; `pump_max` [uA/cm2], and where the pump runs at half,
    `pump_na` and `pump_k` [mM]; `phi`: factor of the gate's rates; `capacitance` [uF/cm2]; `fmol_per_charge`: what
    1 uA/cm2 moves through the whole membrane [fmol/ms]; `rt_over_f` [mV]; `v_0`: where a run starts [mV]; `holding`:
    current that is always injected [uA/cm2]; `m`, `n`: the gates.
    """

    dk: Number = param("mM", default=0.0)
    v_i: Number = param("pL", positive, default=2.16)
    v_e: Number = param("pL", positive, default=0.72)
    na_i0: Number = param("mM", positive, default=25.231485)
    k_i0: Number = param("mM", positive, default=129.25764)
    cl_i0: Number = param("mM", positive, default=9.900239)
    na_e0: Number = param("mM", positive, default=125.30555)
    k_e0: Number = param("mM", positive, default=4.0)
    cl_e0: Number = param("mM", positive, default=123.2716)
    g_na: Number = param("mS/cm2", positive, default=100.0)
    g_nal: Number = param("mS/cm2", positive, default=0.0175)
    g_k: Number = param("mS/cm2", positive, default=40.0)
    g_kl: Number = param("mS/cm2", positive, default=0.05)
    g_cll: Number = param("mS/cm2", positive, default=0.02)
    pump_max: Number = param("uA/cm2", positive, default=6.8)
    pump_na: Number = param("mM", positive, default=25.0)
    pump_k: Number = param("mM", positive, default=5.5)
    phi: Number = param("", positive, default=3.0)
    capacitance: Number = param("uF/cm2", positive, default=1.0)
    fmol_per_charge: Number = param("fmol/ms", positive, default=9.55589e-5)
    rt_over_f: Number = param("mV", positive, default=26.64)
    v_0: Number = param("mV", default=-67.193253)
    holding: Number = param("uA/cm2", default=0.0)
    m: Gate = eqx.field(default_factory=cortical_gates.sodium_activation)
    n: Gate = eqx.field(default_factory=cortical_gates.potassium_activation)

    def init(self) -> ClosedState:  # noqa: D102
        steady, _ = cortical_gates.relaxation(self.n, self.v_0)
        return ClosedState(self.v_0, steady, self.k_i0, self.cl_i0)

    def derivative(self, state: ClosedState, current: Number) -> ClosedState:  # noqa: D102
        steady, rate = cortical_gates.relaxation(self.n, state.v)
        flow = self.currents(state)
        carried = self.fmol_per_charge / self.v_i
        return ClosedState(
            v=(current + self.holding - flow.na - flow.k - flow.cl) / self.capacitance,
            n=self.phi * rate * (steady - state.n),
            k_i=-carried * flow.k,
            cl_i=carried * flow.cl,
        )

    def bath(self, state: ClosedState) -> Bath:
        """The concentrations on both sides [mM]."""
        k, cl = self.k_i0 - state.k_i, self.cl_i0 - state.cl_i  # what has left
        na = cl - k
        share = self.v_i / self.v_e
        inside = {Na: self.na_i0 - na, K: state.k_i, Cl: state.cl_i}
        outside = {Na: self.na_e0 + share * na, K: self.k_e0 + share * k + self.dk, Cl: self.cl_e0 + share * cl}
        return Bath(inside, outside, self.rt_over_f / thermal_voltage(1.0))

    def reversal(self, bath: Bath) -> tuple[Number, Number, Number]:
        """Nernst potentials of Na, K and Cl [mV]."""
        na, k, cl = (self.rt_over_f / ion.z * jnp.log(bath[ion][1] / bath[ion][0]) for ion in (Na, K, Cl))
        return na, k, cl

    def currents(self, state: ClosedState) -> Currents:
        """What crosses the membrane.

        I_Na = (g_NaL + g_Na m^3 h)(V - E_Na) + 3 J, I_K = (g_KL + g_K n^4)(V - E_K) - 2 J, I_Cl = g_ClL (V - E_Cl),
        h = 1/(1 + e^(6.5 (n - 0.35))), J the pump's.
        """
        v, n = state.v, state.n
        bath = self.bath(state)
        e_na, e_k, e_cl = self.reversal(bath)
        m, _ = cortical_gates.relaxation(self.m, v)
        h = jax.nn.sigmoid(-6.5 * (n - 0.35))
        pump = cressman(v, bath, maximum=self.pump_max, Na_half=self.pump_na, K_half=self.pump_k)
        return Currents(
            na=(self.g_nal + self.g_na * m**3 * h) * (v - e_na) + 3.0 * pump,
            k=(self.g_kl + self.g_k * n**4) * (v - e_k) - 2.0 * pump,
            cl=self.g_cll * (v - e_cl),
        )

    def voltage(self, state: ClosedState) -> Number:  # noqa: D102
        return state.v

    def observe(self, state: ClosedState) -> dict[str, Number]:
        """`V`, `E_Na`, `E_K`, `E_Cl` [mV], the gate `n`, and `Na_i`, `Na_e`, `K_i`, ... [mM]."""
        bath = self.bath(state)
        potentials = dict(zip(("E_Na", "E_K", "E_Cl"), self.reversal(bath), strict=True))
        sides = {f"{ion.name}_{side}": bath[ion][k] for ion in (Na, K, Cl) for k, side in enumerate("ie")}
        return {"V": state.v, "n": state.n, **potentials, **sides}


class AbstractRegulation(eqx.Module):
    """Who else takes potassium from the outer space."""

    @abc.abstractmethod
    def release(self, dk: Number, k_e: Number) -> Number:
        """d dk/dt [mM/ms].

        **Arguments:** `dk`: what has come [mM]; `k_e`: K outside [mM].
        """


class Glial(AbstractRegulation):
    """Glia bind K and release it slowly: -k1 dk - k2 k_e (b0 + dk), k2 = k1 / (1 + e^((half - k_e)/width)) per mM.

    **Arguments:** `k1` [1/ms]; `b0`: buffer [mM]; `half`, `width` [mM].
    """

    k1: Number = param("1/ms", positive, default=5e-8)
    b0: Number = param("mM", positive, default=500.0)
    half: Number = param("mM", positive, default=15.0)
    width: Number = param("mM", positive, default=1.09)

    def release(self, dk, k_e):  # noqa: D102
        binding = self.k1 * jax.nn.sigmoid((k_e - self.half) / self.width)
        return -self.k1 * dk - binding * k_e * (self.b0 + dk)


class Diffusive(AbstractRegulation):
    """K diffuses to a bath, such as blood: rate (k_bath - k_e).

    **Arguments:** `rate` [1/ms]; `k_bath` [mM].
    """

    rate: Number = param("1/ms", positive, default=3e-5)
    k_bath: Number = param("mM", positive, default=4.0)

    def release(self, dk, k_e):  # noqa: D102
        return self.rate * (self.k_bath - k_e)


class Regulated(AbstractCell):
    """A neuron whose dk moves; that of `neuron` is where a run starts."""

    neuron: Closed = eqx.field(default_factory=Closed)
    regulation: AbstractRegulation = eqx.field(default_factory=Glial)

    def at(self, state: State) -> tuple[Closed, ClosedState]:
        """The closed neuron at the present dk, and its state."""
        return eqx.tree_at(lambda cell: cell.dk, self.neuron, state.dk), ClosedState(*state[:4])

    def init(self) -> State:  # noqa: D102
        return State(*self.neuron.init(), self.neuron.dk)

    def derivative(self, state: State, current: Number) -> State:  # noqa: D102
        neuron, inner = self.at(state)
        _, k_e = neuron.bath(inner)[K]
        return State(*neuron.derivative(inner, current), self.regulation.release(state.dk, k_e))

    def voltage(self, state: State) -> Number:  # noqa: D102
        return state.v

    def observe(self, state: State) -> dict[str, Number]:
        """Those of `Closed`, and `dk` [mM]."""
        neuron, inner = self.at(state)
        return {**neuron.observe(inner), "dk": state.dk}


def closed(**overrides: Number | float | Gate) -> Closed:
    """The closed neuron; `dk` is a parameter, along which `simulate.follow` finds folds and the Hopf point.

    **Arguments:** those of `Closed`.
    """
    return Closed(**overrides)


def model(*, regulation: AbstractRegulation | None = None, **overrides: Number | float | Gate) -> Regulated:
    """The neuron with a regulation, `Glial()` if none is given; `model(regulation=Diffusive())` is the other.

    **Arguments:** those of `Closed`.
    """
    return Regulated(Closed(**overrides), Glial() if regulation is None else regulation)
