"""A cell of toys side by side, each with steady states in closed form, in units that differ by many orders."""

from typing import Any, NamedTuple

import jax.numpy as jnp

from jaxmem.cell import AbstractCell
from jaxmem.params import param

LARGE, SLOW = 1e5, 1e-6


class Animals(NamedTuple):
    cusp: Any
    rotor: Any
    fork: Any
    ring: Any
    pair: Any
    stone: Any


class Zoo(AbstractCell):
    """Parameters p, one for each toy:

    0. cusp: x' = p + x - x^3, with x in units of 1e5 and time in units of 1e6: folds at p = -+2/(3 sqrt 3).
    1. rotor: (x, y)' = p (x, y) + 2 (-y, x) - (x^2 + y^2) (x, y): a Hopf point at p = 0, of frequency 2.
    2. fork: x' = p x - x^3: branches cross at p = 0.
    3. ring: x' = 1 - x^2 - p^2: the branch is a circle.
    4. pair: x' = y + 2 x - x^3, y' = -x': with the total T = x + y it is x' = T + x - x^3.

    And a stone that never moves, on which the ring turns.
    """

    p: Any = param("")
    wrong_total: Any = param("", default=0.0)

    def init(self):
        return Animals(*map(jnp.asarray, (-0.5 * LARGE, [0.3, 0.1], 0.2, 0.7, [-1.5, 0.5], 1.0)))

    def derivative(self, state, current):
        p = self.p
        c = state.cusp / LARGE
        x, y = state.rotor
        r2 = x * x + y * y
        a, b = state.pair
        flow = b + 2.0 * a - a**3
        return Animals(
            cusp=SLOW * LARGE * (p[0] + current + c - c**3),
            rotor=jnp.stack([p[1] * x - 2.0 * y - r2 * x, p[1] * y + 2.0 * x - r2 * y]),
            fork=p[2] * state.fork - state.fork**3,
            ring=state.stone - state.ring**2 - p[3] ** 2,
            pair=jnp.stack([flow, -flow]),
            stone=jnp.zeros_like(state.stone),
        )

    def voltage(self, state):
        return state.cusp / LARGE

    def totals(self, state):
        """The total of the pair; the same in other units; and one that is not conserved, unless it is zero."""
        total = jnp.sum(state.pair)
        return jnp.stack([total, 1e9 * total, self.wrong_total * state.ring])


def zoo(p=(-1.0, -0.5, -1.0, 0.0), **more):
    return Zoo(jnp.asarray(p), **more)


def cubic(p):
    """The root of p + x - x^3 = 0 where it is the only one, p < -2/(3 sqrt 3) (Cardano)."""
    s = jnp.sqrt(p * p / 4.0 - 1.0 / 27.0)
    return jnp.cbrt(p / 2.0 + s) + jnp.cbrt(p / 2.0 - s)
