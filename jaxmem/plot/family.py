"""A family of sweeps, one panel each, so that every fit can be seen."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..recordings import Recording
from .envelope import envelope
from .style import COLORS, WIDTH, signal_label, styled, sweep_colors
from .traces import command, like, scales, signal, span, sweep_labels

#: The largest number of sweeps that get a panel each.
MOST = 12


@styled
def family(recording: Recording, prediction: Any, *, title: str = "", figure: Figure | None = None) -> Figure:
    """The command of all sweeps above; below, a panel for each sweep: data, prediction and residuals.

    All panels have the same axes, so sizes can be compared.

    **Arguments:** `prediction`: shape (sweeps, samples), in the recording's unit.
    **Raises:** `ValueError` if the shapes differ.
    """
    fitted, count = like(recording, prediction), recording.sweeps
    columns = count if count <= 3 else 2 if count == 4 else 3 if count <= 9 else 4
    rows = math.ceil(count / columns)
    height = 2.0 + (2.6 if rows == 1 else 2.0) * rows
    figure = Figure(figsize=(WIDTH, height)) if figure is None else figure
    figure.set_layout_engine("none")
    cut = 1.0 - 1.45 / height  # between the command and the panels
    frame = {"left": 0.115, "right": 0.985}
    top = command(
        recording, figure.add_subplot(figure.add_gridspec(1, 1, top=1 - 0.3 / height, bottom=cut, **frame)[0])
    )
    top.set_title(title)
    top.set_xlabel("")
    grid = figure.add_gridspec(
        rows, columns, top=cut - 0.5 / height, bottom=0.5 / height, hspace=0.28, wspace=0.08, **frame
    )
    ms, t_unit, scale, unit = scales(recording)
    data = np.where(recording.mask, recording.current, np.nan)
    shown = np.where(span(recording.mask), fitted, np.nan)
    label = (
        signal_label(signal(recording), unit) if rows == 1 else unit if unit not in ("", "1") else "relative"
    )
    labels, colors = sweep_labels(recording), sweep_colors(count)
    large: list[Axes] = []
    small: list[Axes] = []
    for k in range(count):
        cell = grid[k // columns, k % columns].subgridspec(2, 1, height_ratios=[2.6, 1.0], hspace=0.12)
        ax = figure.add_subplot(cell[0], sharex=top, sharey=large[0] if large else None)
        left = figure.add_subplot(cell[1], sharex=top, sharey=small[0] if small else None)
        _draw(ax, recording.t / ms, data[k] / scale, COLORS["data"], 1.4, "data")
        _draw(ax, recording.t / ms, shown[k] / scale, colors[k], 1.1, "model")
        left.axhline(0.0, color=COLORS["rule"], linewidth=0.8)
        _draw(left, recording.t / ms, (data[k] - fitted[k]) / scale, colors[k], 0.6, None)
        ax.set_title(labels[k], fontsize=8.5, color=colors[k], pad=3.0)
        first, last = k % columns == 0, k + columns >= count
        ax.tick_params(labelbottom=False, labelleft=first)
        left.tick_params(labelbottom=last, labelleft=first)
        ax.set_ylabel(label if first else "")
        left.set_ylabel("resid." if first else "")
        left.set_xlabel(f"time ({t_unit})" if last else "")
        left.yaxis.set_major_locator(MaxNLocator(2))
        large.append(ax)
        small.append(left)
    large[0].legend(loc="best", handlelength=1.2, fontsize=7.5)
    _limits(large[0], np.concatenate([data[recording.mask], fitted[recording.mask]]) / scale)
    top.xaxis.set_major_locator(MaxNLocator(10 if columns == 1 else 5))
    top.set_xlim(recording.t[0] / ms, recording.t[-1] / ms)
    figure.align_ylabels([top, *large[::columns], *small[::columns]])
    return figure


def _draw(ax: Axes, t: np.ndarray, y: np.ndarray, color: str, width: float, label: str | None) -> None:
    ax.plot(*envelope(t, y, bins=600), color=color, linewidth=width, label=label)


def _limits(ax: Axes, used: np.ndarray) -> None:
    used = used[np.isfinite(used)]
    if used.size:
        pad = 0.06 * float(used.max() - used.min()) or 1.0
        ax.set_ylim(float(used.min()) - pad, float(used.max()) + pad)
