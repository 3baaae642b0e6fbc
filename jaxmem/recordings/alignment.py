"""The commands of a recording as protocols: laid onto its sample times, made of samples, cut out of longer ones."""

import equinox as eqx
import numpy as np
from jaxtyping import Float

from jaxmem.protocols import Protocol, held, sampled

_ROUNDING = 1e-6  # of the sampling interval: an edge that close to a sample is meant to be at it


def aligned(command: Protocol, t: Float[np.ndarray, " samples"]) -> Protocol:
    """The same command (or family) from the first sample on at the latest, free of rounding at the samples.

    Edges that miss a sample by less than a millionth of the sampling interval are put onto it; before its own start
    the command is at its holding voltage.
    """
    edges = np.asarray(command.t)
    k = np.clip(np.searchsorted(t, edges), 1, t.size - 1)
    nearest = np.where(edges - t[k - 1] < t[k] - edges, t[k - 1], t[k])
    edges = np.where(np.abs(edges - nearest) <= _ROUNDING * (t[1] - t[0]), nearest, edges)
    command = eqx.tree_at(lambda p: p.t, command, edges)
    if np.all(edges[..., 0] <= t[0]):
        return command
    before = np.asarray(command.holding)[..., None]
    nothing = np.zeros((*before.shape, command.amplitude.shape[-1]))
    join = lambda a, b, axis=-1: np.concatenate([a, np.asarray(b)], axis=axis)
    return Protocol(
        join(np.minimum(edges[..., :1], t[0]), edges),
        join(before, command.start),
        join(before, command.stop),
        join(nothing, command.amplitude, -2),
        join(nothing, command.frequency, -2),
        join(np.zeros(before.shape), command.origin),
        command.holding,
    )


def of_samples(t: Float[np.ndarray, " samples"], v: Float[np.ndarray, " samples"], *, hold: bool = True) -> Protocol:
    """Samples as a command: each held until the next, in few pieces, or joined by straight lines.

    Times may repeat: of held samples the last one counts, of joined ones it is a jump.
    """
    if not hold:
        return sampled(t, v)
    kept = np.append(t[1:] > t[:-1], True)
    t, v = t[kept], v[kept]
    first = np.append(True, v[1:] != v[:-1])
    last = [] if first[-1] else [-1]  # the end of the last run; it sets the duration
    return held(np.append(t[first], t[last]), np.append(v[first], v[last]))


def excerpt(command: Protocol, t0: float, t1: float) -> Protocol:
    """A single command from `t0` to `t1` [ms] alone, what it is at `t1` included.

    Where it starts later its holding voltage, and where it ends sooner its last one, fills the time. If it starts
    sooner, it is then held at its value at `t0`, as if that had lasted.
    """
    edges = np.asarray(command.t)
    edges = np.concatenate([[t0], np.unique(edges[(edges > t0) & (edges < t1)]), [t1, t1]])
    piece = command.piece(edges[:-1])
    inside = (piece >= 0) & (piece < command.start.shape[-1])
    k = np.clip(piece, 0, command.start.shape[-1] - 1)
    begin, length = command.t[k], command.t[k + 1] - command.t[k]
    share = lambda at: (at - begin) / np.where(inside, length, 1.0)
    line = lambda at: command.start[k] + (command.stop[k] - command.start[k]) * share(at)
    still = np.asarray(command.at(edges[:-1], piece), float)
    inside[-1] = False  # the end is one value
    first = command.holding if t0 <= command.t[0] else command(t0)
    return Protocol(
        edges,
        np.where(inside, line(edges[:-1]), still),
        np.where(inside, line(edges[1:]), still),
        np.where(inside[:, None], command.amplitude[k], 0.0),
        np.where(inside[:, None], command.frequency[k], 0.0),
        command.origin[k],
        first,
    )
