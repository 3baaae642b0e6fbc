"""A calcium channel with two sites, which Ca, Ba and Na share in single file.

Ca binds tightly, so a pore that holds one lets hardly any Na or Ba pass; a second Ca that enters repels the first, so
pure Ca flows. Mixtures therefore carry less than either pure solution (the anomalous mole-fraction effect): 10 mM of Ca
and Ba carry least at 2.3 % Ca, 0.36 of pure Ca and 0.22 of pure Ba at -20 mV. Ca outside blocks the current of 120 mM
Na 20-fold at 129 uM.

**Published:** in frog muscle Ca blocks the monovalent current with half its effect at 0.7 uM, about 10-fold at 60 uM,
above which Ca itself carries current; mixtures of Ba and Ca show the anomalous effect. **Ours:** the energies,
distances and repulsion, tuned to these observations: the block is deeper and its minimum at a higher concentration, as
said above.

**Source:** Almers W, McCleskey EW. Non-selective conductance in calcium channels of frog muscle: calcium selectivity in
a single-file pore. J Physiol 353:585-608 (1984), doi:10.1113/jphysiol.1984.sp015352; the block: Almers W, McCleskey EW,
Palade PT. J Physiol 353:565 (1984).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..channel import Channel
from ..electrochemistry import Ba, Ca, Na
from ..gating import AlwaysOpen
from ..permeation import BarrierPore
from .energies import free_energies

if TYPE_CHECKING:
    from ..fit import Free

TEMPERATURE = 293.15  # K, where the energies hold
DISTANCES = (0.12, 0.25, 0.5, 0.75, 0.88)  # of barrier, site, ..., barrier from outside


def model(
    *,
    w_Ca: float = -13.25,
    b_Ca: float = 6.2,
    c_Ca: float = -4.5,
    w_Ba: float = -6.95,
    b_Ba: float = 9.1,
    c_Ba: float = -2.1,
    w_Na: float = -1.5,
    b_Na: float = 11.5,
    c_Na: float = 3.4,
    u: float = 1.43,
) -> Channel:
    """The open channel; it is symmetric.

    **Arguments:** energies [kT at 20 C, from a solution of 1 M] of each ion: `w` at both sites, `b` at the barriers to
    the baths, `c` at the one in the middle; `u` [kT]: repulsion of two monovalent ions in the pore; two divalent ones
    repel each other four times as much.
    """
    pore = BarrierPore(
        {Ca: [w_Ca, w_Ca], Ba: [w_Ba, w_Ba], Na: [w_Na, w_Na]},
        {Ca: [b_Ca, c_Ca, b_Ca], Ba: [b_Ba, c_Ba, b_Ba], Na: [b_Na, c_Na, b_Na]},
        DISTANCES,
        [u],
        reference=TEMPERATURE,
    )
    return Channel(AlwaysOpen(), pore)


def free(*, width: float = 4.0) -> Free:
    """The ten energies, each within `width` [kT] of its value here; the bounds are ours."""
    return free_energies(model, _read, width)


def _read(sites: Any, barriers: Any, repulsion: Any) -> list[Any]:
    found = [x for k in range(3) for x in (sites[k, 0], barriers[k, 0], barriers[k, 1])]
    return [*found, repulsion[0]]
