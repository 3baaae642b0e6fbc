"""The bifurcation picture: steady states against a parameter."""

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ..simulate import Branch, Kind, SpecialPoint
from .style import COLORS, new_axes, styled

MARKS = {Kind.FOLD: ("o", "second"), Kind.HOPF: ("D", "third"), Kind.CROSSING: ("s", "fourth")}


@styled
def branch(
    branch: Branch,
    ax: Axes | None = None,
    *,
    observe: Callable[[Any], Any] | None = None,
    name: str = "parameter",
    label: str = "V (mV)",
    color: str = COLORS["fit"],
) -> Axes:
    """Steady states against a parameter: stable ones solid, unstable ones dashed.

    Folds and Hopf points are marked, and written beside with the parameter and the period of the oscillation born.

    **Arguments:** `observe`: what is drawn, of states whose leaves have a leading axis of points (`lambda s: s.k_i`),
    by default the potential [mV]; `name`, `label`: of the axes, with units; `color`: of the lines.
    """
    ax = new_axes(ax, 3.4, 5.0)
    y = branch.v if observe is None else np.asarray(observe(branch.state), float)
    # A piece between two points is stable if one of them is: a special point ends it, and is itself neither.
    stable = branch.stable[:-1] | branch.stable[1:]
    turns = np.flatnonzero(stable[1:] != stable[:-1]) + 1
    for first, last in zip([0, *turns], [*turns, stable.size], strict=True):
        piece = slice(first, last + 1)
        solid = bool(stable[first])
        style: Any = "-" if solid else (0, (4, 2.5))
        ax.plot(branch.parameter[piece], y[piece], color=color, linestyle=style, linewidth=1.6 if solid else 1.0)
    ax.plot([], [], color=color, linewidth=1.6, label="stable")
    ax.plot([], [], color=color, linestyle=(0, (4, 2.5)), linewidth=1.0, label="unstable")
    # Their values stand beside the picture in the order of the branch: in it they would lie on its lines.
    for point in branch.special:
        mark, shade = MARKS[point.kind]
        ax.plot(
            point.parameter, y[point.index], marker=mark, color=COLORS[shade], markersize=5.0, markerfacecolor="white",
            linestyle="none", label=_text(point), zorder=3,
        )  # fmt: skip
    ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    ax.margins(0.06)
    ax.set(xlabel=name, ylabel=label)
    return ax


def _text(point: SpecialPoint) -> str:
    if point.kind is not Kind.HOPF:
        return f"{point.kind.value} at {point.parameter:.5g}"
    unit, scale = ("s", 1e3) if point.period >= 1000.0 else ("ms", 1.0)
    return f"Hopf at {point.parameter:.5g}, {point.period / scale:.3g} {unit}"
