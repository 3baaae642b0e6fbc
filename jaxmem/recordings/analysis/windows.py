"""Windows of time: what a recording holds in one, sweep by sweep."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError


def per_sweep(recording: Recording, window: ArrayLike) -> Float[np.ndarray, "sweeps 2"]:
    """The window of each sweep [ms], from one (t0, t1) for all or one per sweep.

    **Raises:** `InputError` if it is neither, or does not end after it begins.
    """
    bounds = np.asarray(window, float)
    if bounds.shape not in ((2,), (recording.sweeps, 2)):
        raise InputError(
            f"A window must be (t0, t1) in ms, one or one for each of the {recording.sweeps} sweeps, but has shape "
            f"{bounds.shape}."
        )
    bounds = np.broadcast_to(bounds, (recording.sweeps, 2))
    if not np.all(bounds[:, 0] < bounds[:, 1]):
        raise InputError(f"A window must end after it begins, but is {bounds.tolist()[0]} ms.")
    return bounds


def pieces(
    recording: Recording, window: ArrayLike, least: int = 1
) -> Iterator[tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]]:
    """Times [ms], signal and command [mV] of the used samples in the window, for each sweep.

    **Raises:** `InputError` if a sweep has fewer than `least` used samples there.
    """
    slack = 1e-6 * recording.dt
    for k, (t0, t1) in enumerate(per_sweep(recording, window)):
        used = recording.mask[k] & (recording.t >= t0 - slack) & (recording.t < t1 - slack)
        if np.count_nonzero(used) < least:
            raise InputError(
                f"{recording.source or recording.name or 'recording'}: sweep {k} has {np.count_nonzero(used)} used "
                f"samples in {t0:g} to {t1:g} ms, but {least} are needed; move the window or blank less."
            )
        yield recording.t[used], recording.current[k, used], recording.command_v[k, used]
