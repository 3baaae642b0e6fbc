"""A potassium channel with three barriers and two sites, which K and Na share in single file.

The simplest pore that holds two ions. It saturates, and its flux-ratio exponent rises from 1 to 1.48 at 1 M; potassium
channels show 2 to 2.5, which takes three sites (`k_channel_three_site`). In bi-ionic conditions (150 mM Na outside, K
inside) it reverses at -27.4 mV: P_Na/P_K = 0.34, so it is far less selective than a potassium channel.

**Published:** that such channels are multi-ion pores, how ions move in them, and the exponents 2 to 2.5 of delayed and
inward rectifiers. **Ours:** the energies, distances and repulsion: numbers of the order that the paper discusses, not
fitted to data.

**Source:** Hille B, Schwarz W. Potassium channels as multi-ion single-file pores. J Gen Physiol 72:409-442 (1978),
doi:10.1085/jgp.72.4.409.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..channel import Channel
from ..electrochemistry import K, Na
from ..gating import AlwaysOpen
from ..permeation import BarrierPore
from .energies import free_energies

if TYPE_CHECKING:
    from ..fit import Free

TEMPERATURE = 298.15  # K, where the energies hold
DISTANCES = (0.1, 0.2, 0.5, 0.8, 0.9)  # of barrier, site, ..., barrier from outside


def model(
    *,
    w_K: float = -2.0,
    b_K: float = 8.0,
    c_K: float = 6.0,
    w_Na: float = -0.8,
    b_Na: float = 9.0,
    c_Na: float = 7.5,
    u: float = 1.5,
) -> Channel:
    """The open channel; it is symmetric.

    **Arguments:** energies [kT at 25 C, from a solution of 1 M] of each ion: `w` at both sites, `b` at the barriers to
    the baths, `c` at the one in the middle; `u` [kT]: repulsion of two ions in the pore.
    """
    pore = BarrierPore(
        {K: [w_K, w_K], Na: [w_Na, w_Na]},
        {K: [b_K, c_K, b_K], Na: [b_Na, c_Na, b_Na]},
        DISTANCES,
        [u],
        reference=TEMPERATURE,
    )
    return Channel(AlwaysOpen(), pore)


def free(*, width: float = 4.0) -> Free:
    """The seven energies, each within `width` [kT] of its value here; the bounds are ours."""
    return free_energies(model, _read, width)


def _read(sites: Any, barriers: Any, repulsion: Any) -> list[Any]:
    found = [x for k in range(2) for x in (sites[k, 0], barriers[k, 0], barriers[k, 1])]
    return [*found, repulsion[0]]
