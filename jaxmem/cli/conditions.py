"""Bath, temperature and durations from the words of a command line."""

import math
import re
from typing import Any

import numpy as np

from .. import electrochemistry, units
from ..electrochemistry import Bath, Solution, Species
from ..results import InputError

ROOM = units.celsius(22.0)  # K, where a bath has no temperature


def quantity(text: str, to: str) -> float:
    """A number with a unit, in the unit `to`; NaN unless it is one."""
    match = re.fullmatch(r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(\S.*?)\s*", text)
    try:
        return float(match[1]) * units.factor(match[2], to) if match else math.nan
    except ValueError:
        return math.nan


def temperature(text: str) -> float:
    """A temperature [K] from a number and its unit, "21.4 C" or "294.5 K".

    **Raises:** `InputError` without a unit, or below absolute zero.
    """
    warm = re.sub(r"\s*(°C|degC|C)\s*$", " K", text)  # a unit of Celsius as one of kelvin, to be shifted
    kelvin = quantity(warm, "K") if warm == text else units.celsius(quantity(warm, "K"))
    if not 0.0 < kelvin < 1000.0:
        raise InputError(f"A temperature must be a number with C or K, such as '21.4 C', but is '{text}'.")
    return kelvin


def bath(words: str | None, ions: str | None, file: Bath | None = None, recorded: float | None = None) -> Bath:
    """The conditions, each from the first that gives it: the command line, the model file, the recording, 22 C.

    **Arguments:** `words`: a temperature with its unit; `ions`: inside|outside in mM, "K=130|4,Na=10|145", of which
    each replaces that ion of `file` alone; `file`: conditions of the model file; `recorded`: temperature [K] of the
    recording.
    **Raises:** `InputError` for an unknown ion or a concentration that is none.
    """
    if words:
        kelvin: Any = temperature(words)
    elif file is not None:
        kelvin = file.temperature
    else:
        kelvin = ROOM if recorded is None else recorded
    sides = [{s: side[s] for s in side.species} for side in (file.inside, file.outside)] if file else [{}, {}]
    for species, pair in _concentrations(ions or "").items():
        for side, value in zip(sides, pair, strict=True):
            side[species] = value
    return Bath(Solution(sides[0]), Solution(sides[1]), kelvin)


def _concentrations(text: str) -> dict[Species, tuple[float, float]]:
    found = {}
    for piece in text.split(",") if text else ():
        name, _, pair = (part.strip() for part in piece.partition("="))
        species = getattr(electrochemistry, name, None) if name else None
        values = pair.split("|")
        if not isinstance(species, Species) or len(values) != 2:
            known = ", ".join(k for k, s in vars(electrochemistry).items() if isinstance(s, Species))
            raise InputError(
                f"A bath must be ION=inside|outside in mM, such as 'K=130|4', but is '{piece.strip()}'; ions are "
                f"{known}."
            )
        found[species] = (_concentration(values[0]), _concentration(values[1]))
    return found


def _concentration(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0.0 <= value < math.inf:
        raise InputError(f"A concentration must be a number of mM and not negative, but is '{text}'.")
    return value


def shown(conditions: Bath) -> str:
    """Conditions in words: the temperature, and the ions inside|outside; ranges of what differs among points."""
    ions = ", ".join(f"{s.name} {_range(i)}|{_range(o)}" for s in conditions.species for i, o in [conditions[s]])
    return f"{_range(conditions.temperature - units.celsius(0.0))} C" + (f", {ions} mM" if ions else "")


def _range(values: Any) -> str:
    return " to ".join(dict.fromkeys(f"{float(end(np.asarray(values))):.4g}" for end in (np.min, np.max)))


def interval(text: str) -> float:
    """A duration [ms] from a number and its unit, "0.1 ms".

    **Raises:** `InputError` without a unit of time, or if it is not positive.
    """
    value = quantity(text, "ms")
    if not 0.0 < value < math.inf:
        raise InputError(
            f"A sampling interval must be positive, with a unit of time, such as '0.1 ms', but is '{text}'."
        )
    return value
