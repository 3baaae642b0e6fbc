"""Block of AMPA receptors by the calcium that passes them: two sites, of which the deeper one stops the current.

The outer site B1 exchanges Ca with the outer bath. The inner site B2 exchanges it with B1, with the outer bath and with
the inner bath, and a Ca there lets no other ion pass; both sites bind and release whatever the other does. What is read
is the conductance relative to that without block, the probability that B2 is empty: 0.577 in 10 mM Ca at -100 mV and
20 C for GluA1 + GluA2 with gamma-2.

**Published:** the graph (model 4), and the parameters of two receptors, here `A1_A2G2` (the default) and
`A1_A2_R607EG2`, in which R607E makes B2 sit more shallowly in the field (0.41 instead of 0.56 from outside). The rates
are relative: a block in its steady state does not depend on their unit, so they may all be multiplied by one number.
That of release from B2 to outside follows from detailed balance with B1. Those with the inner bath were fitted freely,
so the graph would carry Ca at equal electrochemical potentials, and no flux of Ca should be read from it. The authors
computed with F = 96485 C/mol and R = 8.31 J/(mol K). **Ours:** that distances between sites are differences, d3 - d1
and 1 - d3, which are the published ones for d1 < d3 < 1; bounds; the ohmic current that is blocked.

**Source:** GluA2-containing AMPA receptors form a continuum of Ca2+-permeable channels. Nature (2025),
doi:10.1038/s41586-025-08736-2; fitted parameters in the authors' repository, niklasbrake/AMPAR_permeation_modelling.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx

from ..channel import Channel
from ..electrochemistry import Ca
from ..gating import AlwaysOpen
from ..kinetics import Scheme, scheme
from ..permeation import Blocked, Ohmic
from ..rates import AbstractRate, Binding, Charged, Constant

if TYPE_CHECKING:
    from ..fit import Free

TEMPERATURE = 293.0  # K
A1_A2G2 = {
    **{"k1": 0.43995771, "k1r": 0.12821453, "k2": 0.11460366, "k2r": 0.14226454, "k3": 0.0145942},
    **{"k4r": 0.50720841, "k4": 0.05841258, "d1": 0.06854894, "d3": 0.56161537},
}
A1_A2_R607EG2 = {
    **{"k1": 0.19761525, "k1r": 0.21495643, "k2": 0.26103431, "k2r": 0.49903447, "k3": 0.01192562},
    **{"k4r": 0.13223262, "k4": 0.02067592, "d1": 0.09634044, "d3": 0.41123755},
}


def block(
    *, k1: float, k1r: float, k2: float, k2r: float, k3: float, k4r: float, k4: float, d1: float, d3: float
) -> Scheme:
    """The graph of the states `empty`, `site1`, `site2` and `both`; its arguments are those of `model`."""

    def law(rate: AbstractRate, distance: Any) -> Charged:
        return Charged(rate, 0.5 * Ca.z * distance)  # half of the voltage dependence is in either rate

    outer = law(Binding(k1, Ca, False), -d1), law(Constant(k1r), d1)
    across = law(Constant(k2), d1 - d3), law(Constant(k2r), d3 - d1)
    deep = law(Binding(k3, Ca, False), -d3), law(Constant(k3 * (k1r / k1) * (k2r / k2)), d3)
    inner = law(Constant(k4r), d3 - 1.0), law(Binding(k4, Ca, True), 1.0 - d3)
    taken = {(Ca, False): -1}
    edges, exchange = {}, {}
    for free_site, filled in (("empty", "site1"), ("site2", "both")):
        edges[free_site, filled], exchange[free_site, filled] = outer, taken
    for free_site, filled in (("empty", "site2"), ("site1", "both")):
        edges[free_site, filled], exchange[free_site, filled] = deep, taken
        edges[filled, free_site], exchange[filled, free_site] = inner, {(Ca, True): 1}
    edges["site1", "site2"] = across
    return scheme(edges, exchange=exchange, states=("empty", "site1", "site2", "both"))


def model(
    *,
    k1: float = A1_A2G2["k1"],
    k1r: float = A1_A2G2["k1r"],
    k2: float = A1_A2G2["k2"],
    k2r: float = A1_A2G2["k2r"],
    k3: float = A1_A2G2["k3"],
    k4r: float = A1_A2G2["k4r"],
    k4: float = A1_A2G2["k4"],
    d1: float = A1_A2G2["d1"],
    d3: float = A1_A2G2["d3"],
    g: float = 1.0,
    reversal: float = 0.0,
) -> Channel:
    """The open receptor; `model(**A1_A2_R607EG2)` is the mutant.

    **Arguments:** rates at 0 mV, relative: of Ca to B1 and back to outside `k1` [1/(mM ms)], `k1r` [1/ms]; from B1 to
    B2 and back `k2`, `k2r`; from outside to B2 `k3` [1/(mM ms)]; from B2 to inside and back `k4r`, `k4` [1/(mM ms)].
    `d1`, `d3`: electrical distances of B1 and B2 from outside. `g` [nS] and `reversal` [mV] of the current that is
    blocked.
    """
    graph = block(k1=k1, k1r=k1r, k2=k2, k2r=k2r, k3=k3, k4r=k4r, k4=k4, d1=d1, d3=d3)
    return Channel(AlwaysOpen(), Blocked(Ohmic(g, reversal=reversal), graph, ("empty", "site1")))


def free() -> Free:
    """Eight parameters: six rates and the two distances, without `k1`, which sets the unit of the others.

    The bounds are ours: rates from 1e-4 to 100, logarithmic, and distances from 0 to 1.
    """
    from ..fit import Free, Parameter

    rates = tuple(
        Parameter(name, "1/(mM ms)" if name in ("k3", "k4") else "1/ms", 1e-4, 100.0, log=True)
        for name in ("k1r", "k2", "k2r", "k3", "k4r", "k4")
    )
    found = (*rates, Parameter("d1", "", 0.0, 1.0), Parameter("d3", "", 0.0, 1.0))
    names = [p.name for p in found]

    def place(channel: Any, values: Any) -> Channel:
        graph = block(k1=_laws(channel)["k1"].rate.k, **dict(zip(names, values, strict=True)))
        return eqx.tree_at(lambda m: m.permeation.scheme, channel, graph)

    return Free(found, place, (), _read)


def _laws(channel: Any) -> dict[str, Any]:
    graph = channel.permeation.scheme
    forward, backward = graph.forward, graph.backward
    outer, deep, inner, across = 0, 2, 3, 6  # places of the edges that `block` makes
    laws = {"k1": forward[outer], "k1r": backward[outer], "k2": forward[across], "k2r": backward[across]}
    return laws | {"k3": forward[deep], "k4r": forward[inner], "k4": backward[inner]}


def _read(channel: Any) -> list[Any]:
    laws = _laws(channel)
    kept = [laws[name].rate.k for name in ("k1r", "k2", "k2r", "k3", "k4r", "k4")]
    return [*kept, *(-laws[name].z / (0.5 * Ca.z) for name in ("k1", "k3"))]
