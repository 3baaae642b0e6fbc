"""Many lanes at once: threads over the cores, or vmapped chunks on an accelerator. A lane depends on its
number alone."""

import bisect
import dataclasses
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from .problem import Data, Evaluate, Problem, loss_of_many, triangle_of_many
from .store import Store
from .trust_region import Lane, TrustRegion, begin, improves, judge, propose, search

SAVE_EVERY = 3.0  # seconds
AGREEMENT = 1e-3  # relative difference of the root mean square up to which lanes agree

Progress = Callable[[int, int, float], None]


class _Stopped(Exception):
    """The fit was interrupted; the lane's state is kept."""


@dataclasses.dataclass
class Run:
    """Many lanes while they run: `begin_lane(lane)` gives a lane's start in search coordinates.

    `data`, if given, holds each lane's own data in place of those of the experiments.
    """

    problem: Problem
    method: TrustRegion
    begin_lane: Callable[[int], np.ndarray]
    total: int
    agree: int | None
    store: Store
    progress: Progress | None
    data: Data | None = None
    starts: dict[int, np.ndarray] = dataclasses.field(default_factory=dict)
    lanes: dict[int, Lane] = dataclasses.field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self):
        self.bounds = self.problem.free.box
        self.count = self.problem.count
        self.starts, self.lanes, self.seconds = self.store.load()
        self._since = self._saved = time.monotonic()

    def start_clock(self) -> None:
        """Leaves out of `elapsed` what came before: compilation."""
        self._since = time.monotonic()

    def elapsed(self) -> float:
        """Seconds spent, those of earlier runs of the same fit included."""
        return self.seconds + time.monotonic() - self._since

    def problem_of(self, lane: int) -> Problem:
        """The problem with the data of a lane."""
        return self.problem.with_data(self.data and [d[lane] for d in self.data])

    def ended(self, lane: int) -> bool:
        """Whether a lane is done."""
        return lane in self.lanes and bool(self.lanes[lane].ending)

    def rms(self, lane: int) -> float:
        """Root mean square of a lane's residuals (each divided by its sigma)."""
        return float(np.sqrt(2.0 * self.lanes[lane].loss / self.count))

    def enough(self) -> int | None:
        """The number of lanes after which the best k agree, or None if they do not yet.

        It looks at lanes in the order of their numbers, so that it does not depend on which of them ended
        first.
        """
        done: list[float] = []
        for lane in range(self.total):
            if not self.ended(lane):
                return None
            loss = self.rms(lane)
            if np.isfinite(loss):
                bisect.insort(done, loss)
            if self.agree is not None and len(done) >= self.agree and done[self.agree - 1] <= (1 + AGREEMENT) * done[0]:
                return lane + 1
        return self.total

    def save(self) -> None:
        """Writes the state of every lane to the folder."""
        lanes = dict(self.lanes)  # before the starts: a lane's start is there before its state
        self.store.save(dict(self.starts), lanes, self.elapsed())
        self._saved = time.monotonic()

    def report(self) -> None:
        """Tells the caller and, every few seconds, the disk."""
        if time.monotonic() - self._saved > SAVE_EVERY:
            self.save()
        if self.progress is not None:
            done = [self.rms(lane) for lane in range(self.total) if self.ended(lane)]
            best = min((loss for loss in done if np.isfinite(loss)), default=float("nan"))
            self.progress(len(done), self.total, best)

    def waiting(self) -> Iterator[int]:
        """Lanes that have not ended, in order."""
        return (lane for lane in range(self.total) if not self.ended(lane))


class Executor(Protocol):
    """Where lanes are evaluated."""

    def run(self, state: Run) -> None:
        """Works until the lanes that `state.enough()` asks for have ended."""
        ...


