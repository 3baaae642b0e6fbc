"""The gas and Faraday constants that a case was computed with."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from .. import units
from .fields import positive, table


@dataclasses.dataclass(frozen=True)
class Constants:
    """R [J/(mol K)] and F [C/mol] of a case.

    The library has one pair of constants. Results depend on others only through RT/F and through a factor on
    energies per mole and on currents, so a case with legacy constants is computed at the temperature where
    the library's RT/F is the case's, and scaled.
    """

    R: float = units.R
    F: float = units.F

    def temperature(self, t: float) -> float:
        """The temperature [K] at which the library's RT/F is this case's at t [K]."""
        return t * ((self.R / units.R) / (self.F / units.F))

    @property
    def per_mole(self) -> float:
        """Factor from the library's energies per mole, and its currents, to this case's."""
        return self.F / units.F


def constants(where: str, *places: Mapping[str, Any]) -> Constants:
    """The constants that the first of `places` names, each on its own; the library's where none does.

    They are looked for as `legacy_constants`, as `constants`, and as `R` and `F` among the parameters.
    """
    found: dict[str, float] = {}
    for fields in places:
        for source in (fields.get("legacy_constants"), fields.get("constants"), fields):
            if not isinstance(source, dict):
                source = table(source, f"legacy_constants of {where}") if source is not fields else fields
            for name, spellings in (("R", ("R", "R_J_per_mol_K")), ("F", ("F", "F_C_per_mol"))):
                for spelling in spellings:
                    if source.get(spelling) is not None:
                        found.setdefault(name, positive(source[spelling], f"{spelling} of {where}"))
    return Constants(**found)
