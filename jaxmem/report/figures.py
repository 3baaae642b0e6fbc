"""The figures of a report, each with the name of its file and its caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import scipy.stats
from jaxtyping import Float
from matplotlib.figure import Figure

from .. import plot
from ..electrochemistry import Bath
from ..fit import CurrentClamp, Experiment, Fit, HeldOut, Smooth, Steady, VoltageClamp
from ..permeation import BarrierPore, PorePNP
from ..plot.style import new_figure
from ..results import InputError
from ..transport import QuasiSteady, Transporter
from . import pores
from .numbers import digits
from .pores import parts as _parts
from .summary import CELSIUS, conditions, said


@dataclass(frozen=True)
class Drawn:
    """One figure: its file's name without ending, the figure, its caption, and whether it is a small one."""

    name: str
    figure: Figure
    caption: str
    half: bool = False


def fits(fit: Fit, experiments: Sequence[Experiment]) -> list[Drawn]:
    """Data and fit of every experiment."""
    shown = [(e.name, _data(e, e.predict(fit.model), fit.model, e.name)) for e in experiments]
    return _numbered("fit", [(figure, f"{name}: {text}") for name, (figure, text) in shown])


def predictions(fit: Fit, held_out: Sequence[HeldOut], experiments: Sequence[Experiment]) -> list[Drawn]:
    """Data that the fit never saw, and its prediction."""
    shown = [
        (h.name, _data(e, h.prediction, fit.model, f"{h.name}: prediction"))
        for h, e in zip(held_out, experiments, strict=True)
    ]
    unseen = "which the fit did not see"
    return _numbered("held_out", [(figure, f"{name}, {unseen}: {text}") for name, (figure, text) in shown])


def _numbered(name: str, pictures: Sequence[tuple[Figure, str]]) -> list[Drawn]:
    """Figures with their captions under one name, with a number where there are several."""
    names = [name] if len(pictures) == 1 else [f"{name}_{k + 1}" for k in range(len(pictures))]
    return [Drawn(each, figure, caption) for each, (figure, caption) in zip(names, pictures, strict=True)]


@singledispatch
def _data(experiment: Experiment, prediction: Any, model: Any, title: str) -> tuple[Figure, str]:
    """The figure of data of one kind with what a model predicts, and in words what it shows."""
    raise InputError(f"{experiment.name}: the report has no figure for a {type(experiment).__name__}.")


@_data.register
def _(experiment: VoltageClamp, prediction: Any, model: Any, title: str) -> tuple[Figure, str]:
    recording = experiment.recording  # a panel for each sweep of a small family; one for one sweep, or for many
    draw = plot.family if 1 < recording.sweeps <= plot.FAMILY else plot.overlay
    used = recording.mask
    note = "" if used.all() else f" {100.0 * used.mean():.3g} % of the samples are used; the rest is not drawn."
    return draw(recording, prediction, title=title), f"command, data and fit, residuals.{note}"


@_data.register
def _(experiment: CurrentClamp, prediction: Any, model: Any, title: str) -> tuple[Figure, str]:
    # Whatever of it was fitted, what one wants to see is the voltage.
    figure, text = _data(
        VoltageClamp(experiment.recording, 273.15), np.asarray(experiment.voltages_of(model)), model, title
    )
    compared = "" if np.shape(prediction) == experiment.recording.current.shape else " Fitted were readings of it."
    return figure, text + compared


@_data.register
def _(experiment: Steady, prediction: Any, model: Any, title: str) -> tuple[Figure, str]:
    points = experiment.measurement
    figure = plot.measurement(points, lambda m: Steady(m, sigma=1.0).predict(model), title=title)
    what, size = "points", ""
    if points.error is not None:
        left = (np.reshape(prediction, -1) - points.value) / points.error
        rms = float(np.sqrt(np.mean(left[np.reshape(experiment.mask, -1)] ** 2)))
        what, size = "points with their standard errors", f" (rms {digits(rms, 3)} standard errors)"
    relative = "" if points.normalized is None else f" relative to point {points.normalized},"
    taken = said(conditions(experiment))
    return figure, f"{what},{relative} the model's curves between their conditions, and residuals{size}; {taken}."


@_data.register
def _(experiment: Smooth, prediction: Any, model: Any, title: str) -> tuple[Figure, str]:
    values = np.asarray(experiment.select(model), float)
    figure = new_figure(None, 2.4)
    ax = figure.add_subplot()
    ax.stairs(values, np.arange(values.size + 1) + 0.5, color=plot.COLORS["fit"], linewidth=1.4, baseline=None)
    ax.set(title=title, xlabel="number", ylabel="value", xlim=(0.5, values.size + 0.5))
    size = float(np.sqrt(np.mean((np.asarray(prediction) / np.asarray(experiment.sigma)) ** 2)))
    return figure, f"the fitted numbers; their differences are {digits(size, 3)} of the given standard deviation (rms)."


