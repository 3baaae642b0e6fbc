"""What moves particles beside membranes: diffusion between compartments, buffers, uptake."""

import abc
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Solution, Species
from ..params import as_array, param, positive

Amounts = dict[tuple[str, Species], Float[Array, ""]]  # released per time [fmol/ms], by (compartment, species)


class AbstractLink(eqx.Module):
    """What releases particles into compartments, or takes them up, and may keep some."""

    @abc.abstractmethod
    def init(self, solutions: Mapping[str, Solution]) -> Any:
        """The state in equilibrium with some solutions: amounts kept [fmol]."""

    @abc.abstractmethod
    def rates(self, state: Any, solutions: Mapping[str, Solution]) -> tuple[Any, Amounts]:
        """Rate of change of the state, and the amounts released to compartments [fmol/ms]."""

    @property
    @abc.abstractmethod
    def joins(self) -> tuple[tuple[Species, str, str], ...]:
        """The compartments between which each species moves; the empty name is elsewhere, out of the books."""

    def kept(self, state: Any) -> Amounts:
        """The amounts that the state holds [fmol], by the compartment and species that they count as."""
        return {}


class Diffusion(AbstractLink):
    """Exchange of species between two compartments, J = k (c_a - c_b), such as that of a narrow space with a bath.

    Rates that are equal for all ions keep both sides electroneutral.

    **Arguments:** `a`, `b`: names of compartments; `rate` [pL/ms]: for each species (diffusivity times area over
    length).
    """

    a: str = eqx.field(static=True)
    b: str = eqx.field(static=True)
    species: tuple[Species, ...] = eqx.field(static=True)
    rate: Float[Array, " species"] = param("pL/ms", positive)

    def __init__(self, a: str, b: str, rate: Mapping[Species, Any]):
        self.a, self.b, self.species = a, b, tuple(rate)
        self.rate = jnp.stack([as_array(x) for x in rate.values()])

    @property
    def joins(self):  # noqa: D102
        return tuple((s, self.a, self.b) for s in self.species)

    def init(self, solutions):  # noqa: D102
        return ()

    def rates(self, state, solutions):  # noqa: D102
        released: Amounts = {}
        for k, s in enumerate(self.species):
            flux = self.rate[k] * (solutions[self.a][s] - solutions[self.b][s])
            released |= {(self.a, s): -flux, (self.b, s): flux}
        return (), released


class Buffer(AbstractLink):
    """A buffer that binds a species, free + site <-> bound, such as calbindin for Ca.

    The charge of what is bound still counts: a buffer is neutral once its sites are filled from the compartment.

    **Arguments:** `compartment`; `species`; `sites` [fmol] in all; `binding` [1/(mM ms)]; `release` [1/ms].
    """

    compartment: str = eqx.field(static=True)
    species: Species = eqx.field(static=True)
    sites: Float[Array, ""] = param("fmol", positive)
    binding: Float[Array, ""] = param("1/(mM ms)", positive)
    release: Float[Array, ""] = param("1/ms", positive)

    @property
    def joins(self):  # noqa: D102
        return ()

    def init(self, solutions):  # noqa: D102
        pull = self.binding * solutions[self.compartment][self.species]
        return self.sites * pull / (pull + self.release)

    def rates(self, state, solutions):  # noqa: D102
        pull = self.binding * solutions[self.compartment][self.species]
        bound = pull * (self.sites - state) - self.release * state
        return bound, {(self.compartment, self.species): -bound}

    def kept(self, state):  # noqa: D102
        return {(self.compartment, self.species): state}


class Uptake(AbstractLink):
    """Uptake that grows with a concentration as a sigmoid, by glia that are not a compartment of their own.

    J = capacity / (1 + exp((half - c)/slope)) of the first species; the others go with it, so that `{K: 1, Cl: 1}`
    keeps the compartment electroneutral. What is taken up leaves the books.

    **Arguments:** `compartment`; `particles`: how many of each species go at once; `capacity` [fmol/ms]; `half`,
    `slope` [mM].
    **Source:** Cressman et al. 2009, eq. for the glial uptake.
    """

    compartment: str = eqx.field(static=True)
    particles: tuple[tuple[Species, int], ...] = eqx.field(static=True)
    capacity: Float[Array, ""] = param("fmol/ms", positive)
    half: Float[Array, ""] = param("mM", positive)
    slope: Float[Array, ""] = param("mM", positive)

    def __init__(self, compartment: str, particles: Mapping[Species, int], capacity: Any, half: Any, slope: Any):
        self.compartment, self.particles = compartment, tuple(particles.items())
        self.capacity, self.half, self.slope = as_array(capacity), as_array(half), as_array(slope)

    @property
    def joins(self):  # noqa: D102
        return tuple((s, self.compartment, "") for s, _ in self.particles)

    def init(self, solutions):  # noqa: D102
        return ()

    def rates(self, state, solutions):  # noqa: D102
        first = solutions[self.compartment][self.particles[0][0]]
        flux = self.capacity * jax.nn.sigmoid((first - self.half) / self.slope)
        return (), {(self.compartment, s): -n * flux for s, n in self.particles}
