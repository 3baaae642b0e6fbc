"""The analyses that an electrophysiologist starts from: relations, relaxations, leak and access."""

from jaxmem.recordings.analysis.access import Access, membrane_test
from jaxmem.recordings.analysis.boltzmann import Boltzmann, boltzmann_fit
from jaxmem.recordings.analysis.dose_response import DoseResponse, Hill, dose_response, hill_fit
from jaxmem.recordings.analysis.iv import (
    GV,
    IV,
    conductance_voltage,
    inactivation_curve,
    peak_iv,
    pool,
    steady_iv,
)
from jaxmem.recordings.analysis.leak import Leak, leak_fit
from jaxmem.recordings.analysis.noise import correlation_length
from jaxmem.recordings.analysis.tails import Tails, tail_fit

__all__ = [
    "GV",
    "IV",
    "Access",
    "Boltzmann",
    "DoseResponse",
    "Hill",
    "Leak",
    "Tails",
    "boltzmann_fit",
    "conductance_voltage",
    "correlation_length",
    "dose_response",
    "hill_fit",
    "inactivation_curve",
    "leak_fit",
    "membrane_test",
    "peak_iv",
    "pool",
    "steady_iv",
    "tail_fit",
]
