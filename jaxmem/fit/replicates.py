"""Whether error bars can be trusted: the fit of many simulated data sets, of which the truth is known."""

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..results import InputError
from .experiment import Experiment
from .multistart import Executor, Run, default_executor
from .parameters import Free
from .problem import Problem, make_problem
from .result import Fit, errors_at
from .store import Store
from .trust_region import Ending, TrustRegion
from .uncertainty import intervals


@dataclasses.dataclass(frozen=True)
class Replicates:
    """Fits of simulated data, one row each, and how often their intervals hold the truth.

    **Arguments**

    - `free`, `truth`: the parameters, and the values that the data are simulated from.
    - `values`, `standard_errors`: of each fit, physical, NaN where it failed.
    - `intervals`: of each fit at `level`, as `Fit.interval`.
    - `losses`: root mean square of the residuals, each divided by its sigma; `endings`: codes of `Ending`.
    """

    free: Free
    truth: Float[np.ndarray, " p"]
    values: Float[np.ndarray, "replicates p"]
    standard_errors: Float[np.ndarray, "replicates p"]
    intervals: Float[np.ndarray, "replicates p 2"]
    level: float
    losses: Float[np.ndarray, " replicates"]
    endings: Int[np.ndarray, " replicates"]

    @property
    def coverage(self) -> Float[np.ndarray, " p"]:
        """The fraction of the intervals that hold the truth; it should be `level`.

        Of the intervals that are stated: a parameter on a bound has none, see `stated`. With n of them its own standard
        error is sqrt(level (1 - level)/n), 0.015 for 200 intervals of 95 %.
        """
        inside = (self.intervals[..., 0] <= self.truth) & (self.truth <= self.intervals[..., 1])
        count = np.sum(self._has, 0)
        return np.where(count > 0, np.sum(inside & self._has, 0) / np.maximum(count, 1), np.nan)

    @property
    def stated(self) -> Float[np.ndarray, " p"]:
        """The fraction of the fits that state an interval."""
        return np.mean(self._has, 0)

    @property
    def spread(self) -> Float[np.ndarray, " p"]:
        """Standard deviation of the fitted values, to be compared with their standard errors."""
        return np.nanstd(self.values, 0, ddof=1)

    @property
    def bias(self) -> Float[np.ndarray, " p"]:
        """Mean of the fitted values less the truth."""
        return np.nanmean(self.values, 0) - self.truth

    @property
    def _has(self) -> np.ndarray:
        return np.logical_not(np.isnan(self.intervals).any(-1))

    def __str__(self) -> str:
        """A table with a row for each parameter."""
        header = ("parameter", "unit", "truth", "mean", "spread", "median standard error", f"{self.level:.4g} covered")
        rows = [header]
        errors = np.nanmedian(self.standard_errors, 0)
        for k, p in enumerate(self.free.parameters):
            numbers = (self.truth[k], self.truth[k] + self.bias[k], self.spread[k], errors[k])
            rows.append((p.name, p.unit, *(f"{x:.4g}" for x in numbers), f"{self.coverage[k]:.3g}"))
        widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        ended = ", ".join(f"{int(np.sum(self.endings == e))} {e.name}" for e in Ending if np.any(self.endings == e))
        return "\n".join([*lines, "", f"{len(self.values)} replicates ({ended})"])


