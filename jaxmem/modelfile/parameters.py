"""The parameters of a model file: values, units, bounds, what is free and what is tied."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, NoReturn

from .table import Quantity, Table, a, shown
from .ties import Powers, product, tied

Values = Mapping[str, Any]  # name -> number or array, in jaxmem's units
Build = Callable[[Values], Any]


@dataclass(frozen=True)
class Specification:
    """One line of [parameters]; numbers are in jaxmem's units.

    **Arguments:** `quantity`: value, unit and dimension; `lower`, `upper`: bounds or None; `log`: searched on
    a logarithmic scale; `free`; `tie`: the names and powers of the parameters that this one is `factor` times the
    product of, none if it has a value of its own.
    """

    name: str
    quantity: Quantity
    lower: float | None = None
    upper: float | None = None
    log: bool = False
    free: bool = False
    tie: Powers = ()
    factor: float = 1.0


@dataclass
class Parameters:
    """All parameters, which of them have been used, and the rate laws that have been read."""

    table: Table
    known: dict[str, Specification]
    used: set[str] = field(default_factory=set)
    laws: list[Table] = field(default_factory=list)

    def complete(self, values: Values) -> dict[str, Any]:
        """Every parameter's value from those of some: the others keep the file's, ties follow."""
        everything = {name: values.get(name, s.quantity.value) for name, s in self.known.items() if not s.tie}
        for name, s in self.known.items():
            if s.tie:
                everything[name] = product(s.factor, s.tie, everything)
        return everything

    def argument(
        self, table: Table, key: str, *dimensions: str, positive: bool = False, nonzero: bool = False
    ) -> Build:
        """What a law's argument means: a parameter's name, with a minus sign if need be, or a quantity."""
        value = table[key]
        if isinstance(value, str):
            name = value.strip().removeprefix("-").strip()
            if name.isidentifier():
                return self._reference(table, key, name, "-" in value, dimensions, positive, nonzero)
        number = table.read(value, key, *dimensions).value
        if positive and not number > 0:
            table.fail(f"must be positive, but is {number:g}", key)
        if nonzero and number == 0:
            table.fail("must not be zero", key)
        return lambda values: number

    def arguments(self, table: Table, key: str, *dimensions: str, positive: bool = False) -> list[Build]:
        """What each element of a list means, as `argument`; a single value is a list of one."""
        return [self.argument(one, place, *dimensions, positive=positive) for one, place in table.elements(key)]

    def row(self, table: Table, key: str, *dimensions: str, positive: bool = False) -> Build:
        """A list of arguments as one array."""
        return stacked(self.arguments(table, key, *dimensions, positive=positive))

    def dimension(self, table: Table, key: str, *dimensions: str) -> str:
        """What an argument measures."""
        given = table[key]
        known = self.known.get(given.strip()) if isinstance(given, str) else None
        return (table.quantity(key, *dimensions) if known is None else known.quantity).dimension

    def _reference(self, table, key, name, minus, dimensions, positive, nonzero) -> Build:
        if name not in self.known:
            _unknown(table, key, name, self.known)
        s = self.known[name]
        if dimensions and s.quantity.dimension not in dimensions:
            table.fail(
                f"must be {a(dimensions[0])}, but parameter '{name}' is in '{s.quantity.unit}', "
                f"{a(s.quantity.dimension)}",
                key,
            )
        if positive and minus:
            table.fail(f"must be positive, but is minus '{name}'; remove the minus sign", key)
        if positive and not (s.quantity.value > 0 and (s.lower is None or s.lower > 0)):
            table.fail(f"must be positive, but parameter '{name}' or its lower bound is not", key)
        if nonzero and s.quantity.value == 0:
            table.fail(f"must not be zero, but parameter '{name}' is", key)
        self.used.add(name)
        return (lambda values: -values[name]) if minus else (lambda values: values[name])

    def check_all_used(self) -> None:
        """Refuses parameters that nothing depends on."""
        used = self.used | {target for name in self.used for target, _ in self.known[name].tie}
        for name in self.known:
            if name not in used:
                self.table.fail("is used nowhere in the model; remove it or correct the name where it is meant", name)


def stacked(entries: list[Build]) -> Build:
    """Several arguments as one array, in the default floating type."""

    def build(values: Values) -> Any:
        import jax.numpy as jnp

        dtype = jnp.result_type(float)
        return jnp.stack([jnp.asarray(entry(values), dtype) for entry in entries])

    return build


def read_parameters(table: Table) -> Parameters:
    """The [parameters] of a file.

    **Raises:** `InputError`.
    """
    known: dict[str, Specification] = {}
    ties: dict[str, Table] = {}
    for name, value in table.data.items():
        if not name.isidentifier():
            table.fail(f"'{shown(name)}' must be a name of letters, digits and underscores")
        if isinstance(value, dict) and "tie" in value:
            ties[name] = table.table(name).only("tie", "factor", "note")
        elif isinstance(value, dict):
            known[name] = _specification(name, table.table(name))
        else:
            known[name] = Specification(name, table.read(value, name))
    for name, entry in ties.items():
        known[name] = _tie(name, entry, {**known, **dict.fromkeys(ties)})
    return Parameters(table, {name: known[name] for name in table.data})


def _tie(name: str, table: Table, known: Mapping[str, Specification | None]) -> Specification:
    """A parameter that is a factor times another, `tie = "a"`, or a product of powers, `tie = { a = 1, b = -1 }`."""
    factor = table.quantity("factor", "number").value if "factor" in table else 1.0
    if isinstance(table["tie"], dict):
        inner = table.table("tie")
        powers = tuple((target, inner.whole(target, -4, 4)) for target in inner.data)
        if not powers:
            table.fail("must name at least one parameter", "tie")
    else:
        inner, powers = table, ((table.text("tie"), 1),)
    targets = {}
    for target, _ in powers:
        key = target if inner is not table else "tie"
        if target not in known:
            _unknown(inner, key, target, known)
        other = known[target]
        if other is None or other.tie:
            inner.fail(f"must name a parameter that is not tied itself, but '{target}' is", key)
        targets[target] = (other.quantity, other.lower, other.upper)
    quantity, lower, upper = tied(table, factor, powers, targets)
    return Specification(name, quantity, lower, upper, tie=powers, factor=factor)


def _unknown(table: Table, key: str, name: str, known: Mapping[str, Any]) -> NoReturn:
    close = get_close_matches(name, known, 1)
    hint = f"did you mean '{shown(close[0])}'?" if close else "add it to [parameters]"
    table.fail(f"'{shown(name)}' is not among the parameters; {hint}", key)


def within(value: float, lower: float, upper: float) -> bool:
    """Whether a value lies between two bounds, but for rounding."""
    return math.isclose(value, min(max(value, lower), upper), rel_tol=1e-12)


def _specification(name: str, table: Table) -> Specification:
    table.only("value", "unit", "lower", "upper", "bounds", "scale", "fixed", "note")
    unit = table.text("unit") if "unit" in table else None
    quantity = table.quantity("value", unit=unit)
    lower = upper = None
    if "bounds" in table:
        if "lower" in table or "upper" in table:
            table.fail("give either 'bounds' or 'lower' and 'upper', not both")
        pair = table["bounds"]
        if not isinstance(pair, list) or len(pair) != 2:
            table.fail("must be a list of two quantities, the lower and the upper", "bounds")
        lower, upper = (table.read(x, "bounds", quantity.dimension, unit=unit).value for x in pair)
    elif "lower" in table or "upper" in table:
        lower, upper = (table.quantity(key, quantity.dimension, unit=unit).value for key in ("lower", "upper"))
    log = table.choice("scale", ("linear", "log"), "linear") == "log"
    fixed = table.flag("fixed", lower is None)
    if lower is None and not fixed:
        table.fail("must have bounds to be free; add bounds = [lower, upper]")
    if lower is not None and upper is not None:
        value = quantity.value
        if not lower < upper:
            table.fail(f"the lower bound must be below the upper, but {lower:g} >= {upper:g}; swap them")
        if not within(value, lower, upper):
            table.fail(f"the value must lie within the bounds {lower:g} to {upper:g}, but is {value:g}")
        if log and not lower > 0:
            table.fail(
                f'a lower bound on a log scale must be positive, but is {lower:g}; write scale = "linear"',
                "lower",
            )
    return Specification(name, quantity, lower, upper, log, not fixed)
