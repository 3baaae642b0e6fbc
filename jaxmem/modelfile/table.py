"""Tables of a model file that know where they stand, so that every complaint names file, place and remedy."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from .. import units
from ..results import InputError

CONDUCTANCES = ("conductance", "conductance density", "capacity-normalized conductance")
#: jaxmem's own unit of every dimension that a parameter may have.
OWN_UNIT = {
    "time": "ms",
    "potential": "mV",
    "conductance": "nS",
    "concentration": "mM",
    "charge": "e0",
    "energy": "kT",
    "temperature": "K",
    "number": "",
    "conductance density": "mS/cm2",
    "capacity-normalized conductance": "nS/pF",
    "permeability times area": "pL/ms",
    "1/time": "1/ms",
    "1/potential": "1/mV",
    "1/concentration": "1/mM",
    "1/concentration^2": "1/mM^2",
    "1/concentration^3": "1/mM^3",
    "1/concentration^4": "1/mM^4",
    "1/(concentration time)": "1/(mM ms)",
}
#: Units of energy per mole. Models hold energies in kT, and how many kT these are depends on the temperature.
MOLAR = {"kJ/mol": 1e3, "kcal/mol": 4184.0, "J/mol": 1.0, "cal/mol": 4.184}


@dataclass(frozen=True)
class Quantity:
    """A number with a unit.

    **Arguments:** `value`: in jaxmem's unit; `unit`: as written; `dimension`: what it measures.
    """

    value: float
    unit: str
    dimension: str


@dataclass(frozen=True)
class Table:
    """A table of the file at a dotted `place`."""

    file: str
    place: str
    data: dict[str, Any]

    def fail(self, message: str, key: str | None = None) -> NoReturn:
        """Raises the `InputError` that says `message` of this table or of one of its keys."""
        raise InputError(f"{self.file}: {self.at(key)}{': ' if self.at(key) else ''}{message}".replace("\n", " "))

    def at(self, key: str | None = None) -> str:
        """The place of a key."""
        return ".".join(shown(part) for part in (self.place, key) if part)

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def __getitem__(self, key: str) -> Any:
        if key not in self.data:
            self.fail(f"must have a key '{key}'; add it")
        return self.data[key]

    def only(self, *known: str) -> "Table":
        """This table, if it has no other keys."""
        for key in self.data:
            if key not in known:
                close = get_close_matches(key, known, 1, 0.5)
                hint = f"did you mean '{close[0]}'?" if close else f"known keys are {', '.join(known)}"
                self.fail(f"unknown key '{shown(key)}'; {hint}")
        return self

    def table(self, key: str) -> "Table":
        """The table under a key."""
        if not isinstance(self[key], dict):
            self.fail(f"must be a table, but is {shown(self[key])}", key)
        return Table(self.file, self.at(key), self[key])

    def tables(self, key: str) -> Iterator["Table"]:
        """The tables of an array, each knowing its number."""
        if not isinstance(self[key], list) or not self[key]:
            self.fail("must be a list of tables with at least one entry", key)
        for k, entry in enumerate(self[key], 1):
            if not isinstance(entry, dict):
                self.fail(f"entry {k} must be a table, but is {shown(entry)}", key)
            yield Table(self.file, f"{self.at(key)}[{k}]", entry)

    def elements(self, key: str) -> Iterator[tuple["Table", str]]:
        """The elements of a list, each as a table and its only key, which is the element's place; a single value is a
        list of one."""
        value = self[key]
        if not isinstance(value, list):
            yield self, key
            return
        if not value:
            self.fail("must have at least one entry, but is an empty list", key)
        for k, entry in enumerate(value, 1):
            yield Table(self.file, self.place, {f"{key}[{k}]": entry}), f"{key}[{k}]"

    def items(self) -> Iterator[tuple[str, "Table"]]:
        """Every key with its table; the table itself must hold tables only."""
        for key in self.data:
            yield key, self.table(key)

    def text(self, key: str, default: str | None = None) -> str:
        """The string under a key."""
        value = self.data.get(key, default) if default is not None else self[key]
        if not isinstance(value, str):
            self.fail(f"must be text in quotes, but is {shown(value)}", key)
        return value

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """One of several words."""
        value = self.text(key, default)
        if value not in choices:
            close = get_close_matches(value, choices, 1)
            hint = f"did you mean '{close[0]}'?" if close else f"choose one of {', '.join(choices)}"
            self.fail(f"unknown word '{shown(value)}'; {hint}", key)
        return value

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.data.get(key, default)
        if not isinstance(value, bool):
            self.fail(f"must be true or false, but is {shown(value)}", key)
        return value

    def whole(self, key: str, lower: int, upper: int) -> int:
        """A whole number."""
        value = self[key]
        if isinstance(value, bool) or not isinstance(value, int) or not lower <= value <= upper:
            self.fail(f"must be a whole number from {lower} to {upper}, but is {shown(value)}", key)
        return value

    def names(self, key: str) -> list[str]:
        """A list of words."""
        value = self[key]
        if not isinstance(value, list) or not value or not all(isinstance(x, str) and x for x in value):
            self.fail(f'must be a list of names such as ["C", "O"], but is {shown(value)}', key)
        return value

    def quantity(self, key: str, *dimensions: str, unit: str | None = None) -> Quantity:
        """A number with a unit of one of the given dimensions (any, if none is given)."""
        return self.read(self[key], key, *dimensions, unit=unit)

    def read(self, value: Any, key: str, *dimensions: str, unit: str | None = None) -> Quantity:
        """The quantity that `value`, found under `key`, means; bare numbers are in `unit`."""
        if isinstance(value, dict):
            inner = Table(self.file, self.at(key), value).only("value", "unit")
            return inner.quantity("value", *dimensions, unit=inner.text("unit"))
        if isinstance(value, str):
            number, unit = self._split(value, key, dimensions)
        elif isinstance(value, bool) or not isinstance(value, (int, float)):
            self.fail(f"must be a number with a unit such as {_example(dimensions)}, but is {shown(value)}", key)
        else:
            number = value
        if unit is None:
            unit = ""
            if dimensions and "number" not in dimensions:
                self.fail(f"has no unit; write it, such as {_example(dimensions, shown(number))}", key)
        return self._convert(number, unit, key, dimensions)

    def _split(self, text: str, key: str, dimensions: tuple[str, ...]) -> tuple[float, str | None]:
        match = re.fullmatch(
            r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?:\s*([^\s\d.].*|1/.*))?\s*", text, re.ASCII
        )
        if match is None:
            self.fail(f"must be a number with a unit such as {_example(dimensions)}, but is '{shown(text)}'", key)
        return float(match[1]), match[2]

    def _convert(self, number: float, unit: str, key: str, dimensions: tuple[str, ...]) -> Quantity:
        unit = unit.strip()
        celsius = unit in ("C", "degC", "°C")
        try:
            kind = "temperature" if celsius else units.dimension(unit)
            value = units.celsius(float(number)) if celsius else float(number) * units.factor(unit)
        except ValueError:
            if unit in MOLAR:
                room = MOLAR[unit] / (units.R * 298.15)
                self.fail(f"must be in kT, as 1 {unit} is {room:.4g} kT at 298.15 K only; convert it", key)
            self.fail(f"unknown unit '{shown(unit)}'; write it like {_example(dimensions)}", key)
        except OverflowError:
            self.fail("is too large a number", key)
        if not math.isfinite(value):
            self.fail(f"must be finite, but is {value}", key)
        if kind not in (dimensions or OWN_UNIT):
            wanted = dimensions[0] if dimensions else "quantity of a model"
            given = f"'{shown(unit)}', {a(kind)}"
            self.fail(f"must be {a(wanted)} such as {_example(dimensions)}, but is in {given}", key)
        return Quantity(value, unit, kind)


def _example(dimensions: tuple[str, ...], number: str = "0.1") -> str:
    return f"'{number} {OWN_UNIT[dimensions[0] if dimensions else 'conductance']}'".replace(" '", "'")


def a(word: str) -> str:
    """A word with its article."""
    return f"{'an' if word[0] in 'aeiou' else 'a'} {word}"


def shown(value: Any) -> str:
    """A value as it is shown in a message: one short line."""
    text = (
        value
        if isinstance(value, str)
        else repr(value)
        if isinstance(value, (int, float))
        else f"a {type(value).__name__}"
    )
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= 80 else text[:77] + "..."
