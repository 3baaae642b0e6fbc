"""Occupancy of a graph of states read as open probability and as gating charge."""

from .gate import AbstractGate, Gate, HodgkinHuxley, Instantaneous, Relaxation, Sigmoid, Steady, as_scheme
from .gating import AbstractGating, AlwaysOpen
from .markov import Markov
from .sensor import (
    TwoState,
    charge_voltage,
    gating_capacitance,
    gating_charge,
    gating_current,
    limiting_slope,
    total_charge,
)

__all__ = [
    "AbstractGate",
    "AbstractGating",
    "AlwaysOpen",
    "Gate",
    "HodgkinHuxley",
    "Instantaneous",
    "Markov",
    "Relaxation",
    "Sigmoid",
    "Steady",
    "TwoState",
    "as_scheme",
    "charge_voltage",
    "gating_capacitance",
    "gating_charge",
    "gating_current",
    "limiting_slope",
    "total_charge",
]
