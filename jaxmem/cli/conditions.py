"""Bath, temperature and durations from the words of a command line."""

import math
import re

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


def bath(temperature_text: str | None, ions: str | None) -> Bath | float | None:
    """The conditions: a `Bath` if ions are given, else the temperature [K]; None if nothing is given.

    **Arguments:** `ions`: inside|outside in mM, "K=130|4,Na=10|145".
    **Raises:** `InputError` for an unknown ion or a concentration that is none.
    """
    kelvin = temperature(temperature_text) if temperature_text else None
    if not ions:
        return kelvin
    inside: dict[Species, float] = {}
    outside: dict[Species, float] = {}
    for piece in ions.split(","):
        name, _, pair = (part.strip() for part in piece.partition("="))
        species = getattr(electrochemistry, name, None) if name else None
        values = pair.split("|")
        if not isinstance(species, Species) or len(values) != 2:
            known = ", ".join(k for k, s in vars(electrochemistry).items() if isinstance(s, Species))
            raise InputError(
                f"A bath must be ION=inside|outside in mM, such as 'K=130|4', but is '{piece.strip()}'; "
                f"ions are {known}."
            )
        for side, text in zip((inside, outside), values, strict=True):
            try:
                concentration = float(text)
            except ValueError:
                concentration = math.nan
            if not 0.0 <= concentration < math.inf:
                raise InputError(f"A concentration must be a number of mM and not negative, but is '{text}'.")
            side[species] = concentration
    return Bath(Solution(inside), Solution(outside), ROOM if kelvin is None else kelvin)


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
