"""Fitting models to data: experiments, free parameters, bounded least squares from many starts, error bars."""

from .parameters import Free, Parameter, RateLimit
from .select import between, free, log_between, rate_box

__all__ = ["Free", "Parameter", "RateLimit", "between", "free", "log_between", "rate_box"]
