"""Thermodynamics of ions at a membrane: potentials, coupled transport and its limits, GHK, Donnan."""

import functools
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from .. import electrochemistry as ec
from ..electrochemistry import Bath, Ca, Cl, H, K, Na, Solution, Species, gaba, glc, glu
from ..results import InputError
from ..units import thermal_voltage
from . import fields
from .constants import Constants, constants
from .fields import REMARKS
from .row import Row, Tolerance, judge, not_covered

Case = Mapping[str, Any]

#: Species that a case may name without giving their valence.
SPECIES = {s.name: s for s in (v for v in vars(ec).values() if isinstance(v, Species))}
CONCENTRATIONS = "concentrations_M_out_in"
PERMEABILITY = "relative_permeability_P"
UNIT_PERMEABILITY = 1e-9  # [m/s]
ZERO = 1e-9  # [mV], [J/mol]: what passes for zero where a case does not say

#: Carriers whose limits a case may ask for, by name: particles moved into the cell, and ATP spent.
CARRIERS: tuple[tuple[str, Callable[..., tuple[dict[Species, float], int]]], ...] = (
    (r"KCC2", lambda: ({K: -1, Cl: -1}, 0)),
    (r"NKCC1", lambda: ({Na: 1, K: 1, Cl: 2}, 0)),
    (r"NCX(\d)", lambda n: ({Na: n, Ca: -1}, 0)),
    (r"PMCA_(\d)H", lambda n: ({Ca: -1, H: n}, 1)),
    (r"EAAT", lambda: ({Na: 3, H: 1, glu: 1, K: -1}, 0)),
    (r"GAT1_(\d)Na(\d)Cl", lambda n, m: ({Na: n, Cl: m, gaba: 1}, 0)),
    (r"SGLT1", lambda: ({Na: 2, glc: 1}, 0)),
    (r"SGLT2", lambda: ({Na: 1, glc: 1}, 0)),
)


def recognizes(data: dict[str, Any]) -> bool:
    """Whether some case lists concentrations outside and inside, or the bath of a Donnan equilibrium."""
    cases = [*_listed(data.get("cases")), *_listed(data.get("donnan"))]
    return any(key in case["parameters"] for case in cases for key in (CONCENTRATIONS, "bath_M_z_conc"))


def _listed(several: Any) -> list[Case]:
    several = [several] if isinstance(several, dict) else several if isinstance(several, list) else []
    return [case for case in several if isinstance(case, dict) and isinstance(case.get("parameters"), dict)]


def rows(data: dict[str, Any]) -> Iterator[Row]:
    """One row for each quantity of each cell and of each Donnan equilibrium."""
    for key, section in (("cases", _cell_rows), ("donnan", _donnan_rows)):
        for k, case in enumerate(fields.tables(data.get(key), key)):
            name = fields.name_of(case, k)
            parameters = fields.table(case.get("parameters"), f"parameters of {name}")
            expected = fields.table(case.get("expected"), f"expected of {name}")
            if (CONCENTRATIONS if key == "cases" else "bath_M_z_conc") in parameters:
                yield from section(case, name, parameters, expected, data)
            else:
                yield from (not_covered(name, quantity, value) for quantity, value in expected.items())
    for section, content in data.items():
        if section not in REMARKS | {"cases", "donnan"} and section.partition("_")[0] not in fields.TOLERANCES:
            yield not_covered(section, section, content)


