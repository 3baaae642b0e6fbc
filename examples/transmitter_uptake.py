"""How long does a synapse hear its transmitter? As long as transporters leave it there.

The 4000 molecules of a vesicle fill the cleft in front of a spine to two millimolar, and are gone within a millisecond,
with transporters and without: diffusion empties it. The space around is another matter. There transporters (EAAT) take
glutamate up, with three sodium and a proton against one potassium, and clear in ten milliseconds what a vesicle brings;
without them the glutamate of five vesicles gathers to 30 uM. NMDA receptors bind so tightly that this keeps them open,
and the calcium that enters the spine, the trigger of plasticity, stays high. AMPA receptors tire either way.

An inhibitory synapse is built alike, with GABA, GABA-A receptors on a dendrite, and GAT1, which takes GABA up with two
sodium and one chloride. It turns more slowly, and stalls sooner: what its gradients pay for leaves 13 nM of GABA around
a glial cell, where those of EAAT would leave 0.1 nM of glutamate.

Receptors are kinetic schemes that transmitter binds to; spine, cleft and surroundings are compartments of one cell.
"""

import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import simulate
from jaxmem.cell import Buffer, Cell, Compartment, Diffusion, Membrane
from jaxmem.channel import Channel
from jaxmem.electrochemistry import HCO3, Bath, Ca, Cl, H, K, Mg, Na, Solution, gaba, glu
from jaxmem.gating import AlwaysOpen
from jaxmem.permeation import PER_PARTICLE, Ohmic
from jaxmem.plot import COLORS
from jaxmem.protocols import step
from jaxmem.transport import Published, Stoichiometry, catalogue, largest_accumulation
from jaxmem.units import thermal_voltage

MOLECULES, VESICLE = 4000.0, 0.1  # of a vesicle; ms
VESICLES, PERIOD = 5, 10.0  # ms apart
TRANSPORTERS = 50_000.0
PUMPS = 4000.0  # that remove calcium from the spine
GABA_A = 10.0  # nS, if all were open
AMPA, NMDA = 10.0, 0.1  # nS, if all were open; of AMPA receptors a tenth of a millisecond opens few
SPINE, CLEFT, AROUND = 1e-4, 2e-6, 1e-3  # pL: 0.1 um3, 0.1 um2 times 20 nm, 1 um3
OUTSIDE = {Na: 145.0, K: 3.5, Ca: 2.0, Mg: 0.5, Cl: 153.5, glu: 0.0}  # mM
INSIDE = {Na: 10.0, K: 140.0, Ca: 1e-4, Mg: 0.5, Cl: 10.0}
PROTON = 4e-5  # outside
BUFFERED = {Na: 145.0, K: 3.5, Ca: 2.0, Mg: 0.5, Cl: 129.5, HCO3: 24.0}  # GABA-A receptors pass HCO3, too
INHIBITED = {Na: 10.0, K: 140.0, Cl: 5.0, HCO3: 12.0}
GLIA = {Na: 10.0, K: 100.0, Cl: 5.0, H: 6e-5, glu: 5.0, gaba: 2.0}
NECK, DENDRITE, ASTROCYTE = 1.0, -65.0, -89.2  # nS, mV, mV
TEMPERATURE = 309.0
END = 300.0  # ms


def uptake(v: Any, bath: Any, *, fastest: Any, half: Any) -> Any:
    """Turns of a transporter [1/ms] as glutamate binds to it: fastest c/(half + c)."""
    c = bath[glu][1]
    return fastest * c / (half + c) + 0.0 * v


def extrusion(v: Any, bath: Any, *, fastest: Any, half: Any, rest: Any) -> Any:
    """Turns of what removes calcium [1/ms], less what leaks back: fastest (c - rest)/(half + c)."""
    c = bath[Ca][0]
    return fastest * (c - rest) / (half + c) + 0.0 * v


def exchange(v: Any, bath: Any, *, fastest: Any, half: Any) -> Any:
    """Turns of GAT1 [1/ms], which runs back where its gradients cannot pay: fastest (c - stall)/(half + c)."""
    (na_in, na_out), (cl_in, cl_out), (held, c) = bath[Na], bath[Cl], bath[gaba]
    stall = held * (na_in / na_out) ** 2 * (cl_in / cl_out) * jnp.exp(v / thermal_voltage(bath.temperature))
    return fastest * (c - stall) / (half + c)


def left_by(transporter: Stoichiometry, transmitter: Any, outside: dict[Any, float]) -> float:
    """The concentration outside a glial cell [mM] at which a transporter stalls."""
    bath = Bath(Solution(GLIA), Solution({**outside, transmitter: 1.0}), TEMPERATURE)
    return GLIA[transmitter] / float(largest_accumulation(transporter, transmitter, bath, ASTROCYTE))


def synapse(transporters: float) -> Cell:
    """A spine with AMPA and NMDA receptors, its cleft, and the space around with a number of transporters."""
    receptors = (
        jm.synapse.ampa(AMPA, opening=jm.synapse.ampa_receptor()),
        jm.synapse.nmda(NMDA, opening=jm.synapse.nmda_receptor()),
    )
    out = Published(extrusion, catalogue.NCX, PUMPS * PER_PARTICLE, fastest=0.2, half=1e-3, rest=1e-4)
    eaat = Published(uptake, catalogue.EAAT, transporters * PER_PARTICLE, fastest=0.03, half=0.02)
    potassium = Channel(AlwaysOpen(), Ohmic(5.0, species=K))
    around = {**OUTSIDE, H: PROTON}
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
        temperature=TEMPERATURE,
        start=(DENDRITE, ASTROCYTE),
        electrode=Na,  # what the receptors let in goes on through the neck
    )


