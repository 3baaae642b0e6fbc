"""Verbs that run mechanisms: the voltage clamp, and the methods that integrate it."""

from .adaptive import Adaptive
from .clamp import Trace, clamp, plan_clamp, voltage_clamp
from .current_clamp import CellTrace, current_clamp, march, plan_steps
from .exact import Exact
from .plan import Plan
from .recorders import AbstractRecorder, Mean, Peak, SpikeCount, SpikeTimes
from .steps import AbstractFixedStep, ExponentialEuler, RungeKutta, Staggered
from .stimulus import AbstractStimulus, Arrivals, Conductance, Current, Noise, Supply

__all__ = [
    "AbstractFixedStep",
    "AbstractRecorder",
    "AbstractStimulus",
    "Adaptive",
    "Arrivals",
    "CellTrace",
    "Conductance",
    "Current",
    "Exact",
    "ExponentialEuler",
    "Mean",
    "Noise",
    "Peak",
    "Plan",
    "RungeKutta",
    "SpikeCount",
    "SpikeTimes",
    "Staggered",
    "Supply",
    "Trace",
    "clamp",
    "current_clamp",
    "march",
    "plan_clamp",
    "plan_steps",
    "voltage_clamp",
]
