"""Pores of barriers and sites in single file: conductance, occupancy, flux ratios, I-V curves, mixtures, block."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any

from .. import units
from ..results import InputError
from . import fields
from .barrier_model import BarrierModel
from .barrier_place import REACH, Place
from .points import Case, Question, Reading, compare
from .row import Row, not_covered

POINTS = ("points", "IV")  # lists of points within a section
REMARKS = {"mp_check_rel"}  # how the reference itself was checked
PLACE = ("position",)  # what the place of a minimum is called in tolerances


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the file gives its kind as such a pore, or has a model of ions with barriers."""
    model = data.get("model")
    return data.get("kind") == "multi_ion_barrier" or (isinstance(model, dict) and "ions" in model)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each section, of those of the file and of those in `expected`."""
    model = BarrierModel(fields.table(fields.need(data, "model", "the file"), "model"), data)
    tables = (data, fields.table(data.get("expected"), "expected"))
    only = model.ions[0] if len(model.ions) == 1 else None
    place, given = Place(model.ions, ion=only, symmetric=only), REMARKS | fields.REMARKS | {"model", "expected"}
    for table in tables:
        for key, value in table.items():
            moved = place.moved(key, value, key) if value is not None and key not in given else None
            place, given = (moved, given | {key}) if moved else (place, given)

    for table in tables:
        for key, value in table.items():
            if key in given or key.partition("_")[0] in fields.TOLERANCES:
                continue
            if _is_section(place, key, value):
                yield from _section(model, place, key, value, *(t for t in tables[::-1] if t is table or t is data))
            else:
                yield not_covered(key, key, value)


def _is_section(place: Place, key: str, value: Any) -> bool:
    """Whether the name of a section is known, or all of its entries say what is in the baths."""
    named = rf"symmetric|mixed|AMFE(_.+)?|({place.names})_only|({place.names})_current_vs_({place.names})"
    if re.fullmatch(named, key):
        return True
    entries = value if isinstance(value, list) else [value]
    says = lambda entry: isinstance(entry, dict) and any(re.fullmatch(r"c[oi]_(m|u|n)?M", field) for field in entry)
    return bool(entries) and all(map(says, entries))


def _section(model: BarrierModel, place: Place, key: str, value: Any, *places: Case) -> Iterator[Row | Question]:
    several = fields.tables(value, key)
    for k, entry in enumerate(several):
        name = key if len(several) == 1 else f"{key}[{k + 1}]"
        start = _start(model, place, key, entry, name)
        for here, table, at, given in _walk(entry, name, start):
            known = lambda quantity, value, at=at, here=here: _reading(model, at, quantity, value, here)
            yield from compare(table, here, (), known, {*given, *POINTS}, *([] if table is entry else [entry]), *places)


def _start(model: BarrierModel, place: Place, key: str, entry: Case, name: str) -> Place:
    """What the name of a section says of its conditions."""
    if key == "symmetric":
        if place.symmetric is None:
            raise InputError(f"{name} must have a symmetric_ion in the file, one of {', '.join(place.ions)}.")
        return dataclasses.replace(place, ion=place.symmetric, both=True, v=None)
    if only := re.fullmatch(rf"({place.names})_only", key):
        return dataclasses.replace(place, ion=only[1])
    if key.partition("_")[0] == "AMFE":
        return dataclasses.replace(place, pair=_pair(model, place, key, entry, name))
    if against := re.fullmatch(rf"(?:{place.names})_current_vs_({place.names})", key):
        ion = against[1]
        reached = [at.outside.get(ion, 0.0) for _, _, at, _ in _walk(entry, name, place)]
        reached = [c for c in reached if c > 0.0]
        reach = (min(reached), max(reached)) if len(set(reached)) > 1 else REACH
        return dataclasses.replace(place, swept=ion, reach=reach)
    return place


def _walk(entry: Case, name: str, place: Place) -> Iterator[tuple[str, Case, Place, list[str]]]:
    """An entry of a section and the points in it: what each is called, its fields, its conditions, and the fields that
    say them."""
    shown, given = [], []
    for field, value in entry.items():
        moved = place.moved(field, value, f"{field} of {name}") if value is not None else None
        if moved is not None:
            place = moved
            given.append(field)
            shown += [] if isinstance(value, dict | list) else [f"{field} {value}"]
    yield ", ".join([name, *shown]), entry, place, given
    for key in POINTS:
        for k, point in enumerate(fields.tables(entry.get(key), f"{key} of {name}")):
            if any(key in point for key in POINTS):
                raise InputError(f"{key}[{k + 1}] of {name} must be a point, but has points itself.")
            yield from _walk(point, f"{name} {key}", place)


def _pair(model: BarrierModel, place: Place, key: str, entry: Case, name: str) -> tuple[str, str]:
    """The two ions of a mixture: that of x_<ion>, and one that a name tells or that alone has the same valence."""
    listed = [point for points in POINTS for point in fields.tables(entry.get(points), f"{points} of {name}")]
    ions = [ion for ion in key.split("_")[1:] if ion in place.ions]
    for pattern in (rf"x_({place.names})(?:_at_min)?", rf"min_over_pure_({place.names})"):
        ions += [m[1] for table in (entry, *listed) for field in table if (m := re.fullmatch(pattern, field))]
    ions = list(dict.fromkeys(ions))
    if len(ions) == 1:
        others = [ion for ion in place.ions if ion not in ions]
        alike = [ion for ion in others if model.species[ion].z == model.species[ions[0]].z]
        ions += others if len(others) == 1 else alike
    if len(ions) != 2:
        raise InputError(
            f"{name} must tell two ions by x_<ion> and min_over_pure_<ion>, but tells {', '.join(ions) or 'none'}."
        )
    return ions[0], ions[1]


def _reading(model: BarrierModel, at: Place, quantity: str, value: Any, where: str) -> Reading | None:
    """How the library gives a quantity under the conditions of a point; None if it is not known."""
    stem, unit, kind = fields.unit_of(quantity)
    carried = re.fullmatch(rf"I(?:_({at.names}))?", stem)
    if kind == "current" and carried:
        scale, conditions = model.per_mole / units.factor(unit), (at.voltage(where), *at.bath(where))
        if carried[1] is None:
            return Reading(model.carried, lambda result: scale * result.current, at=conditions)
        return Reading(model.currents, lambda i: scale * i[at.ions.index(carried[1])], at=conditions)
    if kind == "conductance" and stem in ("gamma", "gamma_slope"):
        scale = model.per_mole / units.factor(unit)
        take = lambda result: scale * (result.chord if stem == "gamma" else result.slope)
        return Reading(model.carried, take, at=(at.v or 0.0, *at.bath(where)))
    if kind == "potential" and stem == "V_rev":
        return Reading(model.reversal, lambda v: v / units.factor(unit), undefined=True, at=at.bath(where))
    if re.fullmatch(r"occupancy(_\d+)+", quantity):
        return _numbers(model, at, quantity, value, where)
    if quantity in _LABELED:
        return _labeled(model, at, quantity, where)
    if at.pair is not None:
        return _least_of_mixture(model, at, quantity, where)
    return _least_of_swept(model, at, quantity, where) if at.swept is not None else None


def _numbers(model: BarrierModel, at: Place, quantity: str, value: Any, where: str) -> Reading:
    """Probabilities of numbers of ions. A list of 0, 1, 2, ... may go on to another number than its name does."""
    numbers = [int(n) for n in quantity.split("_")[1:]]
    if isinstance(value, list) and numbers == list(range(len(numbers))):
        numbers = list(range(len(value)))
    holds = lambda p, n: p[n] if n <= model.sites else 0.0
    conditions = (at.v or 0.0, *at.bath(where))
    if len(numbers) == 1 and not isinstance(value, list):
        return Reading(model.holding, lambda p: holds(p, numbers[0]), at=conditions)
    take = lambda p: [holds(p, n) for n in numbers]
    return Reading(model.holding, take, tuple(map(str, numbers)), at=conditions)


_LABELED = {
    "flux_ratio_exponent": lambda result: result.exponent,
    "J_in_1_s": lambda result: 1e3 * result.influx,
    "J_out_1_s": lambda result: 1e3 * result.efflux,
}


def _labeled(model: BarrierModel, at: Place, quantity: str, where: str) -> Reading:
    ion = at.ion or at.symmetric
    v = at.v if at.v_labeled is None else at.v_labeled
    if ion is None or v is None:
        raise InputError(f"{where} must have symmetric_ion and flux_ratio_V_mV in the file, but lacks one of them.")
    sides = at.bath(where)
    present = tuple(k for k, name in enumerate(at.ions) if name == ion or any(side[k] for side in sides))
    compute = model.labeled(ion, tuple(at.ions[k] for k in present))
    return Reading(compute, _LABELED[quantity], at=(v, *(tuple(side[k] for k in present) for side in sides)))


def _least_of_mixture(model: BarrierModel, at: Place, quantity: str, where: str) -> Reading | None:
    """The smallest current of a mixture of two ions, where it is, and how small."""
    first, second = at.pair
    take = {
        "x_min": lambda result: result.fraction,
        f"x_{first}_at_min": lambda result: result.fraction,
        f"x_{second}_at_min": lambda result: 1.0 - result.fraction,
        "I_min_pA": lambda result: model.per_mole * result.current,
        "depth_vs_linear": lambda result: result.depth,
        f"min_over_pure_{first}": lambda result: result.over_first,
        f"min_over_pure_{second}": lambda result: result.over_second,
    }.get(quantity)
    if take is None:
        return None
    conditions = (at.voltage(where), *at.bath(where, mixed=False), at.sum(where))
    return Reading(model.mixed(first, second), take, words=PLACE if quantity.startswith("x_") else (), at=conditions)


def _least_of_swept(model: BarrierModel, at: Place, quantity: str, where: str) -> Reading | None:
    """The smallest current while the concentration of one ion outside varies, and how small it is."""
    stem, unit, kind = fields.unit_of(quantity)
    if stem == f"{at.swept}_at_min" and kind == "concentration":
        take, words = (lambda result: result.concentration / units.factor(unit)), PLACE
    elif quantity == "I_min_pA":
        take, words = (lambda result: model.per_mole * result.current), ()
    elif quantity == "block_fold":
        take, words = (lambda result: result.without / result.current), ()
    else:
        return None
    conditions = (at.voltage(where), *at.bath(where), *at.reach)
    return Reading(model.swept(at.swept), take, words=words, at=conditions)
