"""Rate laws of KCC2 and NKCC1, and their set points."""

import re
from collections.abc import Iterator
from typing import Any

import jax

from ..electrochemistry import Bath, Cl, K, Na
from ..transport import catalogue, cotransporters, set_point
from . import expectations
from .constants import constants
from .points import Case, Question, Reading, compiled
from .row import Row

IONS = ("Nai", "Nao", "Ki", "Ko", "Cli", "Clo")
LAWS = {
    "KCC2_Wei2014_mM_per_s_efflux": cotransporters.wei_kcc2,
    "NKCC1_Wei2014_mM_per_s_efflux": cotransporters.wei_nkcc1,
    "KCC2_FraserHuang_per_P": cotransporters.fraser_huang_kcc2,
    "NKCC1_Palk2010_shape": cotransporters.palk_nkcc1,
}
SET_POINTS = {"KCC2_setpoint_Cli_mM": catalogue.KCC2, "NKCC1_setpoint_Cli_mM": catalogue.NKCC1}
LINEAR = r"KCC2_linear_EK_minus_ECl_A_per_m2_for_g(\d+(?:\.\d+)?)_S_per_m2"


def matches(case: Any) -> bool:
    """Whether the first row expects something of KCC2 or NKCC1."""
    listed = case.get("rows") if isinstance(case, dict) else None
    first = listed[0] if isinstance(listed, list) and listed else None
    wanted = first.get("expected") if isinstance(first, dict) else None
    return isinstance(wanted, dict) and any(re.match("N?KCC", key) for key in wanted)


def rows(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """The laws that the names of the quantities tell."""
    legacy = constants(name, case, data)
    for row, where in expectations.rows_of(case, name):
        key, c = expectations.concentrations(row, where)
        t = legacy.temperature(expectations.above_zero({**case, **row}, "T_K", where))
        at = (expectations.in_order(c, IONS, where), t)
        yield from expectations.expected(row, where, at, _known, {key, "T_K"}, case, data)
    yield from expectations.rest(case, name, {"equations", "rows", "T_K", "unit"})


def _known(quantity: str, _: Any) -> Reading | None:
    if quantity in LAWS or quantity in SET_POINTS:
        return Reading(_laws, lambda result: result[quantity])
    linear = re.fullmatch(LINEAR, quantity)
    return Reading(_laws, lambda result: float(linear[1]) * result["linear"]) if linear else None


@compiled
def _laws(c, t):
    def at(c, t):
        bath = Bath({Na: c[0], K: c[2], Cl: c[4]}, {Na: c[1], K: c[3], Cl: c[5]}, t)
        found = {quantity: law(0.0, bath) for quantity, law in LAWS.items()}
        found |= {quantity: set_point(carrier, Cl, bath, 0.0) for quantity, carrier in SET_POINTS.items()}
        return found | {"linear": 1e-3 * cotransporters.linear_kcc2(0.0, bath)}

    return jax.vmap(at)(c, t)
