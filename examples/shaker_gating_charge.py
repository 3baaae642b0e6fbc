"""How much charge opens a Shaker channel? Three ways to measure it, on one state graph.

A voltage sensor moves charge through the membrane's field. The charge-voltage curve counts all of it, the gating
current shows it moving, and the limiting slope of the open probability sees the part that is coupled to opening
(Almers 1978): where the channel hardly ever opens, kT d ln Po/dV tends to the gating charge.
"""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import gating


def main(folder: str | pathlib.Path = "figures") -> dict[str, float]:
    """Compute the three readings, draw them, and return the charges [e0] that they give."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    channel = jm.library.shaker_zha_1994.model()
    graph, bath = channel.gating.scheme, jm.electrochemistry.as_bath(293.15)

    v = jnp.linspace(-120.0, 40.0, 161)
    opened = jax.vmap(lambda x: channel.gating.open_probability(channel.gating.init(x, bath), x))(v)
    charge = jax.vmap(lambda x: gating.charge_voltage(graph, x, bath))(v)
    slope = jax.vmap(lambda x: gating.limiting_slope(channel.gating, x, bath))(v)

    t = np.arange(0.0, 14.0, 0.01)
    step = jm.protocols.step(-100.0, 2.0) + jm.protocols.step(0.0, 8.0) + jm.protocols.step(-100.0, 4.0)
    trace = jm.simulate.voltage_clamp(channel, step, t, bath=bath)
    current = gating.gating_current(graph, trace.state[0], trace.v, bath)
    on = (t >= 2.0) & (t < 10.0)
    moved = float(np.trapezoid(np.asarray(current)[on], t[on]))

    figure = Figure(figsize=(8.0, 3.0), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.plot(v, charge / charge[-1], label="charge")
    left.plot(v, opened, label="open probability")
    left.set(xlabel="voltage (mV)", ylabel="fraction", title="Q-V leads Po-V")
    left.legend(frameon=False)
    middle.plot(v, slope, color="C2")
    middle.set(xlabel="voltage (mV)", ylabel="kT d ln Po/dV (e0)", title="Limiting slope")
    right.plot(t, current, color="C3", lw=1)
    right.set(xlabel="time (ms)", ylabel="gating current (e0/ms)", title="Gating current, step to 0 mV")
    for ax in (left, middle, right):
        ax.spines[["top", "right"]].set_visible(False)
    jm.plot.save(figure, folder / "shaker_gating_charge.png")
    return {
        "total_charge": float(gating.total_charge(graph, bath)),
        "limiting_slope": float(slope[0]),
        "charge_moved": moved,
        "charge_difference": float(
            gating.charge_voltage(graph, 0.0, bath) - gating.charge_voltage(graph, -100.0, bath)
        ),
    }


if __name__ == "__main__":
    print(main())
