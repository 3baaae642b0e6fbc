"""Walking along a branch of steady states: steps that fit its bends, and what is special between them."""

import dataclasses
from collections.abc import Iterator
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float
from scipy.optimize import brentq

from .._numerics.newton import damped
from ..results import RESULTS
from .branch import Kind
from .equilibrium import Conditions, Frame, eigenvalues, equations

Vector = Float[Array, " n"]


class Line(eqx.Module):
    """Conditions of which one number varies, and how a state is built.

    `value` is the number, and `varies` is one where it is, zero elsewhere, and None where no number is.
    """

    at: Conditions
    varies: Conditions
    value: Float[Array, ""]
    frame: Frame
    state: Any

    def conditions(self, p: Any) -> Conditions:
        """The conditions at a value of the parameter."""
        put = lambda one, old: old if one is None else jnp.where(one == 1, p, old + one * (p - self.value))
        return jax.tree.map(put, self.varies, self.at, is_leaf=lambda x: x is None)


class Corrected(NamedTuple):
    """A steady state near a guess, in scaled unknowns; the direction of the branch, and the flow around it."""

    w: Vector
    tangent: Vector
    matrix: Any
    kept: Any
    v: Any
    found: Any


@eqx.filter_jit
def correct(line: Line, size: Vector, guess: Vector, normal: Vector) -> Corrected:
    """The steady state in the plane through `guess` with normal `normal`; unknowns are divided by `size`."""
    n = ravel_pytree(line.state)[0].size

    def closed(w):
        z, p = (w * size)[:-1], (w * size)[-1]
        plane = jnp.sum(normal * (w - guess))
        return jnp.concatenate([equations(line.conditions(p), line.frame, line.state)(z), plane[None]])

    found = damped(closed, guess, most=15)
    # The plane's normal is the last row of the Jacobian, so that this keeps the direction in which it points.
    tangent = found.jacobian.solve(jnp.zeros_like(guess).at[-1].set(1.0))
    tangent = tangent / jnp.linalg.norm(tangent)
    u = found.x * size
    state, at = ravel_pytree(line.state)[1](u[:n]), line.conditions(u[-1])
    sound = found.converged & jnp.all(jnp.isfinite(tangent))
    matrix = found.jacobian.matrix[:-1, :n] / size[None, :n]
    flow = jnp.where(line.frame.still[:, None], 0.0, matrix[:n])
    moved = ravel_pytree(at.cell.derivative(state, at.current))[0]
    sound = sound & ~jnp.any(line.frame.still & (moved != 0))
    return Corrected(found.x, tangent, flow, matrix[n:], at.cell.voltage(state), sound)


@dataclasses.dataclass
class Point:
    """A point of the branch on the host: unknowns (state, multipliers, parameter) and direction, not scaled."""

    u: np.ndarray
    direction: np.ndarray
    v: float
    eigenvalues: np.ndarray
    kind: Kind | None = None

    @property
    def unstable(self) -> int:
        """How many eigenvalues have positive real parts."""
        return int((np.real(self.eigenvalues) > 0).sum())


class Lost(Exception):
    """No steady state where one was looked for."""


