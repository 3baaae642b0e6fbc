"""`jaxmem simulate`: a voltage clamp of a model, written as figure, table and arrays."""

import argparse
import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np

from .setting import prepare

FILES = ("simulation.png", "simulation.csv", "simulation.npz")
MOST_SAMPLES = 4_000_000  # of all sweeps


def simulate(options: argparse.Namespace) -> int:
    """Runs the clamp and writes simulation.png, simulation.csv and simulation.npz."""
    prepare()
    from .. import plot
    from ..report import files
    from ..results import InputError
    from ..simulate import voltage_clamp
    from .commands import command
    from .conditions import bath, interval, shown
    from .models import load, suits, supplied

    chosen = load(options.model)
    suits(options, chosen)
    given = interval(options.dt) if options.dt else None
    protocol = command([word for words in options.protocol for word in words], dt=given, held=not options.linear)
    if options.holding is not None:
        level = options.holding if protocol.family is None else np.full(protocol.family, options.holding)
        protocol = protocol.held_at(level)
    if not protocol.duration > 0:
        raise InputError("The protocol must last; say for how long, such as 'for 500 ms'.")
    dt = given or min(0.1, _round(protocol.duration / 1000.0))
    sweeps = protocol.family or 1
    count = int(np.floor(protocol.duration / dt * (1 + 1e-12))) + 1
    if not 2 <= count <= MOST_SAMPLES // sweeps:
        raise InputError(
            f"The protocol must have 2 to {MOST_SAMPLES} samples, but {protocol.duration:g} ms at {dt:g} ms and "
            f"{sweeps} sweeps are {count * sweeps}; give another --dt."
        )
    conditions = supplied(chosen, bath(options.temperature, options.bath, chosen.file.bath))
    mark = _identity(chosen.file.document, protocol, conditions, dt)
    folder = files.claim(
        options.out or f"jaxmem_simulate_{chosen.file_name}", FILES, lambda place: _mark(place / FILES[-1]) == mark
    )
    trace = voltage_clamp(chosen.model, protocol, dt * np.arange(count), bath=conditions)
    v, current = np.atleast_2d(np.asarray(trace.v)), np.atleast_2d(np.asarray(trace.current))
    v = np.broadcast_to(v, current.shape)
    figure = plot.simulation(trace, unit=chosen.unit, names=chosen.channels, title=chosen.name)
    written = [
        files.write(folder / FILES[0], files.png(figure)),
        files.write(folder / FILES[1], _csv(np.asarray(trace.t), v, current, chosen.unit)),
        files.write(folder / FILES[2], _npz(trace, v, current, chosen.unit, mark)),
    ]
    if not options.quiet:
        print(f"{sweeps} sweeps of {count} samples" if sweeps > 1 else f"{count} samples", end="")
        print(f", {dt:g} ms apart, from {np.ravel(protocol.holding)[0]:g} mV, at {shown(conditions)}; wrote")
        for path in written:
            print(f"  {Path(path)}")
    return 0


def _round(value: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is at most `value`."""
    ten = 10.0 ** np.floor(np.log10(value))
    return float(ten * max(k for k in (1, 2, 5) if k * ten <= value * (1 + 1e-9)))


def _csv(t: np.ndarray, v: np.ndarray, current: np.ndarray, unit: str) -> str:
    """A long table with one row for each sample, sweep after sweep, that `recordings.read` understands."""
    sweep = np.repeat(np.arange(len(v)), t.size)
    rows = np.column_stack([sweep, np.tile(t, len(v)), v.ravel(), current.ravel()])
    text = io.StringIO()
    text.write(f"sweep,time [ms],voltage [mV],current [{unit}]\n")
    np.savetxt(text, rows, fmt=["%d", "%.10g", "%.10g", "%.10g"], delimiter=",")
    return text.getvalue()


def _identity(document, protocol, conditions, dt: float) -> str:
    """What tells one simulation from another: the model, the command, the conditions and the sampling."""
    import jax

    digest = hashlib.sha256(repr((document, dt, str(jax.tree.structure((protocol, conditions))))).encode())
    for leaf in jax.tree.leaves((protocol, conditions)):
        digest.update(repr(np.shape(leaf)).encode() + np.asarray(leaf, float).tobytes())
    return digest.hexdigest()


def _mark(path: Path) -> str:
    """The identity of the simulation in a file, "" if there is none."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return str(file["identity"])
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return ""


def _npz(trace, v: np.ndarray, current: np.ndarray, unit: str, identity: str) -> bytes:
    arrays = {"time_ms": np.asarray(trace.t), "voltage_mV": v, "current": current, "unit": np.array(unit)}
    arrays["identity"] = np.array(identity)
    for k, (each, opened) in enumerate(zip(trace.currents, trace.open_probability, strict=True), 1):
        arrays[f"current_{k}"] = np.asarray(each)
        if opened is not None:
            arrays[f"open_probability_{k}"] = np.asarray(opened)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()
