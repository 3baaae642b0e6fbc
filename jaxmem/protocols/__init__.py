"""Voltage and current commands as data."""

from .pieces import family, from_table, held, joined, ramp, sampled, sine, staircase, step, to_table
from .protocol import Protocol, sweeps
from .sentence import parse

__all__ = [
    "Protocol",
    "family",
    "from_table",
    "held",
    "joined",
    "parse",
    "ramp",
    "sampled",
    "sine",
    "staircase",
    "step",
    "sweeps",
    "to_table",
]
