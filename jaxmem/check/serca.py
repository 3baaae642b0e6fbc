"""SERCA in three states: cycle rate, rates, affinity, slope, and the Ca of the lumen at which it stands still."""

from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp

from .. import kinetics
from .._numerics.root import root
from ..electrochemistry import ADP, ATP, Bath, Ca, H, Pi
from ..transport.calcium_pumps import Tran
from . import expectations, fields
from .points import Case, Question, Reading, compare, compiled
from .row import Row

TEMPERATURE = 310.0  # [K]; none of its rates depends on it
CONDITIONS = ("Cai_mM", "Casr_mM", "H_mM", "ATP_mM", "ADP_mM", "Pi_mM")
#: What the parameters of a case are called, what the library calls them, and the unit of the rates.
PER_S = 1e-3  # 1/s in 1/ms
NAMES = {name: (name, PER_S) for name in ("kp1", "kp2", "kp3", "km1", "km2", "km3")}
NAMES |= {"Kdcai": ("K_Cai", 1.0), "Kdcasr": ("K_Cas", 1.0)}
NAMES |= {"KdH1": ("K_H1", 1.0), "KdHi": ("K_Hi", 1.0), "KdHsr": ("K_Hs", 1.0), "KdH": ("K_H", 1.0)}
STEPS = ("1", "2", "3")
FULL = 1e3  # [mM], and its inverse: between these the lumen is looked at for a standstill


def matches(case: Any) -> bool:
    """Whether the parameters have the Ca sites of both sides."""
    return {"Kdcai", "Kdcasr"} <= set(expectations.parameters_of(case))


def rows(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """One row for each quantity of each row, and of each reversal."""
    parameters, where = expectations.parameters_of(case), f"parameters of {name}"
    k = tuple(unit * expectations.above_zero(parameters, key, where) for key, (_, unit) in NAMES.items())
    for row, here in expectations.rows_of(case, name):
        found = [fields.measured(row, condition, here) for condition in CONDITIONS]
        at, given = (tuple(c for _, c in found), k), {key for key, _ in found}
        yield from expectations.expected(row, here, at, lambda quantity, _: _KNOWN.get(quantity), given, case, data)
    for j, point in enumerate(fields.tables(case.get("reversal"), f"reversal of {name}")):
        here = f"{name} reversal[{j + 1}]"
        found = [fields.measured(point, condition, here) for condition in CONDITIONS if condition != "Casr_mM"]
        at, given = (tuple(c for _, c in found), k), {key for key, _ in found}
        wanted = fields.table(point.get("expected"), f"expected of {here}")
        yield from compare(wanted, here, at, lambda quantity, _: _STANDSTILL.get(quantity), (), point, case, data)
        yield from expectations.rest(point, here, {*given, "expected"})
    yield from expectations.rest(case, name, {"equations", "parameters", "rows", "reversal"})


def _pump(k: Any) -> Tran:
    return Tran(**{own: k[j] for j, (own, _) in enumerate(NAMES.values())})


def _bath(c: Any) -> Bath:
    return Bath({Ca: c[0], H: c[2], ATP: c[3], ADP: c[4], Pi: c[5]}, {Ca: c[1]}, TEMPERATURE)


@compiled
def _at_points(c, k):
    def at(c, k):
        pump, bath, v = _pump(k), _bath(c), jnp.zeros_like(c[0])
        turns, by_c = jax.value_and_grad(lambda c: pump.turns(v, _bath(c)))(c)
        forward, backward = pump.rates(v, bath)
        affinity = kinetics.affinity(pump, v, bath)[0]
        found = {"turns": turns, "by_c": by_c, "forward": forward, "backward": backward}
        return {key: x / PER_S for key, x in found.items()} | {"affinity": affinity}

    return jax.vmap(at)(c, k)


@compiled
def _standstill(c, k):
    def at(c, k):
        pump, v = _pump(k), jnp.zeros_like(c[0])
        drive = lambda log_c: kinetics.affinity(pump, v, _bath((c[0], jnp.exp(log_c), *c[1:])))[0]
        edge = jnp.log(jnp.full_like(c[0], FULL))
        return jnp.exp(root(drive, -edge, edge))

    return jax.vmap(at)(c, k)


_KNOWN = {
    "v_cycle_per_s": Reading(_at_points, lambda result: result["turns"]),
    "alpha_plus": Reading(_at_points, lambda result: result["forward"], STEPS),
    "alpha_minus": Reading(_at_points, lambda result: result["backward"], STEPS),
    "affinity_over_RT": Reading(_at_points, lambda result: result["affinity"], undefined=True),
} | {
    f"dv_d{condition.removesuffix('_mM')}_per_s_per_mM": Reading(_at_points, lambda result, j=j: result["by_c"][j])
    for j, condition in enumerate(CONDITIONS)
}
_STANDSTILL = {"Casr_mM_at_v0": Reading(_standstill)}
