"""A well-mixed compartment: what is dissolved in it, how large it is, what cannot leave it."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from ..electrochemistry import Solution
from ..params import as_array, param, positive
from ..results import InputError
from ..units import F

_NEUTRAL = 1e-3  # of all charges dissolved: more than membranes hold, less than anybody forgets


class Compartment(eqx.Module):
    """A well-mixed space: the concentrations at which it starts, its volume, and the particles that stay in it.

    **Arguments:** `solution`: a `Solution`, or a mapping that makes one; `volume` [pL]: at the start; None for a bath,
    which never changes; `impermeant` [fmol; mM in a bath]: particles that cross no membrane, and count for osmosis;
    `valence` [e0]: their mean charge.
    **Raises:** `InputError` for negative concentrations, volumes or amounts.
    """

    solution: Solution
    volume: Float[Array, ""] | None = param("pL", positive)
    impermeant: Float[Array, ""] = param("fmol", positive)
    valence: Float[Array, ""] = param("e0")

    def __init__(self, solution: Solution | Mapping, volume: Any = None, *, impermeant: Any = 0.0, valence: Any = -1.0):
        self.solution = solution if isinstance(solution, Solution) else Solution(solution)
        self.volume, self.impermeant, self.valence = as_array(volume), as_array(impermeant), as_array(valence)
        known = [("volume", "pL", self.volume), ("amount of impermeants", "fmol", self.impermeant)]
        known += [(f"concentration of {s.name}", "mM", self.solution[s]) for s in self.solution.species]
        for name, unit, value in known:
            if value is None or isinstance(value, Tracer):
                continue
            low = float(np.min(np.asarray(value)))
            if not 0.0 <= low < np.inf or (name == "volume" and low == 0.0):
                raise InputError(f"The {name} of a compartment must be a positive number of {unit}, but is {low:g}.")

    @classmethod
    def balanced(
        cls, solution: Solution | Mapping, volume: Any, *, valence: float = -1.0, potential: Any = 0.0, capacitance=0.0
    ) -> "Compartment":
        """The compartment whose impermeants balance the charge of its ions, but for the charge on the membrane.

        **Arguments:** `potential` [mV], `capacitance` [pF]: of the membrane round it, whose charge C V the ions keep
        in excess (the potential that a cell then computes from its charge).
        **Raises:** `InputError` if the impermeants would have to have the other sign.
        """
        bare = cls(solution, volume)
        charge = bare.volume * jnp.sum(_valences(bare.solution) * bare.solution.c)
        amount = (capacitance * potential / F - charge) / valence
        if not isinstance(amount, Tracer) and float(amount) < 0.0:
            raise InputError(
                f"Impermeants of valence {valence:g} cannot balance the charge of the ions, {float(charge):g} fmol; "
                "give `valence` the other sign."
            )
        return cls(bare.solution, volume, impermeant=amount, valence=valence)

    def check(self, name: str) -> None:
        """Refuses a compartment that is not electroneutral, where its values are known.

        **Raises:** `InputError` with the charge, and what would balance it.
        """
        if self.volume is None or any(isinstance(x, Tracer) for x in (self.volume, self.solution.c, self.impermeant)):
            return
        amounts = self.volume * self.solution.c
        charge = float(jnp.sum(_valences(self.solution) * amounts) + self.valence * self.impermeant)
        total = float(jnp.sum(jnp.abs(_valences(self.solution)) * amounts) + jnp.abs(self.valence) * self.impermeant)
        if abs(charge) > _NEUTRAL * max(total, 1e-300):
            sign = -1 if charge > 0 else 1
            raise InputError(
                f"Compartment '{name}' must be electroneutral, but holds {charge:+.4g} fmol of charge "
                f"({charge / float(self.volume):+.4g} mM); {abs(charge):.4g} fmol of impermeants of valence {sign:+d} "
                "would balance it (see Compartment.balanced)."
            )


def _valences(solution: Solution) -> Float[Array, " species"]:
    return jnp.asarray([s.z for s in solution.species], solution.c.dtype)
