"""Following the steady states of a cell along a parameter, through folds and Hopf points."""

import dataclasses
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from ..cell import AbstractCell
from ..params import as_array
from ..results import RESULTS, InputError, raise_failures
from .branch import Branch, Kind, SpecialPoint
from .equilibrium import Conditions, make_frame
from .steady import conditions, steady_state
from .walk import Line, Lost, Point, Walk


@dataclasses.dataclass(frozen=True)
class Injected:
    """The injected current as the parameter that is followed, in the cell's unit."""


@dataclasses.dataclass(frozen=True)
class Total:
    """A conserved total as the parameter that is followed: entry `index` of `cell.totals(state)`."""

    index: int


def follow(
    cell: AbstractCell,
    where: Callable[[Any], Any] | Injected | Total,
    span: tuple[float, float],
    *,
    start: Any = None,
    current: float = 0.0,
    resolution: int = 100,
    most: int = 2000,
    throw: bool = True,
) -> Branch:
    """The branch of steady states through the one of a cell, along a parameter: pseudo-arclength continuation.

    From the steady state at the cell's own value the branch is followed both ways, round its folds, to the ends of the
    range. Next to the totals of the start, which are held, each step solves f(x, p) = 0 with t . (w - guess) = 0, where
    w are state and parameter divided by their sizes, and t the direction of the branch. Folds are the zeros of the
    parameter's part of t, Hopf points those of the real part of a pair of eigenvalues, found along the branch to
    rounding; oscillations are not followed. It runs on the host with compiled steps, and needs float64.

    **Arguments**

    - `where`: a number of the cell, such as `lambda c: c.k_bath` or an element of an array; `Injected()`: the current;
      `Total(i)`: a conserved total.
    - `span`: the range of the parameter, in its unit; the cell's own value lies in it.
    - `start`: a state; the branch starts at the steady state to which it leads (see `steady_state`).
    - `current`: injected, in the cell's unit.
    - `resolution`: how many points a straight branch across the range has; `most`: points in each direction at most.
    - `throw`: raise an error if the branch is lost or unfinished (`branch.result` holds the code otherwise).

    **Returns:** a `Branch`.
    **Raises:** `InputError` for a selection that is no number of the cell or a range that does not hold its value;
    `RuntimeError` if there is no steady state to start from, or the branch is lost.

    **Source:** H. B. Keller, in Applications of Bifurcation Theory (Academic Press, 1977), p. 359; Y. A. Kuznetsov,
    Elements of Applied Bifurcation Theory, 3rd ed. (Springer, 2004), chapter 10.
    """
    low, high = map(float, span)
    start = steady_state(cell, start, current=current).state
    line = _line(conditions(cell, start, as_array(current)), where, start)
    value = float(line.value)
    if not low <= value <= high or low == high:
        raise InputError(
            f"Argument `span` must be a range that holds the cell's own value, {value:g}, but is [{low:g}, {high:g}]; "
            f"widen it or change the cell."
        )
    u = np.append(np.append(ravel_pytree(start)[0], np.zeros(line.frame.size)), value)
    walk = Walk(line, np.ones_like(u), (low, high), 1.0 / resolution, most)
    walk.size = _sizes(u, high - low)
    try:
        first = walk.at(u / walk.size, walk.across(u))
    except Lost:
        raise_failures(RESULTS.branch_lost)
        raise
    slope = np.abs(first.direction / first.direction[-1]) * (high - low)
    walk.size = np.maximum(walk.size, np.where(np.isfinite(slope), slope, 0.0))

    size, ways = walk.size, []
    for sign in (-1.0, 1.0):
        leaves = value == (low if sign < 0 else high)
        walk.size = size
        begin = dataclasses.replace(first, direction=sign * first.direction)
        ways.append([] if leaves or walk.returned else list(walk.points(begin)))
    branch = _join([*reversed(ways[0]), first, *ways[1]], start, walk.result)
    if throw:
        raise_failures(branch.result)
    return branch


def _sizes(u: np.ndarray, width: float) -> np.ndarray:
    """With what each unknown is compared: its own size, the parameter with its range."""
    size = np.abs(u)
    size[-1] = width
    return np.where(size > 1e-12 * size.max(), size, 1.0)


def _line(at: Conditions, where: Any, state: Any) -> Line:
    """What varies along a branch: where the gradient of the selection is one."""
    if isinstance(where, Injected):
        select = lambda x: x.current
    elif isinstance(where, Total):
        if not 0 <= where.index < at.totals.size:
            raise InputError(f"The cell has {at.totals.size} totals, but Total({where.index}) was asked for.")
        select = lambda x: x.totals[where.index]
    else:
        select = lambda x: where(x.cell)
    value = select(at)
    if not (eqx.is_inexact_array(value) and value.shape == ()):
        raise InputError(
            "Argument `where` must select one number of the cell, such as `lambda c: c.g` or `lambda c: c.g[0]`."
        )
    varies = eqx.filter_grad(select)(at)
    chosen = np.concatenate([np.ravel(x) for x in jax.tree.leaves(varies)])
    if not (chosen.sum() == 1.0 and np.isin(chosen, (0.0, 1.0)).all()):
        raise InputError("Argument `where` must select one number of the cell and do nothing more with it.")
    frame = make_frame(at, state)
    if isinstance(where, Total):
        # Totals that depend on this one move with it, as little as they must.
        kept = np.asarray(frame.turn * frame.unit[None])[np.asarray(frame.keep)]
        moves = kept.T @ kept[:, where.index] * np.asarray(frame.unit)
        if moves[where.index] == 0.0:
            raise InputError(f"Total({where.index}) must depend on the state of the cell, but does not.")
        moves = jnp.asarray(moves / moves[where.index], at.totals.dtype)
        varies = eqx.tree_at(lambda x: x.totals, varies, moves)
    return Line(at, varies, value, frame, state)


def _join(points: list[Point], state: Any, result: RESULTS) -> Branch:
    unravel = ravel_pytree(state)[1]
    size = ravel_pytree(state)[0].size
    as_state = lambda u: jax.tree.map(np.asarray, unravel(jnp.asarray(u[:size])))
    special = []
    for index, x in enumerate(points):
        if x.kind is not None:
            frequency = np.nan
            if x.kind is Kind.HOPF:
                frequency = float(np.abs(x.eigenvalues[np.argmin(_off_axis(x.eigenvalues))].imag))
            special.append(SpecialPoint(x.kind, index, float(x.u[-1]), as_state(x.u), frequency))
    states = jax.vmap(unravel)(jnp.asarray(np.stack([x.u[:size] for x in points])))
    return Branch(
        parameter=np.array([x.u[-1] for x in points]),
        state=jax.tree.map(np.asarray, states),
        v=np.array([x.v for x in points]),
        eigenvalues=np.stack([x.eigenvalues for x in points]),
        stable=np.array([x.kind is None and x.unstable == 0 for x in points]),
        special=tuple(special),
        result=result,
    )


def _off_axis(values: np.ndarray) -> np.ndarray:
    """How far complex eigenvalues are from the imaginary axis; real ones are infinitely far."""
    return np.where(np.imag(values) != 0, np.abs(np.real(values)), np.inf)
