"""Events in a trace: upward crossings of a level, re-armed below a lower one."""

import numpy as np


def crossings(t: np.ndarray, x: np.ndarray, level: float, rearm: float) -> np.ndarray:
    """The times at which x comes from below to `level`, by interpolation between samples.

    At the start the detector is armed; after a crossing it is armed again once x is below `rearm`.
    """
    up = (x[:-1] < level) & (x[1:] >= level)
    found, last = [], -1
    for k in np.flatnonzero(up):
        if last < 0 or np.any(x[last + 1 : k + 1] < rearm):
            found.append(t[k] + (level - x[k]) / (x[k + 1] - x[k]) * (t[k + 1] - t[k]))
            last = k
    return np.asarray(found)


def mean_interval(times: np.ndarray, dropped: int = 0) -> float:
    """The mean time between events, without the first `dropped` intervals; NaN if none is left."""
    intervals = np.diff(times)[dropped:]
    return float(np.mean(intervals)) if intervals.size else np.nan


def filled(times: np.ndarray, count: int) -> np.ndarray:
    """The first `count` times, NaN where there are fewer."""
    return np.append(times, np.full(max(0, count - times.size), np.nan))[:count]
