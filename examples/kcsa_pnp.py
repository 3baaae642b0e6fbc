"""How much current passes a potassium channel if ions are concentrations in the mean field of its charge?

The one-dimensional model of KcsA by Gardner, Nonner and Eisenberg (2004): four segments, the first with four elementary
charges, then one of low permittivity, and two more charged ones, between baths whose radius falls in stairs to that of
the channel. It is what solvers of Poisson-Nernst-Planck equations are compared on.

Radius, mobility, charge and permittivity jump between segments. Each segment has a uniform mesh of its own, and the
currents of two meshes, one twice as fine, are extrapolated (the error falls with the square of the spacing). Where the
four charges are K reaches 26 M, more than fits: ions are points here.
"""

import pathlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem.electrochemistry import Bath, Cl, K
from jaxmem.electrodiffusion import Pore, at, solve
from jaxmem.electrodiffusion.mesh import PER_NM3
from jaxmem.plot.style import COLORS, CYCLE

V = np.array([20.0, 40.0, 60.0, 80.0, 100.0])  # mV
SALT = 150.0  # mM
T = 25.0 / float(jm.units.thermal_voltage(1.0))  # K, so that RT/F = 25 mV
STAIRS, STAIR, OUTER = 20, 0.25, 5.5  # of each bath: number, length [nm], largest radius [nm]
LENGTHS, RADIUS = np.array([0.2, 1.1, 1.0, 1.2]), 0.5  # of the channel [nm]
CHARGES = np.array([-4.0, 0.0, -0.5, -1.5])  # e0 in each segment
PERMITTIVITIES, WATER = [80.0, 4.0, 30.0, 30.0], 80.0
DIFFUSION, BULK = [0.4, 0.4, 0.4, 0.5], 1.5  # nm2/ns, of either ion
CELLS = (4, (32, 64, 32, 32))  # of every stair, and of every segment of the channel


def kcsa() -> Pore:
    """The channel between its baths."""
    between = lambda bath, inner: np.concatenate([np.full(STAIRS, bath), inner, np.full(STAIRS, bath)])
    radii = OUTER - STAIR * np.arange(STAIRS)
    mobilities = between(BULK, DIFFUSION)
    return Pore(
        between(STAIR, LENGTHS),
        {K: mobilities, Cl: mobilities},
        radius=np.concatenate([radii, np.full(LENGTHS.size, RADIUS), radii[::-1]]),
        fixed_charge=between(0.0, CHARGES / (np.pi * RADIUS**2 * LENGTHS) * PER_NM3),
        permittivity=between(WATER, PERMITTIVITIES),
    )


def mesh(pore: Pore, finer: int):
    """Equal edges within every segment, `finer` times as many as CELLS says."""
    stair, channel = CELLS
    counts = finer * np.array([stair] * STAIRS + list(channel) + [stair] * STAIRS)
    ends = np.asarray(pore.ends)
    inner = [np.linspace(a, b, n + 1)[1:] for a, b, n in zip(ends[:-1], ends[1:], counts, strict=True)]
    return at(np.concatenate([ends[:1], *inner]), pore)


@eqx.filter_jit
def along(pore: Pore, mesh, v):
    """What is along the pore at every voltage."""
    bath = Bath({K: SALT, Cl: SALT}, {K: SALT, Cl: SALT}, T)
    return jax.vmap(lambda v: solve(pore, v, bath, mesh=mesh))(v)


@jm.plot.styled
def draw(pore: Pore, found, currents: np.ndarray) -> Figure:
    """The channel's potential and concentrations at 100 mV, and its current-voltage relation."""
    last = jax.tree.map(lambda leaf: leaf[-1], found)
    start = STAIRS * STAIR
    figure = Figure(figsize=(9.6, 3.2), layout="constrained")
    field, ions, iv = figure.subplots(1, 3)
    x = last.x - start
    field.plot(x, last.potential, color=COLORS["command"])
    field.set(ylabel="potential (mV)", title="Charge pulls the potential down", ylim=(None, 115))
    for k, species in enumerate(last.species):
        ions.plot(x, 1e-3 * last.concentrations[k], color=CYCLE[k], label=species.name)
    ions.set(yscale="log", ylabel="concentration (M)", ylim=(1e-4, 100), title="gathers K, keeps Cl out")
    ions.legend(loc="upper right")
    for ax in (field, ions):
        for end in np.concatenate([[0.0], np.cumsum(LENGTHS)]):
            ax.axvline(end, color=COLORS["rule"], linewidth=0.6, zorder=0)
        ax.set(xlabel="from the filter's mouth (nm)", xlim=(-2.0, 5.5))
    jm.plot.current_voltage(np.r_[0.0, V], np.r_[0.0, currents], iv, color=COLORS["fit"])
    iv.set(title="and lets 0.2 pA/mV through")
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, np.ndarray]:
    """Solve on both meshes and draw; return currents [pA] at V, of both ions, and the spread of fluxes."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pore = kcsa()
    coarse, fine = (jax.tree.map(np.asarray, along(pore, mesh(pore, finer), jnp.asarray(V))) for finer in (1, 2))
    by_ion = lambda found: np.asarray(jax.vmap(lambda p: p.currents)(found))
    ions = (4.0 * by_ion(fine) - by_ion(coarse)) / 3.0
    currents = ions.sum(-1)
    jm.plot.save(draw(pore, fine, currents), folder / "kcsa_pnp.png")
    return {"current": currents, "K": ions[:, 0], "Cl": ions[:, 1], "fine": by_ion(fine).sum(-1), "spread": fine.spread}


if __name__ == "__main__":
    print(main())
