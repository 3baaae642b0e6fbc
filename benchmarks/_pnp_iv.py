"""The problem of `pnp_iv`: a charged pore between two salts, at 41 voltages, on given nodes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

# Segments [nm], diffusivities [nm2/ns], baths [mM] of K, Na, Cl; fixed charge [mM] of the middle segment.
LENGTHS, FIXED = (10.0, 10.0, 10.0), -500.0
VALENCE, DIFFUSION = np.array([1.0, 1.0, -1.0]), np.array([1.957, 1.334, 2.032])
INSIDE, OUTSIDE = np.array([150.0, 0.0, 150.0]), np.array([0.0, 150.0, 150.0])
TEMPERATURE, PERMITTIVITY = 298.15, 78.5
VOLTS = np.linspace(-200.0, 200.0, 41)  # mV
TOLERANCE = 1e-9  # of the last change of the potential, kT/e

EPSILON0, FARADAY, GAS = 8.8541878188e-12, 96485.33212, 8.314462618
UNIT = GAS * TEMPERATURE / FARADAY * 1e3  # mV
KAPPA = FARADAY**2 * 1e-18 / (EPSILON0 * GAS * TEMPERATURE)  # 1/(mM nm2)
PER_FLUX = FARADAY * 1e-6  # pA for 1 mM nm3/ns


def nodes(size: int) -> np.ndarray:
    """Equally spaced nodes [nm], one at each end of a segment; (size - 1) is a multiple of three."""
    return np.linspace(0.0, sum(LENGTHS), size)


def fixed(x: np.ndarray) -> np.ndarray:
    """Fixed charge of the volume of each node, divided by it [mM]: half on the borders of the middle segment."""
    inside = lambda at: ((at > LENGTHS[0]) & (at < LENGTHS[0] + LENGTHS[1])).astype(float)
    h = x[1] - x[0]
    return FIXED * 0.5 * (inside(x - h / 4) + inside(x + h / 4))


@cache
def truth() -> np.ndarray:
    """Currents [pA] per nm2 without an error of the mesh: extrapolated from banded Newton on 2001 and 4001 nodes."""
    stored = Path(__file__).with_name("results") / "pnp_iv_truth.json"
    if stored.exists():
        return np.asarray(json.loads(stored.read_text())["current_pA"])
    from _pnp_iv_peers import banded_currents

    coarse, fine = (banded_currents(size) for size in (3001, 6001))
    exact = (4.0 * fine - coarse) / 3.0
    stored.write_text(json.dumps({"current_pA": exact.tolist()}) + "\n")
    return exact


def error(currents: np.ndarray) -> float:
    """The largest error of an I-V curve relative to its largest current."""
    return float(np.max(np.abs(np.asarray(currents) - truth())) / np.max(np.abs(truth())))
