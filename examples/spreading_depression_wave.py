"""How does spreading depression travel? Potassium let out by discharged neurons discharges the next ones.

In a strip of tissue K outside is raised to 40 mM at one end. Neurons there discharge and let out more, which diffuses
on: a front at a few millimeters per minute, behind which K outside is above 60 mM. Pumps hold against it: stronger
ones slow the front down, and with much stronger ones there is none.
"""

import pathlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import jaxmem as jm
from jaxmem import simulate
from jaxmem.library import hubel_dahlem_cable

SECOND = 1e3
COMPARTMENTS, LENGTH = 48, 600.0  # um
FIRST, LAST = 24, 36
LEVEL = 30.0  # mM of K outside: where the front is
PUMPS = (6.8, 5.0, 40.0)  # uA/cm2: that of the model, a weaker, a much stronger one
EVERY = 200  # samples of 1 ms to a picture


def arrival(t, k):
    """When K outside [mM] rises through `LEVEL`, by the cubic through four samples around it; not a number if never.

    K moves slowly and smoothly there, after a place has fired, while the potential rises within one step: a time that
    is read from the potential inside of a step follows the steps, and its derivative is theirs.
    """
    rises = (k[:-1] < LEVEL) & (k[1:] >= LEVEL)
    at = jnp.clip(jnp.argmax(rises), 1, len(t) - 3)
    a, b, c, d = jax.lax.dynamic_slice(k, (at - 1,), (4,))
    c1, c2, c3 = c - a / 3.0 - b / 2.0 - d / 6.0, (a + c) / 2.0 - b, (d - a) / 6.0 + (b - c) / 2.0
    x = (LEVEL - b) / (c - b)
    for _ in range(4):  # Newton
        x = x - (b - LEVEL + x * (c1 + x * (c2 + x * c3))) / (c1 + x * (2.0 * c2 + x * 3.0 * c3))
    return jnp.where(jnp.any(rises), jnp.asarray(t)[at] + x * (t[1] - t[0]), jnp.nan)


def wave(pump, compartments, length, width, duration, dt):
    """A strip that runs by itself for a duration [ms], sampled every ms."""
    tissue = hubel_dahlem_cable.model(compartments=compartments, length=length, width=width, pump=pump)
    t = np.arange(0.0, duration + 0.5, 1.0)
    return simulate.current_clamp(tissue, None, t, method=simulate.Hines(dt), throw=False)


def speed(trace, first, last, gap):
    """Of the front between two compartments a gap [um] apart [mm/min]."""
    t = np.arange(trace.t.shape[0]) * 1.0
    k = trace.observed["K_outside"]
    return 60.0 * gap / (arrival(t, k[:, last]) - arrival(t, k[:, first]))  # um/ms is mm/s


@jax.jit
def waves(pumps):
    """A strip for each strength of the pump."""
    return jax.vmap(lambda pump: wave(pump, COMPARTMENTS, LENGTH, 200.0, 8.0 * SECOND, 0.1))(pumps)


def speed_at(pump, dt=0.025):
    """The speed [mm/min] in a shorter strip, in steps so short that the upstroke of sodium channels is resolved: in
    steps of 0.1 ms the speed itself is within 1e-3, but its derivative is that of where spikes fall between steps."""
    return speed(wave(pump, 32, 400.0, 150.0, 4.9 * SECOND, dt), 16, 24, 100.0)


def main(folder: str | pathlib.Path = ".") -> dict[str, float]:
    """Runs the strips, saves kymographs and an animation, returns speeds [mm/min], the derivative of the speed by the
    pump's strength, and K outside [mM]."""
    trace = waves(jnp.asarray(PUMPS))
    found = np.asarray(jax.vmap(lambda one: speed(one, FIRST, LAST, (LAST - FIRST) * LENGTH / COMPARTMENTS))(trace))
    pump = jnp.asarray(PUMPS[0])
    _, slope = jax.jit(lambda x: jax.jvp(speed_at, (x,), (jnp.ones_like(x),)))(pump)
    k = np.asarray(trace.observed["K_outside"])
    tree = hubel_dahlem_cable.model(compartments=COMPARTMENTS, length=LENGTH).tree
    one = jax.tree.map(lambda x: x[0], trace)
    pictures = jax.tree.map(lambda x: x[::EVERY], (one.t, one.v, one.observed))
    one = eqx.tree_at(lambda x: (x.t, x.v, x.observed), one, pictures)
    figure = jm.plot.kymographs(one, tree, ["K_outside", "V", "Na_neuron"])
    jm.plot.save(figure, pathlib.Path(folder) / "spreading_depression_wave.png")
    jm.plot.animate(one, tree, pathlib.Path(folder) / "spreading_depression_wave.gif", ["K_outside", "V"], frames=40)
    return {
        "speed": float(found[0]),
        "speed_weak_pump": float(found[1]),
        "speed_strong_pump": float(found[2]),
        "speed_per_pump": float(slope),
        "largest_K": float(k[0, :, FIRST].max()),
        "K_strong_pump": float(k[2, :, FIRST].max()),
    }


if __name__ == "__main__":
    jax.config.update("jax_enable_x64", True)
    for key, value in main().items():
        print(f"{key}: {value:.3g}")
