"""Pump-leak cells with KCC2: analytic steady states with their derivatives, and runs whose pump is switched."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from ..library import dusterwald_2018
from ..library.dusterwald_2018 import PumpLeak, analytic_steady_state
from ..results import InputError
from . import expectations, fields, pump_leak_runs
from .points import Case, Known, Question, Reading, compare, compiled
from .row import Row

#: What the parameters of a case are called, the cell's fields, and how many of its units one of the case is (S, C, V,
#: M, F, mol, dm, s).
STEADY = {
    **{"gNa": ("g_na", 10.0), "gK": ("g_k", 10.0), "gCl": ("g_cl", 10.0), "gKCC": ("g_kcc2", 10.0)},
    **{"Nao": ("na_o", 1e3), "Ko": ("k_o", 1e3), "Clo": ("cl_o", 1e3), "Pi_o": ("osmolarity", 1e3)},
    **{"z": ("z", 1.0), "Vt": ("rt_over_f", 1e3), "p": ("pump", 1e4), "n": ("exponent", 1.0)},
}
MOVING = {
    **{"nX": ("impermeant", 1e15), "L": ("length", 1e5), "C": ("capacitance", 1e4), "pw": ("permeability", 1e2)},
    **{"vw_dm3_per_mol": ("molar_volume", 1e-3), "F": ("faraday", 1.0)},
}
EXPONENT = 3.0  # of the pump, where a case says nothing
PUBLISHED = {"rtol": 5e-4}  # what authors give as a rest state has four to five digits
GRADIENTS = ("dV_d", "dNa_d", "dK_d", "dCl_d", "dlnVol_d")


def recognizes(data: dict[str, Any]) -> bool:
    """Whether some case has the conductances and the bath of a pump-leak cell among its parameters."""
    cases = data.get("cases")
    several = [cases] if isinstance(cases, dict) else cases if isinstance(cases, list) else []
    return any({"gNa", "gKCC", "Pi_o"} <= set(expectations.parameters_of(case)) for case in several)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each steady state, of its derivatives, and of each time of a run."""
    runs = pump_leak_runs.Runs()
    definitions = data.get("definitions")
    zero = definitions.get("atol_zero") if isinstance(definitions, dict) else None
    places = (data, {} if zero is None else {"atol": zero})
    for k, case in enumerate(fields.tables(data.get("cases"), "cases")):
        name = fields.name_of(case, k)
        if case.get("parameters") is None:
            yield from expectations.rest(case, name, {"equations"})
        elif case.get("rows") is not None:
            parameters = fields.table(case["parameters"], f"parameters of {name}")
            cell = dusterwald_2018.model(**_values(parameters, STEADY | MOVING, name))
            yield from pump_leak_runs.rows(runs, cell, case, name, *places)
        else:
            yield from _steady(case, name, *places)
    yield from expectations.rest(data, "file", {"cases", "equations"})


def _steady(case: Case, name: str, *places: Case) -> Iterator[Row | Question]:
    parameters = fields.table(case["parameters"], f"parameters of {name}")
    found = _values(parameters, STEADY, name)
    values = tuple(found[field] / unit for field, unit in STEADY.values())
    wanted = fields.table(case.get("expected"), f"expected of {name}")
    yield from compare(wanted, name, (values,), _among(_KNOWN), (), case, *places)
    # By the name that the pump has in this case.
    pump = "p" if parameters.get("p_C_per_dm2_s") is not None else "Jp"
    order = [pump if key == "p" else key for key in STEADY]
    gradients = fields.table(case.get("implicit_gradients"), f"implicit_gradients of {name}")
    for parameter, table in gradients.items():
        where = f"{name} by {parameter}"
        place = order.index(parameter) if parameter in order else None
        known = {} if place is None else {key: _derivative(key, place) for key in GRADIENTS}
        yield from compare(fields.table(table, where), where, (values,), _among(known), (), case, *places)
    published = fields.table(case.get("published"), f"published of {name}")
    for key, value in published.items():
        table = {key: value}
        if key == "initial_condition_mM":
            table = {f"{ion}_in_mM": c for ion, c in fields.table(value, f"{key} of {name}").items()}
        yield from compare(table, f"{name} published", (values,), _among(_KNOWN), (), PUBLISHED)
    done = {"equations", "parameters", "expected", "implicit_gradients", "published"}
    yield from expectations.rest(case, name, done)


