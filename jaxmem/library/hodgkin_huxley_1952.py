"""The squid giant axon at 6.3 C: potassium n^4, sodium m^3 h and a leak.

Voltages in the paper are displacements from rest. `rest` [mV] says where rest is: -65 by default, as the
model is used today; `rest=0` gives the paper's own displacement with today's sign (depolarization is
positive). Conductances are densities [mS/cm2], so currents are densities too [uA/cm2]. Rates grow threefold
for 10 C (Q10).

At 6.3 C and v = 0, the paper's alpha_n = 0.01 (10 - v)/(exp((10 - v)/10) - 1) is 0.0582 /ms and beta_n is
0.125 /ms, so the potassium gate rests at n = 0.318.

**Source:** Hodgkin AL, Huxley AF. A quantitative description of membrane current and its application to
conduction and excitation in nerve. J Physiol 117:500-544 (1952), doi:10.1113/jphysiol.1952.sp004764; eqs. 12,
13, 20, 21, 23, 24, Table 3.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..channel import Channel
from ..gating import AlwaysOpen, Gate, HodgkinHuxley
from ..params import param, positive
from ..permeation import AbstractPermeation, Exchange, Ohmic
from ..rates import Q10, AbstractRate, Exponential, Linoid, Sigmoid
from ..units import celsius

if TYPE_CHECKING:
    from ..fit import Free

TEMPERATURE = celsius(6.3)
REST = -65.0
G_TABLE = 24.31  # mS/cm2, the normalization of Table 1; 36 in Table 3


def _warmed(rate: AbstractRate, q10: float | None) -> AbstractRate:
    return rate if q10 is None else Q10(rate, q10, TEMPERATURE)


class Conductance(AbstractPermeation):
    """What a record of conductance shows: g itself at every voltage, in the unit of g."""

    g: Float[Array, ""] = param("mS/cm2", positive)

    def exchange(self, v, bath):  # noqa: D102
        signal = self.g + jnp.zeros_like(v)
        nothing = jnp.zeros((len(bath.species),), signal.dtype)
        return Exchange(nothing, nothing, signal)


class OverPlateau(AbstractPermeation):
    """What a record of conductance scaled to its plateau shows: g x over its steady value g x_inf(V), a pure
    number.

    **Arguments:** `gating`: a copy of the channel's gating, for x_inf; `g` [mS/cm2]: cancels, so that such
    records say nothing about it.
    """

    gating: HodgkinHuxley
    g: Float[Array, ""] = param("mS/cm2", positive)

    def exchange(self, v, bath):  # noqa: D102
        signal = jnp.asarray(1.0 / self.gating.open_probability(self.gating.init(v, bath), v))
        nothing = jnp.zeros((len(bath.species),), signal.dtype)
        return Exchange(nothing, nothing, signal)


def _potassium_gate(
    rest: float, alpha: Any, v0: Any, s: Any, beta: Any, c: Any, q10: float | None
) -> HodgkinHuxley:
    closing = Exponential(beta * jnp.exp(jnp.asarray(rest / c, jnp.result_type(float))), -1.0 / c)
    return HodgkinHuxley((Gate(_warmed(Linoid(alpha, v0 + rest, s), q10), _warmed(closing, q10)),), (4,))


def potassium(
    *,
    g: float = 36.0,
    reversal: float = -12.0,
    rest: float = REST,
    alpha: float = 0.1,
    v0: float = 10.0,
    s: float = 10.0,
    beta: float = 0.125,
    c: float = 80.0,
    q10: float | None = 3.0,
) -> Channel:
    """The potassium channel g n^4 (V - E).

    alpha_n = alpha x/(exp(x) - 1) with x = (v0 - v)/s, and beta_n = beta exp(-v/c); v is from rest.

    **Arguments:** `g` [mS/cm2]; `reversal`, `v0` [mV] from rest; `alpha`, `beta` [1/ms]; `s`, `c` [mV];
    `rest` [mV]; `q10`: factor of the rates per 10 K, None for none.
    """
    return Channel(_potassium_gate(rest, alpha, v0, s, beta, c, q10), Ohmic(g, reversal=reversal + rest))


def potassium_conductance(
    *,
    g: Any = G_TABLE,
    rest: float = 0.0,
    alpha: Any = 0.1,
    v0: Any = 10.0,
    s: Any = 10.0,
    beta: Any = 0.125,
    c: Any = 80.0,
    scaled: bool = False,
) -> Channel:
    """The potassium conductance g n^4 [mS/cm2] as the signal, at the paper's temperature; or n^4/n_inf^4.

    **Arguments:** as for `potassium`; `scaled`: each curve over its own plateau, g n_inf^4.
    """
    gate = _potassium_gate(rest, alpha, v0, s, beta, c, None)
    return Channel(gate, OverPlateau(gate, g) if scaled else Conductance(g))


def free(*, rest: float = 0.0, conductance: bool = False) -> Free:
    """The five free parameters of alpha_n and beta_n of a potassium channel, named as in `potassium`.

    The paper found them by eye, so the bounds are only wide: half a decade to two decades around its values.

    **Arguments:** `rest` [mV]: where the channel rests, as given to its constructor; `conductance`: free `g`
    [mS/cm2] too.
    """
    from ..fit import Free, Parameter

    found = [
        Parameter("alpha", "1/ms", 1e-3, 1.0, log=True),
        Parameter("v0", "mV", -30.0, 50.0),
        Parameter("s", "mV", 1.0, 100.0, log=True),
        Parameter("beta", "1/ms", 1e-2, 1.0, log=True),
        Parameter("c", "mV", 20.0, 500.0, log=True),
    ]
    if conductance:
        found.append(Parameter("g", "mS/cm2", 20.0, 100.0, log=True))

    def leaves(gating: Any) -> list[Any]:
        (gate,) = gating.gates
        laws: Any = [x.rate if isinstance(x, Q10) else x for x in (gate.opening, gate.closing)]
        opening, closing = laws
        return [opening.a, opening.v0, opening.s, closing.a, closing.b]

    def place(channel: Any, values: Any) -> Channel:
        alpha, v0, s, beta, c, *more = values
        new = [alpha, v0 + rest, s, beta * jnp.exp(rest / c), -1.0 / c]
        channel = eqx.tree_at(lambda m: leaves(m.gating), channel, new)
        if isinstance(channel.permeation, OverPlateau):
            channel = eqx.tree_at(lambda m: leaves(m.permeation.gating), channel, new)
        return eqx.tree_at(lambda m: m.permeation.g, channel, more[0]) if more else channel

    def read(channel: Any) -> list[Any]:
        alpha, v0, s, beta, b = leaves(channel.gating)
        five = [alpha, v0 - rest, s, beta * jnp.exp(b * rest), -1.0 / b]
        return [*five, channel.permeation.g] if conductance else five

    return Free(tuple(found), place, (), read)


def sodium(
    *, g: float = 120.0, reversal: float = 115.0, rest: float = REST, q10: float | None = 3.0
) -> Channel:
    """The sodium channel g m^3 h (V - E).

    **Arguments:** `g` [mS/cm2]; `reversal` [mV] from rest; `rest` [mV]; `q10`: as for `potassium`.
    """
    m = Gate(
        _warmed(Linoid(1.0, 25.0 + rest, 10.0), q10),
        _warmed(Exponential(4.0 * math.exp(rest / 18.0), -1.0 / 18.0), q10),
    )
    h = Gate(
        _warmed(Exponential(0.07 * math.exp(rest / 20.0), -1.0 / 20.0), q10),
        _warmed(Sigmoid(1.0, 30.0 + rest, 10.0), q10),
    )
    return Channel(HodgkinHuxley((m, h), (3, 1)), Ohmic(g, reversal=reversal + rest))


def leak(*, g: float = 0.3, reversal: float = 10.613, rest: float = REST) -> Channel:
    """The leak g (V - E).

    **Arguments:** `g` [mS/cm2]; `reversal` [mV] from rest; `rest` [mV].
    """
    return Channel(AlwaysOpen(), Ohmic(g, reversal=reversal + rest))


def model(*, rest: float = REST, q10: float | None = 3.0) -> tuple[Channel, Channel, Channel]:
    """The axon's membrane: sodium, potassium, leak; their currents add up to the ionic current [uA/cm2]."""
    return sodium(rest=rest, q10=q10), potassium(rest=rest, q10=q10), leak(rest=rest)