class _Cell:
    """A membrane with its solutions, computed with the constants of its case."""

    def __init__(self, name: str, parameters: Case, at: Constants, data: Case):
        self.name, self.parameters, self.at = name, parameters, at
        self.t = at.temperature(fields.positive(fields.need(parameters, "T_K", name), f"T_K of {name}"))
        self.valences = {
            ion: fields.whole(z, f"valence of {ion} in {name}")
            for place in (data, parameters)
            for ion, z in fields.table(place.get("valences"), f"valences of {name}").items()
        }
        inside, outside = {}, {}
        for ion, pair in fields.table(fields.need(parameters, CONCENTRATIONS, name), CONCENTRATIONS).items():
            where = f"{CONCENTRATIONS} of {ion} in {name}"
            pair = fields.rows_of(pair, where)
            if len(pair) != 2:
                raise InputError(f"{where} must be [outside, inside], but has {len(pair)} entries.")
            species = self.species(ion)
            if species is not None:
                outside[species], inside[species] = (1e3 * fields.not_negative(c, where) for c in pair)
        self.bath = Bath(inside, outside, self.t)

    def species(self, ion: str) -> Species | None:
        """The species of a name; None if its valence is neither known nor given."""
        if ion in self.valences:
            return Species(ion, self.valences[ion])
        return SPECIES.get(ion)

    @functools.cached_property
    def v(self) -> float:
        """Membrane potential [mV]."""
        return 1e3 * fields.number(fields.need(self.parameters, "V_V", self.name), f"V_V of {self.name}")

    @functools.cached_property
    def atp(self) -> Any:
        """Free energy of ATP hydrolysis [kT]."""
        where = f"ATP_M of {self.name}"
        given = fields.table(fields.need(self.parameters, "ATP_M", self.name), where)
        atp, adp, phosphate = (
            1e3 * fields.positive(fields.need(given, key, where), f"{key} in {where}") for key in ("ATP", "ADP", "Pi")
        )
        standard = fields.number(
            fields.need(self.parameters, "dG0_ATP_J_per_mol", self.name), f"dG0_ATP of {self.name}"
        )
        standard = ec.from_molar(standard / self.at.per_mole, self.t)
        return ec.hydrolysis_energy(atp, adp, phosphate, standard)

    @functools.cached_property
    def permeability(self) -> dict[Species, float]:
        """Relative permeabilities, from the field that names their ions: relative_permeability_PK_PNa_PCl."""
        key = next((key for key in self.parameters if key.startswith(PERMEABILITY)), PERMEABILITY)
        where = f"{key} of {self.name}"
        values = fields.rows_of(fields.need(self.parameters, key, self.name), where)
        ions = key.removeprefix(PERMEABILITY).split("_P")
        if len(ions) != len(values):
            raise InputError(f"{where} must have one value for each of {', '.join(ions)}, but has {len(values)}.")
        read = {}
        for ion, p in zip(ions, values, strict=True):
            species = self.species(ion)
            if species is None:
                raise InputError(f"{where} must name known ions, but names {ion}; give its valence in `valences`.")
            read[species] = fields.not_negative(p, where)
        return read

    def joules(self, energy: Any) -> Any:
        """An energy in kT as J/mol."""
        return self.at.per_mole * ec.to_molar(energy, self.t)


def _cell_rows(case: Case, name: str, parameters: Case, expected: Case, data: Case) -> Iterator[Row]:
    cell = _Cell(name, parameters, constants(name, case, parameters, data), data)
    within = fields.within(name, case, data, zero=ZERO)
    try:
        for quantity, value in expected.items():
            if quantity == "transporters":
                yield from _transporters(cell, fields.table(value, f"transporters of {name}"), within)
            elif quantity == "limits":
                yield from _limits(cell, fields.table(value, f"limits of {name}"), within)
            elif quantity in _OF_EVERY_ION:
                yield from _ions(cell, quantity, fields.table(value, f"{quantity} of {name}"), within)
            elif _remark(quantity):
                continue
            elif (compute := _known(_OF_THE_CELL, quantity)) is None or value is None:
                yield not_covered(name, quantity, value)
            else:
                yield judge(
                    name,
                    quantity,
                    fields.number(value, f"{quantity} of {name}"),
                    float(compute(cell)),
                    within,
                )
    except KeyError as problem:
        raise InputError(f"{name}: {problem.args[0]}") from None
    except ValueError as problem:
        raise problem if isinstance(problem, InputError) else InputError(f"{name}: {problem}") from None


def _remark(key: str) -> bool:
    return key in REMARKS or key.endswith("_note")


def _known(table: tuple[tuple[str, Callable], ...], quantity: str) -> Callable | None:
    """The computation whose pattern is the whole name of a quantity, with the numbers in the name bound."""
    for pattern, compute in table:
        match = re.fullmatch(pattern, quantity)
        if match:
            numbers = [float(text.replace("p", ".")) for text in match.groups()]
            return lambda *arguments: compute(*arguments, *numbers)
    return None


#: Quantities of the cell as a whole, by patterns of their names.
_OF_THE_CELL: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("RT_J_per_mol", lambda cell: cell.joules(1.0)),
    ("RT_over_F_mV", lambda cell: thermal_voltage(cell.t)),
    ("dG_ATP_J_per_mol", lambda cell: cell.joules(cell.atp)),
    ("GHK_voltage_mV", lambda cell: ec.ghk_voltage(cell.permeability, cell.bath)),
    ("GHK_voltage_NaK_only_mV", lambda cell: ec.mullins_noda_voltage(cell.permeability, cell.bath, 1.0)),
    (
        r"Mullins_Noda_r_(\d+(?:p\d+)?)_mV",
        lambda cell, r: ec.mullins_noda_voltage(cell.permeability, cell.bath, r),
    ),
    (
        r"pump_hyperpolarisation_mV_r_(\d+(?:p\d+)?)",
        lambda cell, r: (
            ec.mullins_noda_voltage(cell.permeability, cell.bath, r)
            - ec.mullins_noda_voltage(cell.permeability, cell.bath, 1.0)
        ),
    ),
)


