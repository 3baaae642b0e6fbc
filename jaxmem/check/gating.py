"""Voltage sensors and gating: two-state sensors, four-subunit Shaker schemes, allosteric BK channels."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
from scipy.optimize import brentq

from .. import gating, kinetics
from ..electrochemistry import Bath, Ca, as_bath
from ..rates import Binding, Constant, Eyring, Scaled
from . import fields
from .constants import constants
from .points import Case, Question, by_section, compare, each, once, points
from .row import Row

SUBUNITS = 4
VOLTAGES = tuple(sign * 50.0 * 2.0**k for k in range(6) for sign in (-1.0, 1.0))  # [mV] where half points are sought


def recognizes(data: dict[str, Any]) -> bool:
    """Whether the file has one of the sections, or gives its kind as gating."""
    return data.get("kind") == "gating" or any(section in data for section in _SECTIONS)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each section."""
    yield from by_section(data, _SECTIONS)


def _two_state(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    temperature = constants(name, case, data).temperature(
        fields.positive(fields.need(case, "T_K", name), f"T_K of {name}")
    )
    v_half = fields.number(fields.need(case, "V_half_mV", name), f"V_half_mV of {name}")
    sensor = gating.TwoState.at(v_half, fields.number(fields.need(case, "q_e0", name), f"q_e0 of {name}"), temperature)
    given = ("q_e0", "V_half_mV", "T_K", "points")
    peak = {"C_peak_e0_per_V": lambda: 1e3 * sensor.capacitance(v_half, temperature)}
    yield from compare(case, name, (), once(peak), given, data)
    at_voltage = {
        "P": lambda v: sensor.active(v, temperature),
        "Q_e0": lambda v: sensor.charge(v, temperature),
        "C_e0_per_V": lambda v: 1e3 * sensor.capacitance(v, temperature),
    }
    yield from points(case, "points", name, ("V_mV",), each(at_voltage), data)


def _shaker(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    parameters = fields.table(fields.need(case, "parameters", name), f"parameters of {name}")
    at = constants(name, case, parameters, data)
    temperature = at.temperature(fields.positive(fields.need(case, "T_K", name), f"T_K of {name}"))
    model = gating.Markov(_subunits(parameters, name), ("open",))
    graph = model.scheme

    @jax.jit
    def occupancy(v):
        return model.init(v, temperature)

    charge = jax.jit(lambda v: gating.charge_voltage(graph, v, temperature))
    slope = jax.jit(lambda v: gating.limiting_slope(model, v, temperature))
    total = float(gating.total_charge(graph, temperature))

    def opening(v):
        return model.open_probability(occupancy(v), v)

    overall = {
        "total_charge_e0": lambda: total,
        "V_half_Q_mV": lambda: _half(lambda v: float(charge(v)) - 0.5 * total),
        "V_half_Po_mV": lambda: _half(lambda v: float(opening(v)) - 0.5),
    }
    lists = ("steady", "limiting_slope_dlnPo_dV_times_kT", "step")
    yield from compare(case, name, (), once(overall), ("parameters", "T_K", *lists), data)
    yield from points(case, "steady", name, ("V_mV",), each({"Po": opening, "Q_e0": charge}), data)
    yield from points(case, lists[1], name, ("V_mV",), each({"slope_e0": slope}), data)

    for k, step in enumerate(fields.tables(case.get("step"), f"step of {name}")):
        where = f"{name} step" if isinstance(case["step"], dict) else f"{name} step[{k + 1}]"
        hold, test = (
            fields.number(fields.need(step, key, where), f"{key} of {where}") for key in ("V_hold_mV", "V_test_mV")
        )
        before = occupancy(hold)

        @jax.jit
        def after(t, before=before, test=test):
            return model.advance(before, jnp.asarray(test), as_bath(temperature), t)

        in_time = {
            "Po": lambda t, after=after, test=test: model.open_probability(after(t), test),
            "Ig_e0_per_ms": lambda t, after=after, test=test: gating.gating_current(graph, after(t), test, temperature),
            "Q_moved_e0": lambda t, after=after, before=before: gating.gating_charge(
                graph, after(t) - before, temperature
            ),
        }
        yield from compare(step, where, (), once({}), ("V_hold_mV", "V_test_mV", "trace"), case, data)
        yield from points(step, "trace", where, ("t_ms",), each(in_time), case, data)


def _bk(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    parameters = fields.table(fields.need(case, "parameters", name), f"parameters of {name}")
    temperature = constants(name, case, parameters, data).temperature(
        fields.positive(fields.need(case, "T_K", name), f"T_K of {name}")
    )
    model = _allosteric(parameters, temperature, name)

    @jax.jit
    def opening(ca, v):
        bath = Bath({Ca: 1e-3 * ca}, {}, temperature)
        return model.open_probability(model.init(v, bath), v)

    yield from compare(case, name, (), once({}), ("parameters", "T_K", "points"), data)
    yield from points(case, "points", name, ("Ca_uM", "V_mV"), each({"Po": opening}), data)


def _half(excess: Callable[[float], float]) -> float:
    """The voltage [mV] at which a curve passes through zero; NaN if that is not within reach."""
    for low, high in itertools.pairwise(sorted(VOLTAGES)):
        if excess(low) * excess(high) <= 0.0:
            return float(brentq(excess, low, high, xtol=1e-12, rtol=1e-15))
    return float("nan")


def _compositions(kinds: int, total: int) -> Iterator[tuple[int, ...]]:
    """The ways in which identical subunits can be spread over kinds, all in the first kind first."""
    if kinds == 1:
        yield (total,)
        return
    for first in range(total, -1, -1):
        for rest in _compositions(kinds - 1, total - first):
            yield first, *rest


def _moved(counts: tuple[int, ...], i: int, j: int) -> tuple[int, ...]:
    return tuple(n - (k == i) + (k == j) for k, n in enumerate(counts))


def _subunits(parameters: Case, name: str) -> kinetics.Scheme:
    """Identical subunits R1 <-> R2 <-> A; open when all are in A, where closing is slower by theta."""

    def read(key: str) -> float:
        return fields.number(fields.need(parameters, key, f"parameters of {name}"), f"{key} of {name}")

    def rate(key: str) -> float:
        return 1e-3 * fields.positive(fields.need(parameters, f"{key}0", f"parameters of {name}"), f"{key}0 of {name}")

    theta = fields.positive(fields.need(parameters, "theta", f"parameters of {name}"), f"theta of {name}")
    laws = (
        (Eyring(rate("alpha"), read("z_alpha")), Eyring(rate("beta"), -read("z_beta"))),
        (Eyring(rate("gamma"), read("z_gamma")), Eyring(rate("delta"), -read("z_delta"))),
    )
    everything = (0, 0, SUBUNITS)

    def label(counts: tuple[int, ...]) -> str:
        return "open" if counts == everything else "R1^{} R2^{} A^{}".format(*counts)

    edges = {}
    for counts in _compositions(3, SUBUNITS):
        for i, (forward, backward) in enumerate(laws):
            if counts[i]:
                to = _moved(counts, i, i + 1)
                slower = theta if to == everything else 1.0
                edges[label(counts), label(to)] = (
                    Scaled(forward, counts[i]),
                    Scaled(backward, to[i + 1] / slower),
                )
    return kinetics.scheme(edges, states=tuple(label(counts) for counts in _compositions(3, SUBUNITS)))


def _allosteric(parameters: Case, temperature: float, name: str) -> gating.Markov:
    """A gate (L) with four voltage sensors (J) and four Ca sites (K), coupled in pairs by C, D and E.

    Only the ratios of rates are given, and only they matter to the steady state: backward rates are 1/ms.
    """

    def read(key: str) -> float:
        return fields.number(fields.need(parameters, key, f"parameters of {name}"), f"{key} of {name}")

    def above(key: str) -> float:
        return fields.positive(fields.need(parameters, key, f"parameters of {name}"), f"{key} of {name}")

    unity = Constant(1.0)
    opening = Eyring(above("L0"), read("zL"))
    resting = gating.TwoState.at(read("VhJ"), read("zJ"), temperature)
    sensor = Eyring(jnp.exp(-resting.dg0), resting.q)
    binding = Binding(1e3 / above("KD_uM"), Ca, True)
    c, d, e = above("C"), above("D"), above("E")
    # A subunit is plain, with its sensor active (J), with Ca bound (K), or both.
    kinds = {"plain": 0, "J": 1, "K": 2, "JK": 3}
    steps = (
        ("plain", "J", sensor, d, 1.0),
        ("K", "JK", sensor, d, e),
        ("plain", "K", binding, c, 1.0),
        ("J", "JK", binding, c, e),
    )

    def label(is_open: bool, counts: tuple[int, ...]) -> str:
        return ("open " if is_open else "closed ") + " ".join(
            f"{kind}^{n}" for kind, n in zip(kinds, counts, strict=True)
        )

    edges = {}
    for counts in _compositions(4, SUBUNITS):
        active, bound = counts[1] + counts[3], counts[2] + counts[3]
        edges[label(False, counts), label(True, counts)] = (Scaled(opening, c**bound * d**active), unity)
        for is_open, (start, end, law, by_gate, by_other) in itertools.product((False, True), steps):
            i, j = kinds[start], kinds[end]
            if counts[i]:
                to = _moved(counts, i, j)
                factor = counts[i] * by_other * (by_gate if is_open else 1.0)
                edges[label(is_open, counts), label(is_open, to)] = (
                    Scaled(law, factor),
                    Constant(float(to[j])),
                )
    graph = kinetics.scheme(edges)
    return gating.Markov(graph, tuple(state for state in graph.states if state.startswith("open")))


_SECTIONS: dict[str, Callable[[Case, str, Case], Iterator[Row | Question]]] = {
    "two_state": _two_state,
    "shaker_ZHA": _shaker,
    "bk_HA2002": _bk,
}
