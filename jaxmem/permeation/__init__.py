"""What passes through an open channel: fluxes of every species and the current they carry."""

from .barrier_pore import BarrierPore, PoreFlux
from .block import Blocked, woodhull
from .constant_field import GHK, PermeabilityRatios
from .exchange import PER_PARTICLE, AbstractPermeation, Exchange, carried
from .graph_pore import GraphPore
from .interaction import PairInteraction
from .ohmic import Ohmic
from .pore_scheme import PoreScheme
from .rate_theory import (
    attempt_rate,
    barrier_of_rate,
    change_of_rate,
    from_mole_fraction,
    rate_over_barrier,
    to_mole_fraction,
)
from .readings import chord_conductance, conductance, current, permeability_ratio, reversal_potential
from .single_file import MOST_STATES, SingleFile, single_file
