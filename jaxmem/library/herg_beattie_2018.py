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
from typing import TYPE_CHECKING

from ..channel import Channel
from ..gating import Gate, HodgkinHuxley
from ..permeation import Ohmic
from ..rates import Exponential
from ..units import celsius

if TYPE_CHECKING:
    pass

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
