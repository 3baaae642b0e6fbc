"""Synapses: channels that arriving spikes open, or that transmitter opens, and the ions that pass.

They are mechanisms as all others. What opens them is a gating (`Exponential`, `DoubleExponential`, or the graph of a
receptor), what passes is a permeation.
"""

from .channels import ampa, gaba_a, nmda
from .opening import DoubleExponential, Exponential
from .pores import MagnesiumBlock, anion_pore, cation_pore, permeability
from .receptors import ampa_receptor, gaba_a_receptor, nmda_receptor

__all__ = [
    "DoubleExponential",
    "Exponential",
    "MagnesiumBlock",
    "ampa",
    "ampa_receptor",
    "anion_pore",
    "cation_pore",
    "gaba_a",
    "gaba_a_receptor",
    "nmda",
    "nmda_receptor",
    "permeability",
]
