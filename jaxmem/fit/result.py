"""What a fit found."""

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from ..results import InputError
from .experiment import Experiment
from .multistart import Run
from .parameters import Free
from .problem import Problem, linearized_of_one, physical_of_one
from .store import read_arrays, write_arrays
from .trust_region import Ending
from .uncertainty import Combination, Linearization, Uncertainty, intervals, uncertainty


@dataclasses.dataclass(frozen=True)
class Lanes:
    """Every start of a multistart, one row each.

    **Arguments:** `start`, `values`: physical; `losses`: root mean square of the residuals, each divided by
    its sigma, NaN where a lane failed; `evaluations`, `jacobians`: how often each was computed;
    `endings`: codes of `Ending`.
    """

    start: Float[np.ndarray, "lanes p"]
    values: Float[np.ndarray, "lanes p"]
    losses: Float[np.ndarray, " lanes"]
    evaluations: Int[np.ndarray, " lanes"]
    jacobians: Int[np.ndarray, " lanes"]
    endings: Int[np.ndarray, " lanes"]

    def counts(self) -> dict[str, int]:
        """How many lanes ended in which way."""
        return {e.name: int(np.sum(self.endings == e)) for e in Ending if np.any(self.endings == e)}


@dataclasses.dataclass(frozen=True)
class Score:
    """How well one experiment is described: root mean square error in its unit, and over the range of its
    data."""

    name: str
    rmse: float
    rmse_over_range: float


@dataclasses.dataclass(frozen=True)
class Fit:
    """The best lane of a fit, its error bars, and all the lanes.

    **Arguments**

    - `model`, `free`, `values`, `start_values`: at the best lane, physical.
    - `standard_errors`: from the block sandwich, or s^2 (J^T J)^-1 where all data are independent points; NaN on a
      bound, infinite if not determined. `naive_errors`: as if samples were independent. `covariance`, `correlation`:
      those of the standard errors.
    - `correlation_time`: of the residuals [ms], the longest of the experiments; `blocks`: number of blocks
      of the sandwich, 0 where the data are independent points.
    - `degrees_of_freedom`: of the standard errors, see `interval`.
    - `lanes`: every start. `scores`: one per experiment.
    - `rmse`: over all samples, in the unit of the data; `rmse_over_range`: each residual divided by its
      experiment's range.
    - `undetermined`: combinations of parameters that the data do not determine.
    - `bounds_hit`: per parameter `""`, `"lower"`, `"upper"`, `"rate lower"` or `"rate upper"`.
    - `seconds`: for `compile` and `run`. `result`: how the best lane ended, in words.
    """

    model: Any
    free: Free
    values: Float[np.ndarray, " p"]
    start_values: Float[np.ndarray, " p"]
    standard_errors: Float[np.ndarray, " p"]
    naive_errors: Float[np.ndarray, " p"]
    covariance: Float[np.ndarray, "p p"]
    correlation: Float[np.ndarray, "p p"]
    correlation_time: float
    blocks: int
    degrees_of_freedom: float
    lanes: Lanes
    scores: tuple[Score, ...]
    rmse: float
    rmse_over_range: float
    undetermined: tuple[Combination, ...]
    bounds_hit: tuple[str, ...]
    seconds: Mapping[str, float]
    result: str

    @property
    def losses(self) -> Float[np.ndarray, " lanes"]:
        """Root mean square of each lane's residuals, each divided by its sigma."""
        return self.lanes.losses

    @property
    def fraction_within_1_percent(self) -> float:
        """The fraction of the starts whose loss is at most 1.01 times the best."""
        return float(np.mean(self.losses <= 1.01 * np.nanmin(self.losses)))

    def interval(self, level: float = 0.95) -> Float[np.ndarray, "p 2"]:
        """Lower and upper ends of intervals that hold each parameter's true value with a probability of `level`.

        As many standard errors to either side as Student's distribution with `degrees_of_freedom` says: 1.96 for many
        points, 2.23 for 10 more than parameters. A parameter that is searched as its logarithm has an interval that is
        symmetric there, value exp(-+ t error/value). NaN on a bound; infinite for what the data do not determine.
        `replicates` shows whether intervals keep what they promise.

        **Raises** `InputError` for a level that is not between 0 and 1.
        """
        if not 0.0 < level < 1.0:
            raise InputError(f"Argument `level` must be between 0 and 1, such as 0.95, but is {level:g}.")
        log = np.array([p.log for p in self.free.parameters])
        return intervals(self.values, self.standard_errors, self.degrees_of_freedom, log, level)

    @property
    def errors_from(self) -> str:
        """What the standard errors are taken from, in words."""
        if np.isnan(self.correlation_time):
            return "nothing: a plain loss has none"
        if self.blocks:
            return f"{self.blocks} blocks; correlation time of the residuals {self.correlation_time:.3g} ms"
        return f"independent points, {self.degrees_of_freedom:.4g} more than parameters"

    def __str__(self) -> str:
        """A table of the parameters, and what to know beside it."""
        header = ("parameter", "unit", "start", "fitted", "standard error", "independent", "")
        rows = [header]
        for k, p in enumerate(self.free.parameters):
            numbers = [f"{x[k]:.6g}" for x in (self.start_values, self.values)]
            errors = [f"{x[k]:.2g}" for x in (self.standard_errors, self.naive_errors)]
            at = f"at its {self.bounds_hit[k]} bound" if self.bounds_hit[k] else ""
            rows.append((p.name, p.unit, *numbers, *errors, at))
        widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
        endings = ", ".join(f"{n} {name}" for name, n in self.lanes.counts().items())
        lines += [
            "",
            f"rmse {self.rmse:.6g}, {self.rmse_over_range:.6g} of the range; "
            f"{100 * self.fraction_within_1_percent:.3g} % of {len(self.losses)} starts within 1 % of the "
            f"best ({endings})",
            f"standard errors from {self.errors_from}",
        ]
        lines += [f"not determined by the data: {combination}" for combination in self.undetermined]
        return "\n".join(lines)

    def save(self, path: str | os.PathLike) -> None:
        """Writes all but the model to one npz with a JSON text inside, without pickles; `load` reads it."""
        arrays = {name: np.asarray(getattr(self, name)) for name in _ARRAYS}
        arrays |= {f"lanes_{f.name}": getattr(self.lanes, f.name) for f in dataclasses.fields(Lanes)}
        meta = {name: getattr(self, name) for name in _PLAIN} | {
            "names": self.free.names,
            "units": [p.unit for p in self.free.parameters],
            "seconds": dict(self.seconds),
            "scores": [dataclasses.asdict(s) for s in self.scores],
            "undetermined": [dataclasses.asdict(c) for c in self.undetermined],
        }
        write_arrays(path, meta, arrays)


