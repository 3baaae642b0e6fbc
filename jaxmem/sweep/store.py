"""Where results go: arrays in memory, or a Zarr store that xarray opens and a killed sweep continues.

A chunk of lanes is a chunk of every array and has one writer. When all of a chunk is on disk, a checksum of it is
written into `done`; a chunk whose checksum is missing or does not fit is computed again.
"""

import dataclasses
import os
import shutil
import tempfile
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..results import RESULTS, InputError
from .layout import Layout

FORMAT = 1
PENDING = -1  # the code of a lane that has not run
LANE = "lane"  # the dimension of lanes of a design that is no grid
CODE, DONE = "code", "done"
NAMES = tuple(RESULTS._name_to_item)  # in the order of their codes


@dataclasses.dataclass(frozen=True)
class Variable:
    """One array of a sweep beside the lanes.

    **Arguments** `event`: its shape for one lane; `dtype`; `unit`; `parameter`: whether it is a coordinate.
    """

    event: tuple[int, ...]
    dtype: np.dtype
    unit: str
    parameter: bool = False

    @property
    def fill(self) -> Any:
        """What stands for a lane that has not run."""
        return np.nan if np.issubdtype(self.dtype, np.inexact) else PENDING


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a sweep writes.

    **Arguments** `layout`: the lanes; `axes`: the values along every axis of a grid, by name and with their unit, or
    nothing; `variables`: by name, the codes among them; `identity`: what makes the sweep the one it is.
    """

    layout: Layout
    axes: Mapping[str, tuple[np.ndarray, str]]
    variables: Mapping[str, Variable]
    identity: Mapping[str, str]

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of the dimensions of lanes."""
        return tuple(self.axes) or (LANE,)

    @property
    def size(self) -> int:
        """Bytes of everything that is written, before compression."""
        lane = sum(v.dtype.itemsize * int(np.prod(v.event, dtype=object)) for v in self.variables.values())
        return self.layout.lanes * lane


