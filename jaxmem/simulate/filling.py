"""Arrays filled up to common sizes, so that nearly equal commands share a compiled program and sweeps can be
stacked."""

from typing import Any

import jax.numpy as jnp
import numpy as np


def bucket(n: int) -> int:
    """n rounded up to one of few sizes: at most an eighth more."""
    if n <= 64:
        return n
    grain = 2 ** (int(n).bit_length() - 4)
    return -(-n // grain) * grain


def filled(x: Any, n: int, how: str) -> Any:
    """x with its first axis filled up to n: by zeros, or by its last row ("edge")."""
    xp = np if isinstance(x, np.ndarray) else jnp
    more = [(0, n - x.shape[0])] + [(0, 0)] * (x.ndim - 1)
    return xp.pad(x, more) if how == "zeros" or x.shape[0] == 0 else xp.pad(x, more, mode="edge")


def widened(v: Any, points: int) -> Any:
    """Voltages of intervals with `points` columns, a single one repeated."""
    xp = np if isinstance(v, np.ndarray) else jnp
    return v if v.shape[-1] == points else xp.broadcast_to(v, (*v.shape[:-1], points))
