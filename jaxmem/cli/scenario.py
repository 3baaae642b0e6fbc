"""A sweep as a TOML file: the cell, what is done to it, what is recorded, what varies. Parsed, never evaluated."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from .. import cell, library, simulate, sweep, units
from ..modelfile.document import from_file
from ..modelfile.table import Table
from ..params import parameters, positive
from ..protocols import Protocol, parse
from ..results import InputError
from .conditions import bath
from .models import Chosen, load, supplied
from .varying import Variable, number, of_cell, of_file, read_varied

KEYS = (
    "model", "capacitance", "temperature", "bath", "start", "stimulus", "duration", "method", "dt", "record",
    "threshold", "spikes", "every", "design", "lanes", "seed", "chunk", "block", "precision", "vary",
)  # fmt: skip
METHODS = {
    "staggered": simulate.Staggered,
    "exponential_euler": simulate.ExponentialEuler,
    "runge_kutta": simulate.RungeKutta,
}
#: What can be recorded, and its unit.
RECORDS = {"spike_count": "", "spike_times": "ms", "peak": "mV", "mean": "mV", "voltage": "mV"}
#: The unit of a membrane's capacitance by that of its current; there is none where currents are by capacitance.
CAPACITANCE = {"pA": "pF", "uA/cm2": "uF/cm2", "pA/pF": ""}
SCALE = {"stimulus": Variable(lambda s: s["stimulus"], "")}
MOST, MOST_SAMPLES = 2**31 - 1, 1_000_000


@dataclasses.dataclass(frozen=True)
class Scenario:
    """What `sweep.run` needs; `units`: of the results."""

    function: Callable[[Any], dict[str, Any]]
    varied: sweep.Varied
    chunk: int
    block: int | None
    units: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is simulated.

    **Arguments:** `settings`: a pytree of its numbers; `build(settings)`: the cell; `known`: what may be varied, by
    name; `current`: the unit of what is injected.
    """

    settings: dict[str, Any]
    build: Callable[[Any], cell.AbstractCell]
    known: dict[str, Variable]
    current: str


def document(path: str) -> Table:
    """The file's tables.

    **Raises:** `InputError` if it is no TOML file, or holds an unknown key.
    """
    return from_file(path).only(*KEYS)


def in_float64(root: Table) -> bool:
    """Whether the sweep is computed in float64."""
    return root.choice("precision", ("float32", "float64"), "float64") == "float64"


def scenario(root: Table) -> Scenario:
    """The sweep that a file describes, in the precision that is set.

    **Raises:** `InputError`, one line that names the file, the place and the remedy.
    """
    subject = _subject(root)
    command = _stimulus(root, subject.current)
    results = root.names("record")
    for name in results:
        Table(root.file, "", {"record": name}).choice("record", tuple(RECORDS))
    t = _times(root, command, "voltage" in results)
    method = _method(root, subject.build(subject.settings))
    recorders = _recorders(root, results)

    def function(settings: dict[str, Any]) -> dict[str, Any]:
        injected = None if command is None else _scaled(command, settings["stimulus"])
        trace = simulate.current_clamp(
            subject.build(settings), injected, t, method=method, record=tuple(recorders.values()), throw=False
        )
        found = {"voltage": trace.v, **dict(zip(recorders, trace.records, strict=True))}
        return {**{name: found[name] for name in results}, "result": trace.result}

    return Scenario(
        function,
        read_varied(root, subject.settings, subject.known),
        root.whole("chunk", 1, MOST) if "chunk" in root else 65536,
        root.whole("block", 1, MOST) if "block" in root else None,
        {name: RECORDS[name] for name in results},
    )


def _subject(root: Table) -> Subject:
    word = root.text("model")
    if word in library.CELLS:
        for key in ("capacitance", "temperature", "bath", "start"):
            if key in root:
                root.fail(f"'{word}' is a whole cell and has its own; vary it as one of its parameters", key)
        whole = library.load(word).model()
        densities = any(e.unit and units.dimension(e.unit) == "conductance density" for e in parameters(whole))
        settings = {"cell": whole, "stimulus": jnp.asarray(1.0)}
        return Subject(settings, lambda s: s["cell"], {**SCALE, **of_cell(whole)}, "uA/cm2" if densities else "pA")
    beside = Path(root.file).parent / word
    try:
        chosen = load(str(beside) if beside.is_file() else word)
    except InputError as error:
        root.fail(str(error), "model")
    return _patch(root, chosen)


