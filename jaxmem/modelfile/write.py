"""Writing a model file: the same document with new numbers."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from .. import units
from ..results import InputError
from .parameters import Specification, within
from .table import OWN_UNIT

#: Which tables get a header of their own; the others are written inline. None stands for any name.
_PORE: dict[str | None, Any] = {"sites": {}, "barriers": {}, "ratio": {}}
_CHANNEL: dict[str | None, Any] = {"gating": {"gates": {None: {}}}, "permeation": {**_PORE, "open": _PORE}}
_SHAPE: dict[str | None, Any] = {
    "parameters": {},
    **_CHANNEL,
    "channels": {None: _CHANNEL},
    "leak": {},
    "bath": {},
    "rate_limits": {},
}
#: Lists of tables, each written under a header of its own.
_ARRAYS = ("edges", "occupancies")


def written(
    document: Mapping[str, Any], known: Mapping[str, Specification], values: Mapping[str, float], source: str
) -> str:
    """The text of a document whose parameters have new values."""
    document = {**document, "parameters": dict(document.get("parameters", {}))}
    for name, value in values.items():
        if name not in known or known[name].tie:
            own = ", ".join(k for k, s in known.items() if not s.tie) or "none"
            raise InputError(f"{source}: '{name}' is not a parameter of its own; they are {own}")
        if not math.isfinite(float(value)):
            raise InputError(f"{source}: the value of '{name}' must be finite, but is {value}")
        quantity = _text(float(value), known[name].quantity.unit)
        entry = document["parameters"][name]
        if isinstance(entry, dict):
            entry = _widened(_explicit(entry), float(value), known[name], quantity)
            document["parameters"][name] = {**entry, "value": quantity}
        else:
            document["parameters"][name] = quantity
    if not document["parameters"]:
        del document["parameters"]
    return "\n".join(_table(document, "", _SHAPE)).strip("\n") + "\n"


def _explicit(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A parameter's table with its unit in every quantity, so that the value may be in another one."""
    unit = entry.get("unit")
    if isinstance(entry.get("value"), dict):
        entry = {**entry, "value": 0}
    if unit is None:
        return dict(entry)
    join = lambda x: f"{x!r} {unit}" if isinstance(x, (int, float)) else x
    kept = {key: x for key, x in entry.items() if key != "unit"}
    for key in ("lower", "upper"):
        if key in kept:
            kept[key] = join(kept[key])
    if "bounds" in kept:
        kept["bounds"] = [join(x) for x in kept["bounds"]]
    return kept


def _widened(entry: dict[str, Any], value: float, known: Specification, quantity: Any) -> dict[str, Any]:
    """A parameter's table with bounds that hold the value: those of a limited rate's factor bind only its starts."""
    if known.lower is None or known.upper is None or within(value, known.lower, known.upper):
        return entry
    end = 0 if value < known.lower else 1
    if "bounds" in entry:
        return {**entry, "bounds": [quantity if k == end else bound for k, bound in enumerate(entry["bounds"])]}
    return {**entry, ("lower", "upper")[end]: quantity}


def _text(value: float, unit: str) -> Any:
    """A quantity that reads as exactly `value`: in `unit` if that is possible, else in jaxmem's own unit."""
    if unit in ("", "1"):
        return value
    if unit in ("C", "degC", "°C"):
        return f"{value!r} K"
    factor = units.factor(unit)
    number = value / factor
    for candidate in (number, math.nextafter(number, math.inf), math.nextafter(number, -math.inf)):
        if candidate * factor == value:
            return f"{candidate!r} {unit}"
    return f"{value!r} {OWN_UNIT[units.dimension(unit)]}"


def _table(table: Mapping[str, Any], place: str, shape: Mapping[str | None, Any]) -> list[str]:
    """Lines of a table: its plain keys first, then the tables inside it."""
    lines: list[str] = []
    inner: list[str] = []
    for key, value in table.items():
        path = f"{place}.{_key(key)}" if place else _key(key)
        if isinstance(value, dict) and (key in shape or None in shape):
            body = _table(value, path, shape.get(key, shape.get(None)) or {})
            bare = not value or (body and body[0] != "")
            inner += ["", f"[{path}]", *body] if bare else body
        elif key in _ARRAYS and isinstance(value, list) and value and all(isinstance(x, dict) for x in value):
            for entry in value:
                inner += ["", f"[[{path}]]", *(f"{_key(k)} = {_value(x)}" for k, x in entry.items())]
        else:
            lines.append(f"{_key(key)} = {_value(value)}")
    return lines + inner


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _string(key)


def _string(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        return (
            "{ " + ", ".join(f"{_key(k)} = {_value(x)}" for k, x in value.items()) + " }" if value else "{}"
        )
    return "[" + ", ".join(_value(x) for x in value) + "]"
