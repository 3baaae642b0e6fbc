"""The Shaker potassium channel without inactivation: four independent subunits, each in three positions.

A subunit moves R1 - R2 - A with rates alpha, beta and gamma, delta; the channel conducts with all four in A,
and the four ways out of that state are `theta` times slower. Subunits are alike, so the 81 combinations are
the 15 ways to count them: the state "310" has three subunits in R1, one in R2 and none in A. All gating
charge together is 4 (0.25 + 1.6 + 0.32 + 1.1) = 13.08 e0.

**Source:** Zagotta WN, Hoshi T, Aldrich RW. Shaker potassium channel gating III: evaluation of kinetic models
for activation. J Gen Physiol 103:321-362 (1994), doi:10.1085/jgp.103.2.321. The values are those commonly
quoted for that model (20 C).
"""

from ..channel import Channel
from ..gating import Markov
from ..kinetics import Scheme, scheme
from ..permeation import Ohmic
from ..rates import AbstractRate, Eyring, Scaled

SUBUNITS = 4


def _times(rate: AbstractRate, factor: float) -> AbstractRate:
    return rate if factor == 1 else Scaled(rate, factor)


def gating_scheme(
    *,
    alpha: float = 1.12,
    z_alpha: float = 0.25,
    beta: float = 0.373,
    z_beta: float = 1.6,
    gamma: float = 2.8,
    z_gamma: float = 0.32,
    delta: float = 0.021,
    z_delta: float = 1.1,
    theta: float = 9.4,
) -> Scheme:
    """The graph of 15 states; its arguments are those of `model`."""
    up1, down1, up2, down2 = (
        Eyring(alpha, z_alpha),
        Eyring(beta, -z_beta),
        Eyring(gamma, z_gamma),
        Eyring(delta, -z_delta),
    )
    edges = {}
    for c in range(SUBUNITS + 1):
        for b in range(SUBUNITS - c + 1):
            a = SUBUNITS - b - c
            here = f"{a}{b}{c}"
            if a:
                edges[here, f"{a - 1}{b + 1}{c}"] = (_times(up1, a), _times(down1, b + 1))
            if b:
                slowed = 1 / theta if c + 1 == SUBUNITS else 1.0
                edges[here, f"{a}{b - 1}{c + 1}"] = (_times(up2, b), _times(down2, (c + 1) * slowed))
    return scheme(edges)


def model(
    *,
    alpha: float = 1.12,
    z_alpha: float = 0.25,
    beta: float = 0.373,
    z_beta: float = 1.6,
    gamma: float = 2.8,
    z_gamma: float = 0.32,
    delta: float = 0.021,
    z_delta: float = 1.1,
    theta: float = 9.4,
    g: float = 1.0,
    reversal: float = -85.0,
) -> Channel:
    """The channel.

    **Arguments:** rates at 0 mV [1/ms] and the charge on the way to the barrier [e0]: R1 to R2 `alpha`, back
    `beta`, R2 to A `gamma`, back `delta`; `theta`: how many times slower the open state closes. `g` [nS] and
    `reversal` [mV] are the patch's, not the paper's.
    """
    graph = gating_scheme(
        alpha=alpha,
        z_alpha=z_alpha,
        beta=beta,
        z_beta=z_beta,
        gamma=gamma,
        z_gamma=z_gamma,
        delta=delta,
        z_delta=z_delta,
        theta=theta,
    )
    return Channel(Markov(graph, (f"00{SUBUNITS}",)), Ohmic(g, reversal=reversal))
