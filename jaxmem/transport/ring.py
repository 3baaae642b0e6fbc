"""Rings of states whose rates are published functions of the voltage and the baths."""

import math
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, as_bath, from_molar, kJ_per_mol
from ..kinetics import AbstractScheme

#: Standard free energy of MgATP + H2O = MgADP + HPO4 + H [J/mol], every concentration 1 M, that of H too.
#:
#: **Source:** Tran et al., Biophys. J. 96, 2029 (2009), after Alberty.
HYDROLYSIS = 11.9 * kJ_per_mol


class Ring(AbstractScheme):
    """States that follow each other in a ring: going round once is a turn, of which `turns` is the closed form.

    Its states may be groups in equilibrium, with laws to match. The charge that a step between groups moves is not one
    number, so a ring is read in its steady state (`QuasiSteady`) and does not tell of charge moved on the way.
    """

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """From each state to the next."""
        count = len(self.states)
        return tuple((k, (k + 1) % count) for k in range(count))

    def charges(self, bath):  # noqa: D102
        raise ValueError(
            f"{type(self).__name__} does not say what charge each of its steps moves, only what a turn does; read it "
            f"in its steady state, with QuasiSteady."
        )

    def turns(self, v: Float[Array, "..."], bath: Bath) -> Float[Array, "..."]:
        """Turns per time [1/ms] in the steady state, in the direction of the states: `ring_turnover` of the rates."""
        return ring_turnover(*self.rates(jnp.asarray(v, jnp.result_type(as_bath(bath).temperature)), as_bath(bath)))


def ring_turnover(forward: Float[Array, "... states"], backward: Float[Array, "... states"]) -> Float[Array, "..."]:
    """Turns per time of a ring: (prod a+ - prod a-) / sum of the King-Altman terms, in the unit of the rates.

    `forward[k]` leads from state k to the next, `backward[k]` back from there. One subtraction, that of the two
    products, so its sign is that of the affinity, whatever the rates.

    **Source:** King & Altman, J. Phys. Chem. 60, 1375 (1956).
    """
    count = forward.shape[-1]
    steps: list[list[Any]] = [[rates[..., k % count] for k in range(2 * count)] for rates in (forward, backward)]
    ups, downs = steps
    # A tree leaves out one step, after which it begins: up to its root it runs forward, beyond it backward.
    trees = [
        math.prod(ups[first : first + root]) * math.prod(downs[first + root : first + count - 1])
        for first in range(count)
        for root in range(count)
    ]
    turns: Any = math.prod(ups[:count]) - math.prod(downs[:count])
    return turns / sum(trees[1:], trees[0])


def side_by_side(*rates: Float[Array, "..."] | float) -> Float[Array, "... states"]:
    """Rates of a ring's steps, which may depend on the conditions or not, along the last axis."""
    return jnp.stack(jnp.broadcast_arrays(*rates), -1)


def apparent_hydrolysis(hydrogen: Float[Array, ""], temperature: Float[Array, ""], forms: float = 1.0) -> float:
    """Standard free energy [kT] of hydrolysis at a pH, for the sum of the forms of phosphate.

    **Arguments:** `hydrogen` [mM]; `temperature` [K]; `forms`: of all phosphate over HPO4.
    """
    return float(from_molar(HYDROLYSIS, temperature) + jnp.log(1e-3 * hydrogen) - jnp.log(forms))
