"""What to fit: the words of a command line as experiments, a model and its free parameters."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import datasets, fit, recordings
from ..recordings import Recording
from ..results import InputError
from . import measuring, squid
from .commands import command, is_file
from .conditions import bath, interval
from .job import Job
from .models import Chosen, describe, load, suits, supplied

#: The options of a data set that ships; of recordings, of measurements, and of both.
SHIPPED = ("dataset", "cell", "free_g")
RECORDED = (
    *("units", "dt", "channel", "variable", "delay", "blank", "baseline", "junction", "held_out_protocol", "holding"),
    *("linear", "dac", "sweeps", "subtract_leak", "window", "only", "capacitance"),
)
MEASURED = ("relative_to",)
OWN = ("model", "temperature", "bath", "sigma")
DEFAULT = "hodgkin_huxley_1952"


def job(options: argparse.Namespace) -> Job:
    """The job that the options describe.

    **Raises:** `InputError` for options that do not go together, and whatever is wrong with the input.
    """
    if options.recording or options.measurement:
        _refuse(options, SHIPPED, "belongs to a data set that ships; leave it out with --recording and --measurement")
    if options.measurement:
        _refuse(options, ("recording", "protocol", *RECORDED), "belongs to recordings; leave it out with --measurement")
        return measuring.measured(options)
    _refuse(options, MEASURED, "needs --measurement FILE; see jaxmem fit --help")
    if options.recording:
        return _own(options)
    _refuse(options, RECORDED, "needs --recording FILE; see jaxmem fit --help")
    _refuse(options, OWN, "needs --recording FILE or --measurement FILE; see jaxmem fit --help")
    name = options.dataset or DEFAULT
    if name not in datasets.DATASETS:
        hint = " (for a file, write --recording FILE)" if Path(name).exists() else ""
        raise InputError(f"A data set must be one of {', '.join(datasets.DATASETS)}, but is '{name}'{hint}")
    return _squid(options) if name == DEFAULT else _shipped(name, options)


def _refuse(options: argparse.Namespace, names: Sequence[str], reason: str) -> None:
    given = [_flag(name) for name in names if getattr(options, name) not in (None, False)]
    if given:
        raise InputError(f"{', '.join(given)}: {reason}")


def _flag(name: str) -> str:
    return name if name == "dataset" else "--" + name.replace("_", "-")


def _squid(options: argparse.Namespace) -> Job:
    for name in ("cell", "protocol", "held_out"):
        if getattr(options, name) is not None:
            raise InputError(f"{_flag(name)}: {DEFAULT} has one recording and nothing to hold out")
    source = datasets.DATASETS[DEFAULT]
    return Job(
        DEFAULT + ("_free_g" if options.free_g else ""),
        "Potassium conductance of the squid axon (Hodgkin & Huxley 1952, Table 1)",
        (source.experiment(),), source.model(), squid.free(conductance=options.free_g),
        describe(source.file()),
        starts=24, finish=squid.extra, reference=source.model(),
    )  # fmt: skip


def _shipped(name: str, options: argparse.Namespace) -> Job:
    if options.free_g:
        raise InputError(f"--free-g belongs to {DEFAULT}; the conductance of {name} is free anyway")
    source = datasets.DATASETS[name]
    which = {} if options.cell is None else {"cell": options.cell}
    cell = options.cell if options.cell is not None else source.options.get("cell")
    first = source.options.get("protocol")
    protocols: list[str] = options.protocol or [str(first)]
    left = options.held_out
    if left is None:
        default = (source.held_out or {}).get("protocol")
        left = [default] if default and default not in protocols else []
    for repeated in {p for p in left if p in protocols}:
        raise InputError(f"--held-out {repeated}: is fitted, so it cannot be held out; leave it out of one of them")

    fitted = {p: source.experiment(**which, protocol=p) for p in protocols}
    unseen = {p: source.experiment(**which, protocol=p) for p in left}
    return Job(
        f"{name}_cell{cell}" + ("" if protocols == [first] else "_" + "_".join(protocols)),
        f"{source.description.split(':')[0]}, cell {cell} ({name})",
        list(fitted.values()),
        source.model(**which), source.free(**which), describe(source.file(**which)),
        list(unseen.values()),
        reference=source.model(**which), protocols={e.name: p for p, e in (fitted | unseen).items()},
    )  # fmt: skip


def _own(options: argparse.Namespace) -> Job:
    if not options.model:
        raise InputError("--recording needs --model FILE.toml, or --model NAME of a model that ships")
    chosen = load(options.model)
    suits(options, chosen)
    read = _reader(options)
    conditions = lambda recording: supplied(
        chosen, bath(options.temperature, options.bath, chosen.file.bath, recording.temperature)
    )
    if options.sigma and len(options.sigma) not in (1, len(options.recording)):
        raise InputError(f"--sigma must be one number or one for each of {len(options.recording)} files")
    experiments = _experiments(options.recording, options.protocol, "--protocol", read, conditions, chosen)
    if options.sigma:
        weights = options.sigma * len(experiments) if len(options.sigma) == 1 else options.sigma
        experiments = [
            fit.VoltageClamp(e.recording, e.bath, sigma=s) for e, s in zip(experiments, weights, strict=True)
        ]
    left = _experiments(
        options.held_out or [], options.held_out_protocol, "--held-out-protocol", read, conditions, chosen
    )
    return Job(
        f"{Path(options.recording[0]).stem}_{chosen.file_name}",
        f"{chosen.name} fitted to {', '.join(e.name for e in experiments)}",
        experiments, chosen.model, chosen.file.free, chosen, left,
    )  # fmt: skip


def _experiments(
    paths: Sequence[str],
    commands: Sequence[str] | None,
    flag: str,
    read: Any,
    conditions: Any,
    chosen: Chosen,
) -> list[Any]:
    if commands and len(commands) not in (1, len(paths)):
        raise InputError(
            f"{flag} must be given once, or once for each of {len(paths)} files, not {len(commands)} times"
        )
    commands = list(commands or [None])  # type: ignore[list-item]
    commands = commands * len(paths) if len(commands) == 1 else commands
    found = []
    for path, word in zip(paths, commands, strict=True):
        recording = read(path, word if word is None or is_file(word) else command([word]))
        if recording.unit != chosen.unit:
            raise InputError(
                f"{path}: is in {recording.unit}, but the model '{chosen.name}' gives {chosen.unit}; change the unit "
                "of its conductance, or divide the recording by the capacitance first"
            )
        found.append(fit.VoltageClamp(recording, conditions(recording)))
    return found


def _reader(options: argparse.Namespace) -> Any:
    given: dict[str, Any] = {
        "units": recordings.parse_units(options.units) if options.units else None,
        "dt": interval(options.dt) if options.dt else None,
        "channel": options.channel,
        "dac": options.dac,
        "variable": options.variable,
        "held": not options.linear,
    }

    def read(path: str, protocol: Any) -> Recording:
        recording = recordings.read(path, protocol, **given)
        if not recording.name:
            recording = replace(recording, name=Path(path).stem)
        if options.sweeps is not None:
            recording = recording.select(options.sweeps)
        if options.holding is not None:
            recording = recording.held_at(options.holding)
        if options.delay:
            recording = recording.delay(options.delay)
        if options.junction:
            recording = recording.offset_command(options.junction)  # of the holding voltage, too
        if options.blank:
            recording = recording.blank(options.blank)
        if options.baseline:
            recording = recording.baseline(tuple(options.baseline))
        if options.subtract_leak:
            ends = options.subtract_leak
            if len(ends) % 2:
                raise InputError(f"--subtract-leak must be given pairs of times T0 T1, but has {len(ends)} times")
            windows = zip(ends[::2], ends[1::2], strict=True)
            recording = recording.subtract_leak(recordings.analysis.leak_fit(recording, *windows))
        if options.capacitance is not None:
            recording = recording.density(options.capacitance)
        if options.window:
            recording = recording.window(*options.window)
        if options.only:
            recording = recording.only(*options.only)
        return recording

    return read