def _patch(root: Table, chosen: Chosen) -> Subject:
    """A membrane of the channels of a model, between solutions that do not change."""
    file = chosen.file
    if file.unit not in CAPACITANCE:
        root.fail(f"'{chosen.name}' gives {file.unit}, which is no current; choose a model of channels", "model")
    warmth = root.text("temperature") if "temperature" in root else None
    ions = root.text("bath") if "bath" in root else None
    conditions = supplied(chosen, bath(warmth, ions, file.bath))
    start = number(root, "start", "mV") if "start" in root else -65.0
    unit = CAPACITANCE[file.unit]
    settings = {
        "parameters": {s.name: jnp.asarray(s.quantity.value, float) for s in file.specifications if not s.tie},
        "temperature": jnp.asarray(conditions.temperature),
        "stimulus": jnp.asarray(1.0),
        "capacitance": jnp.asarray(number(root, "capacitance", unit) if unit else 1.0),
    }
    known = {**SCALE, "temperature": Variable(lambda s: s["temperature"], "K", positive)}
    if unit:
        known["capacitance"] = Variable(lambda s: s["capacitance"], unit, positive)

    def build(settings: dict[str, Any]) -> cell.Cell:
        warm = eqx.tree_at(lambda b: b.temperature, conditions, settings["temperature"])
        return cell.point(file.build(settings["parameters"]), settings["capacitance"], warm, start=start)

    return Subject(settings, build, {**known, **of_file(file)}, file.unit)


def _stimulus(root: Table, unit: str) -> Protocol | None:
    if "stimulus" not in root:
        return None
    given = root["stimulus"]
    sentences = [given] if isinstance(given, str) else root.names("stimulus")
    try:
        command = parse(*sentences, unit=unit)
    except ValueError as error:
        root.fail(str(error), "stimulus")
    if command.family is not None:
        root.fail("must be a single command; to scale it, vary 'stimulus', by which it is multiplied", "stimulus")
    return command


def _scaled(command: Protocol, by: Any) -> Protocol:
    levels = lambda p: (p.start, p.stop, p.amplitude, p.holding)
    return eqx.tree_at(levels, command, tuple(by * jnp.asarray(x, by.dtype) for x in levels(command)))


def _times(root: Table, command: Protocol | None, sampled: bool) -> np.ndarray:
    """When the potential is sampled [ms]: at the end of the run, and on the way if it is recorded."""
    if command is None and "duration" not in root:
        root.fail("must be given, as there is no stimulus that ends", "duration")
    end = number(root, "duration", "ms") if "duration" in root else float(command.t[-1])
    every = number(root, "every", "ms") if "every" in root else 1.0
    if not (end > 0 and every > 0):
        root.fail(f"must be positive, but the run lasts {end:g} ms and is sampled every {every:g} ms", "duration")
    if not sampled:
        return np.array([end])
    count = int(np.floor(end / every * (1 + 1e-9)))
    if not 1 <= count <= MOST_SAMPLES:
        root.fail(f"must give 1 to {MOST_SAMPLES} samples, but {end:g} ms every {every:g} ms are {count}", "every")
    return every * np.arange(count + 1)


def _method(root: Table, whole: cell.AbstractCell) -> Any:
    """Fixed steps: the exponential ones for cells made of membranes, explicit ones for others."""
    usual = "staggered" if isinstance(whole, cell.Cell) else "runge_kutta"
    chosen = METHODS[root.choice("method", tuple(METHODS), usual)]
    dt = number(root, "dt", "ms") if "dt" in root else 0.025
    if not dt > 0:
        root.fail(f"must be positive, but is {dt:g} ms", "dt")
    return chosen(dt)


def _recorders(root: Table, results: list[str]) -> dict[str, simulate.AbstractRecorder]:
    threshold = number(root, "threshold", "mV") if "threshold" in root else -20.0
    most = root.whole("spikes", 1, MOST_SAMPLES) if "spikes" in root else 64
    known = {
        "spike_count": simulate.SpikeCount(threshold),
        "spike_times": simulate.SpikeTimes(threshold, most),
        "peak": simulate.Peak(),
        "mean": simulate.Mean(),
    }
    return {name: known[name] for name in results if name in known}
