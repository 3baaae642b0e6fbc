"""The small subproblem of a bounded least-squares step: a damped linear fit inside a box.

Everything here is numpy on matrices of p columns, p being the number of free parameters.
"""

import numpy as np
from jaxtyping import Bool, Float


def damped_step(
    a: Float[np.ndarray, "rows p"],
    b: Float[np.ndarray, " rows"],
    lower: Float[np.ndarray, " p"],
    upper: Float[np.ndarray, " p"],
    damping: float,
) -> tuple[Float[np.ndarray, " p"], Bool[np.ndarray, " p"]]:
    """The minimizer z of |a z + b|^2 + damping |z|^2 with lower <= z <= upper, and which entries are off
    their bounds.

    An active-set method: solve on the free entries, walk to the first bound met, hold that entry; at a
    minimum of the free entries let go of the held entry whose gradient points inside most.

    **Arguments**

    - `a`, `b`: the linear model of the residuals.
    - `lower`, `upper`: the box, with lower <= 0 <= upper.
    - `damping`: not negative.

    **Source** P. B. Stark, R. L. Parker, Computational Statistics 10, 129 (1995).
    """
    p = a.shape[1]
    rows = np.vstack([a, np.sqrt(damping) * np.eye(p)]) if damping > 0 else a
    target = np.concatenate([-b, np.zeros(len(rows) - len(b))])
    z = np.zeros(p)
    movable = upper > lower
    free = movable.copy()
    tiny = 1e-13 * np.linalg.norm(rows, axis=0) * np.linalg.norm(target)
    for _ in range(6 * p + 10):
        new = z.copy()
        if free.any():
            held = target - rows[:, ~free] @ z[~free]
            new[free] = np.linalg.lstsq(rows[:, free], held, rcond=None)[0]
        crossing = free & ((new < lower) | (new > upper))
        if crossing.any():
            move = new - z
            bound = np.where(move < 0, lower, upper)
            part = np.full(p, np.inf)
            part[crossing] = (bound[crossing] - z[crossing]) / move[crossing]
            alpha = max(part.min(), 0.0)
            z = np.where(free, z + alpha * move, z)
            hit = part <= alpha
            z[hit] = bound[hit]
            z = np.clip(z, lower, upper)
            free &= ~hit
            continue
        z = new
        gradient = rows.T @ (rows @ z - target)
        inward = np.where(z <= lower, -gradient, gradient)
        inward[free | ~movable] = -np.inf
        best = int(np.argmax(inward))
        if not inward[best] > tiny[best]:
            break
        free[best] = True
    return z, free


def bounded_step(
    a: Float[np.ndarray, "rows p"],
    b: Float[np.ndarray, " rows"],
    lower: Float[np.ndarray, " p"],
    upper: Float[np.ndarray, " p"],
    radius: float,
) -> Float[np.ndarray, " p"]:
    """The minimizer z of |a z + b|^2 with lower <= z <= upper and |z| <= radius (to a tenth).

    The damping that gives a step of that length is found by Hebden's iteration on the free entries, kept
    inside a bracket; the length never grows with the damping, also inside a box.

    **Source** J. J. Moré, Lecture Notes in Mathematics 630, 105 (1978).
    """
    z, free = damped_step(a, b, lower, upper, 0.0)
    size = float(np.linalg.norm(z))
    if size <= 1.1 * radius:
        return z
    low, high = 0.0, float(np.linalg.norm(a.T @ b)) / radius
    damping = 0.0
    for _ in range(30):
        rows = np.vstack([a, np.sqrt(damping) * np.eye(a.shape[1])])[:, free]
        r = np.asarray(np.linalg.qr(rows, mode="r"))
        if size > 0 and z[free].any() and np.abs(np.diag(r)).min() > 1e-14 * np.abs(r).max():
            w = np.linalg.solve(r.T, z[free])
            damping += (size - radius) / radius * size**2 / float(w @ w)
        else:
            damping = -1.0
        if not low < damping < high:
            damping = max(1e-3 * high, np.sqrt(low * high))
        z, free = damped_step(a, b, lower, upper, damping)
        size = float(np.linalg.norm(z))
        if abs(size - radius) <= 0.1 * radius:
            break
        if size > radius:
            low = damping
        else:
            high = damping
    return z
