"""Why is a neuron quiet after a long burst? Its sodium pump is still at work.

Every spike lets sodium in. The pump takes it out, three for two potassium, so that it carries current, and after a
burst of fifty spikes it carries nearly twice as much for as long as the sodium needs to go: the cell is
hyperpolarized by 9 mV and for ten seconds, without any channel that would do it. With a pump that does not listen to
sodium 2 mV are left, as sodium that has gathered inside is less eager to come in.

The neuron has the channels of Traub and Miles, each with its ion, and a volume; the pump's law is that of Kager et al.
"""

import pathlib
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import simulate
from jaxmem.cell import Cell, Compartment, Membrane
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Bath, Cl, K, Na
from jaxmem.gating import AlwaysOpen
from jaxmem.library import traub_miles_1991
from jaxmem.permeation import Ohmic
from jaxmem.plot import COLORS
from jaxmem.protocols import Protocol, step
from jaxmem.transport import Published, catalogue, per_current, sodium_pumps

CAPACITANCE, VOLUME = 20.0, 0.8  # pF, pL: 2000 um2 of thin branches
DENSITY = CAPACITANCE  # nS per mS/cm2, at 1 uF/cm2
BATH = {Na: 145.0, K: 3.5, Cl: 130.0}  # mM
INSIDE, REST = {Na: 10.527, K: 136.750, Cl: 9.278}, -70.294  # mM, mV: what `simulate.steady_state` finds
TEMPERATURE = 309.0  # K
BEFORE, BURST, AFTER = 100.0, 2000.0, 20_000.0  # ms
PERIOD, PULSE, CURRENT = 40.0, 1.0, 700.0  # ms, ms, pA: 25 stimuli per second


def gated(channel: Channel, g: float, species: Any) -> Channel:
    """A channel of the library whose current is that of an ion."""
    return Channel(channel.gating, Ohmic(g * DENSITY, species=species))


def leak(g: float, species: Any) -> Channel:
    """A conductance [mS/cm2] that is always open."""
    return Channel(AlwaysOpen(), Ohmic(g * DENSITY, species=species))


def law(v: Any, bath: Bath, *, maximum: Any, hears: Any) -> Any:
    """The pump of Kager et al.; of a change of sodium it hears a share: all of it at 1, nothing at 0."""
    sodium = INSIDE[Na] + hears * (bath[Na][0] - INSIDE[Na])
    heard = Bath({Na: sodium, K: bath[K][0]}, {Na: bath[Na][1], K: bath[K][1]}, bath.temperature)
    return sodium_pumps.kager(v, heard, maximum=maximum)


def pump(hears: float) -> Published:
    """A sodium pump of at most 300 pA."""
    return Published(law, catalogue.NA_K_ATPASE, per_current(catalogue.NA_K_ATPASE), maximum=300.0, hears=hears)


def neuron(pump: Published) -> Cell:
    """The neuron in a bath, with a pump."""
    channels = (
        gated(traub_miles_1991.sodium(), 100.0, Na),
        gated(traub_miles_1991.potassium(), 40.0, K),
        *(leak(g, s) for g, s in ((0.0175, Na), (0.06, K), (0.01, Cl))),
    )
    membrane = Membrane("cell", "bath", CAPACITANCE, (*channels, pump))
    inside = Compartment.balanced(INSIDE, VOLUME, potential=REST, capacitance=CAPACITANCE)
    return Cell(membrane, {"cell": inside, "bath": Compartment(BATH)}, temperature=TEMPERATURE, start=REST)


def burst() -> Protocol:
    """Short pulses of current for two seconds."""
    whole = step(0.0, BEFORE)
    for _ in range(round(BURST / PERIOD)):
        whole = whole + step(CURRENT, PULSE) + step(0.0, PERIOD - PULSE)
    return whole


@jm.plot.styled
def draw(t: np.ndarray, answering: Any, deaf: Any, currents: Any) -> Figure:
    """Potential, sodium and pump current of both neurons."""
    figure = Figure(figsize=(8.4, 5.6), layout="constrained")
    axes = figure.subplot_mosaic([["V", "V"], ["Na", "pump"]], height_ratios=(1.5, 1.0))
    seconds = 1e-3 * (t - BEFORE)
    inset = axes["V"].inset_axes((0.24, 0.42, 0.74, 0.55))
    shown = ((deaf, "constant pump", "data"), (answering, "pump that answers to Na", "fit"))
    for (trace, label, color), current in zip(shown, reversed(currents), strict=True):
        style = {"color": COLORS[color], "label": label}
        axes["V"].plot(seconds, trace.v, linewidth=0.7, **style)
        inset.plot(seconds, trace.v, **style)
        axes["Na"].plot(seconds, trace.observed["Na_cell"], **style)
        axes["pump"].plot(seconds, current, **style)
    axes["V"].set(xlabel="time (s)", ylabel="V (mV)", ylim=(-100, 75), xlim=(-0.5, 20))
    axes["V"].set_title("After two seconds of spikes the potential stays low")
    inset.axhline(REST, color=COLORS["rule"], linewidth=0.8, zorder=0)
    inset.set(xlim=(BURST * 1e-3 + 0.1, 20), ylim=(-81, -67), ylabel="V (mV)")
    inset.text(19.8, REST + 0.4, "rest", ha="right", fontsize=8, color=COLORS["quiet"])
    inset.legend(loc="lower right")
    axes["Na"].set(xlabel="time (s)", ylabel="Na inside (mM)", title="as long as sodium is high", xlim=(-0.5, 20))
    axes["pump"].set(xlabel="time (s)", ylabel="pump current (pA)", ylim=(0, None), xlim=(-0.5, 20))
    axes["pump"].set_title("and the pump is fast")
    for ax in axes.values():
        ax.set_xticks(range(0, 21, 5))
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, Any]:
    """Compute and draw.

    Returns, for both pumps, V [mV] and Na inside [mM] before the burst, 0.1, 4 and 20 s after it, the peaks of all
    spikes [mV], and the pump currents [pA] before and 0.1 s after the burst.
    """
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pumps = {"answering": pump(1.0), "constant": pump(0.0)}
    end = BEFORE + BURST
    t = np.concatenate([np.arange(0.0, end, 0.2), np.arange(end, end + AFTER + 1.0, 20.0)])
    method = simulate.Staggered(0.05)
    traces = [simulate.current_clamp(neuron(each), burst(), t, method=method) for each in pumps.values()]
    # Potassium outside stays, so that only sodium inside moves the current.
    current = lambda each, c: each.exchange((), REST, Bath({**INSIDE, Na: c}, BATH, TEMPERATURE)).current
    currents = [
        np.asarray(jax.vmap(lambda c, each=each: current(each, c))(trace.observed["Na_cell"]))
        for each, trace in zip(pumps.values(), traces, strict=True)
    ]
    jm.plot.save(draw(t, *traces, currents), folder / "pump_afterhyperpolarization.png")
    at = [int(np.searchsorted(t, x)) for x in (0.5 * BEFORE, end + 100.0, end + 4000.0, end + AFTER)]
    found: dict[str, Any] = {}
    for name, trace, carried in zip(pumps, traces, currents, strict=True):
        v, sodium = np.asarray(trace.v), np.asarray(trace.observed["Na_cell"])
        each = v[(t >= BEFORE) & (t < end)].reshape(round(BURST / PERIOD), -1)
        found[name] = {"V": v[at], "Na": sodium[at], "peaks": each.max(1), "current": carried[at[:2]]}
    return found


if __name__ == "__main__":
    print(main())
