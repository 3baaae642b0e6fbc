"""Minimizing any loss by an optax optimizer, inside the same box and with the same result."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from ..results import InputError
from .experiment import Experiment
from .gradient import forward_mode, value_and_gradient
from .parameters import Free
from .problem import Problem, half_squares, make_problem, require_float64
from .result import Fit, Lanes, finish, without_errors
from .trust_region import Ending

CHUNK = 50  # steps between two looks at the progress


class _Task(eqx.Module):
    """A loss in coordinates in which the box is the unit cube."""

    problem: Problem
    loss: Callable[[Any], Any] | None = eqx.field(static=True)

    def __call__(self, u: Float[Array, " p"]) -> Float[Array, ""]:
        lower, upper = self.problem.free.box
        x = lower + (upper - lower) * u
        if self.loss is None:
            return half_squares(self.problem, x)
        return self.loss(self.problem.place(x))


def minimize(
    loss_or_experiments: Callable[[Any], Any] | Experiment | Sequence[Experiment],
    model: Any,
    free: Free,
    *,
    optimizer: optax.GradientTransformation | None = None,
    steps: int = 2000,
    key: Any = None,
    starts: int = 1,
    progress: Callable[[int, int, float], None] | None = None,
) -> Fit:
    """The best point on an optimizer's way down a loss.

    The optimizer moves in search coordinates scaled so that the box has sides of length 1: a learning rate
    of 0.01 moves a parameter by about a hundredth of its range. After each step the point is put back into
    the box. A lane whose loss or gradient is not finite stays where it is and disturbs no other. For
    residuals `least_squares` needs far fewer evaluations.

    **Arguments**

    - `loss_or_experiments`: `loss(model) -> scalar`, or experiments, whose half sum of squared residuals is
      the loss.
    - `model`, `free`: as in `least_squares`; bounds must be finite.
    - `optimizer`: `optax.adam(1e-2)` by default.
    - `steps`: of each lane.
    - `key`, `starts`: without a key one lane starts at the parameters' `value`s or the model's; with it at
      random points.
    - `progress`: called with the steps done, their number and the best loss.

    **Returns** a `Fit`; error bars only with experiments. Its losses are root mean squares with experiments,
    else the loss itself.

    **Raises** `InputError` for bad arguments, numbers in float32, or if no lane is finite.
    """
    since = time.monotonic()
    task = _make_task(loss_or_experiments, model, free)
    free = task.problem.free
    lower, upper = free.box
    if not np.isfinite(upper - lower).all():
        raise InputError("minimize needs finite bounds for every parameter; give between(low, high).")
    if steps < 1 or starts < 1:
        raise InputError(f"Arguments `steps` and `starts` must be at least 1, but are {steps} and {starts}.")
    values = _present(free, task.problem.model)[None] if key is None else free.draw(key, starts)
    u = jnp.asarray(np.clip((np.clip(free.to_search(values), lower, upper) - lower) / (upper - lower), 0.0, 1.0))
    optimizer = optimizer or optax.adam(1e-2)
    state = (u, u, jnp.full(len(values), jnp.inf), jax.vmap(optimizer.init)(u))
    compiled = 0.0
    for done in range(0, steps, CHUNK):
        state = _advance(task, optimizer, state, min(CHUNK, steps - done))
        state[2].block_until_ready()
        compiled = compiled or time.monotonic() - since
        if progress is not None:
            progress(min(done + CHUNK, steps), steps, float(jnp.min(state[2])))
    losses = np.asarray(state[2])
    if not np.isfinite(losses).any():
        raise InputError(f"None of {len(values)} starts has a finite loss; narrow the bounds.")
    x = lower + (upper - lower) * np.asarray(state[1])
    count = task.problem.count
    shown = np.sqrt(2.0 * losses / count) if task.loss is None else losses
    shown = np.where(np.isfinite(losses), shown, np.nan)
    lanes = Lanes(
        values, np.asarray(jax.vmap(free.from_search)(x)), shown, np.full(len(values), steps),
        np.full(len(values), steps), np.where(np.isfinite(losses), int(Ending.max_evaluations),
        int(Ending.nonfinite_start)),
    )  # fmt: skip
    best = int(np.argmin(losses))
    seconds = {"compile": compiled, "run": time.monotonic() - since}
    mode = "forward" if forward_mode(u.shape[-1]) else "reverse"
    result = f"The best point of {steps} steps, gradients in {mode} mode."
    end = finish if task.loss is None else without_errors
    return end(task.problem, x[best], lanes, best, result, seconds)


def _make_task(loss_or_experiments: Any, model: Any, free: Free) -> _Task:
    if callable(loss_or_experiments) and not isinstance(loss_or_experiments, Experiment):
        require_float64()
        return _Task(Problem((), model, free.bind(model)), loss_or_experiments)
    return _Task(make_problem(loss_or_experiments, model, free), None)


def _present(free: Free, model: Any) -> Float[np.ndarray, " p"]:
    """Where a search without a key starts: given values, else what the model holds."""
    held = [None] * len(free.parameters) if free.read is None else free.read(model)
    found = [p.value if p.value is not None else h for p, h in zip(free.parameters, held, strict=True)]
    missing = [p.name for p, v in zip(free.parameters, found, strict=True) if v is None]
    if missing:
        raise InputError(f"No start is known for {', '.join(missing)}; give each a `value`, or a `key` to draw one.")
    return np.array([float(v) for v in found])


@eqx.filter_jit
def _advance(task: _Task, optimizer: optax.GradientTransformation, state: Any, steps: int) -> Any:
    """Some steps of every lane; `state` is (point, best point, best loss, optimizer's state)."""

    def step(lane: Any, _: None) -> tuple[Any, None]:
        u, best, least, memory = lane
        loss, gradient = value_and_gradient(task, u)
        sound = jnp.isfinite(loss) & jnp.all(jnp.isfinite(gradient))
        better = sound & (loss < least)
        best, least = jnp.where(better, u, best), jnp.where(better, loss, least)
        with jax.numpy_dtype_promotion("standard"):  # optax mixes floats and counters
            move, after = optimizer.update(jnp.where(sound, gradient, 0.0), memory, u)
            moved = jnp.clip(optax.apply_updates(u, move), 0.0, 1.0)
        memory = jax.tree.map(lambda new, old: jnp.where(sound, new, old), after, memory)
        return (jnp.where(sound, moved, u), best, least, memory), None

    return jax.vmap(lambda lane: jax.lax.scan(step, lane, None, length=steps)[0])(state)
