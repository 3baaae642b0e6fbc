"""Do the starts of a multistart agree?"""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from .style import COLORS, new_axes, styled

FLOOR = 1e-8  # losses closer to the best than this are drawn here


@styled
def agreement(losses: Any, ax: Axes | None = None) -> Axes:
    """How far each start ended above the best, sorted, on a log scale; the shaded band is within 1 % of it.

    **Arguments:** `losses`: the final loss of every start, shape (starts,), positive; not finite for a
    start that failed.
    **Raises:** `ValueError` if no start has a finite loss.
    """
    values = np.asarray(losses, float).ravel()
    good = np.sort(values[np.isfinite(values)])
    if good.size == 0:
        raise ValueError("Argument `losses` must hold at least one finite loss, but no start has one.")
    ax = new_axes(ax)
    best = good[0] if good[0] > 0 else 1.0
    above = np.maximum(good / best - 1.0, FLOOR)
    rank = np.arange(1, good.size + 1)
    within = above <= 0.01
    top = max(1.0, 3.0 * above[-1])
    ax.axhspan(FLOOR / 3.0, 0.01, color=COLORS["shade"], linewidth=0)
    ax.scatter(rank[within], above[within], s=16, color=COLORS["fit"], linewidths=0)
    ax.scatter(rank[~within], above[~within], s=16, color=COLORS["second"], linewidths=0)
    ax.set(yscale="log", ylim=(FLOOR / 3.0, top), xlim=(0.0, values.size + 1.0))
    failed = values.size - good.size
    note = f"{int(within.sum())} of {values.size} within 1 %" + (f", {failed} failed" if failed else "")
    ax.text(0.02, 0.97, note, transform=ax.transAxes, va="top", color=COLORS["quiet"])
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    ax.set(xlabel="start, best first", ylabel="loss above the best (fraction)")
    return ax
