"""Measurements in text tables: a row for each point, with its voltage, concentrations, value and error."""

import enum
import functools
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from jaxmem import electrochemistry, permeation
from jaxmem import units as unit_system
from jaxmem.electrochemistry import Bath, Solution, Species, as_bath
from jaxmem.recordings.columns import SIGNALS, dimension, plain, scaled, split_name
from jaxmem.recordings.delimited import Table, numbers, read_table
from jaxmem.recordings.measurement import Measurement, Reading, bath_of_points, reversal
from jaxmem.recordings.reading import parsing
from jaxmem.results import InputError

_EXAMPLE = "voltage [mV],K_in [mM],K_out [mM],current [pA],error [pA]"
_KNOWN = {s.name: s for s in vars(electrochemistry).values() if isinstance(s, Species)}
_SIDES = {"in": True, "inside": True, "i": True, "out": False, "outside": False, "o": False}
_DEGREES = ("C", "degC", "°C")


class _Role(enum.Enum):
    """What a column of a table of points holds."""

    VOLTAGE = "voltage"
    TEMPERATURE = "temperature"
    CONCENTRATION = "concentration"
    CURRENT = "current"
    CONDUCTANCE = "conductance"
    CHORD = "chord conductance"
    REVERSAL = "reversal potential"
    ERROR = "error"
    SERIES = "series"


_NAMES = {
    _Role.VOLTAGE: {"v", "vm", "v m", "voltage", "potential", "membrane potential"},
    _Role.TEMPERATURE: {"t", "temperature"},
    _Role.CURRENT: {"i", "im", "i m", "current", "membrane current"},
    _Role.CONDUCTANCE: {"g", "conductance", "slope conductance"},
    _Role.CHORD: {"chord conductance", "chord"},
    _Role.REVERSAL: {"reversal", "reversal potential", "e rev", "erev", "vrev", "v rev"},
    _Role.ERROR: {"error", "standard error", "sem", "se", "sd", "standard deviation"},
    _Role.SERIES: {"series", "curve"},
}
Values = Float[np.ndarray, " points"]
_VALUES = (_Role.CURRENT, _Role.CONDUCTANCE, _Role.CHORD, _Role.REVERSAL)
_INTERNAL = {
    _Role.VOLTAGE: "mV",
    _Role.CONCENTRATION: "mM",
    _Role.CURRENT: "pA",
    _Role.CONDUCTANCE: "nS",
    _Role.CHORD: "nS",
    _Role.REVERSAL: "mV",
}
_READINGS: dict[_Role, Reading] = {
    _Role.CURRENT: permeation.current,
    _Role.CONDUCTANCE: permeation.conductance,
    _Role.CHORD: permeation.chord_conductance,
    _Role.REVERSAL: reversal,
}


@dataclass(frozen=True)
class _Column:
    """One column: its place, its text, its role, its unit (None if it says none), and of which ion on which side."""

    index: int
    text: str
    role: _Role
    unit: str | None
    ion: tuple[Species, bool] | None = None


