"""Jumps of a sampled command: changes that stand out from their neighborhood."""

import numpy as np
from jaxtyping import Float, Int

_REACH = 5  # samples on either side that say how fast the command usually moves
_FACTOR = 8.0  # a jump is so many times larger than their median change


def jump_samples(v: Float[np.ndarray, " samples"], threshold: float = 0.5) -> Int[np.ndarray, " jumps"]:
    """Indices k at which the held command jumps, i.e. V[k - 1] to V[k] is a step.

    A change counts if it is at least `threshold` and stands out from the median of the changes around it, so
    the slopes of ramps, sine waves and action potentials do not count, however coarsely they are sampled.

    **Arguments**

    - `v`: command [mV], shape (samples,).
    - `threshold`: smallest jump [mV].
    """
    change = np.abs(np.diff(np.asarray(v, float)))
    candidates = np.flatnonzero(change >= threshold)
    if candidates.size == 0:
        return candidates
    padded = np.pad(change, _REACH, constant_values=0.0)
    around = np.concatenate([np.arange(-_REACH, 0), np.arange(1, _REACH + 1)]) + _REACH
    usual = np.median(padded[candidates[:, None] + around[None]], axis=1)
    return candidates[change[candidates] > _FACTOR * usual] + 1
