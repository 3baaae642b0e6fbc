"""Na/Ca exchange currents, their slopes, and where they reverse."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax

from ..electrochemistry import Bath, Ca, Na
from ..results import InputError
from ..transport import Stoichiometry, exchangers, stalling_potential
from . import expectations, fields
from .constants import constants
from .points import Case, Question, Reading, compiled
from .row import Row

IONS = ("Nai", "Nao", "Cai", "Cao")
REVERSAL = "E_NCX"  # in place of a voltage

#: A law for each set of names of constants, and what its function calls them.
LAWS: tuple[tuple[Callable[..., Any], dict[str, str]], ...] = (
    (exchangers.difrancesco_noble, {"k": "k", "d": "d", "gamma": "gamma", "n": "n", "K_Cai_mM": "K_Cai"}),
    (exchangers.luo_rudy, {"k": "k", "KmNa": "K_Na", "KmCa": "K_Ca", "ksat": "k_sat", "eta": "eta"}),
    (
        exchangers.shannon_weber_bers,
        {
            **{"Vmax": "maximum", "ksat": "k_sat", "eta": "eta", "Kd": "K_d"},
            **{"KmCai": "K_Cai", "KmCao": "K_Cao", "KmNai": "K_Nai", "KmNao": "K_Nao"},
        },
    ),
)


def matches(case: Any) -> bool:
    """Whether the parameters are those of one of the laws."""
    return _law(case) is not None


def _law(case: Any) -> tuple[Callable[..., Any], dict[str, str]] | None:
    found = set(expectations.parameters_of(case)) - fields.REMARKS - {"T_K"}
    return next((law for law in LAWS if set(law[1]) == found), None)


def rows(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """Current and slopes at every voltage, and the reversal where a row has `E_NCX` for its voltage."""
    function, names = _law(case) or LAWS[0]
    parameters = expectations.parameters_of(case)
    k = tuple(expectations.number_of(parameters, key, f"parameters of {name}") for key in names)
    n = 3
    if "n" in names:
        n = fields.whole(parameters["n"], f"n of {name}")
        if not 2 < n <= 10:
            raise InputError(f"n of {name} must be from 3 to 10, for an exchanger that moves charge, but is {n}.")
    compute = _compute(function, tuple(names.values()), n)
    legacy = constants(name, case, parameters, data)
    single = {
        "I": Reading(compute, lambda result: result["current"]),
        "dI_dV_per_V": Reading(compute, lambda result: result["by_v"]),
        "E_NCX_mV": Reading(compute, lambda result: result["reversal"]),
        "I_at_E_NCX": Reading(compute, lambda result: result["there"], words=("at_reversal",)),
    } | {f"dI_d{ion}_per_mM": Reading(compute, lambda result, j=j: result["by_c"][j]) for j, ion in enumerate(IONS)}
    for row, where in expectations.rows_of(case, name):
        key, c = expectations.concentrations(row, where)
        volts, v = ("V_mV", 0.0) if row.get("V_mV") == REVERSAL else fields.measured(row, "V_mV", where)
        t = expectations.above_zero({**case, **parameters, **row}, "T_K", where)
        at = (v, expectations.in_order(c, IONS, where), legacy.temperature(t), k)
        if row.get("V_mV") == REVERSAL:
            known = lambda quantity, _: single.get(quantity) if REVERSAL in quantity else None
        else:
            known = lambda quantity, _: single.get(quantity)
        row = _without_rounding(row, case)
        yield from expectations.expected(row, where, at, known, {key, volts, "T_K"}, case, data)
    yield from expectations.rest(case, name, {"equations", "parameters", "rows", "unit", "T_K"})


def _without_rounding(row: Case, case: Case) -> Case:
    """The row with a current of zero at the reversal where one below what is allowed is expected there."""
    wanted, allowed = row.get("expected"), case.get("atol_at_reversal")
    rest = wanted.get("I_at_E_NCX") if isinstance(wanted, dict) else None
    if all(isinstance(x, int | float) for x in (rest, allowed)) and abs(rest) < allowed:
        return {**row, "expected": {**wanted, "I_at_E_NCX": 0.0}}
    return row


@functools.cache
def _compute(function: Callable[..., Any], names: tuple[str, ...], n: int) -> Callable[..., Any]:
    exchange = Stoichiometry(f"NCX {n}:1", {Na: n, Ca: -1})

    def at(v, c, t, k):
        bath = lambda c: Bath({Na: c[0], Ca: c[2]}, {Na: c[1], Ca: c[3]}, t)
        law = lambda v, c: function(v, bath(c), **{name: k[j] for j, name in enumerate(names)})
        current, (by_v, by_c) = jax.value_and_grad(law, (0, 1))(v, c)
        e = stalling_potential(exchange, bath(c))
        return {"current": current, "by_v": 1e3 * by_v, "by_c": by_c, "reversal": e, "there": law(e, c)}

    return compiled(jax.vmap(at))
