"""Fixed charge at the mouths of a pore: it draws counterions near, and shifts the field across the pore."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Solution, surface_potential
from ..params import as_array, param, positive
from ..units import thermal_voltage
from .exchange import AbstractPermeation


class ChargedMouths(AbstractPermeation):
    """A pore between charged surfaces: another law at the concentrations and the voltage that its mouths see.

    At a surface potential psi (Grahame) an ion is concentrated by exp(-z psi F/RT), and the voltage across the pore is
    V + psi_in - psi_out. Electrochemical potentials are those of the baths, so equilibrium stays where it is.

    **Arguments:** `open`: the law; `outside`, `inside` [e0/nm2]: surface charge densities; `permittivity`: relative, of
    the solution. The baths must be electroneutral: list the counterions.
    **Raises:** `ValueError` for a bath that is not electroneutral, where its values are known.
    **Source:** Grahame 1947; Frankenhaeuser & Hodgkin, J. Physiol. 137, 218 (1957); Hille 2001, chapter 20.
    """

    open: AbstractPermeation
    outside: Float[Array, ""] = param("e0/nm2")
    inside: Float[Array, ""] = param("e0/nm2")
    permittivity: Float[Array, ""] = param("", positive)

    def __init__(self, open: AbstractPermeation, outside=0.0, inside=0.0, permittivity=78.5):
        self.open = open
        self.outside, self.inside, self.permittivity = as_array(outside), as_array(inside), as_array(permittivity)

    def potentials(self, bath: Bath) -> tuple[Float[Array, ""], Float[Array, ""]]:
        """Surface potentials [mV] (inside, outside) relative to their baths."""
        pairs = ((self.inside, bath.inside), (self.outside, bath.outside))
        inner, outer = (surface_potential(q, s, bath.temperature, self.permittivity) for q, s in pairs)
        return inner, outer

    def check(self, bath):  # noqa: D102
        _check_neutral(bath.inside, "inside")
        _check_neutral(bath.outside, "outside")
        self.open.check(bath)

    def exchange(self, v, bath):  # noqa: D102
        self.check(bath)
        inner, outer = self.potentials(bath)
        near = Bath(_at(bath.inside, inner, bath), _at(bath.outside, outer, bath), bath.temperature)
        return self.open.exchange(v + inner - outer, near)


def _at(solution: Solution, potential: Float[Array, ""], bath: Bath) -> Solution:
    u = potential / thermal_voltage(bath.temperature)
    return Solution({s: solution[s] * jnp.exp(-s.z * u) for s in solution.species})


def _check_neutral(solution: Solution, side: str) -> None:
    if any(isinstance(x, Tracer) for x in jax.tree.leaves(solution)):
        return
    charges = np.asarray(solution.c) * np.asarray([s.z for s in solution.species])
    if not abs(charges.sum(-1)).max() <= 1e-6 * np.abs(charges).sum(-1).max():
        raise ValueError(
            f"A charged mouth needs an electroneutral bath, but {side} the charges sum to "
            f"{charges.sum(-1).max():g} mM; list the counterions."
        )
