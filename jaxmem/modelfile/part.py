"""What one permeation of a model file is: how it is built, and what its signal measures."""

from dataclasses import dataclass

from .parameters import Build, Parameters
from .table import CONDUCTANCES, OWN_UNIT, Table, a

#: The unit of a current, from what a conductance is; it follows from jaxmem's own units.
CURRENTS = {"conductance": "pA", "conductance density": "uA/cm2", "capacity-normalized conductance": "pA/pF"}


@dataclass(frozen=True)
class Part:
    """A permeation, or a whole mechanism, whose parameters have no values yet.

    **Arguments:** `table`: where it stands; `build`: from values to the module; `signal`: what it measures, in words,
    and `unit`: in which unit.
    """

    table: Table
    build: Build
    signal: str = "current"
    unit: str = "pA"


def with_conductance(table: Table, parameters: Parameters, build: Build, *, itself: bool = False) -> Part:
    """A part whose signal is in the units that its conductance `g` gives, or is that conductance `itself`."""
    places = list(table.elements("g"))
    (dimension, *others) = [parameters.dimension(one, place, *CONDUCTANCES) for one, place in places]
    for (one, place), other in zip(places[1:], others, strict=True):
        if other != dimension:
            one.fail(f"must be {a(dimension)} as the first is, but is {a(other)}", place)
    if itself:
        return Part(table, build, dimension, OWN_UNIT[dimension])
    return Part(table, build, dimension.replace("conductance", "current"), CURRENTS[dimension])
