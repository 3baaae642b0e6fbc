"""Synaptic channels ready for a membrane: AMPA, NMDA and GABA-A.

Each takes the conductance of one synapse [nS] and how it opens. By default ions carry the current, so that the
reversal potential follows the concentrations; with a `reversal` [mV] it carries current alone, as in a network of cells
whose concentrations are constant.
"""

from typing import Any

from ..channel import Channel
from ..gating import AbstractGating
from ..permeation import AbstractPermeation, Ohmic
from .opening import DoubleExponential, Exponential
from .pores import MagnesiumBlock, anion_pore, cation_pore


def ampa(
    g: Any, *, opening: AbstractGating | None = None, reversal: Any = None, calcium: Any = 0.0, number: Any = 1.0
) -> Channel:
    """AMPA receptors: cations, opening at once and closing within 2 ms.

    **Arguments:** `g` [nS] (by ions: between equal solutions of 150 mM at 37 C); `opening`: `Exponential(2.0)` by
    default, or `ampa_receptor()`; `reversal` [mV]: for current alone; `calcium`: permeability to Ca over that to Na, 0
    where the receptors hold GluA2; `number` of synapses.
    **Source:** Brunel & Wang, J. Comput. Neurosci. 11, 63 (2001), for the time constant.
    """
    return Channel(opening or Exponential(2.0), _pore(cation_pore(g, calcium), g, reversal), number)


def nmda(
    g: Any,
    *,
    opening: AbstractGating | None = None,
    reversal: Any = None,
    calcium: Any = 10.6,
    magnesium: Any = None,
    number: Any = 1.0,
) -> Channel:
    """NMDA receptors: cations and much Ca, slow, blocked by Mg from outside at negative voltages.

    **Arguments:** as of `ampa`; `opening`: `DoubleExponential(2.0, 100.0)` by default, or `nmda_receptor()`;
    `magnesium` [mM]: outside, None for that of the bath.
    **Source:** Mayer & Westbrook, J. Physiol. 394, 501 (1987) for P_Ca/P_Na = 10.6; `MagnesiumBlock` for the block;
    Brunel & Wang 2001 for the time constants.
    """
    pore = MagnesiumBlock(_pore(cation_pore(g, calcium), g, reversal), magnesium=magnesium)
    return Channel(opening or DoubleExponential(2.0, 100.0), pore, number)


def gaba_a(
    g: Any, *, opening: AbstractGating | None = None, reversal: Any = None, bicarbonate: Any = 0.18, number: Any = 1.0
) -> Channel:
    """GABA-A receptors: Cl and HCO3, opening at once and closing within 10 ms.

    **Arguments:** as of `ampa`; `opening`: `Exponential(10.0)` by default, or `gaba_a_receptor()`; `bicarbonate`:
    permeability to HCO3 over that to Cl.
    **Source:** `anion_pore`; Wang & Buzsaki, J. Neurosci. 16, 6402 (1996) for the time constant.
    """
    return Channel(opening or Exponential(10.0), _pore(anion_pore(g, bicarbonate), g, reversal), number)


def _pore(ions: AbstractPermeation, g: Any, reversal: Any) -> AbstractPermeation:
    return ions if reversal is None else Ohmic(g, reversal=reversal)
