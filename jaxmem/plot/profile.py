"""What is along a pore: its outline and charge, the potential, the concentrations."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ..electrodiffusion import Pore, Profile
from ..electrodiffusion.mesh import wall_concentration
from .style import COLORS, CYCLE, new_figure, styled

CHARGE = LinearSegmentedColormap.from_list("charge", ["#e9a06f", "#f4f5f7", "#74afd3"])  # negative, none, positive


@styled
def profile(
    found: Profile,
    pore: Pore | None = None,
    *,
    potential_error: Any = None,
    log_error: Any = None,
    reach: float = 1.96,
    title: str = "",
    figure: Figure | None = None,
) -> Figure:
    """The potential [mV] and the concentrations [mM] along a pore, above each other, from the inside to the outside.

    With the pore itself its outline is drawn above, colored by its fixed charge.

    **Arguments**

    - `found`: one steady state, of `electrodiffusion.solve` or `PorePNP.profile`.
    - `potential_error` (nodes,) [mV], `log_error` (species, nodes): standard errors of the potential and of the
      logarithms of the concentrations; shaded to `reach` of them on either side. NaN where they are not known.

    **Raises:** `ValueError` for a profile with another axis.
    """
    x, psi, c = (np.asarray(a, float) for a in (found.x, found.potential, found.concentrations))
    if x.ndim != 1:
        raise ValueError(f"A figure is that of one profile, but the potential has shape {psi.shape}; choose one.")
    outline = pore is not None and pore.shape.round
    figure = new_figure(figure, 5.6 if outline else 4.4)
    axes = figure.subplots(3 if outline else 2, 1, sharex=True, height_ratios=[1.0, 2.0, 2.0][0 if outline else 1 :])
    if outline:
        _outline(axes[0], pore)
    ions, field = axes[-1], axes[-2]
    _band(field, x, psi, potential_error, reach, COLORS["command"])
    field.axhline(0.0, color=COLORS["rule"], linewidth=0.8, zorder=0)
    field.plot(x, psi, color=COLORS["command"])
    field.set_ylabel("potential (mV)")
    for k, species in enumerate(found.species):
        color, shown = CYCLE[k % len(CYCLE)], np.where(c[k] > 0, c[k], np.nan)
        if np.isnan(shown).all():
            continue
        if log_error is not None:
            _band(ions, x, np.log(shown), np.asarray(log_error, float)[k], reach, color, np.exp)
        ions.plot(x, shown, color=color, label=species.name)
    positive = c[c > 0]
    if positive.size:
        ions.set_yscale("log")
        ions.set_ylim(max(positive.min() / 1.6, positive.max() * 1e-6), 1.6 * positive.max())
        decades = np.ptp(np.log10(ions.get_ylim()))
        ions.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2.5 else (1.0,), numticks=8))
        ions.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        ions.yaxis.set_minor_formatter(NullFormatter())
        ions.legend(loc="best", ncols=2)
    ions.set(ylabel="concentration (mM)", xlabel="from the inside (nm)", xlim=(x[0], x[-1]))
    if pore is not None:
        for end in np.asarray(pore.ends)[1:-1]:
            for ax in (field, ions):
                ax.axvline(end, color=COLORS["rule"], linewidth=0.6, zorder=0)
    axes[0].set_title(title)
    figure.align_ylabels(list(axes))
    return figure


def _outline(ax: Axes, pore: Pore) -> None:
    """Both walls, with the solution between them colored by fixed charge and charge of the wall."""
    ends, radius = np.asarray(pore.ends, float), np.asarray(pore.radius, float)
    charge = np.asarray(pore.fixed_charge + wall_concentration(pore), float)
    largest = np.abs(charge).max() or 1.0
    top = 1.25 * radius.max()
    for k, (first, last) in enumerate(radius):
        at, wall = ends[k : k + 2], np.array([first, last])
        shade = CHARGE(0.5 + 0.5 * charge[k] / largest)
        ax.fill_between(at, -wall, wall, color=shade, linewidth=0)
        for side in (-1.0, 1.0):
            ax.fill_between(at, side * wall, side * top, color=COLORS["rule"], linewidth=0)
    ax.set(ylabel="radius (nm)", ylim=(-top, top))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{abs(y):g}"))


def _band(ax, x, y, error, reach, color, back=lambda y: y) -> None:
    if error is None or not (np.nan_to_num(np.asarray(error, float)) > 0).any():
        return
    half = reach * np.asarray(error, float)
    ax.fill_between(x, back(y - half), back(y + half), color=color, alpha=0.18, linewidth=0)
