"""The equations that hold where a cell is at rest: its derivative is zero, at given totals of what is conserved."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float
from scipy.linalg import matrix_balance

from .._numerics.newton import scales, value_and_jacobian
from ..cell import AbstractCell

Vector = Float[Array, " n"]


class Conditions(eqx.Module):
    """A cell, the current injected into it, and the totals that it keeps."""

    cell: AbstractCell
    current: Float[Array, ""]
    totals: Float[Array, " totals"]


class Frame(eqx.Module):
    """What closes the equations of rest where the derivative leaves something open.

    As many combinations of the derivative as there are independent totals are zero wherever the state is. So there are
    as many unknowns m more, f(x) + push m = 0, which are zero where the totals are conserved, and as many equations
    more, turn (totals(x) - totals) = 0. Where a combination of totals says nothing new (`keep` is false), its m = 0.
    With each total divided by its `unit` the rows of `turn` are orthogonal, of length one. An unknown that never moves,
    as a volume without water flow, is `still`: it keeps its value in `origin`.
    """

    origin: Float[Array, " n"]
    still: Any
    push: Float[Array, "n m"]
    turn: Float[Array, "m totals"]
    keep: Any
    unit: Float[Array, " totals"]

    @property
    def size(self) -> int:
        """How many unknowns the frame adds."""
        return self.push.shape[1]


def flat(function: Callable[[Any], Any], state: Any) -> Callable[[Vector], Vector]:
    """A function of states as one of vectors; `state` shows how a state is built."""
    unravel = ravel_pytree(state)[1]
    return lambda x: ravel_pytree(function(unravel(x)))[0]


def make_frame(at: Conditions, state: Any) -> Frame:
    """The frame of a cell near a state: what does not move, and independent totals, whatever their units."""
    origin = ravel_pytree(state)[0]
    constant = lambda leaf: lax.stop_gradient(leaf) if eqx.is_inexact_array(leaf) else leaf
    at, state, x = jax.tree.map(constant, (at, state, origin))
    derivative = flat(lambda s: at.cell.derivative(s, at.current), state)
    value, matrix = value_and_jacobian(derivative, x)
    # A derivative may be flat in one state, but not beside it, too, unless it is zero everywhere.
    beside = derivative(x + 0.01 * jnp.where(x == 0, 1.0, x))
    still = (value == 0) & (beside == 0) & jnp.all(matrix == 0, axis=1)
    rank, total = min(x.size, at.totals.size), at.totals.size
    if rank == 0:
        push, turn = jnp.zeros((x.size, 0), x.dtype), jnp.zeros((0, total), x.dtype)
        return Frame(origin, still, push, turn, jnp.zeros((0,), bool), jnp.ones_like(at.totals))
    _, columns = scales(matrix)
    scaled = jax.jacfwd(flat(at.cell.totals, state))(x) * columns[None]
    norm = jnp.linalg.norm(scaled, axis=1)
    norm = jnp.where(norm > 0, norm, 1.0)
    sound = jnp.all(jnp.isfinite(scaled))
    u, s, vh = jnp.linalg.svd(jnp.where(sound, scaled / norm[:, None], 0.0), full_matrices=False)
    keep = s > 100 * jnp.finfo(x.dtype).eps * jnp.max(s)
    return Frame(origin, still, columns[:, None] * vh.T, u.T / norm[None], keep, norm)


def equations(at: Conditions, frame: Frame, state: Any) -> Callable[[Vector], Vector]:
    """The equations of rest as a square system; the unknowns are the state and the multipliers of the frame."""
    n = ravel_pytree(state)[0].size
    derivative = flat(lambda s: at.cell.derivative(s, at.current), state)
    totals = flat(at.cell.totals, state)

    def system(z):
        x, m = z[:n], z[n:]
        off = jnp.sum(frame.turn * (totals(x) - at.totals)[None], axis=1)
        push = jnp.sum(frame.push * m[None], axis=1)
        flow = jnp.where(frame.still, frame.origin - x, derivative(x))
        return jnp.concatenate([flow + push, jnp.where(frame.keep, off, m)])

    return system


def jacobian(at: Conditions, state: Any) -> Float[Array, "n n"]:
    """The derivative of the flow by the state [1/ms], in the order of the flattened state."""
    return jax.jacfwd(flat(lambda s: at.cell.derivative(s, at.current), state))(ravel_pytree(state)[0])


def conserved(at: Conditions, state: Any) -> Float[Array, "totals n"]:
    """The derivative of the totals by the state."""
    return jax.jacfwd(flat(at.cell.totals, state))(ravel_pytree(state)[0])


def eigenvalues(matrix: Any, totals: Any = None) -> np.ndarray:
    """The eigenvalues [1/ms] of Jacobians, the one with the largest real part first; NaN where there is none.

    **Arguments:** `matrix` (..., n, n); `totals` (..., k, n): derivatives of what is conserved. With them only motion
    that conserves it counts, of unknowns that move at all, which leaves out the zeros.
    """
    matrix = np.asarray(matrix, float)
    batch, n = matrix.shape[:-2], matrix.shape[-1]
    flow = matrix.reshape(-1, n, n)
    kept = np.zeros((len(flow), 0, n)) if totals is None else np.asarray(totals, float).reshape(len(flow), -1, n)
    moving = [np.ones(n, bool) if totals is None else a.any(axis=1) for a in flow]
    found = [_free(a[np.ix_(m, m)], w[:, m]) for a, w, m in zip(flow, kept, moving, strict=True)]
    size = max(map(len, found))
    padded = [np.append(x, np.full(size - len(x), np.nan)) for x in found]
    return np.stack(padded).reshape(*batch, size)


def _free(a: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The eigenvalues of a flow on the states that keep some totals; none if something is not finite."""
    if not (np.isfinite(a).all() and np.isfinite(w).all()):
        return np.zeros(0, complex)
    # In units in which rows and columns of the flow are alike, no rate is lost in the rounding of another.
    with np.errstate(invalid="ignore"):  # of its permutation, which is not asked for
        a, (units, _) = matrix_balance(a, permute=False, separate=True)
    if w.size:
        w = w * units
        norm = np.linalg.norm(w, axis=1, keepdims=True)
        _, s, vh = np.linalg.svd(w / np.where(norm > 0, norm, 1.0))
        free = vh[int((s > 1e-12 * s.max()).sum()) :]
        a = free @ a @ free.T
    found = np.linalg.eigvals(a).astype(complex)
    return found[np.lexsort((-np.imag(found), -np.real(found)))]
