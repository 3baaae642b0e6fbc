"""Implicit steps of adaptive length, for stiff cells and long times."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from .._numerics.rosenbrock import rosenbrock
from ..cell import AbstractCell
from ..params import as_array
from ..results import RESULTS, InputError
from .recorders import AbstractRecorder
from .stimulus import AbstractStimulus, Arrivals, Noise, Rows, driven, together


class Adaptive(eqx.Module):
    """Linearly implicit steps of order 5 and adaptive length, restarted where a command jumps: for stiff cells.

    Every entry of the state is measured by its own size at the start. Forward mode goes through it, and with `reverse`
    reverse mode instead, with checkpoints.

    **Arguments:** `rtol`, `atol`: tolerances of a step, both relative; `most`: how many steps may be taken.
    **Source:** Steinebach 2023 (Rodas5P).
    """

    rtol: Any = eqx.field(converter=as_array, default=1e-8)
    atol: Any = eqx.field(converter=as_array, default=1e-8)
    most: int = eqx.field(static=True, default=1_000_000)
    reverse: bool = eqx.field(static=True, default=False)

    def run(
        self,
        cell: AbstractCell,
        state: Any,
        stimuli: tuple[AbstractStimulus, ...],
        recorders: tuple[AbstractRecorder, ...],
        t: np.ndarray,
    ) -> tuple:
        """The fields of a `CellTrace`.

        **Raises:** `InputError` for stimuli and recorders that need steps of one length.
        """
        for s in stimuli:
            if isinstance(s, Noise | Arrivals):
                raise InputError(
                    f"{type(s).__name__} needs steps of one length; use Staggered(dt), or chain runs at the arrivals."
                )
        if recorders:
            raise InputError("Recorders need steps of one length; use Staggered(dt), or read the trace.")
        commands: tuple[Any, ...] = stimuli
        for s in commands:
            s.plan(np.array([0.0, float(t[-1])]))  # refuses what does not lie within the run
        starts = tuple(np.asarray(s.command.t) for s in commands)
        edges = np.unique(np.concatenate([np.zeros(1), *starts]))
        pieces = tuple(np.searchsorted(x, edges, side="right") for x in starts)
        return _solve(self, cell, state, stimuli, starts, pieces, edges, t)


@eqx.filter_jit
def _solve(method, cell, state, stimuli, starts, pieces, edges, t):
    flat, whole = ravel_pytree(state)
    scale = jax.lax.stop_gradient(jnp.where(jnp.abs(flat) > 1e-6, jnp.abs(flat), 1.0))

    def acting(time, passed):
        """What is done at a time after so many edges."""
        actions = []
        for s, begin, piece in zip(stimuli, starts, pieces, strict=True):
            p = piece[passed - 1]
            inside = (p > 0) & (p < begin.shape[0])
            k = jnp.clip(p - 1, 0, begin.shape[0] - 2)
            along = (time - begin[k]) / jnp.where(begin[k + 1] > begin[k], begin[k + 1] - begin[k], 1.0)
            row = Rows(jnp.where(inside, p, 0)[None], jnp.ones(1, flat.dtype), along[None], time[None])
            actions.append(s.act((), row, jnp.ones((), flat.dtype))[1])
        return together(actions)

    def slope(time, passed, y):
        return ravel_pytree(driven(cell, whole(y * scale), acting(time, passed)))[0] / scale

    found, ended = rosenbrock(
        slope, flat / scale, jnp.asarray(t, flat.dtype), jnp.asarray(edges, flat.dtype),
        method.rtol.astype(flat.dtype), method.atol.astype(flat.dtype),
        method.most, method.reverse,
    )  # fmt: skip
    states = jax.vmap(lambda y: whole(y * scale))(jnp.where(ended, found, jnp.nan))
    v, observed = jax.vmap(cell.voltage)(states), jax.vmap(cell.observe)(states)
    last = jax.tree.map(lambda x: x[-1], states)
    return jnp.asarray(t, v.dtype), v, observed, (), last, RESULTS.successful
