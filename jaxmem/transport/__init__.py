"""Pumps and transporters: what they move, what it costs, and how fast they turn.

Published rate equations are functions of the modules `sodium_pumps`, `post_albers`, `calcium_pumps`, `exchangers`,
`cotransporters`, `proton_exchange`, `glucose` and `glutamate`; ready stoichiometries are in `catalogue`.
"""

from . import (
    calcium_pumps,
    catalogue,
    cotransporters,
    exchangers,
    glucose,
    glutamate,
    post_albers,
    proton_exchange,
    sodium_pumps,
)
from .energies import closed
from .lump import Lumped, lump
from .published import Published, per_current
from .ring import Ring, ring_turnover
from .stoichiometry import (
    STANDARD,
    Kind,
    Stoichiometry,
    chemical_energy,
    direction,
    efficiency,
    largest_accumulation,
    set_point,
    stalling_potential,
    transport_energy,
    turn_energy,
)
from .transporter import QuasiSteady, Transporter

__all__ = [
    "STANDARD",
    "Kind",
    "Lumped",
    "Published",
    "QuasiSteady",
    "Ring",
    "Stoichiometry",
    "Transporter",
    "calcium_pumps",
    "catalogue",
    "chemical_energy",
    "closed",
    "cotransporters",
    "direction",
    "efficiency",
    "exchangers",
    "glucose",
    "glutamate",
    "largest_accumulation",
    "lump",
    "per_current",
    "post_albers",
    "proton_exchange",
    "ring_turnover",
    "set_point",
    "sodium_pumps",
    "stalling_potential",
    "transport_energy",
    "turn_energy",
]
