"""What the columns of a file mean: role and unit from a name such as ``current [nA]`` or ``time_ms``."""

import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxmem import units as unit_system
from jaxmem.results import InputError


class Role(enum.Enum):
    """What a column holds; the value is the word to use in ``units={...}``."""

    TIME = "time"
    INTERVAL = "dt"
    VOLTAGE = "voltage"
    SIGNAL = "current"
    SWEEP = "sweep"


_NAMES = {
    Role.TIME: {"t", "time", "times", "sweep time"},
    Role.INTERVAL: {"dt", "interval", "sampling interval", "sample interval"},
    Role.VOLTAGE: {
        "v",
        "vm",
        "v m",
        "voltage",
        "potential",
        "membrane potential",
        "command",
        "command voltage",
        "voltage command",
        "v command",
        "vcmd",
        "v cmd",
        "cmd",
    },
    Role.SIGNAL: {"i", "im", "i m", "current", "membrane current", "signal", "conductance", "g"},
    Role.SWEEP: {"sweep", "episode", "sweep number"},
}
_INTERNAL = {Role.TIME: "ms", Role.INTERVAL: "ms", Role.VOLTAGE: "mV", Role.SIGNAL: "pA"}
#: What a signal other than a current is stored in: what a model of that kind gives.
SIGNALS = {
    "conductance": "nS",
    "conductance density": "mS/cm2",
    "capacity-normalized conductance": "nS/pF",
    "current density": "uA/cm2",
    "capacity-normalized current": "pA/pF",
    "number": "1",
}
_BY_DIMENSION = {"time": Role.TIME, "potential": Role.VOLTAGE, "current": Role.SIGNAL}
LARGEST_VALUE = 1e15  # of any number in a file: no time, voltage or current is larger
_LONGEST = 200  # characters of a column name


@dataclass(frozen=True)
class Column:
    """One column of a file.

    **Arguments:** `index`: its place; `name`: without the unit; `role`; `unit`: as it will be stored;
    `factor`: multiplies the values of the file.
    """

    index: int
    name: str
    role: Role
    unit: str
    factor: float


def parse_units(text: str) -> dict[str, str]:
    """The units given on a command line, ``"time=s,current=nA"``, as a dictionary.

    **Raises:** `InputError` if a piece has no ``=``.
    """
    pairs = [piece.partition("=") for piece in text.split(",") if piece.strip()]
    if not pairs or any(not (name.strip() and unit.strip()) for name, _, unit in pairs):
        raise InputError(
            f"Units must be given as name=unit, separated by commas (time=s,current=nA), but are '{text}'."
        )
    return {name.strip(): unit.strip() for name, _, unit in pairs}


def understand(path, names: Sequence[str], given: Mapping[str, str] | None = None) -> list[Column]:
    """The columns with a known role, in the order of the file; others are left out.

    **Arguments**

    - `names`: the names in the file: ``current [nA]``, ``current (nA)``, ``current_nA`` or ``current``.
    - `given`: units of columns that do not say theirs, by full name, name without number, or role (`time`,
      `dt`, `voltage`, `current`).

    **Raises:** `InputError` if a needed unit is missing, unknown, of the wrong kind, or said twice.
    """
    given = dict(given or {})
    columns = [_column(path, index, text, given) for index, text in enumerate(names)]
    return [column for column in columns if column is not None]


def scaled(path, name: str, factor: float, values: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The values in internal units.

    **Raises:** `InputError` if a value is NaN, infinite, or so large that it can only be damage.
    """
    bad = ~np.isfinite(values)
    if not bad.any():
        bad = np.abs(values) > LARGEST_VALUE
    if bad.any():
        place = tuple(np.argwhere(bad)[0])
        raise InputError(
            f"{path}: '{name[:40]}' holds {values[place]:.3g} at sample {place[-1] if place else 0}, which is no "
            "measurement; cut it out or repair it first"
        )
    return factor * values


def _column(path, index: int, text: str, given: Mapping[str, str]) -> Column | None:
    name, unit = split_name(text)
    base = re.sub(r"[\s_#.-]*\d+$", "", name).strip()
    role = _role(base, unit)
    if role is None:
        return None
    if role is Role.SWEEP:
        return Column(index, name, role, "", 1.0)
    asked = next((given[key] for key in (text.strip(), name, base, role.value) if key in given), None)
    if unit is not None and asked is not None and plain(unit) != plain(asked):
        raise InputError(f"{path}: column '{text}' already says its unit, so units must not give '{asked}' for it")
    unit = unit if asked is None else asked
    if unit is None:
        raise InputError(
            f"{path}: column '{text}' has no unit; write it into the name ('{name} [{_INTERNAL[role]}]') or give it "
            f"(units={{'{base}': '{_INTERNAL[role]}'}}, --units {base}={_INTERNAL[role]})"
        )
    return _scaled(path, index, name, text, role, unit)


def _scaled(path, index: int, name: str, text: str, role: Role, unit: str) -> Column:
    internal = _INTERNAL[role]
    if role is Role.SIGNAL:
        internal = SIGNALS.get(dimension(unit), internal)
    try:
        return Column(index, name, role, internal, unit_system.factor(plain(unit), internal))
    except ValueError:
        internal = _INTERNAL[role]
        raise InputError(
            f"{path}: column '{text}' must be in a unit like {internal}, but is in '{unit}'; give the right one "
            f"(units={{'{role.value}': '{internal}'}}, --units {role.value}={internal})"
        ) from None


def split_name(text: str) -> tuple[str, str | None]:
    """Name and unit of a column: ``I (nA)`` and ``I_nA`` give ``("I", "nA")``; ``x`` has no unit, None."""
    text = text[:_LONGEST].strip()
    for opening, closing in ("[]", "()"):
        head, found, tail = text.rpartition(opening)
        if found and tail.endswith(closing):
            return head.strip(), tail[:-1].strip()
    for separator in ("_", " / ", "/", " "):
        head, found, tail = text.rpartition(separator)
        if found and head and _is_suffix(head, tail):
            return head.strip(), tail.strip()
    return text, None


def _is_suffix(head: str, tail: str) -> bool:
    """Whether the end of a name is a unit; in ``I_K``, ``I_h`` and ``I_A`` it names a current."""
    if len(tail.strip()) == 1:
        return tail.strip() in ("s", "V") or (tail.strip() == "A" and head.strip().lower() == "current")
    return dimension(tail) not in ("", "number")


def _role(base: str, unit: str | None) -> Role | None:
    word = re.sub(r"[\s_]+", " ", base.lower()).strip()
    for role, names in _NAMES.items():
        if word in names:
            return role
    return None if unit is None else _BY_DIMENSION.get(dimension(unit))


def plain(unit: str) -> str:
    """A unit as `units` knows it: `s` for sec, seconds, and the like."""
    unit = unit.strip()
    return {"sec": "s", "msec": "ms", "seconds": "s", "second": "s", "milliseconds": "ms"}.get(unit.lower(), unit)


def dimension(unit: str) -> str:
    """What the unit measures, or "" if it is not a unit."""
    try:
        return unit_system.dimension(plain(unit)) if plain(unit) else ""
    except ValueError:
        return ""
