"""Implicit steps of adaptive length, for stiff cells and long times."""

from typing import Any

import diffrax
import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..cell import AbstractCell
from ..results import RESULTS, InputError
from .recorders import AbstractRecorder
from .stimulus import AbstractStimulus, Arrivals, Noise, Rows, together


class Adaptive(eqx.Module):
    """Implicit Runge-Kutta steps of adaptive length, restarted where a command jumps: for stiff cells and hours.

    Every entry of the state is measured by its own size at the start.

    **Arguments:** `rtol`, `atol`: tolerances of a step, both relative; `most`: how many steps may be taken; `solver`,
    `adjoint`: of diffrax.
    **Source:** Kvaerno 2004 (an ESDIRK method of order 5), as in diffrax.
    """

    rtol: float = eqx.field(static=True, default=1e-8)
    atol: float = eqx.field(static=True, default=1e-8)
    most: int = eqx.field(static=True, default=100_000)
    solver: Any = eqx.field(static=True, default_factory=diffrax.Kvaerno5)
    adjoint: Any = eqx.field(static=True, default_factory=diffrax.RecursiveCheckpointAdjoint)

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
        end = float(t[-1])
        plans = tuple(_pieces(s, end) for s in stimuli)
        edges = np.unique(np.concatenate([np.zeros(1), *(p[0] for p in plans)]))
        jumps = edges[(edges > 0) & (edges < end)]
        return _solve(self, cell, state, stimuli, plans, jumps, t)


def _pieces(stimulus: Any, end: float) -> tuple[np.ndarray, np.ndarray]:
    """The edges of the pieces of a command."""
    command = stimulus.command
    stimulus.plan(np.array([0.0, end]))  # refuses what does not lie in the run
    return np.asarray(command.t), np.zeros(0)


@eqx.filter_jit
def _solve(method, cell, state, stimuli, plans, jumps, t):
    leaves, tree = jax.tree.flatten(state)
    scales = [jax.lax.stop_gradient(jnp.where(jnp.abs(x) > 1e-6, jnp.abs(x), 1.0)) for x in map(jnp.asarray, leaves)]

    def whole(y):
        return jax.tree.unflatten(tree, [x * s for x, s in zip(y, scales, strict=True)])

    def acting(time):
        actions = []
        for s, (edges, _) in zip(stimuli, plans, strict=True):
            piece = jnp.searchsorted(edges, time, side="right")
            k = jnp.clip(piece - 1, 0, edges.shape[0] - 2)
            inside = (piece > 0) & (piece < edges.shape[0])
            along = (time - edges[k]) / jnp.where(edges[k + 1] > edges[k], edges[k + 1] - edges[k], 1.0)
            row = Rows(jnp.where(inside, piece, 0)[None], jnp.ones(1), along[None], time[None])
            actions.append(s.act((), row, jnp.ones(()))[1])
        return together(actions)

    def slope(time, y, args):
        here = whole(y)
        action = acting(time)
        current = action.inject(cell.voltage(here))
        rate = cell.derivative(here, current, action.supply) if action.supply else cell.derivative(here, current)
        return [r / s for r, s in zip(jax.tree.leaves(rate), scales, strict=True)]

    controller = diffrax.PIDController(rtol=method.rtol, atol=method.atol)
    if jumps.shape[0]:
        controller = diffrax.ClipStepSizeController(controller, jump_ts=jumps)
    start = [jnp.asarray(x) / s for x, s in zip(leaves, scales, strict=True)]
    solution = diffrax.diffeqsolve(
        diffrax.ODETerm(slope), method.solver, jnp.zeros_like(t[-1]), t[-1], None, start,
        saveat=diffrax.SaveAt(ts=t), stepsize_controller=controller, max_steps=method.most,
        adjoint=method.adjoint, throw=False,
    )  # fmt: skip
    states = jax.vmap(whole)(solution.ys)
    ended = solution.result == diffrax.RESULTS.successful
    states = jax.tree.map(lambda x: jnp.where(ended, x, jnp.nan) if eqx.is_inexact_array(x) else x, states)
    observed = jax.vmap(cell.observe)(states)
    v = jax.vmap(cell.voltage)(states)
    last = jax.tree.map(lambda x: x[-1], states)
    return jnp.asarray(t, v.dtype), v, observed, (), last, RESULTS.successful
