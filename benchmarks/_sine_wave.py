"""The work of the sine-wave benchmarks: the command, two channels as lists of rates, and their exact
currents.

Both channels are linear in their states, dy/dt = A(V) y + b(V), with rates k exp(s V). This file knows
nothing of jaxmem: its reference integrates the equations and their sensitivities with LSODA at a relative
tolerance of 1e-12.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.integrate import solve_ivp

DT = 0.1
"""Sampling interval [ms]."""
STEPS = (
    (250, -80),
    (50, -120),
    (200, -80),
    (1000, 40),
    (500, -120),
    (1000, -80),
    (3500, None),
    (500, -120),
    (1000, -80),
)
"""Duration [ms] and level [mV] of each piece; None is the sum of sines."""
SINES = ((54.0, 0.007), (26.0, 0.037), (10.0, 0.190))
"""Amplitude [mV] and angular frequency [1/ms] of each sine, around -30 mV, measured from 2500 ms."""
EDGES = np.concatenate([[0.0], np.cumsum([duration for duration, _ in STEPS])]).astype(float)
HOLDING = -80.0


def times(stop: float = 8000.0) -> np.ndarray:
    """Sample times [ms]; 80 000 of them for the whole command."""
    return np.arange(round(stop / DT)) * DT


def sines(t, xp=np):
    """The sum of sines [mV] at `t` [ms], whatever piece `t` lies in."""
    return -30.0 + sum(a * xp.sin(w * (t - 2500.0)) for a, w in SINES)


def voltage(t, xp=np):
    """Command [mV] at `t` [ms]; at a jump the new value."""
    v = xp.full_like(t, STEPS[-1][1])
    for k in reversed(range(len(STEPS))):
        level = STEPS[k][1]
        v = xp.where(t < EDGES[k + 1], sines(t, xp) if level is None else float(level), v)
    return v


@dataclass(frozen=True)
class Kinetics:
    """dy/dt = sum_j r_j(V) (M_j y + B_j), r_j = theta[k_j] exp(sign_j theta[s_j] V); current = gain g
    read(y) (V - E).
    """

    name: str
    theta: np.ndarray
    rates: tuple[tuple[int, int | None, float], ...]
    M: np.ndarray
    B: np.ndarray
    read: Callable
    slope: Callable
    reversal: float
    gain: float
    conserved: bool

    def rate(self, theta, v, xp=np) -> list:
        """Every r_j(V) [1/ms], each of the shape of `v`."""
        return [
            theta[k] * (xp.exp(sign * theta[s] * v) if s is not None else xp.ones_like(v))
            for k, s, sign in self.rates
        ]

    def start(self, v: float) -> tuple[np.ndarray, np.ndarray]:
        """Steady state at `v` and its derivative to each kinetic parameter, (states, parameters)."""
        a, b, da, db = self.matrices(v)
        if self.conserved:
            a[-1], b[-1] = 1.0, -1.0
            da[:, -1], db[:, -1] = 0.0, 0.0
        y = np.linalg.solve(a, -b)
        return y, np.linalg.solve(a, -(np.einsum("kij,j->ki", da, y) + db).T)

    def matrices(self, v: float):
        """A, b and their derivatives to each kinetic parameter at one potential."""
        r = np.array(self.rate(self.theta, np.asarray(v)))
        kinetic = len(self.theta) - 1
        dr = np.zeros((kinetic, len(r)))
        for j, (k, s, sign) in enumerate(self.rates):
            dr[k, j] = r[j] / self.theta[k]
            if s is not None:
                dr[s, j] = sign * v * r[j]
        return np.tensordot(r, self.M, 1), r @ self.B, np.tensordot(dr, self.M, 1), dr @ self.B

    def reference(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Current at `t` and its Jacobian to every parameter, (samples,) and (samples, parameters); kept in
        a cache.
        """
        key = hashlib.sha256(
            repr((self.name, self.theta.tolist(), len(t), Path(__file__).read_text())).encode()
        )
        kept = Path(tempfile.gettempdir()) / f"jaxmem-benchmark-{key.hexdigest()[:16]}.npz"
        if not kept.exists():
            np.savez(kept, **dict(zip(("current", "jacobian"), self._integrate(t), strict=True)))
        with np.load(kept) as saved:
            return saved["current"], saved["jacobian"]

    def _integrate(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        y, s = self.start(HOLDING)
        n, kinetic = s.shape
        whole = np.concatenate([y, s.T.ravel()])
        parts = []
        for k, (_, level) in enumerate(STEPS):
            inside = t[(t >= EDGES[k]) & (t < EDGES[k + 1])]
            if not len(inside):
                break

            def right(now, z, level=level):
                a, b, da, db = self.matrices(sines(now) if level is None else level)
                columns = z[n:].reshape(kinetic, n)
                return np.concatenate(
                    [a @ z[:n] + b, (columns @ a.T + np.einsum("kij,j->ki", da, z[:n]) + db).ravel()]
                )

            def jacobian(now, z, level=level):
                a, _, da, _ = self.matrices(sines(now) if level is None else level)
                full = np.kron(np.eye(kinetic + 1), a)
                full[n:, :n] = da.reshape(-1, n)
                return full

            span = (EDGES[k], EDGES[k + 1])
            at = np.append(inside, span[1])
            solved = solve_ivp(right, span, whole, "LSODA", at, jac=jacobian, rtol=1e-12, atol=1e-14)
            parts.append(solved.y[:, :-1])
            whole = solved.y[:, -1]
        states = np.concatenate(parts, axis=1)
        y, columns = states[:n], states[n:].reshape(kinetic, n, -1)
        drive = self.gain * (voltage(t) - self.reversal)
        g = self.theta[-1]
        to_kinetic = g * drive * np.einsum("is,kis->ks", self.slope(y), columns)
        return g * self.read(y) * drive, np.concatenate([to_kinetic, (self.read(y) * drive)[None]]).T


def _edge(source: int, target: int, n: int) -> np.ndarray:
    m = np.zeros((n, n))
    m[source, source], m[target, source] = -1.0, 1.0
    return m


_A, _R = np.diag([-1.0, 0.0]), np.diag([0.0, -1.0])

HERG = Kinetics(
    "hERG, two gates (Beattie et al. 2018), cell 5; pA, nS",
    np.array([2.2609e-4, 0.069920, 3.4495e-5, 0.054612, 0.087329, 8.9313e-3, 5.1493e-3, 0.031561, 152.427]),
    ((0, 1, 1.0), (2, 3, -1.0), (4, 5, 1.0), (6, 7, -1.0)),
    np.array([_A, _A, _R, _R]),
    np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 1.0]]),
    lambda y: y[0] * y[1],
    lambda y: np.stack([y[1], y[0]]),
    8.314 * (273.15 + 21.4) / 96485.0 * 1e3 * float(np.log(4.0 / 130.0)),
    1.0,
    False,
)

