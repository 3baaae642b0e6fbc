"""Na/K pumps of four groups of states: turnover, occupancies, rates, affinity and derivatives; points of fits."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from .. import kinetics
from ..electrochemistry import ADP, ATP, Bath, H, K, Na, Pi
from ..results import InputError
from ..transport.post_albers import PAN_2019, PostAlbers, factorized, sequential
from . import expectations, fields
from .constants import constants
from .expectations import above_zero, number_of
from .points import Case, Question, Reading, compare, compiled
from .row import Row

IONS, FUEL = ("Nai", "Nao", "Ki", "Ko"), ("MgATP", "MgADP", "Pi", "H")
#: What cases with three equal sites have among their parameters, and its unit in mM.
HELD = {"MgATP": ("MgATP", 1.0), "MgADP": ("MgADP", 1.0), "Pi": ("eP", 1.0), "H": ("H", 1e3)}
NAMES = tuple(PAN_2019)
STEPS = ("1", "2", "3", "4")
RATES = {f"k{k}{sign}": f"k{k}{sign}" for k in STEPS for sign in "pm"}
#: What constants are called in cases with two kinds of Na sites, and in those with three equal ones.
ORDERED = {name: name for name in NAMES if name.startswith("K_") and name[2:] not in ("HPi", "ATP")} | RATES
ORDERED |= {"K_ATP": "K_MgATP"}
ALIKE = {"K_Nai1": "Knai0", "K_Nai2": "Knai0", "K_Nae1": "Knao0", "K_Nae2": "Knao0", "K_Ki": "Kki", "K_Ke": "Kko"}
ALIKE |= {"K_ATP": "Kmgatp", "K_NaPi": "Knap", "K_KPi": "Kxkur"} | RATES
PER_S = 1e-3  # 1/s in 1/ms
ENDOCARDIAL = 30.0  # A/F for a turn per second


def matches(case: Any) -> bool:
    """Whether the parameters have Na sites and rates of a first step."""
    found = expectations.parameters_of(case)
    return "k1p" in found and ("K_Nai1" in found or "Knai0" in found)


def rows(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """Rows at conditions of their own, and lists of points that differ in one concentration."""
    pump = _Pump(case, name, data)
    for row, where in expectations.rows_of(case, name):
        yield from pump.points(row, where) if "base" in row else pump.row(row, where)
    yield from expectations.rest(case, name, {"equations", "parameters", "rows"})


class _Pump:
    """The pump of a case, in the library's units."""

    def __init__(self, case: Case, name: str, data: Case):
        self.case, self.data = case, data
        self.parameters = expectations.parameters_of(case)
        self.legacy = constants(name, case, self.parameters, data)
        where = f"parameters of {name}"
        alike = "Knai0" in self.parameters
        read = {own: above_zero(self.parameters, key, where) for own, key in (ALIKE if alike else ORDERED).items()}
        read |= {key: PER_S * read[key] for key in RATES}
        self.fuel: dict[str, float] = {}
        if alike:
            delta = number_of(self.parameters, "delta", where) / 3.0
            charges = {"z_i1": delta, "z_i2": delta, "z_e1": 1.0 / 3.0 - delta, "z_e2": 1.0 / 3.0 - delta}
            # H in M, and the rate that is in proportion to it.
            read |= {"K_HPi": 1e3 * above_zero(self.parameters, "Khp", where), "k3m": 1e-3 * read["k3m"]}
            for ion, (key, unit) in HELD.items():
                given = fields.need(self.parameters, key, where)
                self.fuel[ion] = unit * fields.not_negative(given, f"{key} of {where}")
        else:
            delta = number_of(self.parameters, "Delta", where)
            charges = {"z_i1": delta, "z_i2": 0.0, "z_e1": 1.0 + delta, "z_e2": 0.0}
            read["K_HPi"] = 10.0 ** (3.0 - number_of(self.parameters, "pK_HPi", where))
        read |= charges
        self.constants = tuple(read[key] for key in NAMES)
        equations = str(case.get("equations") or "").lower()
        self.independent = 1.0 if alike or re.search("factori[sz]ed", equations) else 0.0
        self.alike = alike

    def at(self, row: Case, found: Mapping[str, float], where: str) -> tuple[Any, ...]:
        """Voltage, concentrations, temperature, whether Na binds independently, and constants of a row."""
        v = expectations.voltage(row, where)[1]
        given = ((table, key) for table in (row, self.parameters) for key in ("T_K", "T") if key in table)
        t = above_zero(*next(given, (row, "T_K")), where)
        c = expectations.in_order({**self.fuel, **found}, IONS + FUEL, where)
        return v, c, self.legacy.temperature(t), self.independent, self.constants

    def row(self, row: Case, where: str) -> Iterator[Row | Question]:
        """What is expected at one point."""
        key, found = expectations.concentrations(row, where)
        at = self.at(row, found, where)
        given = {key, expectations.voltage(row, where)[0], "T_K", "T"}
        yield from expectations.expected(row, where, at, self.known, given, self.case, self.data)

    def points(self, row: Case, where: str) -> Iterator[Row | Question]:
        """Points that differ in the concentration that `normalise_at_..._mM` names; `base` has the others."""
        where = f"{where} {row['name']}" if isinstance(row.get("name"), str) else where
        _, base = expectations.concentrations({"conc_mM": row["base"]}, where)
        form = lambda key: re.fullmatch(r"normali[sz]e_at_(.+)_mM", key)
        key = next(filter(form, row), None)
        if key is None:
            raise InputError(f"{where} must have normalise_at_<ion>_mM, but has {', '.join(row)}.")
        ion = form(key)[1]
        reference = self.at(row, {**base, ion: fields.not_negative(row[key], f"{key} of {where}")}, where)
        for k, point in enumerate(fields.tables(row.get("model"), f"model of {where}")):
            here = f"{where} model[{k + 1}]"
            varied, c = fields.measured(point, f"{ion}_mM", here)
            at = self.at(row, {**base, ion: c}, here)
            ratio = Reading(_ratios, at=(*at, reference[1]))
            known = lambda quantity, value, ratio=ratio: (
                ratio if re.fullmatch("normali[sz]ed", quantity) else self.known(quantity, value)
            )
            yield from compare(point, here, at, known, {varied}, row, self.case, self.data)
        given = {"name", "base", "model", "T_K", "T", key, expectations.voltage(row, where)[0]}
        yield from expectations.rest(row, where, given)

    def known(self, quantity: str, value: Any) -> Reading | None:
        """How the library gives a quantity at a point."""
        if quantity in _SCALARS:
            key = _SCALARS[quantity]
            return Reading(_at_points, lambda result: result[key], undefined=key == "affinity")
        if quantity in _LISTS:
            key = _LISTS[quantity]
            return Reading(_at_points, lambda result: result[key], STEPS)
        if quantity == "I_NaK_ORd_endo_A_per_F" and self.alike:
            return Reading(_at_points, lambda result: result["endocardial"])
        by = re.fullmatch(r"dv_d(.+)_per_s_per_mM", quantity)
        ion = re.sub(r"^(Na|K)e$", r"\1o", by[1]) if by else ""
        if ion in IONS + FUEL:
            place = (IONS + FUEL).index(ion)
            return Reading(_at_points, lambda result: result["by_c"][place])
        return None


