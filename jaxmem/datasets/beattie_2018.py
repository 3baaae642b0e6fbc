"""hERG1a currents of nine CHO cells at room temperature, leak- and dofetilide-subtracted, sampled at 10 kHz.

130 mM K inside, 4 mM outside; the commands already include the liquid-junction correction. The command lags
by one sample and the capacitance transients are masked as the authors did. For cell 5 and the sine wave, the
published fit has an error of 0.0073024 of the current's range.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..results import InputError
from ..units import celsius, nA, uS
from .fetch import fetch

if TYPE_CHECKING:
    from ..channel import Channel
    from ..fit import Free
    from ..modelfile import ModelFile
    from ..recordings import Recording

LICENCE = "CC BY 4.0"
CITATION = (
    "Beattie KA et al. Sinusoidal voltage protocols for rapid characterisation of ion channel kinetics. J Physiol "
    "596:1813-1828 (2018), doi:10.1113/JP275733"
)
BLANK = 5.0  # ms after every step but the first
DELAY = 1  # samples by which the command reaches the cell late


@cache
def registry() -> dict[str, Any]:
    """Address, checksums, cells and masks, as shipped."""
    return json.loads((Path(__file__).parent / "beattie_2018.json").read_text("utf-8"))


def protocols() -> tuple[str, ...]:
    """The protocols with recordings."""
    return tuple(registry()["recorded"])


def choices() -> dict[str, tuple[Any, ...]]:
    """The values that the options of `load` take."""
    return {"cell": tuple(int(k) for k in registry()["cells"]), "protocol": protocols()}


def commands_only() -> tuple[str, ...]:
    """The protocols whose commands are there, but not their recordings."""
    return tuple(registry()["commands_only"])


def _cell(cell: int) -> dict[str, Any]:
    cells = registry()["cells"]
    if isinstance(cell, bool) or str(cell) not in cells:
        raise InputError(f"A cell of beattie_2018 must be 1 to {len(cells)}, but is {cell!r}.")
    return cells[str(cell)]


def _check_protocol(protocol: str) -> None:
    if protocol in commands_only():
        raise InputError(
            f"The command of '{protocol}' is there, but its recordings are too large to be listed; protocols with "
            f"recordings are {', '.join(protocols())}."
        )
    if protocol not in protocols():
        raise InputError(f"A protocol of beattie_2018 must be one of {', '.join(protocols())}, but is '{protocol}'.")


def _column(path: str) -> np.ndarray:
    import scipy.io

    source = registry()
    file = fetch(source["base_url"], path, source["files"][path])
    return scipy.io.loadmat(file, variable_names=["T"])["T"].ravel().astype(float)


def command(protocol: str) -> np.ndarray:
    """The command as sent [mV] at 10 kHz, shape (samples,); also for the protocols without recordings.

    **Raises:** `InputError` for an unknown protocol, or a file that cannot be fetched.
    """
    if protocol not in commands_only():
        _check_protocol(protocol)
    return _column(f"Protocols/{protocol}_protocol.mat")


def load(cell: int = 5, protocol: str = "sine_wave") -> Recording:
    """One cell under one protocol: a single sweep [pA], command delayed, 5 ms after each step masked.

    **Arguments:** `cell`: 1 to 9; `protocol`: `sine_wave`, `ap`, `activation_kinetics_1`,
    `activation_kinetics_2` or `inactivation`. **Raises:** `InputError` for an unknown cell or protocol, or a
    file that cannot be fetched.
    """
    from ..recordings import Recording
    from ..recordings.jumps import jump_samples

    about = _cell(cell)
    _check_protocol(protocol)
    experiment = about["experiment"]
    current = _column(
        f"ExperimentalData/{experiment}/{protocol}_{experiment}_dofetilide_subtracted_leak_subtracted.mat"
    )
    sent = command(protocol)
    # Action potentials have no clear steps; the authors chose the fast ones by hand.
    steps = registry()["steps_ms"].get(protocol, jump_samples(sent) / 10.0)
    recording = Recording(
        np.arange(current.size) / 10.0,
        current * nA,
        sent,
        name=f"beattie_2018 cell {cell} {protocol}",
        temperature=temperature(cell),
    )
    return recording.delay(DELAY).blank(BLANK, times=steps)


def temperature(cell: int = 5, protocol: str = "sine_wave") -> float:
    """Temperature of a cell [K]."""
    return celsius(_cell(cell)["temperature_C"])


def conductance_bounds(cell: int = 5) -> tuple[float, float]:
    """Published bounds of a cell's conductance [nS]: the lower follows from its largest current."""
    low = _cell(cell)["g_low_uS"] * uS
    return low, 10.0 * low


def model(cell: int = 5, protocol: str = "sine_wave") -> Channel:
    """The two-gate model with this cell's reversal potential, and a conductance amid its bounds."""
    from ..library import herg_beattie_2018

    low, high = conductance_bounds(cell)
    return herg_beattie_2018.model(
        g=(low * high) ** 0.5, reversal=herg_beattie_2018.reversal_potential(temperature(cell))
    )


def free(cell: int = 5, protocol: str = "sine_wave") -> Free:
    """The nine free parameters with the published bounds of this cell."""
    from ..library import herg_beattie_2018

    return herg_beattie_2018.free(g_low=conductance_bounds(cell)[0])


def file(cell: int = 5, protocol: str = "sine_wave") -> ModelFile:
    """The two-gate model as a model file with the names of `free`: this cell's reversal, temperature and
    bounds."""
    from .. import library, modelfile
    from ..library.herg_beattie_2018 import reversal_potential
    from ..modelfile.write import written

    low, high = conductance_bounds(cell)
    name = f"herg_beattie_2018_cell_{cell}"
    document = tomllib.loads(library.text("herg_beattie_2018"))
    document["name"] = name
    document["parameters"]["g"] = {
        "value": f"{(low * high) ** 0.5!r} nS",
        "bounds": [f"{low!r} nS", f"{high!r} nS"],
    }
    document["parameters"]["E"] = f"{reversal_potential(temperature(cell))!r} mV"
    document["bath"]["temperature"] = f"{_cell(cell)['temperature_C']} C"
    return modelfile.loads(written(document, {}, {}, name), f"{name}.toml")
