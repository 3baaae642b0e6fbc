"""The dimensionless pump-leak curve: its points, the pump rate of least volume, and the largest one."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from ..library.keener_sneyd import Curve
from . import expectations, fields
from .points import Case, Question, Reading, compare, compiled
from .row import Row

PARAMETERS = ("Ne_mM", "Ke_mM", "gamma_gNa_over_gK", "z", "RT_over_F_mV")
POINT = ("alpha", "mu", "V_mV", "V_Na_mV", "V_K_mV", "rho_cubic")
CONSTANTS = ("P_minimum_volume", "P_max")


def recognizes(data: dict[str, Any]) -> bool:
    """Whether a case has the outer concentrations and the ratio of conductances of the curve."""
    return any({"Ne_mM", "Ke_mM"} <= set(expectations.parameters_of(case)) for case in _cases(data))


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each point, and of each curve."""
    for k, case in enumerate(_cases(data)):
        case = fields.table(case, "case")
        name = fields.name_of(case, k, "curve")
        where = f"parameters of {name}"
        given = fields.table(case.get("parameters"), where)
        constants = tuple(
            (fields.number if key == "z" else fields.positive)(fields.need(given, key, where), f"{key} of {where}")
            for key in PARAMETERS
        )
        for row, here in expectations.rows_of(case, name):
            at = (constants, expectations.number_of(row, "P", here))
            yield from compare(row, here, at, lambda quantity, _: _POINT.get(quantity), {"P"}, case, data)
        yield from compare(
            case, name, (constants,), lambda quantity, _: _CONSTANTS.get(quantity), {"parameters", "rows"}, data
        )
    yield from expectations.rest(data, "file", {"case", "cases", "equations"})


def _cases(data: Case) -> list[Any]:
    found = data.get("case", data.get("cases"))
    return [found] if isinstance(found, dict) else found if isinstance(found, list) else []


@compiled
def _points(constants, pump):
    return jax.vmap(lambda c, p: jnp.stack(Curve(*c)(p)))(constants, pump)


@compiled
def _constants(constants):
    def at(c):
        curve = Curve(*c)
        return jnp.stack([curve.minimum_volume(), curve.largest_pump()])

    return jax.vmap(at)(constants)


_POINT = {key: Reading(_points, lambda result, k=k: result[k]) for k, key in enumerate(POINT)}
_CONSTANTS = {key: Reading(_constants, lambda result, k=k: result[k]) for k, key in enumerate(CONSTANTS)}