_ARRAYS = ("values", "start_values", "standard_errors", "naive_errors", "covariance", "correlation")
_PLAIN = ("correlation_time", "blocks", "degrees_of_freedom", "rmse", "rmse_over_range", "bounds_hit", "result")


def load(path: str | os.PathLike, model: Any, free: Free) -> Fit:
    """A fit that `Fit.save` wrote.

    **Arguments:** `model`, `free`: those of the fit; the fitted values are put into the model.
    **Raises:** `InputError` if the file is not a saved fit, or its parameters are not those of `free`.
    """
    meta, arrays = read_arrays(path)
    try:
        names = tuple(meta["names"])
        if names != free.names:
            raise InputError(f"{path}: has the parameters {', '.join(names)}, but `free` has {', '.join(free.names)}.")
        lanes = Lanes(**{f.name: arrays[f"lanes_{f.name}"] for f in dataclasses.fields(Lanes)})
        plain = {name: meta[name] for name in _PLAIN} | {"bounds_hit": tuple(meta["bounds_hit"])}
        combinations = tuple(
            Combination(tuple(c["names"]), tuple(c["weights"]), c["spread"]) for c in meta["undetermined"]
        )
        return Fit(
            model=free.place(model, jnp.asarray(arrays["values"])),
            free=free.bind(model),
            lanes=lanes,
            scores=tuple(Score(**s) for s in meta["scores"]),
            undetermined=combinations,
            seconds=meta["seconds"],
            **plain,
            **{name: arrays[name] for name in _ARRAYS},
        )
    except (KeyError, TypeError):
        raise InputError(f"{path}: is not a saved fit, or of another version.") from None


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """A prediction of data that the fit never saw.

    **Arguments:** `rmse` over the used samples, in the unit of the data; `rmse_over_range`; `prediction`
    (traces, samples).
    """

    name: str
    rmse: float
    rmse_over_range: float
    prediction: Float[np.ndarray, "traces samples"]


def held_out(fit: Fit, experiment: Experiment) -> HeldOut:
    """What the fitted model predicts for another experiment."""
    prediction = np.asarray(experiment.predict(fit.model))
    score = _score(experiment, (prediction - np.asarray(experiment.data))[np.asarray(experiment.mask)])
    return HeldOut(score.name, score.rmse, score.rmse_over_range, prediction)


def _score(experiment: Experiment, errors: np.ndarray) -> Score:
    rmse = float(np.sqrt(np.mean(errors**2)))
    width = experiment.range
    return Score(experiment.name, rmse, rmse / width if width > 0 else float("nan"))


