"""A fast-spiking hippocampal interneuron, and the synapse by which a network of them oscillates at gamma frequency.

Na m^3 h with m at its steady state, K n^4 and a leak; h and n are `phi` = 5 times as fast as in the squid axon. The
membrane's time constant is 1 uF/cm2 / 0.1 mS/cm2 = 10 ms, as is that of the synapse's decay. A cell fires from 0.17
uA/cm2 on, at 59.7 Hz under 1 uA/cm2; the network of 100 cells, all joined, that are driven so, falls into one rhythm
within a few cycles (the paper's Fig. 3A), of 39 Hz. Units of area: [uF/cm2], [mS/cm2], so that currents are [uA/cm2].

**Published:** cell and synapse. In the paper receptors open while the presynaptic cell is above 0 mV, to almost all
within a spike; here they open at once when it rises through 0 mV, and only those open that are closed.

**Source:** Wang XJ, Buzsaki G. Gamma oscillation by synaptic inhibition in a hippocampal interneuronal network model. J
Neurosci 16:6402-6413 (1996), doi:10.1523/JNEUROSCI.16-20-06402.1996; ModelDB 26997.
"""

from typing import Any

import numpy as np

from ..cell import Cell, point
from ..channel import Channel
from ..gating import AlwaysOpen, Gate, HodgkinHuxley, Instantaneous, Steady
from ..network import Connections, Copies, Network, copies
from ..permeation import Ohmic
from ..rates import AbstractRate, Linoid, Scaled, Sigmoid
from ..synapse import Exponential, gaba_a
from ..units import celsius
from .cortical_gates import falling

TEMPERATURE = celsius(37.0)  # of no effect
DECAY = 10.0  # ms, of inhibition


def _gate(opening: AbstractRate, closing: AbstractRate, phi: Any) -> Gate:
    return Gate(Scaled(opening, phi), Scaled(closing, phi))


def sodium(*, g: Any = 35.0, reversal: Any = 55.0, phi: Any = 5.0) -> Channel:
    """The sodium channel g m_inf^3 h (V - E).

    m opens at 0.1 (V + 35)/(1 - e^(-(V + 35)/10)), closes at 4 e^(-(V + 60)/18); h opens at 0.07 e^(-(V + 58)/20),
    closes at 1/(1 + e^(-(V + 28)/10)), both times phi.

    **Arguments:** `g` [mS/cm2]; `reversal` [mV]; `phi`: factor of the rates of h.
    """
    m = Gate(Linoid(1.0, -35.0, 10.0), falling(4.0, -60.0, 18.0))
    h = _gate(falling(0.07, -58.0, 20.0), Sigmoid(1.0, -28.0, 10.0), phi)
    return Channel(HodgkinHuxley((h,), (1,), Instantaneous(Steady(m, 3))), Ohmic(g, reversal=reversal))


def potassium(*, g: Any = 9.0, reversal: Any = -90.0, phi: Any = 5.0) -> Channel:
    """The potassium channel g n^4 (V - E); n opens at 0.01 (V + 34)/(1 - e^(-(V + 34)/10)), closes at 0.125 e^(-(V +
    44)/80), both times phi.

    **Arguments:** `g` [mS/cm2]; `reversal` [mV]; `phi`: factor of the rates of n.
    """
    n = _gate(Linoid(0.1, -34.0, 10.0), falling(0.125, -44.0, 80.0), phi)
    return Channel(HodgkinHuxley((n,), (4,)), Ohmic(g, reversal=reversal))


def leak(*, g: Any = 0.1, reversal: Any = -65.0) -> Channel:
    """The leak g (V - E).

    **Arguments:** `g` [mS/cm2]; `reversal` [mV].
    """
    return Channel(AlwaysOpen(), Ohmic(g, reversal=reversal))


def inhibition(*, g: Any = 0.1, reversal: Any = -75.0) -> Channel:
    """The GABA-A synapse: current alone, decaying with 10 ms.

    **Arguments:** `g` [mS/cm2]: of all synapses of a cell together; `reversal` [mV].
    """
    return gaba_a(g, opening=Exponential(DECAY), reversal=reversal)


def model(*synapses: Channel, phi: Any = 5.0, start: Any = -64.0) -> Cell:
    """The interneuron, its mechanisms in the order Na, K, leak, and then its synapses.

    **Arguments:** `synapses`: more mechanisms; `phi`: factor of the rates of h and n; `start` [mV].
    """
    return point((sodium(phi=phi), potassium(phi=phi), leak(), *synapses), 1.0, TEMPERATURE, start=start)


def network(
    start: np.ndarray,
    *,
    contacts: np.ndarray | None = None,
    drive: np.ndarray | float = 0.0,
    g: Any = 0.1,
    delay: float = 0.1,
) -> Network:
    """A network of such interneurons, each of which inhibits the others: population "interneurons".

    **Arguments:** `start` [mV] (cells,): at which the cells start; `contacts` (cells, cells): whether the cell of the
    row hears the cell of the column, all hear all by default; `drive` [uA/cm2]: a constant current into all cells or
    each (as a shift of the leak's reversal potential, to the same effect); `g` [mS/cm2]: of all synapses of a cell, on
    average; `delay` [ms], which the paper has not.
    """
    start = np.asarray(start, float)
    cells: Copies = copies(
        model(inhibition(g=g)),
        start.size,
        (lambda c: c.start[0], start),
        (lambda c: c.membranes[0].mechanisms[2].permeation.reversal, -65.0 + np.broadcast_to(drive, start.shape) / 0.1),
    )
    heard = np.ones((start.size, start.size)) if contacts is None else np.asarray(contacts, float)
    synapses = Connections(
        "interneurons", "interneurons", lambda s: s.mechanisms[0][3],
        heard / heard.sum(1).mean(), delay=delay, recovery=DECAY,
    )  # fmt: skip
    return Network({"interneurons": cells}, (synapses,), threshold=0.0)