def _nernst(cell: _Cell, ion: Species) -> Any:
    return ec.nernst(*cell.bath[ion], ion.z, cell.t) if ion.z else math.nan


def _current(cell: _Cell, ion: Species, v: Any) -> Any:
    permeability = UNIT_PERMEABILITY * cell.permeability.get(ion, 1.0)
    return cell.at.per_mole * ec.ghk_current(v, *cell.bath[ion], ion.z, permeability, cell.t)


#: Quantities of each ion.
_OF_EVERY_ION: dict[str, Callable[[_Cell, Species], Any]] = {
    "E_mV": _nernst,
    "dmu_in_J_per_mol": lambda cell, ion: cell.joules(ec.potential_difference(*cell.bath[ion], ion.z, cell.v, cell.t)),
    "GHK_current_A_per_m2_outward_positive_P_x_1e-9_m_per_s": lambda cell, ion: _current(cell, ion, cell.v),
    "dGHK_current_dV_S_per_m2": lambda cell, ion: 1e3 * jax.grad(lambda v: _current(cell, ion, v))(jnp.asarray(cell.v)),
}


def _ions(cell: _Cell, quantity: str, expected: Case, within: Tolerance) -> Iterator[Row]:
    for ion, value in expected.items():
        species, label = cell.species(ion), f"{quantity}[{ion}]"
        if species is None:
            yield not_covered(cell.name, label, value)
            continue
        wanted = fields.optional(value, f"{label} of {cell.name}")
        got = float(_OF_EVERY_ION[quantity](cell, species))
        yield judge(cell.name, label, wanted, got, within, undefined=quantity == "E_mV")


def _transporters(cell: _Cell, transporters: Case, within: Tolerance) -> Iterator[Row]:
    for transporter, content in transporters.items():
        where = f"transporter {transporter} of {cell.name}"
        given = fields.table(content, where)
        counts = fields.table(fields.need(given, "stoichiometry_in_positive", where), f"stoichiometry of {where}")
        particles = {ion: fields.number(n, f"stoichiometry of {ion} in {where}") for ion, n in counts.items()}
        spent = fields.optional(given.get("ATP_hydrolysed"), f"ATP_hydrolysed of {where}") or 0.0
        energy = spent * cell.atp if spent else 0.0
        moved = {cell.species(ion): n for ion, n in particles.items()}
        for quantity, value in given.items():
            label = f"{transporter} {quantity}"
            if quantity in ("stoichiometry_in_positive", "ATP_hydrolysed") or _remark(quantity):
                continue
            if quantity not in _OF_TRANSPORTERS or None in moved:
                yield not_covered(cell.name, label, value)
                continue
            wanted = fields.optional(value, f"{quantity} of {where}")
            got = float(_OF_TRANSPORTERS[quantity](cell, moved, energy))
            yield judge(cell.name, label, wanted, got, within, undefined=quantity == "V_rev_mV")


def _reversal(cell: _Cell, moved: ec.Stoichiometry, energy: Any) -> Any:
    return ec.reversal_potential(moved, cell.bath, energy) if ec.charge_moved(moved) else math.nan


#: Quantities of a transporter, from the particles that it moves into the cell and its chemical energy [kT].
_OF_TRANSPORTERS: dict[str, Callable[[_Cell, ec.Stoichiometry, Any], Any]] = {
    "charge_moved_in_per_cycle": lambda cell, moved, energy: ec.charge_moved(moved),
    "dG_transport_J_per_mol": lambda cell, moved, energy: cell.joules(
        ec.transport_free_energy(moved, cell.bath, cell.v)
    ),
    "dG_total_J_per_mol": lambda cell, moved, energy: cell.joules(
        ec.transport_free_energy(moved, cell.bath, cell.v, energy)
    ),
    "V_rev_mV": _reversal,
}


def _limits(cell: _Cell, expected: Case, within: Tolerance) -> Iterator[Row]:
    for quantity, value in expected.items():
        if _remark(quantity):
            continue
        compute = _limit(cell, quantity)
        if compute is None or value is None:
            yield not_covered(cell.name, f"limits {quantity}", value)
        else:
            wanted = fields.number(value, f"{quantity} of {cell.name}")
            yield judge(cell.name, f"limits {quantity}", wanted, float(compute()), within)


