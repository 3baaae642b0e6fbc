"""NumPy archives: arrays found by name and unit suffix, never a pickle."""

import math
import os
import zipfile
from collections.abc import Mapping

import numpy as np

from jaxmem.recordings.assemble import assemble
from jaxmem.recordings.columns import Role, scaled, split_name, understand
from jaxmem.recordings.reading import LARGEST_ARRAY, parsing, size_of
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError


def read_npz(
    path: str | os.PathLike,
    protocol=None,
    *,
    units: Mapping[str, str] | None = None,
    dt: float | None = None,
    name: str | None = None,
    temperature: float | None = None,
    held: bool = True,
) -> Recording:
    """A recording from a NumPy archive with keys such as ``current_nA``, ``voltage_mV`` and ``dt_ms``.

    A current of shape (sweeps, samples) holds sweeps; a voltage of shape (samples,) is shared by all.

    **Arguments:** as for `read_csv`.
    **Raises:** `InputError` if it is damaged, holds Python objects, or lacks a current, a command or times.
    """
    found = by_role(path, read_arrays(path), units)
    if Role.SIGNAL not in found:
        raise InputError(f"{path}: has no current; name the array 'current_pA' or 'current_nA'")
    signal, unit = found[Role.SIGNAL]
    if signal.ndim not in (1, 2) or signal.size == 0:
        raise InputError(f"{path}: current must have shape (samples,) or (sweeps, samples), but has {signal.shape}")
    return assemble(
        path,
        signal,
        unit=unit,
        time=vector(path, found, Role.TIME),
        dt=interval(path, found, dt),
        voltage=found[Role.VOLTAGE][0] if Role.VOLTAGE in found else None,
        protocol=protocol,
        name=name,
        temperature=temperature,
        units=units,
        held=held,
    )


def read_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """All numeric arrays of an archive, as float64; their declared sizes are first held against the file's.

    **Raises:** `InputError` if the archive is damaged, an array holds objects, or declares more than it
    contains.
    """
    size_of(path)
    arrays = {}
    with parsing(path, "NPZ"), zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            if not entry.filename.endswith(".npy"):
                continue
            with archive.open(entry) as stream:
                dtype, shape, read = _header(path, entry.filename, stream)
                count = math.prod(shape)
                if read + count * dtype.itemsize != entry.file_size or count > LARGEST_ARRAY:
                    raise InputError(
                        f"{path}: array '{entry.filename[:-4]}' declares shape {shape}, which is not what the archive "
                        "holds; it is damaged, so save it again"
                    )
                if dtype.kind not in "fiub":
                    continue
            with archive.open(entry) as stream:
                arrays[entry.filename[:-4]] = np.lib.format.read_array(stream, allow_pickle=False).astype(float)
    return arrays


def _header(path, name: str, stream) -> tuple[np.dtype, tuple[int, ...], int]:
    version = np.lib.format.read_magic(stream)
    read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
    if read is None:
        raise InputError(f"{path}: array '{name[:-4]}' is of an unknown version {version}")
    shape, _, dtype = read(stream)
    if dtype.hasobject:
        raise InputError(
            f"{path}: array '{name[:-4]}' holds Python objects (a pickle), which are never loaded; save plain numbers"
        )
    return dtype, shape, stream.tell()


def by_role(
    path, arrays: Mapping[str, np.ndarray], units: Mapping[str, str] | None
) -> dict[Role, tuple[np.ndarray, str]]:
    """Arrays by what they mean, in internal units, each with its unit.

    **Raises:** `InputError` if two arrays mean the same.
    """
    names = list(arrays)
    found: dict[Role, tuple[np.ndarray, str]] = {}
    for column in understand(path, names, units):
        if column.role in found:
            raise InputError(
                f"{path}: '{names[column.index]}' is a second {column.role.value}; stack sweeps in one array of shape "
                "(sweeps, samples)"
            )
        found[column.role] = (
            scaled(path, names[column.index], column.factor, arrays[names[column.index]]),
            column.unit,
        )
    return found


def name_the_only(arrays: Mapping[str, np.ndarray], role: Role) -> Mapping[str, np.ndarray]:
    """If there is one array only, it has the role, whatever its name; a unit in the name stays."""
    if len(arrays) != 1:
        return arrays
    label, value = next(iter(arrays.items()))
    unit = split_name(label)[1]
    return {role.value if unit is None else f"{role.value} [{unit}]": value}


def vector(path, found: Mapping[Role, tuple[np.ndarray, str]], role: Role) -> np.ndarray | None:
    """The array of a role as one row, or None if there is none."""
    if role not in found:
        return None
    value = found[role][0]
    if value.size != max(value.shape, default=0):
        raise InputError(f"{path}: {role.value} must be one row of values, but has shape {value.shape}")
    return value.ravel()


def interval(path, found: Mapping[Role, tuple[np.ndarray, str]], dt: float | None) -> float | None:
    """The sampling interval [ms]: the caller's, or else the file's, or else None."""
    if dt is not None or Role.INTERVAL not in found:
        return dt
    value = found[Role.INTERVAL][0]
    if value.size != 1:
        raise InputError(f"{path}: dt must be one number, but has shape {value.shape}")
    return float(value.ravel()[0])
