"""What passes through an open channel: fluxes of every species and the current they carry."""

from .barrier_pore import BarrierPore, PoreFlux
from .binding_polynomial import BindingPolynomial, one_site_saturation, two_site_saturation
from .block import Blocked, woodhull
from .charged_mouths import ChargedMouths
from .constant_field import GHK, PermeabilityRatios
from .exchange import PER_PARTICLE, AbstractPermeation, Exchange, carried
from .graph_pore import GraphPore
from .interaction import PairInteraction
from .knock_on import knock_on
from .labels import flux_ratio_exponent, labeled, unidirectional_fluxes
from .mixtures import MoleFractionMinimum, mixture, mole_fraction_minimum, smallest
from .ohmic import Ohmic
from .pore_pnp import PorePNP
from .pore_scheme import PoreScheme
from .rate_theory import (
    attempt_rate,
    barrier_of_rate,
    change_of_rate,
    from_mole_fraction,
    rate_over_barrier,
    to_mole_fraction,
)
from .readings import (
    chord_conductance,
    conductance,
    current,
    permeability_ratio,
    rectification,
    reversal_potential,
    selectivity,
    transport_numbers,
)
from .single_file import MOST_STATES, SingleFile, single_file
from .tabulated import Tabulated, tabulate

__all__ = [
    "GHK",
    "MOST_STATES",
    "PER_PARTICLE",
    "AbstractPermeation",
    "BarrierPore",
    "BindingPolynomial",
    "Blocked",
    "ChargedMouths",
    "Exchange",
    "GraphPore",
    "MoleFractionMinimum",
    "Ohmic",
    "PairInteraction",
    "PermeabilityRatios",
    "PoreFlux",
    "PorePNP",
    "PoreScheme",
    "SingleFile",
    "Tabulated",
    "attempt_rate",
    "barrier_of_rate",
    "carried",
    "change_of_rate",
    "chord_conductance",
    "conductance",
    "current",
    "flux_ratio_exponent",
    "from_mole_fraction",
    "knock_on",
    "labeled",
    "mixture",
    "mole_fraction_minimum",
    "one_site_saturation",
    "permeability_ratio",
    "rate_over_barrier",
    "rectification",
    "reversal_potential",
    "selectivity",
    "single_file",
    "smallest",
    "tabulate",
    "to_mole_fraction",
    "transport_numbers",
    "two_site_saturation",
    "unidirectional_fluxes",
    "woodhull",
]
