"""Does the cable equation hold in thin processes? It does at 1 um, and fails at 0.1 um and in spines.

A synapse lets Na in for 20 ms. In the cable equation concentrations stay as they are. With all ions free to move, Na
gathers where the process is thin, and drives less current than the cable says (Qian & Sejnowski 1989).
"""

import pathlib
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import simulate
from jaxmem.library import qian_sejnowski_1989 as thin

T = np.arange(0.0, 20.1, 0.5)
SYNAPSE = 0.1  # nS
SPINE = 0.2


def both(shape: Any, synapse: float, dt: float = 0.02) -> tuple[simulate.CellTrace, simulate.CellTrace]:
    """A run with all ions, and one by the cable equation."""
    method = simulate.Hines(dt)
    ions = simulate.current_clamp(thin.model(shape, synapse=synapse), None, T, method=method)
    return ions, simulate.current_clamp(thin.cable(shape, synapse=synapse), None, T, method=method)


def main(folder: str | pathlib.Path = ".") -> dict[str, float]:
    """Runs all three shapes, saves the figure, returns potentials [mV] and Na [mM] at the synapse after 20 ms."""
    shapes = {
        "1 um": (thin.process(1.0), SYNAPSE, 0.02),
        "0.1 um": (thin.process(0.1), SYNAPSE, 0.02),
        "spine": (thin.spine(), SPINE, 0.004),
    }
    found = {}
    figure = Figure(figsize=(7.2, 2.8), layout="constrained")
    for ax, (name, (shape, synapse, dt)) in zip(figure.subplots(1, 3, sharey=True), shapes.items(), strict=True):
        ions, cable = both(shape, synapse, dt)
        at = int(thin.model(shape, synapse=synapse).record)
        found |= {
            f"ions {name}": float(ions.v[-1]),
            f"cable {name}": float(cable.v[-1]),
            f"Na {name}": float(ions.observed["Na_process"][-1, at]),
        }
        ax.plot(T, cable.v, color=jm.plot.COLORS["data"], label="cable equation")
        ax.plot(T, ions.v, color=jm.plot.COLORS["fit"], label="all ions")
        ax.set(title=name, xlabel="time (ms)")
        ax.set_ylabel("V at the synapse (mV)" if name == "1 um" else "")
    figure.axes[0].legend(frameon=False)
    jm.plot.save(figure, pathlib.Path(folder) / "spine_electrodiffusion.png")
    return found


if __name__ == "__main__":
    import jax

    jax.config.update("jax_enable_x64", True)
    for key, value in main().items():
        print(f"{key}: {value:.2f}")