def curves(
    fit: Fit,
    experiments: Sequence[Experiment],
    gates: Sequence[str],
    channels: Sequence[str] = (),
    reference: Any = None,
) -> list[Drawn]:
    """Steady-state and time-constant curves, if the model has gates; those of a reference model dashed."""
    ends = [e.voltages for e in experiments if e.voltages is not None]
    baths = [e.conditions for e in experiments if e.conditions is not None]
    if not ends or not baths:
        return []
    data_range = (min(low for low, _ in ends), max(high for _, high in ends))
    bath = baths[0]
    if bath.temperature.ndim:  # of points, the first
        bath = jax.tree.map(lambda leaf: jnp.asarray(leaf[0]), bath)
    if not plot.gating_curves(fit.model, bath, np.linspace(*data_range, 3), gates, channels).steady:
        return []
    figure = plot.gating(fit.model, bath, names=gates, channels=channels, reference=reference, data_range=data_range)
    caption = "Steady state and time constants of the fitted model; the voltages that occur in the data are shaded."
    if reference is not None:
        caption += " Dashed: the published model."
    return [Drawn("gating", figure, caption)]


def _reach(fit: Fit) -> float:
    """How many standard errors a 95 % interval reaches to either side."""
    return float(scipy.stats.t.ppf(0.975, fit.degrees_of_freedom)) if fit.degrees_of_freedom > 0 else float("nan")


def along(fit: Fit, experiments: Sequence[Experiment]) -> list[Drawn]:
    """Potential and concentrations along every Poisson-Nernst-Planck pore in the model, at a point of the data."""
    point = next((found for found in map(_point, experiments) if found is not None), None)
    if point is None or not _parts(fit.model, PorePNP):
        return []
    return _numbered("pore", pores.profiles(fit, *point, _reach(fit)))


def profiles(fit: Fit) -> list[Drawn]:
    """The energy profile of every barrier pore in the model, with the uncertainty of the fit."""
    reach = _reach(fit)
    pictures = []
    for pore, errors in zip(_parts(fit.model, BarrierPore), _profile_errors(fit), strict=True):
        ax = plot.energy_profile(pore, errors=errors, reach=reach)
        kelvin = "" if pore.reference is None else f", in kT at {digits(float(pore.reference) - CELSIUS)} °C"
        text = f"Energy of a lone ion along the fitted pore at 0 mV, with both baths at 1 M{kelvin}."
        if (np.nan_to_num(errors) > 0).any():
            text += " Shaded, where wider than the line: 95 % intervals from the covariance of the fit."
        text += "" if np.isfinite(errors).all() else " Hollow: on a bound, or not determined by the data."
        pictures.append((ax.figure, text))
    return _numbered("energy_profile", pictures)


def _profile_errors(fit: Fit) -> list[Float[np.ndarray, "species energies energies"]]:
    """Covariances [kT^2] of the energies of each pore: J C J^T, with the exact J of the energies by the parameters.

    Not a number where a parameter takes part that has no error, being on a bound or not determined.
    """
    pores = lambda values: _parts(fit.free.place(fit.model, values), BarrierPore)
    energies = lambda values: [plot.lone_ion_energies(pore) for pore in pores(values)]
    known = np.isfinite(np.diag(fit.covariance))
    covariance = np.where(known[:, None] & known[None, :], fit.covariance, 0.0)
    found = []
    for slopes in jax.jit(jax.jacfwd(energies))(jnp.asarray(fit.values)):
        slopes = np.asarray(slopes)
        matrix = np.einsum("sip,pq,sjq->sij", slopes, covariance, slopes)
        lost = (slopes[:, :, ~known] != 0.0).any(-1)
        found.append(np.where(lost[:, :, None] | lost[:, None, :], np.nan, matrix))
    return found


def turns(fit: Fit, experiments: Sequence[Experiment]) -> list[Drawn]:
    """The cycle of every transporter in the model and its free-energy staircase, at a point of the data.

    It is the first whose concentrations are all above zero, so that every step has a way back, at the mean voltage.
    """
    point = next((found for found in map(_point, experiments) if found is not None), None)
    if point is None:
        return []
    v, bath = point
    pictures = []
    for transporter in _parts(fit.model, (Transporter, QuasiSteady)):
        ring, stairs = new_figure(None, 5.6).add_subplot(), new_figure(None, 3.6).add_subplot()
        at = f"at {digits(v)} mV in the first solution of the data that holds all its species"
        plot.cycle(transporter.scheme, v, bath, ring)
        plot.staircase(transporter.scheme, v, bath, stairs)
        pictures += [
            (ring.figure, f"The fitted cycle {at}: widths are net fluxes, numbers the free energy given up (kT)."),
            (stairs.figure, f"Free energy once round the fitted cycle {at}."),
        ]
    return _numbered("cycle", pictures)


def _point(experiment: Experiment) -> tuple[float, Bath] | None:
    """Mean voltage, and the first bath of an experiment in which nothing is missing."""
    bath, voltages = experiment.conditions, experiment.voltages
    if bath is None or voltages is None or not bath.species:
        return None
    sides = np.stack(np.broadcast_arrays(*(np.asarray(c) for s in bath.species for c in bath[s])))
    present = np.flatnonzero(np.atleast_1d((sides > 0).all(0)))
    if not present.size:
        return None
    one = jax.tree.map(lambda x: x[int(present[0])], bath) if sides.ndim > 1 else bath
    return 0.5 * sum(voltages), one


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
