"""The figures of a report, each with the name of its file and its caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from .. import plot

if TYPE_CHECKING:
    from ..fit import Fit, HeldOut, VoltageClamp


@dataclass(frozen=True)
class Drawn:
    """One figure: its file's name without ending, the figure, its caption, and whether it is a small one."""

    name: str
    figure: Figure
    caption: str
    half: bool = False


def fits(fit: Fit, experiments: Sequence[VoltageClamp]) -> list[Drawn]:
    """Data and fit of every experiment."""
    drawn = []
    for k, experiment in enumerate(experiments):
        figure = _overlay(experiment, experiment.predict(fit.model), experiment.name)
        name = "fit" if len(experiments) == 1 else f"fit_{k + 1}"
        drawn.append(Drawn(name, figure, f"{experiment.name}: command, data and fit, residuals. {_note(experiment)}"))
    return drawn


def predictions(held_out: Sequence[HeldOut], experiments: Sequence[VoltageClamp]) -> list[Drawn]:
    """Data that the fit never saw, and its prediction."""
    drawn = []
    for k, (result, experiment) in enumerate(zip(held_out, experiments, strict=True)):
        figure = _overlay(experiment, result.prediction, f"{result.name}: prediction")
        name = "held_out" if len(held_out) == 1 else f"held_out_{k + 1}"
        drawn.append(Drawn(name, figure, f"{result.name}, which the fit did not see. {_note(experiment)}"))
    return drawn


def curves(
    fit: Fit,
    experiments: Sequence[VoltageClamp],
    gates: Sequence[str],
    channels: Sequence[str] = (),
    reference: Any = None,
) -> list[Drawn]:
    """Steady-state and time-constant curves, if the model has gates; those of a reference model dashed."""
    used = np.concatenate([np.ravel(e.recording.command_v) for e in experiments])
    data_range = (float(used.min()), float(used.max()))
    bath = experiments[0].bath
    if not plot.gating_curves(fit.model, bath, np.linspace(*data_range, 3), gates, channels).steady:
        return []
    figure = plot.gating(fit.model, bath, names=gates, channels=channels, reference=reference, data_range=data_range)
    caption = "Steady state and time constants of the fitted model; the voltages that occur in the data are shaded."
    if reference is not None:
        caption += " Dashed: the published model."
    return [Drawn("gating", figure, caption)]


def quality(fit: Fit) -> list[Drawn]:
    """Agreement of the starts and correlation of the parameters."""
    drawn = []
    losses = np.asarray(fit.losses, float)
    if losses.size > 1 and np.isfinite(losses).any():
        caption = "How far each start ended above the best; within 1 % in blue."
        drawn.append(Drawn("agreement", plot.agreement(losses).figure, caption, True))  # type: ignore[arg-type]
    names = [p.name for p in fit.free.parameters]
    matrix = np.asarray(fit.correlation, float)
    if len(names) > 1 and np.isfinite(matrix).any():
        caption = "Correlation of the fitted parameters."
        drawn.append(Drawn("correlation", plot.correlation(matrix, names).figure, caption, True))  # type: ignore[arg-type]
    return drawn


def _overlay(experiment: VoltageClamp, prediction: Any, title: str) -> Figure:
    """A panel for each sweep of a small family; one panel for one sweep, or for many."""
    recording = experiment.recording
    draw = plot.family if 1 < recording.sweeps <= plot.FAMILY else plot.overlay
    return draw(recording, prediction, title=title)


def _note(experiment: Any) -> str:
    used = experiment.recording.mask
    return "" if used.all() else f"{100.0 * used.mean():.3g} % of the samples are used; the rest is not drawn."
