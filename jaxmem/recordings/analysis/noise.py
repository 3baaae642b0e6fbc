"""How many independent samples a stretch of residuals is worth."""

import numpy as np
from jaxtyping import Float


def correlation_length(residuals: Float[np.ndarray, " samples"]) -> float:
    """Samples per independent sample, 1 for white noise: 1 + 2 sum of the autocorrelation.

    The sum stops at the first lag m > 5 (1 + 2 sum up to m), where noise would begin to add up. Standard
    errors that assume independence grow by the square root of it.

    **Source:** A. Sokal, Monte Carlo methods in statistical mechanics (1997), section 3: the automatic
    window.
    """
    r = residuals - residuals.mean()
    size = r.size
    power = np.abs(np.fft.rfft(r, 2 * size)) ** 2
    covariance = np.fft.irfft(power)[:size]
    if covariance[0] <= 0:
        return 1.0
    lengths = 2.0 * np.cumsum(covariance / covariance[0]) - 1.0
    enough = np.flatnonzero(np.arange(size) >= 5.0 * lengths)
    return float(max(1.0, lengths[enough[0] if enough.size else -1]))