def _limit(cell: _Cell, quantity: str) -> Callable[[], Any] | None:
    """How far a carrier goes, read from the name: the ion, the side or ratio, and the carrier."""
    found = re.fullmatch(r"([A-Za-z0-9]+)_in_(setpoint|min|max|over_out_max)_(.+?)(_M)?", quantity)
    if found and (found[2] == "over_out_max") != (found[4] == "_M"):
        ion = cell.species(found[1])
        carrier = _known(CARRIERS, found[3])
        if ion is None or not (carrier or found[3] == "passive"):
            return None
        moved, atp = carrier() if carrier else ({ion: 1}, 0)
        if ion not in moved:
            return None
        scale = (lambda: 1e-3) if found[4] else (lambda: 1.0 / cell.bath[ion][1])
        return lambda: scale() * _equilibrium(cell, ion, moved, atp)
    found = re.fullmatch(r"H_ATPase_(\d)H_max_pH_gradient_at_V", quantity)
    if found:
        return lambda: jnp.log10(cell.bath[H][1] / _equilibrium(cell, H, {H: -int(found[1])}, 1))
    found = re.fullmatch(r"SERCA_(\d)Ca_per_ATP_max_ratio_CaSR_over_Cai_at_zero_SR_potential", quantity)
    if found:
        reticulum = Bath({Ca: 1.0}, {Ca: 1.0}, cell.t)  # inside is the reticulum, outside the cytosol
        return lambda: ec.equilibrium_concentration(Ca, {Ca: int(found[1])}, reticulum, 0.0, cell.atp)
    return None


def _equilibrium(cell: _Cell, ion: Species, moved: ec.Stoichiometry, atp: int) -> Any:
    return ec.equilibrium_concentration(ion, moved, cell.bath, cell.v, atp * cell.atp if atp else 0.0)


def _donnan_rows(case: Case, name: str, parameters: Case, expected: Case, data: Case) -> Iterator[Row]:
    at = constants(name, case, parameters, data)
    within = fields.within(name, case, data, zero=ZERO)
    t = at.temperature(fields.positive(fields.need(parameters, "T_K", name), f"T_K of {name}"))
    bath = {}
    for ion, pair in fields.table(fields.need(parameters, "bath_M_z_conc", name), f"bath of {name}").items():
        where = f"bath_M_z_conc of {ion} in {name}"
        pair = fields.rows_of(pair, where)
        if len(pair) != 2:
            raise InputError(f"{where} must be [valence, concentration], but has {len(pair)} entries.")
        bath[Species(ion, fields.whole(pair[0], where))] = 1e3 * fields.not_negative(pair[1], where)
    impermeant = 1e3 * fields.not_negative(
        fields.need(parameters, "impermeant_in_M", name), f"impermeant_in_M of {name}"
    )
    valence = fields.number(fields.need(parameters, "impermeant_valence", name), f"impermeant_valence of {name}")
    solution = Solution(bath)

    def equilibrium(p: Any) -> ec.Donnan:
        return ec.donnan(solution, p, valence, t)

    found = equilibrium(impermeant)
    scalars: dict[str, Callable[[], Any]] = {
        "V_D_mV": lambda: found.potential,
        "donnan_ratio_cation_in_over_out": lambda: ec.boltzmann_factor(found.potential / thermal_voltage(t)),
        "osmotic_excess_M": lambda: 1e-3 * found.osmotic_excess,
        "osmotic_pressure_difference_Pa": lambda: at.per_mole * found.osmotic_pressure,
        "dV_dP_mV_per_M": lambda: 1e3 * jax.grad(lambda p: equilibrium(p).potential)(jnp.asarray(impermeant)),
    }
    for quantity, value in expected.items():
        if quantity == "c_in_M":
            for ion, c in fields.table(value, f"c_in_M of {name}").items():
                species = next((s for s in bath if s.name == ion), None)
                if species is None:
                    raise InputError(f"c_in_M of {name} must name ions of the bath, but names {ion}.")
                wanted = fields.optional(c, f"c_in_M of {ion} in {name}")
                yield judge(name, f"c_in_M[{ion}]", wanted, 1e-3 * float(found.inside[species]), within)
        elif quantity in scalars and value is not None:
            yield judge(
                name,
                quantity,
                fields.number(value, f"{quantity} of {name}"),
                float(scalars[quantity]()),
                within,
            )
        elif not _remark(quantity):
            yield not_covered(name, quantity, value)
