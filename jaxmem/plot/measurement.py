"""Steady measurements and the curves of a model between them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from ..recordings import Measurement
from .relations import on_concentrations, on_linear_axes, points
from .style import COLORS, CYCLE, new_figure, signal_label, signal_name, signal_scale, styled, sweep_colors
from .varied import Axis, Curve, bath_of, curves, table_of

Predict = Callable[[Measurement], Any]


@styled
def measurement(
    measurement: Measurement, predict: Predict | None = None, *, title: str = "", figure: Figure | None = None
) -> Figure:
    """The points of a measurement with their error bars, the model's curves through their conditions, and what is left.

    Each series is drawn against what varies in it: voltage; a concentration, on a logarithmic axis (and so the signal,
    where the concentration is the same on both sides and the signal positive); the fraction of one ion among two whose
    sum stays; temperature. Points of which more varies at once are drawn as measured against predicted.

    **Arguments:** `predict`: the model's values for any measurement, shape (points,), such as
    `lambda m: fit.Steady(m, sigma=1.0).predict(model)`; only the points are drawn without it.
    **Raises:** `ValueError` if there is nothing to draw the points against and no prediction.
    """
    found = curves(measurement)
    if predict is None and any(c.axis is None for c in found):
        raise ValueError("Points that differ in several ways at once are drawn against predictions; give `predict`.")
    axes = list(dict.fromkeys(c.axis for c in found))
    fitted = None if predict is None else np.reshape(np.asarray(predict(measurement), float), -1)
    finer = [None] * len(found) if predict is None else _finer(measurement, found, predict)
    columns = min(len(axes), 2)
    rows, levels = -(-len(axes) // columns), 1 if fitted is None else 2
    figure = new_figure(figure, (3.3 if fitted is None else 4.5) * rows)
    heights = [3.0, 1.0][:levels] * rows
    grid = figure.subplots(levels * rows, columns, squeeze=False, height_ratios=heights)
    for k, axis in enumerate(axes):
        top, bottom = (grid[levels * (k // columns) + level, k % columns] for level in (0, levels - 1))
        chosen = [i for i, c in enumerate(found) if c.axis == axis]
        group = list(zip([found[i] for i in chosen], _colors(len(chosen)), strict=True))
        if bottom is not top:
            bottom.sharex(top)
        if axis is not None:
            _against(axis, top, measurement, group, [finer[i] for i in chosen])
        elif fitted is not None:
            _agreement(top, measurement, fitted, group)
        _legend(top, len(chosen), alone=columns == 1)
        if fitted is not None:
            _residuals(bottom, measurement, fitted, axis, group, relative=top.get_yscale() == "log")
            bottom.set_xlabel(top.get_xlabel())
            top.set_xlabel("")
            top.tick_params(labelbottom=False)
            figure.align_ylabels([top, bottom])
    for left in grid[-levels:, 1 + (len(axes) - 1) % columns :].flat:
        left.remove()
    grid[0, 0].set_title(title)
    return figure


def _against(
    axis: Axis,
    ax: Axes,
    measurement: Measurement,
    group: Sequence[tuple[Curve, str]],
    finer: Sequence[tuple[np.ndarray, np.ndarray] | None],
) -> None:
    """Points and curves of several series along one axis."""
    x, y = axis.of(table_of(measurement)), np.asarray(measurement.value, float)
    scale, unit = _scale(measurement)
    up = signal_label(_name(measurement), unit)
    used = np.concatenate([y[c.index] for c, _ in group] + [curve[1] for curve in finer if curve is not None])
    log = axis.both and used.min() > 0.0 and used.max() > 3.0 * used.min()
    if not log:
        on_linear_axes(ax, axis.label, up)
    for (curve, color), fine in zip(group, finer, strict=True):
        at = curve.index
        bars = None if measurement.error is None else np.asarray(measurement.error, float)[at] / scale
        through = None if fine is None else (fine[0], fine[1] / scale)
        points(ax, x[at], y[at] / scale, curve.label, bars, through, color, joined=fine is None and not axis.log)
    if axis.log:
        on_concentrations(ax, x[np.concatenate([c.index for c, _ in group])], axis.label, up, log=log)


def _agreement(ax: Axes, measurement: Measurement, fitted: np.ndarray, group: Sequence[tuple[Curve, str]]) -> None:
    """Measured against predicted, beside the line on which they are equal."""
    scale, unit = _scale(measurement)
    y, fitted = np.asarray(measurement.value, float) / scale, fitted / scale
    both = np.concatenate([a[c.index] for a in (y, fitted) for c, _ in group])
    ax.axline((float(both.min()),) * 2, slope=1.0, color=COLORS["rule"], linewidth=0.8, zorder=0)
    for curve, color in group:
        bars = None if measurement.error is None else np.asarray(measurement.error, float)[curve.index] / scale
        points(ax, fitted[curve.index], y[curve.index], curve.label, bars, color=color)
    name = _name(measurement)
    ax.set(xlabel=signal_label(f"predicted {name}", unit), ylabel=signal_label(f"measured {name}", unit))


def _residuals(
    ax: Axes,
    measurement: Measurement,
    fitted: np.ndarray,
    axis: Axis | None,
    group: Sequence[tuple[Curve, str]],
    *,
    relative: bool,
) -> None:
    """Measured minus predicted, or its share of the prediction, with the error bars of the points."""
    divisor, unit = _scale(measurement)
    x = fitted / divisor if axis is None else axis.of(table_of(measurement))
    ax.axhline(0.0, color=COLORS["rule"], linewidth=0.8, zorder=0)
    scale = 100.0 / fitted if relative else np.full(fitted.shape, 1.0 / divisor)
    left = scale * (np.asarray(measurement.value, float) - fitted)
    for curve, color in group:
        at = curve.index
        bars = None if measurement.error is None else np.abs(scale[at]) * np.asarray(measurement.error, float)[at]
        points(ax, x[at], left[at], "", bars, color=color)
    ax.set_ylabel("residual (%)" if relative else signal_label("residual", unit))
    ax.yaxis.set_major_locator(MaxNLocator(4))


def _finer(
    measurement: Measurement, found: Sequence[Curve], predict: Predict
) -> list[tuple[np.ndarray, np.ndarray] | None]:
    """Places and predictions between the points of every curve, all predicted in one call."""
    table = table_of(measurement)
    rows, places, ends = [], [], [0]
    for curve in found:
        part, x = table[curve.index], np.zeros(0)
        if curve.axis is not None and curve.index.size > 1:
            at = curve.axis.of(part)
            order = np.argsort(at)
            x = curve.axis.fine(at)
            rows.append(np.stack([np.interp(x, at[order], column[order]) for column in part.T], 1))
        places.append(x)
        ends.append(ends[-1] + x.size)
    if not rows:
        return [None] * len(found)
    normalized = measurement.normalized
    if normalized is not None:  # what the data are relative to comes last
        rows.append(table[normalized : normalized + 1])
    whole = np.concatenate(rows)
    fine = Measurement(
        whole[:, 0], bath_of(whole, measurement.bath), np.zeros(len(whole)),
        reading=measurement.reading, unit=measurement.unit, normalized=None if normalized is None else len(whole) - 1,
    )  # fmt: skip
    y = np.reshape(np.asarray(predict(fine), float), -1)
    return [(x, y[a:b]) if x.size else None for x, a, b in zip(places, ends[:-1], ends[1:], strict=True)]


def _name(measurement: Measurement) -> str:
    """What is measured, by the name of the function that reads it from a model."""
    reading = getattr(measurement.reading, "func", measurement.reading)
    name = getattr(reading, "__name__", "").replace("_", " ").strip()
    return signal_name(measurement.unit) if not name or "<" in name or measurement.unit == "mV" else name


def _scale(measurement: Measurement) -> tuple[float, str]:
    """What to divide the values by, and the unit in which they are drawn."""
    return signal_scale(float(np.abs(measurement.value).max()), measurement.unit)


def _colors(count: int) -> list[str]:
    """Colors that are told apart most easily for a few series, an ordered scale for many."""
    return CYCLE[:count] if count <= 4 else sweep_colors(count)


def _legend(ax: Axes, count: int, *, alone: bool) -> None:
    """A long legend stands beside a panel that has the width of the page, or below it."""
    if ax.get_legend() is not None and count > 4:
        place = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if alone else {"loc": "best", "ncols": 2}
        ax.legend(**place, fontsize=7.5)
