"""How long does a synapse hear its glutamate? As long as transporters leave it there.

The 4000 molecules of a vesicle fill the cleft in front of a spine to two millimolar, and are gone within a millisecond,
with transporters and without: diffusion empties it. The space around is another matter. There transporters (EAAT) take
glutamate up, with three sodium and a proton against one potassium, and clear in ten milliseconds what a vesicle brings;
without them the glutamate of five vesicles gathers to 30 uM. NMDA receptors bind so tightly that this keeps them open,
and the calcium that enters the spine, the trigger of plasticity, stays high. AMPA receptors tire either way.

Receptors are kinetic schemes that glutamate binds to; spine, cleft and surroundings are compartments of one cell.
"""

import pathlib
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import simulate
from jaxmem.cell import Buffer, Cell, Compartment, Diffusion, Membrane
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Ca, Cl, H, K, Mg, Na, glu
from jaxmem.gating import AlwaysOpen
from jaxmem.permeation import PER_PARTICLE, Ohmic
from jaxmem.plot import COLORS
from jaxmem.protocols import step
from jaxmem.transport import Published, catalogue

MOLECULES, VESICLE = 4000.0, 0.1  # of a vesicle; ms
VESICLES, PERIOD = 5, 10.0  # ms apart
TRANSPORTERS = 50_000.0
PUMPS = 4000.0  # that remove calcium from the spine
AMPA, NMDA = 10.0, 0.1  # nS, if all were open; of AMPA receptors a tenth of a millisecond opens few
SPINE, CLEFT, AROUND = 1e-4, 2e-6, 1e-3  # pL: 0.1 um3, 0.1 um2 times 20 nm, 1 um3
OUTSIDE = {Na: 145.0, K: 3.5, Ca: 2.0, Mg: 0.5, Cl: 153.5, glu: 0.0}  # mM
INSIDE = {Na: 10.0, K: 140.0, Ca: 1e-4, Mg: 0.5, Cl: 10.0}
GLIA = {Na: 10.0, K: 100.0, Cl: 5.0, H: 6e-5, glu: 5.0}
NECK, DENDRITE = 1.0, -65.0  # nS, mV
END = 300.0  # ms


def uptake(v: Any, bath: Any, *, fastest: Any, half: Any) -> Any:
    """Turns of a transporter [1/ms] as glutamate binds to it: fastest c/(half + c)."""
    c = bath[glu][1]
    return fastest * c / (half + c) + 0.0 * v


def extrusion(v: Any, bath: Any, *, fastest: Any, half: Any, rest: Any) -> Any:
    """Turns of what removes calcium [1/ms], less what leaks back: fastest (c - rest)/(half + c)."""
    c = bath[Ca][0]
    return fastest * (c - rest) / (half + c) + 0.0 * v


def synapse(transporters: float) -> Cell:
    """A spine with AMPA and NMDA receptors, its cleft, and the space around with a number of transporters."""
    receptors = (
        jm.synapse.ampa(AMPA, opening=jm.synapse.ampa_receptor()),
        jm.synapse.nmda(NMDA, opening=jm.synapse.nmda_receptor()),
    )
    out = Published(extrusion, catalogue.NCX, PUMPS * PER_PARTICLE, fastest=0.2, half=1e-3, rest=1e-4)
    eaat = Published(uptake, catalogue.EAAT, transporters * PER_PARTICLE, fastest=0.03, half=0.02)
    potassium = Channel(AlwaysOpen(), Ohmic(5.0, species=K))
    around = {**OUTSIDE, H: 4e-5}
    return Cell(
        (Membrane("spine", "cleft", 0.01, (*receptors, out)), Membrane("glia", "around", 0.5, (eaat, potassium))),
        {
            "spine": Compartment.balanced(INSIDE, SPINE),
            "cleft": Compartment(OUTSIDE, CLEFT),
            "around": Compartment(around, AROUND),
            "glia": Compartment(GLIA),
            "far": Compartment(around),
        },
        links=(
            Diffusion("cleft", "around", {s: 2e-5 for s in OUTSIDE}),
            Diffusion("around", "far", {s: 5e-6 for s in around}),
            Buffer("spine", Ca, 0.1 * SPINE, 100.0, 0.1),
            Buffer("around", H, 25.0 * AROUND, 1e4, 0.4),
        ),
        temperature=309.0,
        start=(DENDRITE, -89.2),
        electrode=Na,  # what the receptors let in goes on through the neck
    )


def run(transporters: float, t: np.ndarray) -> Any:
    """Vesicles, a tenth of a millisecond each, beside a dendrite that keeps its potential."""
    flux = MOLECULES * PER_PARTICLE / VESICLE
    train = step(0.0, PERIOD)
    for _ in range(VESICLES):
        train = train + step(flux, VESICLE) + step(0.0, PERIOD - VESICLE)
    stimuli = simulate.Supply("cleft", glu, train), simulate.Conductance(step(NECK, END), DENDRITE)
    return simulate.current_clamp(synapse(transporters), stimuli, t, method=simulate.Adaptive())


@jm.plot.styled
def draw(t: np.ndarray, traces: dict[str, Any]) -> Figure:
    """Glutamate in the cleft and around, potential and calcium, with and without uptake."""
    figure = Figure(figsize=(8.4, 5.6), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    shown = (
        ("glu_cleft", 1e3, "glutamate (\u00b5M)", "In the cleft all is over soon"),
        ("glu_around", 1e3, "glutamate (\u00b5M)", "Around it uptake makes the difference"),
        ("V", 1.0, "V (mV)", "AMPA receptors answer, and tire"),
        ("Ca_spine", 1e3, "free Ca (\u00b5M)", "NMDA receptors hear the rest"),
    )
    for ax, (name, scale, label, title) in zip(axes, shown, strict=True):
        for (which, trace), color in zip(traces.items(), ("second", "fit"), strict=True):
            y = np.maximum(scale * np.asarray(trace.observed[name]), 1e-9 if name == "glu_cleft" else -np.inf)
            ax.plot(t, y, color=COLORS[color], label=which, linewidth=1.2)
        ax.set(xlabel="time (ms)", ylabel=label, title=title, xlim=(0, END))
    axes[0].set(yscale="log", ylim=(0.1, 5000), xlim=(0, 100))
    axes[2].set(xlim=(0, 100))
    axes[1].set(ylim=(0, None))
    axes[3].set(ylim=(0, None))
    axes[1].legend(loc="upper right")
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, Any]:
    """Compute and draw.

    Returns, without uptake and with it, the peak of glutamate in the cleft and what of it is left 1 ms after it, its
    peak around and what is left at the end, the peak of Ca in the spine [mM] and its excess over rest, added up
    [mM ms], and the largest V [mV].
    """
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    t = np.linspace(0.0, END, round(END / VESICLE) + 1)
    traces = {"without uptake": run(0.0, t), "with uptake": run(TRANSPORTERS, t)}
    jm.plot.save(draw(t, traces), folder / "transmitter_uptake.png")
    found = {}
    for name, trace in traces.items():
        cleft, around, calcium = (np.asarray(trace.observed[x]) for x in ("glu_cleft", "glu_around", "Ca_spine"))
        found[name] = {
            "cleft": float(cleft.max()),
            "after_1_ms": float(np.interp(PERIOD + VESICLE + 1.0, t, cleft)),
            "around": float(around.max()),
            "left": float(around[-1]),
            "calcium": float(calcium.max()),
            "excess": float(VESICLE * np.sum(calcium - calcium[0])),
            "V": float(trace.v.max()),
        }
    return found


if __name__ == "__main__":
    print(main())
