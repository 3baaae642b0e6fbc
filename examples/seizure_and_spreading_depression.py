"""What does a neuron do when nobody holds its ions? It has seizures, or falls silent in spreading depression.

Spikes let potassium out into a narrow space, and potassium outside brings more spikes. Pump and glia go against it, but
late, because they answer to what has gathered. With 8 mM potassium in the bath the neuron of Cressman et al. (2009)
therefore fires in bursts half a minute apart. Averaged over spikes, two concentrations are left, whose steady state
loses its stability in Hopf points at 7.66 and 8.54 mM: the seizures are the cycles between.

Further away lies another state. When the pumps of Huebel and Dahlem's neuron (2014) stand still for 9.5 s, potassium
outside rises to 70 mM, and the potential stays near -10 mV though the pumps run again: with its ions kept the neuron
has two stable states. Only as glia take potassium away (dk), slowly, does it come to where the upper one ends, and past
that, as chloride lags behind by minutes. Then it falls back, after more than a minute.
"""

import pathlib
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import simulate
from jaxmem.library import cressman_2009, hubel_dahlem_2014
from jaxmem.plot import COLORS

SECOND = 1e3  # ms
DURATION, LATE = 75 * SECOND, 5 * SECOND  # of the seizures; from when on extrema are read
LOST, BACK, END = 20 * SECOND, 29.5 * SECOND, 150 * SECOND  # pumps stop, pumps start, end of the run
BATHS = np.linspace(7.5, 8.7, 25)  # mM K in the bath
SAMPLES = 2001  # of each part of the spreading depression


def seizures() -> simulate.CellTrace:
    """The neuron with its spikes, at 8 mM K in the bath."""
    t = np.linspace(0.0, DURATION, round(DURATION) + 1)
    return simulate.current_clamp(cressman_2009.model(), None, t, method=simulate.Adaptive(1e-5, 1e-5))


def starts(t: np.ndarray, k: np.ndarray) -> np.ndarray:
    """When K outside rises through 9 mM, having been below 8 mM before [ms]."""
    found, armed = [], True
    for before, after, at in zip(k[:-1], k[1:], t[1:], strict=True):
        armed = armed or before < 8.0
        if armed and before < 9.0 <= after:
            found.append(at - (after - 9.0) / (after - before) * (t[1] - t[0]))
            armed = False
    return np.array(found)


@jax.jit
def cycles(baths: Any) -> tuple[Any, Any]:
    """The least and the largest K outside [mM] of the reduced model at each K of the bath, once it has settled."""

    def one(bath):
        cell = eqx.tree_at(lambda c: c.surroundings.k_bath, cressman_2009.reduced(), bath)
        t = np.linspace(0.0, 400 * SECOND, 4001)
        k = simulate.current_clamp(cell, None, t, method=simulate.RungeKutta(20.0), throw=False).observed["K_o"]
        return k[-1000:].min(), k[-1000:].max()

    return jax.vmap(one)(baths)


def depression() -> dict[str, np.ndarray]:
    """Time [ms], and what is seen of the neuron whose pumps stop for 9.5 s."""
    cell = hubel_dahlem_2014.model()
    off = eqx.tree_at(lambda c: c.neuron.pump_max, cell, np.array(0.0))
    state, parts, begin = cell.init(), [], 0.0
    for now, end in ((cell, LOST), (off, BACK), (cell, END)):
        t = np.linspace(0.0, end - begin, SAMPLES)
        trace = simulate.current_clamp(now, None, t, init=state, method=simulate.Adaptive(1e-6, 1e-6))
        parts.append({"t": begin + t, **trace.observed})
        state, begin = trace.state, end
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in parts[0]}


def outside(branch: simulate.Branch) -> np.ndarray:
    """K outside [mM] along the steady states of the closed neuron."""

    def one(dk, state):
        return eqx.tree_at(lambda c: c.dk, hubel_dahlem_2014.closed(), dk).observe(state)["K_e"]

    return np.asarray(jax.vmap(one)(branch.parameter, branch.state))


