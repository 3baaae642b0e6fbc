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
    propagate,
    relaxation_rates,
    spanning_tree_sum,
    state_charge,
    stationary,
)
from .scheme import AbstractScheme, Balanced, EnergyScheme, Scheme, scheme

__all__ = [
    "AbstractScheme",
    "Balanced",
    "CycleAudit",
    "EnergyScheme",
    "Scheme",
    "affinity",
    "assemble",
    "audit",
    "cycles",
    "edge_flux",
    "entropy_production",
    "generator",
    "propagate",
    "relaxation_rates",
    "scheme",
    "spanning_tree_sum",
    "state_charge",
    "stationary",
]
