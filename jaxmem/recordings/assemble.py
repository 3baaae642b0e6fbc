"""The last step of every reader: arrays with known units, and where they came from, become a Recording."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from jaxmem.protocols import Protocol, sweeps
from jaxmem.recordings.alignment import of_samples
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError


def assemble(
    path: str | os.PathLike,
    signal: np.ndarray,
    *,
    unit: str = "pA",
    time: np.ndarray | None = None,
    dt: float | None = None,
    voltage: np.ndarray | None = None,
    protocol=None,
    name: str | None = None,
    temperature: float | None = None,
    units: Mapping[str, str] | None = None,
    held: bool = True,
) -> Recording:
    """A Recording from what a file held.

    **Arguments**

    - `signal`: (samples,) or (sweeps, samples), in `unit`.
    - `time`: [ms], or `dt`: sampling interval [ms]; one of them is needed.
    - `voltage`: command found in the file [mV]; `protocol`: command given by the caller, which goes before it. A
      Protocol, a sentence or a step table stays as it is, whatever the sampling.
    - `units`: passed on to the reader of the protocol.
    - `held`: each sample of the command is kept until the next; if False, straight lines join them.

    **Raises:** `InputError` if times or the command are missing, or lengths disagree.
    """
    from jaxmem.recordings.command import command_of

    signal = np.atleast_2d(signal)
    if time is None:
        if dt is None:
            raise InputError(f"{path}: has no times; give the sampling interval in ms (dt=0.1)")
        if not (np.isfinite(dt) and dt > 0):
            raise InputError(f"{path}: the sampling interval must be positive and finite [ms], but is {dt}")
        time = np.arange(signal.shape[1]) * float(dt)
    if signal.shape[1] != time.size:
        raise InputError(
            f"{path}: current and time must have equal lengths, but have {signal.shape[1]} and {time.size} samples"
        )
    command = voltage
    if protocol is not None:
        command = command_of(protocol, time, signal.shape[0], units=units, held=held)
    if command is None:
        raise InputError(
            f"{path}: has no command voltage; add a voltage column or give a protocol (protocol=, --protocol)"
        )
    made = Recording(
        time,
        signal,
        command,
        name=Path(path).stem if name is None else name,
        unit=unit,
        temperature=temperature,
        source=str(path),
    )
    if held or isinstance(command, Protocol):
        return made
    return replace(made, command=sweeps([of_samples(made.t, row, hold=False) for row in made.command_v]))
