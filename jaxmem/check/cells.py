"""What files of cells with moving ions share: parameters and states in the file's units, and the flow at a state."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ..cell import AbstractCell
from ..params import as_array
from ..results import InputError
from . import expectations, fields
from .points import OTHER_ZERO, RTOL, Case, Question, Reading, compiled
from .row import Tolerance

#: A rate of change that rounding of the state explains, relative to the state [1/ms].
ROUNDING = 1e-17

Names = Mapping[str, tuple[str, Callable[[float], float]]]  # of a file: what the cell calls it, in the cell's unit


def same(x: float) -> float:
    """A number whose unit is the cell's."""
    return x


def scaled(factor: float) -> Callable[[float], float]:
    """The conversion that multiplies by a factor."""
    return lambda x: factor * x


def inverse(x: float) -> float:
    """The rate of a time, the conversion of a time constant."""
    return 1.0 / x if x else math.inf


def parameters(names: Names, where: str, *tables: Case) -> dict[str, float]:
    """The parameters as a file gives them; for each the first table that has it."""
    found = {}
    for key in names:
        table = next((t for t in tables if t.get(key) is not None), None)
        if table is not None:
            found[key] = fields.number(table[key], f"{key} of {where}")
    return found


def converted(names: Names, given: Mapping[str, float]) -> dict[str, float]:
    """The same by the names and in the units of the cell."""
    return {names[key][0]: names[key][1](value) for key, value in given.items() if key in names}


def state_of(table: Case, order: Mapping[str, float], where: str) -> tuple[Any, ...]:
    """The entries of a state in the order and the units of the cell; `order`: the factor of each."""
    return tuple(as_array(unit * expectations.number_of(table, key, where)) for key, unit in order.items())


def order_of(data: Case, known: Mapping[str, float]) -> list[str]:
    """The order in which the file lists the entries of a state."""
    order = [str(key) for key in fields.rows_of(data.get("state_order"), "state_order")] or list(known)
    if sorted(order) != sorted(known):
        raise InputError(f"state_order must hold {', '.join(known)}, but is {', '.join(order)}.")
    return order


@compiled
def slope(cell: AbstractCell, state: Any) -> Any:
    """The derivative of a cell at a state [1/ms], as one list."""
    return jnp.stack(jax.tree.leaves(cell.derivative(state, jnp.zeros(()))))


def flow(
    value: Any,
    quantity: str,
    name: str,
    cell: AbstractCell,
    state: Any,
    units_of: Mapping[str, float],
    data: Case,
    *places: Case,
) -> Iterator[Question]:
    """One question for each entry of a rate of change, listed in the order that the file gives.

    **Arguments:** `state`: where, in the units and the order of the cell; `units_of`: how many of the cell's units are
    in one of the file's, for each entry in the cell's order.
    """
    order, names = order_of(data, units_of), list(units_of)
    per = 1.0 if "per_ms" in quantity else 1e3
    wanted = fields.numbers(value, f"{quantity} of {name}", len(order))
    within = fields.within(name, *places, of=(quantity,), rtol=RTOL, zero=OTHER_ZERO)
    compute = lambda: slope(cell, state)
    for key, number in zip(order, wanted, strict=True):
        place, unit = names.index(key), per / units_of[key]
        atol = max(within.atol, ROUNDING * unit * abs(float(state[place])))
        reading = Reading(compute, lambda found, place=place, unit=unit: unit * found[place])
        yield Question(name, f"{quantity}[{key}]", number, Tolerance(within.rtol, atol, within.zero), reading, None, ())
