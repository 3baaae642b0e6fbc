"""The squid giant axon as a cell: Hodgkin and Huxley's membrane at 6.3 C, which fires when current is injected.

It rests at -65.0 mV, where their v is 0. A shock that depolarizes it by 7 mV or more gives a spike of about 100 mV, one
by 6 mV does not (the paper's Fig. 12). Units of area: capacitance [uF/cm2], conductances [mS/cm2], so that currents are
[uA/cm2].

**Source:** Hodgkin AL, Huxley AF. A quantitative description of membrane current and its application to conduction and
excitation in nerve. J Physiol 117:500-544 (1952), doi:10.1113/jphysiol.1952.sp004764; the channels are those of
`hodgkin_huxley_1952`.
"""

from ..cell import Cell, point
from .hodgkin_huxley_1952 import REST, TEMPERATURE
from .hodgkin_huxley_1952 import model as channels


def model(*, capacitance: float = 1.0, temperature: float = TEMPERATURE, start: float = REST) -> Cell:
    """The axon's membrane, its mechanisms in the order Na, K, leak.

    **Arguments:** `capacitance` [uF/cm2]; `temperature` [K], by which the rates change threefold for 10 K; `start`
    [mV]: where a run starts, and where rest is by the paper.
    """
    return point(channels(), capacitance, temperature, start=start)
