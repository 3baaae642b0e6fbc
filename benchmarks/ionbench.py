"""How many evaluations, and seconds, does jaxmem's least squares need on ionBench's fitting problems?

staircase.HH (9 parameters), staircase.MM (15) and loewe2016.IKr (12), with ionBench's own data, bounds, cost
thresholds and seeded starts. Expected run time = mean of the solved runs + (1 - s)/s times the mean of the
others, s the share solved: what restarting until solved costs. One evaluation is one simulation; a Jacobian
counts as ionBench counts a solve with sensitivities, by the published ratio of their times (8.9, 13.3 and
10.3 plain solves). Counts and seconds stop where the cost first falls below the threshold.

    python benchmarks/ionbench.py [--quick] [--starts 100] [--seed 0] [--cores 0]
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _ionbench_problems import NAMES, Problem, load
from _timing import HERE, keep, measure


@dataclass(frozen=True)
class Outcome:
    """One run: where it stood when it was solved or gave up."""

    solved: bool
    cost: float
    evaluations: int
    jacobians: int
    seconds: float


class _Solved(Exception):
    """Raised to leave a search at the first point below the threshold."""


class Search:
    """jaxmem's least squares on one problem: every start searched until solved or at rest."""

    def __init__(self, problem: Problem):
        import jax.numpy as jnp

        from jaxmem.fit import VoltageClamp
        from jaxmem.fit.problem import Evaluate, make_problem
        from jaxmem.recordings import Recording

        recording = Recording(problem.t, problem.data, problem.command(), name=problem.name)
        model, free = problem.model(jnp.asarray(problem.truth)), problem.free()
        made = make_problem(VoltageClamp(recording, 295.0, sigma=1.0), model, free)
        self.problem, self.free, self.evaluate = problem, made.free, Evaluate(made)
        self.truth = self.free.to_search(problem.truth)
        start = time.perf_counter()
        self.evaluate.loss(self.truth)
        self.evaluate.triangle(self.truth)
        self.compile_seconds = time.perf_counter() - start
        self.at_truth = np.asarray(made.experiments[0].predict(model))[0]

    def run(self, start: np.ndarray, method) -> Outcome:
        """One search from one start, left at the threshold."""
        from jaxmem.fit.trust_region import search

        began, seen, size = time.perf_counter(), {}, len(self.problem.data)

        def cost(lane) -> float:
            return float(np.sqrt(2 * lane.loss / size))

        def watch(lane):
            seen["lane"], seen["seconds"] = lane, time.perf_counter() - began
            if cost(lane) < self.problem.threshold:
                raise _Solved

        solved = False
        x = np.clip(self.free.to_search(start), *self.free.box)
        try:
            search(x, self.evaluate.loss, self.evaluate.triangle, self.free.box, method, keep=watch)
        except _Solved:
            solved = True
        lane = seen["lane"]
        return Outcome(solved, cost(lane), lane.evaluations, lane.jacobians, seen["seconds"])


def expected(outcomes: list[Outcome], cost: Callable[[Outcome], float]) -> float:
    """Expected cost of restarting until solved."""
    good, bad = ([cost(o) for o in outcomes if o.solved is wanted] for wanted in (True, False))
    if not good:
        return float("inf")
    return float(np.mean(good) + (np.mean(bad) * len(bad) / len(good) if bad else 0.0))


def spread(outcomes: list[Outcome], cost: Callable[[Outcome], float]) -> list[float]:
    """5 and 95 % bounds of the expected cost, by drawing the runs anew 1000 times."""
    random = np.random.default_rng(0)
    draws = [
        expected([outcomes[k] for k in random.integers(0, len(outcomes), len(outcomes))], cost)
        for _ in range(1000)
    ]
    return [float(value) for value in np.quantile(draws, (0.05, 0.95), method="nearest")]


def answer(name: str, starts: int, seed: int, quick: bool) -> dict:
    """Everything known of one problem."""
    from jaxmem.fit import TrustRegion

    problem = load(name, starts, seed)
    fit, exact = Search(problem), problem.exact()
    error = float(np.max(np.abs(fit.at_truth - exact)) / np.max(np.abs(exact)))
    calls = (fit.evaluate.loss, fit.evaluate.triangle)
    plain, sloped = (measure(lambda f=f: f(fit.truth), runs=5)["median"] for f in calls)
    method = TrustRegion(max_evaluations=200)
    outcomes = [fit.run(start, method) for start in problem.starts]
    weight = problem.published.weight
    count = lambda o: o.evaluations + weight * o.jacobians
    own = lambda o: o.evaluations + sloped / plain * o.jacobians
    seconds = lambda o: o.seconds
    solved = [o for o in outcomes if o.solved]
    median = lambda values: float(np.median(values)) if values else None
    return {
        "problem": name,
        "parameters": len(problem.truth),
        "samples": len(problem.data),
        "error_at_truth": error,
        "threshold": problem.threshold,
        "starts": len(outcomes),
        "solved": len(solved),
        "expected_evaluations": expected(outcomes, count),
        "expected_evaluations_5_95": spread(outcomes, count),
        "expected_evaluations_own_ratio": expected(outcomes, own),
        "expected_seconds": expected(outcomes, seconds),
        "published_best": problem.published.best,
        "published_weight": weight,
        "own_weight": sloped / plain,
        "plain_seconds": plain,
        "jacobian_seconds": sloped,
        "compile_seconds": fit.compile_seconds,
        "median_evaluations_solved": median([o.evaluations for o in solved]),
        "median_jacobians_solved": median([o.jacobians for o in solved]),
        "costs_unsolved": sorted(o.cost for o in outcomes if not o.solved),
        "quick": quick,
    }


def main() -> list[dict]:
    """Run the problems, print a line for each, keep the rows."""
    parser = argparse.ArgumentParser(prog="ionbench")
    parser.add_argument("--quick", action="store_true", help="five starts each")
    parser.add_argument("--starts", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", choices=NAMES)
    parser.add_argument(
        "--cores", default="0", help="cores the process may use, such as 0 or 0,1 (Linux); all = free"
    )
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    if asked.cores != "all" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(core) for core in asked.cores.split(",")})
    import jax

    jax.config.update("jax_enable_x64", True)
    rows = []
    for name in asked.only or NAMES:
        row = answer(name, 5 if asked.quick else asked.starts, asked.seed, asked.quick)
        low, high = row["expected_evaluations_5_95"]
        print(
            f"{name:14s} solved {row['solved']}/{row['starts']}; expected run time "
            f"{row['expected_evaluations']:.0f} evaluations ({low:.0f} to {high:.0f}; published best "
            f"{row['published_best']:.0f}), {row['expected_seconds']:.2f} s; error at the true parameters "
            f"{row['error_at_truth']:.1e}",
            flush=True,
        )
        rows.append(row)
    out = asked.out or (None if asked.quick or asked.only else HERE / "results" / "ionbench.json")
    if out:
        keep(out, "ionbench", rows, cores=asked.cores, seed=asked.seed)
    return rows


if __name__ == "__main__":
    main()
