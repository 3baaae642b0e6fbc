"""Relations that an electrophysiologist starts from: against voltage, concentration, and the share of an ion."""

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from .style import COLORS, new_axes, signal_label, signal_scale, styled


@styled
def current_voltage(
    v: Any,
    current: Any,
    ax: Axes | None = None,
    *,
    unit: str = "pA",
    label: str = "",
    error: Any = None,
    curve: tuple[Any, Any] | None = None,
    color: str | None = None,
) -> Axes:
    """A current-voltage relation: its points, joined by lines or with a fitted curve.

    **Arguments**

    - `v`: voltages [mV]; `current`: currents in `unit`, same shape; `error`: their standard errors, or None.
    - `curve`: voltages and currents of the fitted curve; without it lines join the points.
    - `label`: for the legend; `color`: of points and curve, the next of the cycle by default.
    """
    current = np.asarray(current, float)
    scale, unit = signal_scale(float(np.nanmax(np.abs(current))), unit)
    ax = on_linear_axes(new_axes(ax), "V (mV)", signal_label("current", unit))
    points(ax, v, current / scale, label, _over(error, scale), _scaled(curve, scale), color, joined=curve is None)
    return ax


@styled
def conductance_concentration(
    c: Any,
    conductance: Any,
    ax: Axes | None = None,
    *,
    unit: str = "nS",
    label: str = "",
    error: Any = None,
    curve: tuple[Any, Any] | None = None,
    color: str | None = None,
) -> Axes:
    """Conductance against concentration on logarithmic axes: a slope of one where the pore is mostly empty.

    **Arguments:** `c`: concentrations [mM]; `conductance`: in `unit`, same shape; the rest as for `current_voltage`.
    """
    ax = new_axes(ax)
    points(ax, c, conductance, label, error, curve, color)
    return on_concentrations(ax, c, "concentration (mM)", signal_label("conductance", unit), log=True)


@styled
def mole_fraction(
    fraction: Any,
    current: Any,
    ax: Axes | None = None,
    *,
    unit: str = "pA",
    label: str = "",
    error: Any = None,
    curve: tuple[Any, Any] | None = None,
    color: str | None = None,
) -> Axes:
    """Current against the share of one of two ions at constant total concentration.

    **Arguments:** `fraction`: between 0 and 1; `current`: in `unit`, same shape; the rest as for `current_voltage`.
    """
    ax = on_linear_axes(new_axes(ax), "mole fraction", signal_label("current", unit))
    points(ax, fraction, current, label, error, curve, color)
    ax.set_xlim(-0.03, 1.03)
    return ax


def points(
    ax: Axes,
    x: Any,
    y: Any,
    label: str = "",
    error: Any = None,
    curve: tuple[Any, Any] | None = None,
    color: str | None = None,
    *,
    joined: bool = False,
) -> None:
    """Draws measured points with their error bars, and a fitted curve of the same color."""
    x, y = np.ravel(np.asarray(x, float)), np.ravel(np.asarray(y, float))
    order = np.argsort(x, kind="stable")
    bars = None if error is None else np.broadcast_to(np.asarray(error, float), y.shape)[order]
    drawn = ax.errorbar(
        x[order], y[order], bars, label=label or None, color=color, marker="o", markersize=4.5, linewidth=1.0,
        linestyle="-" if joined else "none", markerfacecolor=None if joined else "white", elinewidth=0.8,
    )  # fmt: skip
    if curve is not None:
        ax.plot(*curve, color=drawn.lines[0].get_color(), zorder=1.9)
    if label:
        ax.legend(loc="best")


def boltzmann(v: Any, v_half: float, slope: float, top: float = 1.0) -> np.ndarray:
    """top / (1 + exp(-(v - v_half)/slope)), with v, `v_half` and `slope` in mV."""
    return 0.5 * top * (1.0 + np.tanh(0.5 * (np.asarray(v, float) - v_half) / slope))


@styled
def conductance_voltage(
    v: Any,
    conductance: Any,
    ax: Axes | None = None,
    *,
    v_half: float | None = None,
    slope: float | None = None,
    top: float = 1.0,
    unit: str = "nS",
) -> Axes:
    """Conductance against voltage with its Boltzmann curve, if `v_half` and `slope` [mV] are given.

    **Arguments:** `conductance`: in `unit`; `top`: the curve's plateau in `unit`.
    """
    ax = new_axes(ax)
    v, conductance = np.asarray(v, float), np.asarray(conductance, float)
    ax.plot(v, conductance, "o", markersize=4.5, color=COLORS["data"], label="data")
    if v_half is not None and slope is not None:
        fine = np.linspace(v.min(), v.max(), 200)
        label = f"V½ = {v_half:.1f} mV, slope = {slope:.1f} mV"
        ax.plot(fine, boltzmann(fine, v_half, slope, top), color=COLORS["fit"], label=label)
        ax.legend(loc="best")
    ax.set(xlabel="V (mV)", ylabel="conductance" + (f" ({unit})" if unit else " (normalized)"))
    return ax


def on_linear_axes(ax: Axes, across: str, up: str) -> Axes:
    """Axes with a line at zero and labels for what is drawn."""
    if not ax.lines:
        ax.axhline(0.0, color=COLORS["rule"], linewidth=0.8, zorder=0)
    ax.set(xlabel=across, ylabel=up)
    return ax


def on_concentrations(ax: Axes, c: Any, across: str, up: str, *, log: bool) -> Axes:
    """Axes on which equal ratios of concentrations are equally far apart, and of signals, too, with `log`.

    A concentration of zero, as without a blocker, has a place of its own at the left end.
    """
    drawn = np.ravel(np.asarray(c, float))
    if (drawn > 0.0).all():
        ax.set_xscale("log")
    else:
        least = float(drawn[drawn > 0.0].min())
        ax.set_xscale("symlog", linthresh=least, linscale=0.5)
        ax.set_xlim(left=-0.2 * least)
    ax.xaxis.set_major_formatter(FuncFormatter(_plain))
    if log:
        ax.set_yscale("log")
        low, high = ax.get_ylim()  # numbers at 1, 2 and 5 of each decade where there are not two powers of ten
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 30.0 * low else (1.0,)))
        ax.yaxis.set_major_formatter(FuncFormatter(_plain))
        ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel=across, ylabel=up)
    return ax


def _over(error: Any, scale: float) -> Any:
    return None if error is None else np.asarray(error, float) / scale


def _scaled(curve: tuple[Any, Any] | None, scale: float) -> tuple[Any, Any] | None:
    return None if curve is None else (curve[0], np.asarray(curve[1], float) / scale)


def _plain(x: float, _: Any) -> str:
    """A tick of a logarithmic axis as people write concentrations: 0.01, 1, 100; powers where these get long."""
    if x == 0.0 or 1e-3 <= abs(x) < 1e5:
        return f"{x:g}"
    power = round(math.log10(abs(x)))
    return rf"$10^{{{power}}}$" if math.isclose(abs(x), 10.0**power, rel_tol=1e-9) else ""
