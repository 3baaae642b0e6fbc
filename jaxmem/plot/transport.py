"""Transporters: the cycle as a ring, the free-energy staircase of a turn, current or turnover against voltage."""

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes

from ..channel import SteadyState
from ..electrochemistry import Bath, as_bath
from ..kinetics import AbstractScheme
from ..permeation.readings import conditions, current
from ..transport import QuasiSteady
from .relations import on_linear_axes
from .style import COLORS, new_axes, signal_label, signal_scale, styled
from .turn import Step, backward, finite, steps, turn

THIN, THICK = 0.8, 4.5  # points, of the arrows
SMALL = 7.5  # points, of what is written at them


@styled
def cycle(
    scheme: AbstractScheme,
    v: float,
    bath: Bath,
    ax: Axes | None = None,
    *,
    through: Sequence[str] | None = None,
) -> Axes:
    """The states of a graph on a ring, with an arrow along every net flux of the steady state at v [mV].

    An arrow is as wide as its flux, and a thin line where there is none. At each, inside the ring, stands the free
    energy [kT] that is given up along it, `free_energy_drops`, and outside what is bound and released. States say with
    which probability they are occupied.

    **Arguments:** `scheme`: with its exchange table; `through`: names of the states round the ring, in order; the
    longest cycle of the graph by default. States that are not on it stand outside.
    **Raises:** `ValueError` if the graph has no cycle, or `through` is none.
    """
    occupancy, edges = steps(scheme, v, bath)
    walk = turn(scheme, through)
    flowing = [step if step.flux >= 0 or not step.moves else backward(step) for step in edges]
    widest = max((step.flux for step in flowing if step.moves), default=0.0)
    places = _places(scheme, [edges[e].start if sign == 1 else edges[e].end for e, sign in walk])
    ax = new_axes(ax, *((3.8, 5.6) if len(walk) < 5 else (4.6, 7.0)))
    nodes = []
    for name, place, share in zip(scheme.states, places, occupancy, strict=True):
        nodes.append(
            ax.text(
                place[0], place[1], f"{textwrap.fill(name, 14)}\n{_percent(share)}", ha="center", va="center",
                fontsize=8.0, linespacing=1.25,
                bbox={"boxstyle": "round,pad=0.35", "facecolor": COLORS["shade"], "edgecolor": "none"},
            )
        )  # fmt: skip
    ring = dict(walk)
    for e, step in enumerate(flowing):
        start, end = places[step.start], places[step.end]
        clockwise = e in ring and (ring[e] == 1) == (step is edges[e])
        middle, bend = _arc(start, end, len(walk), clockwise) if e in ring else (0.5 * (start + end), 0.0)
        width = THIN + (THICK - THIN) * step.flux / widest if step.moves else THIN
        arrow = {
            "arrowstyle": f"-|>,head_width={0.2 + 0.06 * width:.3g},head_length={0.4 + 0.1 * width:.3g}",
            "connectionstyle": f"arc3,rad={bend:.6g}",
            "linewidth": width,
            "mutation_scale": 8.0,
            **{"patchA": nodes[step.start].get_bbox_patch(), "patchB": nodes[step.end].get_bbox_patch()},
            **{"shrinkA": 2.0, "shrinkB": 2.0, "color": COLORS["fit"], "joinstyle": "miter", "capstyle": "butt"},
        }
        if not step.moves:
            arrow |= {"arrowstyle": "-", "color": COLORS["data"]}
        ax.annotate("", end, start, arrowprops=arrow)
        _write(ax, step, middle, e in ring)
    if len(ring) == len(edges):
        ax.text(0.0, 0.0, _summary([edges[e] if s == 1 else backward(edges[e]) for e, s in walk], v), ha="center",
                va="center", fontsize=SMALL, color=COLORS["quiet"], linespacing=1.4)  # fmt: skip
    elif widest:
        ax.text(0.5, 0.0, f"{_millivolts(v)}, widest arrow {_per_second(widest)}", transform=ax.transAxes, ha="center",
                va="bottom", fontsize=SMALL, color=COLORS["quiet"])  # fmt: skip
    reach = np.abs(places).max(0)
    ax.set(xlim=(-reach[0] - 1.05, reach[0] + 1.05), ylim=(-reach[1] - 0.5, reach[1] + 0.4), aspect="equal")
    ax.set_axis_off()
    return ax


