"""Eigenvalues of a steady state, as lists of [real part, imaginary part] in any order."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..results import InputError
from . import fields
from .points import Case, Conditions, Question, Reading


def parse(value: Any, where: str) -> list[complex]:
    """The eigenvalues of a list whose entries are [real part, imaginary part], or real numbers.

    **Raises:** `InputError` if it is not such a list.
    """
    found = []
    for entry in fields.rows_of(value, where):
        parts = [fields.number(x, where) for x in (entry if isinstance(entry, list) else [entry, 0.0])]
        if len(parts) != 2:
            raise InputError(f"{where} must hold [real part, imaginary part], but one has {len(parts)} entries.")
        found.append(complex(*parts))
    return found


def paired(wanted: list[complex], got: Any) -> list[complex]:
    """The computed eigenvalues in the order of the wanted ones: the pairing of least distances.

    Which is which is a matter of rounding where real parts agree.
    """
    got = np.asarray(got)
    _, place = linear_sum_assignment(np.nan_to_num(np.abs(np.asarray(wanted)[:, None] - got[None, :])))
    return [complex(got[j]) for j in place]


def questions(
    value: Any,
    quantity: str,
    name: str,
    count: int,
    compute: Callable[..., Any],
    take: Callable[[Any], Any],
    at: Conditions,
    *places: Case,
) -> Iterator[Question]:
    """One question for each eigenvalue; `rtol_eigenvalues` holds, of the size of the complex number.

    **Arguments:** `count`: how many there must be; `take`: all eigenvalues among the results at a point.
    **Raises:** `InputError` if there are more or fewer.
    """
    where = f"{quantity} of {name}"
    wanted = parse(value, where)
    if len(wanted) != count:
        raise InputError(f"{where} must have {count} values, but has {len(wanted)}.")
    within = fields.within(name, *places, of=("eigenvalues", quantity), rtol=1e-6, zero=1e-12)
    for k, eigenvalue in enumerate(wanted):
        reading = Reading(compute, lambda result, k=k: paired(wanted, take(result))[k])
        yield Question(name, f"{quantity}[{k + 1}]", eigenvalue, within, reading, None, at)