def inhibitory(transporters: float) -> Cell:
    """A dendrite with GABA-A receptors, the cleft, and the space around with a number of transporters, all at rest."""
    outside = {**BUFFERED, gaba: left_by(catalogue.GAT1, gaba, BUFFERED)}
    receptors = jm.synapse.gaba_a(GABA_A, opening=jm.synapse.gaba_a_receptor())
    gat1 = Published(exchange, catalogue.GAT1, transporters * PER_PARTICLE, fastest=0.01, half=0.015)
    potassium = Channel(AlwaysOpen(), Ohmic(5.0, species=K))
    return Cell(
        (Membrane("dendrite", "cleft", 10.0, receptors), Membrane("glia", "around", 0.5, (gat1, potassium))),
        {
            "dendrite": Compartment(INHIBITED),
            "cleft": Compartment(outside, CLEFT),
            "around": Compartment(outside, AROUND),
            "glia": Compartment(GLIA),
            "far": Compartment(outside),
        },
        links=(
            Diffusion("cleft", "around", {s: 2e-5 for s in outside}),
            Diffusion("around", "far", {s: 5e-6 for s in outside}),
        ),
        temperature=TEMPERATURE,
        start=(DENDRITE, ASTROCYTE),
    )


def run(cell: Cell, transmitter: Any, t: np.ndarray) -> Any:
    """Vesicles, a tenth of a millisecond each, beside a dendrite that keeps its potential."""
    flux = MOLECULES * PER_PARTICLE / VESICLE
    train = step(0.0, PERIOD)
    for _ in range(VESICLES):
        train = train + step(flux, VESICLE) + step(0.0, PERIOD - VESICLE)
    stimuli = simulate.Supply("cleft", transmitter, train), simulate.Conductance(step(NECK, END), DENDRITE)
    return simulate.current_clamp(cell, stimuli, t, method=simulate.Adaptive())


@jm.plot.styled
def draw(t: np.ndarray, traces: dict[str, Any], inhibited: dict[str, Any]) -> Figure:
    """Glutamate in the cleft and around, potential and calcium; GABA around, and potential: without and with uptake."""
    figure = Figure(figsize=(11.6, 5.6), layout="constrained")
    axes = figure.subplots(2, 3).ravel()
    shown = (
        (traces, "glu_cleft", 1e3, "glutamate (\u00b5M)", "In the cleft all is over soon"),
        (traces, "glu_around", 1e3, "glutamate (\u00b5M)", "Around it uptake makes the difference"),
        (inhibited, "gaba_around", 1e3, "GABA (\u00b5M)", "GAT1 is slower, and stalls sooner"),
        (traces, "V", 1.0, "V (mV)", "AMPA receptors answer, and tire"),
        (traces, "Ca_spine", 1e3, "free Ca (\u00b5M)", "NMDA receptors hear the rest"),
        (inhibited, "V", 1.0, "V (mV)", "GABA-A receptors stay open"),
    )
    for ax, (which, name, scale, label, title) in zip(axes, shown, strict=True):
        for (uptake, trace), color in zip(which.items(), ("second", "fit"), strict=True):
            y = np.maximum(scale * np.asarray(trace.observed[name]), 1e-9 if name == "glu_cleft" else -np.inf)
            ax.plot(t, y, color=COLORS[color], label=uptake, linewidth=1.2)
        ax.set(xlabel="time (ms)", ylabel=label, title=title, xlim=(0, END))
    axes[0].set(yscale="log", ylim=(0.1, 5000), xlim=(0, 100))
    axes[1].set(ylim=(0, None))
    axes[2].set(yscale="log")
    axes[3].set(xlim=(0, 100))
    axes[4].set(ylim=(0, None))
    axes[1].legend(loc="upper right")
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, Any]:
    """Compute and draw.

    Returns, without uptake and with it, the peak of glutamate in the cleft and what of it is left 1 ms after it, its
    peak around and what is left at the end, the peak of Ca in the spine [mM] and its excess over rest, added up
    [mM ms], and the largest V [mV]. Of `gaba`, the peak around and what is left, the lowest V [mV], and how far V is
    from rest, added up [mV ms]; and `stall`, what EAAT and GAT1 would leave [mM].
    """
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    t = np.linspace(0.0, END, round(END / VESICLE) + 1)
    numbers = {"without uptake": 0.0, "with uptake": TRANSPORTERS}
    traces = {name: run(synapse(n), glu, t) for name, n in numbers.items()}
    inhibited = {name: run(inhibitory(n), gaba, t) for name, n in numbers.items()}
    jm.plot.save(draw(t, traces, inhibited), folder / "transmitter_uptake.png")
    found: dict[str, Any] = {}
    for name, trace in traces.items():
        cleft, around, calcium = (np.asarray(trace.observed[x]) for x in ("glu_cleft", "glu_around", "Ca_spine"))
        gaba_around, v = (np.asarray(inhibited[name].observed[x]) for x in ("gaba_around", "V"))
        found[name] = {
            "cleft": float(cleft.max()),
            "after_1_ms": float(np.interp(PERIOD + VESICLE + 1.0, t, cleft)),
            "around": float(around.max()),
            "left": float(around[-1]),
            "calcium": float(calcium.max()),
            "excess": float(VESICLE * np.sum(calcium - calcium[0])),
            "V": float(trace.v.max()),
            "gaba": {
                "around": float(gaba_around.max()),
                "left": float(gaba_around[-1]),
                "V": float(v.min()),
                "away": float(VESICLE * np.sum(v[0] - v)),
            },
        }
    eaat, gat1 = left_by(catalogue.EAAT, glu, {**OUTSIDE, H: PROTON}), left_by(catalogue.GAT1, gaba, BUFFERED)
    found["stall"] = {"EAAT": eaat, "GAT1": gat1}
    return found


if __name__ == "__main__":
    print(main())
