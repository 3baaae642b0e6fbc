"""Verbs that run mechanisms: the voltage clamp, and the methods that integrate it."""

from .adaptive import Adaptive
from .branch import Branch, Kind, SpecialPoint
from .clamp import Trace, clamp, plan_clamp, voltage_clamp
from .continuation import Injected, Total, follow
from .current_clamp import CellTrace, Steps, current_clamp, march, plan_steps
from .exact import Exact
from .hines import Hines
from .network import NetworkTrace, march_network, run_network
from .plan import Plan
from .recorders import AbstractRecorder, Mean, Peak, SpikeCount, SpikeTimes
from .steady import Rest, rest, stability, steady_state
from .steps import AbstractFixedStep, ExponentialEuler, RungeKutta, Staggered
from .stimulus import AbstractStimulus, Arrivals, Conductance, Current, Noise, Supply

__all__ = [
    "AbstractFixedStep",
    "AbstractRecorder",
    "AbstractStimulus",
    "Adaptive",
    "Arrivals",
    "Branch",
    "CellTrace",
    "Conductance",
    "Current",
    "Exact",
    "ExponentialEuler",
    "Hines",
    "Injected",
    "Kind",
    "Mean",
    "NetworkTrace",
    "Noise",
    "Peak",
    "Plan",
    "Rest",
    "RungeKutta",
    "SpecialPoint",
    "SpikeCount",
    "SpikeTimes",
    "Staggered",
    "Steps",
    "Supply",
    "Total",
    "Trace",
    "clamp",
    "current_clamp",
    "follow",
    "march",
    "march_network",
    "plan_clamp",
    "plan_steps",
    "rest",
    "run_network",
    "stability",
    "steady_state",
    "voltage_clamp",
]
