"""Electrodiffusive Pinsky-Rinzel neuron: soma and dendrite, each with its own space outside, and all ions that move.

Four ions (Na, K, Cl, Ca) move through the membranes by channels, pumps and cotransporters, and between soma and
dendrite, inside and outside, by diffusion and drift; the potentials follow from the charge. A `space.Tissue` of two
compartments: the dendrite is compartment 0, whose outside is at potential zero, the soma is 1, where current (K) is
injected and the potential is recorded. Of the Ca inside one hundredth is free.

Units: mV, ms, mM, um; conductances here [S/m2], strengths of pumps and cotransporters [mol/(m2 s)].

**Published:** equations, parameters and the state at which a run starts. R = 8.314 and F = 96480 are the authors'.

At 28 pA the neuron fires with a period of 1.06 s, after a first spike 28.4 ms from the start of the current.

**Source:** Saetra MJ, Einevoll GT, Halnes G. An electrodiffusive, ion conserving Pinsky-Rinzel model with homeostatic
mechanisms. PLoS Comput Biol 16:e1007661 (2020), doi:10.1371/journal.pcbi.1007661.
"""

from __future__ import annotations

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..channel import Channel
from ..electrochemistry import Ca, Cl, K, Na, Species
from ..gating import AlwaysOpen, Gate, HodgkinHuxley, Instantaneous, Relaxation
from ..gating.gate import AbstractGate, Sigmoid, Steady
from ..params import as_array, param, positive
from ..permeation import AbstractPermeation, Exchange
from ..permeation.exchange import carried
from ..rates import Constant, Exponential, Linoid
from ..rates import Sigmoid as SigmoidRate
from ..space import Cells, Phase, Tissue, Tree, central, place
from ..units import F, thermal_voltage
from ..units import R as GAS

Number = Float[Array, ""]
SPECIES = (Na, K, Cl, Ca)
DENDRITE, SOMA = 0, 1
_REST = 99.8e-6  # free Ca at rest [mM]


class _Ohm(AbstractPermeation):
    """Flux g (V - E)/(z F) of one ion; g [S/m2], so that fluxes are in mol/(m2 s), which are fmol/(ms um2)."""

    g: Number = param("S/m2", positive)
    faraday: Number = param("C/mol", positive)
    species: Species = eqx.field(static=True)

    def exchange(self, v, bath):
        inner, outer = bath[self.species]
        thermal = thermal_voltage(bath.temperature)
        push = v - thermal / self.species.z * jnp.log(outer / inner)
        return carried({self.species: self.g * 1e-3 * push / (self.species.z * self.faraday)}, bath)


class _CalciumScaled(AbstractPermeation):
    """Another law, times min((Ca - rest)/2.5e-4, 1)."""

    law: AbstractPermeation

    def exchange(self, v, bath):
        share = (bath[Ca][0] - _REST) / 2.5e-4
        return self.law.exchange(v, bath).scaled(jnp.where(share < 1.0, share, 1.0))


class _CalciumGate(AbstractGate):
    """Opens with min(20 (Ca - rest), 0.01) per ms, closes with 0.001."""

    def relaxation(self, v, bath):
        a = 20.0 * (bath[Ca][0] - _REST)
        a = jnp.where(a < 0.01, a, 0.01) + jnp.zeros_like(v)
        return a / (a + 0.001), a + 0.001


class _CalciumActivated(AbstractGate):
    """The gate c of the K current that Ca opens, whose rates change their form at -10 mV."""

    def relaxation(self, v, bath):
        low = jnp.where(v <= -10.0, v, -10.0)
        steady = jnp.where(v <= -10.0, 0.02635 * jnp.exp((low + 50.0) / 11.0), 1.0)
        return steady, 2.0 * jnp.exp(-(v + 53.5) / 27.0)


class _Steady(eqx.Module):
    """A mechanism without gates, whose flux is a law of the bath."""

    def init(self, v, bath):
        """No state."""
        return ()

    def derivative(self, state, v, bath):
        """No state."""
        return ()

    def advance(self, state, v, bath, dt):
        """No state."""
        return ()


