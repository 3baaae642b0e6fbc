"""The current clamp: a cell runs by itself, or under what is injected into it."""

import math
from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer
from jaxtyping import Array, Float

from ..cell import AbstractCell, Cell
from ..electrochemistry import Bath
from ..results import RESULTS, InputError, raise_failures
from ..space import AbstractAlong
from .adaptive import Adaptive
from .hines import Hines
from .recorders import AbstractRecorder
from .steps import AbstractFixedStep, Staggered
from .stimulus import AbstractStimulus, as_stimuli, together

_KEPT = 2**30  # bytes of what is carried from step to step that reverse mode may keep


class CellTrace(eqx.Module):
    """What a run of a cell records.

    **Arguments:** `t` [ms] (samples,); `v` [mV] (samples,); `observed`: what `cell.observe` shows, by name (samples,);
    `records`: what each recorder gives; `state`: of the cell at the end, from which another run goes on; `result`: a
    code of `RESULTS`.
    """

    t: Float[Array, " samples"]
    v: Float[Array, " samples"]
    observed: dict[str, Float[Array, " samples"]]
    records: tuple[Any, ...]
    state: Any
    result: RESULTS


class Steps(eqx.Module):
    """The time line of a run in steps of one length: `blocks` of `length` steps; samples lie at ends of blocks."""

    rows: tuple[Any, ...]
    number: np.ndarray
    at: np.ndarray
    t: np.ndarray
    blocks: int = eqx.field(static=True)
    length: int = eqx.field(static=True)


def sample_times(t: Any) -> np.ndarray:
    """Sample times [ms] on the host.

    **Raises:** `InputError` if they are negative, not finite, or do not increase.
    """
    times = np.asarray(t, np.float64)
    if (
        times.ndim != 1
        or times.size == 0
        or times[0] < 0
        or np.any(np.diff(times) <= 0)
        or not np.all(np.isfinite(times))
    ):
        raise InputError("Sample times must be finite, at least 0, and increase; give a one-dimensional array in ms.")
    return times


def plan_steps(
    stimuli: Sequence[AbstractStimulus], t: np.ndarray, dt: float, recorders: Sequence[AbstractRecorder] = ()
) -> Steps:
    """The steps of a run, laid out once on the host.

    **Raises:** `InputError` if a sample time is not a multiple of the step.
    """
    index = np.round(t / dt).astype(int)
    worst = np.max(np.abs(index * dt - t), initial=0.0)
    if worst > 1e-6 * dt * max(1.0, np.max(np.abs(index), initial=1)):
        raise InputError(
            f"Sample times must be multiples of the step dt = {dt:g} ms, but {t[np.argmax(np.abs(index * dt - t))]:g} "
            "ms is not; choose a step that divides them."
        )
    count = int(index[-1])
    stride = int(np.gcd.reduce(index)) if count else 1
    windows = [r.window for r in recorders if r.window is not None]
    # A block is short enough for what recorders keep once a window, and its length about the root of the number of
    # steps: reverse mode keeps one carry per block, and those of the steps of one block at a time (`march` says more).
    longest = min([max(1, math.isqrt(count)), *(max(1, int(w / dt + 1e-9)) for w in windows)])
    length = max(d for d in range(1, min(stride, longest) + 1) if stride % d == 0) if count else 1
    blocks = count // length
    edges = dt * np.arange(count + 1)
    rows = tuple(s.plan(edges) for s in stimuli) if count else tuple(() for _ in stimuli)
    shaped = jax.tree.map(lambda x: np.reshape(x, (blocks, length, *np.shape(x)[1:])), rows)
    return Steps(shaped, np.arange(count).reshape(blocks, length), index // length, t, blocks, length)


def march(
    cell: AbstractCell,
    state: Any,
    stimuli: tuple[AbstractStimulus, ...],
    recorders: tuple[AbstractRecorder, ...],
    method: AbstractFixedStep,
    steps: Steps,
) -> CellTrace:
    """A run in fixed steps as a pure function, without checks: what a loss differentiates."""
    h = method.dt

    def one(everything, row):
        carry, stimulus, kept = everything
        rows, number = row
        done = [s.act(c, r, h) for s, c, r in zip(stimuli, stimulus, rows, strict=True)]
        before = method.voltage(cell, carry)
        carry = method.step(cell, carry, together([action for _, action in done]), h)
        after = method.voltage(cell, carry)
        t = h * number.astype(h.dtype)
        kept = tuple(r.update(x, t, h, before, after) for r, x in zip(recorders, kept, strict=True))
        return (carry, tuple(c for c, _ in done), kept), None

    def observed_by(carry):
        return cell.observe(method.state(cell, carry, h))

    def block(everything, rows):
        (carry, stimulus, kept), _ = lax.scan(step, everything, rows)
        emitted = [r.emit(x) for r, x in zip(recorders, kept, strict=True)]
        seen = look(carry)
        out = (method.voltage(cell, carry), seen, tuple(x for _, x in emitted))
        return (carry, stimulus, tuple(x for x, _ in emitted)), out

    v0, seen0 = cell.voltage(state), cell.observe(state)
    begin = (
        method.begin(cell, state, h),
        tuple(s.begin() for s in stimuli),
        tuple(r.begin(v0) for r in recorders),
    )
    begin = jax.tree.map(jnp.asarray, begin)
    # Reverse mode computes once more what it has not kept. A membrane is small: all numbers of the steps of one block
    # are kept at a time. Along a tree they are many more than what is carried, so that each step is computed from that
    # while the derivative passes it: from every step's, or, where these are too many, from every block's. (A batch of
    # cables keeps so much for each.)
    again = lambda f: jax.checkpoint(f, prevent_cse=False)  # pyright: ignore[reportPrivateImportUsage]
    along = isinstance(cell, AbstractAlong)
    carried = sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(begin))
    step, look = (again(one), again(observed_by)) if along else (one, observed_by)
    if steps.blocks:
        body = block if along and carried * steps.number.size <= _KEPT else again(block)
        (carry, _, kept), (v, seen, emitted) = lax.scan(body, begin, (steps.rows, steps.number))
        whole = lambda first, later: jnp.concatenate([first[None], later])[steps.at]
        v, observed = whole(v0, v), jax.tree.map(whole, seen0, seen)
        end = method.state(cell, carry, h)
    else:
        v, observed, kept, end = v0[None], jax.tree.map(lambda x: x[None], seen0), begin[2], state
        emitted = tuple(jnp.zeros((0,), v0.dtype) for _ in recorders)
    duration = h * (steps.blocks * steps.length)
    records = tuple(r.finish(x, y, duration) for r, x, y in zip(recorders, kept, emitted, strict=True))
    return _checked(
        CellTrace(jnp.asarray(steps.t, v.dtype), v, observed, records, end, RESULTS.successful), cell, state
    )


