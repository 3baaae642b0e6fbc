"""The components of jaxmem, one line each: `test_invariants.py` runs every invariant on every one of them.

A new gate, scheme or permeation law is one final class in its domain module and one line in the list below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from jaxmem import gating, rates, synapse
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Ba, Bath, Ca, Cl, K, Mg, Na, Species, glc
from jaxmem.electrodiffusion import Newton, Pore, uniform
from jaxmem.kinetics import Balanced, EnergyScheme, scheme
from jaxmem.library import sglt1_eskandari_2005
from jaxmem.permeation import (
    GHK,
    BarrierPore,
    BindingPolynomial,
    Blocked,
    ChargedMouths,
    GraphPore,
    Ohmic,
    PermeabilityRatios,
    PorePNP,
    tabulate,
    woodhull,
)
from jaxmem.rates import Binding, Constant, Exponential, Eyring, Linoid, Scaled
from jaxmem.transport import sodium_pumps
from jaxmem.transport.catalogue import NA_K_ATPASE
from jaxmem.transport.published import Published, per_current


def cell() -> Bath:
    """A mammalian cell at 37 C."""
    inside, outside = {K: 140.0, Na: 12.0, Cl: 8.0, Ca: 1e-3}, {K: 4.0, Na: 145.0, Cl: 120.0, Ca: 1.8}
    return Bath(inside, outside, 310.15)


def neutral() -> Bath:
    """The cell with the anions that make both sides electroneutral."""
    return Bath({K: 140.0, Na: 12.0, Cl: 152.0}, {K: 4.0, Na: 145.0, Cl: 149.0}, 310.15)


def magnesium() -> Bath:
    """The cell with Mg on both sides."""
    return cell().replaced({(Mg, True): 0.8, (Mg, False): 1.2})


def sugar() -> Bath:
    """The cell with glucose on both sides."""
    return cell().replaced({(glc, True): 1.0, (glc, False): 5.0})


@dataclass(frozen=True)
class Component:
    """One component under test. `build()` and `bath()` are called inside a test, after jax is configured."""

    name: str
    build: Callable[[], Any]
    bath: Callable[[], Any] = cell
    slow: bool = False


def _square(closing: Any) -> Any:
    """Activation and inactivation in a square, its last edge closed by `closing`."""
    activation, inactivation = (Exponential(0.3, 0.02), Exponential(0.1, -0.03)), Exponential(0.2, 0.015)
    return scheme(
        {
            ("C", "O"): activation,
            ("O", "I"): (Exponential(0.7, -0.01), inactivation),
            ("CI", "I"): activation,
            ("C", "CI"): (Exponential(0.5, -0.02), closing),
        }
    )


def _receptor() -> Any:
    """Two bindings of Ca from inside, then opening."""
    return scheme(
        {
            ("R", "RA"): (Scaled(Binding(50.0, Ca, True), 2.0), Constant(0.2)),
            ("RA", "RAA"): (Binding(50.0, Ca, True), Scaled(Constant(0.2), 2.0)),
            ("RAA", "open"): (Eyring(3.0, 0.4), Eyring(0.8, -0.3)),
        },
        exchange={("R", "RA"): {(Ca, True): -1}, ("RA", "RAA"): {(Ca, True): -1}},
    )


def _exchanger() -> Any:
    """A carrier that moves 3 Na one way and 1 Ca the other, with a slip between its empty forms."""
    return EnergyScheme(
        ("empty in", "Na in", "Na out", "empty out", "Ca out", "Ca in"),
        ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (5, 0), (3, 0)),
        (
            (((Na, True), -3),),
            (),
            (((Na, False), 3),),
            (((Ca, False), -1),),
            (),
            (((Ca, True), 1),),
            (),
        ),
        energy=np.asarray([4.0, -3.0, 0.5, -6.0, -5.0]),
        charge=np.asarray([-1.5, -0.3, 0.2, 0.1, -1.0]),
        barrier=np.asarray([27.0, 31.0, 28.0, 27.0, 30.0, 29.0, 33.0]),
        barrier_charge=np.asarray([-0.5, -1.0, 0.1, 0.2, -0.2, -0.7, 0.1]),
        reference=310.15,
    )


def _ladder() -> Any:
    """Sixteen states in a row, above the size up to which the numerics are written out."""
    opening, closing = Eyring(2.0, 0.3), Eyring(1.0, -0.5)
    return scheme({(f"S{k}", f"S{k + 1}"): (Scaled(opening, 1.0 + k), closing) for k in range(15)})


def _pore() -> Any:
    """Two sites for K, which repels itself: few states, which compile fast."""
    distances = [0.1, 0.2, 0.5, 0.8, 0.9]
    return BarrierPore({K: [-2.0, -1.5]}, {K: [8.0, 6.0, 8.5]}, distances, [1.5], transmission=0.7, reference=298.15)


def _channel_of_calcium() -> Any:
    """Two sites for Ca and Ba: a mixed pore is a trap."""
    occupancies = ({Ca: 1}, {Ba: 1}, {Ca: 2}, {Ba: 2}, {Ca: 1, Ba: 1})
    return BindingPolynomial(occupancies, [0.5, 0.2, 0.025, 0.004, 0.2], [0.1, 0.1, 3e3, 6e3, 150.0])


def _charged_tube() -> Any:
    """A tube with a negative and a positive part, on a coarse mesh that stays where it is."""
    pore = Pore([1.0, 2.0], {K: 1.957, Cl: 2.032}, radius=[0.5, 0.4, 0.6], fixed_charge=[-400.0, 200.0])
    return PorePNP(pore, mesh=uniform(pore, 6), newton=Newton(1e-6))


def _gate() -> Any:
    return gating.Gate(Linoid(0.1, -55.0, 10.0), Exponential(0.055, -0.0125))


def _sodium() -> Any:
    opening = gating.Gate(Linoid(1.0, -40.0, 10.0), Exponential(0.1085, -0.0556))
    inactivation = gating.Gate(Exponential(0.0027, -0.05), rates.Sigmoid(1.0, -35.0, 10.0))
    return gating.HodgkinHuxley((opening, inactivation), (3, 1))


#: State graphs: `scheme(...)` and `EnergyScheme(...)`.
SCHEMES: tuple[Component, ...] = (
    Component("two-state scheme", lambda: scheme({("C", "O"): (Exponential(0.2, 0.03), Exponential(0.3, -0.04))})),
    Component("balanced square", lambda: _square(Balanced())),
    Component("open square", lambda: _square(Constant(0.4))),
    Component("receptor", _receptor),
    Component("exchanger", _exchanger),
    Component("ladder", _ladder),
    Component("barrier pore", lambda: _pore().scheme),
    Component("permeant blocker", lambda: woodhull(Mg, 5.0, 20.0, 0.7, escape=2.0), magnesium),
    Component("symporter with slip", lambda: sglt1_eskandari_2005.model().scheme, sugar),
)

#: Those that detailed balance holds for, whatever the voltage.
AT_EQUILIBRIUM = ("two-state scheme", "balanced square", "receptor", "ladder")

#: Those with an exchange table that says all that they bind: their cycles are paid for by the bath.
PAID = (
    *("two-state scheme", "balanced square", "receptor", "exchanger", "ladder", "barrier pore", "permeant blocker"),
    "symporter with slip",
)

#: Whatever answers `init, derivative, advance, open_probability`: gates, relaxations, Markov schemes.
GATINGS: tuple[Component, ...] = (
    Component("gate", lambda: gating.HodgkinHuxley((_gate(),), (4,))),
    Component("m3h", _sodium),
    Component(
        "relaxation",
        lambda: gating.HodgkinHuxley(
            (gating.Relaxation(gating.Sigmoid(-30.0, 7.0), rates.Q10(Exponential(0.1, 0.02), 3.0, 293.15)),),
            (2,),
            gating.Instantaneous(gating.Sigmoid(-20.0, -18.0)),
        ),
    ),
    Component("instantaneous", lambda: gating.Instantaneous(gating.Sigmoid(-20.0, -18.0))),
    Component("always open", gating.AlwaysOpen),
    Component("Markov square", lambda: gating.Markov(_square(Balanced()), ("O",))),
    Component("Markov driven", lambda: gating.Markov(_square(Constant(0.4)), {"O": 1.0, "C": 0.05})),
    Component("Markov binding", lambda: gating.Markov(_receptor(), ("open",))),
    Component("Markov energies", lambda: gating.Markov(_exchanger(), ("empty in",))),
    Component("Markov ladder", lambda: gating.Markov(_ladder(), ("S15",))),
)

#: Open-channel laws: `permeation.exchange(v, bath) -> Exchange`.
PERMEATIONS: tuple[Component, ...] = (
    Component("Ohmic, given reversal", lambda: Ohmic(2.0, reversal=-70.0)),
    Component("Ohmic, K", lambda: Ohmic(2.0, species=K)),
    Component("Ohmic, Cl", lambda: Ohmic(2.0, species=Cl)),
    Component("Ohmic, Ca", lambda: Ohmic(2.0, species=Ca)),
    Component("GHK, K", lambda: GHK(np.asarray([3e-3]), (K,))),
    Component("GHK, all", lambda: GHK(np.asarray([1e-3, 4e-5, 2e-4, 5e-4]), (K, Na, Cl, Ca))),
    Component(
        "GHK, uncharged",
        lambda: GHK(np.asarray([1e-3, 2e-3]), (K, GLUCOSE)),
        lambda: Bath({K: 140.0, GLUCOSE: 1.0}, {K: 4.0, GLUCOSE: 5.0}, 293.15),
    ),
    Component("Ohmic, K and Na", lambda: Ohmic(np.asarray([2.0, 0.5]), species=(K, Na))),
    Component("permeability ratios", lambda: PermeabilityRatios(3e-3, {K: 1.0, Na: 0.03})),
    Component("barrier pore", _pore),
    Component(
        "blocked", lambda: Blocked(GHK(np.asarray([3e-3]), (K,)), woodhull(Mg, 5.0, 20.0, 0.7), ("free",)), magnesium
    ),
    Component("magnesium block", lambda: synapse.nmda(1.0).permeation, magnesium),
    Component("permeant blocker", lambda: GraphPore(woodhull(Mg, 5.0, 20.0, 0.7, escape=2.0)), magnesium),
    Component("binding polynomial", _channel_of_calcium, lambda: cell().replaced({(Ba, False): 10.0})),
    Component("charged mouths", lambda: ChargedMouths(_pore(), -0.2, 0.05), neutral),
    Component("Poisson-Nernst-Planck", _charged_tube, neutral, slow=True),
    Component("tabulated", lambda: tabulate(_pore(), np.linspace(-160.0, 100.0, 27), cell())),
)

GLUCOSE = Species("glucose", 0)

#: Whole mechanisms: `init, derivative, advance, exchange`.
MECHANISMS: tuple[Component, ...] = (
    Component("squid K", lambda: Channel(gating.HodgkinHuxley((_gate(),), (4,)), Ohmic(36.0, species=K))),
    Component("squid Na", lambda: Channel(_sodium(), Ohmic(120.0, reversal=50.0))),
    Component("leak", lambda: Channel(gating.AlwaysOpen(), Ohmic(0.3, reversal=-54.4))),
    Component(
        "calcium channel",
        lambda: Channel(gating.Markov(_square(Balanced()), ("O",)), GHK(np.asarray([2e-4, 1e-6]), (Ca, K)), 100.0),
    ),
    Component("barrier channel", lambda: Channel(gating.HodgkinHuxley((_gate(),), (4,)), _pore(), 200.0)),
    Component(
        "published pump",
        lambda: Published(sodium_pumps.luo_rudy, NA_K_ATPASE, per_current(NA_K_ATPASE, 150.0), K_Na=8.0),
    ),
    Component("receptor channel", lambda: Channel(gating.Markov(_receptor(), ("open",)), Ohmic(1.5, species=Cl))),
)


#: Each is made of parts that others have, too: the square, the receptor, the barrier pore.
REPEATED = ("Markov driven", "receptor channel", "barrier channel")


def over(components: tuple[Component, ...], *, slow: tuple[str, ...] = ()):
    """The decorator that runs a test once for each component: `@over(SCHEMES) def test_...(component)`; for some of
    them with the slow tests."""
    rows = [pytest.param(c, marks=pytest.mark.slow) if c.slow or c.name in slow else c for c in components]
    return pytest.mark.parametrize("component", rows, ids=[component.name for component in components])