def read_measurement(
    path: str | os.PathLike,
    *,
    temperature: float | None = None,
    bath: Bath | None = None,
    voltage: float | None = None,
    reversal: float | None = None,
    species: Iterable[Species] = (),
    normalized: int | None = None,
    name: str | None = None,
) -> Measurement:
    """Points of a steady quantity from a text table with one row per point.

    The header names columns and units, as ``voltage [mV], K_in [mM], K_out [mM], current [pA], error [pA]`` or
    ``voltage_mV,K_in_mM,K_out_mM,current_pA``. One column is the value and says what was measured: ``current``,
    ``conductance`` (slope), ``chord conductance`` or ``reversal potential``. ``temperature [C]``, an ``error`` (also
    ``sem``, ``sd``; in the value's unit if it names none) and a ``series`` that says which points belong together may
    follow. Lines that start with ``#`` are comments; columns of other names are left out.

    **Arguments:** what the table does not list, the same for all points:

    - `temperature` [K]; `bath`: concentrations and, without `temperature`, the temperature; `voltage` [mV].
    - `reversal` [mV]: from which chord conductances were taken, if not from each model's own; also a column
      ``reversal [mV]``.
    - `species`: ions beyond those of `jaxmem.electrochemistry`.
    - `normalized`: see `Measurement`; values without a unit are then numbers. `name`: that of the file by default.

    **Raises:** `InputError`, one line that names the file, the row and column, and the remedy.
    """
    points = _Points(read_table(path), _KNOWN | {s.name: s for s in species})
    value = points.value
    given = None if temperature is None and bath is None else as_bath(temperature if bath is None else bath)
    unit = points.own_unit(value, normalized is not None)
    if reversal is not None and value.role is not _Role.CHORD:
        raise InputError(f"{path}: `reversal` is for chord conductances, but holds {value.role.value}s; leave it out")
    conditions = bath_of_points(
        points.concentrations(None if given is None else given.inside, inside=True),
        points.concentrations(None if given is None else given.outside, inside=False),
        points.temperature(temperature if temperature is not None or given is None else given.temperature),
        len(points.table.lines),
    )
    return Measurement(
        points.voltage(voltage),
        conditions,
        points.take(value, unit),
        points.error(unit),
        reading=points.reading(reversal),
        unit=unit,
        name=Path(path).stem if name is None else name,
        series=points.series,
        normalized=normalized,
        source=str(path),
    )


class _Points:
    """A table whose columns are understood, read column by column."""

    def __init__(self, table: Table, known: Mapping[str, Species]):
        self.path = table.path
        self.table = table
        columns = [_column(table, k, text, known) for k, text in enumerate(table.names)]
        self.columns: dict[object, _Column] = {}
        for column in filter(None, columns):
            first = self.columns.setdefault(column.ion or column.role, column)
            if first is not column:
                raise InputError(
                    f"{self.path}: columns '{first.text[:40]}' and '{column.text[:40]}' hold the same; remove one"
                )
        self.value = self._value()
        numeric = [c.index for c in self.columns.values() if c.role is not _Role.SERIES]
        self._numbers = dict(zip(numeric, numbers(table, numeric).T, strict=True))

    def _value(self) -> _Column:
        """The column that holds what was measured."""
        found = [self.columns[role] for role in _VALUES if role in self.columns]
        if len(found) == 2 and found[0].role is _Role.CHORD and found[1].role is _Role.REVERSAL:
            return found[0]
        if len(found) != 1:
            raise InputError(
                f"{self.path}: must have one column of values ({', '.join(r.value for r in _VALUES)}), but has "
                f"{len(found)} among '{', '.join(self.table.names)[:120]}'; name them like '{_EXAMPLE}'"
            )
        return found[0]

    def own_unit(self, column: _Column, relative: bool) -> str:
        """The unit in which values are stored; densities keep their scale."""
        kind = "number" if column.unit is None else dimension(column.unit)
        if relative and kind == "number":
            return "1"
        quantity = column.role.value.split()[-1]
        return SIGNALS.get(kind, _INTERNAL[column.role]) if quantity in kind else _INTERNAL[column.role]

    def take(self, column: _Column, unit: str, *, zero: bool = True, below: bool = True) -> Values:
        """A column in a unit.

        **Arguments:** `zero`, `below`: whether its numbers may be zero and negative.
        """
        text, asked = column.text[:40], column.unit
        if column.role is _Role.ERROR and asked is None:
            asked = self.value.unit
        try:
            factor = 1.0 if asked is None and unit == "1" else unit_system.factor(plain(asked or ""), unit)
        except ValueError:
            has = f"is in '{asked[:20]}'" if asked else "says none"
            raise InputError(
                f"{self.path}: column '{text}' must name a unit like [{unit}], but {has}; correct it"
            ) from None
        values = self._numbers[column.index]
        good = np.ones(values.shape, bool) if below else (values >= 0.0) if zero else (values > 0.0)
        if not good.all():
            row = int(np.argmin(good))
            must = "not be negative" if zero else "be positive"
            raise InputError(
                f"{self.path}: line {self.table.places[row]}, column '{text}' must {must}, but is {values[row]:g}; "
                "correct the row or remove it"
            )
        return scaled(self.path, column.text, factor, values)

    def concentrations(self, given: Solution | None, *, inside: bool) -> dict[Species, Any]:
        """Concentrations [mM] of one side: those of the table, and those given."""
        found = {} if given is None else {s: given[s] for s in given.species}
        for column in self.columns.values():
            if column.ion is not None and column.ion[1] == inside:
                found[column.ion[0]] = self.take(column, "mM", below=False)
        return found

    def voltage(self, given: float | None) -> Values | float:
        """Voltages [mV]; reversal potentials have none."""
        if _Role.VOLTAGE in self.columns:
            return self.take(self.columns[_Role.VOLTAGE], "mV")
        if given is None and self.value.role is not _Role.REVERSAL:
            raise InputError(
                f"{self.path}: has no voltages; add a column 'voltage [mV]', or give `voltage` for all points"
            )
        return 0.0 if given is None else given

    def temperature(self, given: Any) -> Any:
        """Temperatures [K]."""
        column = self.columns.get(_Role.TEMPERATURE)
        if column is None and given is None:
            raise InputError(
                f"{self.path}: has no temperatures; add a column 'temperature [C]', or give `temperature` [K]"
            )
        if column is None:
            return given
        if column.unit in _DEGREES:
            return unit_system.celsius(self.take(replace(column, unit="K"), "K"))  # type: ignore[arg-type]
        return self.take(column, "K", zero=False, below=False)

    def error(self, unit: str) -> Values | None:
        """Standard errors in a unit, if the table has them."""
        column = self.columns.get(_Role.ERROR)
        return None if column is None else self.take(column, unit, zero=False, below=False)

    def reading(self, given: float | None) -> Reading:
        """What is read of a model."""
        column = self.columns.get(_Role.REVERSAL)
        if self.value.role is not _Role.CHORD or (column is None and given is None):
            return _READINGS[self.value.role]
        if column is not None:
            values = self.take(column, "mV")
            if given is not None or np.ptp(values) > 0.0:
                raise InputError(
                    f"{self.path}: chord conductances of one table must have one reversal potential, but column "
                    f"'{column.text[:40]}' goes from {values.min():g} to {values.max():g} mV"
                    + (f" and {given:g} mV is given" if given is not None else "; part the table, or give currents")
                )
            given = float(values[0])
        return functools.partial(permeation.chord_conductance, reversal=float(given))

    @property
    def series(self) -> tuple[str, ...] | None:
        """Labels of the points."""
        if _Role.SERIES not in self.columns:
            return None
        index, labels = self.columns[_Role.SERIES].index, []
        for row, place in enumerate(self.table.places):
            with parsing(self.path, "text"):
                cells = self.table.cells(row)
            if index >= len(cells):
                raise InputError(
                    f"{self.path}: line {place} has {len(cells)} cells, but its series is in cell {index + 1}"
                )
            labels.append(cells[index])
        return tuple(labels)