def _checked(trace: CellTrace, cell: AbstractCell, state: Any) -> CellTrace:
    """The trace with its code; NaN throughout if it failed."""
    finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves((trace.v, trace.state))]))
    given = [jnp.ravel(x) for x in jax.tree.leaves((cell, state)) if eqx.is_inexact_array(x)]
    sound = jnp.all(jnp.isfinite(jnp.concatenate(given)))  # together: a program for each of many takes long to compile
    result = RESULTS.where(finite, RESULTS.successful, RESULTS.nonfinite_result)
    result = RESULTS.where(sound, result, RESULTS.nonfinite_input)
    failed = lambda x: jnp.where(finite & sound, x, jnp.nan) if eqx.is_inexact_array(x) else x
    v, observed, records, end = jax.tree.map(failed, (trace.v, trace.observed, trace.records, trace.state))
    return CellTrace(trace.t, v, observed, records, end, result)


_march = eqx.filter_jit(march)


def current_clamp(
    cell: AbstractCell,
    stimulus: Any,
    t: Any,
    *,
    bath: Bath | float | None = None,
    init: Any = None,
    method: AbstractFixedStep | Adaptive | None = None,
    record: AbstractRecorder | Sequence[AbstractRecorder] = (),
    throw: bool = True,
) -> CellTrace:
    """The potential of a cell, and all that its state holds, as it runs by itself or under a stimulus.

    **Arguments:** `cell`; `stimulus`: None, a `Protocol` of injected current (depolarizing positive; pA, or uA/cm2
    where conductances are densities), another stimulus (`Conductance`, `Supply`, `Arrivals`, `Noise`), or a tuple of
    them; `t` [ms] (samples,): when to sample, from 0 on; `bath`: solutions and temperature in place of the cell's own;
    `init`: the state at time 0 (`cell.init()`); `method`: `Staggered(dt)` (the default for cells of membranes, with
    dt = 0.025 ms), `Hines(dt)` (the default along a tree), `ExponentialEuler(dt)`, `RungeKutta(dt)`, or `Adaptive()`
    (the default for other cells); `record`: recorders, such as `SpikeTimes()`, which need no trace.
    **Returns:** a `CellTrace`.
    **Raises:** `InputError` for bad times, stimuli and cells; with `throw` an error if a run is not finite.
    """
    if bath is not None:
        if not isinstance(cell, Cell):
            raise InputError(f"A {type(cell).__name__} has its conditions among its parameters; leave out `bath`.")
        cell = cell.at(bath)
    times = sample_times(t)
    stimuli = as_stimuli(stimulus)
    recorders = (record,) if isinstance(record, AbstractRecorder) else tuple(record)
    if method is None:
        method = Staggered() if isinstance(cell, Cell) else Hines() if isinstance(cell, AbstractAlong) else Adaptive()
    state = cell.init() if init is None else init
    if isinstance(method, Adaptive):
        trace = method.run(cell, state, stimuli, recorders, times)
        trace = _checked(CellTrace(*trace), cell, state)
    else:
        method.check(cell)
        steps = plan_steps(stimuli, times, method.dt, recorders)
        # As an array, so that another step at the same number of steps is not compiled again.
        method = eqx.tree_at(lambda m: m.dt, method, jnp.asarray(method.dt, cell.voltage(state).dtype))
        trace = _march(cell, state, stimuli, recorders, method, steps)
    if throw and not any(isinstance(x, Tracer) for x in jax.tree.leaves((trace.v, trace.result))):
        raise_failures(trace.result)
    return trace