class Store:
    """The arrays of a sweep by name, in memory or on disk, and which chunks of them are done."""

    def __init__(self, plan: Plan, arrays: dict[str, Any], done: Any, path: Path | None = None):
        self.plan, self.arrays, self._done, self.path = plan, arrays, done, path

    def write(self, chunk: int, values: Mapping[str, np.ndarray]) -> None:
        """Writes all of a chunk, then that it is done.

        **Arguments** `values`: of every variable, shape (lanes of the chunk, *event).
        """
        region = self.plan.layout.region(chunk)
        shape = tuple(part.stop - part.start for part in region)
        ordered = {name: self._cast(name, values[name], shape) for name in self.plan.variables}
        for name, block in ordered.items():
            self.arrays[name][region] = block
        self._done[chunk] = checksum(ordered)

    def _cast(self, name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        variable = self.plan.variables[name]
        return np.ascontiguousarray(values, variable.dtype).reshape(shape + variable.event)

    def read(self, name: str, chunk: int) -> np.ndarray:
        """What one array holds of a chunk, shape (lanes of the chunk, *event)."""
        block = np.asarray(self.arrays[name][self.plan.layout.region(chunk)])
        return block.reshape(-1, *self.plan.variables[name].event)

    def holds(self, chunk: int) -> bool:
        """Whether a chunk is done and is whole."""
        marked = int(self._done[chunk])
        if marked == PENDING:
            return False
        region = self.plan.layout.region(chunk)
        try:
            return marked == checksum({n: np.asarray(self.arrays[n][region]) for n in self.plan.variables})
        except (OSError, RuntimeError, ValueError):  # what a codec raises on a damaged file
            return False


def checksum(blocks: Mapping[str, np.ndarray]) -> int:
    """A checksum of the arrays of a chunk, in their order."""
    found = 0
    for block in blocks.values():
        found = zlib.crc32(np.ascontiguousarray(block).tobytes(), found)
    return found


def in_memory(plan: Plan) -> Store:
    """Arrays in memory.

    **Raises** `InputError` if they are larger than what is free.
    """
    room(plan.size, free_memory(), "memory", "give a `store` on disk, or return less per lane")
    shape = plan.layout.shape
    arrays = {name: np.full(shape + v.event, v.fill, v.dtype) for name, v in plan.variables.items()}
    return Store(plan, arrays, np.full(plan.layout.chunks, PENDING, np.int64))


def on_disk(plan: Plan, path: str | os.PathLike) -> Store:
    """A Zarr store, made if it is not there, else continued.

    **Raises** `InputError` if it holds anything else than this sweep, with nothing touched; if it is larger than what
    is free on the disk; and without the packages of `jaxmem[sweep]`.
    """
    zarr = zarr_package()
    place = Path(path)
    if not (place.is_dir() and any(place.iterdir())):
        if place.exists() and not place.is_dir():
            raise InputError(f"{place}: must be a folder, but is a file; give another store.")
        _make(zarr, plan, place)
    try:
        group = zarr.open_group(place, mode="r+", use_consolidated=False)
        found = dict(group.attrs).get("jaxmem_sweep")
    except (OSError, ValueError, KeyError):
        found = None
    if not isinstance(found, dict):
        raise InputError(f"{place}: is no store of a sweep, and nothing was written; give another one.")
    differing = [key for key, value in plan.identity.items() if found.get(key) != value]
    if differing:
        raise InputError(
            f"{place}: belongs to another sweep (different {', '.join(differing)}), and nothing was written; give "
            "another store, or delete this one."
        )
    arrays = {name: group[name] for name in plan.variables}
    return Store(plan, arrays, group[DONE], place)


def _make(zarr: Any, plan: Plan, place: Path) -> None:
    """Makes an empty store under another name and renames it: of many processes that begin at once, one does."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        room(plan.size, shutil.disk_usage(place.parent).free, f"disk of {place.parent}", "give another store")
        part = Path(tempfile.mkdtemp(prefix=f".{place.name}.", suffix=".part", dir=place.parent))
    except OSError as error:
        raise InputError(f"{place}: cannot be written ({error.strerror or error}); give another store.") from None
    try:
        _fill(zarr, plan, part)
        part.chmod(0o755)
        os.replace(part, place)
    except OSError:  # another process of the same sweep was faster
        if not place.is_dir():
            raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(zarr: Any, plan: Plan, part: Path) -> None:
    coordinates = [name for name, v in plan.variables.items() if v.parameter]
    attributes = {
        "jaxmem_sweep": {"format": FORMAT, **plan.identity},
        "coordinates": " ".join([*coordinates, CODE, DONE]),
    }
    group = zarr.create_group(part, attributes=attributes)
    dimensions, layout = plan.dimensions, plan.layout
    for name, (values, unit) in plan.axes.items():
        group.create_array(name, data=values, dimension_names=[name], attributes={"units": unit})
    for name, v in plan.variables.items():
        group.create_array(
            name,
            shape=layout.shape + v.event,
            chunks=layout.block + v.event,
            dtype=v.dtype,
            fill_value=v.fill,
            dimension_names=[*dimensions, *(f"{name}_{k}" for k in range(len(v.event)))],
            attributes={"units": v.unit} if name != CODE else codes(),
        )
    group.create_array(
        DONE,
        shape=(layout.chunks,),
        chunks=(1,),
        dtype=np.int64,
        fill_value=PENDING,
        dimension_names=["chunk"],
        attributes={"long_name": "checksum of a chunk that is done, else -1"},
    )
    with warnings.catch_warnings():  # that not every reader knows this part of the format
        warnings.simplefilter("ignore")
        zarr.consolidate_metadata(part)


def codes() -> dict[str, Any]:
    """What the numbers of the codes mean, after the conventions for flags in NetCDF files."""
    return {"flag_values": [PENDING, *range(len(NAMES))], "flag_meanings": " ".join(("pending", *NAMES))}


def zarr_package() -> Any:
    """The package that writes stores.

    **Raises** `InputError` if it is not there.
    """
    try:
        import zarr
    except ImportError:
        raise InputError("A store on disk needs zarr and xarray: pip install 'jaxmem[sweep]'.") from None
    return zarr


def room(needed: int, free: float, where: str, remedy: str) -> None:
    """Refuses to begin what does not fit.

    **Raises** `InputError` that says what is needed and what is there.
    """
    if needed > free:
        raise InputError(f"The sweep needs {shown(needed)} of {where}, but {shown(free)} are free; {remedy}.")


def shown(size: float) -> str:
    """A size in words: 8.0 GB."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} PB"


def free_memory() -> float:
    """Bytes of memory that are free, infinite where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(1024.0 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        try:
            return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
        except (AttributeError, OSError, ValueError):
            return float("inf")
