"""Which fixed charges give a pore a wanted reversal potential?

A pore of ten segments lies between 100 mM KCl inside and 10 mM outside. Without charge K and Cl leave alike and the
current reverses near 0 mV; a wall of fixed negative charge keeps Cl out and drives the reversal potential towards the
Nernst potential of K, -59 mV. Here the charge of every segment is free, and gradient descent (Adam, optax) on the
reversal potential itself, with a price on charge, finds where charge does most; at the end all charges are scaled a
little to make it -40 mV. At such a least charge every charge is in proportion to the slope of the reversal potential by
it: most belongs in the middle, because at the ends the solutions screen it.

The reversal potential is the root of the current of Poisson-Nernst-Planck equations. Both have the derivative of the
implicit function, so that a gradient by all ten charges costs little more than the root.
"""

import pathlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem.electrochemistry import Bath, Cl, K
from jaxmem.electrodiffusion import Pore, uniform
from jaxmem.permeation import PorePNP, reversal_potential, selectivity
from jaxmem.plot import COLORS

T, SEGMENTS, TARGET = 298.15, 10, -40.0  # K, mV
STEPS, RATE, PRICE = 150, 40.0, 3.0  # of Adam; mM; mV2 for (100 mM)2 of mean squared charge


def pore() -> PorePNP:
    """A tube of 5 nm whose segments may have charges of their own."""
    empty = Pore(np.full(SEGMENTS, 0.5), {K: 1.957, Cl: 2.032}, radius=0.7, fixed_charge=np.zeros(SEGMENTS))
    return PorePNP(empty, mesh=uniform(empty, 6 * SEGMENTS))


def solutions() -> Bath:
    """KCl, ten times more inside."""
    return Bath({K: 100.0, Cl: 100.0}, {K: 10.0, Cl: 10.0}, T)


def charged(law: PorePNP, charge) -> PorePNP:
    """The pore with other charges [mM]."""
    return eqx.tree_at(lambda m: m.pore.fixed_charge, law, charge)


@eqx.filter_jit
@eqx.filter_grad
def _slopes(law: PorePNP):
    return reversal_potential(law, solutions(), lower=-100.0, upper=100.0)


def by_charge(law: PorePNP):
    """The slope of the reversal potential by every charge [mV/mM]."""
    return _slopes(law).pore.fixed_charge


@eqx.filter_jit
def descend(law: PorePNP, charge):
    """Charges [mM] after every step, and the reversal potential [mV] before it."""
    optimizer = optax.adam(optax.cosine_decay_schedule(RATE, STEPS, 0.02))

    def loss(charge):
        reversal = reversal_potential(charged(law, charge), solutions(), lower=-100.0, upper=100.0)
        return (reversal - TARGET) ** 2 + PRICE * jnp.mean((charge / 100.0) ** 2), reversal

    def step(carry, _):
        charge, state = carry
        slope, reversal = jax.grad(loss, has_aux=True)(charge)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes floats and counters
            update, state = optimizer.update(slope, state)
        charge = charge + update
        return (charge, state), (charge, reversal)

    (_, _), course = jax.lax.scan(step, (charge, optimizer.init(charge)), length=STEPS)
    return course


def scaled(law: PorePNP, charge):
    """The charges times a factor with which the target is met, by the secant method."""
    at = lambda s: reversal_potential(charged(law, s * charge), solutions(), lower=-100.0, upper=100.0)
    miss = lambda s: float(at(s)) - TARGET
    (a, before), (b, now) = ((s, miss(s)) for s in (1.0, 1.05))
    for _ in range(8):
        if abs(now) < 1e-9:
            break
        a, before, b = b, now, b - now * (b - a) / (now - before)
        now = miss(b)
    return b * charge


@jm.plot.styled
def draw(course, reversals, charge, ends) -> Figure:
    """The way of the reversal potential to its target, and the charges that make it."""
    figure = Figure(figsize=(7.6, 3.1), layout="constrained")
    way, charges = figure.subplots(1, 2)
    way.axhline(TARGET, color=COLORS["quiet"], linestyle="--", linewidth=1.0)
    way.text(0.98 * STEPS, TARGET - 0.5, "target", color=COLORS["quiet"], ha="right", va="top")
    way.plot(np.arange(len(reversals)), reversals, color=COLORS["fit"])
    way.set(xlabel="step", ylabel="reversal potential (mV)", xlim=(0, STEPS), title="Charge makes it selective")
    charges.stairs(course[4], ends, baseline=None, color=COLORS["data"], label="after 5 steps")
    charges.stairs(charge, ends, baseline=None, color=COLORS["fit"], linewidth=1.6, label="at the end")
    charges.set(xlabel="from the inside (nm)", ylabel="fixed charge (mM)", xlim=(ends[0], ends[-1]))
    charges.set(title="most of it in the middle", ylim=(None, 0))
    charges.legend()
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, object]:
    """Design and draw; return the charges [mM], their alignment, reversal potentials [mV], and P_Cl/P_K."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    law = pore()
    course, reversals = (np.asarray(x) for x in descend(law, law.pore.fixed_charge))
    charge = np.asarray(scaled(law, jnp.asarray(course[-1])))
    found = charged(law, jnp.asarray(charge))
    slope = np.asarray(by_charge(found))
    jm.plot.save(draw(course, reversals, charge, np.asarray(law.pore.ends)), folder / "design_selectivity.png")
    return {
        "before": float(reversals[0]),
        "after": float(reversal_potential(found, solutions(), lower=-100.0, upper=100.0)),
        "charges": charge,
        "alignment": float(charge @ slope / np.linalg.norm(charge) / np.linalg.norm(slope)),
        "P_Cl/P_K": float(selectivity(found, solutions(), Cl, K, lower=-100.0, upper=100.0)),
    }


if __name__ == "__main__":
    print(main())
