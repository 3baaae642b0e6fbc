"""Verbs that run mechanisms: the voltage clamp, and the methods that integrate it."""

from .clamp import Trace, clamp, plan_clamp, voltage_clamp
from .exact import Exact
from .plan import Plan

__all__ = ["Exact", "Plan", "Trace", "clamp", "plan_clamp", "voltage_clamp"]
