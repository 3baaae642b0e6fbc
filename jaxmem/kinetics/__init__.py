"""State graphs: schemes of states and rates, and what can be read from them."""

from .readings import (
    CycleAudit,
    affinity,
    assemble,
    audit,
    cycles,
    edge_flux,
    entropy_production,
    generator,
    off_diagonal,
    propagate,
    relaxation_rates,
    spanning_tree_sum,
    state_charge,
    stationary,
)
from .scheme import AbstractScheme, Balanced, EnergyScheme, Scheme, scheme
from .turnover import Turnover, released, transported, turnover, weighted

__all__ = [
    "AbstractScheme",
    "Balanced",
    "CycleAudit",
    "EnergyScheme",
    "Scheme",
    "Turnover",
    "affinity",
    "assemble",
    "audit",
    "cycles",
    "edge_flux",
    "entropy_production",
    "generator",
    "off_diagonal",
    "propagate",
    "relaxation_rates",
    "released",
    "scheme",
    "spanning_tree_sum",
    "state_charge",
    "stationary",
    "transported",
    "turnover",
    "weighted",
]
