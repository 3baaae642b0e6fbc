"""Cortical neurons in one compartment: a regular-spiking pyramidal cell, which adapts, and a fast-spiking interneuron.

Both have the spike currents of `traub_miles_1991` and a slow K current, I_M; their parameters were fitted to recordings
from cells of cortex. The gate of I_M relaxes in 608/4.3 = 141 ms at -35 mV in the regular-spiking cell. The cells rest
at -71.9 and -71.4 mV. Units of area: [uF/cm2], [mS/cm2], so that currents are [uA/cm2].

**Source:** Pospischil M, Toledo-Rodriguez M, Monier C, Piwkowska Z, Bal T, Fregnac Y, Markram H, Destexhe A. Minimal
Hodgkin-Huxley type models for different classes of cortical and thalamic neurons. Biol Cybern 99:427-441 (2008),
doi:10.1007/s00422-008-0263-8; ModelDB 123623 has the equations.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..cell import Cell, point
from ..channel import Channel
from ..gating import HodgkinHuxley, Relaxation, Sigmoid
from ..params import param, positive
from ..permeation import Ohmic
from ..rates import AbstractRate
from .traub_miles_1991 import TEMPERATURE, leak, potassium, sodium

SODIUM, POTASSIUM = 50.0, -90.0  # mV


class SlowRate(AbstractRate):
    """The relaxation rate of the gate of I_M, (3.3 e^((V + 35)/20) + e^(-(V + 35)/20))/tau.

    **Arguments:** `tau` [ms].
    """

    tau: Float[Array, ""] = param("ms", positive)

    def __call__(self, v, bath):  # noqa: D102
        x = (v + 35.0) / 20.0
        return (3.3 * jnp.exp(x) + jnp.exp(-x)) / self.tau


def slow_potassium(*, g: float = 0.075, tau: float = 608.0, reversal: float = POTASSIUM) -> Channel:
    """The muscarinic potassium current I_M, g p (V - E), which makes a cell adapt.

    **Arguments:** `g` [mS/cm2]; `tau` [ms]; `reversal` [mV].
    **Source:** Yamada, Koch & Adams 1989.
    """
    gate = Relaxation(Sigmoid(-35.0, 10.0), SlowRate(tau))
    return Channel(HodgkinHuxley((gate,), (1,)), Ohmic(g, reversal=reversal))


def _cell(synapses, v_t, g_na, g_k, g_m, tau, g_leak, e_leak, start) -> Cell:
    spikes = (
        sodium(g=g_na, reversal=SODIUM, v_t=v_t),
        potassium(g=g_k, reversal=POTASSIUM, v_t=v_t),
        slow_potassium(g=g_m, tau=tau),
    )
    return point((*spikes, leak(g=g_leak, reversal=e_leak), *synapses), 1.0, TEMPERATURE, start=start)


def regular_spiking(
    *synapses: Channel,
    v_t: float = -56.2,
    g_na: float = 56.0,
    g_k: float = 6.0,
    g_m: float = 0.075,
    tau: float = 608.0,
    g_leak: float = 0.0205,
    e_leak: float = -70.3,
) -> Cell:
    """The regular-spiking cell, its mechanisms in the order Na, K, I_M, leak, and then its synapses.

    **Arguments:** `synapses`: more mechanisms; `v_t` [mV]; `g_na`, `g_k`, `g_m` [mS/cm2]; `tau` [ms]: of I_M; `g_leak`
    [mS/cm2], `e_leak` [mV].
    """
    return _cell(synapses, v_t, g_na, g_k, g_m, tau, g_leak, e_leak, -71.9)


def fast_spiking(
    *synapses: Channel,
    v_t: float = -57.9,
    g_na: float = 58.0,
    g_k: float = 3.9,
    g_m: float = 0.0787,
    tau: float = 502.0,
    g_leak: float = 0.038,
    e_leak: float = -70.4,
) -> Cell:
    """The fast-spiking cell, in the same order.

    **Arguments:** as of `regular_spiking`; `g_m=0` is the cell that does not adapt at all.
    """
    return _cell(synapses, v_t, g_na, g_k, g_m, tau, g_leak, e_leak, -71.4)


model = regular_spiking
