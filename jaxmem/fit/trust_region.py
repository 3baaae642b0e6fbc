"""Bounded nonlinear least squares by trust regions, as a state machine that never sees the data.

A lane is one search from one start. All that the search needs of the residuals r(x) and their Jacobian J is
the triangle R of a QR factorization of [J r] (p + 1 columns): |J s + r| = |R (s, 1)| for every step s. It
keeps all the digits of J, which J^T J does not. So the engine is numpy on a (p + 1) x (p + 1) matrix, a
lane's whole state is a few small arrays that can be stored and continued with the same bits, and where the
residuals are evaluated (threads, a vmapped chunk on an accelerator) is somebody else's business.
"""

import dataclasses
import enum
import math
from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from .box import bounded_step


class Ending(enum.IntEnum):
    """How a lane ended."""

    running = 0
    gradient = 1
    loss = 2
    step = 3
    max_evaluations = 4
    nonfinite_start = 5

    @property
    def converged(self) -> bool:
        """Whether the lane stands at a minimum as far as its tolerances tell."""
        return self in (Ending.gradient, Ending.loss, Ending.step)

    @property
    def text(self) -> str:
        """What happened, and the remedy if there is one."""
        return _TEXT[self]


_TEXT = {
    Ending.running: "The lane has not ended.",
    Ending.gradient: "Converged: the residuals are at right angles to every free column of the Jacobian.",
    Ending.loss: "Converged: the loss no longer changes.",
    Ending.step: "Converged: the parameters no longer change.",
    Ending.max_evaluations: "Stopped at the largest number of evaluations: raise max_evaluations.",
    Ending.nonfinite_start: "The residuals or their derivatives at the start are not finite: narrow bounds.",
}


@dataclasses.dataclass(frozen=True)
class TrustRegion:
    """Settings of the search.

    **Arguments**

    - `loss_tolerance`: converged when a step changes the loss by less than this fraction.
    - `step_tolerance`: converged when a step changes the search coordinates by less than this fraction.
    - `gradient_tolerance`: converged when the cosine between the residuals and each free column is below it.
    - `max_evaluations`: evaluations of the loss in one lane.
    - `reach`: first radius of the region, as a fraction of the box's size.
    """

    loss_tolerance: float = 1e-8
    step_tolerance: float = 1e-8
    gradient_tolerance: float = 1e-8
    max_evaluations: int = 300
    reach: float = 0.1


@dataclasses.dataclass(frozen=True)
class Lane:
    """One search, everything that its next step depends on; `loss` is half the sum of squares."""

    x: Float[np.ndarray, " p"]
    loss: float
    triangle: Float[np.ndarray, "rows columns"]
    radius: float
    evaluations: int
    jacobians: int
    ending: Ending


Point = Float[np.ndarray, " p"]
Bounds = tuple[Point, Point]
Triangle = Float[np.ndarray, "rows columns"]


def begin(x: Point, loss: float, triangle: Triangle, bounds: Bounds, method: TrustRegion) -> Lane:
    """A lane at its start, from the loss and the triangle there."""
    if not (math.isfinite(loss) and np.isfinite(triangle).all()):
        blank = np.full_like(triangle, np.nan)
        return Lane(x, math.nan, blank, 0.0, 1, 1, Ending.nonfinite_start)
    lane = Lane(x, loss, triangle, 0.0, 1, 1, Ending.running)
    radius = method.reach * float(np.linalg.norm(_scale(lane, bounds) * _width(x, bounds)))
    return _check_gradient(dataclasses.replace(lane, radius=radius), bounds, method)


def propose(lane: Lane, bounds: Bounds) -> tuple[Point, float, float]:
    """The next trial point, the fall of the loss that the linear model predicts, the scaled step's length."""
    scale = _scale(lane, bounds)
    a, b = lane.triangle[:, :-1] / scale, lane.triangle[:, -1]
    low, high = (bounds[0] - lane.x) * scale, (bounds[1] - lane.x) * scale
    z = bounded_step(a, b, low, high, lane.radius)
    change = a @ z
    predicted = -float(change @ (b + 0.5 * change))
    x = np.clip(lane.x + z / scale, *bounds)
    x = np.where(z <= low, bounds[0], np.where(z >= high, bounds[1], x))
    return x, predicted, float(np.linalg.norm(z))