def lanes_of(run: Run, count: int) -> Lanes:
    """The first `count` lanes of a multistart as arrays."""
    free, chosen = run.problem.free, [run.lanes[k] for k in range(count)]
    physical = jax.jit(jax.vmap(free.from_search))
    return Lanes(
        np.asarray(physical(np.stack([run.starts[k] for k in range(count)]))),
        np.asarray(physical(np.stack([lane.x for lane in chosen]))),
        np.array([run.rms(k) for k in range(count)]),
        np.array([lane.evaluations for lane in chosen]),
        np.array([lane.jacobians for lane in chosen]),
        np.array([int(lane.ending) for lane in chosen]),
    )


def errors_at(
    problem: Problem, x: Float[np.ndarray, " p"]
) -> tuple[Float[np.ndarray, " p"], list[Linearization], Uncertainty]:
    """The physical values at a minimum in search coordinates, every experiment there, and the covariances."""
    point, (lower, upper) = jnp.asarray(x), problem.free.box
    parts = []
    for experiment, columns in zip(problem.experiments, linearized_of_one(problem, point), strict=True):
        columns = np.asarray(columns)
        parts.append(
            Linearization(columns[:, :-1], columns[:, -1], np.asarray(experiment.mask), experiment.independent)
        )
    values, slopes = (np.asarray(a) for a in physical_of_one(problem, point))
    found = uncertainty(parts, slopes, values, (x > lower) & (x < upper), problem.free.names, upper - lower)
    return values, parts, found


def finish(
    problem: Problem,
    x: Float[np.ndarray, " p"],
    lanes: Lanes,
    best: int,
    result: str,
    seconds: Mapping[str, float],
) -> Fit:
    """A fit from the search coordinates of its best lane: error bars and scores."""
    free = problem.free
    values, parts, found = errors_at(problem, x)
    scores, squares = [], []
    for experiment, part in zip(problem.experiments, parts, strict=True):
        sigma = np.broadcast_to(np.asarray(experiment.sigma), part.mask.shape)
        errors = (part.residuals.reshape(part.mask.shape) * sigma)[part.mask]
        scores.append(_score(experiment, errors))
        squares.append((errors.size, float(errors @ errors), experiment.range))
    count = sum(n for n, _, _ in squares)
    times = [tau * e.spacing for tau, e in zip(found.correlation_times, problem.experiments, strict=True)]
    relative = sum(s / width**2 for _, s, width in squares) if all(w > 0 for *_, w in squares) else float("nan")
    return Fit(
        model=free.place(problem.model, jnp.asarray(values)),
        free=free,
        values=values,
        start_values=lanes.start[best],
        standard_errors=np.sqrt(np.diag(found.covariance)),
        naive_errors=np.sqrt(np.diag(found.naive)),
        covariance=found.covariance,
        correlation=found.correlation,
        correlation_time=max(times),
        blocks=found.blocks,
        degrees_of_freedom=found.degrees_of_freedom,
        lanes=lanes,
        scores=tuple(scores),
        rmse=float(np.sqrt(sum(s for _, s, _ in squares) / count)),
        rmse_over_range=float(np.sqrt(relative / count)),
        undetermined=found.undetermined,
        bounds_hit=_bounds_hit(free, x),
        seconds=dict(seconds),
        result=result,
    )


def without_errors(
    problem: Problem,
    x: Float[np.ndarray, " p"],
    lanes: Lanes,
    best: int,
    result: str,
    seconds: Mapping[str, float],
) -> Fit:
    """A fit of a plain loss, about which no error bars are known."""
    free = problem.free
    values, unknown = np.asarray(free.from_search(jnp.asarray(x))), np.full((len(x), len(x)), np.nan)
    return Fit(
        model=free.place(problem.model, jnp.asarray(values)),
        free=free,
        values=values,
        start_values=lanes.start[best],
        standard_errors=unknown[0],
        naive_errors=unknown[0],
        covariance=unknown,
        correlation=unknown,
        correlation_time=float("nan"),
        blocks=0,
        degrees_of_freedom=0.0,
        lanes=lanes,
        scores=(),
        rmse=float("nan"),
        rmse_over_range=float("nan"),
        undetermined=(),
        bounds_hit=_bounds_hit(free, x),
        seconds=dict(seconds),
        result=result,
    )


def _bounds_hit(free: Free, x: Float[np.ndarray, " p"]) -> tuple[str, ...]:
    lower, upper = free.box
    limited = {limit.scale for limit in free.limits}
    ends = np.where(x <= lower, "lower", np.where(x >= upper, "upper", ""))
    return tuple(f"rate {end}" if end and k in limited else str(end) for k, end in enumerate(ends))
