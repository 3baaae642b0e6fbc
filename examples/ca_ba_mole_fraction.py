"""Why do mixtures of Ca and Ba pass a calcium channel worse than either alone, and does a binding polynomial say so?

The channel holds two ions in single file. In pure Ca a second Ca repels the first, which then leaves. In pure Ba every
ion leaves soon. With a little Ca among Ba it mostly holds one Ca alone: that one is bound tightly, another Ca seldom
comes to help, and a Ba that enters behind it is back outside before it has pushed the Ca on. This is the anomalous
mole-fraction effect (Almers & McCleskey 1984), here of the full barrier model with nothing inside.

Beside it stand two binding polynomials of the occupancies Ca, Ba, 2 Ca, Ca + Ba, 2 Ba. One with constants fitted to the
same curves describes them. One with the pore's own association constants does not: it holds if ions bind and leave many
times before one passes on, as they do in the same pore with a high inner barrier, and there it is exact.
"""

import pathlib

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

import jaxmem as jm
from jaxmem.electrochemistry import Ba, Bath, Ca, Na
from jaxmem.permeation import BarrierPore, BindingPolynomial, mixture, mole_fraction_minimum
from jaxmem.plot import COLORS

V, T, TOTALS = -20.0, 293.15, (1.0, 10.0, 100.0)  # mV, K, mM
FRACTIONS = np.geomspace(1e-4, 1.0, 49)  # of Ca
OCCUPANCIES = ({Ca: 1}, {Ba: 1}, {Ca: 2}, {Ca: 1, Ba: 1}, {Ba: 2})
HIGH = 30.0  # kT, by which an inner barrier is high


def outside(fraction, total) -> Bath:
    """A mixture outside, nothing inside."""
    return mixture(Bath({s: 0.0 for s in (Ca, Ba, Na)}, {s: 0.0 for s in (Ca, Ba, Na)}, T), (Ca, Ba), fraction, total)


@eqx.filter_jit
def currents(law, v=V):
    """Current [pA] of every mixture, shape (totals, fractions)."""
    at = lambda total, x: law.exchange(jnp.asarray(v), outside(x, total)).current
    return jax.vmap(jax.vmap(at, (None, 0)), (0, None))(jnp.asarray(TOTALS), jnp.asarray(FRACTIONS))


@eqx.filter_jit
def occupancies(pore: BarrierPore, fraction, total: float = 10.0):
    """Probability of each of OCCUPANCIES, and how often [1/ms] it passes an ion on to the inside."""
    file, bath = pore.file, outside(fraction, total)
    wanted = np.array([[held.get(s, 0) for s in pore.species] for held in OCCUPANCIES])
    alike = (file.occupied.sum(-1) == wanted[:, None]).all(-1).astype(float)  # (occupancies, states)
    p, inward = pore.flux(V, bath).occupancy, pore.rates(jnp.asarray(V), bath)[1]
    last, leaving = file.barrier == file.sites, file.end[file.barrier == file.sites]
    passed = jnp.zeros_like(p).at[leaving].add(p[leaving] * inward[last])
    return alike @ p, (alike @ passed) / (alike @ p)


def with_equilibrium(pore: BarrierPore) -> tuple[BarrierPore, BindingPolynomial]:
    """The pore with a high inner barrier, and the binding polynomial of its association constants.

    The rates are those of the pore as it is, so it is what that would pass if it were in equilibrium with the outside.
    """
    slow = eqx.tree_at(lambda p: p.barriers, pore, pore.barriers.at[:, -1].add(HIGH))
    p, rate = occupancies(slow, 0.5)
    ions = np.array([sum(held.values()) for held in OCCUPANCIES])
    weight = p / (1.0 - jnp.sum(p))  # over the empty pore, at 5 mM of each ion
    return slow, BindingPolynomial(OCCUPANCIES, weight / 5.0**ions, rate * np.exp(HIGH))


def fit(pore: BarrierPore, start: BindingPolynomial) -> jm.fit.Fit:
    """The binding polynomial whose currents are nearest to the pore's, each to the same relative error."""
    x, total = np.tile(FRACTIONS[::3], len(TOTALS)), np.repeat(TOTALS, FRACTIONS[::3].size)
    value = np.asarray(currents(pore))[:, ::3].ravel()
    bath = Bath({Ca: 0.0, Ba: 0.0}, {Ca: x * total, Ba: (1.0 - x) * total}, T)
    data = jm.fit.Steady(jm.recordings.Measurement(V, bath, value, 0.01 * np.abs(value), name="barrier model"))
    near = lambda x: jm.fit.log_between(1e-3 * float(x), 1e3 * float(x), value=float(x))
    each = range(len(OCCUPANCIES))
    free = jm.fit.free(
        *((lambda m, k=k: m.constant[k], near(start.constant[k])) for k in each),
        *((lambda m, k=k: m.rate[k], near(start.rate[k])) for k in each),
    )
    return jm.fit.least_squares(data, start, free, key=jax.random.key(0), starts=1)


