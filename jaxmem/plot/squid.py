"""The squid axon's potassium conductance: the table of 1952, a fit to it and the published laws."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..recordings import Recording
from .style import COLORS, new_axes, new_figure, styled, sweep_colors


@styled
def squid_conductance(
    recording: Recording, prediction: Any, ax: Axes | None = None, *, labels: Sequence[str] = ()
) -> Axes:
    """The conductance curves of the table as points, and the fit as lines, one for each depolarization.

    **Arguments:** `recording`: conductances, one sweep for each curve; `prediction`: the fit, same shape
    and unit; `labels`: the curves' letters.
    """
    ax = new_axes(ax, 3.6, 3.6)
    prediction = np.where(recording.mask, np.atleast_2d(np.asarray(prediction, float)), np.nan)
    t = recording.t
    every = max(1, t.size // 24)
    for k, color in enumerate(sweep_colors(recording.sweeps)):
        points = np.where(recording.mask[k], recording.current[k], np.nan)
        ax.plot(
            t[::every],
            points[::every],
            "o",
            markersize=2.6,
            color=COLORS["data"],
            label="Table 1" if k == 0 else None,
        )
        ax.plot(t, prediction[k], color=color, linewidth=1.1, label="fit" if k == 0 else None)
        if k < len(labels):
            ax.annotate(
                labels[k],
                (t[-1], prediction[k, -1]),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
                color=color,
                annotation_clip=False,
            )
    ax.set(xlabel="time (ms)", ylabel=f"conductance ({recording.unit})", xlim=(t[0], t[-1]))
    ax.legend(loc="upper left")
    return ax


@styled
def squid_rates(
    v: Any,
    table: Mapping[str, Any],
    fitted: Mapping[str, Any],
    published: Mapping[str, Any],
    ax: Axes | None = None,
    *,
    v_table: Any = None,
    xlabel: str = "V (mV)",
) -> Axes:
    """Opening and closing rates against voltage: the table's points, the fitted and the published laws.

    **Arguments:** `v`: voltages of the laws [mV]; `fitted`, `published`: name -> rates [1/ms] at `v`;
    `table`: name -> the table's rates [1/ms] at `v_table` (default: at `v`).
    """
    ax = new_axes(ax, 3.6, 3.6)
    points = v if v_table is None else v_table
    for k, name in enumerate(table):
        color = (COLORS["fit"], COLORS["second"])[k % 2]
        ax.plot(
            points,
            table[name],
            "o",
            markersize=4,
            color=color,
            markerfacecolor="white",
            label=f"{name}, Table 1",
        )
        ax.plot(v, fitted[name], color=color, label=f"{name}, fitted")
        ax.plot(v, published[name], color=color, linestyle=(0, (4, 3)), linewidth=1.0, label=f"{name}, published")
    ax.set(xlabel=xlabel, ylabel="rate (1/ms)")
    ax.set_ylim(bottom=0.0)
    ax.legend(loc="upper left")
    return ax


@styled
def squid(
    recording: Recording,
    prediction: Any,
    v: Any,
    table: Mapping[str, Any],
    fitted: Mapping[str, Any],
    published: Mapping[str, Any],
    *,
    v_table: Any,
    labels: Sequence[str] = (),
    xlabel: str = "V (mV)",
    figure: Figure | None = None,
) -> Figure:
    """The conductance curves beside the rates, with the arguments of `squid_conductance` and
    `squid_rates`."""
    figure = new_figure(figure, 3.7)
    left, right = figure.subplots(1, 2)
    squid_conductance(recording, prediction, left, labels=labels)
    squid_rates(v, table, fitted, published, right, v_table=v_table, xlabel=xlabel)
    return figure
