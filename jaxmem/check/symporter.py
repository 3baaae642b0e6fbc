"""SGLT in six states with slip: occupancies, fluxes, current and its slope, rates, eigenvalues, closure."""

import functools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import linear_sum_assignment

from .. import kinetics
from ..electrochemistry import Bath, Na, glc
from ..library import sglt1_eskandari_2005 as sglt1
from ..results import InputError
from ..transport import QuasiSteady
from ..units import E0_PER_MS
from . import expectations, fields
from .constants import constants
from .points import Case, Question, Reading, compare, compiled
from .row import Row

CONDITIONS = ("Na_out_M", "Na_in_M", "S_out_M", "S_in_M")
STATES = tuple(str(k + 1) for k in range(6))
RATES = tuple(sglt1.PUBLISHED)
OTHERS = {"alpha1": "alpha1", "alpha2": "alpha2", "delta": "delta", "zc": "z"}
PER_S = 1e-3  # 1/s in 1/ms
CLOSED = ("closure_ln_K",)


def matches(case: Any) -> bool:
    """Whether the parameters have the rates of binding Na and of the slip."""
    return {"k12", "k65", "k25", "k52"} <= set(expectations.parameters_of(case))


def rows(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """One row for each quantity of each row, and for each cycle."""
    parameters, where = expectations.parameters_of(case), f"parameters of {name}"
    n = fields.whole(fields.need(parameters, "n", where), f"n of {where}")
    if not 1 <= n <= 4:
        raise InputError(f"n of {where} must be from 1 to 4, but is {n}.")
    unit = {"k12": 1e-3**n, "k65": 1e-3**n, "k23": 1e-3, "k54": 1e-3}
    k = tuple(PER_S * unit.get(key, 1.0) * expectations.above_zero(parameters, key, where) for key in RATES)
    k += tuple(expectations.number_of(parameters, key, where) for key in OTHERS)
    legacy, compute = constants(name, case, parameters, data), _compute(n)
    for row, here in expectations.rows_of(case, name):
        found = [fields.measured(row, condition, here) for condition in CONDITIONS]
        key, v = fields.measured(row, "V_mV", here)
        t = legacy.temperature(expectations.above_zero({**parameters, **row}, "T_K", here))
        at, given = (v, tuple(1e3 * c for _, c in found), t, k), {"T_K", key, *(key for key, _ in found)}
        wanted = dict(fields.table(row.get("expected"), f"expected of {here}"))
        rates = fields.table(wanted.pop("rates_per_s", None), f"rates_per_s of {here}")
        wanted |= _flat(wanted.get("eigenvalues_per_s"), here)
        known = lambda quantity, value: _known(compute, quantity, value)
        yield from expectations.expected({**row, "expected": wanted}, here, at, known, given, case, data)
        known = lambda label, _: _rate(compute, label)
        yield from compare(rates, f"{here} rates_per_s", at, known, (), row, case, data)
    residuals = fields.table(case.get("closure_residuals"), f"closure_residuals of {name}")
    single = {quantity: _closure(n, k, quantity) for quantity in _CYCLES}
    yield from compare(residuals, name, (), lambda quantity, _: single.get(quantity), (), case, data)
    yield from expectations.rest(case, name, {"equations", "parameters", "rows", "closure_residuals"})


def _flat(pairs: Any, where: str) -> dict[str, list[Any]]:
    """Eigenvalues as one list: real part, imaginary part, and so on."""
    where = f"eigenvalues_per_s of {where}"
    if pairs is None:
        return {}
    listed = [entry if isinstance(entry, list) else [entry, 0.0] for entry in fields.rows_of(pairs, where)]
    return {"eigenvalues_per_s": [x for entry in listed for x in fields.numbers(entry, where, 2)]}


def _known(compute: Callable[..., Any], quantity: str, value: Any) -> Reading | None:
    if quantity == "p":
        return Reading(compute, lambda result: result["occupancy"], STATES)
    if quantity == "eigenvalues_per_s":
        parts = tuple(f"{state} {part}" for state in STATES for part in ("real", "imaginary"))
        wanted = np.asarray(value, float)
        take = lambda result: _paired(result["eigenvalues"], wanted)
        return Reading(compute, take, parts, words=("eigenvalues",))
    key = _SCALARS.get(quantity)
    return Reading(compute, lambda result: result[key]) if key else None


_SCALARS = {
    "J_sugar_in_per_s": "sugar",
    "J_Na_in_per_s": "sodium",
    "I_outward_positive_e_per_s_per_carrier": "current",
    "dI_dV_e_per_s_per_V": "slope",
}


def _rate(compute: Callable[..., Any], label: str) -> Reading | None:
    if f"k{label}" not in RATES:
        return None
    pair = int(label[0]) - 1, int(label[1]) - 1
    return Reading(compute, lambda result: result["generator"][pair])


def _paired(got: Any, wanted: Any) -> Any:
    """Eigenvalues in the order of those expected, the closest to each: conjugates and near ones have no own order."""
    if len(wanted) != 2 * len(got) or not np.all(np.isfinite(got)):
        return np.full(len(wanted), np.nan)
    _, place = linear_sum_assignment(np.abs((wanted[::2] + 1j * wanted[1::2])[:, None] - got[None, :]))
    return np.stack([got[place].real, got[place].imag], 1).ravel()


def _graph(k: Any, n: int) -> kinetics.Scheme:
    given = {key: k[j] for j, key in enumerate((*RATES, *OTHERS.values()))}
    return sglt1.graph(given, n=n, **{own: given[own] for own in OTHERS.values()})


@functools.cache
def _compute(n: int) -> Callable[..., Any]:
    def at(v, c, t, k):
        scheme, bath = _graph(k, n), Bath({Na: c[1], glc: c[3]}, {Na: c[0], glc: c[2]}, t)
        steady = kinetics.turnover(scheme, v, bath)
        outward = kinetics.transported(scheme, steady)
        charge = lambda v: QuasiSteady(scheme).exchange((), v, bath).current / E0_PER_MS
        current, slope = jax.jvp(charge, (v,), (jnp.ones_like(v),))
        generator = kinetics.generator(scheme, v, bath)
        found = {"sugar": -outward[glc], "sodium": -outward[Na], "current": current, "slope": 1e3 * slope}
        found |= {"generator": generator, "eigenvalues": -kinetics.relaxation_rates(generator)}
        return {key: x / PER_S for key, x in found.items()} | {"occupancy": steady.occupancy}

    return compiled(jax.vmap(at))


#: Signs of the two cycles that the audit gives, the full one and 2 - 5 - 4 - 3 - 2.
_CYCLES = {"full_cycle_ln_K": (1.0, 0.0), "slip_cycle_ln_K": (1.0, 1.0), "sugar_loop_ln_K": (0.0, -1.0)}


def _closure(n: int, k: tuple[float, ...], quantity: str) -> Reading:
    def residual():
        bath = Bath({Na: 1.0, glc: 1.0}, {Na: 1.0, glc: 1.0}, sglt1.TEMPERATURE)
        found = [cycle.residual for cycle in kinetics.audit(_graph(k, n), 0.0, bath)]
        return sum(sign * x for sign, x in zip(_CYCLES[quantity], found, strict=True))

    return Reading(residual, words=CLOSED)
