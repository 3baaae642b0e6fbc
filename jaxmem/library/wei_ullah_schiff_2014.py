"""From spikes to seizures to spreading depression: a neuron with glia, oxygen, cotransport and a volume.

With 8.5 mM K in the bath the neuron seizes about every 30.7 s; when oxygen is taken away its pumps fail and K outside
rises above 20 mM after 28 s. With oxygen and 3.5 mM in the bath it rests at -80.96 mV.

State: V and three gates, the amounts of K, Na and Cl on both sides, the volume inside, and oxygen. Glia and the bath
take K from the outer space without a counter-ion, so that the charge outside is not kept.

**What a rest state depends on.** Amounts of Na and of Cl are kept. So is the charge inside less that on the membrane,
F (Na + K - Cl) - C S V, as long as the surface S stands still; when the volume moves, S does, and no function of the
state is kept. The flow at rest therefore has three zero eigenvalues, and where the cell comes to rest depends on its
way there: integrate, then let `simulate.steady_state` finish.

Units: mV, ms, fmol, pL, mM; conductances are densities [mS/cm2], so currents are [uA/cm2]; oxygen is in mg/L. In the
paper amounts are in mM m3 and fluxes in mM/s.

**Published:** equations, parameters and the initial state. RT/F is 26.64 mV.

**Source:** Wei Y, Ullah G, Schiff SJ. Unification of neuronal spikes, seizures, and spreading depression. J Neurosci
34:11733-11743 (2014), doi:10.1523/JNEUROSCI.0516-14.2014.
"""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..cell import AbstractCell
from ..electrochemistry import Bath, Cl, K, Na
from ..gating import Gate
from ..params import param, positive
from ..rates import Linoid, Sigmoid
from ..transport.sodium_pumps import cressman
from ..units import thermal_voltage
from . import cortical_gates
from .cortical_gates import falling

Number = Float[Array, ""]


class State(NamedTuple):
    """V [mV], gates, amounts outside and inside [fmol], volume inside [pL], oxygen outside [mg/L]."""

    v: Number
    m: Number
    h: Number
    n: Number
    k_o: Number
    k_i: Number
    na_o: Number
    na_i: Number
    cl_o: Number
    cl_i: Number
    vol_i: Number
    o2: Number


class Fluxes(NamedTuple):
    """Currents of channels [uA/cm2], outward positive, and what moves [mM/ms].

    `pump` (of the volume inside), `glial_pump` and `glia` (of that outside) take up K, `diffusion` to the bath as well;
    `kcc2` and `nkcc1` leave the cell. `ratio`: volume inside over that outside; `per_current`: mM/ms of the volume
    inside for 1 uA/cm2.
    """

    na: Number
    k: Number
    cl: Number
    pump: Number
    glial_pump: Number
    glia: Number
    diffusion: Number
    kcc2: Number
    nkcc1: Number
    ratio: Number
    per_current: Number


def sodium_activation() -> Gate:
    """m: opens at 0.32 (V + 54)/(1 - e^(-(V + 54)/4)), closes at 0.28 (V + 27)/(e^((V + 27)/5) - 1)."""
    return Gate(Linoid(1.28, -54.0, 4.0), Linoid(1.4, -27.0, -5.0))


def sodium_inactivation() -> Gate:
    """h: opens at 0.128 e^(-(V + 50)/18), closes at 4/(1 + e^(-(V + 27)/5))."""
    return Gate(falling(0.128, -50.0, 18.0), Sigmoid(4.0, -27.0, 5.0))


def potassium_activation() -> Gate:
    """n: opens at 0.032 (V + 52)/(1 - e^(-(V + 52)/5)), closes at 0.5 e^(-(V + 57)/40)."""
    return Gate(Linoid(0.16, -52.0, 5.0), falling(0.5, -57.0, 40.0))


