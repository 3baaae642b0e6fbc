"""Linearized Poisson-Nernst-Planck in closed form: sums over the modes of a salt."""

import dataclasses
import functools

import numpy as np

MODES = 4096


@dataclasses.dataclass(frozen=True)
class Charging:
    """Two blocking electrodes after a small step of the potential, equal diffusivities D, times in lambda L/D.

    The charge is the inverse Laplace transform of k^3/(s (kappa^2 tanh(k L) + s L k/D)), k^2 = kappa^2 + s/D, relative
    to its last value: 1 plus a residue for each of the rates s, where tanh(k L)/(k L) = -s/(D kappa^2). For all of
    them but the slowest k is imaginary, k L = i y with tan(y)/y = 1 + (y/(kappa L))^2.

    **Arguments:** `gap`: half of the distance of the electrodes, in Debye lengths.
    **Source:** Bazant, Thornton & Ajdari, Phys. Rev. E 70, 021506 (2004).
    """

    gap: float

    @property
    def first(self) -> float:
        """The charge right after the step, over the last."""
        return np.tanh(self.gap) / self.gap

    @functools.cached_property
    def waves(self) -> np.ndarray:
        """(k L)^2 of all modes, of which the first may be positive."""
        g, n = self.gap, np.arange(1.0, MODES)
        low, high = n * np.pi, (n + 0.5) * np.pi
        # sin(y) - y (1 + (y/g)^2) cos(y) changes sign once between a multiple of pi and the pole of the tangent.
        f = lambda y: (np.sin(y) - y * (1.0 + (y / g) ** 2) * np.cos(y)) * np.cos(n * np.pi)
        imaginary = _between(f, low, high)
        one = np.ones(1)
        if g * g > 3.0:
            real = _between(lambda y: y * y / (g * g) - 1.0 + np.tanh(y) / y, 1e-4 * one, g * one)
            return np.concatenate([real**2, -(imaginary**2)])
        first = _between(lambda y: np.sin(y) - y * (1.0 + (y / g) ** 2) * np.cos(y), 1e-4 * one, 0.5 * np.pi * one)
        return -(np.concatenate([first, imaginary]) ** 2)

    @property
    def rates(self) -> np.ndarray:
        """Decay of all modes, the slowest first [D/(lambda L)]."""
        return (self.gap**2 - self.waves) / self.gap

    @property
    def slowest(self) -> float:
        """The time of the slowest mode [lambda L/D]."""
        return float(1.0 / self.rates[0])

    def charge(self, t: float) -> float:
        """The charge at a time [lambda L/D] over the last."""
        g, w = self.gap, self.waves
        s = w - g * g  # [D/L^2]
        y = np.sqrt(np.abs(w))
        tangent = np.where(w > 0, np.tanh(np.where(w > 0, y, 0.0)), np.tan(y))
        # sech^2 of a real k, sec^2 of an imaginary one: 1 - tangent^2 and 1 + tangent^2.
        squared = 1.0 - np.sign(w) * tangent**2
        slope = g * g * squared / 2.0 + w + s / 2.0
        residue = w * w / (s * slope) * np.tanh(g) / g
        return float(1.0 + np.sum(residue * np.exp(s * t / g)))


def modes(d: np.ndarray, k: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Decay [1/ns] of the two modes of a 1:1 salt at a wave number k [1/nm], the slow one first; and their shapes.

    d(c+, c-)/dt = -M (c+, c-), M = [[D+ (k^2 + K/2), -D+ K/2], [-D- K/2, D- (k^2 + K/2)]], K = 1/scale^2.

    **Arguments:** `d`: diffusivities [nm2/ns]; `scale`: the Debye length [nm].
    """
    half = 0.5 / scale**2
    matrix = np.asarray([[d[0] * (k * k + half), -d[0] * half], [-d[1] * half, d[1] * (k * k + half)]])
    rates, shapes = np.linalg.eig(matrix)
    order = np.argsort(rates)
    return rates[order], shapes[:, order]


@dataclasses.dataclass(frozen=True)
class Step:
    """A step of the concentration in the middle of a closed cell, linearized about the mean.

    **Arguments:** `d` [nm2/ns]; `scale`: Debye length of the mean; `half`: of the cell; `probe`: distance of the two
    places between which the potential is read, from the middle [nm].
    """

    d: np.ndarray
    scale: float
    half: float
    probe: float

    def rise(self, t: float) -> float:
        """The potential at the right less that at the left [kT/e] for a step of the mean concentration, at t [ns]."""
        m = np.arange(20_000)
        k = (2 * m + 1) * np.pi / (2.0 * self.half)
        size = 2.0 / ((2 * m + 1) * np.pi)  # of sin(k x) in a step from -1/2 to 1/2
        half = 0.5 / self.scale**2
        a, b = self.d[0] * (k * k + half), -self.d[0] * half
        c, d = -self.d[1] * half, self.d[1] * (k * k + half)
        # Both ions begin alike: e^(-M t) (1, 1), by the two eigenvalues; only the charge, c+ - c-, is needed.
        middle, apart = 0.5 * (a + d), np.sqrt(0.25 * (a - d) ** 2 + b * c)
        slow = (a * d - b * c) / (middle + apart)
        # (M (1, 1))_+ - (M (1, 1))_- = a + b - c - d; e^(-M t) is linear in M, with this factor.
        factor = -(np.exp(-slow * t) - np.exp(-(middle + apart) * t)) / (2.0 * apart)
        charge = size * factor * (a + b - c - d)
        # -phi'' = (c+ - c-)/(2 scale^2) for concentrations relative to the mean.
        return float(np.sum(charge / (2.0 * self.scale**2 * k * k) * 2.0 * np.sin(k * self.probe)))


def _between(f, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Where f is zero, by bisection; its sign at `low` is that just above."""
    sign = np.sign(f(low + 1e-9 * (high - low)))
    for _ in range(100):
        middle = 0.5 * (low + high)
        same = np.sign(f(middle)) == sign
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return 0.5 * (low + high)
