"""What a sweep's file varies: parameters by name, the tables of their values, the design."""

import dataclasses
import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import numpy as np

from .. import sweep, units
from ..fit import between, log_between
from ..modelfile import ModelFile
from ..modelfile.table import OWN_UNIT, Table, shown
from ..params import Domain, parameters, positive, real
from ..results import InputError
from .conditions import quantity, temperature

STEP = re.compile(r"\.?([A-Za-z_]\w*)|\[(-?\d+(?: *, *-?\d+)*)\]|\['([^']*)'\]")
POSITIVE = ("conductance", "capacitance", "permeability", "concentration", "temperature")
MOST = 2**40  # lanes of a sampled design


@dataclasses.dataclass(frozen=True)
class Variable:
    """Something that may be varied: the way to it in the settings, its unit and its natural domain."""

    where: Callable[[Any], Any]
    unit: str
    domain: Domain = real


def of_file(file: ModelFile) -> dict[str, Variable]:
    """The parameters of a model file that have a value of their own."""
    found = {}
    for s in file.specifications:
        if not s.tie:
            domain = positive if s.quantity.dimension.startswith(POSITIVE) else real
            unit = OWN_UNIT[s.quantity.dimension]
            found[s.name] = Variable(lambda m, name=s.name: m["parameters"][name], unit, domain)
    return found


def of_cell(whole: Any) -> dict[str, Variable]:
    """The parameters of a cell, by their way in it."""
    return {e.path: Variable(way(e.path), e.unit, e.domain) for e in parameters(whole)}


def way(path: str) -> Callable[[Any], Any]:
    """How the value of a path is found in the settings."""

    def follow(settings: Any) -> Any:
        node = settings["cell"]
        for attribute, indices, key in STEP.findall(path):
            if attribute:
                node = getattr(node, attribute)
            else:
                numbers = tuple(int(i) for i in indices.split(",")) if indices else ()
                node = node[(numbers[0] if len(numbers) == 1 else numbers) if numbers else key]
        return node

    return follow


def read_varied(root: Table, settings: Any, known: dict[str, Variable]) -> sweep.Varied:
    """The parameter sets that [vary.NAME] tables and `design` describe.

    **Raises:** `InputError`.
    """
    design = root.choice("design", ("grid", "list", "latin_hypercube", "sobol"), "grid")
    sampled = design in ("latin_hypercube", "sobol")
    if not sampled:
        for key in ("lanes", "seed"):
            if key in root:
                root.fail(f"belongs to a sampled design, but the design is a {design}", key)
    entries, variables = [], []
    for name, table in root.table("vary").items():
        variable = _variable(table, name, known)
        values = _bounds(table, variable.unit) if sampled else _values(table, variable.unit)
        entries.append((variable.where, values, name.replace(" ", "")))
        variables.append(variable)
    seed = root.whole("seed", 0, 2**63 - 1) if "seed" in root else 0
    rule: Any = {"grid": sweep.grid, "list": sweep.listed}.get(design)
    if rule is None:
        rule = getattr(sweep, design)(root.whole("lanes", 1, MOST), seed)
    try:
        varied = sweep.vary(settings, *entries, design=rule)
    except InputError as error:
        root.fail(str(error), "vary")
    axes = [dataclasses.replace(a, unit=v.unit, domain=v.domain) for a, v in zip(varied.axes, variables, strict=True)]
    return dataclasses.replace(varied, axes=tuple(axes))


def _variable(table: Table, name: str, known: dict[str, Variable]) -> Variable:
    if name in known:
        return known[name]
    holder = name.rsplit("[", 1)[0] if name.endswith("]") else ""
    if holder in known and "".join(m[0] for m in STEP.finditer(name)) == name:
        return dataclasses.replace(known[holder], where=way(name))
    close = get_close_matches(name, known, 1)
    hint = f"did you mean '{close[0]}'?" if close else f"what can be varied is {', '.join(known)}"
    table.fail(f"the model has no such parameter; {hint}")


def _values(table: Table, unit: str) -> np.ndarray:
    if "values" in table:
        table.only("values", "unit")
        given = table["values"]
        if not isinstance(given, list) or not given:
            table.fail("must be a list of numbers", "values")
        return np.array([number(table, "values", unit, value) for value in given])
    table.only("from", "to", "count", "scale", "unit")
    low, high, log = _range(table, unit)
    count = table.whole("count", 1, 10**9)
    return np.geomspace(low, high, count) if log else np.linspace(low, high, count)


def _bounds(table: Table, unit: str) -> Any:
    table.only("from", "to", "scale", "unit")
    low, high, log = _range(table, unit)
    if not low < high:
        table.fail(f"must be below 'to', but {low:g} and {high:g} are given", "from")
    return (log_between if log else between)(low, high)


def _range(table: Table, unit: str) -> tuple[float, float, bool]:
    low, high = number(table, "from", unit), number(table, "to", unit)
    log = table.choice("scale", ("linear", "log"), "linear") == "log"
    if log and not (low > 0 and high > 0):
        table.fail(f"must be linear for values that are not positive, but they go from {low:g} to {high:g}", "scale")
    return low, high, log


def number(table: Table, key: str, unit: str, value: Any = None) -> float:
    """A number of the file in a unit: as text with its own unit, or in the `unit` that the table gives.

    **Raises:** `InputError`.
    """
    value = table[key] if value is None else value
    example = f"'1 {unit}'" if unit else "1.5"
    found = float("nan")
    if isinstance(value, str):
        found = temperature(value) if unit == "K" else quantity(value, unit)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if unit and "unit" not in table:
            table.fail(f"has no unit; write it, such as {example}, or give the table a `unit`", key)
        try:
            found = float(value) * (units.factor(table.text("unit"), unit) if "unit" in table else 1.0)
        except (ValueError, OverflowError) as error:
            table.fail(str(error), "unit")
    if not np.isfinite(found):
        table.fail(f"must be a finite number such as {example}, but is {shown(value)}", key)
    return found
