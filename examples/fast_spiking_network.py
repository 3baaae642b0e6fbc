"""Can neurons that do nothing but inhibit each other make a rhythm? A gamma oscillation of a hundred interneurons.

Alone, each of Wang and Buzsaki's fast-spiking interneurons (1996) fires at 60 Hz under 1 uA/cm2. Joined by GABA-A
synapses that decay within 10 ms, they fall into one rhythm within a few cycles from wherever they start, and slower, at
39 Hz: whoever fires silences all others, and as inhibition decays alike in all of them they come back together. The
afterhyperpolarization stays above the reversal potential of the synapse, so inhibition always pulls down. It takes
many contacts: with forty per cell, of a hundred, the spikes of two cells coincide no more than by chance, though all
synapses together are as strong. And it takes equals: a spread of 0.06 in the drive of 1 uA/cm2 undoes it.
"""

import pathlib
from typing import Any

import equinox as eqx
import jax
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem.library import wang_buzsaki_1996
from jaxmem.plot import COLORS
from jaxmem.simulate import SpikeTimes, Staggered, run_network

CELLS = 100
END, BIN, FINE = 400.0, 5, 0.2  # ms; samples lie 0.2 ms apart, and spikes are counted in 5 of them, 1 ms
CONTACTS = np.array([20, 40, 60, 70, 80, 90, 99])  # per cell, on average
SPREADS = np.array([0.0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1])  # uA/cm2, of the drive
LATE = 200.0  # ms: from then on coherence is read


def simulate(network: jm.network.Network, t: np.ndarray, **options: Any) -> jm.simulate.NetworkTrace:
    """A run of the network, with spikes counted where the potential rises through 0 mV."""
    record = SpikeTimes(threshold=0.0, most=40)
    return run_network(network, None, t, method=Staggered(0.02), record=record, **options)


def coherence(times: np.ndarray, bin_width: float) -> float:
    """How far the spikes of two cells coincide, from 0 to 1, on average over all pairs (Wang & Buzsaki 1996, eq. 2.1).

    The overlap of two trains of 0 and 1 in bins, sum X Y / sqrt(sum X sum Y), the mean over where the bins begin.

    **Arguments:** `times` [ms] (cells, spikes); `bin_width` [ms].
    """
    found = []
    for begin in LATE + bin_width * np.arange(0.0, 1.0, 0.1):
        edges = np.arange(begin, END, bin_width)
        trains = np.stack([np.histogram(x[np.isfinite(x)], edges)[0] > 0 for x in times]).astype(float)
        overlap = trains @ trains.T / np.sqrt(np.outer(trains.sum(1), trains.sum(1)))
        found.append(overlap[np.triu_indices(len(trains), 1)].mean())
    return float(np.mean(found))


def rhythm(times: np.ndarray) -> tuple[float, float]:
    """The rate of the cells [Hz] late in a run, and their coherence in bins of a tenth of their period."""
    late = np.where(np.isfinite(times) & (times > LATE), times, np.nan)
    intervals = np.isfinite(late).sum(1) - 1
    rate = float(np.mean(1e3 * intervals / (np.nanmax(late, 1) - np.nanmin(late, 1))))
    return rate, coherence(times, 100.0 / rate)


def each(network: jm.network.Network, weights: np.ndarray, reversals: np.ndarray) -> np.ndarray:
    """Spike times of networks that differ in their synapses and in what drives their cells, one after the other."""

    def one(weights, reversals):
        here = lambda n: (n.connections[0].weights, drive_of(n))
        return simulate(eqx.tree_at(here, network, (weights, reversals)), np.array([0.0, END])).records["interneurons"][
            0
        ]

    return np.asarray(jax.jit(lambda *all_of: jax.lax.map(lambda x: one(*x), all_of))(weights, reversals))


def drive_of(network: jm.network.Network):
    """Where a network holds the drive of its cells, as the reversal potentials of their leaks."""
    return network.populations["interneurons"].varied.membranes[0].mechanisms[2].permeation.reversal


