"""Recorded and fitted traces over the command that drove them."""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..recordings import Recording
from .envelope import envelope
from .style import (
    COLORS,
    new_axes,
    new_figure,
    signal_label,
    signal_name,
    signal_scale,
    styled,
    sweep_colors,
    time_scale,
)


def scales(recording: Recording) -> tuple[float, str, float, str]:
    """What to divide times [ms] and the signal by, each with the name of its unit."""
    used = recording.current[recording.mask]
    largest = float(np.abs(used).max()) if used.size else 0.0
    return (*time_scale([recording.t[-1] - recording.t[0]]), *signal_scale(largest, recording.unit))


def driven(recording: Recording) -> tuple[str, str]:
    """What the command of a recording is, and its unit: current where the signal is a voltage (a current clamp)."""
    return ("I", "pA") if recording.unit == "mV" else ("V", "mV")


def signal(recording: Recording) -> str:
    """What the signal of a recording is called on an axis."""
    return "V" if recording.unit == "mV" else signal_name(recording.unit)


@styled
def command(recording: Recording, ax: Axes | None = None) -> Axes:
    """The command of every sweep against time: a potential [mV], or a current [pA] where the signal is a potential."""
    ax = new_axes(ax, 1.6, 7.2)
    ms, unit, _, _ = scales(recording)
    colors = [COLORS["command"]] if recording.sweeps == 1 else sweep_colors(recording.sweeps)
    rows = np.unique(recording.command_v, axis=0)
    for k, color in enumerate(colors if len(rows) > 1 else [COLORS["command"]]):
        t, v = envelope(recording.t, recording.command_v[k])
        ax.step(t / ms, v, where="post", color=color, linewidth=1.0)
    symbol, command_unit = driven(recording)
    ax.set(xlabel=f"time ({unit})", ylabel=f"{symbol} ({command_unit})")
    return ax


@styled
def traces(recording: Recording, prediction: Any = None, ax: Axes | None = None) -> Axes:
    """The used samples of every sweep, in gray, and the prediction over them.

    **Arguments:** `prediction`: shape (sweeps, samples), in the recording's unit, or None.
    """
    ax = new_axes(ax, 3.2, 7.2)
    ms, t_unit, scale, unit = scales(recording)
    data = np.where(recording.mask, recording.current, np.nan)
    alone = prediction is None
    for k, color in enumerate(sweep_colors(recording.sweeps)):
        t, y = envelope(recording.t, data[k])
        label = "data" if k == 0 and not alone else None
        ax.plot(
            t / ms,
            y / scale,
            color=color if alone else COLORS["data"],
            linewidth=0.8 if alone else 1.4,
            label=label,
        )
    if not alone:
        fitted = np.where(span(recording.mask), like(recording, prediction), np.nan)
        for k, color in enumerate(sweep_colors(recording.sweeps)):
            t, y = envelope(recording.t, fitted[k])
            ax.plot(
                t / ms,
                y / scale,
                color=color,
                linewidth=1.1,
                label="model" if k == recording.sweeps // 2 else None,
            )
        _view(ax, recording, fitted, scale)
        ax.legend(loc="best", ncols=2)
    ax.set(xlabel=f"time ({t_unit})", ylabel=signal_label(signal(recording), unit))
    return ax


@styled
def residuals(recording: Recording, prediction: Any, ax: Axes | None = None) -> Axes:
    """Data minus prediction of every sweep, used samples only."""
    ax = new_axes(ax, 1.8, 7.2)
    ms, t_unit, _, _ = scales(recording)
    left = np.where(recording.mask, recording.current - like(recording, prediction), np.nan)
    largest = float(np.nanmax(np.abs(left))) if recording.mask.any() else 0.0
    scale, unit = signal_scale(largest, recording.unit)
    ax.axhline(0.0, color=COLORS["rule"], linewidth=0.8)
    for k, color in enumerate(sweep_colors(recording.sweeps)):
        t, y = envelope(recording.t, left[k])
        ax.plot(t / ms, y / scale, color=color, linewidth=0.6)
    ax.set(xlabel=f"time ({t_unit})", ylabel=signal_label("residual", unit))
    return ax


@styled
def overlay(recording: Recording, prediction: Any, *, title: str = "", figure: Figure | None = None) -> Figure:
    """Command above, data and prediction of all sweeps overlaid, residuals below, over one time axis.

    `family` gives each sweep a panel of its own.

    **Arguments:** `prediction`: shape (sweeps, samples), in the recording's unit.
    """
    figure = new_figure(figure, 5.0)
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[1.0, 2.6, 1.1])
    command(recording, top)
    traces(recording, prediction, middle)
    residuals(recording, prediction, bottom)
    for ax in (top, middle):
        ax.set_xlabel("")
        ax.tick_params(labelbottom=False)
    top.set_title(title)
    _legend(top, recording)
    span = recording.t[-1] - recording.t[0]
    scale, _ = time_scale([span])
    bottom.set_xlim(recording.t[0] / scale, recording.t[-1] / scale)
    figure.align_ylabels([top, middle, bottom])
    return figure


def sweep_labels(recording: Recording) -> list[str]:
    """What to call each sweep: the voltage that sets it apart, "-40 mV", or else its number, "sweep 1".

    The voltage is that where the most sweeps differ, in the middle (the median) of the time when they do.
    """
    v = np.round(recording.command_v, 1)
    differ = (np.diff(np.sort(v, axis=0), axis=0) > 0.0).sum(0)
    if recording.sweeps > 1 and differ.max() == recording.sweeps - 1:
        middle = np.median(v[:, differ == differ.max()], axis=1)
        if np.unique(middle).size == recording.sweeps:
            return [f"{x:g} {driven(recording)[1]}".replace("-", "\u2212") for x in middle]
    return [f"sweep {k + 1}" for k in range(recording.sweeps)]


def like(recording: Recording, prediction: Any) -> Float[np.ndarray, "sweeps samples"]:
    """A prediction as an array of the recording's shape; `ValueError` if it has another."""
    fitted = np.atleast_2d(np.asarray(prediction, float))
    if fitted.shape != recording.current.shape:
        raise ValueError(
            f"Argument `prediction` must have the recording's shape {recording.current.shape}, but has {fitted.shape}."
        )
    return fitted


def span(mask: Bool[np.ndarray, "sweeps samples"]) -> Bool[np.ndarray, "sweeps samples"]:
    """From the first to the last used sample of each sweep."""
    return np.logical_or.accumulate(mask, 1) & np.logical_or.accumulate(mask[:, ::-1], 1)[:, ::-1]


def _legend(ax: Axes, recording: Recording) -> None:
    """The voltages of a few sweeps, first and last among them, beside the commands that differ."""
    if len(ax.lines) > 1:
        labels = sweep_labels(recording)
        few = np.unique(np.linspace(0, len(labels) - 1, min(len(labels), 7)).round().astype(int))
        ax.legend(
            [ax.lines[k] for k in few],
            [labels[k] for k in few],
            loc="center left",
            bbox_to_anchor=(1.0, 0.5),
            fontsize=7.5,
        )


def _view(ax: Axes, recording: Recording, fitted: np.ndarray, scale: float) -> None:
    """Limits from the used samples, so that what the fit did not see cannot flatten what it did."""
    used = np.concatenate([recording.current[recording.mask], fitted[recording.mask]])
    used = used[np.isfinite(used)]
    if used.size:
        low, high = used.min() / scale, used.max() / scale
        pad = 0.06 * (high - low) or 1.0
        ax.set_ylim(low - pad, high + 2.0 * pad)