class Neuron(AbstractCell):
    """The neuron in its outer space, with glia and a bath.

    **Arguments:** conductances `g_...` [mS/cm2], those ending in l are leaks; `capacitance` [uF/cm2]; `vol_0`: volume
    inside at the start [pL], `beta_0`: that over the one outside; `pump_max`: the pump's at much oxygen, `u_kcc2`,
    `u_nkcc1`, `glia_max` [mM/ms]; where the pump runs at half, `pump_na` and `pump_k`, and what glia hold, `glia_na`
    [mM]; `diffusion` [1/ms] of K to the bath, `k_bath` [mM]; `o2_supply` [1/ms] from the bath, `o2_bath` [mg/L],
    `o2_per_k`: oxygen that pumps use [mg/L for 1 mM]; `fixed_i`, `fixed_o`: what cannot leave, at the start [mM];
    `water`: rate at which the volume relaxes [1/ms]; `faraday` [C/mol]; `rt_over_f` [mV]; `v_0` [mV], `m_0`, `h_0`,
    `n_0`, `k_o0`, ... [mM], `o2_0` [mg/L]: where a run starts; `m`, `h`, `n`: the gates.
    """

    g_na: Number = param("mS/cm2", positive, default=30.0)
    g_nal: Number = param("mS/cm2", positive, default=0.0247)
    g_k: Number = param("mS/cm2", positive, default=25.0)
    g_kl: Number = param("mS/cm2", positive, default=0.05)
    g_cll: Number = param("mS/cm2", positive, default=0.1)
    capacitance: Number = param("uF/cm2", positive, default=1.0)
    vol_0: Number = param("pL", positive, default=1.4368)
    beta_0: Number = param("", positive, default=7.0)
    pump_max: Number = param("mM/ms", positive, default=0.8e-3)
    pump_na: Number = param("mM", positive, default=25.0)
    pump_k: Number = param("mM", positive, default=3.5)
    glia_na: Number = param("mM", positive, default=18.0)
    u_kcc2: Number = param("mM/ms", positive, default=0.3e-3)
    u_nkcc1: Number = param("mM/ms", positive, default=0.1e-3)
    glia_max: Number = param("mM/ms", positive, default=5e-3)
    diffusion: Number = param("1/ms", positive, default=0.25e-3)
    k_bath: Number = param("mM", positive, default=3.5)
    o2_supply: Number = param("1/ms", positive, default=0.17e-3)
    o2_bath: Number = param("", positive, default=32.0)
    o2_per_k: Number = param("", positive, default=5.3)
    fixed_i: Number = param("mM", positive, default=132.0)
    fixed_o: Number = param("mM", positive, default=18.0)
    water: Number = param("1/ms", positive, default=1.0 / 250.0)
    faraday: Number = param("C/mol", positive, default=96485.33)
    rt_over_f: Number = param("mV", positive, default=26.64)
    v_0: Number = param("mV", default=-74.3)
    m_0: Number = param("", default=0.0031)
    h_0: Number = param("", default=0.9994)
    n_0: Number = param("", default=0.0107)
    k_o0: Number = param("mM", positive, default=4.0)
    k_i0: Number = param("mM", positive, default=140.0)
    na_o0: Number = param("mM", positive, default=144.0)
    na_i0: Number = param("mM", positive, default=18.0)
    cl_o0: Number = param("mM", positive, default=130.0)
    cl_i0: Number = param("mM", positive, default=6.0)
    o2_0: Number = param("", positive, default=29.3)
    m: Gate = eqx.field(default_factory=sodium_activation)
    h: Gate = eqx.field(default_factory=sodium_inactivation)
    n: Gate = eqx.field(default_factory=potassium_activation)

    def init(self) -> State:  # noqa: D102
        inside, outside = self.vol_0, self.vol_0 / self.beta_0
        return State(
            **{"v": self.v_0, "m": self.m_0, "h": self.h_0, "n": self.n_0},
            **{"k_o": self.k_o0 * outside, "na_o": self.na_o0 * outside, "cl_o": self.cl_o0 * outside},
            **{"k_i": self.k_i0 * inside, "na_i": self.na_i0 * inside, "cl_i": self.cl_i0 * inside},
            **{"vol_i": inside, "o2": self.o2_0},
        )

    def derivative(self, state: State, current: Number) -> State:  # noqa: D102
        f = self.fluxes(state)
        m, h, n = (
            rate * (steady - x)
            for gate, x in ((self.m, state.m), (self.h, state.h), (self.n, state.n))
            for steady, rate in (cortical_gates.relaxation(gate, state.v),)
        )
        # What leaves the cell [fmol/ms].
        k, na, cl = (
            state.vol_i * leaving
            for leaving in (
                f.per_current * f.k - 2.0 * f.pump + f.kcc2 + f.nkcc1,
                f.per_current * f.na + 3.0 * f.pump + f.nkcc1,
                -f.per_current * f.cl + f.kcc2 + 2.0 * f.nkcc1,
            )
        )
        taken = self.outside(state) * (f.diffusion + f.glia + 2.0 * f.glial_pump)
        used = self.o2_per_k * (f.pump + f.glial_pump)
        return State(
            v=(current - f.na - f.k - f.cl - f.pump / f.per_current) / self.capacitance,
            **{"m": m, "h": h, "n": n},
            **{"k_o": k - taken, "k_i": -k, "na_o": na, "na_i": -na, "cl_o": cl, "cl_i": -cl},
            vol_i=self.water * (self.swollen(state) - state.vol_i),
            o2=self.o2_supply * (self.o2_bath - state.o2) - used,
        )

    def outside(self, state: State) -> Number:
        """The volume outside [pL]: with that inside it is constant."""
        return (1.0 + 1.0 / self.beta_0) * self.vol_0 - state.vol_i

    def bath(self, state: State) -> Bath:
        """The concentrations on both sides [mM]."""
        inside, outside = state.vol_i, self.outside(state)
        return Bath(
            {Na: state.na_i / inside, K: state.k_i / inside, Cl: state.cl_i / inside},
            {Na: state.na_o / outside, K: state.k_o / outside, Cl: state.cl_o / outside},
            self.rt_over_f / thermal_voltage(1.0),
        )

    def reversal(self, bath: Bath) -> tuple[Number, Number, Number]:
        """Nernst potentials of Na, K and Cl [mV]."""
        na, k, cl = (self.rt_over_f / ion.z * jnp.log(bath[ion][1] / bath[ion][0]) for ion in (Na, K, Cl))
        return na, k, cl

    def swollen(self, state: State) -> Number:
        """The volume inside to which osmolarities drive it, v0 (1.1029 - 0.1029 e^((pi_o - pi_i)/20 mM)) [pL]."""
        bath = self.bath(state)
        inside = jnp.sum(bath.inside.c) + self.fixed_i * self.vol_0 / state.vol_i
        outside = jnp.sum(bath.outside.c) + self.fixed_o * self.vol_0 / self.beta_0 / self.outside(state)
        return self.vol_0 * (1.1029 - 0.1029 * jnp.exp((outside - inside) / 20.0))

    def fluxes(self, state: State) -> Fluxes:
        """All currents and fluxes, as in the paper."""
        v, bath = state.v, self.bath(state)
        e_na, e_k, e_cl = self.reversal(bath)
        (na_i, na_o), (k_i, k_o), (cl_i, cl_o) = bath[Na], bath[K], bath[Cl]
        fed = self.pump_max * jax.nn.sigmoid((state.o2 - 20.0) / 3.0)
        pump = cressman(v, bath, maximum=fed, Na_half=self.pump_na, K_half=self.pump_k)
        # The pump of glia is a third as fast, and the Na in glia does not move.
        glial_na = jax.nn.sigmoid((self.glia_na - self.pump_na) / 3.0)
        glial_pump = fed / 3.0 * glial_na * jax.nn.sigmoid(k_o - self.pump_k)
        ratio = state.vol_i / self.outside(state)
        supplied = jax.nn.sigmoid((self.o2_bath - 2.5) / 0.2)
        open_space = jax.nn.sigmoid((20.0 - ratio) / 2.0)
        kcl = jnp.log(k_i * cl_i / (k_o * cl_o))
        nacl = jnp.log(na_i * cl_i / (na_o * cl_o))
        return Fluxes(
            na=(self.g_na * state.m**3 * state.h + self.g_nal) * (v - e_na),
            k=(self.g_k * state.n**4 + self.g_kl) * (v - e_k),
            cl=self.g_cll * (v - e_cl),
            pump=pump,
            glial_pump=glial_pump,
            glia=self.glia_max * supplied * jax.nn.sigmoid((k_o - 18.0) / 2.5),
            diffusion=self.diffusion * supplied * open_space * (k_o - self.k_bath),
            kcc2=self.u_kcc2 * kcl,
            nkcc1=self.u_nkcc1 * jax.nn.sigmoid(k_o - 16.0) * (kcl + nacl),
            ratio=ratio,
            per_current=self.per_current(state.vol_i),
        )

    def per_current(self, vol: Number) -> Number:
        """What 1 uA/cm2 through the surface of a sphere moves into its volume `vol` [pL], in mM/ms."""
        surface = 4.0 * np.pi * (1e3 * vol * (0.75 / np.pi)) ** (2.0 / 3.0)  # um2
        return 1e-2 * surface / (self.faraday * vol)

    def totals(self, state: State) -> Float[Array, " totals"]:
        """Na, Cl, and the charge inside less that on the membrane over F [fmol]; the last while the volume rests."""
        on_membrane = self.per_current(self.vol_0) * self.vol_0 * self.capacitance * state.v
        charge = state.na_i + state.k_i - state.cl_i - on_membrane
        return jnp.stack([state.na_o + state.na_i, state.cl_o + state.cl_i, charge])

    def voltage(self, state: State) -> Number:  # noqa: D102
        return state.v

    def observe(self, state: State) -> dict[str, Number]:
        """`V`, `E_Na`, `E_K`, `E_Cl` [mV], gates, `K_o`, `K_i`, ... [mM], `vol_i` [pL], `O2` [mg/L]."""
        bath = self.bath(state)
        potentials = dict(zip(("E_Na", "E_K", "E_Cl"), self.reversal(bath), strict=True))
        sides = {f"{ion.name}_{side}": bath[ion][k] for ion in (Na, K, Cl) for k, side in enumerate("io")}
        gates = {"m": state.m, "h": state.h, "n": state.n}
        return {"V": state.v, **gates, **potentials, **sides, "vol_i": state.vol_i, "O2": state.o2}


def model(**overrides: Number | float | Gate) -> Neuron:
    """The neuron; `model(k_bath=8.5)` has seizures.

    **Arguments:** those of `Neuron`.
    """
    return Neuron(**overrides)
