"""Models as readable TOML: parsed, never evaluated.

A file names its parameters once, with units and bounds, and then uses the names in the rate laws:

    [parameters]
    p1 = { value = "2.26e-4 1/ms", bounds = ["1e-7 1/ms", "1e3 1/ms"], scale = "log" }
    p2 = { value = "0.0699 1/mV", bounds = ["1e-7 1/mV", "0.4 1/mV"] }
    g = "152.4 nS"                     # no bounds: fixed

    [gating.gates.a]
    power = 1
    opening = { law = "exponential", a = "p1", b = "p2" }
    closing = { law = "exponential", a = "3.45e-5 1/ms", b = "-0.0546 1/mV" }

    [permeation]
    kind = "ohmic"
    g = "g"
    reversal = "-88.3 mV"

A [permeation] may also be a pore: barriers and sites, a state graph, a block. Without a [gating] it is always open.
"""

from .model import ModelFile, dumps, load, loads

__all__ = ["ModelFile", "dumps", "load", "loads"]
