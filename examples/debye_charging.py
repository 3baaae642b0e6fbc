"""How fast do diffuse layers charge? Two electrodes that no ion can cross, and a salt between them.

A voltage is switched on. The layers of ions at the two electrodes charge like capacitors in series with the solution,
in a time near lambda_D L/D (Debye length, half of the distance, diffusivity): far longer than lambda_D^2/D, far shorter
than L^2/D. At small voltages the slowest rate is known exactly, and the impedance too. At large ones the layers take up
so much salt that the solution is depleted, and charging has a second, slow phase.

The setting is that of Bazant, Thornton & Ajdari, Phys. Rev. E 70, 021506 (2004).
"""

import pathlib

import jax
import numpy as np
from matplotlib.figure import Figure

from jaxmem import electrodiffusion
from jaxmem.electrochemistry import Bath, Cl, K
from jaxmem.electrodiffusion import End, Planar, Pore, Rosenbrock
from jaxmem.plot import COLORS, save
from jaxmem.units import EPSILON0, F, R, thermal_voltage

C, D, T, HALF = 1.0, 2.0, 298.15, 100.0  # mM, nm2/ns, K, nm
BATH = Bath({K: C, Cl: C}, {K: C, Cl: C}, T)
ELECTRODES = (End(passes=()), End(passes=()))
SMALL, LARGE = 0.01, 8.0  # voltages [kT/e]
DEBYE = float(np.sqrt(78.5 * EPSILON0 * R * T / (2.0 * F * F * C))) * 1e9  # nm
TAU = DEBYE * HALF / D  # ns


def cell() -> tuple[Pore, electrodiffusion.Mesh]:
    """A slab of 1 nm2, and a mesh that is fine at both electrodes."""
    pore = Pore(2.0 * HALF, {K: D, Cl: D}, shape=Planar(1.0))
    x = HALF * (1.0 + np.tanh(3.6 * np.linspace(-1.0, 1.0, 301)) / np.tanh(3.6))
    return pore, electrodiffusion.at(x, pore)


def slowest() -> float:
    """The slowest time of small voltages over TAU: 1/s of s = D/lambda^2 tanh(k L)/(k L), k^2 = 1/lambda^2 - s/D."""
    s = 1.0 / TAU
    for _ in range(50):
        k = np.sqrt(1.0 / DEBYE**2 - s / D)
        s = D / DEBYE**2 * np.tanh(k * HALF) / (k * HALF)
    return 1.0 / s / TAU


def closed_form(frequency: np.ndarray) -> np.ndarray:
    """The impedance of 1 nm2 of the cell at no voltage [GOhm], for ions of equal diffusivity."""
    capacitance, s = 78.5 * EPSILON0 * 1e9, 2j * np.pi * frequency  # of 1 nm [aF]; [1/ns]
    k = np.sqrt(1.0 / DEBYE**2 + s / D)
    slope = np.cosh(k * HALF) / k * (1.0 - (k * DEBYE) ** 2)
    drop = 2.0 * (np.sinh(k * HALF) / k**2 - slope * HALF)
    return drop / (s * capacitance * (np.cosh(k * HALF) / k - slope))


def charging(v: float, t: np.ndarray) -> electrodiffusion.Course:
    """The cell after a voltage [kT/e] was switched on, at times [TAU]."""
    pore, mesh = cell()
    unit = float(thermal_voltage(T))
    method = Rosenbrock(rtol=1e-8)
    return electrodiffusion.evolve(pore, v * unit, t * TAU, BATH, mesh=mesh, ends=ELECTRODES, method=method)


def draw(small, large, t, frequency, impedance) -> Figure:
    """Charge over time, salt along the cell, impedance."""
    figure = Figure(figsize=(11.0, 3.6), layout="constrained")
    charge, salt, plane = figure.subplots(1, 3)
    for course, v, color in ((small, SMALL, COLORS["fit"]), (large, LARGE, COLORS["third"])):
        q = np.asarray(course.charge[:, 0])
        charge.semilogx(t[1:], q[1:] / q[-1], color=color, label=f"{v:g} kT/e")
    last = np.asarray(small.charge[-1, 0])
    one = 1.0 - (1.0 - small.charge[0, 0] / last) * np.exp(-t / slowest())
    charge.semilogx(t[1:], one[1:], "k:", lw=1, label="one rate")
    charge.set(xlabel="time [λL/D]", ylabel="charge of the electrode / last", title="Layers charge")
    charge.legend(frameon=False)
    for wanted in (0.3, 1.0, 3.0, 30.0):
        k = int(np.argmin(np.abs(t - wanted)))
        mean = np.asarray(large.concentrations[k].mean(0))
        salt.plot(
            large.x, mean / C, color=COLORS["third"], alpha=0.25 + 0.2 * np.log10(wanted / 0.1), label=f"{t[k]:.2g}"
        )
    salt.set(ylim=(0.0, 2.0), xlabel="x [nm]", ylabel="salt / 1 mM", title=f"{LARGE:g} kT/e take salt up")
    salt.legend(title="time [λL/D]", frameon=False)
    plane.loglog(frequency, impedance.real, color=COLORS["fit"], label="Re Z")
    plane.loglog(frequency, -impedance.imag, color=COLORS["data"], label="−Im Z")
    plane.axvline(1.0 / (2.0 * np.pi * TAU), color="k", lw=0.8, ls=":")
    plane.set(xlabel="frequency [GHz]", ylabel="impedance of 1 nm² [GΩ]", title="Impedance; dotted: 1/(2π λL/D)")
    plane.legend(frameon=False)
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, float]:
    """Compute and draw; return the slowest time [TAU], and what becomes of the salt and of the resistance."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    t = np.concatenate([[0.0], np.geomspace(0.01, 30.0, 60)])
    small, large = charging(SMALL, t), charging(LARGE, t)
    ends = np.searchsorted(t, (3.0, 8.0))
    fall = np.log(np.asarray(small.current[ends, 0]))
    tau = (t[ends[1]] - t[ends[0]]) / (fall[0] - fall[1])
    pore, mesh = cell()
    frequency = np.geomspace(1e-6, 1.0, 61)
    impedance = np.asarray(electrodiffusion.impedance(pore, 0.0, BATH, frequency, mesh=mesh, ends=ELECTRODES))
    save(draw(small, large, t, frequency, impedance), folder / "debye_charging.png")
    q = np.asarray(large.charge[:, 0])
    return {
        "tau": float(tau),
        "tau_exact": slowest(),
        "salt_kept": float(np.max(np.abs(large.amount / large.amount[0] - 1.0))),
        "salt_left_in_the_middle": float(large.concentrations[-1].mean(0)[mesh.nodes // 2] / C),
        "large_charged_by_3_tau": float(q[int(np.argmin(np.abs(t - 3.0)))] / q[-1]),
        "small_charged_by_3_tau": float(small.charge[int(np.argmin(np.abs(t - 3.0))), 0] / small.charge[-1, 0]),
        "impedance_off": float(np.max(np.abs(impedance / closed_form(frequency) - 1.0))),
    }


if __name__ == "__main__":
    for name, value in main().items():
        print(f"{name:34s} {value:.7g}")