@dataclasses.dataclass(frozen=True)
class Threads:
    """One lane per thread, all calling the same compiled functions; for CPUs.

    A model of your own that factors or solves batches of matrices inside compiled code can hang when two
    threads run it; use `Chunks` for it.

    **Arguments** `workers`: number of threads; the cores this process may use by default.
    """

    workers: int | None = None

    def run(self, state: Run) -> None:
        """See `Executor`."""
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = self.workers or cores
        stop = threading.Event()

        def work(number: int) -> None:
            evaluate = Evaluate(state.problem_of(number))

            def keep(lane: Lane) -> None:
                state.lanes[number] = lane
                if stop.is_set():
                    raise _Stopped

            if number not in state.starts:
                state.starts[number] = state.begin_lane(number)
            search(
                state.starts[number], evaluate.loss, evaluate.triangle, state.bounds, state.method,
                lane=state.lanes.get(number), keep=keep,
            )  # fmt: skip

        queue, running = list(state.waiting()), set[Future]()
        with ThreadPoolExecutor(workers) as pool:
            try:
                while state.enough() is None:
                    while queue and len(running) < workers:
                        running.add(pool.submit(work, queue.pop(0)))
                    done, running = wait(running, timeout=0.5, return_when=FIRST_COMPLETED)
                    for future in done:
                        future.result()
                    state.report()
            finally:
                stop.set()
                for future in running:
                    future.exception() if not future.cancel() else None
                state.save()


@dataclasses.dataclass(frozen=True)
class Chunks:
    """Lanes in step with each other, evaluated together by vmap; for accelerators.

    **Arguments** `size`: lanes evaluated at once; it bounds the memory.
    """

    size: int = 64

    def run(self, state: Run) -> None:
        """See `Executor`."""
        try:
            for first in range(0, state.total, self.size):
                group = range(first, min(first + self.size, state.total))
                self._group(state, group)
                if state.enough() is not None:
                    return
        finally:
            state.save()

    def _group(self, state: Run, group: range) -> None:
        fresh = [n for n in group if n not in state.lanes]
        for n in fresh:
            state.starts[n] = state.begin_lane(n)
        losses = self._many(loss_of_many, state, fresh, [state.starts[n] for n in fresh])
        triangles = self._many(triangle_of_many, state, fresh, [state.starts[n] for n in fresh])
        for n, loss, triangle in zip(fresh, losses, triangles, strict=True):
            state.lanes[n] = begin(state.starts[n], float(loss), triangle, state.bounds, state.method)
        while running := [n for n in group if not state.ended(n)]:
            trials = [propose(state.lanes[n], state.bounds) for n in running]
            losses = [float(x) for x in self._many(loss_of_many, state, running, [t[0] for t in trials])]
            better = [k for k, n in enumerate(running) if improves(state.lanes[n], trials[k], losses[k])]
            moved, points = [running[k] for k in better], [trials[k][0] for k in better]
            found = dict(zip(better, self._many(triangle_of_many, state, moved, points), strict=True))
            for k, n in enumerate(running):
                state.lanes[n] = judge(state.lanes[n], trials[k], losses[k], found.get(k), state.bounds, state.method)
            state.report()

    def _many(
        self, function: Callable[..., Any], state: Run, lanes: list[int], points: list[np.ndarray]
    ) -> list[np.ndarray]:
        """A vmapped function at a point of each of some lanes, always in chunks of the same size: one compilation, the
        same bits."""
        results: list[np.ndarray] = []
        for k in range(0, len(points), self.size):
            chosen = np.arange(k, min(k + self.size, len(points)))
            padded = np.concatenate([chosen, np.full(self.size - chosen.size, k)])
            x = jnp.asarray(np.stack([points[i] for i in padded]))
            data = state.data and tuple(d[np.array(lanes)[padded]] for d in state.data)
            results += list(np.asarray(function(state.problem, x, data)))[: chosen.size]
        return results


def default_executor() -> Executor:
    """Threads on a CPU, chunks on anything else."""
    return Threads() if jax.default_backend() == "cpu" else Chunks()