@styled
def staircase(
    scheme: AbstractScheme,
    v: float,
    bath: Bath,
    ax: Axes | None = None,
    *,
    through: Sequence[str] | None = None,
    label: str = "",
    color: str | None = None,
) -> Axes:
    """The free energy [kT] that is left, step by step, once round the cycle in the steady state at v [mV].

    Each step goes down by ln of its forward over its backward one-way flux, and the whole turn by the cycle's affinity.
    A large step is far from equilibrium and limits the turnover; at the stall all treads are level. Steps are numbered
    without a `label`; with labels several staircases compare on the same Axes.

    **Arguments:** `through`: as for `cycle`; `label`: for the legend, `color`: the next of the cycle by default.
    **Raises:** `ValueError` if the graph has no cycle, or a step has no way back.
    """
    walk = turn(scheme, through)
    _, edges = steps(scheme, v, bath)
    walked = [edges[e] if sign == 1 else backward(edges[e]) for e, sign in walk]
    finite(walked, scheme.states)
    names = [scheme.states[step.start] for step in walked]
    levels = np.r_[0.0, -np.cumsum([step.drop for step in walked])]
    ax = new_axes(ax, 3.4, max(4.6, 1.2 * len(levels)))
    first = not ax.lines
    x = np.arange(len(levels))
    path = np.stack([x - 0.28, x + 0.28], 1).ravel()
    (line,) = ax.plot(path, np.repeat(levels, 2), color=color, label=label or None, linewidth=1.0, alpha=0.7)
    ax.hlines(levels, x - 0.28, x + 0.28, color=line.get_color(), linewidth=2.4)
    ax.annotate(
        _signed(levels[-1]), (x[-1] + 0.32, levels[-1]), va="center", color=line.get_color(), fontsize=8.0,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip
    if first:
        ax.axhline(0.0, color=COLORS["rule"], linewidth=0.8, zorder=0)
        for k, step in enumerate(walked):
            if not label:
                middle = (k + 0.5, 0.5 * (levels[k] + levels[k + 1]))
                ax.annotate(
                    _signed(-step.drop), middle, (5, 2), textcoords="offset points", fontsize=SMALL, va="bottom"
                )
            ax.text(
                k + 0.5, 1.02, textwrap.fill(step.exchanged.replace("\n", ", "), 14), ha="center", va="bottom",
                transform=ax.get_xaxis_transform(), fontsize=SMALL, color=COLORS["quiet"],
            )  # fmt: skip
        ax.set_xticks(x, [textwrap.fill(name, 12) for name in (*names, names[0])])
        ax.tick_params(axis="x", length=0)
        ax.set(xlim=(-0.45, x[-1] + 0.85), ylabel="free energy (kT)")
        ax.margins(y=0.1)
    if label:
        ax.legend(loc="best")
    return ax


def turnover_voltage(
    transporter: Any,
    v: Any,
    bath: Bath,
    ax: Axes | None = None,
    *,
    reading: Callable[[Any, Any, Bath], Any] = current,
    unit: str = "pA",
    name: str = "current",
    label: str = "",
    color: str | None = None,
) -> Axes:
    """Current, or turnover, of a transporter in its steady state against voltage, with its stall marked.

    **Arguments**

    - `transporter`: a mechanism, a tuple of them, a law, or a graph, of which it is the current of one.
    - `v`: voltages [mV], shape (voltages,). A stall is marked where the curve changes its sign between two of them.
    - `reading`: of the transporter, v and the bath; its current in pA by default. With another one the transporter is
      handed on as it is: `lambda pump, v, bath: 1e3 * pump.turns(v, bath)`, with `unit="1/s"` and `name="turnover"`.
    - `label`: for the legend; `color`: the next of the cycle by default.
    """
    law = transporter
    if reading is current:
        law = SteadyState(QuasiSteady(law) if isinstance(law, AbstractScheme) else law)
        bath = conditions(law, bath)
    voltages = np.sort(np.ravel(np.asarray(v, float)))
    values = np.asarray(_curve(reading, law, voltages, as_bath(bath)), float)
    sure = np.flatnonzero(values)
    turned = np.flatnonzero(np.diff(np.sign(values[sure])))
    read = lambda x: np.asarray(_curve(reading, law, x, as_bath(bath)), float)
    stalls = [_crossing(read, voltages[sure[k]], voltages[sure[k + 1]], max(voltages.size, 3)) for k in turned]
    return _draw_curve(voltages, values, stalls, ax, unit, name, label, color)


@styled
def _draw_curve(
    v: np.ndarray, values: np.ndarray, stalls: list[float], ax: Axes | None, unit: str, name: str, label: str,
    color: str | None,
) -> Axes:  # fmt: skip
    ax = new_axes(ax)
    scale, unit = signal_scale(float(np.nanmax(np.abs(values))), unit) if not ax.lines else (1.0, unit)
    first = not ax.lines
    if first:
        on_linear_axes(ax, "V (mV)", signal_label(name, unit))
    (line,) = ax.plot(v, values / scale, color=color, label=label or None)
    marked = sum(text.get_gid() == "stall" for text in ax.texts)
    for higher, stall in enumerate(stalls, marked):
        ax.plot([stall], [0.0], "o", color=line.get_color(), markersize=5)
        rises = np.interp(stall, v, np.gradient(values, v)) > 0  # above the curve there is room, on this side
        ax.annotate(
            _millivolts(stall), (stall, 0.0), (-4 if rises else 4, 5 + 11 * higher), textcoords="offset points",
            ha="right" if rises else "left", va="bottom", color=line.get_color(), fontsize=8.0, gid="stall",
        )  # fmt: skip
    if label:
        ax.legend(loc="best")
    return ax


@eqx.filter_jit
def _curve(reading: Callable[..., Any], law: Any, v: Any, bath: Bath) -> Any:
    return jax.vmap(lambda x: reading(law, x, bath))(jnp.asarray(v, jnp.result_type(bath.temperature)))


def _crossing(read: Callable[[np.ndarray], np.ndarray], low: float, high: float, count: int) -> float:
    """Where a curve changes its sign between two voltages, looked for on finer and finer grids of `count` of them.

    They are as many as those of the curve, whose compiled function serves again.
    """
    while high - low > 1e-9 * max(1.0, abs(low), abs(high)):
        grid = np.linspace(low, high, count)
        signs = np.sign(read(grid))
        other = np.flatnonzero(signs != signs[0])
        if not other.size:  # nothing but rounding is left
            break
        low, high = float(grid[other[0] - 1]), float(grid[other[0]])
    return 0.5 * (low + high)


def _places(scheme: AbstractScheme, ring: list[int]) -> np.ndarray:
    """Where the states stand: those of the ring clockwise from the top, the others beyond their neighbors."""
    places = np.full((len(scheme.states), 2), np.nan)
    size = max(1.0, len(ring) / 4.5)
    for k, state in enumerate(ring):
        angle = 0.5 * math.pi - 2.0 * math.pi * (k + (0.5 if len(ring) in (2, 4, 6) else 0.0)) / len(ring)
        places[state] = 1.4 * size * math.cos(angle), size * math.sin(angle)
    while np.isnan(places).any():
        for state in np.flatnonzero(np.isnan(places[:, 0])):
            near = [j if i == state else i for i, j in scheme.edges if state in (i, j)]
            near = [k for k in near if not np.isnan(places[k, 0])]
            if near:
                center = places[near].mean(0)
                far = center if np.hypot(*center) > 0.2 else places[near[0]]
                spot = far + 0.9 * far / np.hypot(*far)
                while np.nanmin(np.hypot(*(places - spot).T)) < 0.5:
                    spot = spot + np.array([0.35, -0.35])
                places[state] = spot
    return places


def _arc(start: np.ndarray, end: np.ndarray, count: int, clockwise: bool) -> tuple[np.ndarray, float]:
    """The middle of the arrow between two neighbors on the ring, and how far it bends outward."""
    bend = (-1.0 if clockwise else 1.0) * math.tan(0.5 * math.pi / count)
    right = np.array([end[1] - start[1], start[0] - end[0]])
    return 0.5 * (start + end) + 0.5 * bend * right, bend


def _write(ax: Axes, step: Step, middle: np.ndarray, on_ring: bool) -> None:
    drop = "∞" if math.isinf(step.drop) else f"{abs(step.drop) if step.moves else 0.0:.1f} kT"
    if not on_ring:
        ax.text(
            middle[0], middle[1], "\n".join(filter(None, (step.exchanged, drop))), ha="center", va="center",
            fontsize=SMALL, bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"},
        )  # fmt: skip
        return
    way = middle / np.hypot(*middle)
    for text, at, sign, color in (
        (drop, middle - 0.12 * way, -1.0, COLORS["text"]),
        (step.exchanged, middle + 0.15 * way, 1.0, COLORS["quiet"]),
    ):
        across, up = sign * way
        ha = "center" if abs(across) < 0.3 else ("left" if across > 0 else "right")
        va = "center" if abs(up) < 0.3 else ("bottom" if up > 0 else "top")
        ax.text(at[0], at[1], text, ha=ha, va=va, fontsize=SMALL, color=color)


def _summary(walked: list[Step], v: float) -> str:
    total = sum(step.drop for step in walked)
    given = "one way only" if not math.isfinite(total) else f"{_signed(-total)} kT a turn"
    turns = sum(step.flux for step in walked) / len(walked) if any(step.moves for step in walked) else 0.0
    return f"{_millivolts(v)}\n{_per_second(turns)}\n{given}"


def _millivolts(v: float) -> str:
    return _minus(f"{round(v, 1):g} mV")


def _per_second(flux: float) -> str:
    return _minus(f"{1e3 * flux:.3g} per s")


def _signed(x: float) -> str:
    text = f"{x:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else _minus(text)


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.0f} %"


def _minus(text: str) -> str:
    return text.replace("-", "\u2212")
