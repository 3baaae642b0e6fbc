"""Why does a charged cone rectify, and how much charge makes it pass three times more current one way than the other?

A track-etched cone, 3 nm wide at one end and 50 nm at the other, with negative charge on its wall, holds more K than
Cl at its tip. Current from the tip to the base fills the pore with salt, current the other way empties it: with the
same KCl on both sides the pore conducts better one way. Without charge there is nothing to fill, and with very
much the whole cone is full of counterions either way, so that rectification is largest in between.

The ratio is a differentiable function of the charge: Newton's method on it designs a pore of a wanted ratio.
"""

import pathlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem.electrochemistry import Bath, Cl, K
from jaxmem.electrodiffusion import Pore, graded
from jaxmem.permeation import PorePNP
from jaxmem.plot import COLORS

T, SALT, FAR = 298.15, 100.0, 1000.0  # K, mM, mV
V = np.linspace(-FAR, FAR, 21)
CHARGES = -np.geomspace(0.003, 1.0, 16)  # e0/nm2
WANTED = 3.0  # |I(V)|/|I(-V)| at 1 V


def cone(charge: float = -0.1) -> PorePNP:
    """A cone of 1 um, its tip inside, on a mesh that stays where it is when the charge changes."""
    pore = Pore(1000.0, {K: 1.957, Cl: 2.032}, radius=[3.0, 50.0], wall_charge=-0.1)
    law = PorePNP(pore, mesh=graded(pore, solution(), 257))
    return with_charge(law, charge)


def solution() -> Bath:
    """The same KCl on both sides."""
    return Bath({K: SALT, Cl: SALT}, {K: SALT, Cl: SALT}, T)


def with_charge(law: PorePNP, charge) -> PorePNP:
    """The cone with another charge of its wall [e0/nm2]."""
    return eqx.tree_at(lambda m: m.pore.wall_charge, law, jnp.reshape(charge, (1,)))


@eqx.filter_jit
def profiles(law: PorePNP, v):
    """What is along the pore at several voltages [mV]."""
    return jax.vmap(lambda v: law.profile(v, solution()))(v)


@eqx.filter_jit
def log_ratios(law: PorePNP, charges):
    """ln |I(V)/I(-V)| at 1 V, and its slope by the charge [nm2/e0], for several charges."""

    def at(charge):
        both = jax.vmap(lambda v: with_charge(law, charge).profile(v, solution()).current)(jnp.array([FAR, -FAR]))
        return jnp.log(jnp.abs(both[0] / both[1]))

    return jax.vmap(jax.value_and_grad(at))(charges)


def designed(law: PorePNP, wanted: float, charge: float = -0.01) -> tuple[float, int]:
    """The charge [e0/nm2] that gives a ratio, by Newton's method, and its steps."""
    change, steps = np.inf, 0
    while abs(change) > 1e-9 and steps < 20:
        value, slope = at(law, charge)
        change, steps = (np.log(wanted) - value) / slope, steps + 1
        charge += change
    return charge, steps


def at(law: PorePNP, charge: float) -> tuple[float, float]:
    """ln |I(V)/I(-V)| and its slope at one charge, by the function that is compiled already."""
    value, slope = log_ratios(law, jnp.full(CHARGES.size, charge))
    return float(value[0]), float(slope[0])


@jm.plot.styled
def draw(found, currents, ratios, charge: float) -> Figure:
    """Current-voltage relation, salt in the pore at both voltages, and the ratio against the charge."""
    figure = Figure(figsize=(9.6, 3.1), layout="constrained")
    iv, salt, design = figure.subplots(1, 3)
    jm.plot.current_voltage(V, currents, iv, color=COLORS["fit"])
    iv.set(title="It passes current one way", xlabel="V, tip minus base (mV)")
    for side, color, name in ((-1, "fit", "+1 V: filled"), (0, "second", "−1 V: emptied")):
        salt.plot(found.x[side], np.sum(found.concentrations[side], 0), color=COLORS[color], label=name)
    salt.axhline(2.0 * SALT, color=COLORS["quiet"], linestyle="--", linewidth=1.0)
    salt.set(xscale="log", xlim=(1.0, 1000.0), xlabel="from the tip (nm)", ylabel="K + Cl (mM)", ylim=(0, None))
    salt.set_title("because its salt changes")
    salt.legend()
    design.axhline(WANTED, color=COLORS["quiet"], linestyle="--", linewidth=1.0)
    design.plot(-CHARGES, ratios, color=COLORS["fit"])
    design.plot(-charge, WANTED, "o", color=COLORS["second"], label=f"wanted: {-charge:.4f} e/nm²")
    design.set(xscale="log", xlabel="negative charge of the wall (e/nm²)", ylabel="|I(1 V)| / |I(−1 V)|")
    design.set_title("A charge for a wanted ratio")
    design.legend(loc="lower right")
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, object]:
    """Compute, design and draw; return currents [pA] at +-1 V, ratios, and the designed charge [e0/nm2]."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    law = cone()
    found = jax.tree.map(np.asarray, profiles(law, jnp.asarray(V)))
    currents = np.asarray(jax.vmap(lambda p: p.current)(found))
    logs, slopes = (np.asarray(x) for x in log_ratios(law, jnp.asarray(CHARGES)))
    charge, steps = designed(law, WANTED)
    jm.plot.save(draw(found, currents, np.exp(logs), charge), folder / "conical_nanopore.png")
    return {
        "current": {"-1 V": float(currents[0]), "1 V": float(currents[-1])},
        "rectification": float(-currents[0] / currents[-1]),
        "charges": CHARGES,
        "ratios": np.exp(logs),
        "slopes": slopes,
        "designed": charge,
        "reached": float(np.exp(at(law, charge)[0])),
        "steps": steps,
    }


if __name__ == "__main__":
    print(main())
