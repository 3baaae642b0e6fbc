"""A pore by Poisson-Nernst-Planck equations: ions as concentrations along it, in the field of their own charge."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species
from ..electrodiffusion import AbstractSteric, End, Mesh, Newton, Pore, Profile, graded, solve, with_access
from ..electrodiffusion.ends import refuse_periodic
from ..electrodiffusion.solve import refuse
from ..params import as_array, param, positive
from ..results import InputError
from .exchange import AbstractPermeation, carried

FMOL_PER_MS = 1e-6  # 1 mM nm3/ns


class PorePNP(AbstractPermeation):
    """An open pore that ions diffuse and drift through, in the potential of fixed and mobile charge.

    The steady state of `electrodiffusion.solve` at every voltage, as the current of a channel. Where no steady state is
    found the exchange is NaN. In a cell, whose steps are many, put `tabulate(law, ...)` in its place.

    **Arguments**

    - `pore`: geometry, mobilities and charges from the inside to the outside; its fields can be fitted.
    - `access`: diffusivities in bulk [nm2/ns] of every species of the pore, with which its mouths get their access
      resistance (`with_access`, whose lengths follow the radii); none by default.
    - `mesh`: fixed places of the nodes in the segments; without it they follow Debye lengths and bath (`graded`), which
      derivatives take as given. With `access`, that of `resolved`.
    - `nodes`: about how many, where no mesh is given.
    - `ends`, `steric`, `newton`: as for `electrodiffusion.solve`.

    **Raises:** `InputError` if `access` lacks a species. The baths must be electroneutral: list the counterions.
    **Source:** Eisenberg, J. Membr. Biol. 150, 1 (1996); Hall, J. Gen. Physiol. 66, 531 (1975).
    """

    pore: Pore
    access: Float[Array, " species"] | None = param("nm2/ns", positive)
    mesh: Mesh | None
    ends: tuple[End, End]
    steric: AbstractSteric | None
    nodes: int = eqx.field(static=True)
    newton: Newton = eqx.field(static=True)

    def __init__(
        self,
        pore: Pore,
        *,
        access: Mapping[Species, Any] | None = None,
        mesh: Mesh | None = None,
        nodes: int = 129,
        ends: tuple[End, End] | None = None,
        steric: AbstractSteric | None = None,
        newton: Newton | None = None,
    ):
        if access is not None and set(access) != set(pore.species):
            needed, given = (", ".join(s.name for s in x) for x in (pore.species, access))
            raise InputError(f"`access` must give the diffusivity of {needed} in bulk, but gives {given or 'none'}.")
        self.ends = (End(), End()) if ends is None else ends
        refuse_periodic(self.ends, "An open channel")
        self.pore, self.mesh, self.nodes, self.steric = pore, mesh, nodes, steric
        self.access = None if access is None else jnp.stack([as_array(access[s]) for s in pore.species])
        self.newton = Newton() if newton is None else newton

    @property
    def species(self) -> tuple[Species, ...]:
        """What can be in the pore."""
        return self.pore.species

    @property
    def resolved(self) -> Pore:
        """The pore that is solved, with its mouths where there is `access`."""
        if self.access is None:
            return self.pore
        return with_access(self.pore, dict(zip(self.species, self.access, strict=True)))

    def profile(self, v: Float[Array, ""], bath: Bath) -> Profile:
        """Potential, concentrations and currents along the pore at v [mV]; NaN, with a code, where none is found."""
        pore = self.resolved
        mesh = graded(pore, bath, self.nodes) if self.mesh is None else self.mesh
        return solve(pore, v, bath, mesh=mesh, ends=self.ends, steric=self.steric, newton=self.newton, throw=False)

    def check(self, bath):  # noqa: D102
        refuse(self.pore, bath, self.newton)

    def exchange(self, v, bath):  # noqa: D102
        flux = FMOL_PER_MS * self.profile(v, bath).flux
        return carried({s: flux[k] for k, s in enumerate(self.species)}, bath)
