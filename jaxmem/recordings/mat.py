"""MATLAB files (version 5 to 7): numeric variables only."""

import math
import os
from collections.abc import Mapping

import numpy as np

from jaxmem.recordings.assemble import assemble
from jaxmem.recordings.columns import Role
from jaxmem.recordings.npz import by_role, interval, name_the_only, vector
from jaxmem.recordings.reading import LARGEST_ARRAY, parsing, size_of
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError

_NUMERIC = {"double", "single", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}
_DEFLATE = 1032  # zlib cannot expand by more


def read_mat(
    path: str | os.PathLike,
    protocol=None,
    *,
    units: Mapping[str, str] | None = None,
    dt: float | None = None,
    variable: str | None = None,
    name: str | None = None,
    temperature: float | None = None,
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
            raise InputError(
                f"{path}: has no numeric variable '{variable}', but {', '.join(arrays)[:120] or 'none'}"
            )
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
    )


def read_variables(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """All numeric variables of a MATLAB file, as float64.

    **Raises:** `InputError` if it is damaged, version 7.3, or declares more than it can hold.
    """
    import scipy.io

    size = size_of(path)
    with open(path, "rb") as stream:
        start = stream.read(128)
    if start.startswith(b"\x89HDF") or b"MATLAB 7.3" in start:
        raise InputError(f"{path}: is a MATLAB 7.3 (HDF5) file; save it with -v7, or as CSV or NPZ")
    with parsing(path, "MATLAB"):
        declared = scipy.io.whosmat(path)
        wanted = [entry for entry in declared if entry[2] in _NUMERIC]
        if not wanted:
            raise InputError(
                f"{path}: holds no numeric variable, only "
                f"{', '.join(e[2] for e in declared)[:80] or 'nothing'}"
            )
        for label, shape, _ in wanted:
            if min(shape, default=0) < 1 or math.prod(shape) > min(LARGEST_ARRAY, _DEFLATE * size):
                raise InputError(
                    f"{path}: variable '{label[:40]}' declares shape {shape}, which a file of {size} bytes "
                    "cannot "
                    f"hold; it is damaged, so save it again"
                )
        loaded = scipy.io.loadmat(path, variable_names=[label for label, _, _ in wanted])
        arrays = {label: np.asarray(loaded[label]) for label, _, _ in wanted if label in loaded}
    for label, value in arrays.items():
        if value.dtype.kind not in "fiub":
            raise InputError(
                f"{path}: variable '{label[:40]}' must hold real numbers, but holds {value.dtype}"
            )
    return {label: value.astype(float) for label, value in arrays.items()}


def _means_something(path, name: str, units: Mapping[str, str] | None) -> bool:
    try:
        return bool(by_role(path, {name: np.zeros(1)}, units))
    except InputError:
        return True


def _rows(value: np.ndarray) -> np.ndarray:
    """(sweeps, samples) from MATLAB's columns."""
    value = np.atleast_2d(value)
    return value.T if value.ndim == 2 and value.shape[0] > value.shape[1] else value
