"""What a sweep found: named arrays over its lanes, the code of every lane, and what failed."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from ..results import RESULTS, InputError
from .store import CODE, DONE, NAMES, PENDING, Store, codes
from .vary import Varied

if TYPE_CHECKING:
    import xarray

SUCCESSFUL = NAMES.index("successful")


@dataclasses.dataclass(frozen=True)
class Failure:
    """The lanes that failed in one way.

    **Arguments** `name`: of the way; `count`: how many lanes; `first`: the numbers of the first few.
    """

    name: str
    count: int
    first: tuple[int, ...]


class SweepResult:
    """Results of a sweep by name, `result["count"]`, over the axes of a grid or the lanes of another design.

    A lane that failed is NaN, with its code; see `codes`, `failures`, and `str(result)`.
    """

    def __init__(self, varied: Varied, store: Store):
        self.varied, self._store = varied, store

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            raise KeyError(f"A result must be one of {', '.join(self.names)}, but is '{name}'.")
        return np.asarray(self._store.arrays[name][...])

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the results."""
        return tuple(n for n, v in self._store.plan.variables.items() if n != CODE and not v.parameter)

    @property
    def codes(self) -> np.ndarray:
        """How every lane ended: its number in `results.RESULTS`, or -1 where it has not run."""
        return np.asarray(self._store.arrays[CODE][...])

    @property
    def path(self) -> Any:
        """The Zarr store, or None if the results are in memory."""
        return self._store.path

    def failures(self, first: int = 3) -> tuple[Failure, ...]:
        """The lanes that are not successful, by how they ended, with the numbers of the first few of each."""
        counts: dict[int, int] = {}
        lanes: dict[int, list[int]] = {}
        layout = self._store.plan.layout
        for chunk in range(layout.chunks):
            found, start = self._store.read(CODE, chunk), layout.span(chunk)[0]
            for code in np.unique(found[found != SUCCESSFUL]).tolist():
                where = np.flatnonzero(found == code)
                counts[code] = counts.get(code, 0) + where.size
                seen = lanes.setdefault(code, [])
                seen += (start + where[: first - len(seen)]).tolist()
        name = lambda code: "pending" if code == PENDING else NAMES[code]
        return tuple(Failure(name(code), counts[code], tuple(lanes[code])) for code in sorted(counts))

    def __str__(self) -> str:
        failures = self.failures()
        total = self._store.plan.layout.lanes
        lines = [f"{total} lanes: {total - sum(f.count for f in failures)} successful"]
        for failure in failures:
            text = RESULTS._index_to_message[NAMES.index(failure.name)] if failure.name in NAMES else "Not run yet."
            lines.append(f"  {failure.count} {failure.name}: {text}")
            lines += [f"    lane {lane}: {self.parameters(lane)}" for lane in failure.first]
        return "\n".join(lines)

    def parameters(self, lane: int) -> str:
        """The parameters of one lane in words; `result.varied.lane(number)` is its model."""
        values = self.varied.values(lane, lane + 1)[0]
        pairs = zip(self.varied.axes, values, strict=True)
        return ", ".join(f"{axis.name} = {value:.6g} {axis.unit}".rstrip() for axis, value in pairs)

    def dataset(self) -> "xarray.Dataset":
        """The results with named coordinates and units, as `xarray.open_zarr` gives them for a store.

        **Raises** `InputError` without the packages of `jaxmem[sweep]`.
        """
        try:
            import xarray
        except ImportError:
            raise InputError("A dataset needs xarray: pip install 'jaxmem[sweep]'.") from None
        if self.path is not None:
            return xarray.open_zarr(self.path).drop_vars(DONE)
        plan, dimensions = self._store.plan, self._store.plan.dimensions
        coordinates: dict[str, Any] = {name: (name, x, {"units": unit}) for name, (x, unit) in plan.axes.items()}
        data: dict[str, Any] = {}
        for name, v in plan.variables.items():
            names = [*dimensions, *(f"{name}_{k}" for k in range(len(v.event)))]
            about = codes() if name == CODE else {"units": v.unit}
            (coordinates if v.parameter or name == CODE else data)[name] = (names, self._store.arrays[name], about)
        return xarray.Dataset(data, coordinates)
