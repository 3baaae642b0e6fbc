"""Why does GABA excite young neurons and inhibit old ones? Two cotransporters hold the chloride.

GABA opens a pore for chloride and some bicarbonate. Which way the current goes is decided elsewhere: NKCC1 takes
chloride up with Na and K and lets it accumulate, KCC2 throws it out with K. In the first weeks after birth KCC2 comes
and NKCC1 goes, chloride falls from some 30 to 5 mM, and the reversal potential of GABA crosses the resting potential.

Each age is the rest state of a whole cell, with pump, leaks, water and both transporters, found by Newton's method. Its
slopes say what each transporter is worth: on day nine a tenth of either moves the reversal potential by 1.1 mV. Then
twenty synapses open for some milliseconds at three ages.
"""

import pathlib
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import simulate
from jaxmem.cell import Cell, Compartment, Membrane
from jaxmem.channel import Channel
from jaxmem.electrochemistry import HCO3, Cl, K, Na
from jaxmem.gating import AlwaysOpen
from jaxmem.permeation import Ohmic, reversal_potential
from jaxmem.plot import COLORS
from jaxmem.transport import Published, catalogue, cotransporters, per_current, sodium_pumps

VOLUME, CAPACITANCE = 2.0, 20.0  # pL, pF
BATH = {Na: 145.0, K: 3.5, Cl: 124.5, HCO3: 24.0}  # mM
DAYS = np.linspace(0.0, 25.0, 26)
SHOWN = (2.0, 9.0, 20.0)


def leak(g: Any, species: Any) -> Channel:
    """A conductance that is always open."""
    return Channel(AlwaysOpen(), Ohmic(g, species=species))


def transporters(kcc2: Any, nkcc1: Any) -> tuple[Published, Published]:
    """KCC2 and NKCC1 of some strengths [mM/s], both driven by the gradients alone."""
    out = Published(cotransporters.wei_kcc2, catalogue.KCC2, 1e-3 * VOLUME, U=kcc2)
    # Turns out of the cell; the published gate that keeps NKCC1 idle at low K is left open.
    into = Published(cotransporters.wei_nkcc1, catalogue.NKCC1, -1e-3 * VOLUME, U=nkcc1, K_half=-100.0)
    return out, into


def neuron(kcc2: Any, nkcc1: Any, *more: Any) -> Cell:
    """A neuron without spikes: leaks, pump, the two transporters, and what else is given."""
    inside = Compartment.balanced({Na: 12.0, K: 130.0, Cl: 12.0, HCO3: 16.0}, VOLUME, valence=-1.2)
    # Sugar, or whatever else keeps the bath from swelling the cell.
    outside = Compartment(BATH, impermeant=12.0, valence=0.0)
    pump = Published(sodium_pumps.kager, catalogue.NA_K_ATPASE, per_current(catalogue.NA_K_ATPASE), maximum=400.0)
    mechanisms = (leak(1.3, Na), leak(3.0, K), leak(0.3, Cl), pump, *transporters(kcc2, nkcc1), *more)
    membrane = Membrane("cell", "bath", CAPACITANCE, mechanisms, water=1e-5)
    return Cell(membrane, {"cell": inside, "bath": outside}, temperature=310.0, start=-65.0)


def strengths(day: Any) -> tuple[Any, Any]:
    """KCC2 and NKCC1 at an age [mM/s]."""
    mature = jax.nn.sigmoid((day - 9.0) / 2.0)
    return 0.02 + 0.28 * mature, 0.05 * (1.0 - 0.9 * mature)


def rest(kcc2: Any, nkcc1: Any) -> tuple[dict[str, Any], Any]:
    """The resting neuron: V and E_GABA [mV], Cl [mM], volume [pL]; and its state."""
    cell = neuron(kcc2, nkcc1)
    state = simulate.steady_state(cell, throw=False).state
    seen = cell.observe(state)
    gaba = reversal_potential(jm.synapse.anion_pore(1.0), cell.bath(state))
    return {"V": seen["V"], "GABA": gaba, "Cl": seen["Cl_cell"], "volume": seen["volume_cell"]}, state


