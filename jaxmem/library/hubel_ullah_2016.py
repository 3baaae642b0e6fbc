"""A neuron that swells when its pumps fail: ions as amounts, and a volume that follows osmolarity.

With pumps the cell keeps 75 % of the volume that it shares with its outer space (2160 of 2880 um3). Without them it
swells to the Donnan state, 2631 um3 at -16.25 mV, where V is the Nernst potential of Na, K and Cl; with no way for Cl
(`g_cll=0`) it does not swell.

Ions move between inside and outside, and their amounts are kept, so that the amounts of K and Cl inside say where all
ions are; that of Na inside follows from electroneutrality. The volume relaxes to the one at which both sides have the
same osmolarity. m is at its steady state; the pump's current is a part of that of Na and of K.

Units: mV, ms, fmol, pL, mM; conductances are densities [mS/cm2], so currents are [uA/cm2]. In the paper volumes are um3
and time is in seconds.

**Published:** equations and parameters of the neuron alone ("derived volume model", Fig. 3). RT/F is 26.64 mV.
**Ours:** a run starts at -67 mV with gates at rest, and 75 % of the volume inside.

**Source:** Huebel N, Ullah G. Anions govern cell volume: a case study of relative astrocytic and neuronal swelling in
spreading depolarization. PLoS ONE 11:e0147060 (2016), doi:10.1371/journal.pone.0147060; ModelDB 187599.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
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


class State(NamedTuple):
    """V [mV], gates n and h, amounts of K and Cl inside [fmol], volume inside [pL]."""

    v: Number
    n: Number
    h: Number
    k_i: Number
    cl_i: Number
    vol_i: Number


class Amounts(NamedTuple):
    """Of Na, K, Cl and of what cannot leave [fmol]."""

    na: Number
    k: Number
    cl: Number
    fixed: Number


class Currents(NamedTuple):
    """Of Na and K with the pump's share, and of Cl [uA/cm2], outward positive."""

    na: Number
    k: Number
    cl: Number


