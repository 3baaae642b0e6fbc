"""The pump-leak cell with a constant pump: how pumping ions sets the size of a cell.

The cell of `dusterwald_2018` without KCC2, whose pump runs at the same rate whatever the sodium. Conductances of Na,
K and Cl are 0.01, 0.3 and 0.2 mS/cm2, and the pump's current is 0.5 uA/cm2 for one charge per turn. The cell then
rests at -94.13 mV with chloride at equilibrium, 16.7 mM Na and 133.3 mM K inside.

**Published:** conductances, pump, concentrations, RT/F, capacitance, and 0.52 pL at rest (a sphere of 5 um radius).
**Ours:** the cell is a cylinder as in `dusterwald_2018`, with its permeability to water, which no steady state
depends on.

**Source:** Kay AR. How cells can control their size by pumping ions. Front Cell Dev Biol 5:41 (2017),
doi:10.3389/fcell.2017.00041; its program PLM_CD.
"""

from jaxtyping import Array, Float

from . import dusterwald_2018
from .dusterwald_2018 import PumpLeak

PUBLISHED = {
    **{"g_na": 0.01, "g_k": 0.3, "g_cl": 0.2, "g_kcc2": 0.0, "pump": 0.5, "exponent": 0.0},
    **{"na_o": 147.0, "k_o": 3.0, "cl_o": 150.0, "osmolarity": 300.0, "z": -1.0, "impermeant": 76.53},
    **{"capacitance": 1.0, "rt_over_f": 25.69},
}


def model(**overrides: Float[Array, ""] | float) -> PumpLeak:
    """The cell at its published values.

    **Arguments:** those of `dusterwald_2018.PumpLeak`.
    """
    return dusterwald_2018.model(**{**PUBLISHED, **overrides})
