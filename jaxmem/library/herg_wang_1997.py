"""hERG expressed in Xenopus oocytes: three closed states in a row, an open and an inactivated one.

C1 - C2 - C3 - O - I. The middle step C2 - C3 does not depend on voltage and limits how fast the channel can
activate: however strong the depolarization, kf = 23.8 /s.

**Source:** Wang S, Liu S, Morales MJ, Strauss HC, Rasmusson RL. A quantitative analysis of the activation and
inactivation kinetics of HERG expressed in Xenopus oocytes. J Physiol 502:45-60 (1997),
doi:10.1111/j.1469-7793.1997.045bl.x; the rates with 2 mM external K, as later models repeat them (Bondarenko
et al. 2004, Am J Physiol Heart 287:H1378, with V + 5 mV in O - I).
"""

from ..channel import Channel
from ..gating import Markov
from ..kinetics import scheme
from ..permeation import Ohmic
from ..rates import Constant, Exponential


def model(
    *,
    alpha_a0: float = 0.022348,
    b_alpha_a0: float = 0.01176,
    beta_a0: float = 0.047002,
    b_beta_a0: float = -0.0631,
    kf: float = 0.023761,
    kb: float = 0.036778,
    alpha_a1: float = 0.013733,
    b_alpha_a1: float = 0.038198,
    beta_a1: float = 0.0000689,
    b_beta_a1: float = -0.04178,
    alpha_i: float = 0.090821,
    b_alpha_i: float = 0.023391,
    beta_i: float = 0.006497,
    b_beta_i: float = -0.03268,
    g: float = 100.0,
    reversal: float = -85.0,
) -> Channel:
    """The channel; every rate is k exp(b V).

    **Arguments:** rates at 0 mV [1/ms] and their slopes `b_...` [1/mV]: C1 to C2 `alpha_a0`, back `beta_a0`;
    C2 to C3 `kf`, back `kb`; C3 to O `alpha_a1`, back `beta_a1`; O to I `alpha_i`, back `beta_i`. `g` [nS]
    and `reversal` [mV] are the cell's, not the paper's.
    """
    edges = {
        ("C1", "C2"): (Exponential(alpha_a0, b_alpha_a0), Exponential(beta_a0, b_beta_a0)),
        ("C2", "C3"): (Constant(kf), Constant(kb)),
        ("C3", "O"): (Exponential(alpha_a1, b_alpha_a1), Exponential(beta_a1, b_beta_a1)),
        ("O", "I"): (Exponential(alpha_i, b_alpha_i), Exponential(beta_i, b_beta_i)),
    }
    return Channel(Markov(scheme(edges), ("O",)), Ohmic(g, reversal=reversal))