MARKOV = Kinetics(
    "IKr, five states C1-C2-C3-O-I (Fink et al. 2008), ionBench's parameters; uA/uF, mS/uF",
    np.array(
        [
            *(0.20618, 0.0112, 0.04209, 0.02202, 0.0365, 0.41811, 0.0223, 0.13279),
            *(0.0603, 0.08094, 0.0002262, 0.0399, 0.04150, 0.0312, 0.024),
        ]
    ),
    (
        (0, 1, 1.0),
        (2, None, 1.0),
        (3, 4, 1.0),
        (5, 6, 1.0),
        (7, 8, -1.0),
        (9, None, 1.0),
        (10, 11, -1.0),
        (12, 13, -1.0),
    ),
    np.array([_edge(*pair, 5) for pair in ((0, 1), (1, 2), (2, 3), (3, 4), (1, 0), (2, 1), (3, 2), (4, 3))]),
    np.zeros((8, 5)),
    lambda y: y[3],
    lambda y: np.stack([0 * y[0], 0 * y[0], 0 * y[0], 1 + 0 * y[0], 0 * y[0]]),
    8314.472 * 310.0 / 9.64853415e4 * float(np.log(5.4 / 141.0167)),
    310.0 / 35.0 - 55.0 / 7.0,
    True,
)


def recording(kinetics: Kinetics, t: np.ndarray, current: np.ndarray) -> np.ndarray:
    """A made-up record for the sum of squares: 0.9 of the true current and 5 % of slow wave."""
    return 0.9 * current + 0.05 * np.max(np.abs(current)) * np.sin(0.003 * t)


def errors(kinetics: Kinetics, t: np.ndarray, current=None, gradient=None, jacobian=None) -> dict[str, float]:
    """Largest error of `current` over its peak; of `gradient` and `jacobian` by relative parameter, over
    their largest.
    """
    exact, exact_jacobian = kinetics.reference(t)
    theta, found = kinetics.theta, {}
    if current is not None:
        found["current"] = float(np.max(np.abs(np.asarray(current) - exact)) / np.max(np.abs(exact)))
    if gradient is not None:
        truth = 2 * exact_jacobian.T @ (exact - recording(kinetics, t, exact)) * theta
        found["gradient"] = float(
            np.max(np.abs(np.asarray(gradient) * theta - truth)) / np.max(np.abs(truth))
        )
    if jacobian is not None:
        truth = exact_jacobian * theta
        found["jacobian"] = float(
            np.max(np.abs(np.asarray(jacobian) * theta - truth)) / np.max(np.abs(truth))
        )
    return found


def parameter_sets(kinetics: Kinetics, n: int) -> np.ndarray:
    """`n` parameter sets (n, parameters), each parameter within 10 % of its value, always the same; the
    first is exact.
    """
    factors = np.exp(np.random.default_rng(0).uniform(-0.1, 0.1, (n, len(kinetics.theta))))
    factors[0] = 1.0
    return factors * kinetics.theta
