"""Meshes made finer where they need it, by an estimate of the error."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import ArrayLike, Float

from ..electrochemistry import Bath
from ..results import InputError
from .mesh import Mesh, graded
from .pore import Pore
from .profile import Profile
from .solve import solve

_MOST_NODES = 20_000


def refined(
    pore: Pore,
    v: Float[ArrayLike, ""],
    bath: Bath,
    tolerance: float = 1e-4,
    *,
    mesh: Mesh | None = None,
    **how: Any,
) -> Mesh:
    """A mesh on which the currents of the ions are right to a tolerance, relative to the largest of them.

    The error is estimated from the same pore on every second node: the scheme is of second order, so the difference is
    about three times what is left. While it is too large, edges are halved where the field, or the logarithm of a
    concentration, bends most across them. It solves the pore at each stage, so it works on known numbers only; use the
    mesh for all voltages and baths that are not harder.

    **Arguments:** `v`, `bath`: the hardest conditions that the mesh is for; `tolerance`: relative; `mesh`: to begin
    with, `graded(pore, bath)` by default; `how`: as `solve` takes it.

    **Raises:** `InputError` where more than 20 000 nodes would be needed; what `solve` raises.
    """
    mesh = graded(pore, bath, 129) if mesh is None else mesh
    while True:
        fine = solve(pore, v, bath, mesh=mesh, **how)
        coarse = solve(pore, v, bath, mesh=mesh.every(2)[0], **how)
        largest = float(jnp.max(jnp.abs(fine.flux)))
        error = float(jnp.max(jnp.abs(fine.flux - coarse.flux))) / 3.0
        if error <= tolerance * largest:
            return mesh
        if mesh.nodes > _MOST_NODES // 2:
            raise InputError(
                f"A mesh of {mesh.nodes} nodes still has an error of {error / largest:.1e}; ask for no less."
            )
        mesh = _halved(mesh, _bends(fine), min(8.0, error / (tolerance * largest)))


def _bends(profile: Profile) -> Float[np.ndarray, " edges"]:
    """How far the potential [25 mV], or the logarithm of a concentration, is from a line across each edge."""
    x = np.asarray(profile.x)
    c = np.asarray(profile.concentrations)
    floor = 1e-6 * c.max()
    values = np.concatenate([np.asarray(profile.potential)[None] / 25.0, np.log(np.maximum(c, floor))])
    slopes = np.diff(values) / np.diff(x)
    turn = np.abs(np.diff(slopes, prepend=slopes[:, :1], append=slopes[:, -1:]))
    return (np.maximum(turn[:, :-1], turn[:, 1:]) * np.diff(x)).max(0)


def _halved(mesh: Mesh, bends: Float[np.ndarray, " edges"], excess: float) -> Mesh:
    """The mesh with those edges halved that bend most: more of them, the larger the error is."""
    share = 1.0 if excess >= 3.0 else 0.5
    split = bends >= np.quantile(bends, 1.0 - share)
    left, right = np.asarray(mesh.left), np.asarray(mesh.right)
    middle = 0.5 * (left + right)
    lefts = [part for a, m, s in zip(left, middle, split, strict=True) for part in ([a, m] if s else [a])]
    rights = [part for b, m, s in zip(right, middle, split, strict=True) for part in ([m, b] if s else [b])]
    cells = np.bincount(mesh.segment, weights=1 + split, minlength=len(mesh.cells))
    dtype = mesh.left.dtype
    return Mesh(jnp.asarray(lefts, dtype), jnp.asarray(rights, dtype), tuple(int(n) for n in cells))
