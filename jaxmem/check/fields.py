"""Reading the fields of a case: an answer of the type asked for, or one line that says what is wrong."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import units
from ..results import InputError
from .row import Tolerance

#: Keys that describe a case and are no quantities.
REMARKS = frozenset(
    "kind id case description source status note notes definitions exact_to units scheme formula convention "
    "constants legacy_constants R F valences".split()
)


#: How the names of tolerances begin.
TOLERANCES = frozenset(("rtol", "atol"))


def read(path: Path) -> Any:
    """The content of a JSON file.

    **Raises:** `InputError` if it cannot be read or is not JSON of finite numbers.
    """
    try:
        return json.loads(path.read_text("utf-8"), parse_constant=_refuse)
    except (OSError, UnicodeDecodeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise InputError(f"{path} must be a readable JSON file, but {reason}.") from None
    except RecursionError:
        raise InputError(f"{path} must be a JSON file of cases, but is nested too deeply.") from None
    except ValueError as problem:
        raise InputError(
            f"{path} must be a JSON file, but {_one_line(problem)}; correct it, or leave it out."
        ) from None


def table(value: Any, where: str) -> Mapping[str, Any]:
    """`value` as a mapping; null is an empty one."""
    return _typed({} if value is None else value, dict, "an object {...}", where)


def rows_of(value: Any, where: str) -> Sequence[Any]:
    """`value` as a list; null is an empty one."""
    return _typed([] if value is None else value, list, "a list [...]", where)


def tables(value: Any, where: str) -> list[Mapping[str, Any]]:
    """`value` as a list of mappings; one mapping is a list of one, null is an empty list."""
    several = [value] if isinstance(value, dict) else rows_of(value, where)
    return [table(entry, f"{where}[{k}]") for k, entry in enumerate(several)]


def number(value: Any, where: str) -> float:
    """`value` as a finite number: JSON numbers, and text that is an exact decimal."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            pass
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise InputError(f"{where} must be a finite number, but is {_shown(value)}.")
    return float(value)


def whole(value: Any, where: str) -> int:
    """`value` as a whole number."""
    found = number(value, where)
    if found != int(found):
        raise InputError(f"{where} must be a whole number, but is {_shown(value)}.")
    return int(found)


def positive(value: Any, where: str) -> float:
    """`value` as a number above zero."""
    found = number(value, where)
    if found <= 0.0:
        raise InputError(f"{where} must be above zero, but is {_shown(value)}.")
    return found


def not_negative(value: Any, where: str) -> float:
    """`value` as a number that is zero or above."""
    found = number(value, where)
    if found < 0.0:
        raise InputError(f"{where} must not be negative, but is {_shown(value)}.")
    return found


def numbers(value: Any, where: str, count: int) -> list[float]:
    """`value` as a list of `count` numbers."""
    found = [number(x, where) for x in rows_of(value, where)]
    if len(found) != count:
        raise InputError(f"{where} must have {count} values, but has {len(found)}.")
    return found


def optional(value: Any, where: str) -> float | None:
    """`value` as a number, or None if it is null."""
    return None if value is None else number(value, where)


def need(fields: Mapping[str, Any], key: str, where: str) -> Any:
    """The entry of `fields` at `key`, which must be there and not be null."""
    if fields.get(key) is None:
        raise InputError(f"{where} must have the field '{key}', but has {', '.join(map(str, fields)) or 'none'}.")
    return fields[key]


def valence(fields: Mapping[str, Any], where: str, otherwise: int | None = None) -> int:
    """The field `z`, a whole number of ordinary size; `otherwise` if there is none."""
    if otherwise is not None and fields.get("z") is None:
        return otherwise
    found = whole(need(fields, "z", where), f"z of {where}")
    if abs(found) > 10:
        raise InputError(f"z of {where} must be between -10 and 10, but is {found:g}.")
    return found


def states(value: Any, known: Iterable[str], where: str) -> tuple[str, ...]:
    """`value` as a list of names of states."""
    found, known = tuple(rows_of(value, where)), tuple(known)
    for state in found:
        if state not in known:
            raise InputError(f"{where} must be among {', '.join(known)}, but one is {_shown(state)}.")
    return found


def unit_of(key: str) -> tuple[str, str, str]:
    """What is before the unit at the end of a key, the unit, and what it measures; `key` and two blanks without one."""
    stem, _, unit = key.rpartition("_")
    try:
        return (stem, unit, units.dimension(unit)) if stem and unit else (key, "", "")
    except ValueError:
        return key, "", ""


def measured(fields: Mapping[str, Any], key: str, where: str) -> tuple[str, float]:
    """The field `key`, or the same in another unit: what it is called there, and its value in the unit of `key`."""
    stem, unit, kind = unit_of(key)
    alike = lambda other: kind and unit_of(other)[::2] == (stem, kind) and fields[other] is not None
    found = key if fields.get(key) is not None else next(filter(alike, fields), key)
    value = need(fields, found, where)
    value = (not_negative if kind == "concentration" else number)(value, f"{found} of {where}")
    return found, value if found == key else value * units.factor(unit_of(found)[1], unit)


def within(
    name: str, *places: Mapping[str, Any], of: Sequence[str] = (), rtol: float = 1e-9, zero: float = 0.0
) -> Tolerance:
    """The tolerances of a quantity from the first of `places` (a case, then its file) that has them.

    **Arguments:** `of`: what the quantity is called in `rtol_...` and `atol_...`; without such a field,
    `rtol` holds, and `atol` where 0 is expected; `rtol`, `zero`: what holds where the file says nothing.
    """

    def find(names: Sequence[str], default: float) -> float:
        for fields in places:
            for key in names:
                if fields.get(key) is not None:
                    found = number(fields[key], f"{key} of {name}")
                    if found < 0.0:
                        raise InputError(f"{key} of {name} must not be negative, but is {found:g}.")
                    return found
        return default

    return Tolerance(
        rtol=find([*(f"rtol_{word}" for word in of), "rtol"], rtol),
        atol=find([f"atol_{word}" for word in of], 0.0),
        zero=find(["atol"], zero),
    )


def name_of(case: Mapping[str, Any], k: int, otherwise: str = "") -> str:
    """What a case is called: its `id` or `case`, else as it is told, else its place."""
    given = next((case[key] for key in ("id", "case") if case.get(key) is not None), otherwise or f"case {k + 1}")
    return _one_line(given)


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}, which is not JSON")


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the largest float
        return False


def _typed(value: Any, kind: type, what: str, where: str) -> Any:
    if not isinstance(value, kind):
        raise InputError(f"{where} must be {what}, but is {_shown(value)}.")
    return value


def _shown(value: Any) -> str:
    text = _one_line(repr(value))
    return text if len(text) <= 60 else text[:57] + "..."


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
