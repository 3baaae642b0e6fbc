"""The pump-leak cell with KCC2: Na, K, Cl and water move until pump and leaks balance.

A cylinder of fixed length with leaks for Na, K and Cl, the cotransporter KCC2, a pump that moves 3 Na out and 2 K in,
and impermeant anions of mean valence z. The potential is that of the charge inside, the volume follows the
osmolarity. The bath never changes. Of an injected current K is the carrier.

With the published values the cell rests at V = -72.6 mV with 5.2 mM chloride, so E_Cl = -83.8 mV, and a pump that
runs at 10^-4.0456 C/(dm2 s). Currents are densities, J is that of one charge per turn: 3 J of Na go out, 2 J of K
come in.

**Published:** all values. **Ours:** the units, and the state, which has the charge in place of Na, so that the
potential is not the difference of large amounts.

**Source:** Düsterwald KM, Currin CB, Burman RJ, Akerman CJ, Kay AR, Raimondo JV. Biophysical models reveal the
relative importance of transporter proteins and impermeant anions in chloride homeostasis. eLife 7:e39575 (2018),
doi:10.7554/eLife.39575; the extended data print a wrong sign in beta, see `analytic_steady_state`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics.root import root
from ..cell import AbstractCell
from ..params import param, positive
from ..units import MS_PER_CM2, UM3

Number = Float[Array, ""]

#: The exponents of the analytic solution stay below this, where nothing overflows.
LARGEST_EXPONENT = 300.0


class State(NamedTuple):
    """What moves: the charge inside [fmol of e0], the amounts of K and Cl inside [fmol], the volume [pL]."""

    charge: Number
    k: Number
    cl: Number
    volume: Number


class Inside(NamedTuple):
    """What is inside: amounts [fmol] or concentrations [mM] of the ions and of what cannot leave."""

    na: Number
    k: Number
    cl: Number
    x: Number


class SteadyState(NamedTuple):
    """Where the cell rests: V [mV], concentrations [mM], pump current of one charge per turn [uA/cm2]."""

    v: Number
    concentrations: Inside
    pump: Number


class PumpLeak(AbstractCell):
    """The cell.

    **Arguments:** conductances `g_na`, `g_k`, `g_cl`, `g_kcc2` [mS/cm2], 0.1 S/dm2 each; `pump` [uA/cm2], 1e-4 A/dm2
    each: the pump current is `pump` (Na_i/Na_o)^`exponent`, so the exponent 0 makes it constant; outside `na_o`,
    `k_o`, `cl_o` and the `osmolarity` [mM], which has also what else is there; `z`: mean valence of the `impermeant`
    [fmol] inside; `length` [um]; `capacitance` [uF/cm2]; `permeability` to water [um/ms] and `molar_volume` of water
    [1/mM]; `rt_over_f` [mV] and `faraday` [C/mol] as published.
    """

    g_na: Number = param("mS/cm2", positive, default=0.02)
    g_k: Number = param("mS/cm2", positive, default=0.07)
    g_cl: Number = param("mS/cm2", positive, default=0.02)
    g_kcc2: Number = param("mS/cm2", positive, default=0.02)
    pump: Number = param("uA/cm2", positive, default=1000.0)
    exponent: Number = param("", positive, default=3.0)
    na_o: Number = param("mM", positive, default=145.0)
    k_o: Number = param("mM", positive, default=3.5)
    cl_o: Number = param("mM", positive, default=119.0)
    osmolarity: Number = param("mM", positive, default=297.0)
    z: Number = param("e0", default=-0.85)
    impermeant: Number = param("fmol", positive, default=304.2575141718831)
    length: Number = param("um", positive, default=25.0)
    capacitance: Number = param("uF/cm2", positive, default=2.0)
    permeability: Number = param("um/ms", positive, default=0.15)
    molar_volume: Number = param("1/mM", positive, default=1.8e-05)
    rt_over_f: Number = param("mV", positive, default=26.725)
    faraday: Number = param("C/mol", positive, default=96485.0)

    def init(self) -> State:
        """The analytic steady state, with the charge that its potential needs put on Na."""
        rest = analytic_steady_state(self)
        volume = self.impermeant / rest.concentrations.x
        charge = rest.v * self.capacitance * MS_PER_CM2 * self.area(volume) / self.faraday
        return State(charge, rest.concentrations.k * volume, rest.concentrations.cl * volume, volume)

    def filled(self, na: Number, k: Number, cl: Number, volume: Number) -> State:
        """The state of given amounts inside.

        **Arguments:** `na`, `k`, `cl` [fmol], `volume` [pL].
        """
        return State(na + k - cl + self.z * self.impermeant, k, cl, volume)

    def amounts(self, state: State) -> Inside:
        """Amounts inside [fmol]."""
        na = state.charge - state.k + state.cl - self.z * self.impermeant
        return Inside(na, state.k, state.cl, self.impermeant)

    def concentrations(self, state: State) -> Inside:
        """Concentrations inside [mM]."""
        return Inside(*(amount / state.volume for amount in self.amounts(state)))

    def area(self, volume: Number) -> Number:
        """Surface of the side of the cylinder [um2]: 2 sqrt(pi length volume)."""
        return 2.0 * jnp.sqrt(jnp.pi * self.length * volume / UM3)

    def voltage(self, state: State) -> Number:
        """V = F charge / (C area) [mV]."""
        return self.faraday * state.charge / (self.capacitance * MS_PER_CM2 * self.area(state.volume))

    def reversal_potentials(self, inside: Inside) -> tuple[Number, Number, Number]:
        """E_Na, E_K, E_Cl [mV] at concentrations inside [mM]."""
        nernst = lambda outside, inside: self.rt_over_f * jnp.log(outside / inside)
        return nernst(self.na_o, inside.na), nernst(self.k_o, inside.k), -nernst(self.cl_o, inside.cl)

    def pump_current(self, na: Number) -> Number:
        """J = pump (Na_i/Na_o)^exponent [uA/cm2].

        **Arguments:** `na`: concentration inside [mM].
        """
        return self.pump * (na / self.na_o) ** self.exponent

    def derivative(self, state: State, current: Number) -> State:
        """d/dt of amounts [fmol/ms] and volume [pL/ms].

        **Arguments:** `current` [pA], carried into the cell by K.
        """
        c, v, area = self.concentrations(state), self.voltage(state), self.area(state.volume)
        e_na, e_k, e_cl = self.reversal_potentials(c)
        pump, kcc2 = self.pump_current(c.na), self.g_kcc2 * (e_k - e_cl)
        # Outward positive, in uA/cm2; kcc2 is a current of K and the opposite one of Cl.
        i_na = self.g_na * (v - e_na) + 3.0 * pump
        i_k = self.g_k * (v - e_k) - 2.0 * pump - kcc2
        i_cl = self.g_cl * (v - e_cl) + kcc2
        amount = MS_PER_CM2 * area / self.faraday  # of a current density, in fmol/ms
        injected = current / self.faraday
        water = self.molar_volume * self.permeability * area * (sum(c) - self.osmolarity)
        return State(injected - amount * (i_na + i_k + i_cl), injected - amount * i_k, amount * i_cl, water * UM3)

    def observe(self, state: State) -> dict[str, Number]:
        """Potentials [mV], concentrations inside [mM], volume [pL], pump current [uA/cm2]."""
        c = self.concentrations(state)
        e_na, e_k, e_cl = self.reversal_potentials(c)
        found = {"V": self.voltage(state), "E_Na": e_na, "E_K": e_k, "E_Cl": e_cl}
        found |= {"Na_in": c.na, "K_in": c.k, "Cl_in": c.cl, "X_in": c.x}
        return found | {"volume": state.volume, "pump": self.pump_current(c.na)}


def analytic_steady_state(cell: PumpLeak) -> SteadyState:
    """Where the cell rests if it is electroneutral: V [mV], concentrations [mM] and pump current [uA/cm2].

    At a given pump current J, with Vt = RT/F and beta = g_K g_Cl + g_KCC2 g_Cl + g_K g_KCC2,

        Na_i = Na_o theta exp(-3 J/(Vt g_Na)),  K_i = K_o theta exp(2 J (g_Cl + g_KCC2)/(Vt beta)),
        Cl_i = Cl_o/theta exp(-2 J g_KCC2/(Vt beta)),  V = -Vt ln(theta),

    where theta solves a quadratic equation, from electroneutrality and equal osmolarities; J is then what the pump
    does at this Na_i. What cannot leave sets the volume, impermeant/X. The capacitor's charge moves the rest of the
    cell by about 3e-5 of these values.

    Differentiable by every parameter, that is, by the implicit function. NaN where there is no such state.

    **Source:** Düsterwald et al. 2018, extended data, with the sign of g_KCC2 g_Cl in beta corrected; Kay, Front.
    Cell Dev. Biol. 5:41 (2017), doi:10.3389/fcell.2017.00041, for g_KCC2 = 0.
    """
    vt = cell.rt_over_f
    beta = cell.g_k * cell.g_cl + cell.g_kcc2 * cell.g_cl + cell.g_k * cell.g_kcc2
    by_na, by_k = 3.0 / (vt * cell.g_na), 2.0 * (cell.g_cl + cell.g_kcc2) / (vt * beta)
    by_cl = 2.0 * cell.g_kcc2 / (vt * beta)

    def at(pump: Number, least: float) -> tuple[Number, Inside]:
        na, k = cell.na_o * jnp.exp(-by_na * pump), cell.k_o * jnp.exp(by_k * pump)
        cl = cell.cl_o * jnp.exp(-by_cl * pump)
        theta = _positive_root((1.0 - cell.z) * (na + k), cell.z * cell.osmolarity, (1.0 + cell.z) * cl, least)
        na, k, cl = na * theta, k * theta, cl / theta
        return theta, Inside(na, k, cl, cell.osmolarity - na - k - cl)

    # The faster the pump runs the less Na is left, so there is one rate at which it keeps up. With z < -1 a fast pump
    # may leave no solution; the search passes through there, but must not end there.
    most = LARGEST_EXPONENT / jnp.maximum(by_na, by_k)
    keeps_up = lambda j: cell.pump_current(at(j, 0.0)[1].na) - j
    pump = root(keeps_up, jnp.zeros_like(most), jax.lax.stop_gradient(most))
    theta, inside = at(pump, -jnp.inf)
    return SteadyState(-vt * jnp.log(theta), inside, pump)


def _positive_root(a: Number, b: Number, c: Number, least: float) -> Number:
    """The positive x with a x^2 + b x = c, by the form without cancellation on either side of b = 0.

    **Arguments:** `least`: what the discriminant is taken for where it is smaller.
    """
    large = jnp.sqrt(jnp.maximum(b * b + 4.0 * a * c, least)) + jnp.abs(b)
    return jnp.where(b < 0.0, large / (2.0 * jnp.where(b < 0.0, a, 1.0)), 2.0 * c / large)


def model(**overrides: Number | float) -> PumpLeak:
    """The cell at its published values, 5 um in radius at rest; `model(g_kcc2=0.0)` is the one without KCC2.

    **Arguments:** those of `PumpLeak`.
    """
    return PumpLeak(**overrides)