@jm.plot.styled
def draw(seizing: Any, hopf: Any, extrema: Any, wave: dict[str, np.ndarray], folds: Any) -> Figure:
    """Seizures in time and their bifurcation picture; spreading depression in time and its two states."""
    figure = Figure(figsize=(8.4, 8.2), layout="constrained")
    rows = [["V", "hopf"], ["K", "hopf"], ["wave", "folds"], ["wave K", "folds"]]
    axes = figure.subplot_mosaic(rows, width_ratios=(1.15, 1.0), height_ratios=(1.2, 1.0, 1.2, 1.0))
    seconds = np.asarray(seizing.t) / SECOND
    axes["V"].plot(seconds, seizing.v, color=COLORS["fit"], linewidth=0.5)
    axes["V"].set(ylabel="V (mV)", title="Seizures at 8 mM K in the bath")
    axes["K"].plot(seconds, seizing.observed["K_o"], color=COLORS["second"])
    axes["K"].set(xlabel="time (s)", ylabel="K outside (mM)")

    stable = (extrema[1] - extrema[0]) > 0.05
    for each in extrema:
        axes["hopf"].plot(
            BATHS[stable], each[stable], "o", color=COLORS["second"], markersize=2.5, label="ends of the cycle"
        )
    jm.plot.branch(hopf, axes["hopf"], observe=lambda s: s.k_o, name="K in the bath (mM)", label="K outside (mM)")
    axes["hopf"].set(xlim=(6.5, 9.5), ylim=(5.5, 13.0), title="Averaged over spikes: a cycle")
    _legend(axes["hopf"])

    seconds = wave["t"] / SECOND
    for name, key, color in (("wave", "V", "fit"), ("wave K", "K_e", "second")):
        axes[name].axvspan(LOST / SECOND, BACK / SECOND, color=COLORS["rule"], linewidth=0, alpha=0.6)
        axes[name].plot(seconds, wave[key], color=COLORS[color], linewidth=0.5 if key == "V" else 1.4)
        axes[name].set(xlim=(0, END / SECOND))
    axes["wave"].set(ylabel="V (mV)", title="Spreading depression after 9.5 s without pumps")
    axes["wave K"].set(xlabel="time (s)", ylabel="K outside (mM)", ylim=(0, None))

    jm.plot.branch(
        folds, axes["folds"], observe=lambda s: outside(folds), name="K gained, dk (mM)", label="K outside (mM)"
    )
    axes["folds"].plot(wave["dk"], wave["K_e"], color=COLORS["second"], linewidth=1.0, label="the depression", zorder=1)
    axes["folds"].set(xlim=(-90, 50), ylim=(-3, 120), title="Two states, and the way back")
    # Other Hopf points lie where nothing is stable.
    ends = [k for k in range(1, folds.v.size - 1) if folds.stable[k - 1] != folds.stable[k + 1]]
    _legend(axes["folds"], [f"Hopf at {x.parameter:.5g}" for x in folds.hopf if x.index not in ends])
    return figure


def _legend(ax: Any, without: Sequence[str] = ()) -> None:
    """A legend that names every kind of line once, without what begins as some texts do."""
    lines = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    lines = {label: line for label, line in lines.items() if not label.startswith(tuple(without))}
    ax.legend(lines.values(), lines.keys(), loc="upper left", fontsize=7.5)


def main(folder: str | pathlib.Path = "figures") -> dict[str, Any]:
    """Compute and draw.

    Returns the period of the seizures [s], the least and the largest K outside and Na inside during them [mM]; the Hopf
    points of the reduced model [mM K in the bath] and their periods [s]; the extrema of its cycles over `BATHS` [mM];
    the largest K outside in spreading depression [mM], and when it is first and last above 20 mM [s]; folds and Hopf
    points in dk [mM].
    """
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    seizing, wave = seizures(), depression()
    hopf = simulate.follow(cressman_2009.reduced(), lambda c: c.surroundings.k_bath, (6.0, 10.0))
    folds = simulate.follow(hubel_dahlem_2014.closed(), lambda c: c.dk, (-90.0, 60.0))
    extrema = np.asarray(cycles(BATHS))
    jm.plot.save(draw(seizing, hopf, extrema, wave, folds), folder / "seizure_and_spreading_depression.png")
    t = np.asarray(seizing.t)
    ions = {name: np.asarray(seizing.observed[name]) for name in ("K_o", "Na_i")}
    above = np.flatnonzero(wave["K_e"] > 20.0)
    return {
        "period": float(np.diff(starts(t, ions["K_o"]))[1:].mean() / SECOND),
        **{name: (float(x[t > LATE].min()), float(x[t > LATE].max())) for name, x in ions.items()},
        "hopf": [x.parameter for x in hopf.hopf],
        "hopf_periods": [x.period / SECOND for x in hopf.hopf],
        "cycles": extrema,
        "K_e": float(wave["K_e"].max()),
        "above_20_mM": tuple((wave["t"][above[[0, -1]]] / SECOND).tolist()),
        "folds": [x.parameter for x in folds.folds],
        "fold_hopf": [x.parameter for x in folds.hopf],
    }


if __name__ == "__main__":
    print(main())
