"""ionBench's problems as plain arrays, with jaxmem's model of each: data, bounds, thresholds and seeded
starts.

ionBench (github.com/CardiacModelling/ionBench) poses synthetic fitting problems with Myokit models.
Each starts at the steady state at -80 mV and samples the current every 0.5 ms; a sample at a jump has the new
voltage.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


def package():
    """The installed ionbench, which a script named ionbench.py in this folder would otherwise hide."""
    here = str(Path(__file__).resolve().parent)
    kept = sys.path[:]
    sys.path[:] = [folder for folder in kept if str(Path(folder or ".").resolve()) != here]
    try:
        import ionbench
    finally:
        sys.path[:] = kept
    return ionbench


@contextlib.contextmanager
def _quiet():
    """No print, and the log handlers that the C compiler's wrapper installs taken away again."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with contextlib.redirect_stdout(io.StringIO()):
        yield
    root.handlers[:] = handlers
    root.setLevel(level)


@dataclass(frozen=True)
class Published:
    """Milliseconds of a plain and of a sensitivity solve, and the lowest expected run time (function
    evaluations).
    """

    cost_solve: float
    gradient_solve: float
    best: float

    @property
    def weight(self) -> float:
        """Plain solves that one solve with sensitivities counts for: the ratio of their published times."""
        return self.gradient_solve / self.cost_solve


@dataclass(frozen=True)
class Problem:
    """One fitting problem.

    `truth`, `lower`, `upper` (parameters,); `logged`: ionBench marks it for a search by logarithm; `rates`:
    index of a factor, of its slope, and |V| [mV] where the rate factor exp(slope |V|) is largest;
    `rate_limits` [1/ms]; solved when the root mean square of the residuals is below `threshold`;
    `model(theta)` is jaxmem's.
    """

    name: str
    truth: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    logged: np.ndarray
    rates: tuple[tuple[int, int | None, float], ...]
    rate_limits: tuple[float, float]
    threshold: float
    t: np.ndarray
    data: np.ndarray
    starts: np.ndarray
    model: Callable
    command: Callable
    published: Published
    exact: Callable[[], np.ndarray]
    """Myokit's noise-free current at the true parameters, at a tolerance of 1e-10."""

    def free(self):
        """The parameters as jaxmem's fit takes them."""
        from jaxmem.fit import Free, Parameter, RateLimit

        lower, upper = self.lower.copy(), self.upper.copy()
        for k, slope, _ in self.rates:
            if slope is None:
                lower[k], upper[k] = self.rate_limits
        columns = zip(lower, upper, self.logged, strict=True)
        parameters = tuple(Parameter(f"p{k + 1}", "", *ends) for k, ends in enumerate(columns))
        limits = tuple(
            RateLimit(k, slope, v, *self.rate_limits) for k, slope, v in self.rates if slope is not None
        )
        return Free(parameters, lambda model, values: self.model(values), limits)


def _pieces(events, ramps: dict[float, tuple[float, float]]):
    """The jaxmem command of a Myokit protocol whose steps that start at a key of `ramps` are ramps."""
    from jaxmem import protocols

    def piece(start, level, duration):
        return protocols.ramp(*ramps[start], duration) if start in ramps else protocols.step(level, duration)

    return protocols.joined([piece(*event) for event in events])


def _herg(p):
    import jaxmem as jm

    law, gate = jm.rates.Exponential, jm.gating.Gate
    gates = (gate(law(p[0], p[1]), law(p[2], -p[3])), gate(law(p[6], -p[7]), law(p[4], p[5])))
    return jm.channel.Channel(
        jm.gating.HodgkinHuxley(gates, (1, 1)), jm.permeation.Ohmic(p[8], reversal=-85.0)
    )


def _fink(p):
    from _jaxmem_sine_wave import markov

    return markov(p)