class Pump(_Steady):
    """3 Na out, 2 K in: rho / (1 + exp((25 - Na_i)/3)) / (1 + exp(3.5 - K_e)); rho [mol/(m2 s)]."""

    rho: Number = param("", positive)

    def exchange(self, state: Any, v: Number, bath: Any) -> Exchange:
        """Fluxes [fmol/(ms um2)]."""
        turn = self.rho * jax.nn.sigmoid((bath[Na][0] - 25.0) / 3.0) * jax.nn.sigmoid(bath[K][1] - 3.5)
        return carried({Na: 3.0 * turn, K: -2.0 * turn}, bath)


class Cotransport(_Steady):
    """KCC2, U ln(K_i Cl_i/(K_e Cl_e)), and NKCC1, where K outside is high; strengths [mol/(m2 s)]."""

    kcc2: Number = param("", positive)
    nkcc1: Number = param("", positive)

    def exchange(self, state: Any, v: Number, bath: Any) -> Exchange:
        """Fluxes [fmol/(ms um2)]."""
        across = {s: jnp.log(bath[s][0] / bath[s][1]) for s in (Na, K, Cl)}
        salt = across[K] + across[Cl]
        two = self.kcc2 * salt
        four = self.nkcc1 * (salt + across[Na] + across[Cl]) * jax.nn.sigmoid(bath[K][1] - 16.0)
        return carried({Na: four, K: two + four, Cl: two + 2.0 * four}, bath)


class CalciumDecay(_Steady):
    """Ca leaves for 2 Na at `rate` [um/ms] times how far free Ca is from `rest` [mM]."""

    rate: Number = param("", positive)
    rest: Number = param("mM", positive)

    def exchange(self, state: Any, v: Number, bath: Any) -> Exchange:
        """Fluxes [fmol/(ms um2)]."""
        out = self.rate * (bath[Ca][0] - self.rest)
        return carried({Ca: out, Na: -2.0 * out}, bath)


def _gate(opening: Any, closing: Any) -> Gate:
    return Gate(opening, closing)


