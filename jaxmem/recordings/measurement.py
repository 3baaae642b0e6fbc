"""Points of a steady quantity: currents, conductances or reversal potentials, each at its voltage and bath."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import equinox as eqx
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from jaxmem import permeation
from jaxmem import units as unit_system
from jaxmem.electrochemistry import Bath, Solution, Species, as_bath
from jaxmem.results import InputError

Reading = Callable[[permeation.readings.Law, Any, Bath], Float[Array, ""]]


def reversal(law: permeation.readings.Law, v: Float[ArrayLike, ""], bath: Bath) -> Float[Array, ""]:
    """Reversal potential [mV] in a bath, as a reading of points: the voltage of the point is not looked at."""
    return permeation.reversal_potential(law, bath)


@dataclass(frozen=True, eq=False, repr=False)
class Measurement:
    """Points of one steady quantity, each with its own voltage and bath. Nothing is changed in place.

    **Arguments**

    - `v`: voltages [mV], shape (points,), or one for all.
    - `bath`: a `Bath` of which each concentration and the temperature are one number for all points or have shape
      (points,), such as `Bath({K: 130.0}, {K: np.array([2.0, 10.0, 50.0])}, 293.15)`; or a temperature [K] where no
      concentration is needed. It is kept with a leading axis of points everywhere.
    - `value`: what was measured, shape (points,), in `unit`. Outward current is positive.
    - `error`: its standard errors, shape (points,) or one for all, if known.
    - `reading`: what is measured of a model, a function `(law, v, bath) -> number`: `permeation.current`,
      `permeation.conductance` (slope), `permeation.chord_conductance` (with the reversal potential of the analysis as
      `functools.partial(permeation.chord_conductance, reversal=0.0)`), `recordings.reversal`, or your own.
    - `unit`: of the values: pA, nS, mV, a density, or `"1"` for numbers relative to a point.
    - `name`: what to call it in tables and figures.
    - `series`: a label for each point, the same for those that belong to one curve.
    - `normalized`: the index of the point relative to which the data are given; the model's value at every point is
      then divided by its value there.
    - `source`: where it came from, usually the path of the file.

    **Raises** `InputError` if shapes differ, there is no point, a value is not finite, a concentration is negative, an
    error or a temperature is not positive, or the unit is not one of jaxmem's own.
    """

    v: Float[np.ndarray, " points"]
    bath: Bath
    value: Float[np.ndarray, " points"]
    error: Float[np.ndarray, " points"] | None = None
    _: KW_ONLY
    reading: Reading = permeation.current
    unit: str = "pA"
    name: str = ""
    series: Sequence[str] | None = None
    normalized: int | None = None
    source: str = ""

    def __post_init__(self):
        """Checks the values, spreads what is given once over the points, and freezes the arrays."""
        who = self.source or self.name or "measurement"
        value = _numbers(self.value, who, "value")
        if value.ndim != 1 or value.size == 0:
            raise InputError(f"{who}: values must be one row of at least 1 point, but have shape {value.shape}")
        spread = {"value": value, "v": _spread(self.v, value.size, who, "voltage")}
        if self.error is not None:
            spread["error"] = _spread(self.error, value.size, who, "error")
        if not callable(self.reading):
            raise InputError(f"{who}: the reading must be a function (law, v, bath), but is {self.reading!r}")
        for what, x in spread.items():
            _refuse(who, {"v": "voltage"}.get(what, what), x, np.isfinite(x), "finite")
        if "error" in spread:
            _refuse(who, "error", spread["error"], spread["error"] > 0, "positive")
        for field, x in spread.items():
            object.__setattr__(self, field, _frozen(x))
        object.__setattr__(self, "bath", _baths(self.bath, value.size, who))
        object.__setattr__(self, "unit", _own(self.unit, who))
        if self.series is not None:
            object.__setattr__(self, "series", tuple(str(label) for label in self.series))
            if len(self.series) != value.size:
                raise InputError(
                    f"{who}: series must have a label for each of {value.size} points, not {len(self.series)}"
                )
        if self.normalized is not None:
            object.__setattr__(self, "normalized", _index(self.normalized, value.size, who))

    def __repr__(self) -> str:
        """One line: name, points, unit and species."""
        species = ", ".join(s.name for s in self.bath.species) or "no species"
        return f"Measurement({self.name!r}, {self.points} points, {self.unit}, {species})"

    @property
    def points(self) -> int:
        """The number of points."""
        return self.value.size

    @property
    def range(self) -> float:
        """Largest minus smallest value, in `unit`."""
        return float(np.ptp(self.value))


def bath_of_points(
    inside: Mapping[Species, Any], outside: Mapping[Species, Any], temperature: Any, points: int
) -> Bath:
    """A bath with a leading axis of points before every leaf.

    It is in numpy, so that the numbers of a file keep their digits where jax computes in single precision.

    **Arguments:** `inside`, `outside` [mM], `temperature` [K]: each one number, or one for each point.
    """

    def side(c: Mapping[Species, Any]) -> Solution:
        columns = [np.broadcast_to(np.asarray(x, float), points) for x in c.values()]
        table = np.stack(columns, 1) if columns else np.zeros((points, 0))
        return eqx.tree_at(lambda s: s.c, Solution(dict.fromkeys(c, 0.0)), _frozen(table))

    leaves = side(inside), side(outside), _frozen(np.broadcast_to(np.asarray(temperature, float), points))
    return eqx.tree_at(lambda b: (b.inside, b.outside, b.temperature), Bath({}, {}, 1.0), leaves)


def _baths(bath: Bath | float, points: int, who: str) -> Bath:
    """The bath with an axis of points before every leaf, in numpy."""
    try:
        bath = as_bath(bath)
    except TypeError as error:
        raise InputError(f"{who}: {error}") from None

    def many(x: Any, what: str, positive: bool) -> np.ndarray:
        x = _spread(x, points, who, what)
        good = (x > 0) if positive else (x >= 0)
        _refuse(who, what, x, np.isfinite(x) & good, "positive" if positive else "finite and not negative")
        return x

    def side(solution: Solution, where: str) -> dict[Species, np.ndarray]:
        return {s: many(solution[s], f"concentration of {s.name} {where}", False) for s in solution.species}

    temperature = many(bath.temperature, "temperature", True)
    return bath_of_points(side(bath.inside, "inside"), side(bath.outside, "outside"), temperature, points)


def _own(unit: str, who: str) -> str:
    try:
        factor = unit_system.factor(unit)
    except ValueError as error:
        raise InputError(f"{who}: {error}") from None
    if factor != 1.0:
        raise InputError(
            f"{who}: values must be in jaxmem's own units (pA, nS, mV), but are in {unit}; multiply them by "
            f"{factor:g} and name that unit"
        )
    return unit


def _index(index: int, points: int, who: str) -> int:
    if isinstance(index, bool) or not isinstance(index, int | np.integer) or not -points <= index < points:
        raise InputError(f"{who}: normalized must be the index of one of {points} points, but is {index!r}")
    return int(index) % points


def _numbers(value: Any, who: str, what: str) -> np.ndarray:
    try:
        return np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        raise InputError(f"{who}: {what} must be an array of numbers, but is {type(value).__name__}") from None


def _spread(value: Any, points: int, who: str, what: str) -> np.ndarray:
    value = _numbers(value, who, what)
    if value.shape not in ((), (1,), (points,)):
        raise InputError(
            f"{who}: {what} must be one number, or one for each of {points} points, but has shape {value.shape}"
        )
    return np.broadcast_to(value, (points,))


def _refuse(who: str, what: str, values: np.ndarray, good: np.ndarray, must: str) -> None:
    if not good.all():
        k = int(np.argmin(good))
        raise InputError(
            f"{who}: the {what} must be {must}, but at point {k} is {values[k]:g}; correct it or leave it out"
        )


def _frozen(x: np.ndarray) -> np.ndarray:
    x = np.array(x)
    x.setflags(write=False)
    return x
