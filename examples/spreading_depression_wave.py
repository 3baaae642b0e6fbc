"""How does spreading depression travel? Potassium let out by discharged neurons discharges the next ones.

In a strip of tissue K outside is raised to 40 mM at one end. Neurons there discharge and let out more, which diffuses
on: a front at a few millimeters per minute, behind which K outside is above 60 mM. Pumps hold against it: stronger
ones slow the front down, and with much stronger ones there is none.
"""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np

import jaxmem as jm
from jaxmem import simulate
from jaxmem.library import hubel_dahlem_cable

SECOND = 1e3
COMPARTMENTS, LENGTH = 48, 600.0  # um
FIRST, LAST = 24, 36
PUMPS = (6.8, 5.0, 40.0)  # uA/cm2: that of the model, a weaker, a much stronger one
T = np.arange(0.0, 8.0 * SECOND + 1, 0.2 * SECOND)


@jax.jit
def waves(pumps):
    """A strip for each strength of the pump: K outside and V along it, and when the front comes to two places."""

    def one(pump):
        tissue = hubel_dahlem_cable.model(
            compartments=COMPARTMENTS, length=LENGTH, width=200.0, pump=pump, record=[FIRST, LAST]
        )
        found = simulate.SpikeTimes(-30.0, most=1)
        return simulate.current_clamp(tissue, None, T, method=simulate.Hines(0.1), record=found, throw=False)

    return jax.vmap(one)(pumps)


def main(folder: str | pathlib.Path = ".") -> dict[str, float]:
    """Runs the strips, saves kymographs and an animation, returns speeds [mm/min] and K outside [mM]."""
    trace = waves(jnp.asarray(PUMPS))
    arrivals = np.asarray(trace.records[0][..., 0])
    gap = (LAST - FIRST) * LENGTH / COMPARTMENTS
    with np.errstate(invalid="ignore"):
        speed = 60.0 * gap / (arrivals[:, 1] - arrivals[:, 0])  # um/ms is mm/s
    k = np.asarray(trace.observed["K_outside"])
    tree = hubel_dahlem_cable.model(compartments=COMPARTMENTS, length=LENGTH).tree
    one = jax.tree.map(lambda x: x[0], trace)
    figure = jm.plot.kymographs(one, tree, ["K_outside", "V", "Na_neuron"])
    jm.plot.save(figure, pathlib.Path(folder) / "spreading_depression_wave.png")
    jm.plot.animate(one, tree, pathlib.Path(folder) / "spreading_depression_wave.gif", ["K_outside", "V"], frames=40)
    return {
        "speed": float(speed[0]),
        "speed_weak_pump": float(speed[1]),
        "largest_K": float(k[0, :, FIRST].max()),
        "K_strong_pump": float(k[2, :, FIRST].max()),
        "arrived_strong_pump": float(np.isfinite(arrivals[2]).sum()),
    }


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    for key, value in main().items():
        print(f"{key}: {value:.3g}")
