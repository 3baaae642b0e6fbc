"""What the fields of a case say of the conditions at a barrier pore."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from .. import units
from ..results import InputError
from . import fields
from .points import Conditions

REACH = (1e-6, 1e3)  # [mM] where a smallest current is looked for if no points say


@dataclasses.dataclass(frozen=True)
class Place:
    """The conditions so far; fields move it on.

    **Arguments:** `ions`: those of the pore. `v`, `v_labeled` [mV]: for everything, and for one-way fluxes; `outside`,
    `inside` [mM]: by ion; `ion`: whose concentration is `c_...`, on `both` sides or outside; `symmetric`: the ion of
    symmetric solutions; `pair`: two ions that are mixed to the sum `total` [mM], of which `fraction` is the first;
    `swept`: an ion whose concentration varies within `reach` [mM].
    """

    ions: tuple[str, ...]
    v: float | None = None
    v_labeled: float | None = None
    outside: Mapping[str, float] = dataclasses.field(default_factory=dict)
    inside: Mapping[str, float] = dataclasses.field(default_factory=dict)
    ion: str | None = None
    both: bool = False
    symmetric: str | None = None
    pair: tuple[str, str] | None = None
    total: float | None = None
    fraction: float | None = None
    swept: str | None = None
    reach: tuple[float, float] = REACH

    @property
    def names(self) -> str:
        """A pattern that any of the ions matches."""
        return "|".join(re.escape(ion) for ion in sorted(self.ions, key=len, reverse=True))

    def moved(self, key: str, value: Any, where: str) -> "Place | None":
        """The place after a field of a table; None if the field is no condition.

        **Raises:** `InputError` for a value that no condition can have.
        """
        stem, unit, kind = fields.unit_of(key)
        if key == "symmetric_ion":
            return dataclasses.replace(self, symmetric=self._known(value, where))
        if kind == "potential" and stem in ("V", "flux_ratio_V"):
            v = fields.number(value, where) * units.factor(unit)
            return dataclasses.replace(self, **{"v" if stem == "V" else "v_labeled": v})
        if kind == "concentration":
            return self._filled(stem, value, units.factor(unit), where)
        share = re.fullmatch(rf"x_({self.names})", key)
        if share and self.pair is not None and share[1] in self.pair:
            x = fields.number(value, where)
            if not 0.0 <= x <= 1.0:
                raise InputError(f"{where} must be between 0 and 1, but is {x:g}.")
            return dataclasses.replace(self, fraction=x if share[1] == self.pair[0] else 1.0 - x)
        return None

    def bath(self, where: str, *, mixed: bool = True) -> Conditions:
        """Concentrations outside and inside [mM], in the order of the ions; without the pair unless `mixed`."""
        outside = dict(self.outside)
        if mixed and self.pair is not None:
            if self.fraction is None:
                raise InputError(f"{where} must have the field 'x_{self.pair[0]}', but does not.")
            share = self.fraction
            outside |= {self.pair[0]: share * self.sum(where), self.pair[1]: (1.0 - share) * self.sum(where)}
        if mixed and not outside and not self.inside:
            raise InputError(f"{where} must say what is in the baths, such as co_M and ci_M, but does not.")
        return tuple(tuple(side.get(ion, 0.0) for ion in self.ions) for side in (outside, self.inside))

    def sum(self, where: str) -> float:
        """The sum of the concentrations of the pair [mM]."""
        if self.total is None:
            raise InputError(f"{where} must have the field 'c_total_mM', but does not.")
        return self.total

    def voltage(self, where: str) -> float:
        """The voltage [mV]."""
        if self.v is None:
            raise InputError(f"{where} must have the field 'V_mV', but does not.")
        return self.v

    def _filled(self, stem: str, value: Any, scale: float, where: str) -> "Place | None":
        """The place after a concentration: of all ions of a side, of the section's ion, of the pair, or of one ion."""
        amount = lambda value, where: scale * fields.not_negative(value, where)
        if stem == "c_total":
            return dataclasses.replace(self, total=amount(value, where))
        if stem in ("co", "ci") and isinstance(value, dict):
            side = {self._known(ion, where): amount(c, f"{ion} in {where}") for ion, c in value.items()}
            return self._with(**{"outside" if stem == "co" else "inside": side})
        if stem in ("c", "co", "ci", "c_out", "c_in"):
            if self.ion is None:
                raise InputError(f"{where} must be an object that names ions, as in {{'{self.ions[0]}': 0.1}}.")
            one = {self.ion: amount(value, where)}
            outside = stem in ("c", "co", "c_out")
            inside = stem in ("ci", "c_in") or (stem == "c" and self.both)
            return self._with(outside=one if outside else {}, inside=one if inside else {})
        named = re.fullmatch(rf"({self.names})(_out|_in)?", stem)
        if named is None:
            return None
        one = {named[1]: amount(value, where)}
        return self._with(inside=one) if named[2] == "_in" else self._with(outside=one)

    def _with(self, outside: Mapping[str, float] | None = None, inside: Mapping[str, float] | None = None) -> "Place":
        return dataclasses.replace(
            self, outside={**self.outside, **(outside or {})}, inside={**self.inside, **(inside or {})}
        )

    def _known(self, ion: Any, where: str) -> str:
        if ion not in self.ions:
            raise InputError(f"{where} must name ions of the model, {', '.join(self.ions)}, but names {ion!r:.40}.")
        return ion
