"""What does the sodium pump do with its ATP? Its turnover, its stall, and where the free energy goes.

A Post-Albers cycle of four groups of states (Pan et al. 2019) moves 3 Na out and 2 K in for one ATP. One charge leaves
per turn, so negative voltages slow it down, and far below any that a cell has it stalls, where ATP just pays for the
gradients: the more Na is inside, and the more ATP is left, the farther. The staircase says where the free energy of a
turn is given up: steps that are level are in equilibrium, high ones limit the turnover.

The first numbers are those of the paper: turnover from -120 to 60 mV, without K, ADP and phosphate inside.
"""

import dataclasses
import pathlib
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem.electrochemistry import ADP, ATP, Bath, H, K, Na, Pi, hydrolysis_energy
from jaxmem.plot import COLORS
from jaxmem.transport import catalogue, post_albers, stalling_potential

T = 310.0 * (8.314 / 96485.0) / (jm.units.R / jm.units.F)  # K: the paper's RT/F, with its rounded constants
V = np.arange(-120.0, 61.0, 20.0)  # mV
SODIUM = (5.0, 10.0, 20.0)  # mM inside
REST = -80.0  # mV


def published() -> Bath:
    """Where the paper compares the model with Nakao and Gadsby's currents."""
    inside = {Na: 50.0, K: 0.0, ATP: 10.0, ADP: 0.0, Pi: 0.0, H: 3.9811e-5}
    return Bath(inside, {Na: 150.0, K: 5.4}, T)


def cell(sodium: float = 10.0, atp: float = 6.95, adp: float = 0.035, phosphate: float = 0.3971) -> Bath:
    """A heart cell, with what it has of Na, ATP, ADP and phosphate inside [mM]."""
    inside = {Na: sodium, K: 140.0, ATP: atp, ADP: adp, Pi: phosphate, H: 8.1128e-5}
    return Bath(inside, {Na: 140.0, K: 5.4}, T)


def exhausted() -> Bath:
    """The same without oxygen: ATP has become ADP and phosphate."""
    return cell(atp=0.5, adp=5.0, phosphate=20.0)


@eqx.filter_jit
def turns(pump: post_albers.PostAlbers, v, bath: Bath):
    """Turns per second at v [mV]."""
    return 1e3 * pump.turns(v, bath)


def stall(pump: post_albers.PostAlbers, bath: Bath) -> float:
    """Where it stalls [mV] by its stoichiometry and the free energy of ATP alone."""
    energy = hydrolysis_energy(*(bath[s][0] for s in (ATP, ADP, Pi)), pump.apparent(bath))
    return float(stalling_potential(catalogue.NA_K_ATPASE, bath, energy=energy))


@jm.plot.styled
def draw(pump: post_albers.PostAlbers) -> Figure:
    """Turnover against V and against Na, and the staircase at two voltages."""
    figure = Figure(figsize=(8.4, 6.0), layout="constrained")
    top, bottom = figure.subfigures(2, 1)
    (left, right), stairs = top.subplots(1, 2), bottom.subplots()

    wide = np.linspace(-450.0, 60.0, 128)
    for bath, label, color in (
        (cell(20.0), "20 mM Na inside", "second"),
        (cell(), "10 mM", "fit"),
        (cell(5.0), "5 mM", "third"),
        (exhausted(), "10 mM, ATP spent", "data"),
    ):
        jm.plot.turnover_voltage(
            pump, wide, bath, left, reading=turns, unit="1/s", name="turnover", label=label, color=COLORS[color]
        )
    left.set(title="It slows at negative voltages, and stalls", ylim=(-11, 32))

    sodium = np.linspace(0.5, 60.0, 80)
    for v, color in ((0.0, "second"), (REST, "fit")):
        each = np.asarray(jax.vmap(lambda c, v=v: turns(pump, v, cell(c)))(jnp.asarray(sodium)))
        right.plot(sodium, each, color=COLORS[color])
        right.text(sodium[-1], each[-1] + 1.2, f"{v:g} mV".replace("-", "\u2212"), color=COLORS[color], ha="right")
    right.axvline(10.0, color=COLORS["rule"], linewidth=0.8)
    right.set(xlim=(0, 60), ylim=(0, None), xlabel="Na inside (mM)", ylabel="turnover (1/s)")
    right.set_title("It answers to Na inside")

    for v, color in ((0.0, "second"), (REST, "fit")):
        name = f"{v:g} mV".replace("-", "\u2212")
        jm.plot.staircase(pump, v, cell(), stairs, label=name, color=COLORS[color])
    jm.plot.staircase(pump, stall(pump, cell()), cell(), stairs, label="at the stall", color=COLORS["data"])
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, Any]:
    """Compute and draw; return the paper's turnover [1/s] at V, and stalls [mV] by kinetics and by stoichiometry."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pump = post_albers.pan_2019()
    baths = {**{f"{c:g} mM Na": cell(c) for c in SODIUM}, "ATP spent": exhausted()}
    affinity = eqx.filter_jit(lambda bath: jm.kinetics.affinity(pump, 0.0, bath)[0])
    books = dataclasses.replace(pump, hydrolysis=pump.apparent(cell()))
    (audit,) = jm.kinetics.audit(books, REST, cell())
    jm.plot.save(draw(pump), folder / "sodium_pump.png")
    step = float(jm.units.thermal_voltage(T))
    return {
        "published": np.asarray(turns(pump, jnp.asarray(V), published())),
        "rest": {name: float(turns(pump, REST, bath)) for name, bath in baths.items()},
        "stall": {name: -step * float(affinity(bath)) for name, bath in baths.items()},
        "stall_by_stoichiometry": {name: stall(pump, bath) for name, bath in baths.items()},
        "open_by_kT": audit.residual,
        "drops": np.asarray(jm.plot.free_energy_drops(pump, REST, cell())),
    }


if __name__ == "__main__":
    print(main())
