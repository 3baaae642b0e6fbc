"""How far does calcium reach from an open channel? As far as the buffer lets it.

A calcium channel of 0.1 pA opens into cytosol with 150 mM of salt and 1 mM of a buffer as fast as BAPTA. Within a
microsecond there is a nanodomain: tens of micromolar at 10 nm, a thousandth of that a few space constants sqrt(D/(k
B)) = 23 nm farther out. What is solved is Poisson-Nernst-Planck in spherical coordinates, with the ions of the salt,
the channel as an inflow at the innermost node, and the reaction of calcium with the buffer as a source. Neher's
formula for a buffer in excess, (i/(4 pi F D r)) exp(-r/lambda), is what it comes to.
"""

import math
import pathlib
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

from jaxmem import electrodiffusion as ed
from jaxmem.electrochemistry import Bath, Ca, Cl, K, Species
from jaxmem.plot.style import CYCLE
from jaxmem.units import PORE_CURRENT

BUFFER, BOUND = Species("buffer", 0), Species("bound", 2)
CURRENT = 0.1  # pA into the half space on one side of the membrane
D_CA, ON, OFF, TOTAL = 0.22, 4e-4, 8e-8, 1.0  # nm2/ns, 1/(mM ns), 1/ns, mM
NEAREST, FARTHEST = 1.0, 500.0  # nm
TIMES = np.array([100.0, 1e3, 1e4, 1e5])  # ns
PROBES = (10.0, 20.0, 50.0)  # nm


class Binding(eqx.Module):
    """Calcium and free buffer turn into bound buffer, and back: a source of each ion at each node [mM nm3/ns]."""

    volume: Any

    def __call__(self, c, psi, t):
        """See the class."""
        rate = self.volume * (ON * c[0] * c[3] - OFF * c[4])
        nothing = jnp.zeros_like(rate)
        return jnp.stack([-rate, nothing, nothing, -rate, rate])


def nanodomain(current: Any, buffer: Any) -> tuple[Any, Any]:
    """Distances [nm] and calcium [mM] at `TIMES` around a channel of a current [pA] in some buffer [mM]."""
    mobile = {Ca: D_CA, K: 1.957, Cl: 2.032, BUFFER: 0.1, BOUND: 0.1}
    space = ed.Pore(FARTHEST - NEAREST, mobile, shape=ed.Spherical(NEAREST))
    mesh = ed.at(np.geomspace(NEAREST, FARTHEST, 81), space)
    rest = {Ca: 0.0, K: 150.0, Cl: 150.0, BUFFER: buffer, BOUND: 0.0}
    bath = Bath(rest, rest, 310.0)
    # A channel of the half space is one of twice the current in the whole.
    flow = 2.0 * current / (2.0 * PORE_CURRENT) / (4.0 * math.pi * NEAREST**2)
    ends = ed.End(passes=(), contact=ed.Charged(0.0), inflow={Ca: flow}), ed.End()
    volume = ed.discretize(space, mesh, 0.0, bath, ends).capacity[0]
    start = jnp.broadcast_to(bath.inside.c[:, None], (5, mesh.nodes))
    method, source = ed.Rosenbrock(rtol=1e-5), Binding(volume)
    course = ed.evolve(space, 0.0, TIMES, bath, mesh=mesh, ends=ends, source=source, start=start, method=method)
    return course.x, course.concentrations[:, 0]


def excess(r: Any, buffer: float) -> Any:
    """Calcium [mM] at a distance [nm] in so much buffer that none is used up (Neher 1986)."""
    reach = math.sqrt(D_CA / (ON * buffer))
    return 2.0 * CURRENT / (2.0 * PORE_CURRENT) / (4.0 * math.pi * D_CA * r) * np.exp(-r / reach)


def figure(r: Any, found: dict[float, Any]) -> Figure:
    """Calcium against the distance, at several times and with two amounts of buffer."""
    page = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = page.subplots(1, 2, sharey=True)
    for ax, (buffer, calcium) in zip(axes, found.items(), strict=True):
        for color, t, c in zip(CYCLE, TIMES, calcium, strict=False):
            ax.loglog(r, 1e3 * c, color=color, label=f"{t / 1e3:g} us")
        ax.loglog(r, 1e3 * excess(r, buffer), "k:", label="buffer in excess")
        ax.set(xlabel="distance [nm]", title=f"{buffer:g} mM buffer", xlim=(2.0, 300.0), ylim=(1e-2, 1e3))
    axes[0].set_ylabel("calcium [uM]")
    axes[1].legend(frameon=False, fontsize=8)
    return page


def main(folder: str | pathlib.Path = ".") -> dict[str, Any]:
    """Run, save the figure, and give calcium [uM] at the probes, by buffer, with Neher's formula."""
    jax.config.update("jax_enable_x64", True)
    found, at, early = {}, {}, {}
    for buffer in (1.0, 5.0):
        r, calcium = (np.asarray(a) for a in nanodomain(CURRENT, buffer))
        found[buffer] = calcium
        at[buffer] = 1e3 * np.interp(PROBES, r, calcium[-1])
        early[buffer] = 1e3 * np.interp(PROBES, r, calcium[1])
    figure(r, found).savefig(pathlib.Path(folder) / "calcium_nanodomain.png", dpi=150)
    formula = {buffer: 1e3 * excess(np.asarray(PROBES), buffer) for buffer in found}
    for buffer, values in at.items():
        print(f"{buffer:g} mM: {np.round(values, 3)} uM at {PROBES} nm; in excess {np.round(formula[buffer], 3)}")
    return {"calcium": at, "excess": formula, "microsecond": early}


if __name__ == "__main__":
    main()