class Walk:
    """A walk along a branch with steps that fit its bends; how it ended is its `result`.

    **Arguments:** `size`: of each unknown (state, multipliers, parameter); `span`: the range of the parameter;
    `longest`: a step, in sizes; `most`: points.
    """

    def __init__(self, line: Line, size: np.ndarray, span: tuple[float, float], longest: float, most: int):
        self.line, self.size, self.span, self.longest, self.most = line, size, span, longest, most
        self.dtype = line.at.totals.dtype
        self.result = RESULTS.successful
        self.returned = False

    def at(self, guess: np.ndarray, normal: np.ndarray) -> Point:
        """The point in a plane; `guess` and `normal` are scaled."""
        given = (jnp.asarray(x, self.dtype) for x in (self.size, guess, normal))
        x = jax.device_get(correct(self.line, *given))
        if not x.found:
            raise Lost
        return Point(x.w * self.size, x.tangent * self.size, float(x.v), eigenvalues(x.matrix, x.kept))

    def scaled(self, point: Point) -> tuple[np.ndarray, np.ndarray]:
        """A point and its direction of length one, in the sizes of now."""
        direction = point.direction / self.size
        return point.u / self.size, direction / np.linalg.norm(direction)

    def across(self, w: np.ndarray) -> np.ndarray:
        """The normal of a plane of constant parameter."""
        return np.eye(w.size)[-1]

    def points(self, first: Point) -> Iterator[Point]:
        """The points that follow, special ones among them, up to an end of the range."""
        shortest, length = 1e-4 * self.longest, 0.1 * self.longest
        here = first
        for count in range(self.most):
            w, t = self.scaled(here)
            while True:
                try:
                    there, bend, found = self.step(here, w, t, length, strict=length > shortest)
                    break
                except Lost:
                    length *= 0.4
                    if length < 1e-4 * shortest:
                        self.result = RESULTS.branch_lost
                        return
            yield from found
            yield there
            if there.u[-1] in self.span:
                return
            if count > 4 and self.closes(first, w, self.scaled(there)[0]):
                self.returned = True
                return
            length = min(self.longest, length * np.clip(0.15 / max(bend, 1e-9), 0.5, 1.6))
            self.size = np.maximum(self.size, np.abs(there.u))
            here = there
        self.result = RESULTS.branch_unfinished

    def step(self, here: Point, w: np.ndarray, t: np.ndarray, length: float, strict: bool) -> Any:
        """The next point, by how much the branch bends on the way [rad], and what is special between.

        **Raises** `Lost` if there is none, the branch bends too much, or, if `strict`, more happens than can be told
        apart.
        """
        there = self.at(w + length * t, t)
        new, direction = self.scaled(there)
        if np.linalg.norm(new - w) > 1.3 * length:
            raise Lost
        bend = float(np.arccos(np.clip(direction @ t, -1.0, 1.0)))
        if bend > 0.4:
            raise Lost
        low, high = self.span
        if not low < there.u[-1] < high:
            end = low if there.u[-1] <= low else high
            if here.direction[-1] * there.direction[-1] <= 0:
                raise Lost
            part = (end - here.u[-1]) / (there.u[-1] - here.u[-1])
            guess = w + part * (new - w)
            guess[-1] = end / self.size[-1]
            there = self.at(guess, self.across(w) * np.sign(t[-1]))
            there.u[-1] = end
            length = float(t @ (there.u / self.size - w))
        return there, bend, self.special(here, there, w, t, length, strict)

    def special(self, here: Point, there: Point, w: Any, t: Any, length: float, strict: bool) -> list[Point]:
        """The point of change between two points, if there is one.

        Between two points of a branch that are near each other the real parts of the eigenvalues, put in order, are
        continuous; so is the direction. What changes its sign is sought along the way.
        """
        before, after = here.unstable, there.unstable
        fold = here.direction[-1] * there.direction[-1] < 0
        crossed = abs(after - before)
        if strict and (crossed != 1 if fold else crossed > 2):
            raise Lost
        if not fold and not crossed:
            return []
        rank = min(before, after)
        kind = Kind.FOLD if fold else Kind.HOPF if crossed == 2 else Kind.CROSSING

        def change(s: float) -> float:
            point = self.at(w + s * t, t)
            return float(point.direction[-1] if fold else np.sum(np.real(point.eigenvalues)[rank : rank + crossed]))

        try:
            point = self.at(w + brentq(change, 0.0, length, xtol=1e-15, rtol=1e-15) * t, t)
        except ValueError:  # no change of sign: rounding decides what is stable
            if strict:
                raise Lost from None
            return []
        if kind is Kind.HOPF and np.imag(point.eigenvalues[rank]) == 0:  # two real eigenvalues, each on its own
            if strict:
                raise Lost
            return []
        point.kind = kind
        return [point]

    def closes(self, first: Point, before: np.ndarray, after: np.ndarray) -> bool:
        """Whether the branch has come back to where it began."""
        start, direction = self.scaled(first)
        way = after - before
        part = (start - before) @ way / (way @ way)
        near = np.linalg.norm(before + part * way - start) < 0.1 * np.linalg.norm(way)
        return bool(near and 0 <= part <= 1 and direction @ way > 0)
