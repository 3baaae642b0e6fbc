"""The potassium conductance of the squid axon, as Table 1 describes it: 11 depolarizations, curves A to K.

The table gives alpha_n and beta_n of each curve; with n_inf = alpha/(alpha + beta) and tau = 1/(alpha + beta)
the conductance is g(t) = 24.31 (n_inf - (n_inf - n0) exp(-t/tau))^4 mS/cm2 (eq. 11). Every curve starts at
the resting conductance of 0.24 mS/cm2, which is n0 = (0.24/24.31)^(1/4) = 0.315. No curve of the figures is
digitized here.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ..results import InputError
from ..units import celsius

if TYPE_CHECKING:
    from ..channel import Channel
    from ..fit import Free
    from ..modelfile import ModelFile
    from ..recordings import Recording

LICENCE = "published facts (numbers of a table)"
CITATION = (
    "Hodgkin AL, Huxley AF. A quantitative description of membrane current and its application to conduction and "
    "excitation in nerve. J Physiol 117:500-544 (1952), doi:10.1113/jphysiol.1952.sp004764"
)
G_MAX = 24.31  # mS/cm2
G_REST = 0.24  # mS/cm2


@dataclass(frozen=True)
class Curve:
    """One row of Table 1: depolarization from rest [mV], rates [1/ms] (NaN where the source gives none)."""

    name: str
    depolarization: float
    alpha: float
    beta: float

    @property
    def n_inf(self) -> float:
        """Steady gate, alpha/(alpha + beta)."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def plateau(self) -> float:
        """Steady conductance [mS/cm2], 24.31 n_inf^4."""
        return G_MAX * self.n_inf**4

    def conductance(self, t: Float[np.ndarray, " samples"]) -> Float[np.ndarray, " samples"]:
        """Conductance [mS/cm2] at a time t [ms] after the step from rest; the resting one before."""
        n0 = (G_REST / G_MAX) ** 0.25
        n = self.n_inf - (self.n_inf - n0) * np.exp(-(self.alpha + self.beta) * np.maximum(t, 0.0))
        return G_MAX * n**4


@cache
def table() -> tuple[Curve, ...]:
    """Table 1 of the paper, curves A to L in the order of falling depolarization."""
    with (Path(__file__).parent / "hodgkin_huxley_1952.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return tuple(
            Curve(
                row["curve"],
                float(row["depolarization_mV"]),
                float(row["alpha_n_per_ms"] or "nan"),
                float(row["beta_n_per_ms"] or "nan"),
            )
            for row in rows
        )


def curves() -> tuple[Curve, ...]:
    """The curves whose rates are known, A to K."""
    return tuple(curve for curve in table() if math.isfinite(curve.alpha))


def load(scaled: bool = True, duration: float = 12.0, dt: float = 0.05) -> Recording:
    """The conductance curves, one sweep each: a step from rest (0 mV, the paper's displacement) at t = 0.

    **Arguments:** `scaled`: each curve over its own plateau, as numbers up to 1; else [mS/cm2]. `duration`
    [ms], as long as in the paper's figure by default; `dt` [ms].
    **Raises:** `InputError` unless 0 < dt <= duration.
    """
    from ..recordings import Recording

    if not 0 < dt <= duration < math.inf:
        raise InputError(f"Options must satisfy 0 < dt <= duration, but dt is {dt} and duration {duration} ms.")
    # One sample before the step, at rest, so that the command holds the resting potential; it is not used.
    t = dt * np.arange(-1, round(duration / dt) + 1)
    known = curves()
    return Recording(
        t,
        np.stack([c.conductance(t) / (c.plateau if scaled else 1.0) for c in known]),
        np.stack([np.where(t < 0, 0.0, c.depolarization) for c in known]),
        t >= 0,
        name="hodgkin_huxley_1952 potassium conductance",
        unit="1" if scaled else "mS/cm2",
        temperature=temperature(),
    )


def sigma(scaled: bool = True, duration: float = 12.0, dt: float = 0.05) -> np.ndarray:
    """What each sweep's residuals are divided by, shape (sweeps, 1): its plateau, so that every curve counts
    alike."""
    return np.array([[1.0 if scaled else curve.plateau] for curve in curves()])


def temperature(scaled: bool = True, duration: float = 12.0, dt: float = 0.05) -> float:
    """Temperature [K] that the published laws refer to."""
    return celsius(6.3)


def model(scaled: bool = True, duration: float = 12.0, dt: float = 0.05) -> Channel:
    """The conductance with the published laws and the table's normalization, 24.31 mS/cm2, scaled as the
    curves are."""
    from ..library import hodgkin_huxley_1952

    return hodgkin_huxley_1952.potassium_conductance(scaled=scaled)


def free(scaled: bool = True, duration: float = 12.0, dt: float = 0.05, *, conductance: bool = False) -> Free:
    """The five parameters of alpha_n and beta_n; with `conductance` also g, of which scaled curves say
    nothing."""
    from ..library import hodgkin_huxley_1952

    return hodgkin_huxley_1952.free(conductance=conductance)


def file(scaled: bool = True, duration: float = 12.0, dt: float = 0.05) -> ModelFile:
    """The potassium channel as a model file with the names of `free`; its signal is the conductance
    [mS/cm2]."""
    from ..modelfile import load as load_model

    return load_model(Path(__file__).parent / "hodgkin_huxley_1952.toml")


def rms_of_rates(alpha, beta) -> tuple[float, float]:
    """Root mean square difference [1/ms] of two rate laws from the table, over curves A to K.

    **Arguments:** `alpha`, `beta`: functions of the displacement from rest [mV], of arrays. The published
    laws differ by 0.031 and 0.0126.
    """
    known = curves()
    v = np.array([c.depolarization for c in known])
    errors = (
        np.asarray(alpha(v)) - [c.alpha for c in known],
        np.asarray(beta(v)) - [c.beta for c in known],
    )
    return tuple(float(np.sqrt(np.mean(e**2))) for e in errors)  # type: ignore[return-value]
