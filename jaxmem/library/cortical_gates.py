"""Gates of the cortical neuron of Cressman et al. 2009, shared by the models that came after it.

Rates in 1/ms, V in mV; m is taken at its steady state. At V = -34 mV, where 0.01 (V + 34)/(1 - e^(-(V + 34)/10)) has
its removable singularity, n opens at 0.1 /ms; m opens at 1 /ms at V = -30 mV, where its own is.

**Source:** Cressman JR, Ullah G, Ziburkus J, Schiff SJ, Barreto E. The influence of sodium and potassium dynamics on
excitability, seizures, and the stability of persistent states. J Comput Neurosci 26:159-170 (2009),
doi:10.1007/s10827-008-0132-4, with its erratum of 2011; ModelDB 136773.
"""

import math

from jaxtyping import Array, Float

from ..electrochemistry import as_bath
from ..gating import Gate
from ..rates import AbstractRate, Exponential, Linoid, Sigmoid
from ..units import celsius


def sodium_activation() -> Gate:
    """m: opens at 0.1 (V + 30)/(1 - e^(-(V + 30)/10)), closes at 4 e^(-(V + 55)/18)."""
    return Gate(Linoid(1.0, -30.0, 10.0), falling(4.0, -55.0, 18.0))


def sodium_inactivation() -> Gate:
    """h: opens at 0.07 e^(-(V + 44)/20), closes at 1/(1 + e^(-(V + 14)/10))."""
    return Gate(falling(0.07, -44.0, 20.0), Sigmoid(1.0, -14.0, 10.0))


def potassium_activation() -> Gate:
    """n: opens at 0.01 (V + 34)/(1 - e^(-(V + 34)/10)), closes at 0.125 e^(-(V + 44)/80)."""
    return Gate(Linoid(0.1, -34.0, 10.0), falling(0.125, -44.0, 80.0))


def falling(a: float, v0: float, s: float) -> AbstractRate:
    """The law a e^(-(V - v0)/s).

    **Arguments:** `a` [1/ms]; `v0`, `s` [mV].
    """
    return Exponential(a * math.exp(v0 / s), -1.0 / s)


def relaxation(gate: Gate, v: Float[Array, "..."]) -> tuple[Float[Array, "..."], Float[Array, "..."]]:
    """Steady value and relaxation rate [1/ms] of a gate at v [mV] whose laws need no bath."""
    return gate.relaxation(v, as_bath(celsius(37.0)))
