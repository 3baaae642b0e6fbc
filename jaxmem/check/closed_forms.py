"""Permeation in closed form: transition-state rates, two-site saturation, binding polynomials, one site."""

import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .. import kinetics
from .._numerics.root import root
from ..electrochemistry import Bath, Species, from_molar, kcal_per_mol, kJ_per_mol
from ..permeation import (
    BindingPolynomial,
    GraphPore,
    change_of_rate,
    current,
    mixture,
    mole_fraction_minimum,
    rate_over_barrier,
)
from ..rates import Binding, Constant
from ..results import InputError
from ..units import E0_PER_MS, R, factor
from . import fields, graphs
from .constants import constants
from .points import Case, Question, Reading, by_section, compare, compiled, occupancies, once, points
from .row import Row

ION = Species("ion", 1)
ENERGIES = {"dG_kcal": kcal_per_mol, "dG_kJ": kJ_per_mol}  # per mole, in J/mol
FAST = 1e13  # how much faster ions bind and leave than they are passed on, where both are in equilibrium
TEMPERATURE = 298.15  # [K]; equilibria with given constants do not depend on it
EMPTY = ("empty", "0")


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the file has one of the sections, or gives its kind as closed forms."""
    return data.get("kind") == "closed_forms" or any(section in data for section in _SECTIONS)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each section."""
    yield from by_section(data, _SECTIONS)


# --- transition-state theory ---


