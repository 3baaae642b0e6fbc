"""What does a channel feel of the ions that it has let out itself?

A patch of potassium channels faces a cleft 20 nm wide that opens to the bath 1 um away, as between a nerve terminal
and its target, or in a T tubule. When the channels open, potassium cannot leave the cleft as fast as it comes: it
rises within a millisecond, the reversal potential falls, and so does the current. Poisson-Nernst-Planck in the
cytosol and in the cleft, with the channels' own `exchange` as the source on both sides of the membrane: what crosses
is taken from one node and appears at the next, and the channels see the concentrations and the potential that are
there.

The same channels in a voltage clamp, whose baths stay as they are, carry more.
"""

import pathlib
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem import electrodiffusion as ed
from jaxmem.electrochemistry import Bath, Cl, K, Na
from jaxmem.plot.style import CYCLE
from jaxmem.space import across

BATH = Bath({K: 140.0, Na: 10.0, Cl: 150.0}, {K: 4.0, Na: 146.0, Cl: 150.0}, 310.0)
CLEFT = 1000.0  # nm to the bath
AREA = 20.0 * 200.0  # nm2: the cross-section of the cleft, 20 nm wide
TIMES = np.geomspace(10.0, 3e6, 60)  # ns
VOLT = 20.0  # mV


def channels(number: Any) -> Any:
    """Open potassium channels of 20 pS in these solutions, nearly perfectly selective."""
    return jm.channel.Channel(jm.gating.AlwaysOpen(), jm.permeation.GHK([1e-7, 1e-9], (K, Na)), number)


def cleft() -> tuple[ed.Pore, ed.Mesh]:
    """50 nm of cytosol, a membrane, and the cleft."""
    none = [1.0, 0.0, 1.0]
    line = ed.Pore(
        [50.0, 4.0, CLEFT],
        {K: 1.957, Na: 1.334, Cl: 2.032},
        permittivity=[78.5, 2.0, 78.5],
        partition={K: none, Na: none, Cl: none},
        shape=ed.Planar(AREA),
    )
    return line, ed.graded(line, BATH, cells=[20, 1, 30])


def run(number: Any) -> Any:
    """The cleft in time when so many channels open at once, at a clamped potential between cytosol and bath."""
    line, mesh = cleft()
    source = across(line, mesh, channels(number), 1, VOLT, BATH)
    course = ed.evolve(line, VOLT, TIMES, BATH, mesh=mesh, source=source, method=ed.Rosenbrock(rtol=1e-5))
    through = jax.vmap(source.current)(course.concentrations, course.potential)
    return course, through, source.left + 1


def figure(courses: dict[float, Any]) -> Figure:
    """Potassium at the membrane and the current through the channels, in time; potassium along the cleft at the end."""
    page = Figure(figsize=(9.6, 3.2), layout="constrained")
    first, second, third = page.subplots(1, 3)
    for color, (number, (course, through, node)) in zip(CYCLE, courses.items(), strict=False):
        first.semilogx(TIMES / 1e3, course.concentrations[:, 0, node], color=color, label=f"{number:g} open")
        second.semilogx(TIMES / 1e3, through / number, color=color)
        x = course.x[node:] - course.x[node]
        third.plot(x, course.concentrations[-1, 0, node:], color=color)
    first.set(xlabel="time [us]", ylabel="potassium at the membrane [mM]")
    first.legend(frameon=False, fontsize=8)
    second.set(xlabel="time [us]", ylabel="current of a channel [pA]", ylim=(0.0, None))
    third.set(xlabel="distance in the cleft [nm]", ylabel="potassium at the end [mM]")
    return page


def main(folder: str | pathlib.Path = ".") -> dict[str, Any]:
    """Run for three numbers of channels, save the figure, and give what the channels met."""
    jax.config.update("jax_enable_x64", True)
    courses = {number: run(number) for number in (1.0, 3.0, 10.0)}
    figure(courses).savefig(pathlib.Path(folder) / "potassium_in_narrow_cleft.png", dpi=150)
    one = eqx.filter_jit(lambda: jm.permeation.current(channels(1.0).permeation, jnp.asarray(VOLT), BATH))
    clamped = float(one())
    end = {number: float(course.concentrations[-1, 0, node]) for number, (course, _, node) in courses.items()}
    share = {number: float(through[-1]) / number / clamped for number, (_, through, _) in courses.items()}
    ends = {number: np.asarray(course.current[-1]) for number, (course, _, _) in courses.items()}
    for number in courses:
        print(f"{number:g} channels: {end[number]:.2f} mM at the membrane, {share[number]:.3f} of the clamped current")
    return {"clamped": clamped, "potassium": end, "share": share, "current": ends}


if __name__ == "__main__":
    main()
