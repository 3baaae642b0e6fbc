"""Points of a case: what is given there, what is expected, and the rows of many points computed at once."""

import dataclasses
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import equinox as eqx
import jax
import numpy as np

from ..results import InputError
from . import fields
from .row import Row, Tolerance, judge, not_covered

RTOL = 1e-6  # where a file has none
ZERO = {"mV": 1e-9}  # what passes for zero, by the unit at the end of a quantity's name
OTHER_ZERO = 1e-12

#: Each function of columns runs once: what optimizing it takes is more than what that gains.
_AS_IT_IS = {"xla_backend_optimization_level": 0}

Case = Mapping[str, Any]
Conditions = tuple[Any, ...]  # numbers, and tuples of numbers


@dataclasses.dataclass(frozen=True)
class Reading:
    """How the library gives a quantity.

    **Arguments:** `compute`: results at many points at once, from a column for each condition; without conditions it is
    called once. `take`: the quantity among the results at one point. `parts`: what the numbers are called where the
    quantity is a list. `undefined`: whether null says that there is no such number. `words`: further names in
    `rtol_...`. `at`: the conditions, where they are not those of the point.
    """

    compute: Callable[..., Any]
    take: Callable[[Any], Any] = lambda result: result
    parts: tuple[str, ...] | None = None
    undefined: bool = False
    words: tuple[str, ...] = ()
    at: Conditions | None = None


Known = Callable[[str, Any], Reading | None]  # of a quantity and what is expected


@dataclasses.dataclass(frozen=True)
class Question:
    """A number that a file expects, and where the library is asked for it."""

    case: str
    quantity: str
    expected: float | complex | None
    within: Tolerance
    reading: Reading
    part: int | None
    at: Conditions


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of modules and columns, compiled in a short time."""
    jit: Any = eqx.filter_jit
    return jit(function, compiler_options=_AS_IT_IS)


def each(functions: Mapping[str, Callable[..., Any]]) -> Known:
    """Quantities that are functions of numbers, one for each condition."""
    readings = {
        quantity: Reading(jax.jit(jax.vmap(f), compiler_options=_AS_IT_IS)) for quantity, f in functions.items()
    }
    return lambda quantity, _: readings.get(quantity)


def once(functions: Mapping[str, Callable[[], Any]]) -> Known:
    """Quantities of a whole case."""
    readings = {quantity: Reading(f) for quantity, f in functions.items()}
    return lambda quantity, _: readings.get(quantity)


def by_section(
    data: Case, sections: Mapping[str, Callable[[Case, str, Case], Iterator[Row | Question]]]
) -> Iterator[Row | Question]:
    """The rows of a file whose keys are sections, each one case or a list of them; what is unknown is not covered."""
    for section, content in data.items():
        if section in sections:
            several = fields.tables(content, section)
            for k, case in enumerate(several):
                name = section if len(several) == 1 else f"{section}[{k + 1}]"
                yield from sections[section](case, fields.name_of(case, k, name), data)
        elif section not in fields.REMARKS and section.partition("_")[0] not in fields.TOLERANCES:
            yield not_covered(section, section, content)


def points(
    case: Case, key: str, name: str, conditions: Sequence[str], known: Known, *places: Case
) -> Iterator[Row | Question]:
    """The list of points `case[key]`, each with the conditions and what is expected there.

    A condition may be given in another unit than the one that ends its name.
    """
    for k, point in enumerate(fields.tables(case.get(key), f"{key} of {name}")):
        found = [fields.measured(point, condition, f"{key}[{k + 1}] of {name}") for condition in conditions]
        shown = ", ".join(f"{given} {fields.number(point[given], given):g}" for given, _ in found)
        at, given = tuple(value for _, value in found), {given for given, _ in found}
        yield from compare(point, f"{name} {key}, {shown}", at, known, given, case, *places)


def compare(
    point: Case, name: str, at: Conditions, known: Known, given: Collection[str], *places: Case
) -> Iterator[Row | Question]:
    """What is neither given nor a remark is a quantity, known or not."""
    for quantity, value in point.items():
        if quantity in given or quantity in fields.REMARKS or quantity.partition("_")[0] in fields.TOLERANCES:
            continue
        reading = known(quantity, value)
        if reading is None or (value is None and not reading.undefined):
            yield not_covered(name, quantity, value)
            continue
        zero = ZERO.get(quantity.rpartition("_")[2], OTHER_ZERO)
        within = fields.within(name, point, *places, of=(quantity, *reading.words), rtol=RTOL, zero=zero)
        where, place = f"{quantity} of {name}", at if reading.at is None else reading.at
        if reading.parts is None:
            yield Question(name, quantity, fields.optional(value, where), within, reading, None, place)
            continue
        wanted = fields.rows_of(value, where)
        if len(wanted) != len(reading.parts):
            raise InputError(f"{where} must have {len(reading.parts)} values, but has {len(wanted)}.")
        for k, (part, number) in enumerate(zip(reading.parts, wanted, strict=True)):
            yield Question(name, f"{quantity}[{part}]", fields.optional(number, where), within, reading, k, place)


def occupancies(
    quantity: str,
    value: Any,
    states: Mapping[str, int],
    order: Sequence[str],
    compute: Callable[..., Any],
    take: Callable[[Any], Any],
) -> Reading | None:
    """The reading of a quantity that names states, such as `occ_0_outer_inner_both` or `P_both`; else None.

    **Arguments:** `states`: where each name is in what `take` gives; `order`: the states of a list that names none, as
    in `occ`.
    """
    names = "|".join(re.escape(name) for name in sorted(states, key=len, reverse=True))
    match = re.fullmatch(rf"(?:occ|occupancy|p|P)((?:_(?:{names}))*)", quantity)
    if match is None:
        return None
    named = re.findall(rf"_({names})(?=_|$)", match[1]) or list(order)
    places = [states[name] for name in named]
    if len(named) == 1 and not isinstance(value, list):
        return Reading(compute, lambda result: take(result)[places[0]])
    return Reading(compute, lambda result: take(result)[places], tuple(named))


def answer(found: Iterable[Row | Question]) -> Iterator[Row]:
    """The rows, in their order: every reading is computed once, at all points that ask for it."""
    found = list(found)
    asked: dict[Callable[..., Any], dict[Conditions, int]] = {}
    for one in found:
        if isinstance(one, Question):
            places = asked.setdefault(one.reading.compute, {})
            places.setdefault(one.at, len(places))
    # Compiling takes the time, and several programs can be compiled at once.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        computed = pool.map(_computed, asked, [list(places) for places in asked.values()])
        results = dict(zip(asked, computed, strict=True))
    for one in found:
        if isinstance(one, Row):
            yield one
            continue
        compute = one.reading.compute
        place = asked[compute][one.at]
        got = one.reading.take(jax.tree.map(lambda x, place=place: x[place], results[compute]))
        got = got if one.part is None else got[one.part]
        got = complex(got) if isinstance(one.expected, complex) else float(got)
        yield judge(one.case, one.quantity, one.expected, got, one.within, undefined=one.reading.undefined)


def _computed(compute: Callable[..., Any], at: list[Conditions]) -> Any:
    with jax.enable_x64(True):  # a setting for one thread does not hold in another
        if at == [()]:
            return jax.tree.map(lambda x: np.asarray(x)[None], compute())
        # Powers of two, so that few shapes are compiled.
        size = 1 << (len(at) - 1).bit_length()
        columns = (np.asarray(column, float) for column in zip(*at, *[at[-1]] * (size - len(at)), strict=True))
        return jax.tree.map(np.asarray, compute(*columns))
