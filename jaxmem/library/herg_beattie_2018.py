"""hERG1a in CHO cells at room temperature: activation a times recovery r, I = g a r (V - E).

k1 = p1 exp(p2 V) opens and k2 = p3 exp(-p4 V) closes `a`; k3 = p5 exp(p6 V) inactivates and k4 = p7 exp(-p8
V) recovers `r`. The defaults are the values of cell 5 fitted to the sine-wave protocol: p1 = 2.26e-4 /ms, g =
0.1524 uS.

**Source:** Beattie KA, Hill AP, Bardenet R, Cui Y, Vandenberg JI, Gavaghan DJ, de Boer TP, Mirams GR.
Sinusoidal voltage protocols for rapid characterisation of ion channel kinetics. J Physiol 596:1813-1828
(2018), doi:10.1113/JP275733, Table F11; bounds as in Clerx et al., Biophys J 117:2420 (2019),
doi:10.1016/j.bpj.2019.08.001.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import equinox as eqx

from ..channel import Channel
from ..gating import Gate, HodgkinHuxley
from ..permeation import Ohmic
from ..rates import Exponential
from ..units import celsius

if TYPE_CHECKING:
    from ..fit import Free

RATE_LIMITS = (1.67e-5, 1e3)  # 1/ms, of each rate at its largest
VOLTAGES = (-120.0, 60.0)  # mV, where falling and rising rates are largest


def reversal_potential(temperature: float, inside: float = 130.0, outside: float = 4.0) -> float:
    """The potassium reversal potential [mV] of these experiments, with the authors' R and F.

    **Arguments:** `temperature` [K]; `inside`, `outside` [mM].
    """
    return 8.314 * temperature / 96485.0 * math.log(outside / inside) * 1e3


def model(
    *,
    p1: float = 2.26e-4,
    p2: float = 0.0699,
    p3: float = 3.45e-5,
    p4: float = 0.05462,
    p5: float = 0.0873,
    p6: float = 8.91e-3,
    p7: float = 5.15e-3,
    p8: float = 0.03158,
    g: float = 152.4,
    reversal: float = reversal_potential(celsius(21.4)),
) -> Channel:
    """The channel.

    **Arguments:** `p1`, `p3`, `p5`, `p7` [1/ms]; `p2`, `p4`, `p6`, `p8` [1/mV], positive; `g` [nS];
    `reversal` [mV].
    """
    activation = Gate(Exponential(p1, p2), Exponential(p3, -p4))
    recovery = Gate(Exponential(p7, -p8), Exponential(p5, p6))
    return Channel(HodgkinHuxley((activation, recovery), (1, 1)), Ohmic(g, reversal=reversal))


def free(*, g_low: float = 61.2) -> Free:
    """The nine free parameters p1 to p8 and g with the published bounds and joint limits on the four rates.

    Starts are log-uniform in p1, p3, p5, p7 and uniform in the others, and meet the limits.

    **Arguments:** `g_low` [nS]: the lower bound of the conductance, cell 5's by default; the upper one is ten
    times that.
    """
    from ..fit import Free, Parameter, RateLimit

    rates = [Parameter(f"p{k}", "1/ms", 1e-7, 1e3, log=True) for k in (1, 3, 5, 7)]
    slopes = [Parameter(f"p{k}", "1/mV", 1e-7, 0.4) for k in (2, 4, 6, 8)]
    pairs = [p for pair in zip(rates, slopes, strict=True) for p in pair]
    # k1 and k3 rise with V, k2 and k4 fall; `at` has the sign of the slope in the exponent.
    largest = (VOLTAGES[1], -VOLTAGES[0], VOLTAGES[1], -VOLTAGES[0])
    limits = tuple(RateLimit(2 * k, 2 * k + 1, at, *RATE_LIMITS) for k, at in enumerate(largest))
    return Free((*pairs, Parameter("g", "nS", g_low, 10.0 * g_low)), _place, limits, _read)


def _laws(channel: Any) -> list[Any]:
    activation, recovery = channel.gating.gates
    return [activation.opening, activation.closing, recovery.closing, recovery.opening]


def _read(channel: Any) -> list[Any]:
    k1, k2, k3, k4 = _laws(channel)
    return [k1.a, k1.b, k2.a, -k2.b, k3.a, k3.b, k4.a, -k4.b, channel.permeation.g]


def _place(channel: Any, values: Any) -> Channel:
    signs = (1, 1, 1, -1, 1, 1, 1, -1, 1)
    leaves = lambda m: [*(x for law in _laws(m) for x in (law.a, law.b)), m.permeation.g]
    return eqx.tree_at(leaves, channel, [x if s > 0 else -x for s, x in zip(signs, values, strict=True)])
