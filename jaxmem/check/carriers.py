"""Carriers in a few states: NHE3 with its three ions, GLUT, and EAAT2."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from .. import kinetics
from ..electrochemistry import NH4, Bath, H, Na, glc
from ..results import InputError
from ..transport.glucose import GlucoseCarrier
from ..transport.glutamate import Shchepakin, shchepakin_current
from ..transport.proton_exchange import Weinstein, weinstein
from . import expectations, fields
from .points import Case, Question, Reading, compiled
from .row import Row

TEMPERATURE = 310.15  # [K]; none of these laws depends on it
PER_S = 1e-3  # 1/s in 1/ms


def matches(case: Any) -> bool:
    """Whether a case is one of the three."""
    return isinstance(case, dict) and _kind(case) is not None


def _kind(case: Case) -> Any:
    parameters = expectations.parameters_of(case)
    if isinstance(case.get("parameters_per_s"), dict) and "m1p" in case["parameters_per_s"]:
        return _glutamate
    if {"k23", "k41", "k32", "k14", "Ks"} <= set(parameters):
        return _glucose
    listed = case.get("rows")
    first = listed[0] if isinstance(listed, list) and listed else None
    wanted = first.get("expected") if isinstance(first, dict) else None
    return _protons if isinstance(wanted, dict) and {"JNa_in", "JH_in"} & set(wanted) else None


def rows(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """One row for each quantity of the case."""
    yield from _kind(case)(case, name, data)


def _number(parameters: Case, key: str, where: str) -> float:
    return fields.not_negative(fields.need(parameters, key, where), f"{key} of {where}")


# --- NHE3 ---

EXCHANGED = ("Nai", "Nao", "Hi", "Ho", "NH4i", "NH4o")
#: What the parameters of a case are called, in M and 1/s, and what the library calls them.
PROTONS = {
    **{"K_Na": ("K_Na", 1e3), "K_H": ("K_H", 1e3), "K_NH4": ("K_NH4", 1e3), "KI": ("K_I", 1e3)},
    **{"P_Na": ("P_Na", PER_S), "P_H": ("P_H", PER_S), "P_NH4": ("P_NH4", PER_S)},
    **{"fM": ("f_H", 1.0), "fm": ("f_0", 1.0)},
}


def _protons(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """Fluxes into the cell; the constants are the published ones where a case has no others."""
    parameters = fields.table(case.get("parameters"), f"parameters of {name}")
    k = tuple(
        getattr(Weinstein, own) if parameters.get(key) is None else unit * _number(parameters, key, name)
        for key, (own, unit) in PROTONS.items()
    )
    known = lambda quantity, _: _FLUXES.get(quantity)
    for row, where in expectations.rows_of(case, name):
        key, c = expectations.concentrations(row, where)
        at = (expectations.in_order(c, EXCHANGED, where), k)
        yield from expectations.expected(row, where, at, known, {key}, case, data)
    yield from expectations.rest(case, name, {"equations", "parameters", "rows"})


@compiled
def _exchange(c, k):
    def at(c, k):
        bath = Bath({Na: c[0], H: c[2], NH4: c[4]}, {Na: c[1], H: c[3], NH4: c[5]}, TEMPERATURE)
        constants = {own: k[j] for j, (own, _) in enumerate(PROTONS.values())}
        return {s.name: flux / PER_S for s, flux in weinstein(0.0, bath, **constants).items()}

    return jax.vmap(at)(c, k)


_FLUXES = {f"J{ion}_in": Reading(_exchange, lambda result, ion=ion: result[ion]) for ion in ("Na", "H", "NH4")}


# --- GLUT ---


def _glucose(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """Flux out of the cell and its derivatives by the concentrations in M."""
    parameters = expectations.parameters_of(case)
    rates = (PER_S * expectations.above_zero(parameters, key, name) for key in ("k23", "k32", "k41", "k14"))
    k = (*rates, 1e3 * expectations.above_zero(parameters, "Ks", name))
    known = lambda quantity, _: _FACILITATED.get(quantity)
    for row, where in expectations.rows_of(case, name):
        (inner, inside), (outer, outside) = (fields.measured(row, f"G_{side}_M", where) for side in ("in", "out"))
        at = (1e3 * inside, 1e3 * outside, k)
        yield from expectations.expected(row, where, at, known, {inner, outer}, case, data)
    yield from expectations.rest(case, name, {"equations", "parameters", "rows"})


@compiled
def _facilitated(inside, outside, k):
    def at(inside, outside, k):
        carrier = GlucoseCarrier(*k)
        flux = lambda inside, outside: carrier.turns(0.0, Bath({glc: inside}, {glc: outside}, TEMPERATURE)) / PER_S
        out, slopes = jax.value_and_grad(flux, (0, 1))(inside, outside)
        return out, [1e3 * slope for slope in slopes]

    return jax.vmap(at)(inside, outside, k)


_FACILITATED = {
    "J_out_per_carrier_per_s": Reading(_facilitated, lambda result: result[0], words=("at_zero",)),
    "dJ_dGin": Reading(_facilitated, lambda result: result[1][0]),
    "dJ_dGout": Reading(_facilitated, lambda result: result[1][1]),
}


# --- EAAT2 ---

RATES, WEIGHTS = ("m1p", "m1n", "m2p", "m2n", "m3p", "m4p", "m4n"), ("A", "B", "D")
STATES = ("1", "2", "3", "4")


def _glutamate(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """The ring with glutamate and without."""
    where = f"parameters_per_s of {name}"
    parameters = fields.table(case["parameters_per_s"], where)
    for row, here in expectations.rows_of(case, name):
        present = row.get("glutamate", "present")
        if present not in ("present", "absent"):
            raise InputError(f"glutamate of {here} must be present or absent, but is {present!r}.")
        rates = tuple(PER_S * _first(parameters, key, where) for key in RATES)
        if present == "absent":
            rates = (PER_S * _absent(parameters["m1p"]), *rates[1:])
        at = (rates, tuple(_first(parameters, key, where) for key in WEIGHTS))
        known = lambda quantity, _: _RING.get(quantity)
        yield from expectations.expected(row, here, at, known, {"glutamate"}, case, data)
    yield from expectations.rest(case, name, {"equations", "parameters_per_s", "rows"})


def _first(parameters: Mapping[str, Any], key: str, where: str) -> float:
    """A number, which may have a remark in brackets behind it."""
    value = fields.need(parameters, key, where)
    return fields.not_negative(value.partition("(")[0] if isinstance(value, str) else value, f"{key} of {where}")


def _absent(value: Any) -> float:
    """The number before (absent) if there is one, else zero."""
    found = re.search(r"([\d.eE+-]+) *\(absent\)", value) if isinstance(value, str) else None
    return fields.not_negative(found[1], "m1p without glutamate") if found else 0.0


@compiled
def _ring(k, weights):
    def at(k, weights):
        v, ring, bath = jnp.zeros_like(k[0]), Shchepakin(*k), Bath({}, {}, TEMPERATURE)
        given = {**dict(zip(RATES, k, strict=True)), **dict(zip(WEIGHTS, weights, strict=True))}
        relaxing = kinetics.relaxation_rates(kinetics.generator(ring, v, bath))
        return {
            "occupancy": kinetics.turnover(ring, v, bath).occupancy,
            "turns": ring.turns(v, bath) / PER_S,
            "current": shchepakin_current(v, bath, **given),
            "eigenvalues": -relaxing.real[::-1] / PER_S,
        }

    return jax.vmap(at)(k, weights)


_RING = {
    "p": Reading(_ring, lambda result: result["occupancy"], STATES),
    "turnover_per_s": Reading(_ring, lambda result: result["turns"]),
    "I_model_units": Reading(_ring, lambda result: result["current"], words=("current",)),
    "eigenvalues_per_s": Reading(_ring, lambda result: result["eigenvalues"], STATES, words=("eigenvalues",)),
}