def _tst(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    key = next((key for key in ENERGIES if key in case), "dG_kcal")
    energy = ENERGIES[key] * fields.number(fields.need(case, key, name), f"{key} of {name}")
    temperature = fields.positive(fields.need(case, "T_K", name), f"T_K of {name}")
    at = (energy, temperature * constants(name, case, data).R / R, temperature)
    shown = f"{name}, {key} {case[key]}, T_K {case['T_K']}"
    yield from compare(case, shown, at, lambda quantity, _: _BARRIER.get(quantity), (key, "T_K"), data)


_BARRIER = {
    # The temperature twice: where the energy is RT's multiple, and that of the attempts.
    "exp_dG_RT": Reading(lambda energy, scale, _: 1.0 / change_of_rate(from_molar(energy, scale))),
    "rate_kT_h_exp_minus": Reading(lambda energy, scale, t: 1e3 * rate_over_barrier(from_molar(energy, scale), t)),
}


# --- saturation of two sites ---


def _saturation(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    a, b = (_per_mM(case, key, name) for key in ("a", "b"))
    largest = fields.positive(fields.need(case, "I_max_pA", name), f"I_max_pA of {name}")
    pore = _two_sites(a, b, largest / E0_PER_MS)
    scale = 1.0 / math.sqrt(a) / math.sqrt(b)

    def half() -> Any:
        bounds = (math.log(scale) + shift for shift in (-30.0, math.log1p(math.sqrt(a / b)) + 30.0))
        return jnp.exp(_half(pore, jnp.asarray(largest), *map(jnp.asarray, bounds)))

    given = ("a_per_mM", "b_per_mM", "a_per_M", "b_per_M", "I_max_pA", "points")
    yield from compare(case, name, (), once({"c_half_mM": half}), given, data)
    saturating = functools.partial(_saturating, pore)
    known = {"I_pA": Reading(saturating, lambda result: result[0]), "dI_dc": Reading(saturating, lambda r: r[1])}
    yield from points(case, "points", name, ("c_mM",), lambda quantity, _: known.get(quantity), data)


def _per_mM(case: Case, key: str, name: str) -> float:
    """An association constant [1/mM]."""
    found, scale = next(((f"{key}_per_{c}", factor("mM", c)) for c in ("mM", "M") if f"{key}_per_{c}" in case), ("", 1))
    found = found or f"{key}_per_mM"
    return scale * fields.positive(fields.need(case, found, name), f"{found} of {name}")


def _two_sites(a: float, b: float, rate: float) -> GraphPore:
    """A pore that fills from outside and passes an ion on inward when it holds two, so slowly that binding stays in
    equilibrium."""
    off = FAST * rate
    edges = {
        ("none", "one"): (Binding(a * off, ION, False), Constant(off)),
        ("one", "two"): (Binding(b * off, ION, False), Constant(off)),
        ("two", "one"): (Constant(rate), Binding(b * rate, ION, True)),
    }
    taken = {(ION, False): -1}
    exchange = {("none", "one"): taken, ("one", "two"): taken, ("two", "one"): {(ION, True): 1}}
    return GraphPore(kinetics.scheme(edges, exchange=exchange))


def _inward(pore: GraphPore, c: Any) -> Any:
    return -current(pore, 0.0, Bath({}, {ION: c}, TEMPERATURE))


@compiled
def _saturating(pore: GraphPore, c):
    return jax.vmap(jax.value_and_grad(functools.partial(_inward, pore)))(c)


@compiled
def _half(pore: GraphPore, largest, low, high):
    return root(lambda log_c: _inward(pore, jnp.exp(log_c)) / largest - 0.5, low, high)


# --- binding polynomials ---


def _polynomial(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    ions = tuple(dict.fromkeys(m[1] for key in case if (m := re.fullmatch(r"K_(.+)_per_m?M", key))))
    if len(ions) != 2:
        raise InputError(f"{name} must have K_<ion>_per_mM of two ions, but has {', '.join(ions) or 'none'}.")
    law, occupied, given = _binding(case, ions, name)
    listed = case.get("points") if isinstance(case.get("points"), list) else []
    keys = (*case, *(key for point in listed if isinstance(point, dict) for key in point))
    # The fraction is that of the ion in `x_<ion>`.
    first = next((ion for ion in ions if f"x_{ion}" in keys), ions[0])
    pair = tuple(Species(ion, 1) for ion in sorted(ions, key=lambda ion: ion != first))
    total_key, total = fields.measured(case, "c_total_mM", name)
    at = functools.partial(_mixed, law, pair, jnp.asarray(total))
    minimum = functools.partial(_minimum, law, pair, jnp.asarray(total))
    least = {
        "x_min": Reading(minimum, lambda result: result.fraction, words=("position",)),
        f"x_{first}_at_min": Reading(minimum, lambda result: result.fraction, words=("position",)),
        "I_min_pA": Reading(minimum, lambda result: -result.current),
        "depth_vs_linear": Reading(minimum, lambda result: result.depth),
        f"min_over_pure_{pair[0].name}": Reading(minimum, lambda result: result.over_first),
        f"min_over_pure_{pair[1].name}": Reading(minimum, lambda result: result.over_second),
    }
    # The places of the results in `occupancy`, which has the empty pore first.
    states = {state: 0 for state in EMPTY} | {
        state: k + 1 for k, occupancy in enumerate(occupied) for state in _names(occupancy)
    }
    order = (EMPTY[0], *(_names(occupancy)[0] for occupancy in occupied))

    def known(quantity: str, value: Any) -> Reading | None:
        if quantity == "I_pA":
            return Reading(at, lambda result: -result[0])
        return occupancies(quantity, value, states, order, at, lambda result: result[1])

    given |= {total_key, "points"}
    yield from compare(case, name, (), lambda quantity, _: least.get(quantity), given, data)
    yield from points(case, "points", name, (f"x_{first}",), known, data)


def _names(occupancy: tuple[str, ...]) -> tuple[str, ...]:
    """What an occupancy may be called: CaBa or BaCa."""
    return ("".join(occupancy), "".join(reversed(occupancy)))


def _binding(
    case: Case, ions: tuple[str, ...], name: str
) -> tuple[BindingPolynomial, tuple[tuple[str, ...], ...], set[str]]:
    """The pore with one ion or two: the weight of two is w K K, twice that if they are different."""
    affinity = {ion: _per_mM(case, f"K_{ion}", name) for ion in ions}
    occupied = tuple([(ion,) for ion in ions] + [(ion, ion) for ion in ions] + [ions])
    given = {key for ion in ions for key in (f"K_{ion}_per_mM", f"K_{ion}_per_M")}
    constant, rate = [], []

    def read(stem: str, occupancy: tuple[str, ...], unit: str, otherwise: float | None) -> float:
        key = next((f"{stem}_{state}{unit}" for state in _names(occupancy) if f"{stem}_{state}{unit}" in case), None)
        if key is None and otherwise is not None:
            return otherwise
        key = key or f"{stem}_{_names(occupancy)[0]}{unit}"
        given.add(key)
        return fields.not_negative(fields.need(case, key, name), f"{key} of {name}")

    for occupancy in occupied:
        single = len(occupancy) == 1
        arrangements = math.factorial(len(occupancy)) // math.prod(map(math.factorial, Counter(occupancy).values()))
        weight = arrangements * read("w", occupancy, "", 1.0 if single else None)
        constant.append(weight * math.prod(affinity[ion] for ion in occupancy))
        rate.append(read("i", occupancy, "_pA", 0.0 if single else None) / E0_PER_MS)
    tables = [{Species(ion, 1): n for ion, n in Counter(occupancy).items()} for occupancy in occupied]
    return BindingPolynomial(tables, np.array(constant), np.array(rate)), occupied, given


@compiled
def _mixed(law: BindingPolynomial, pair: tuple[Species, Species], total, fraction):
    def at(fraction):
        bath = mixture(Bath({}, {s: 0.0 for s in pair}, TEMPERATURE), pair, fraction, total)
        occupied = law.occupancy(bath)
        return current(law, 0.0, bath), jnp.concatenate([1.0 / law.polynomial(bath)[None], occupied])

    return jax.vmap(at)(fraction)


@compiled
def _minimum(law: BindingPolynomial, pair: tuple[Species, Species], total):
    return mole_fraction_minimum(law, 0.0, Bath({}, {s: 0.0 for s in pair}, TEMPERATURE), pair, total)


# --- one site ---


def _one_site(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    rates = fields.table(fields.need(case, "k", name), f"k of {name}")
    at = constants(name, case, data)
    temperature = at.temperature(fields.positive(fields.need(case, "T_K", name), f"T_K of {name}"))
    ion = Species("ion", fields.valence({**case, **rates}, name, 1))

    def read(key: str) -> float:
        return fields.positive(fields.need(rates, key, f"k of {name}"), f"{key} of {name}")

    delta = fields.number(fields.need(rates, "delta", f"k of {name}"), f"delta of {name}")
    edges, exchange = {}, {}
    for edge, side, depth in ((("empty", "full"), "o", -delta), (("full", "empty"), "i", 1.0 - delta)):
        inside = side == "i"
        laws, taken = graphs.binding(ion, inside, read(f"kon_{side}"), read(f"koff_{side}"), 0.5 * ion.z * depth)
        edges[edge] = laws[::-1] if inside else laws
        exchange[edge] = {key: -count for key, count in taken.items()} if inside else taken
    compute = graphs.steady(kinetics.scheme(edges, exchange=exchange), ion, temperature)
    known = {
        "occupancy": Reading(compute, lambda result: result.occupancy[1]),
        "I_pA": Reading(compute, lambda result: at.per_mole * result.current),
    }
    yield from compare(case, name, (), lambda *_: None, ("T_K", "k", "z", "points"), data)
    yield from points(case, "points", name, graphs.CONDITIONS, lambda quantity, _: known.get(quantity), data)


_SECTIONS: dict[str, Callable[[Case, str, Case], Iterator[Row | Question]]] = {
    "tst": _tst,
    "two_site_saturation": _saturation,
    "amfe_binding_polynomial": _polynomial,
    "one_site_two_barrier": _one_site,
}
