"""How does a potassium channel prefer K and yet pass it fast? Four measurements of one pore of three sites.

Conductance saturates with concentration, but slowly, as second and third ions enter. In mixtures of K and Na the
reversal potential tells the permeability ratio. Tracers tell that ions move together: influx and efflux differ by more
than the driving force of one ion (flux-ratio exponent n' above one). And the edges of the state graph tell why: the
more ions the pore holds, the more of the flux is ions that leave while others sit behind them (knock-on).
"""

import pathlib
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

import jaxmem as jm
from jaxmem.electrochemistry import Bath, K, Na
from jaxmem.permeation import (
    BarrierPore,
    conductance,
    flux_ratio_exponent,
    knock_on,
    permeability_ratio,
    reversal_potential,
)
from jaxmem.plot import COLORS

T, V = 293.15, np.linspace(-120.0, 100.0, 89)  # K, mV
TABLE = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0)  # mM, whose numbers are returned
CONCENTRATIONS = np.union1d(TABLE, np.geomspace(1.0, 3000.0, 36))
PUSHED = 20.0  # mV, where fluxes are counted
PHYSIOLOGICAL = "5 K + 145 Na | 140 K + 10 Na"


def symmetric(c) -> Bath:
    """The same concentration [mM] of K on both sides, no Na."""
    return Bath({K: c, Na: 0.0}, {K: c, Na: 0.0}, T)


def mixtures() -> dict[str, Bath]:
    """Solutions as outside | inside, in mM."""
    return {
        "100 K | 100 K": symmetric(100.0),
        PHYSIOLOGICAL: Bath({K: 140.0, Na: 10.0}, {K: 5.0, Na: 145.0}, T),
        "100 Na | 100 K": Bath({K: 100.0, Na: 0.0}, {K: 0.0, Na: 100.0}, T),
    }


@eqx.filter_jit
def against_concentration(pore: BarrierPore, c):
    """Conductance [nS] at 0 mV, flux-ratio exponent of K, and the shares of its net flux by the ions left behind."""

    def at(c):
        flux = knock_on(pore, PUSHED, symmetric(c))[pore.species.index(K), 0]  # over the barrier to outside
        exponent = flux_ratio_exponent(pore, K, PUSHED, symmetric(c))
        return conductance(pore, 0.0, symmetric(c)), exponent, flux / jnp.sum(flux)

    return jax.vmap(at)(jnp.asarray(c))


@eqx.filter_jit
def currents(pore: BarrierPore, bath: Bath):
    """Current [pA] at every V."""
    return jax.vmap(lambda v: pore.exchange(v, bath).current)(jnp.asarray(V))


@jm.plot.styled
def draw(pore: BarrierPore, against_c, reversals: dict[str, float], ratio: float) -> Figure:
    """Conductance, currents in mixtures, coupling of the ions, and who leaves before whom."""
    figure = Figure(figsize=(7.6, 5.8), layout="constrained")
    (g, iv), (n, k) = figure.subplots(2, 2)
    slope, exponent, share = against_c
    for ax in (g, n, k):
        ax.set(xscale="log", xlim=(CONCENTRATIONS[0], CONCENTRATIONS[-1]), xlabel="K on both sides (mM)")
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))

    g.plot(CONCENTRATIONS, 1e3 * slope)
    g.plot(CONCENTRATIONS, 1e3 * slope[0] * CONCENTRATIONS, "--", color=COLORS["quiet"], linewidth=1.0)
    g.text(28.0, 250.0, "in proportion", color=COLORS["quiet"], ha="right")
    g.set(yscale="log", ylim=(4, 600), ylabel="conductance (pS)", title="It saturates late")
    g.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))

    iv.axhline(0.0, color=COLORS["rule"], linewidth=0.8)
    for (name, bath), color in zip(mixtures().items(), ("data", "fit", "second"), strict=True):
        iv.plot(V, currents(pore, bath), color=COLORS[color], label=name)
        iv.plot(reversals[name], 0.0, "o", color=COLORS[color], markersize=4.5)
    iv.set(xlabel="V (mV)", ylabel="current (pA)", ylim=(-18, 26), title=f"It prefers K: P(Na)/P(K) = {ratio:.3f}")
    iv.legend(loc="upper left", title="outside | inside (mM)", alignment="left")

    n.axhline(1.0, color=COLORS["quiet"], linestyle="--", linewidth=1.0)
    n.text(2500.0, 1.03, "independent ions", color=COLORS["quiet"], ha="right")
    n.plot(CONCENTRATIONS, exponent)
    n.set(ylabel="flux-ratio exponent n'", ylim=(0.9, 2.3), title="Ions cross together")

    for others, color in enumerate(("data", "fit", "second")):
        label = ("none", "one", "two")[others]
        k.plot(CONCENTRATIONS, 100 * share[:, others], color=COLORS[color], label=label)
    k.set(ylabel="of the K that leaves (%)", ylim=(0, 138), yticks=range(0, 101, 20), title="One knocks the next on")
    k.legend(loc="upper center", ncols=3, title="other ions in the pore meanwhile")
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, Any]:
    """Compute and draw the four; return reversals [mV], the permeability ratio, and the curves at TABLE (nS)."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pore = jm.library.k_channel_three_site.model().permeation
    reversals = {name: float(reversal_potential(pore, bath)) for name, bath in mixtures().items()}
    ratio = float(permeability_ratio(reversals[PHYSIOLOGICAL], mixtures()[PHYSIOLOGICAL], Na, K))
    against_c = [np.asarray(x) for x in against_concentration(pore, CONCENTRATIONS)]
    jm.plot.save(draw(pore, against_c, reversals, ratio), folder / "k_channel_selectivity.png")
    slope, exponent, share = (x[np.isin(CONCENTRATIONS, TABLE)] for x in against_c)
    return {"reversals": reversals, "P_Na/P_K": ratio, "conductance": slope, "exponent": exponent, "left_behind": share}


if __name__ == "__main__":
    print(main())
