"""What happens along a cable or a tissue: kymographs, profiles, and an animation of a wave."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..results import InputError
from ..simulate import CellTrace
from ..space import Tree
from .style import RC, figure_of, new_axes, new_figure, styled, sweep_colors, time_scale


def _seen(trace: CellTrace, name: str) -> np.ndarray:
    if name not in trace.observed or np.ndim(trace.observed[name]) != 2:
        known = ", ".join(key for key, x in trace.observed.items() if np.ndim(x) == 2) or "nothing"
        raise InputError(f"What is shown along a tree must be observed there ({known}), but is '{name}'.")
    return np.asarray(trace.observed[name], float)


def _label(name: str) -> str:
    if name == "V" or name.startswith("V_"):
        return "V (mV)" if name == "V" else f"V {name[2:]} (mV)"
    if name.startswith("volume_"):
        return f"volume of {name[7:]} (pL)"
    species, _, where = name.partition("_")
    return f"{species} {where} (mM)"


def _section(tree: Tree, section: str | None) -> tuple[slice, np.ndarray]:
    piece = slice(0, tree.size) if section is None else tree.within(section)
    return piece, np.asarray(tree.distance, float)[piece]


@styled
def kymograph(
    trace: CellTrace, tree: Tree, name: str = "V", *, section: str | None = None, ax: Axes | None = None
) -> Axes:
    """A quantity by time (across) and place (upward), as color.

    **Arguments:** `trace`: of `simulate.current_clamp`; `name`: of what it observed, such as "V" or "K_outside";
    `section`: one of the tree's, all compartments in their order by default.
    **Raises:** `InputError` for a quantity that was not observed along the tree.
    """
    values = _seen(trace, name)
    piece, x = _section(tree, section)
    t = np.asarray(trace.t, float)
    ax = new_axes(ax)
    unit, word = time_scale([float(np.ptp(t))])
    if section is None and len(tree.names) > 1:
        x, label = np.arange(len(x), dtype=float), "compartment"
    else:
        label = "distance (um)"
    image = ax.pcolormesh(t / unit, x, values[:, piece].T, shading="nearest", cmap="viridis", rasterized=True)
    ax.set(xlabel=f"time ({word})", ylabel=label)
    figure_of(ax).colorbar(image, ax=ax, label=_label(name))
    return ax


@styled
def kymographs(trace: CellTrace, tree: Tree, names: Sequence[str], *, figure: Figure | None = None) -> Figure:
    """One `kymograph` for each quantity, above one another."""
    figure = new_figure(figure, 1.9 * len(names))
    rows = np.atleast_1d(figure.subplots(len(names), 1, sharex=True))
    for ax, name in zip(rows, names, strict=True):
        kymograph(trace, tree, name, ax=ax)
        if ax is not rows[-1]:
            ax.set_xlabel("")
    return figure


@styled
def profiles(
    trace: CellTrace,
    tree: Tree,
    name: str = "V",
    *,
    times: Sequence[float],
    section: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A quantity along a section at some times [ms], each at the nearest sample.

    **Arguments:** those of `kymograph`.
    """
    values, t = _seen(trace, name), np.asarray(trace.t, float)
    piece, x = _section(tree, section)
    ax = new_axes(ax)
    unit, word = time_scale([float(np.ptp(t))])
    for time, color in zip(times, sweep_colors(len(times)), strict=True):
        k = int(np.argmin(np.abs(t - time)))
        ax.plot(x, values[k, piece], color=color, label=f"{t[k] / unit:g} {word}")
    ax.set(xlabel="distance (um)", ylabel=_label(name))
    ax.legend()
    return ax


def animate(
    trace: CellTrace,
    tree: Tree,
    path: str | os.PathLike,
    names: Sequence[str] = ("V",),
    *,
    section: str | None = None,
    frames: int = 60,
    rate: float = 15.0,
) -> Path:
    """Writes an animation of quantities along a section, one panel each: a GIF, or an HTML page that holds its frames.

    **Arguments:** those of `kymograph`; `path`: ends in .gif or .html; `frames`: at most so many samples are shown;
    `rate`: frames per second.
    **Raises:** `InputError` for another ending, or where the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in (".gif", ".html"):
        raise InputError(f"{path}: an animation's name must end in .gif or .html.")
    shown = {name: _seen(trace, name) for name in names}
    piece, x = _section(tree, section)
    t = np.asarray(trace.t, float)
    unit, word = time_scale([float(np.ptp(t))])
    picked = np.unique(np.linspace(0, len(t) - 1, min(frames, len(t))).astype(int))
    with mpl.rc_context(RC):  # type: ignore[arg-type]
        figure = new_figure(None, 1.9 * len(shown), 5.0)
        rows = np.atleast_1d(figure.subplots(len(shown), 1, sharex=True))
        lines: list[Any] = []
        for ax, (name, values) in zip(rows, shown.items(), strict=True):
            (line,) = ax.plot(x, values[0, piece])
            low, high = values[:, piece].min(), values[:, piece].max()
            ax.set(ylim=(low - 0.05 * (high - low) - 1e-9, high + 0.05 * (high - low) + 1e-9), ylabel=_label(name))
            lines.append(line)
        rows[-1].set_xlabel("distance (um)")

        def draw(k: int) -> list[Any]:
            for line, values in zip(lines, shown.values(), strict=True):
                line.set_ydata(values[k, piece])
            rows[0].set_title(f"{t[k] / unit:.3g} {word}")
            return lines

        moving = FuncAnimation(figure, draw, frames=picked.tolist())  # type: ignore[arg-type]
        try:
            if path.suffix.lower() == ".gif":
                moving.save(path, writer=PillowWriter(fps=rate))  # type: ignore[arg-type]
            else:
                path.write_text(moving.to_jshtml(fps=rate), "utf-8")  # type: ignore[arg-type]
        except OSError as error:
            raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
    return path
