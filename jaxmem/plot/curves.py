"""How a model's gates depend on voltage: steady values and time constants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..channel import Channel
from ..electrochemistry import as_bath
from ..gating import AbstractGating, HodgkinHuxley, Instantaneous, Markov
from ..kinetics import stationary
from .style import COLORS, CYCLE, new_axes, new_figure, styled


@dataclass(frozen=True)
class GatingCurves:
    """What a gating does at each voltage.

    `v` [mV] (voltages,); `steady`: name -> steady value (voltages,); `tau`: name -> time constant [ms]
    (voltages,); `open_probability`: name -> steady open probability (voltages,), one for each gated channel.
    """

    v: Float[np.ndarray, " voltages"]
    steady: dict[str, Float[np.ndarray, " voltages"]]
    tau: dict[str, Float[np.ndarray, " voltages"]]
    open_probability: dict[str, Float[np.ndarray, " voltages"]]


def gating_curves(
    model: Any, bath: Any, v: Any, names: Sequence[str] = (), channels: Sequence[str] = ()
) -> GatingCurves:
    """The curves of a channel, or of the gated channels of a tuple.

    Gates of the Hodgkin-Huxley kind give their steady value and time constant. A Markov scheme gives its
    steady open probability and the relaxation time constants -1/eigenvalue of its generator, slowest first.

    **Arguments:** `model`: a `Channel`, a gating, or a tuple of them; `bath`: a `Bath` or a temperature
    [K]; `v`: voltages [mV]; `names`: what to call the gates of all channels (default: gate 1, gate 2, ...); `channels`:
    what to call the parts of the model where several are gated (default: channel 1, channel 2, ...).
    """
    voltages = jnp.asarray(v, jnp.result_type(float))
    bath = as_bath(bath)
    parts = list(map(_gating, model if isinstance(model, tuple) else (model,)))
    called = [*channels, *(f"channel {k + 1}" for k in range(len(channels), len(parts)))]
    gatings = {name: g for name, g in zip(called, parts, strict=False) if g is not None and _gated(g)}
    steady: dict[str, np.ndarray] = {}
    tau: dict[str, np.ndarray] = {}
    probabilities: dict[str, np.ndarray] = {}
    given = iter(names)
    for channel, gating in gatings.items():
        prefix = f"{channel}, " if len(gatings) > 1 else ""
        probability = np.asarray(jax.vmap(lambda x, g=gating: g.open_probability(g.init(x, bath), x))(voltages))
        probabilities[prefix + "open probability"] = probability
        if isinstance(gating, HodgkinHuxley):
            values, rates = (np.asarray(a) for a in gating.relaxation(voltages, bath))
            for k, power in enumerate(gating.powers):
                name = next(given, f"{prefix}gate {k + 1}" + (f" (power {power})" if power > 1 else ""))
                steady[name], tau[name] = values[:, k], 1.0 / rates[:, k]
            if gating.factor is not None:
                steady[prefix + "rectification"] = np.asarray(gating.factor.open_probability((), voltages))
        elif isinstance(gating, Markov):
            steady[prefix + "open probability"] = probability
            for k, column in enumerate(_relaxation_times(gating, voltages, bath).T):
                tau[f"{prefix}tau {k + 1}"] = column
        else:
            steady[prefix + "open probability"] = probability
    return GatingCurves(np.asarray(voltages), steady, tau, probabilities)


def _gating(part: Any) -> AbstractGating | None:
    if isinstance(part, Channel):
        return part.gating
    return part if isinstance(part, AbstractGating) else None


def _gated(gating: AbstractGating | None) -> bool:
    return isinstance(gating, (HodgkinHuxley, Markov, Instantaneous))


def _relaxation_times(
    gating: Markov, v: Float[Array, " voltages"], bath: Any
) -> Float[np.ndarray, "voltages relaxations"]:
    """-1/Re(eigenvalue) [ms] at each voltage, slowest first; the eigenvalue of the steady state is left out.

    The generator is made symmetric by its own steady state, where it has detailed balance, so that the
    eigenvalues of stiff schemes keep their digits.
    """
    q = np.asarray(gating.generator(v, bath), np.float64)
    p = np.asarray(jax.vmap(stationary)(jnp.asarray(q, v.dtype)), np.float64)
    root = np.sqrt(np.maximum(p, np.finfo(float).tiny))
    balanced = q * root[:, :, None] / root[:, None, :]
    eigenvalues = np.sort(np.linalg.eigvals(balanced).real, axis=1)[:, :-1]
    with np.errstate(divide="ignore"):
        return np.sort(-1.0 / np.minimum(eigenvalues, -0.0), axis=1)[:, ::-1]


def _shade(ax: Axes, data_range: tuple[float, float] | None, curves: GatingCurves) -> None:
    if data_range is not None:
        low, high = max(data_range[0], curves.v.min()), min(data_range[1], curves.v.max())
        ax.axvspan(low, high, color=COLORS["shade"], linewidth=0, zorder=0)
        ax.text(
            0.5 * (low + high),
            1.01,
            "voltages in the data",
            transform=ax.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=7.5,
            color=COLORS["quiet"],
        )
    ax.set_xlim(curves.v.min(), curves.v.max())


@styled
def steady_state(
    curves: GatingCurves,
    ax: Axes | None = None,
    *,
    reference: GatingCurves | None = None,
    data_range: tuple[float, float] | None = None,
) -> Axes:
    """Steady gate values and open probability against voltage.

    **Arguments:** `reference`: other curves, dashed, such as the start's or the published; `data_range`:
    lowest and highest voltage in the data [mV], shaded.
    """
    ax = new_axes(ax)
    _shade(ax, data_range, curves)
    for k, (name, values) in enumerate(curves.steady.items()):
        ax.plot(curves.v, values, color=CYCLE[k % len(CYCLE)], label=name)
        if reference is not None and name in reference.steady:
            ax.plot(
                reference.v,
                reference.steady[name],
                color=COLORS["text"],
                linestyle=(0, (4, 3)),
                linewidth=0.9,
                zorder=3,
            )
    several = len(curves.open_probability) > 1
    for k, (name, values) in enumerate(curves.open_probability.items(), len(curves.steady)):
        if not any(np.array_equal(values, drawn) for drawn in curves.steady.values()):
            color = CYCLE[k % len(CYCLE)] if several else COLORS["command"]
            ax.plot(curves.v, values, color=color, linestyle=":", label=name)
    ax.set(xlabel="V (mV)", ylabel="steady value", ylim=(-0.03, 1.03))
    many = len(ax.get_legend_handles_labels()[1]) > 4
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.17), "ncols": 2}
    ax.legend(**(below if many else {"loc": "best"}))
    return ax


@styled
def time_constants(
    curves: GatingCurves,
    ax: Axes | None = None,
    *,
    reference: GatingCurves | None = None,
    data_range: tuple[float, float] | None = None,
) -> Axes:
    """Time constants [ms] against voltage, on a log scale where they span more than a factor of 20."""
    ax = new_axes(ax)
    _shade(ax, data_range, curves)
    for k, (name, values) in enumerate(curves.tau.items()):
        ax.plot(curves.v, values, color=CYCLE[k % len(CYCLE)], label=name)
        if reference is not None and name in reference.tau:
            ax.plot(
                reference.v,
                reference.tau[name],
                color=COLORS["text"],
                linestyle=(0, (4, 3)),
                linewidth=0.9,
                zorder=3,
            )
    drawn = np.concatenate([np.ravel(values) for values in curves.tau.values()] or [np.ones(1)])
    drawn = drawn[np.isfinite(drawn) & (drawn > 0)]
    if drawn.size and drawn.max() > 20.0 * drawn.min():
        ax.set_yscale("log")
        ax.set_ylim(max(0.7 * drawn.min(), 1e-7 * drawn.max()), 1.5 * drawn.max())
    else:
        ax.set_ylim(bottom=0.0)
    ax.set(xlabel="V (mV)", ylabel="time constant (ms)")
    if curves.tau:
        ax.legend(loc="best")
    return ax


@styled
def gating(
    model: Any,
    bath: Any,
    v: Any = None,
    *,
    names: Sequence[str] = (),
    channels: Sequence[str] = (),
    reference: Any = None,
    data_range: tuple[float, float] | None = None,
    figure: Figure | None = None,
) -> Figure:
    """Steady-state and time-constant curves of a model, side by side.

    **Arguments:** `v`: voltages [mV] (default: -140 to 80, and what the data reach); `names`, `channels`: as for
    `gating_curves`; `reference`: another model of the same kind, dashed.
    """
    if v is None:
        low, high = data_range or (-120.0, 60.0)
        v = np.linspace(min(-140.0, low - 10.0), max(80.0, high + 10.0), 221)
    curves = gating_curves(model, bath, v, names, channels)
    other = None if reference is None else gating_curves(reference, bath, v, names, channels)
    figure = new_figure(figure, 3.1)
    left, right = figure.subplots(1, 2)
    steady_state(curves, left, reference=other, data_range=data_range)
    time_constants(curves, right, reference=other, data_range=data_range)
    return figure
