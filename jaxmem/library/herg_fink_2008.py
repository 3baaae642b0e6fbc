"""The rapid delayed rectifier of the human ventricle: C1 - C2 - C3 - O - I with 15 parameters.

The first and third activation steps and inactivation depend on voltage, the second does not: p3 = 0.04209 /ms
forward, p10 = 0.08094 /ms back. The values hold at 37 C and 5.4 mM external K; the conductance is per
capacity, 0.024 mS/uF, so the current is in pA/pF.

**Source:** Fink M, Noble D, Virag L, Varro A, Giles WR. Contributions of HERG K+ current to repolarization of
the human ventricular action potential. Prog Biophys Mol Biol 96:357-376 (2008),
doi:10.1016/j.pbiomolbio.2007.07.011. The numbering p1 to p15 and the bounds are those of the staircase
problem of the ionBench package (Owen M, Mirams GR).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import equinox as eqx

from ..channel import Channel
from ..gating import Markov
from ..kinetics import scheme
from ..permeation import Ohmic
from ..rates import Constant, Exponential

if TYPE_CHECKING:
    from ..fit import Free

RATE_LIMITS = (1.67e-5, 1e3)  # 1/ms, of each rate at its largest
VOLTAGES = (-120.0, 60.0)  # mV, where falling and rising rates are largest


def reversal_potential(temperature: float = 310.0, inside: float = 141.0167, outside: float = 5.4) -> float:
    """The potassium reversal potential [mV] of the paper's cell.

    **Arguments:** `temperature` [K]; `inside`, `outside` [mM].
    """
    return 8.314472e3 * temperature / 96485.3415 * math.log(outside / inside)


def model(
    *,
    p1: float = 0.20618,
    p2: float = 0.0112,
    p3: float = 0.04209,
    p4: float = 0.02202,
    p5: float = 0.0365,
    p6: float = 0.41811,
    p7: float = 0.0223,
    p8: float = 0.13279,
    p9: float = 0.0603,
    p10: float = 0.08094,
    p11: float = 0.0002262,
    p12: float = 0.0399,
    p13: float = 0.04150,
    p14: float = 0.0312,
    p15: float = 0.024,
    reversal: float = reversal_potential(),
) -> Channel:
    """The channel.

    **Arguments:** rates [1/ms] and slopes [1/mV], positive: C1 to C2 `p1` exp(`p2` V), back `p8` exp(-`p9`
    V); C2 to C3 `p3`, back `p10`; C3 to O `p4` exp(`p5` V), back `p11` exp(-`p12` V); O to I `p6` exp(`p7`
    V), back `p13` exp(-`p14` V); `p15` [mS/uF = nS/pF]; `reversal` [mV].
    """
    edges = {
        ("C1", "C2"): (Exponential(p1, p2), Exponential(p8, -p9)),
        ("C2", "C3"): (Constant(p3), Constant(p10)),
        ("C3", "O"): (Exponential(p4, p5), Exponential(p11, -p12)),
        ("O", "I"): (Exponential(p6, p7), Exponential(p13, -p14)),
    }
    return Channel(Markov(scheme(edges), ("O",)), Ohmic(p15, reversal=reversal))


def free() -> Free:
    """The 15 free parameters with the bounds of the staircase problem and joint limits on the eight rates.

    Each rate stays within 1.67e-5 and 1e3 /ms at its largest from -120 to 60 mV. Starts are log-uniform in
    the rates at 0 mV, uniform in slopes and conductance, and meet the limits.
    """
    from ..fit import Free, Parameter, RateLimit

    lower, upper = RATE_LIMITS
    found, limits = [], []
    for scale, slope, sign in (
        (1, 2, 1),
        (3, 0, 0),
        (4, 5, 1),
        (6, 7, 1),
        (8, 9, -1),
        (10, 0, 0),
        (11, 12, -1),
        (13, 14, -1),
    ):
        if slope:
            at = VOLTAGES[1] if sign > 0 else -VOLTAGES[0]
            limits.append(RateLimit(scale - 1, slope - 1, at, lower, upper))
            found.append(Parameter(f"p{scale}", "1/ms", 1e-7, 1e3, log=True))
            found.append(Parameter(f"p{slope}", "1/mV", 1e-7, 0.4))
        else:
            found.append(Parameter(f"p{scale}", "1/ms", lower, upper, log=True))
    return Free((*found, Parameter("p15", "nS/pF", 0.02, 0.2)), _place, tuple(limits), _read)


def _leaves(channel: Any) -> list[Any]:
    up, down = channel.gating.scheme.forward, channel.gating.scheme.backward
    values = [up[0].a, up[0].b, up[1].k, up[2].a, up[2].b, up[3].a, up[3].b]
    values += [down[0].a, down[0].b, down[1].k, down[2].a, down[2].b, down[3].a, down[3].b]
    return [*values, channel.permeation.g]


_FALLING = (8, 11, 13)  # p9, p12 and p14 stand with a minus sign


def _read(channel: Any) -> list[Any]:
    return [-x if k in _FALLING else x for k, x in enumerate(_leaves(channel))]


def _place(channel: Any, values: Any) -> Channel:
    return eqx.tree_at(_leaves, channel, [-x if k in _FALLING else x for k, x in enumerate(values)])
