"""Which way does the Na/Ca exchanger run during an action potential? It turns round, and again.

It brings 3 Na in for each Ca that it takes out, so it stands still at E_NCX = 3 E_Na - 2 E_Ca. At rest that is above
the membrane potential, and Ca leaves. The upstroke goes beyond it: the exchanger lets Ca in. But then Ca below the
membrane rises, E_NCX climbs above the plateau, and for the rest of the beat Ca leaves, faster than at rest. If Ca
stayed as it was, the exchanger would run backward until the cell repolarizes.

The law is that of Shannon, Weber and Bers; the action potential and the Ca transient are ours, made of a few lines and
exponentials.
"""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure

import jaxmem as jm
from jaxmem.electrochemistry import Bath, Ca, Na
from jaxmem.plot import COLORS
from jaxmem.transport import catalogue, exchangers, stalling_potential
from jaxmem.transport.published import Published, per_current

T, PF = 310.0, 150.0  # K; capacitance of the cell [pF], as the law is per uF
START, END = 50.0, 500.0  # ms
TIMES = np.arange(0.0, END + 0.125, 0.25)
REST, PEAK = 1e-4, 2.5e-3  # mM Ca below the membrane


def action_potential() -> jm.protocols.Protocol:
    """Upstroke, notch, plateau and repolarization, linear between its points [ms, mV]."""
    t = [0.0, START, START + 2, START + 12, START + 60, START + 150, START + 230, START + 290, END]
    v = [-85.0, -85.0, 45.0, 20.0, 16.0, -4.0, -30.0, -85.0, -85.0]
    return jm.protocols.sampled(t, v)


def calcium(t):
    """Ca inside [mM]: up with 12 ms after the upstroke, down again with 110 ms."""
    after = jnp.maximum(t - START - 4.0, 0.0)
    shape = -jnp.expm1(-after / 12.0) * jnp.exp(-after / 110.0)
    return REST + (PEAK - REST) * shape / (110 / 122 * (12 / 122) ** (12 / 110))  # over its largest value


def cell(ca=REST) -> Bath:
    """A ventricular cell with Ca inside [mM]."""
    return Bath({Na: 10.0, Ca: ca}, {Na: 140.0, Ca: 1.8}, T)


def exchanger() -> Published:
    """The exchanger of the whole cell. Its law is positive where 3 Na leave for each Ca that enters."""
    leaving = jm.transport.Stoichiometry("NCX, reverse", {Na: -3, Ca: 1})
    return Published(exchangers.shannon_weber_bers, leaving, per_current(leaving, PF))


def beat(v, ca) -> dict[str, np.ndarray]:
    """Current [pA], Ca out [amol/ms] and E_NCX [mV] along v [mV] and Ca inside [mM]."""
    law = jm.channel.SteadyState(exchanger())

    @jax.jit
    @jax.vmap
    def along(v, ca):
        exchange = law.exchange(v, cell(ca))
        out = exchange.outside[cell().species.index(Ca)]
        return exchange.current, 1e3 * out, stalling_potential(catalogue.NCX, cell(ca))

    return dict(zip(("current", "out", "reversal"), map(np.asarray, along(v, ca)), strict=True))


def turning_points(v: np.ndarray, reversal: np.ndarray) -> np.ndarray:
    """Times [ms] at which V crosses E_NCX, linear between samples."""
    apart = v - reversal
    k = np.flatnonzero(np.sign(apart[:-1]) * np.sign(apart[1:]) < 0)
    return TIMES[k] + (TIMES[k + 1] - TIMES[k]) * apart[k] / (apart[k] - apart[k + 1])


@jm.plot.styled
def draw(v: np.ndarray, ca: np.ndarray, real: dict, held: dict) -> Figure:
    """Voltage against E_NCX, Ca, and the current, with the time that Ca enters shaded."""
    figure = Figure(figsize=(6.4, 6.6), layout="constrained")
    volts, concentration, amperes = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1.4, 3))
    volts.plot(TIMES, v, color=COLORS["command"], label="V")
    volts.plot(TIMES, real["reversal"], color=COLORS["fit"], label="$E_{NCX}$")
    volts.plot(TIMES, held["reversal"], "--", color=COLORS["data"], label="$E_{NCX}$, if Ca stayed")
    volts.set(ylabel="V (mV)", title="V crosses the reversal potential")
    volts.legend(loc="upper right")

    concentration.plot(TIMES, 1e3 * ca, color=COLORS["third"])
    concentration.set(ylabel="Ca (\u00b5M)", ylim=(0, None))

    amperes.axhline(0.0, color=COLORS["rule"], linewidth=0.8)
    amperes.plot(TIMES, held["current"], "--", color=COLORS["data"], label="if Ca stayed")
    amperes.plot(TIMES, real["current"], color=COLORS["fit"])
    amperes.text(
        0.99, 0.94, "outward: 3 Na leave, 1 Ca enters", transform=amperes.transAxes, ha="right", color=COLORS["quiet"]
    )
    amperes.text(0.99, 0.03, "inward: Ca leaves", transform=amperes.transAxes, ha="right", color=COLORS["quiet"])
    amperes.set(xlabel="time (ms)", ylabel="current (pA)", xlim=(0, END), title="It turns round, and again")
    amperes.legend(loc="upper right", bbox_to_anchor=(1.0, 0.88))
    for ax in (volts, concentration, amperes):
        ax.fill_between(
            TIMES, 0, 1, where=real["out"] < 0, transform=ax.get_xaxis_transform(), color=COLORS["shade"], zorder=0
        )
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, float | np.ndarray]:
    """Compute and draw; return when it turns round [ms], E_NCX and current at rest, and Ca moved in the beat [amol]."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    t = jnp.asarray(TIMES)
    v, ca = action_potential()(t), calcium(t)
    real, held = beat(v, ca), beat(v, jnp.full_like(t, REST))
    jm.plot.save(draw(np.asarray(v), np.asarray(ca), real, held), folder / "exchanger_reversal.png")
    e_na, e_ca = (float(jm.electrochemistry.nernst(*cell()[s], s.z, T)) for s in (Na, Ca))
    return {
        "turns_round": turning_points(np.asarray(v), real["reversal"]),
        "turns_round_if_Ca_stayed": turning_points(np.asarray(v), held["reversal"]),
        "E_NCX": float(real["reversal"][0]),
        "3 E_Na - 2 E_Ca": 3.0 * e_na - 2.0 * e_ca,
        "current_at_rest": float(real["current"][0]),
        "largest_inward": float(real["current"].min()),
        "signs_agree": bool(np.all(np.sign(real["current"]) == np.sign(np.asarray(v) - real["reversal"]))),
        "Ca_in": float(-np.trapezoid(np.minimum(real["out"], 0.0), TIMES)),
        "Ca_out": float(np.trapezoid(np.maximum(real["out"], 0.0), TIMES)),
    }


if __name__ == "__main__":
    print(main())
