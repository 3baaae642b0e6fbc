"""A hippocampal pyramidal cell in one compartment: Na m^3 h, K n^4 and a leak, as reduced from Traub and Miles.

The gates' voltages are counted from `v_t`, which moves the threshold; other models use the same channels
(`pospischil_2008`). Ermentrout and Kopell's reduction, with -67 mV, rests at -66.6 mV and fires from a current of 0.12
uA/cm2 on, at rates as low as one likes. The Na gate m opens at 1.28 /ms where its law is singular, 13 mV above `v_t`.
Units of area: [uF/cm2], [mS/cm2], so that currents are [uA/cm2].

**Source:** Traub RD, Miles R. Neuronal Networks of the Hippocampus. Cambridge University Press (1991),
doi:10.1017/CBO9780511895401; reduced to one compartment by Ermentrout GB, Kopell N. Fine structure of neural spiking
and synchronization in the presence of conduction delays. PNAS 95:1259-1264 (1998), doi:10.1073/pnas.95.3.1259.
"""

from ..cell import Cell, point
from ..channel import Channel
from ..gating import AlwaysOpen, Gate, HodgkinHuxley
from ..permeation import Ohmic
from ..rates import Linoid, Sigmoid
from ..units import celsius
from .cortical_gates import falling

TEMPERATURE = celsius(36.0)  # of the rates


def sodium(*, g: float = 100.0, reversal: float = 50.0, v_t: float = -67.0) -> Channel:
    """The sodium channel g m^3 h (V - E); u is V - v_t.

    m opens at 0.32 (u - 13)/(1 - e^(-(u - 13)/4)), closes at 0.28 (u - 40)/(e^((u - 40)/5) - 1); h opens at 0.128
    e^(-(u - 17)/18), closes at 4/(1 + e^(-(u - 40)/5)).

    **Arguments:** `g` [mS/cm2]; `reversal`, `v_t` [mV].
    """
    m = Gate(Linoid(1.28, v_t + 13.0, 4.0), Linoid(1.4, v_t + 40.0, -5.0))
    h = Gate(falling(0.128, v_t + 17.0, 18.0), Sigmoid(4.0, v_t + 40.0, 5.0))
    return Channel(HodgkinHuxley((m, h), (3, 1)), Ohmic(g, reversal=reversal))


def potassium(*, g: float = 80.0, reversal: float = -100.0, v_t: float = -67.0) -> Channel:
    """The potassium channel g n^4 (V - E); n opens at 0.032 (u - 15)/(1 - e^(-(u - 15)/5)), closes at 0.5 e^(-(u -
    10)/40), with u = V - v_t.

    **Arguments:** `g` [mS/cm2]; `reversal`, `v_t` [mV].
    """
    n = Gate(Linoid(0.16, v_t + 15.0, 5.0), falling(0.5, v_t + 10.0, 40.0))
    return Channel(HodgkinHuxley((n,), (4,)), Ohmic(g, reversal=reversal))


def leak(*, g: float = 0.1, reversal: float = -67.0) -> Channel:
    """The leak g (V - E).

    **Arguments:** `g` [mS/cm2]; `reversal` [mV].
    """
    return Channel(AlwaysOpen(), Ohmic(g, reversal=reversal))


def model(*synapses: Channel, capacitance: float = 1.0, start: float = -67.0) -> Cell:
    """The reduced pyramidal cell, its mechanisms in the order Na, K, leak, and then its synapses.

    **Arguments:** `synapses`: more mechanisms; `capacitance` [uF/cm2]; `start` [mV].
    """
    return point((sodium(), potassium(), leak(), *synapses), capacitance, TEMPERATURE, start=start)