@eqx.filter_jit
@jax.vmap
def grown(day: Any) -> tuple[Any, Any, Any]:
    """The resting neuron at an age, its state, and by how much E_GABA changes with KCC2 and NKCC1 [mV/(mM/s)]."""

    def gaba(both):
        found, state = rest(*both)
        return found["GABA"], (found, state)

    worth, (found, state) = jax.jacfwd(gaba, has_aux=True)(jnp.stack(strengths(day)))
    return found, state, worth


def answer(day: Any, state: Any, t: Any) -> Any:
    """The potential [mV] when twenty GABA synapses open 10 ms after the start."""
    cell = neuron(*strengths(day), jm.synapse.gaba_a(1.0, number=20.0))
    start = cell.init()._replace(v=state.v, amounts=state.amounts, volumes=state.volumes)
    arrival = simulate.Arrivals(lambda s: s.mechanisms[0][-1], [10.0], 1.0)
    return simulate.current_clamp(cell, arrival, t, init=start, method=simulate.Staggered(0.1), throw=False).v


@jm.plot.styled
def draw(found: dict[str, np.ndarray], switch: float, t: np.ndarray, traces: np.ndarray) -> Figure:
    """Potentials and chloride against age, and the answer to GABA at three ages."""
    figure = Figure(figsize=(8.4, 3.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    for name, label, color in (("GABA", "E$_{\\mathrm{GABA}}$", "fit"), ("V", "rest", "data")):
        left.plot(DAYS, found[name], color=COLORS[color], label=label)
    left.legend(loc="upper right")
    left.set(xlabel="age (days)", ylabel="potential (mV)", title="GABA changes its sign")
    middle.plot(DAYS, found["Cl"], color=COLORS["fit"])
    middle.set(xlabel="age (days)", ylabel="Cl inside (mM)", ylim=(0, None), title="because chloride leaves")
    for ax in (left, middle):
        ax.axvline(switch, color=COLORS["rule"], linewidth=0.8, zorder=0)
        ax.set_xticks(range(0, 26, 5))
    for day, v, color in zip(SHOWN, traces, ("second", "third", "fit"), strict=True):
        right.plot(t, v - v[0], color=COLORS[color], label=f"day {day:g}")
    right.axhline(0.0, color=COLORS["rule"], linewidth=0.8, zorder=0)
    right.set(xlabel="time (ms)", ylabel="change of V (mV)", title="The same synapses")
    right.legend(loc="upper right")
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, Any]:
    """Compute and draw.

    Returns, by age, V and E_GABA [mV], Cl inside [mM], volume [pL] and the slopes of E_GABA by KCC2 and NKCC1
    [mV/(mM/s)]; the age of the switch [days]; and the largest changes of V by GABA [mV] at three ages.
    """
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    found, states, worth = jax.tree.map(np.asarray, grown(jnp.asarray(DAYS)))
    gap = found["GABA"] - found["V"]
    k = int(np.argmax(gap < 0.0))
    switch = float(DAYS[k - 1] + gap[k - 1] / (gap[k - 1] - gap[k]) * (DAYS[k] - DAYS[k - 1]))
    t = np.arange(0.0, 80.1, 0.5)
    at = np.searchsorted(DAYS, SHOWN)
    shown = jax.tree.map(lambda x: x[at], states)
    traces = np.asarray(eqx.filter_jit(jax.vmap(lambda day, state: answer(day, state, t)))(np.array(SHOWN), shown))
    jm.plot.save(draw(found, switch, t, traces), folder / "gaba_switch.png")
    change = traces - traces[:, :1]
    largest = change[np.arange(len(SHOWN)), np.abs(change).argmax(1)]
    return {**found, "worth": worth, "switch": switch, "answers": largest}


if __name__ == "__main__":
    print(main())
