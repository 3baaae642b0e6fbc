"""The work of `hodgkin_huxley_cells.py`: a population of squid patches under constant currents, and what is true of it.

Cell 0 is fixed; the conductances of the others spread by a twentieth, their currents over 10 to 15 uA/cm2, at which all
fire all the time. Everybody starts at rest (-65 mV, gates in their steady state) and counts the spikes of every cell.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

DT, DURATION = 0.025, 100.0
"""Step and simulated time [ms]."""
STEPS = 4000
E_NA, E_K, E_L, G_L, REST = 50.0, -77.0, -54.387, 0.3, -65.0
"""mV and mS/cm2; the capacitance is 1 uF/cm2."""
SAMPLED = 4
"""A record has every fourth step (0.1 ms)."""
SCALES = np.array([1.05, 0.95, 1.1])
"""Factors of the sodium, potassium and leak conductances of all cells, at which the loss is differentiated."""
_FINE = 0.0125
MANY = 1000
"""Up to so many cells, what is true is computed for each."""


@dataclass(frozen=True)
class Population:
    """Conductances [mS/cm2] and injected currents [uA/cm2] of the cells."""

    g_na: np.ndarray
    g_k: np.ndarray
    current: np.ndarray

    @classmethod
    def draw(cls, size: int) -> Population:
        """`size` cells of a fixed seed."""
        draw = np.random.default_rng(0)
        g_na, g_k = (g * (1 + 0.05 * draw.uniform(-1, 1, size)) for g in (120.0, 36.0))
        current = draw.uniform(10.0, 15.0, size)
        g_na[0], g_k[0], current[0] = 120.0, 36.0, 10.0
        return cls(g_na, g_k, current)


def _linear(x):
    return np.where(np.abs(x) < 1e-7, 1 + x / 2, x / -np.expm1(-np.where(np.abs(x) < 1e-7, 1.0, x)))


def rates(v):
    """Opening and closing rates [1/ms] of m, h and n at v [mV]."""
    opening = (_linear((v + 40) / 10), 0.07 * np.exp(-(v + 65) / 20), 0.1 * _linear((v + 55) / 10))
    closing = (4 * np.exp(-(v + 65) / 18), 1 / (1 + np.exp(-(v + 35) / 10)), 0.125 * np.exp(-(v + 65) / 80))
    return opening, closing


def resting() -> tuple[float, float, float]:
    """The steady gates m, h, n at rest."""
    return tuple(float(a / (a + b)) for a, b in zip(*rates(np.float64(REST)), strict=True))


def slopes(y: np.ndarray, g_na, g_k, g_l, current) -> np.ndarray:
    """d(v, m, h, n)/dt of cells in a row."""
    v, gates = y[0], y[1:]
    moved = [a * (1 - x) - b * x for a, b, x in zip(*rates(v), gates, strict=True)]
    m, h, n = gates
    out = g_na * m**3 * h * (v - E_NA) + g_k * n**4 * (v - E_K) + g_l * (v - E_L)
    return np.stack([current - out, *moved])


@cache
def seventh() -> float:
    """When cell 0 rises through 0 mV for the seventh time [ms]: LSODA at a relative tolerance of 1e-11."""
    crossing = lambda t, y: y[0]
    crossing.direction = 1
    start = np.array([REST, *resting()])
    field = lambda t, y: slopes(y, 120.0, 36.0, G_L, 10.0)
    tight = {"rtol": 1e-11, "atol": 1e-12, "max_step": 0.1}
    found = solve_ivp(field, (0, DURATION), start, method="LSODA", events=crossing, **tight)
    return float(found.t_events[0][6])


def spike_times(t: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Times [ms] at which one trace rises through 0 mV, interpolated."""
    v = np.asarray(v, np.float64)
    k = np.flatnonzero((v[:-1] < 0) & (v[1:] >= 0))
    return t[k] - (t[k + 1] - t[k]) * v[k] / (v[k + 1] - v[k])


def errors(times: np.ndarray, counts: np.ndarray | None = None) -> dict[str, float]:
    """How late the seventh spike of cell 0 is [ms], and in which share of the cells the count of spikes is wrong."""
    found = {"7th spike [ms]": abs(float(times[6]) - seventh())}
    if counts is not None and len(counts) <= MANY:
        found["cells miscounted"] = float(np.mean(np.asarray(counts) != truth(len(counts))["counts"]))
    return found


def truth(size: int) -> dict[str, np.ndarray]:
    """Of a population without scaling: `counts` of spikes and the `record` (samples, cells) [mV]; and, at `SCALES`,
    the `gradient` of the mean square of the voltage minus that record.

    Runge-Kutta of fourth order in numpy at half the step; the gradient by central differences. Kept in the temporary
    folder; it shares no code with jaxmem.
    """
    key = hashlib.sha256(repr((size, Path(__file__).read_text())).encode()).hexdigest()[:16]
    kept = Path(tempfile.gettempdir()) / f"jaxmem-benchmark-{key}.npz"
    if not kept.exists():
        np.savez(kept, **_integrate(Population.draw(size)))
    with np.load(kept) as saved:
        return dict(saved)


def _integrate(cells: Population) -> dict[str, np.ndarray]:
    nudge = 1e-4
    moved = [SCALES * (1 + sign * nudge * np.eye(3)[k]) for k in range(3) for sign in (1, -1)]
    scales = np.array([np.ones(3), *moved])[:, :, None]
    given = (scales[:, 0] * cells.g_na, scales[:, 1] * cells.g_k, scales[:, 2] * G_L, cells.current[None])
    shape = (len(scales), len(cells.current))
    y = np.stack([np.full(shape, x) for x in (REST, *resting())])
    counts, every = np.zeros(shape[1], int), round(SAMPLED * DT / _FINE)
    record, squares = [y[0, 0]], np.zeros(len(moved))
    for step in range(1, round(DURATION / _FINE) + 1):
        k1 = slopes(y, *given)
        k2 = slopes(y + 0.5 * _FINE * k1, *given)
        k3 = slopes(y + 0.5 * _FINE * k2, *given)
        k4 = slopes(y + _FINE * k3, *given)
        before, y = y[0, 0], y + _FINE / 6 * (k1 + 2 * (k2 + k3) + k4)
        counts += (before < 0) & (y[0, 0] >= 0)
        if step % every == 0:
            record.append(y[0, 0])
            squares += np.mean((y[0, 1:] - y[0, :1]) ** 2, axis=1)
    losses = squares.reshape(3, 2) / (len(record) - 1)
    gradient = (losses[:, 0] - losses[:, 1]) / (2 * nudge * SCALES)
    return {"counts": counts, "record": np.array(record), "gradient": gradient}


def gradient_error(size: int, gradient) -> dict[str, float]:
    """The largest error of a gradient of the mean square, over its largest entry."""
    right = truth(size)["gradient"]
    return {"gradient": float(np.max(np.abs(np.asarray(gradient) - right)) / np.max(np.abs(right)))}