@jm.plot.styled
def draw(pore: BarrierPore, fitted: BindingPolynomial, own: BindingPolynomial, lowest: float) -> Figure:
    """The dip, and the occupancies that make it."""
    figure = Figure(figsize=(7.6, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    plain = FuncFormatter(lambda x, _: f"{x:g}")
    for ax in (left, right):
        ax.axvline(100 * lowest, ymax=0.7, color=COLORS["rule"], linewidth=0.8)
        ax.set(xscale="log", xlim=(100 * FRACTIONS[0], 100), xlabel="Ca (% of Ca + Ba)")
        ax.xaxis.set_major_formatter(plain)

    colors = [COLORS[name] for name in ("third", "fit", "second")]
    for law, style, label in (
        (pore, {"linewidth": 3.2, "alpha": 0.4}, "barrier model"),
        (fitted, {"linewidth": 1.2, "linestyle": (0, (4, 2))}, "binding polynomial, fitted"),
        (own, {"linewidth": 1.2, "linestyle": (0, (1, 1.6))}, "with the pore's own constants"),
    ):
        for total, curve, color in zip(TOTALS, -np.asarray(currents(law)), colors, strict=True):
            left.plot(100 * FRACTIONS, curve, color=color, **style)
            if law is pore:
                left.text(130 * FRACTIONS[0], 1.08 * curve[0], f"{total:g} mM", color=color)
        left.plot([], [], color=COLORS["text"], label=label, **style)
    left.set(yscale="log", ylim=(0.012, 4.5), ylabel="inward current (pA)", title="Mixtures pass less")
    left.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    left.yaxis.set_major_formatter(plain)
    left.yaxis.set_minor_formatter(NullFormatter())
    left.legend(loc="upper right")

    p = np.asarray(jax.vmap(lambda x: occupancies(pore, x)[0])(jnp.asarray(FRACTIONS)))
    rate = occupancies(pore, lowest)[1]
    held = (
        ("fit", "Ca alone"),
        ("second", "Ba alone"),
        ("third", "Ca + Ca"),
        ("fourth", "Ca + Ba"),
        ("data", "Ba + Ba"),
    )
    for k, (color, name) in enumerate(held):
        label, width = f"{name}: {float(rate[k]):.0f}", 2.6 if k == 0 else 1.4
        right.plot(100 * FRACTIONS, p[:, k], color=COLORS[color], linewidth=width, label=label)
    right.text(90 * lowest, 0.4, "trapped", color=COLORS["fit"], ha="right")
    right.fill_between(100 * FRACTIONS, p[:, 0], color=COLORS["fit"], alpha=0.12, linewidth=0)
    right.set(ylim=(0, 1.42), yticks=np.linspace(0, 1, 6), ylabel="probability", title="The trap: one Ca alone")
    right.legend(loc="upper center", ncols=2, title="ions held in 10 mM: passed on, per ms", columnspacing=1.2)
    return figure


def main(folder: str | pathlib.Path = "figures") -> dict[str, float]:
    """Compute and draw both; return where the currents are smallest, how small, and how far the polynomials are off."""
    jax.config.update("jax_enable_x64", True)
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    pore = jm.library.ca_channel_two_site.model().permeation
    slow, own = with_equilibrium(pore)
    found = fit(pore, own)
    print(found)

    least = {total: mole_fraction_minimum(pore, V, outside(0.5, total), (Ca, Ba), total) for total in (10.0, 100.0)}
    lowest = float(least[10.0].fraction)
    p, rate = occupancies(pore, lowest)
    jm.plot.save(draw(pore, found.model, own, lowest), folder / "ca_ba_mole_fraction.png")
    apart = lambda law, other: float(jnp.max(jnp.abs(currents(law) / other - 1.0)))
    return {
        "fraction_10": lowest,
        "over_Ca_10": float(least[10.0].over_first),
        "over_Ba_10": float(least[10.0].over_second),
        "fraction_100": float(least[100.0].fraction),
        "over_Ca_100": float(least[100.0].over_first),
        "over_Ba_100": float(least[100.0].over_second),
        "Ca_alone": float(p[0]),
        "Ca_alone_passes": float(rate[0]),
        "Ca_Ca_passes": float(rate[2]),
        "fitted_off": apart(found.model, currents(pore)),
        "fitted_off_at_-60_mV": apart(found.model, currents(pore, -60.0)),
        "own_off": apart(own, currents(pore)),
        "own_off_with_high_barrier": apart(own, np.exp(HIGH) * currents(slow)),
    }


if __name__ == "__main__":
    print(main())
