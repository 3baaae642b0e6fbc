"""MATLAB files (version 5 to 7): numeric variables only."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from jaxmem.recordings.assemble import assemble
from jaxmem.recordings.columns import Role
from jaxmem.recordings.matlab5 import parse
from jaxmem.recordings.npz import by_role, interval, name_the_only, vector
from jaxmem.recordings.reading import LARGEST_ARRAY, parsing, size_of
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError


def read_mat(
    path: str | os.PathLike,
    protocol=None,
    *,
    units: Mapping[str, str] | None = None,
    dt: float | None = None,
    variable: str | None = None,
    name: str | None = None,
    temperature: float | None = None,
    held: bool = True,
) -> Recording:
    """A recording from a MATLAB file.

    Variables are found by name and unit (``current_nA``, ``voltage_mV``, ``dt_ms``). A file with a single
    vector, whatever its name, is a current: give its unit, ``units={"current": "nA"}``, and `dt` [ms]. Of a
    matrix, the longer side is time.

    **Arguments:** as for `read_csv`, and `variable`: the name of the variable that holds the current.
    **Raises:** `InputError` if it is damaged, version 7.3, or lacks a current, a command or times.
    """
    arrays = read_variables(path)
    if variable is not None:
        if variable not in arrays:
            raise InputError(f"{path}: has no numeric variable '{variable}', but {', '.join(arrays)[:120] or 'none'}")
        others = {k: v for k, v in arrays.items() if k != variable and _means_something(path, k, units)}
        arrays = {**others, "current": arrays[variable]}
    arrays = name_the_only(arrays, Role.SIGNAL)
    found = by_role(path, arrays, units)
    if Role.SIGNAL not in found:
        raise InputError(
            f"{path}: none of its variables ({', '.join(arrays)[:120] or 'none'}) is a current; say which "
            f"(variable='...') and its unit (units={{'current': 'nA'}})"
        )
    signal, unit = found[Role.SIGNAL]
    voltage = _rows(found[Role.VOLTAGE][0]) if Role.VOLTAGE in found else None
    return assemble(
        path,
        _rows(signal),
        unit=unit,
        time=vector(path, found, Role.TIME),
        dt=interval(path, found, dt),
        voltage=voltage,
        protocol=protocol,
        name=name,
        temperature=temperature,
        units=units,
        held=held,
    )


def read_variables(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """All real numeric variables of a MATLAB file, as float64.

    **Raises:** `InputError` if it is damaged, version 7.3, or declares more than it can hold.
    """
    size_of(path)
    raw = Path(path).read_bytes()
    if raw.startswith(b"\x89HDF") or raw.startswith(b"MATLAB 7.3"):
        raise InputError(f"{path}: is a MATLAB 7.3 (HDF5) file; save it with -v7, or as CSV or NPZ")
    with parsing(path, "MATLAB"):
        arrays, others = parse(path, raw, LARGEST_ARRAY)
    if not arrays:
        raise InputError(f"{path}: holds no variable of real numbers, only {', '.join(others)[:80] or 'nothing'}")
    return arrays


def _means_something(path, name: str, units: Mapping[str, str] | None) -> bool:
    try:
        return bool(by_role(path, {name: np.zeros(1)}, units))
    except InputError:
        return True


def _rows(value: np.ndarray) -> np.ndarray:
    """(sweeps, samples) from MATLAB's columns."""
    value = np.atleast_2d(value)
    return value.T if value.ndim == 2 and value.shape[0] > value.shape[1] else value
