"""Parameters that follow from others: a factor times a product of their powers."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from .table import OWN_UNIT, Quantity, Table

Powers = tuple[tuple[str, int], ...]
Bounded = tuple[Quantity, float | None, float | None]  # a parameter's value and its bounds

#: What every dimension is made of: names of base dimensions with their powers.
_MADE_OF: dict[str, dict[str, int]] = {
    **{name: {name: 1} for name in OWN_UNIT},
    "number": {},
    "1/time": {"time": -1},
    "1/potential": {"potential": -1},
    "1/concentration": {"concentration": -1},
    **{f"1/concentration^{n}": {"concentration": -n} for n in (2, 3, 4)},
    "1/(concentration time)": {"concentration": -1, "time": -1},
}


def product(factor: float, powers: Powers, values: Mapping[str, Any]) -> Any:
    """The factor times the product of the values' powers; values may be traced."""
    for name, power in powers:
        for _ in range(abs(power)):
            factor = factor * values[name] if power > 0 else factor / values[name]
    return factor


def tied(
    table: Table, factor: float, powers: Powers, targets: Mapping[str, Bounded]
) -> tuple[Quantity, float | None, float | None]:
    """Value, unit and range of a parameter that follows from others.

    The range is None if none of the others has one.

    **Raises:** `InputError` if the product has no unit of a model, or is not finite within the bounds.
    """
    for name, power in powers:
        quantity, low, high = targets[name]
        low, high = (quantity.value if end is None else end for end in (low, high))
        if power < 0 and (quantity.value == 0 or low <= 0 <= high):
            table.fail(f"'{name}' must not be zero within its bounds, as the tie divides by it", "tie")
    value = product(factor, powers, {name: targets[name][0].value for name, _ in powers})
    if not math.isfinite(value):
        table.fail("is too large a number", "tie")
    ends = [factor, factor]
    for name, power in powers:
        quantity, *bounds = targets[name]
        pair = [quantity.value if end is None else end for end in bounds]
        for _ in range(abs(power)):
            corners = [x * y if power > 0 else x / y for x in ends for y in pair]
            ends = [min(corners), max(corners)]
    quantity = Quantity(value, *_measured(table, powers, targets))
    if all(targets[name][1] is None for name, _ in powers):
        return quantity, None, None
    return quantity, ends[0], ends[1]


def _measured(table: Table, powers: Powers, targets: Mapping[str, Bounded]) -> tuple[str, str]:
    """Unit and dimension of the product."""
    if len(powers) == 1 and powers[0][1] == 1:
        only = targets[powers[0][0]][0]
        return only.unit, only.dimension
    total: Counter[str] = Counter()
    for name, power in powers:
        for base, exponent in _MADE_OF[targets[name][0].dimension].items():
            total[base] += power * exponent
    made = {base: exponent for base, exponent in total.items() if exponent}
    for dimension, parts in _MADE_OF.items():
        if parts == made:
            return OWN_UNIT[dimension], dimension
    table.fail(f"the product must measure something that a model has, but is in {_listed(made)}", "tie")


def _listed(made: Mapping[str, int]) -> str:
    return " ".join(base if exponent == 1 else f"{base}^{exponent}" for base, exponent in made.items())
