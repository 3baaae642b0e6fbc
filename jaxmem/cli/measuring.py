"""What to fit: files of steady measurements from the words of a command line."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from .. import fit, recordings
from ..results import InputError
from .conditions import bath
from .job import Job
from .models import Chosen, load, suits

#: The units of what is measured of a model, by the unit of its current.
UNITS = {"pA": ("pA", "nS"), "uA/cm2": ("uA/cm2", "mS/cm2"), "pA/pF": ("pA/pF", "nS/pF")}
ANY = ("mV", "1")  # reversal potentials, and numbers relative to one of the points


def measured(options: argparse.Namespace) -> Job:
    """The job of fitting a model to the files of --measurement.

    **Raises:** `InputError` for options that do not go together, and whatever is wrong with the input.
    """
    if not options.model:
        raise InputError("--measurement needs --model FILE.toml, or --model NAME of a model that ships")
    chosen = load(options.model)
    suits(options, chosen)
    if options.sigma and len(options.sigma) not in (1, len(options.measurement)):
        raise InputError(f"--sigma must be one number or one for each of {len(options.measurement)} files")
    experiments = _experiments(options.measurement, options, chosen)
    if options.sigma:
        weights = options.sigma * len(experiments) if len(options.sigma) == 1 else options.sigma
        experiments = [fit.Steady(e.measurement, sigma=s) for e, s in zip(experiments, weights, strict=True)]
    left = options.held_out or []
    for repeated in {path for path in left if path in options.measurement}:
        raise InputError(f"--held-out {repeated}: is fitted, so it cannot be held out; leave it out of one of them")
    return Job(
        f"{Path(options.measurement[0]).stem}_{chosen.file_name}",
        f"{chosen.name} fitted to {', '.join(e.name for e in experiments)}",
        experiments, chosen.model, chosen.file.free, chosen, _experiments(left, options, chosen),
    )  # fmt: skip


def _experiments(paths: Sequence[str], options: argparse.Namespace, chosen: Chosen) -> list[fit.Steady]:
    """One for each file; what a file does not list is that of the command line, of the model file, or 22 C."""
    conditions = bath(options.temperature, options.bath, chosen.file.bath)
    found = []
    for path in paths:
        points = recordings.read_measurement(path, bath=conditions, normalized=options.relative_to)
        if points.unit not in (*UNITS.get(chosen.unit, ()), *ANY):
            raise InputError(
                f"{path}: is in {points.unit}, but the model '{chosen.name}' gives {chosen.unit}; change the unit of "
                "its conductance, or that of the points"
            )
        missing = [s.name for s in chosen.file.species if s not in points.bath]
        if missing:
            raise InputError(
                f"{path}: must list {', '.join(missing)}, which the model '{chosen.name}' carries; add columns"
            )
        found.append(fit.Steady(points))
    return found
