"""Where a cell comes to rest, and whether it stays there."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from .._numerics.newton import Found, damped, implicit, scales
from .._numerics.relax import relax
from ..cell import AbstractCell
from ..params import as_array
from ..results import RESULTS, raise_failures
from .equilibrium import Conditions, conserved, eigenvalues, equations, jacobian, make_frame


class Rest(eqx.Module):
    """A steady state of a cell.

    **Arguments:** `state`: the state, NaN in a lane that failed; `jacobian` [1/ms] (n, n): the derivative of its flow,
    in the order of the flattened state; `conserved` (k, n): the derivative of the totals; `result`: a code of
    `RESULTS`.
    """

    state: Any
    jacobian: Float[Array, "*lanes n n"]
    conserved: Float[Array, "*lanes totals n"]
    result: RESULTS

    @property
    def eigenvalues(self) -> np.ndarray:
        """The rates [1/ms] of motion that keeps the totals, complex, the one with the largest real part first.

        They are computed by numpy on the host, because few accelerators do, and so not inside a compiled function.
        """
        return eigenvalues(self.jacobian, self.conserved)

    @property
    def stable(self) -> np.ndarray:
        """Whether every small disturbance dies out that keeps the totals."""
        growing = np.any(np.real(self.eigenvalues) >= 0, axis=-1)
        return ~growing & np.all(np.isfinite(self.jacobian), axis=(-2, -1))


def rest(at: Conditions, start: Any) -> Rest:
    """The steady state as a pure function, without checks: what a loss differentiates."""
    flat_start, unravel = ravel_pytree(start)
    given = [x for x in jax.tree.leaves((at, start)) if eqx.is_inexact_array(x)]
    sound = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in given]))
    # A lane with a parameter that is not finite goes its way with another, so that its derivative is zero, not NaN.
    finite = lambda x: jnp.where(jnp.isfinite(x), x, 1.0) if eqx.is_inexact_array(x) else x
    at, z = jax.tree.map(finite, (at, flat_start))
    frame = make_frame(at, unravel(z))
    mass = jnp.concatenate([jnp.ones_like(z), jnp.zeros((frame.size,), z.dtype)])
    system = equations(at, frame, start)
    z, found, condition = implicit(system, jnp.concatenate([z, jnp.zeros((frame.size,), z.dtype)]), _search(mass))
    x, multiplier = z[: flat_start.size], z[flat_start.size :]
    matrix, kept = jacobian(at, unravel(x)), conserved(at, unravel(x))
    # What the multipliers have to hold, next to a small change of the state.
    eps = jnp.finfo(x.dtype).eps
    rows, columns = scales(matrix)
    held = jnp.max(rows * jnp.abs(jnp.sum(frame.push * multiplier[None], 1)))
    moved = held > jnp.sqrt(eps) * jnp.max(jnp.abs(x) / columns)
    singular = condition < eps * z.size
    result = RESULTS.where(found, RESULTS.successful, RESULTS.no_steady_state)
    result = RESULTS.where(moved & found, RESULTS.totals_not_conserved, result)
    result = RESULTS.where(singular, RESULTS.singular_steady_state, result)
    result = RESULTS.where(sound, result, RESULTS.nonfinite_input)
    good = sound & found & ~moved & ~singular
    mask = lambda a: jnp.where(good, a, jnp.nan)
    return Rest(jax.tree.map(mask, unravel(x)), mask(matrix), mask(kept), result)


def _search(mass: Any) -> Any:
    def search(f: Any, start: Any) -> Found:
        # First the way that the cell itself takes; where that goes round for ever, straight to the zero.
        end, rested = relax(f, start, mass)
        return damped(f, jnp.where(rested, end, start), start)

    return search


@eqx.filter_jit
def _rest(cell: AbstractCell, start: Any, current: Any) -> Rest:
    return rest(conditions(cell, start, current), start)


@eqx.filter_jit
def _init(cell: AbstractCell) -> Any:
    return cell.init()


def steady_state(cell: AbstractCell, start: Any = None, *, current: Any = 0.0, throw: bool = True) -> Rest:
    """The state in which a cell stays: f(x) = 0, where dx/dt = f(x), with the totals of the start.

    From the start the flow of the cell is followed in growing steps, and Newton's method ends it, so that the state is
    the one at which the cell comes to rest, or the start itself if that is steady. If the cell never comes to rest,
    because it fires, Newton's method alone is tried, which finds unstable states, too. Totals that the cell conserves
    (`cell.totals`) are held at their values in the start: without them a rest state of a closed cell is one of a
    continuum.

    The derivative by every parameter, by the current and by the start (through its totals) is that of the implicit
    function: exact, to any order, forward and reverse.

    **Arguments:** `start`: a state, by default `cell.init()`; `current`: injected, in the cell's unit; `throw`: raise
    an error if there is none (`rest.result` holds the code otherwise, and the state is NaN).
    **Returns:** a `Rest`, with `rest.state`, `rest.eigenvalues`, `rest.stable`.
    **Raises:** `RuntimeError` with the cause and the remedy.
    """
    found = _rest(cell, _init(cell) if start is None else start, as_array(current))
    if throw and not any(isinstance(x, Tracer) for x in jax.tree.leaves(found)):
        raise_failures(found.result)
    return found


def conditions(cell: AbstractCell, start: Any, current: Any) -> Conditions:
    """A cell with its current, and the totals of a state."""
    totals = cell.totals(start)
    return Conditions(cell, jnp.asarray(current, totals.dtype), totals)


def stability(cell: AbstractCell, state: Any, *, current: Any = 0.0, with_conserved: bool = False) -> np.ndarray:
    """The eigenvalues [1/ms] of a cell's flow at a state, the one with the largest real part first.

    They are computed by numpy on the host, because few accelerators do, and so not inside a compiled function.

    **Arguments:** `state`: a rest state; `current`: injected, in the cell's unit; `with_conserved`: with the zeros of
    motion that changes what is conserved.
    """
    matrix, kept = _flow(cell, state, as_array(current))
    return eigenvalues(matrix, None if with_conserved else kept)


@eqx.filter_jit
def _flow(cell: AbstractCell, state: Any, current: Any) -> tuple[Array, Array]:
    at = conditions(cell, state, current)
    return jacobian(at, state), conserved(at, state)
