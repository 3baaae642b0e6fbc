"""Long traces drawn with few points, with every spike kept."""

import numpy as np
from jaxtyping import Float


def envelope(
    t: Float[np.ndarray, " samples"], y: Float[np.ndarray, " samples"], bins: int = 1500
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """The smallest and largest sample of each of `bins` equal runs of samples, in the order of time.

    At a width of `bins` pixels its line cannot be told from the line through all samples. NaN samples are left out; a
    run of nothing but NaN stays NaN, so that gaps stay gaps. A trace of at most 4 samples for each bin comes back as it
    is.

    **Arguments:** `t`: times; `y`: the samples, shape (samples,); `bins`: at least 1.
    **Raises:** `ValueError` if the shapes differ or `bins` is below 1.
    """
    t, y = np.asarray(t, float), np.asarray(y, float)
    if t.ndim != 1 or t.shape != y.shape or bins < 1:
        raise ValueError(
            f"Times and samples must be rows of equal length, and bins at least 1, but are {t.shape}, "
            f"{y.shape} and {bins}."
        )
    if y.size <= 4 * bins:
        return t, y
    run = -(-y.size // bins)
    count = -(-y.size // run)
    low = np.full(count * run, np.inf)
    low[: y.size] = np.where(np.isnan(y), np.inf, y)
    high = np.full(count * run, -np.inf)
    high[: y.size] = np.where(np.isnan(y), -np.inf, y)
    first = np.arange(count) * run
    ends = np.stack([first + low.reshape(count, run).argmin(1), first + high.reshape(count, run).argmax(1)], 1)
    index = np.sort(ends, axis=1).ravel()
    return t[index], y[index]