def _values(parameters: Case, names: Mapping[str, tuple[str, float]], name: str) -> dict[str, float]:
    """The fields of a cell, in its units; a constant pump is one of exponent 0."""
    where = f"parameters of {name}"
    key = next((key for key in ("p_C_per_dm2_s", "p0_C_per_dm2_s") if parameters.get(key) is not None), None)
    exponent = parameters.get("pump_exponent_n")
    if key is None:
        key, exponent = "Jp_C_per_dm2_s", 0.0
    given = {**parameters, "p": parameters.get(key), "n": EXPONENT if exponent is None else exponent}
    if given["p"] is None:
        raise InputError(f"{where} must have a pump, p_C_per_dm2_s or Jp_C_per_dm2_s, but has none.")
    return {
        field: unit
        * (fields.number if own == "z" else fields.not_negative)(fields.need(given, own, where), f"{own} of {where}")
        for own, (field, unit) in names.items()
        if own in STEADY or given.get(own) is not None
    }


def _among(known: Mapping[str, Reading]) -> Known:
    return lambda quantity, _: known.get(quantity)


def _cell(values: Any) -> PumpLeak:
    return PumpLeak(**{field: unit * values[k] for k, (field, unit) in enumerate(STEADY.values())})


def _solution(values: Any) -> dict[str, Any]:
    """The steady state in the units of a case."""
    cell = _cell(values)
    rest = analytic_steady_state(cell)
    c = rest.concentrations
    e_na, e_k, e_cl = cell.reversal_potentials(c)
    pump = 1e-4 * rest.pump
    found = {"V_mV": rest.v, "E_Na_mV": e_na, "E_K_mV": e_k, "E_Cl_mV": e_cl}
    found |= {"Na_in_mM": c.na, "K_in_mM": c.k, "Cl_in_mM": c.cl, "X_in_mM": c.x, "Jp_C_per_dm2_s": pump}
    found |= {"log10_Jp": jnp.log10(pump), "log10_Jp_times_1e4": 1e4 * jnp.log10(pump)}
    found["KCC2_current_A_per_dm2"] = 1e-4 * cell.g_kcc2 * (e_k - e_cl)
    return found | {"volume_per_mol_impermeant_L_per_mol": 1e3 / c.x}


def _by_parameter(values: Any) -> dict[str, Any]:
    """The derivatives of the steady state by all parameters, in V and M per unit of the parameter."""

    def readings(values):
        rest = analytic_steady_state(_cell(values))
        c = rest.concentrations
        numbers = (1e-3 * rest.v, 1e-3 * c.na, 1e-3 * c.k, 1e-3 * c.cl, -jnp.log(c.x))
        return dict(zip(GRADIENTS, numbers, strict=True))

    return jax.jacfwd(readings)(values)


_solutions = compiled(jax.vmap(_solution))
_gradients = compiled(jax.vmap(_by_parameter))

QUANTITIES = (
    *("V_mV", "E_Na_mV", "E_K_mV", "E_Cl_mV", "Na_in_mM", "K_in_mM", "Cl_in_mM", "X_in_mM", "Jp_C_per_dm2_s"),
    *("log10_Jp", "log10_Jp_times_1e4", "KCC2_current_A_per_dm2", "volume_per_mol_impermeant_L_per_mol"),
)
_KNOWN = {key: Reading(_solutions, lambda result, key=key: result[key]) for key in QUANTITIES}


def _derivative(key: str, place: int) -> Reading:
    return Reading(_gradients, lambda result: result[key][place], words=("gradients",))
