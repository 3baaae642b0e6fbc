"""Which squid axons fire? A million of them, each with other channels, under four currents.

Every axon has its own maximum sodium and potassium conductance. All run for 100 ms in steps of 0.025 ms; of each only
two numbers are kept, how often it fired and its mean potential. With too little sodium for its potassium an axon fires
once or not at all. With more it fires all the time, the faster the less potassium conductance it has, and with hardly
any it fires and does not come back, so that its mean potential is high. The axon of 1952 (circle) lies next to the
border: 5 uA/cm2 give one spike, 10 a train.

    python examples/million_cells.py 1000000

runs a million on all cores of a processor, or on an accelerator. Results go into a Zarr store chunk by chunk: stopped
and started again, it goes on where it was.
"""

import os
import pathlib
import sys
from typing import Any

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array, Float
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import simulate
from jaxmem.params import param
from jaxmem.plot import COLORS

CURRENTS = (5.0, 10.0, 20.0, 40.0)  # uA/cm2
SODIUM, POTASSIUM = (20.0, 240.0), (4.0, 72.0)  # mS/cm2; the axon of 1952 has 120 and 36
DURATION = 100.0  # ms


class Driven(eqx.Module):
    """An axon and the current that it gets."""

    axon: jm.cell.Cell
    current: Float[Array, ""] = param("uA/cm2")


def fired(driven: Driven) -> dict[str, Any]:
    """How often an axon fires, and its mean potential [mV]."""
    command = jm.protocols.step(driven.current, DURATION)
    record = (simulate.SpikeCount(), simulate.Mean())
    trace = simulate.current_clamp(driven.axon, command, [DURATION], record=record, throw=False)
    count, mean = trace.records
    return {"count": count, "mean": mean, "result": trace.result}


def axons(cells: int) -> jm.sweep.Varied:
    """About so many axons: a grid of conductances at each current."""
    side = max(2, round((cells / len(CURRENTS)) ** 0.5))
    channels = lambda driven: driven.axon.membranes[0].mechanisms
    return jm.sweep.vary(
        Driven(jm.library.squid_axon.model(), 0.0),
        (lambda driven: driven.current, np.array(CURRENTS), "current"),
        (lambda driven: channels(driven)[0].permeation.g, np.linspace(*SODIUM, side), "gNa"),
        (lambda driven: channels(driven)[1].permeation.g, np.linspace(*POTASSIUM, side), "gK"),
    )


@jm.plot.styled
def draw(found: jm.sweep.SweepResult) -> Figure:
    """Spikes and mean potential over both conductances, at each current."""
    figure = Figure(figsize=(8.4, 4.6), layout="constrained")
    axes = figure.subplots(2, len(CURRENTS), sharex=True, sharey=True)
    shown = (
        ("count", "viridis", "spikes in 100 ms", range(0, 100, 5)),
        ("mean", "magma", "mean V (mV)", range(-80, 20, 10)),
    )
    for row, (name, colors, label, ticks) in zip(axes, shown, strict=True):
        values = found[name]
        limits = {"vmin": np.nanmin(values), "vmax": np.nanmax(values)}
        for ax, each in zip(row, values, strict=True):
            image = ax.imshow(
                each,
                origin="lower",
                aspect="auto",
                extent=(*POTASSIUM, *SODIUM),
                cmap=colors,
                rasterized=True,
                **limits,
            )
            ax.plot(36.0, 120.0, "o", markerfacecolor="none", markeredgecolor="white", markersize=5)
        figure.colorbar(image, ax=row, label=label, pad=0.01, ticks=ticks)
    for ax, current in zip(axes[0], CURRENTS, strict=True):
        ax.set_title(f"{current:g} \u00b5A/cm$^2$")
    figure.supxlabel("potassium conductance (mS/cm$^2$)", fontsize=9)
    figure.supylabel("sodium conductance (mS/cm$^2$)", fontsize=9, color=COLORS["text"])
    return figure


def main(folder: str | pathlib.Path = "figures", cells: int = 2000, progress: Any = None) -> dict[str, Any]:
    """Compute and draw; return spikes and mean potential [mV] (currents, gNa, gK), how many failed, and the store."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    varied, store = axons(cells), folder / f"million_cells_{cells}.zarr"
    found = jm.sweep.run(
        fired, varied, store=store, mesh=jm.sweep.devices(), chunk=16384, units={"mean": "mV"}, progress=progress
    )
    jm.plot.save(draw(found), folder / "million_cells.png")
    return {
        "count": found["count"],
        "mean": found["mean"],
        "failed": sum(failure.count for failure in found.failures()),
        "store": store,
    }


if __name__ == "__main__":
    jax.config.update("jax_num_cpu_devices", os.cpu_count())
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    print(main(cells=most, progress=lambda done, total: print(f"\r{done} of {total}", end="", file=sys.stderr)))