@jm.plot.styled
def draw(trace: jm.simulate.NetworkTrace, contacts: list[float], spreads: list[float]) -> Figure:
    """Raster, population rate, two potentials, and what the coherence depends on."""
    figure = Figure(figsize=(8.4, 7.2), layout="constrained")
    top, bottom = figure.subfigures(2, 1, height_ratios=(2.2, 1.3))
    above, below = top.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    times = np.asarray(trace.records["interneurons"][0])
    above.eventplot([x[np.isfinite(x)] for x in times], colors=COLORS["fit"], linelengths=1.2, linewidths=0.8)
    above.set(ylim=(-1, CELLS), ylabel="cell", title="A hundred interneurons fall into step")
    rate = np.asarray(trace.rate["interneurons"]).reshape(-1, BIN).mean(1)
    below.plot((np.arange(rate.size) + 0.5) * BIN * FINE, rate, color=COLORS["fit"], linewidth=1.0)
    below.set(xlim=(0, END), ylim=(0, None), xlabel="time (ms)", ylabel="rate (Hz)")

    left, middle, right = bottom.subplots(1, 3, width_ratios=(1.5, 1, 1))
    v = trace.observed["interneurons"]["V"]
    for k, color in ((0, "fit"), (1, "second")):
        left.plot(trace.t, v[:, k], color=COLORS[color], linewidth=1.0)
    left.axhline(-75.0, color=COLORS["rule"], linewidth=0.8)
    left.text(148.0, -76.0, "E$_{\\mathrm{GABA}}$", ha="right", va="top", fontsize=8)
    left.set(xlim=(0, 150), ylim=(-84, 40), xlabel="time (ms)", ylabel="V (mV)", title="Two of them")
    middle.plot(CONTACTS, contacts, "o-", color=COLORS["fit"], markersize=4, clip_on=False)
    middle.set(xlim=(0, 100), ylim=(0, 1.05), xlabel="contacts per cell", ylabel="coherence", title="It takes contacts")
    right.plot(SPREADS, spreads, "o-", color=COLORS["fit"], markersize=4, clip_on=False)
    right.set(
        xlim=(0, None), ylim=(0, 1.05), xlabel="spread of drive (\u03bcA/cm$^2$)", yticklabels=[], title="and equals"
    )
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, Any]:
    """Compute and draw; return rates [Hz] and coherences."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(1996)
    network = wang_buzsaki_1996.network(rng.uniform(-70.0, -50.0, CELLS), drive=1.0)
    trace = simulate(network, np.linspace(0.0, END, round(END / FINE) + 1), watch={"interneurons": (0, 1)})
    rate, together = rhythm(np.asarray(trace.records["interneurons"][0]))

    chance = rng.random((len(CONTACTS), CELLS, CELLS)) < CONTACTS[:, None, None] / (CELLS - 1)
    heard = chance & ~np.eye(CELLS, dtype=bool)
    equal, spread = np.broadcast_to(drive_of(network), (len(CONTACTS), CELLS)), rng.normal(size=CELLS)
    full = np.broadcast_to(network.connections[0].weights, (len(SPREADS), CELLS, CELLS))
    weights = np.concatenate([heard / heard.sum(2).mean(1)[:, None, None], full])
    reversals = np.concatenate([equal, -65.0 + (1.0 + SPREADS[:, None] * spread) / 0.1])
    found = [rhythm(x) for x in each(network, weights, reversals)]
    contacts, spreads = found[: len(CONTACTS)], found[len(CONTACTS) :]
    jm.plot.save(draw(trace, [c for _, c in contacts], [c for _, c in spreads]), folder / "fast_spiking_network.png")
    return {
        "rate": rate,
        "coherence": together,
        "by_contacts": dict(zip(CONTACTS.tolist(), contacts, strict=True)),
        "by_spread": dict(zip(SPREADS.tolist(), spreads, strict=True)),
    }


if __name__ == "__main__":
    print(main())
