"""Relations that an electrophysiologist starts from: current-voltage and conductance-voltage."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .style import COLORS, new_axes, signal_scale, styled


@styled
def current_voltage(v: Any, current: Any, ax: Axes | None = None, *, unit: str = "pA", label: str = "") -> Axes:
    """A current-voltage relation.

    **Arguments:** `v`: voltages [mV]; `current`: currents in `unit`, same shape; `label`: for the legend.
    """
    ax = new_axes(ax)
    v, current = np.asarray(v, float), np.asarray(current, float)
    order = np.argsort(v)
    scale, name = signal_scale(float(np.nanmax(np.abs(current))), unit)
    if not ax.lines:
        ax.axhline(0.0, color=COLORS["rule"], linewidth=0.8)
    ax.plot(v[order], current[order] / scale, marker="o", markersize=4, linewidth=1.0, label=label or None)
    ax.set(xlabel="V (mV)", ylabel=f"current ({name})")
    if label:
        ax.legend(loc="best")
    return ax


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