def _column(table: Table, index: int, text: str, known: Mapping[str, Species]) -> _Column | None:
    """What a column is, by its name; None if nothing that is read."""
    name, unit = split_name(text)
    word = re.sub(r"[\s_]+", " ", name.lower()).strip()
    if unit is None and (found := re.fullmatch(r"(t|temperature) (c|k)", word)):
        word, unit = found[1], found[2].upper()
    role = next((role for role, names in _NAMES.items() if word in names), None)
    if role is not None:
        return _Column(index, text, role, unit)
    concentration = unit is not None and dimension(unit) == "concentration"
    ion, _, side = name.replace(" ", "_").rpartition("_")
    if side.lower() in _SIDES and ion in known:
        return _Column(index, text, _Role.CONCENTRATION, unit, (known[ion], _SIDES[side.lower()]))
    if concentration and side.lower() in _SIDES:
        raise InputError(
            f"{table.path}: column '{text[:40]}' must name a known ion ({', '.join(known)}), but names '{ion[:20]}'; "
            f"correct it, or give species=[Species('{ion[:20]}', valence)]"
        )
    if concentration or name in known:
        raise InputError(
            f"{table.path}: column '{text[:40]}' must say on which side the ion is, like '{name[:20]}_in [mM]' or "
            f"'{name[:20]}_out [mM]'; rename it"
        )
    return None
