"""A simulated voltage clamp: command, open probability and current."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..simulate import Trace
from .envelope import envelope
from .style import COLORS, new_figure, signal_scale, styled, sweep_colors, time_scale


@styled
def simulation(
    trace: Trace,
    *,
    unit: str = "pA",
    names: Sequence[str] = (),
    title: str = "",
    figure: Figure | None = None,
) -> Figure:
    """The command, the open probability of every gated mechanism and the current, one line for each sweep.

    **Arguments:** `trace`: of `simulate.voltage_clamp`; `unit`: of its current; `names`: of its mechanisms.
    """
    t = np.asarray(trace.t, float)
    current = np.atleast_2d(np.asarray(trace.current, float))
    scale, unit = signal_scale(float(np.abs(current).max()), unit)
    opened = [(k, np.atleast_2d(np.asarray(p, float))) for k, p in enumerate(trace.open_probability) if p is not None]
    opened = [(k, p) for k, p in opened if np.ptp(p) > 0]
    many = len(trace.open_probability) > 1
    rows: list[tuple[str, Any]] = [("V (mV)", np.atleast_2d(np.asarray(trace.v, float)))]
    for k, p in opened:
        name = names[k] if k < len(names) else f"channel {k + 1}"
        rows.append((f"open prob.\n{name}" if many else "open\nprobability", p))
    rows.append((f"current ({unit})", current / scale))
    figure = new_figure(figure, 3.4 + 1.15 * len(opened))
    heights = [1.0, *[1.1] * len(opened), 2.4]
    axes = figure.subplots(len(rows), 1, sharex=True, height_ratios=heights)
    ms, t_unit = time_scale([float(t.max() - t.min())])
    for ax, (label, values) in zip(axes, rows, strict=True):
        colors = sweep_colors(len(current))
        if len(current) == 1 and ax is axes[0]:
            colors = [COLORS["command"]]
        for row, color in zip(np.broadcast_to(values, current.shape), colors, strict=True):
            a, b = envelope(t, row)
            ax.plot(a / ms, b, color=color, linewidth=1.0)
        ax.set_ylabel(label)
    axes[0].set_title(title)
    axes[-1].set_xlabel(f"time ({t_unit})")
    axes[-1].set_xlim(t.min() / ms, t.max() / ms)
    figure.align_ylabels(list(axes))
    return figure
