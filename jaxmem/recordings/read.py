"""One door for all formats."""

import os
from collections.abc import Mapping

from jaxmem.recordings.abf import read_abf
from jaxmem.recordings.delimited import read_csv
from jaxmem.recordings.formats import Format, format_of
from jaxmem.recordings.mat import read_mat
from jaxmem.recordings.npz import read_npz
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError


def read(
    path: str | os.PathLike,
    protocol=None,
    *,
    units: Mapping[str, str] | None = None,
    dt: float | None = None,
    channel: int | None = None,
    dac: int | None = None,
    variable: str | None = None,
    name: str | None = None,
    temperature: float | None = None,
    held: bool = True,
) -> Recording:
    """A recording from a CSV, NPZ, MATLAB or Axon (ABF) file; the format is told by the content of the file.

    **Arguments**

    - `protocol`: the command, if the file has none or another was applied: a file (samples or a step table),
      an array [mV], or a Protocol.
    - `units`: units of columns that do not say theirs, ``{"time": "s", "current": "nA"}``.
    - `dt`: sampling interval [ms] of a file without times.
    - `channel`: of an ABF file; default: the only one that holds a current. `dac`: the output that commands it.
    - `variable`: of a MATLAB file; default: found by name.
    - `name`, `temperature` [K]: passed on to the recording.
    - `held`: each sample of a command is kept until the next, as a digital-to-analog converter does; if False,
      straight lines join them. Step tables and Protocols have no samples and stay as they are.

    **Raises:** `InputError`, one line that names the file and the remedy.
    """
    kind = format_of(path)
    for word, number in (("channel", channel), ("dac", dac)):
        if number is not None and kind is not Format.ABF:
            raise InputError(f"{path}: only ABF files have channels, so {word}={number} has no meaning here")
    if variable is not None and kind is not Format.MAT:
        raise InputError(f"{path}: only MATLAB files have variables, so variable='{variable}' has no meaning here")
    common = {"units": units, "name": name, "temperature": temperature, "held": held}
    if kind is Format.ABF:
        if dt is not None:
            raise InputError(f"{path}: ABF files know their sampling interval; leave dt out")
        return read_abf(path, protocol, channel=channel, dac=dac, **common)
    if kind is Format.MAT:
        return read_mat(path, protocol, dt=dt, variable=variable, **common)
    reader = read_npz if kind is Format.NPZ else read_csv
    return reader(path, protocol, dt=dt, **common)
