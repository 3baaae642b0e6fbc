"""Figures: functions that take and return matplotlib Axes or Figure, and never touch pyplot's state.

A function that draws one panel takes `ax=None` and returns the Axes; one that draws several takes `figure=None` and
returns the Figure. Without an argument they make a new `matplotlib.figure.Figure`, which `savefig` writes anywhere.
"""

from .agreement import agreement
from .along import animate, kymograph, kymographs, profiles
from .branch import branch
from .curves import GatingCurves, gating, gating_curves, steady_state, time_constants
from .energy_profile import energy_profile, lone_ion_energies
from .envelope import envelope
from .family import MOST as FAMILY
from .family import family
from .matrix import correlation
from .measurement import measurement
from .profile import profile
from .relations import boltzmann, conductance_concentration, conductance_voltage, current_voltage, mole_fraction
from .simulation import simulation
from .squid import squid, squid_conductance, squid_rates
from .style import COLORS, save, styled
from .traces import command, overlay, residuals, traces
from .transport import cycle, staircase, turnover_voltage
from .turn import free_energy_drops

__all__ = [
    "COLORS",
    "FAMILY",
    "GatingCurves",
    "agreement",
    "animate",
    "boltzmann",
    "branch",
    "command",
    "conductance_concentration",
    "conductance_voltage",
    "correlation",
    "current_voltage",
    "cycle",
    "energy_profile",
    "envelope",
    "family",
    "free_energy_drops",
    "gating",
    "gating_curves",
    "kymograph",
    "kymographs",
    "lone_ion_energies",
    "measurement",
    "mole_fraction",
    "overlay",
    "profile",
    "profiles",
    "residuals",
    "save",
    "simulation",
    "squid",
    "squid_conductance",
    "squid_rates",
    "staircase",
    "steady_state",
    "styled",
    "time_constants",
    "traces",
    "turnover_voltage",
]
