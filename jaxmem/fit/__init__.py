"""Fitting models to data: experiments, free parameters, least squares from many starts, error bars."""

from .current_clamp import CurrentClamp, Features, SpikeTimesOf, SpikeTrain, voltage
from .experiment import Experiment, VoltageClamp, noise_level
from .gradient import value_and_gradient
from .least_squares import least_squares
from .minimize import minimize
from .multistart import Chunks, Threads
from .parameters import Free, Parameter, RateLimit
from .replicates import Replicates, replicates
from .result import Fit, HeldOut, Lanes, Score, held_out, load
from .select import between, free, log_between, rate_box
from .smooth import Smooth
from .steady import Steady
from .trust_region import Ending, TrustRegion
from .uncertainty import Combination

__all__ = [
    "Chunks",
    "Combination",
    "CurrentClamp",
    "Ending",
    "Experiment",
    "Features",
    "Fit",
    "Free",
    "HeldOut",
    "Lanes",
    "Parameter",
    "RateLimit",
    "Replicates",
    "Score",
    "Smooth",
    "SpikeTimesOf",
    "SpikeTrain",
    "Steady",
    "Threads",
    "TrustRegion",
    "VoltageClamp",
    "between",
    "free",
    "held_out",
    "least_squares",
    "load",
    "log_between",
    "minimize",
    "noise_level",
    "rate_box",
    "replicates",
    "value_and_gradient",
    "voltage",
]
