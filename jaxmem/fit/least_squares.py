"""Bounded least squares from many starts."""

import dataclasses
import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from ..results import InputError
from .experiment import Experiment
from .multistart import Executor, Run, default_executor
from .parameters import Free
from .problem import Evaluate, make_problem
from .result import Fit, finish, lanes_of
from .store import Store, fingerprint
from .trust_region import TrustRegion


def least_squares(
    experiments: Experiment | Sequence[Experiment],
    model: Any,
    free: Free,
    *,
    key: Any,
    starts: int = 64,
    agree: int | None = None,
    folder: str | os.PathLike | None = None,
    progress: Callable[[int, int, float], None] | None = None,
    method: TrustRegion | None = None,
    executor: Executor | None = None,
) -> Fit:
    """The parameters with the least sum of squared residuals, found from many starts.

    The smallest sum over experiments of ((prediction - data)/sigma)^2 within the bounds, by a trust-region
    method with exact Jacobians. A lane depends on its
    number and the key alone. Lanes whose start or trial points are not finite disturb no other.

    **Arguments**

    - `experiments`: one, or several to be fitted jointly.
    - `model`: whose free parameters are replaced; the others stay.
    - `free`: see `jm.fit.free`.
    - `key`: a random key.
    - `starts`: number of lanes, each from a random start.
    - `agree`: stop when the best so many lanes agree (losses within 0.1 %); all starts are run by default.
    - `folder`: where progress is written every few seconds; the same call continues a fit that was killed,
      to the same bits.
    - `progress`: called with the lanes done, their number, and the best loss (root mean square of the
      residuals over sigma).
    - `method`: tolerances. `executor`: `Threads(...)` or `Chunks(...)`.

    **Raises** `InputError` for bad arguments, numbers in float32, a folder that holds another fit, or if no
    lane is finite.
    """
    since = time.monotonic()
    problem = make_problem(experiments, model, free)
    if starts < 1:
        raise InputError(f"Argument `starts` must be at least 1, but is {starts}.")
    if agree is not None and not 2 <= agree <= starts:
        raise InputError(f"Argument `agree` must be between 2 and `starts` = {starts}, but is {agree}.")
    method, executor = method or TrustRegion(), executor or default_executor()
    evaluate, free, bounds = Evaluate(problem), problem.free, problem.free.box
    given = np.array([np.nan if p.value is None else p.value for p in free.parameters])

    def begin_lane(lane: int) -> np.ndarray:
        values = free.draw(jax.random.fold_in(key, lane), 1)[0]
        if lane == 0:
            values = np.where(np.isfinite(given), given, values)
        return np.clip(free.to_search(values), *bounds)

    first = np.clip(free.to_search(free.draw(jax.random.fold_in(key, 0), 1)[0]), *bounds)
    identity = fingerprint(problem, (method, type(executor).__name__), first)
    run = Run(problem, method, begin_lane, starts, agree, Store(folder, identity), progress)
    if run.enough() is None:
        evaluate.triangle(first)
        compiled = time.monotonic() - since
        run.start_clock()
        executor.run(run)
    else:
        compiled = time.monotonic() - since
        run.report()
    count = run.enough() or starts
    lanes = lanes_of(run, count)
    if not np.isfinite(lanes.losses).any():
        raise InputError(f"None of {count} starts is finite: the model overflows within these bounds; narrow them.")
    best = int(np.nanargmin(lanes.losses))
    found = finish(problem, run.lanes[best].x, lanes, best, run.lanes[best].ending.text, {})
    return dataclasses.replace(found, seconds={"compile": compiled, "run": run.elapsed()})