def _courtemanche(p):
    import jax.numpy as jnp

    import jaxmem as jm

    class Sum(jm.rates.AbstractRate):
        """factor (first + second)."""

        first: jm.rates.AbstractRate
        second: jm.rates.AbstractRate
        factor: object

        def __call__(self, v, bath):
            return self.factor * (self.first(v, bath) + self.second(v, bath))

    rise, fall = jm.rates.Linoid(p[0] * p[2], -p[1], p[2]), jm.rates.Linoid(7.3898e-5 * p[4], p[3], -p[4])
    gate = jm.gating.Relaxation(jm.gating.Sigmoid(-p[6], p[7]), Sum(rise, fall, p[5]))
    rectifier = jm.gating.Instantaneous(jm.gating.Sigmoid(-p[8], -p[9]))
    reversal = 8314.472 * 295.0 / 9.6485e4 * jnp.log(5.0 / p[11])
    gating = jm.gating.HodgkinHuxley((gate,), (1,), rectifier)
    return jm.channel.Channel(gating, jm.permeation.Ohmic(p[10], reversal=reversal))


_STAIRCASE_RAMPS = {300.0: (-120.0, -80.0), 14410.0: (-70.0, -110.0)}
_HH_RATES = ((0, 1, 60.0), (2, 3, 120.0), (4, 5, 60.0), (6, 7, 120.0))
_MM_RATES = (
    *((0, 1, 60.0), (2, None, 0.0), (3, 4, 60.0), (5, 6, 60.0)),
    *((7, 8, 120.0), (9, None, 0.0), (10, 11, 120.0), (12, 13, 120.0)),
)
NAMES = ("staircase.HH", "staircase.MM", "loewe2016.IKr")


def load(name: str, starts: int, seed: int = 0) -> Problem:
    """One of `NAMES` from the installed ionbench; `starts` parameter sets come from its sampler after
    numpy's `seed`.
    """
    problems = package().problems
    maker, model, ramps, rates, published = {
        "staircase.HH": (
            problems.staircase.HH,
            _herg,
            _STAIRCASE_RAMPS,
            _HH_RATES,
            Published(6.1, 54.0, 550.0),
        ),
        "staircase.MM": (
            problems.staircase.MM,
            _fink,
            _STAIRCASE_RAMPS,
            _MM_RATES,
            Published(8.1, 108.0, 25_000.0),
        ),
        "loewe2016.IKr": (problems.loewe2016.IKr, _courtemanche, {}, (), Published(5.8, 60.0, 900.0)),
    }[name]
    with _quiet():
        bench = maker()
    np.random.seed(seed)  # noqa: NPY002 (ionBench samples from numpy's global generator)
    drawn = np.array([bench.sample() for _ in range(starts)])
    events = [(float(e.start()), float(e.level()), float(e.duration())) for e in bench.protocol()]
    t = np.arange(0, bench.T_MAX, bench.TIMESTEP)

    def exact() -> np.ndarray:
        import myokit

        bench.set_params(bench._TRUE_PARAMETERS)
        bench.set_steady_state(bench._TRUE_PARAMETERS)
        if isinstance(bench.sim, myokit.Simulation):
            bench.sim.set_tolerance(1e-10, 1e-10)
        return np.asarray(bench.solve_model(t, continueOnError=False))

    truth, lower, upper = (
        np.array(x) for x in (bench._TRUE_PARAMETERS, bench._LOWER_BOUND, bench._UPPER_BOUND)
    )
    return Problem(
        name=name,
        truth=truth,
        lower=lower,
        upper=upper,
        logged=np.array(bench.STANDARD_LOG_TRANSFORM),
        rates=rates,
        rate_limits=(bench.RATE_MIN, bench.RATE_MAX),
        threshold=bench.COST_THRESHOLD,
        t=t,
        data=np.array(bench.DATA),
        starts=drawn,
        model=model,
        command=lambda: _pieces(events, ramps),
        published=published,
        exact=exact,
    )