def replicates(
    experiments: Experiment | Sequence[Experiment],
    truth: Any,
    free: Free | None = None,
    *,
    key: Any,
    count: int = 200,
    noise: float | None = None,
    level: float = 0.95,
    method: TrustRegion | None = None,
    executor: Executor | None = None,
    progress: Callable[[int, int, float], None] | None = None,
) -> Replicates:
    """Fits of data simulated from a model or a fit: do its intervals hold the truth as often as they say?

    A parametric bootstrap. The experiments give the conditions and sigma; their data are replaced by what the model
    predicts, with independent Gaussian noise, and every replicate is fitted from the true values. So it tells whether
    the linear error bars are right for this amount of data, and whether the parameters are determined, not whether a
    search finds them from afar, nor whether the model is right. A replicate depends on the key and its number alone.

    **Arguments**

    - `experiments`: those of the fit, or those that are planned.
    - `truth`: a `Fit`, or a model with the parameters `free`, of which it must hold the values (`Free.read`).
    - `key`: a random key. `count`: number of replicates.
    - `noise`: its standard deviation over each sigma; by default that of the residuals of a fit, 1 for a model.
    - `level`: of the intervals. `method`: tolerances. `executor`: `Threads(...)` or `Chunks(...)`.
    - `progress`: as in `least_squares`.

    **Raises** `InputError` for bad arguments, a truth outside its bounds, predictions that are not finite, or float32.
    **Source** B. Efron, R. J. Tibshirani, An Introduction to the Bootstrap (1993), section 6.5.
    """
    problem, values = _problem(experiments, truth, free)
    if count < 2 or not 0.0 < level < 1.0:
        raise InputError(f"`count` must be at least 2 and `level` between 0 and 1, but are {count} and {level:g}.")
    if noise is None:
        noise = _residual(truth, problem) if isinstance(truth, Fit) else 1.0
    if not (math.isfinite(noise) and noise > 0):
        raise InputError(f"Argument `noise` must be a positive multiple of sigma, but is {noise:g}.")
    data, method = _simulate(problem, key, count, noise), method or TrustRegion()
    start = np.clip(problem.free.to_search(values), *problem.free.box)
    run = Run(problem, method, lambda lane: start, count, None, Store(None, ""), progress, data)
    (executor or default_executor()).run(run)
    lanes = [run.lanes[n] for n in range(count)]
    fitted = np.full((count, len(values)), np.nan)
    errors, freedom = fitted.copy(), np.zeros(count)
    for n, lane in enumerate(lanes):
        if math.isfinite(lane.loss):
            fitted[n], _, found = errors_at(run.problem_of(n), lane.x)
            errors[n], freedom[n] = np.sqrt(np.diag(found.covariance)), found.degrees_of_freedom
    log = np.array([p.log for p in problem.free.parameters])
    return Replicates(
        problem.free, values, fitted, errors, intervals(fitted, errors, freedom, log, level), level,
        np.array([run.rms(n) for n in range(count)]), np.array([int(lane.ending) for lane in lanes]),
    )  # fmt: skip


def _problem(experiments: Any, truth: Any, free: Free | None) -> tuple[Problem, Float[np.ndarray, " p"]]:
    """The problem, whose model is the truth, and the true values."""
    if isinstance(truth, Fit):
        if free is not None:
            raise InputError("A Fit brings its own free parameters; leave `free` out, or give a model.")
        return make_problem(experiments, truth.model, truth.free), truth.values
    if free is None or free.read is None:
        raise InputError(
            "Replicates of a model need its free parameters and their values in it: give `free` from jm.fit.free(...), "
            "or a Free with `read`."
        )
    problem = make_problem(experiments, truth, free)
    values = np.array([float(x) for x in free.read(truth)])
    for p, value in zip(problem.free.parameters, values, strict=True):
        if not p.lower <= value <= p.upper:
            raise InputError(
                f"{p.name}: the truth {value:g} must lie in the bounds [{p.lower:g}, {p.upper:g}]; widen them."
            )
    return problem, values


def _residual(found: Fit, problem: Problem) -> float:
    """Standard deviation of a fit's residuals over sigma."""
    count = problem.count
    return float(np.nanmin(found.losses)) * math.sqrt(count / max(count - len(found.values), 1))


def _simulate(
    problem: Problem, key: Any, count: int, noise: float
) -> tuple[Float[np.ndarray, "count traces samples"], ...]:
    """Predictions with noise, for each experiment."""
    keys = jax.vmap(lambda n: jax.random.fold_in(key, n))(jnp.arange(count))
    data = []
    for k, experiment in enumerate(problem.experiments):
        clean = experiment.predict(problem.model)
        used = np.asarray(experiment.mask)
        if not np.isfinite(np.asarray(clean)[used]).all():
            raise InputError(f"{experiment.name}: the model's prediction is not finite; correct the model or the bath.")
        draw = lambda lane, k=k, shape=clean.shape: jax.random.normal(jax.random.fold_in(lane, k), shape)
        scale = noise * jnp.broadcast_to(experiment.sigma, clean.shape)
        data.append(np.asarray(clean[None] + scale[None] * jax.vmap(draw)(keys)))
    return tuple(data)
