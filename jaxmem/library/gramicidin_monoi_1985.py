"""The gramicidin channel for Na: two sites, each of which exchanges ions with its own bath.

A graph of four states, `empty`, `outer`, `inner` and `both`, by binding constants and exit rates. The binding constant
of the empty channel counts both sites, K1 = 13.7/M, so either binds with half of it; that of the second ion is for the
one site that is left, K2 = 1.6/M, and either of two ions may leave. Sites lie at the electrical distance `delta` from
their baths, every barrier halfway.

**Published:** K1 = 13.7 (+/- 1.4) and K2 = 1.6 (+/- 0.2) per molal at 25 C for two identical sites, from 23Na nuclear
magnetic resonance, and ranges of the exit rates: 0.8 to 3 per us of the first ion, 0.8 to 10 per us of the second.
**Ours:** the values in these ranges, the rate of translocation, `delta`, and per molal taken as per M.

**Source:** Monoi H. Nuclear magnetic resonance of 23Na ions interacting with the gramicidin channel. Biophysical
Journal (1985).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx

from ..channel import Channel
from ..electrochemistry import Na
from ..gating import AlwaysOpen
from ..kinetics import Scheme, scheme
from ..permeation import GraphPore
from ..rates import Binding, Charged, Constant

if TYPE_CHECKING:
    from ..fit import Free

STATES = ("empty", "outer", "inner", "both")


def pore(*, K1: float, K2: float, k_off1: float, k_off2: float, k_trans: float, delta: float) -> Scheme:
    """The graph; its arguments are those of `model`."""
    edges, exchange = {}, {}
    for edge, inside, on, off in (
        (("empty", "outer"), False, 0.5 * K1 * k_off1, k_off1),
        (("empty", "inner"), True, 0.5 * K1 * k_off1, k_off1),
        (("inner", "both"), False, 2.0 * K2 * k_off2, k_off2),
        (("outer", "both"), True, 2.0 * K2 * k_off2, k_off2),
    ):
        moved = 0.5 * delta if inside else -0.5 * delta  # outward, by an ion that binds, up to the barrier
        edges[edge] = Charged(Binding(on, Na, inside), moved), Charged(Constant(off), -moved)
        exchange[edge] = {(Na, inside): -1}
    half = 0.5 - delta
    edges["outer", "inner"] = Charged(Constant(k_trans), -half), Charged(Constant(k_trans), half)
    return scheme(edges, exchange=exchange, states=STATES)


def model(
    *,
    K1: float = 13.7e-3,
    K2: float = 1.6e-3,
    k_off1: float = 1500.0,
    k_off2: float = 4000.0,
    k_trans: float = 3000.0,
    delta: float = 0.1,
) -> Channel:
    """The open channel; it is symmetric.

    **Arguments:** `K1`, `K2` [1/mM]: binding constants of the first and the second ion; `k_off1`, `k_off2` [1/ms]: exit
    rates of a channel with one and with two ions; `k_trans` [1/ms]: from one site to the other; `delta`: electrical
    distance of a site from its bath.
    """
    graph = pore(K1=K1, K2=K2, k_off1=k_off1, k_off2=k_off2, k_trans=k_trans, delta=delta)
    return Channel(AlwaysOpen(), GraphPore(graph))


def free() -> Free:
    """All six: binding constants within three published standard errors, exit rates in the published ranges.

    The bounds of the translocation, 0.1 to 100 per us, and of `delta`, 0 to 0.5, are ours.
    """
    from ..fit import Free, Parameter

    found = (
        Parameter("K1", "1/mM", 9.5e-3, 17.9e-3),
        Parameter("K2", "1/mM", 1.0e-3, 2.2e-3),
        Parameter("k_off1", "1/ms", 800.0, 3000.0, log=True),
        Parameter("k_off2", "1/ms", 800.0, 10000.0, log=True),
        Parameter("k_trans", "1/ms", 100.0, 1e5, log=True),
        Parameter("delta", "", 0.0, 0.5),
    )
    names = [p.name for p in found]

    def place(channel: Any, values: Any) -> Channel:
        graph = pore(**dict(zip(names, values, strict=True)))
        return eqx.tree_at(lambda m: m.permeation, channel, GraphPore(graph))

    return Free(found, place, (), _read)


def _read(channel: Any) -> list[Any]:
    graph = channel.permeation.scheme
    first, _, second, _, across = zip(graph.forward, graph.backward, strict=True)
    on1, off1, on2, off2 = (law.rate.k for law in (*first, *second))
    return [2.0 * on1 / off1, 0.5 * on2 / off2, off1, off2, across[0].rate.k, -2.0 * first[0].z]