_SCALARS = {
    "v_cycle_per_s": "turns",
    "Pi_free_mM": "phosphate",
    "cycle_affinity_over_RT": "affinity",
    "dv_dV_per_s_per_V": "by_v",
}
_LISTS = {"p": "occupancy", "alpha_plus": "forward", "alpha_minus": "backward"}


def _pump(independent: Any, k: Any) -> PostAlbers:
    """The pump whose Na binds independently or in sequence: one compiled function for both."""
    polynomial = lambda n1, n2, k: jnp.where(independent > 0.0, factorized(n1, n2, k), sequential(n1, n2, k))
    return PostAlbers(**{name: k[j] for j, name in enumerate(NAMES)}, polynomial=polynomial)


def _bath(c: Any, t: Any) -> Bath:
    return Bath({Na: c[0], K: c[2], ATP: c[4], ADP: c[5], Pi: c[6], H: c[7]}, {Na: c[1], K: c[3]}, t)


@compiled
def _at_points(v, c, t, independent, k):
    def at(v, c, t, independent, k):
        pump, bath = _pump(independent, k), _bath(c, t)
        turns, (by_v, by_c) = jax.value_and_grad(lambda v, c: pump.turns(v, _bath(c, t)), (0, 1))(v, c)
        forward, backward = pump.rates(v, bath)
        return {
            **{"turns": turns / PER_S, "by_v": 1e3 * by_v / PER_S, "by_c": by_c / PER_S},
            **{"forward": forward / PER_S, "backward": backward / PER_S},
            "endocardial": ENDOCARDIAL * turns / PER_S,
            "occupancy": kinetics.turnover(pump, v, bath).occupancy,
            "affinity": kinetics.affinity(pump, v, bath)[0],
            "phosphate": pump.phosphate(bath),
        }

    return jax.vmap(at)(v, c, t, independent, k)


@compiled
def _ratios(v, c, t, independent, k, reference):
    turns = jax.vmap(lambda v, c, t, independent, k: _pump(independent, k).turns(v, _bath(c, t)))
    return turns(v, c, t, independent, k) / turns(v, reference, t, independent, k)
