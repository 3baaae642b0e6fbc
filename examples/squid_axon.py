"""What makes an axon fire? The squid axon of 1952 under current: spikes, gates, threshold, and how fast it can go.

A shock opens sodium channels (m), which open more of themselves; then they inactivate (h), potassium channels open (n),
and the potential falls below rest. A weak current makes one such spike, a stronger one a train, and how often the axon
fires jumps from zero to 65 per second, because its rest state loses its stability at a Hopf point. The stronger the
current, the lower are the spikes, until at a second Hopf point the last oscillation ends, at the frequency that the
eigenvalues there say.

The Hopf points are found by following the rest state along the current, the rates by running the axon at 61 currents at
once.
"""

import pathlib
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import simulate
from jaxmem.plot import COLORS
from jaxmem.protocols import step

CURRENTS = np.linspace(0.0, 180.0, 61)  # uA/cm2
DURATION, LATE = 300.0, 200.0  # ms
T = np.linspace(0.0, 100.0, 1001)  # ms
SHORT = T <= 20.0
GATES = (("m", "second"), ("h", "third"), ("n", "fit"))
CURRENT = "current (\u00b5A/cm$^2$)"
DOTS = {"marker": "o", "markersize": 2.5, "linestyle": "none"}


def axon() -> jm.cell.Cell:
    """The axon at 6.3 C."""
    return jm.library.squid_axon.model()


@eqx.filter_jit
def rates(currents: Any, rest: Any) -> tuple[Any, Any]:
    """Cycles per second at each current and the peak [mV], once the axon has settled.

    **Arguments:** `rest`: the rest states [mV], which every cycle passes upward once.
    """

    def one(current, rest):
        record = (simulate.SpikeTimes(threshold=rest, most=64), simulate.Peak(after=LATE))
        trace = simulate.current_clamp(axon(), step(current, DURATION), [DURATION], record=record, throw=False)
        times, peak = trace.records
        late = jnp.isfinite(times) & (times > LATE)
        number = jnp.sum(late.astype(times.dtype))
        span = jnp.max(jnp.where(late, times, -jnp.inf)) - jnp.min(jnp.where(late, times, jnp.inf))
        goes_on = (peak > rest + 1.0) & (number > 1.0)
        return jnp.where(goes_on, 1e3 * (number - 1.0) / jnp.where(goes_on, span, 1.0), 0.0), peak

    return jax.vmap(one)(currents, rest)


def run(current: float, shock: float = 0.0) -> np.ndarray:
    """The potential [mV] at the times T, under a current, after a shock that sets it up by some mV."""
    cell = axon()
    start = cell.init()
    start = start._replace(v=(start.v[0] + shock,))
    command = step(current, T[-1])
    return np.asarray(simulate.current_clamp(cell, command, T, init=start).v)


def gates(v: np.ndarray, t: np.ndarray) -> dict[str, np.ndarray]:
    """The gates that follow from a potential [mV], as under a clamp that repeats it."""
    mechanisms = axon().membranes[0].mechanisms
    clamp = simulate.voltage_clamp(mechanisms, jm.protocols.sampled(t, v).held_at(-65.0), t, bath=279.45)
    sodium, potassium = np.asarray(clamp.state[0]), np.asarray(clamp.state[1])
    return {"m": sodium[:, 0], "h": sodium[:, 1], "n": potassium[:, 0]}


@jm.plot.styled
def draw(spike: Any, branch: Any, firing: np.ndarray, peaks: np.ndarray) -> Figure:
    """A spike with its gates, a train, rest states and peaks against the current, and the rate of firing."""
    figure = Figure(figsize=(8.4, 6.0), layout="constrained")
    (top, train), (picture, speed) = figure.subplots(2, 2)
    top.plot(T[SHORT], spike, color=COLORS["data"])
    top.set(xlabel="time (ms)", ylabel="V (mV)", title="A spike, and the gates that make it")
    top.set_xticks(range(0, 21, 5))
    other = top.twinx()
    shares = gates(spike, T[SHORT])
    other.spines.right.set_visible(True)
    for name, color in GATES:
        other.plot(T[SHORT], shares[name], color=COLORS[color], linewidth=1.0, label=name)
    other.set(ylabel="gate", ylim=(0, 1.05))
    other.legend(loc="upper right")
    for current, color in ((5.0, "data"), (10.0, "fit")):
        train.plot(T, run(current), color=COLORS[color], label=f"{current:g} \u00b5A/cm$^2$")
    train.set(xlabel="time (ms)", ylabel="V (mV)", title="Below and above threshold")
    train.set_ylim(-85, 75)
    train.legend(loc="upper right", ncols=2)
    going = firing > 0.0
    picture.plot(CURRENTS[going], peaks[going], color=COLORS["second"], **DOTS, label="peak of the cycle")
    jm.plot.branch(branch, picture, name=CURRENT)
    picture.legend(loc="upper right", fontsize=8)
    picture.set(ylim=(-75, 75), title="Where rest is stable, and how high spikes are")
    speed.plot(CURRENTS[~going], firing[~going], color=COLORS["data"], **DOTS, label="at rest")
    speed.plot(CURRENTS[going], firing[going], color=COLORS["second"], **DOTS, label="firing")
    born = [(point.parameter, 1e3 / point.period) for point in branch.hopf]
    hopf = {"color": COLORS["third"], "marker": "D", "markerfacecolor": "white", "markersize": 5.0}
    speed.plot(*zip(*born, strict=True), linestyle="none", label="by the eigenvalues", **hopf)
    speed.legend(loc="lower center")
    speed.set(xlabel=CURRENT, ylabel="cycles per second", ylim=(-6, 190), title="How fast it fires")
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, Any]:
    """Compute and draw; return a spike's height, Hopf points [uA/cm2] and periods [ms], rates [1/s] and peaks [mV]."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    spike, branch = run(0.0, 10.0)[SHORT], simulate.follow(axon(), simulate.Injected(), (0.0, 180.0))
    rest = np.interp(CURRENTS, branch.parameter, branch.v)
    firing, peaks = (np.asarray(x) for x in rates(jnp.asarray(CURRENTS), jnp.asarray(rest)))
    jm.plot.save(draw(spike, branch, firing, peaks), folder / "squid_axon.png")
    first, second = branch.hopf
    return {
        "height": float(spike.max() - spike.min()),
        "hopf": (first.parameter, second.parameter),
        "periods": (first.period, second.period),
        "firing": firing,
        "peaks": peaks,
    }


if __name__ == "__main__":
    print(main())