class Neuron(AbstractCell):
    """The neuron and its outer space, which exchanges with nothing else.

    **Arguments:** amounts at the start `na_i0`, ..., `fixed_e` [fmol]; `vol` [pL]: of inside and outside together, and
    `inside_0`: the share of it that is inside at the start; conductances `g_...` [mS/cm2], those ending in l are leaks;
    `pump_max` [uA/cm2], and where the pump runs at half, `pump_na` and `pump_k` [mM]; `phi`: factor of the gates'
    rates; `capacitance` [uF/cm2]; `fmol_per_charge`: what 1 uA/cm2 moves through the whole membrane [fmol/ms];
    `water`: rate at which the volume relaxes [1/ms]; `rt_over_f` [mV]; `v_0`: where a run starts [mV]; `m`, `n`, `h`:
    the gates.
    """

    na_i0: Number = param("fmol", positive, default=54.6)
    k_i0: Number = param("fmol", positive, default=277.7)
    cl_i0: Number = param("fmol", positive, default=21.7)
    fixed_i: Number = param("fmol", positive, default=318.0)
    na_e0: Number = param("fmol", positive, default=91.3)
    k_e0: Number = param("fmol", positive, default=2.8)
    cl_e0: Number = param("fmol", positive, default=89.8)
    fixed_e: Number = param("fmol", positive, default=40.0)
    vol: Number = param("pL", positive, default=2.88)
    inside_0: Number = param("", positive, default=0.75)
    g_na: Number = param("mS/cm2", positive, default=100.0)
    g_nal: Number = param("mS/cm2", positive, default=0.0175)
    g_k: Number = param("mS/cm2", positive, default=40.0)
    g_kl: Number = param("mS/cm2", positive, default=0.05)
    g_cll: Number = param("mS/cm2", positive, default=0.05)
    pump_max: Number = param("uA/cm2", positive, default=6.8)
    pump_na: Number = param("mM", positive, default=25.0)
    pump_k: Number = param("mM", positive, default=5.5)
    phi: Number = param("", positive, default=3.0)
    capacitance: Number = param("uF/cm2", positive, default=1.0)
    fmol_per_charge: Number = param("fmol/ms", positive, default=9.55589e-5)
    water: Number = param("1/ms", positive, default=1.0 / 250.0)
    rt_over_f: Number = param("mV", positive, default=26.64)
    v_0: Number = param("mV", default=-67.0)
    m: Gate = eqx.field(default_factory=cortical_gates.sodium_activation)
    n: Gate = eqx.field(default_factory=cortical_gates.potassium_activation)
    h: Gate = eqx.field(default_factory=cortical_gates.sodium_inactivation)

    def init(self) -> State:  # noqa: D102
        n, h = (cortical_gates.relaxation(gate, self.v_0)[0] for gate in (self.n, self.h))
        return State(self.v_0, n, h, self.k_i0, self.cl_i0, self.inside_0 * self.vol)

    def derivative(self, state: State, current: Number) -> State:  # noqa: D102
        flow = self.currents(state)
        n, n_rate = cortical_gates.relaxation(self.n, state.v)
        h, h_rate = cortical_gates.relaxation(self.h, state.v)
        inside, outside = (sum(side) for side in self.amounts(state))
        return State(
            v=(current - flow.na - flow.k - flow.cl) / self.capacitance,
            n=self.phi * n_rate * (n - state.n),
            h=self.phi * h_rate * (h - state.h),
            k_i=-self.fmol_per_charge * flow.k,
            cl_i=self.fmol_per_charge * flow.cl,
            vol_i=self.water * (self.vol * inside / (inside + outside) - state.vol_i),
        )

    def amounts(self, state: State) -> tuple[Amounts, Amounts]:
        """All amounts inside and outside [fmol]."""
        k, cl = self.k_i0 - state.k_i, self.cl_i0 - state.cl_i  # what has left
        na = cl - k
        inside = Amounts(self.na_i0 - na, state.k_i, state.cl_i, self.fixed_i)
        return inside, Amounts(self.na_e0 + na, self.k_e0 + k, self.cl_e0 + cl, self.fixed_e)

    def bath(self, state: State) -> Bath:
        """The concentrations on both sides [mM]."""
        inside, outside = self.amounts(state)
        dissolved = lambda side, volume: {Na: side.na / volume, K: side.k / volume, Cl: side.cl / volume}
        temperature = self.rt_over_f / thermal_voltage(1.0)
        return Bath(dissolved(inside, state.vol_i), dissolved(outside, self.vol - state.vol_i), temperature)

    def reversal(self, bath: Bath) -> tuple[Number, Number, Number]:
        """Nernst potentials of Na, K and Cl [mV]."""
        na, k, cl = (self.rt_over_f / ion.z * jnp.log(bath[ion][1] / bath[ion][0]) for ion in (Na, K, Cl))
        return na, k, cl

    def currents(self, state: State) -> Currents:
        """What crosses the membrane.

        I_Na = (g_NaL + g_Na m^3 h)(V - E_Na) + 3 J, I_K = (g_KL + g_K n^4)(V - E_K) - 2 J, I_Cl = g_ClL (V - E_Cl), J
        the pump's.
        """
        v, bath = state.v, self.bath(state)
        e_na, e_k, e_cl = self.reversal(bath)
        m, _ = cortical_gates.relaxation(self.m, v)
        pump = cressman(v, bath, maximum=self.pump_max, Na_half=self.pump_na, K_half=self.pump_k)
        return Currents(
            na=(self.g_nal + self.g_na * m**3 * state.h) * (v - e_na) + 3.0 * pump,
            k=(self.g_kl + self.g_k * state.n**4) * (v - e_k) - 2.0 * pump,
            cl=self.g_cll * (v - e_cl),
        )

    def voltage(self, state: State) -> Number:  # noqa: D102
        return state.v

    def observe(self, state: State) -> dict[str, Number]:
        """`V`, `E_Na`, `E_K`, `E_Cl` [mV], gates, `Na_i`, `Na_e`, `K_i`, ... [mM], `vol_i` [pL]."""
        bath = self.bath(state)
        potentials = dict(zip(("E_Na", "E_K", "E_Cl"), self.reversal(bath), strict=True))
        sides = {f"{ion.name}_{side}": bath[ion][k] for ion in (Na, K, Cl) for k, side in enumerate("ie")}
        return {"V": state.v, "n": state.n, "h": state.h, **potentials, **sides, "vol_i": state.vol_i}


def model(**overrides: Number | float | Gate) -> Neuron:
    """The neuron; `model(pump_max=0.0)` is the one without pumps.

    **Arguments:** those of `Neuron`.
    """
    return Neuron(**overrides)