def judge(
    lane: Lane,
    proposal: tuple[Point, float, float],
    loss: float,
    triangle: Triangle | None,
    bounds: Bounds,
    method: TrustRegion,
) -> Lane:
    """The lane after a trial: moved if the loss fell (and the Jacobian there is finite), with a new radius.

    A trial that is NaN or infinite is a refused step.

    **Arguments:** `triangle`: at the trial point, needed if `improves(lane, proposal, loss)`.
    """
    x, predicted, length = proposal
    accepted = improves(lane, proposal, loss) and triangle is not None and bool(np.isfinite(triangle).all())
    finite = math.isfinite(loss) and (accepted or triangle is None)
    actual = lane.loss - loss if finite else -math.inf
    ratio = actual / predicted if predicted > 0 else 0.0
    radius = lane.radius
    if not ratio > 0.25:
        radius = 0.25 * min(length, lane.radius)
    elif ratio > 0.75 and length > 0.85 * lane.radius:
        radius = 2.0 * lane.radius
    evaluations = lane.evaluations + 1

    ending = Ending.running
    small = method.loss_tolerance * lane.loss
    step = float(np.linalg.norm(x - lane.x))
    if abs(actual) <= small and predicted <= small:
        ending = Ending.loss
    elif step <= method.step_tolerance * (method.step_tolerance + float(np.linalg.norm(lane.x))):
        ending = Ending.step
    elif evaluations >= method.max_evaluations:
        ending = Ending.max_evaluations
    if not accepted:
        return dataclasses.replace(lane, radius=radius, evaluations=evaluations, ending=ending)
    moved = Lane(x, loss, triangle, radius, evaluations, lane.jacobians + 1, ending)  # type: ignore[arg-type]
    return moved if ending else _check_gradient(moved, bounds, method)


def improves(lane: Lane, proposal: tuple[Point, float, float], loss: float) -> bool:
    """Whether a trial lowers the loss by more than a trifle of what was predicted."""
    return math.isfinite(loss) and lane.loss - loss > max(1e-4 * proposal[1], 0.0)


def _check_gradient(lane: Lane, bounds: Bounds, method: TrustRegion) -> Lane:
    """Ends the lane if no free column of the Jacobian has a part along the residuals."""
    a, b = lane.triangle[:, :-1], lane.triangle[:, -1]
    gradient = a.T @ b
    outward = ((lane.x <= bounds[0]) & (gradient > 0)) | ((lane.x >= bounds[1]) & (gradient < 0))
    size = np.linalg.norm(a, axis=0) * np.linalg.norm(b)
    cosine = np.abs(gradient) / np.where(size > 0, size, 1.0)
    if np.all(outward | (cosine <= method.gradient_tolerance)):
        return dataclasses.replace(lane, ending=Ending.gradient)
    return lane


def _width(x: Point, bounds: Bounds) -> Point:
    width = bounds[1] - bounds[0]
    return np.where(np.isfinite(width), width, np.maximum(np.abs(x), 1.0))


def _scale(lane: Lane, bounds: Bounds) -> Point:
    """What a unit of each coordinate weighs in the length of a step.

    The norm of its column, as in Marquardt's method, but not less than what keeps a step along a flat
    direction inside a part of the box: lanes that jump to its far end end on plateaus.
    """
    norms = np.linalg.norm(lane.triangle[:, :-1], axis=0)
    size = float(np.linalg.norm(lane.triangle[:, -1]))
    scale = np.hypot(norms, 10.0 * size / _width(lane.x, bounds))
    return np.where(scale > 0, scale, 1.0)


def search(
    x: Point,
    loss: Callable[[Point], float],
    linearize: Callable[[Point], Triangle],
    bounds: Bounds,
    method: TrustRegion,
    *,
    lane: Lane | None = None,
    keep: Callable[[Lane], None] = lambda lane: None,
) -> Lane:
    """One lane from its start (or from a stored `lane`) to its end; `keep` sees every state on the way.

    **Arguments**

    - `x`: the start, in search coordinates.
    - `loss`: half the sum of squares at a point.
    - `linearize`: the triangle of [J r] at a point.
    - `bounds`: lower and upper, shape (p,) each.
    """
    if lane is None:
        lane = begin(x, loss(x), linearize(x), bounds, method)
        keep(lane)
    while not lane.ending:
        proposal = propose(lane, bounds)
        value = loss(proposal[0])
        triangle = linearize(proposal[0]) if improves(lane, proposal, value) else None
        lane = judge(lane, proposal, value, triangle, bounds, method)
        keep(lane)
    return lane