def model(
    *,
    temperature: Any = 309.14,
    gas: Any = 8.314,
    faraday: Any = 96480.0,
    capacitance: Any = 3.0,
    area: Any = 616.0,
    v_i: Any = 1.437,
    v_e: Any = 0.7185,
    distance: Any = 667.0,
    tortuosity_i: Any = 3.2,
    tortuosity_e: Any = 1.6,
    coupling: Any = 2.0,
    g_nal: Any = 0.247,
    g_kl: Any = 0.5,
    g_cll: Any = 1.0,
    g_na: Any = 300.0,
    g_dr: Any = 150.0,
    g_ca: Any = 118.0,
    g_ahp: Any = 8.0,
    g_c: Any = 150.0,
    rho: Any = 1.87e-6,
    kcc2: Any = 7e-7,
    nkcc1: Any = 2.33e-7,
    decay: Any = 0.075,
    ca_0: Any = 0.01,
    free: Any = 0.01,
    diffusivity: dict[Species, Any] | None = None,
    inside: dict[Species, Any] | None = None,
    outside: dict[Species, Any] | None = None,
    fixed_i: Any = 110.0290639357146,
    fixed_e: Any = 12.481872128570796,
) -> Tissue:
    """The neuron.

    **Arguments:** `temperature` [K]; `gas`, `faraday`: R and F; `capacitance` [uF/cm2]; `area` [um2] of each membrane;
    volumes `v_i`, `v_e` [pL] of each compartment; `distance` [um] of the centers; tortuosities; `coupling`: the
    cross-section inside over `area`, twice that outside; conductances `g_...` [S/m2], those ending in l are leaks;
    `rho`, `kcc2`, `nkcc1` [mol/(m2 s)]; `decay` [1/ms] of Ca to `ca_0` [mM]; `free`: share of the Ca inside that is not
    bound; `diffusivity` [um2/ms]; concentrations `inside`, `outside` [mM], one for both compartments or (dendrite,
    soma); `fixed_i`, `fixed_e` [mM]: single negative charges that stay, likewise.
    """
    d = diffusivity or {Na: 1.33, K: 1.96, Cl: 2.03, Ca: 0.71}
    inner = inside or {Na: 18.0, K: 99.0, Cl: 7.0, Ca: 0.01}
    outer = outside or {Na: 140.0, K: 4.3, Cl: 134.0, Ca: 1.1}
    both = lambda x: jnp.broadcast_to(as_array(x), (2,))
    inner, outer = ({s: both(c[s]) for s in SPECIES} for c in (inner, outer))
    area, v_i, v_e, distance, coupling = (as_array(x) for x in (area, v_i, v_e, distance, coupling))
    section = coupling * area / distance
    bridge = jnp.stack([jnp.zeros_like(section), section])
    tree = Tree(
        parent=[0, 0],
        area=both(area),
        volume=both(v_i),
        bridge=bridge,
        distance=jnp.stack([jnp.zeros_like(distance), distance]),
        length=both(distance),
        names=(("dendrite", 0, 1), ("soma", 1, 2)),
    )
    space_i = Phase(inner, both(v_i), bridge, diffusivity=d, tortuosity=tortuosity_i, free={Ca: free})
    space_e = Phase(outer, both(v_e), 0.5 * bridge, diffusivity=d, tortuosity=tortuosity_e)
    ohm = lambda g, species: _Ohm(g, faraday, species)
    # The authors' R and F, as the temperature that gives their RT/F with the constants of today.
    temperature = as_array(temperature) * (as_array(gas) / GAS) * (F / as_array(faraday))

    m = _gate(Linoid(1.28, -46.9, 4.0), Linoid(1.4, -19.9, -5.0))
    h = _gate(Exponential(0.128 * math.exp(-43.0 / 18.0), -1.0 / 18.0), SigmoidRate(4.0, -20.0, 5.0))
    n = _gate(Linoid(0.08, -24.9, 5.0), Exponential(0.25 * math.exp(-1.0), -1.0 / 40.0))
    s = _gate(SigmoidRate(1.6, 5.0, 1.0 / 0.072), Linoid(0.1, -8.9, -5.0))
    z = Relaxation(Sigmoid(-30.0, -1.0), Constant(1e-3))
    fast = Instantaneous(Steady(m, 2))
    everywhere = [
        *(Channel(AlwaysOpen(), ohm(g, ion)) for g, ion in ((g_nal, Na), (g_kl, K), (g_cll, Cl))),
        Pump(rho),
        Cotransport(kcc2, nkcc1),
        CalciumDecay(as_array(decay) * v_i / (area * as_array(free)), as_array(ca_0) * as_array(free)),
    ]
    mechanisms = [place(x, density=1.0) for x in everywhere]
    for where, gating, law in (
        (SOMA, HodgkinHuxley((n,), (1,)), ohm(g_dr, K)),
        (SOMA, HodgkinHuxley((h,), (1,), fast), ohm(g_na, Na)),
        (DENDRITE, HodgkinHuxley((s, z), (2, 1)), ohm(g_ca, Ca)),
        (DENDRITE, HodgkinHuxley((_CalciumActivated(),), (1,)), _CalciumScaled(ohm(g_c, K))),
        (DENDRITE, HodgkinHuxley((_CalciumGate(),), (1,)), ohm(g_ahp, K)),
    ):
        mechanisms.append(place(Channel(gating, law), [where], 1.0))
    charge = v_i * (sum(x.z * inner[x] for x in SPECIES) - both(fixed_i))
    start = as_array(faraday) * charge / (0.01 * as_array(capacitance) * area)
    cells = Cells(space_i, mechanisms, both(area), capacitance=capacitance, start=start)
    return Tissue(
        tree,
        space_e,
        {"neuron": cells},
        temperature=temperature,
        electrode=SOMA,
        law=central,
        faraday=faraday,
    )
