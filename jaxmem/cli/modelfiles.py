"""The models of the shipped data sets as model files, so that their fits write one that loads back."""

from .. import datasets, library, modelfile
from ..modelfile.write import written
from .models import Chosen, describe

SQUID = """\
name = "squid_potassium"
description = "squid axon: potassium conductance g n^4, V is the depolarization from rest"
doi = "10.1113/jphysiol.1952.sp004764"

# alpha_n = alpha x/(1 - exp(-x)) with x = (V - v0)/s; beta_n = beta exp(-V/c)
[parameters]
alpha = { value = "0.1 1/ms", bounds = ["0.01 1/ms", "1 1/ms"], scale = "log" }
v0 = { value = "10 mV", bounds = ["-40 mV", "60 mV"] }
s = { value = "10 mV", bounds = ["2 mV", "50 mV"], scale = "log" }
beta = { value = "0.125 1/ms", bounds = ["0.01 1/ms", "1 1/ms"], scale = "log" }
c = { value = "80 mV", bounds = ["10 mV", "500 mV"], scale = "log" }
g = { value = "24.31 mS/cm2", bounds = ["10 mS/cm2", "100 mS/cm2"], scale = "log", fixed = FIXED }

[gating.gates.n]
power = 4
opening = { law = "linoid", a = "alpha", v0 = "v0", s = "s" }
closing = { law = "exponential", a = "beta", s = "-c" }

[permeation]
kind = "conductance"
g = "g"

[bath]
temperature = "6.3 C"
"""


def squid(*, free_g: bool) -> Chosen:
    """The potassium conductance of the squid axon with five free parameters, and g as a sixth if `free_g`."""
    return describe(modelfile.loads(SQUID.replace("FIXED", "false" if free_g else "true"), "squid_potassium"))


def beattie(cell: int) -> Chosen:
    """The two-gate hERG model with the bounds, reversal potential and temperature of one cell."""
    name = "herg_beattie_2018"
    shipped = modelfile.loads(library.text(name), name)
    low, high = datasets.beattie_2018.conductance_bounds(cell)
    kelvin = datasets.beattie_2018.temperature(cell)
    parameters = dict(shipped.document["parameters"])
    parameters["g"] = {"value": f"{(low * high) ** 0.5!r} nS", "bounds": [f"{low!r} nS", f"{high!r} nS"]}
    document = {**shipped.document, "parameters": parameters, "bath": {"temperature": f"{kelvin!r} K"}}
    reversal = library.load(name).reversal_potential(kelvin)
    text = written(document, shipped.parameters.known, {"E": reversal}, name)
    return describe(modelfile.loads(text, name))
