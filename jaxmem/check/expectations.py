"""Rows of a case: conditions, what is expected under `expected`, and what has been published."""

import dataclasses
import decimal
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .. import units
from ..results import InputError
from . import fields
from .points import Case, Conditions, Known, Question, compare
from .row import Row, Tolerance

PUBLISHED = "published_"
ASIDE = ("note", "experiment")  # how the names of remarks and of other people's data begin


def parameters_of(case: Any) -> Mapping[str, Any]:
    """The parameters of a case, none if it has none or is no case."""
    found = case.get("parameters") if isinstance(case, dict) else None
    return found if isinstance(found, dict) else {}


def number_of(table: Case, key: str, where: str) -> float:
    """A number that must be there."""
    return fields.number(fields.need(table, key, where), f"{key} of {where}")


def above_zero(table: Case, key: str, where: str) -> float:
    """A number above zero that must be there."""
    return fields.positive(fields.need(table, key, where), f"{key} of {where}")


def rows_of(case: Case, name: str) -> Iterator[tuple[Case, str]]:
    """The rows of a case, and what each is called."""
    for k, row in enumerate(fields.tables(case.get("rows"), f"rows of {name}")):
        yield row, f"{name} rows[{k + 1}]"


def voltage(row: Case, where: str) -> tuple[str, float]:
    """The voltage of a row, in any unit: what it is called, and its value in mV; 0 where the row has none."""
    there = any(fields.unit_of(key)[::2] == ("V", "potential") and value is not None for key, value in row.items())
    return fields.measured(row, "V_mV", where) if there else ("V_mV", 0.0)


def concentrations(row: Case, where: str) -> tuple[str, dict[str, float]]:
    """The table `conc_<unit>` of a row, or `conc` in mM: what it is called, and its numbers in mM."""
    in_unit = lambda key: key.startswith("conc_") and fields.unit_of(key)[2] == "concentration"
    key = next((key for key in row if key == "conc" or in_unit(key)), "conc_mM")
    scale = 1.0 if key == "conc" else units.factor(fields.unit_of(key)[1])
    found = fields.table(fields.need(row, key, where), f"{key} of {where}")
    return key, {ion: scale * fields.not_negative(c, f"{ion} in {key} of {where}") for ion, c in found.items()}


def in_order(found: Mapping[str, float], order: Collection[str], where: str) -> tuple[float, ...]:
    """Concentrations by name; outside may be e or o, as in Nae or Nao."""
    alike = {f"{ion[:-1]}o" if ion[-1:] == "e" and ion[:-1] else ion: c for ion, c in found.items()}
    lacking = [ion for ion in order if ion not in alike]
    if lacking:
        raise InputError(f"{where} must have the concentration of {lacking[0]}, but has {', '.join(found) or 'none'}.")
    return tuple(alike[ion] for ion in order)


def expected(
    row: Case, where: str, at: Conditions, known: Known, given: Collection[str], *places: Case
) -> Iterator[Row | Question]:
    """What is in `expected` and what is published; of what else the row has, all but conditions is not known."""
    wanted = row.get("expected")
    table = wanted if isinstance(wanted, dict) else {} if wanted is None else {"expected": wanted}
    yield from compare(table, where, at, known, (), row, *places)
    printed = {quantity: value for quantity, value in row.items() if quantity.startswith(PUBLISHED)}
    for quantity, value in printed.items():
        for one in compare({quantity.removeprefix(PUBLISHED): value}, where, at, known, ()):
            yield _as_printed(one, value) if isinstance(one, Question) else one
    yield from rest(row, where, {*given, "expected", *printed})


def rest(case: Case, where: str, given: Collection[str]) -> Iterator[Row | Question]:
    """What is neither given nor a remark is not known."""
    aside = {key for key in case if key.startswith(ASIDE)}
    yield from compare(case, where, (), lambda *_: None, {*given, *aside})


def _as_printed(one: Question, value: Any) -> Question:
    """The question of a printed number: half a unit of its last digit is allowed. Text keeps its zeros."""
    text = str(value if one.part is None else value[one.part])
    exponent = 0 if one.expected is None else int(decimal.Decimal(text).as_tuple().exponent)
    half = 0.5 * 10.0**exponent * (1.0 + 1e-9)
    return dataclasses.replace(one, quantity=PUBLISHED + one.quantity, within=Tolerance(rtol=0.0, atol=half))
