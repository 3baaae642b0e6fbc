"""Series resistance, membrane resistance and capacitance from a small voltage step."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from jaxmem.recordings.analysis.tails import tail_fit
from jaxmem.recordings.analysis.windows import pieces
from jaxmem.recordings.jumps import jump_samples
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError


@dataclass(frozen=True, eq=False)
class Access:
    """A cell behind an electrode, one value per sweep.

    `series` and `membrane` resistance [MOhm], `capacitance` [pF], `tau` of the transient [ms], `holding`
    current before the step [pA].
    """

    series: Float[np.ndarray, " sweeps"]
    membrane: Float[np.ndarray, " sweeps"]
    capacitance: Float[np.ndarray, " sweeps"]
    tau: Float[np.ndarray, " sweeps"]
    holding: Float[np.ndarray, " sweeps"]


def membrane_test(recording: Recording, jump: float | None = None, *, duration: float | None = None) -> Access:
    """Series resistance, membrane resistance and capacitance from the transient of one voltage step.

    For a step dV the current relaxes from dV/Rs to dV/(Rs + Rm) with tau = C Rs Rm / (Rs + Rm), so with the
    area Q of the transient above the new steady level and the step dI of that level,

    Rs = tau dV / (Q + tau dI),  Rm = dV / dI - Rs,  C = tau (Rs + Rm) / (Rs Rm).

    Q is an integral, which a filter does not change, and tau is fitted to the late part of the decay.

    **Arguments**

    - `jump`: time of the step [ms]; default: the first jump of the command.
    - `duration`: how long the step is used [ms]; default: up to the next jump, or the end.

    **Raises:** `InputError` if there is no step, the signal is not in pA, or no transient stands out of the
    noise.
    """
    if recording.unit != "pA":
        raise InputError(f"membrane_test needs a current in pA, but the signal is in {recording.unit}.")
    v = recording.command_v[0]
    found = jump_samples(v)
    if found.size == 0 and jump is None:
        raise InputError("membrane_test needs a voltage step, but the command has no jump.")
    times = recording.t[found]
    t0 = float(times[0] if jump is None else jump)
    later = times[times > t0 + 1e-6]
    t1 = float(later[0] if later.size else recording.t[-1] + recording.dt) if duration is None else t0 + duration
    before = (max(float(recording.t[0]), t0 - 0.5 * (t1 - t0)), t0)
    dv = np.diff([[np.median(x) for _, _, x in pieces(recording, w)] for w in (before, (t0, t1))], axis=0)[0]
    if np.any(np.abs(dv) < 1e-6):
        raise InputError(f"membrane_test needs a voltage step at {t0:g} ms, but the command does not change there.")
    holding = np.array([np.mean(i) for _, i, _ in pieces(recording, before)])
    steady = np.array([np.mean(i) for _, i, _ in pieces(recording, (t1 - 0.25 * (t1 - t0), t1))])
    rows = [
        _transient(t - t0, i - s, np.sign(step))
        for (t, i, _), s, step in zip(pieces(recording, (t0, t1), 10), steady, dv, strict=True)
    ]
    area, first, last = np.array(rows).T
    tau = tail_fit(recording, np.stack([t0 + first, t0 + last], axis=1)).tau[:, 0]
    di = steady - holding
    series = tau * dv / (area + tau * di)
    with np.errstate(divide="ignore"):
        total = np.divide(dv, di)
    if np.any(~(series > 0)) or np.any(~(total > series)):
        raise InputError(
            "membrane_test found no transient of a cell behind an electrode; average the sweeps, or choose another "
            "step."
        )
    membrane = total - series
    return Access(1e3 * series, 1e3 * membrane, tau * total / (series * membrane), tau, holding)


def _transient(t: np.ndarray, i: np.ndarray, sign: float) -> tuple[float, float, float]:
    """Area [pA ms] above the steady level, and the times between which it decays from 60 % to 5 %."""
    size = sign * i
    peak = int(np.argmax(size))
    falls = np.flatnonzero((size < 0.05 * size[peak]) & (np.arange(size.size) > peak))
    end = max(int(falls[0]) if falls.size else size.size - 1, peak + 8)
    start = peak + int(np.argmax(size[peak:] < 0.6 * size[peak]))
    # Integrated far beyond the decay; what comes after that is only noise.
    stop = min(size.size, 4 * end + 10)
    area = float(np.trapezoid(i[:stop], t[:stop]))
    return area, float(t[min(start, size.size - 9)]), float(t[min(end + 1, size.size - 1)])
