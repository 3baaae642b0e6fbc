"""One calm look for every figure: its colors, its rcParams by context, and how a figure is made and saved."""

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure, FigureBase

from ..results import InputError

P = ParamSpec("P")
T = TypeVar("T")

#: Colors that stay apart for every kind of color vision (Okabe & Ito), by what they mean.
COLORS = {
    "data": "#8c939c",
    "fit": "#0072b2",
    "second": "#d55e00",
    "third": "#009e73",
    "fourth": "#cc79a7",
    "command": "#3b4048",
    "shade": "#eef1f5",
    "rule": "#c9ced6",
    "text": "#23272e",
    "quiet": "#6b7280",
}
CYCLE = [COLORS[name] for name in ("fit", "second", "third", "fourth")] + ["#e69f00", "#56b4e9"]
SWEEPS = LinearSegmentedColormap.from_list("sweeps", ["#08306b", "#0072b2", "#2a9d8f", "#c98a00", "#d55e00"])
WIDTH = 7.2  # inches, of every figure

RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9.0,
    "axes.labelcolor": COLORS["text"],
    "axes.edgecolor": COLORS["quiet"],
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=CYCLE),
    "axes.formatter.useoffset": False,
    "axes.axisbelow": True,
    "xtick.color": COLORS["quiet"],
    "ytick.color": COLORS["quiet"],
    "xtick.labelcolor": COLORS["text"],
    "ytick.labelcolor": COLORS["text"],
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "lines.linewidth": 1.4,
    "lines.solid_capstyle": "round",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "text.color": COLORS["text"],
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "white",
    "figure.dpi": 110,
}


def styled(function: Callable[P, T]) -> Callable[P, T]:
    """A figure function that draws under the house style and leaves matplotlib's settings as they were."""

    @functools.wraps(function)
    def draw(*args: P.args, **kwargs: P.kwargs) -> T:
        with mpl.rc_context(RC):  # type: ignore[arg-type]
            return function(*args, **kwargs)

    return draw


def new_figure(figure: Figure | None, height: float, width: float = WIDTH) -> Figure:
    """`figure`, or a new one of the given size [inches] with a layout that keeps labels apart."""
    return Figure(figsize=(width, height), layout="constrained") if figure is None else figure


def new_axes(ax: Axes | None, height: float = 3.2, width: float = 4.6) -> Axes:
    """`ax`, or the only Axes of a new figure of the given size [inches]."""
    return new_figure(None, height, width).add_subplot() if ax is None else ax


def figure_of(ax: Axes) -> FigureBase:
    """The figure, or part of one, that holds an Axes."""
    figure = ax.figure
    if figure is None:
        raise ValueError("The Axes must belong to a figure, but it was removed from its own.")
    return figure


def sweep_colors(count: int) -> list[str]:
    """One color for each of `count` sweeps: the fit's own for one, an ordered scale for several."""
    if count == 1:
        return [COLORS["fit"]]
    return [to_hex(SWEEPS(x)) for x in np.linspace(0.0, 1.0, count)]


def time_scale(spans: Sequence[float]) -> tuple[float, str]:
    """What to divide times [ms] by and what to call the unit, for a plot as long as the longest span [ms]."""
    return (1e3, "s") if max(spans) >= 3000.0 else (1.0, "ms")


def signal_scale(largest: float, unit: str) -> tuple[float, str]:
    """What to divide a signal by and what to call its unit, so that its numbers stay short."""
    if unit == "pA" and largest >= 2000.0:
        return 1e3, "nA"
    small = {"nS": "pS", "pA": "fA"}
    return (1e-3, small[unit]) if unit in small and 0.0 < largest < 0.1 else (1.0, unit)


def signal_label(what: str, unit: str) -> str:
    """The label of an axis: what it shows and its unit; a number without a unit is relative to something."""
    return f"{what} (relative)" if unit in ("", "1") else f"{what} ({unit})"


def signal_name(unit: str) -> str:
    """What a signal in `unit` is called on an axis: conductance, current, reversal potential, or just signal."""
    if unit in ("", "1"):
        return "signal"
    if unit in ("mV", "V"):
        return "reversal potential"
    return "conductance" if unit.replace(" ", "").startswith(("nS", "mS", "uS", "pS", "S")) else "current"


def save(figure: Figure, path: str | os.PathLike, dpi: float = 170.0) -> Path:
    """Writes a figure; the ending names the format (.png, .svg, .pdf). Returns the path.

    **Raises:** `InputError` if the ending is unknown or the file cannot be written.
    """
    path = Path(path)
    known = figure.canvas.get_supported_filetypes()
    if path.suffix.lstrip(".").lower() not in known:
        raise InputError(f"{path}: a figure's name must end in one of {', '.join('.' + k for k in sorted(known))}")
    try:
        with mpl.rc_context(RC):  # type: ignore[arg-type]
            figure.savefig(path, dpi=dpi)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
    return path
