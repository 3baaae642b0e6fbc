"""Barriers and sites in single file: an open pore by transition-state theory, one ion or many."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float

from .._numerics.stationary import stationary_distribution
from ..electrochemistry import Bath, Species
from ..kinetics import off_diagonal, weighted
from ..params import as_array, param, positive, unit_interval
from ..units import thermal_voltage
from .exchange import PER_PARTICLE, AbstractPermeation, carried
from .interaction import PairInteraction
from .pore_scheme import PoreScheme
from .rate_theory import attempt_rate
from .single_file import SingleFile, single_file

Energies = Mapping[Species, Any] | Sequence[Any]
Interaction = Callable[[Float[Array, "species sites"], Float[Array, " species"]], Float[Array, ""]]


class PoreFlux(eqx.Module):
    """What passes a pore in its steady state.

    **Arguments:** `occupancy`: probability of each state; `net`, `one_way` [1/ms]: outward net flux of every species
    over every barrier, and the larger of its two one-way fluxes.
    """

    occupancy: Float[Array, " states"]
    net: Float[Array, "species barriers"]
    one_way: Float[Array, "species barriers"]

    @property
    def flux(self) -> Float[Array, " species"]:
        """Outward flux of every species [1/ms]: the barriers' mean, in which the one that limits the flux counts
        most."""
        return weighted(self.net, self.one_way)

    @property
    def spread(self) -> Float[Array, " species"]:
        """How far the barriers are from carrying the same flux, relative to the largest one-way flux: an error
        estimate."""
        largest = jnp.max(self.one_way, -1)
        apart = jnp.max(self.net, -1) - jnp.min(self.net, -1)
        return apart / jnp.where(largest > 0, largest, 1.0)


class BarrierPore(AbstractPermeation):
    """An open pore as a row of sites between barriers, which ions cross one after another.

    The occupancies of the sites are the states of a graph. An ion moves over a barrier into a free neighboring site, or
    from and to a bath, at the rate kappa (kB T/h) exp(-(G* - G)), times its concentration [M] where it enters. G is the
    energy of the site (a bath's is zero) and z u delta, with u = FV/RT and delta the electrical distance from outside,
    and what the ions in the pore add by `interaction`; at the top of a barrier that is the mean of before and after. So
    detailed balance holds for any parameters: ions at equal electrochemical potentials carry no current.

    **Arguments**

    - `sites` [kT], (species, sites): energy of each species at each site, from outside; relative to a solution of 1 M.
    - `barriers` [kT], (species, sites + 1): energies of the tops of the barriers.
    - `distances` (2 sites + 1): electrical distances from outside of barrier, site, barrier, ..., barrier, between 0
      and 1, increasing; evenly spaced by default.
    - `interaction`: energies [kT] of pairs at neighboring sites, at next neighbors, and so on, or a function as
      `PairInteraction`; none by default.
    - `species`: in the order of the rows. `sites` and `barriers` may be mappings from species instead.
    - `transmission`: kappa.
    - `reference` [K]: where the energies hold; at another temperature they are reference/T times as many kT. Without
      it they are in kT of the bath's temperature.

    **Raises:** `ValueError` for sites, barriers and distances that do not fit together, distances that are not between
    0 and 1 or do not increase, and for more than `MOST_STATES` states.

    **Source:** Eyring, Lumry & Woodbury 1949; Hille & Schwarz, J. Gen. Physiol. 72, 409 (1978).
    """

    sites: Float[Array, "species sites"] = param("kT")
    barriers: Float[Array, "species sites+1"] = param("kT")
    distances: Float[Array, " 2*sites+1"] = param("", unit_interval)
    interaction: Interaction
    transmission: Float[Array, ""] = param("", positive)
    reference: Float[Array, ""] | None = param("K", positive)
    species: tuple[Species, ...] = eqx.field(static=True)
    file: SingleFile = eqx.field(static=True)

    def __init__(
        self,
        sites: Energies,
        barriers: Energies,
        distances: Any = None,
        interaction: Any = (),
        species: Sequence[Species] | None = None,
        *,
        transmission: Any = 1.0,
        reference: Any = None,
    ):
        self.species = tuple(sites) if isinstance(sites, Mapping) and species is None else tuple(species or ())
        self.sites = _rows(sites, self.species, "sites")
        self.barriers = _rows(barriers, self.species, "barriers")
        count = self.sites.shape[-1]
        self.file = single_file(count, len(self.species))
        if self.barriers.shape[-1] != count + 1:
            raise ValueError(
                f"A pore must have one barrier more than sites, but has {count} sites and {self.barriers.shape[-1]} "
                f"barriers."
            )
        even = np.arange(1, 2 * count + 2) / (2 * count + 2)
        self.distances = as_array(even if distances is None else distances)
        _check_distances(self.distances, count)
        self.interaction = interaction if callable(interaction) else _pairs(interaction, count)  # type: ignore[assignment]
        self.transmission, self.reference = as_array(transmission), as_array(reference)

    @property
    def positions(self) -> Float[Array, " sites+2"]:
        """Electrical distances from outside of the outer bath, the sites, and the inner bath."""
        return jnp.pad(self.distances[1::2], 1).at[-1].set(1.0)

    @property
    def states(self) -> tuple[str, ...]:
        """What each occupancy state is called: the species at the sites from outside, `-` where empty."""
        names = ("-", *(s.name for s in self.species))
        return tuple(" ".join(names[kind] for kind in state) for state in self.file.states.tolist())

    def rates(self, v: Float[Array, ""], bath: Bath) -> tuple[Float[Array, " moves"], Float[Array, " moves"]]:
        """Outward and inward rate [1/ms] of every move at v [mV]."""
        u = v / thermal_voltage(bath.temperature)
        scale = 1.0 if self.reference is None else self.reference / bath.temperature
        z = jnp.asarray([s.z for s in self.species], self.sites.dtype)
        inside, outside = (jnp.stack([bath[s][side] for s in self.species]) * 1e-3 for side in (0, 1))
        position = self.positions
        energy = scale * jnp.pad(self.sites, ((0, 0), (1, 1))) + (z[:, None] * u) * position[None, :]
        top = scale * self.barriers + (z[:, None] * u) * self.distances[None, ::2]
        attempts = self.transmission * attempt_rate(bath.temperature)
        outward = (attempts * jnp.exp(energy[:, 1:] - top)).at[:, -1].multiply(inside)
        inward = (attempts * jnp.exp(energy[:, :-1] - top)).at[:, 0].multiply(outside)
        file = self.file
        occupied = jnp.asarray(file.occupied, z.dtype)
        together = scale * jax.vmap(lambda o: self.interaction(o, z))(occupied)
        climb = jnp.exp(0.5 * (together[file.start] - together[file.end]))
        return outward[file.kind, file.barrier] * climb, inward[file.kind, file.barrier] / climb

    def flux(self, v: Float[Array, ""], bath: Bath) -> PoreFlux:
        """Occupancy and fluxes of the steady state at v [mV]."""
        v, file = jnp.asarray(v, self.sites.dtype), self.file
        outward, inward = self.rates(v, bath)
        p = stationary_distribution(off_diagonal(len(file.states), file.edges, outward, inward))
        out, back = p[file.start] * outward, p[file.end] * inward
        add = lambda x: jnp.tensordot(jnp.asarray(file.over, x.dtype), x, 1, precision=jax.lax.Precision.HIGHEST)
        return PoreFlux(p, add(out - back), jnp.maximum(add(out), add(back)))

    def exchange(self, v, bath):  # noqa: D102
        flux = PER_PARTICLE * self.flux(v, bath).flux
        return carried({s: flux[k] for k, s in enumerate(self.species)}, bath)

    @property
    def scheme(self) -> PoreScheme:
        """The pore as a state graph, for everything that `kinetics` reads from one."""
        return PoreScheme(self)  # pyright: ignore[reportCallIssue]  # abstract fields that are properties


def _rows(values: Energies, species: tuple[Species, ...], name: str) -> Float[Array, "species columns"]:
    if isinstance(values, Mapping):
        if set(values) != set(species):
            named, given = (", ".join(s.name for s in x) for x in (species, values))
            raise ValueError(f"Argument `{name}` must have a row for each of {named}, but has {given}.")
        values = [values[s] for s in species]
    lengths = sorted({len(row) for row in values})
    if len(values) != len(species) or len(lengths) != 1:
        raise ValueError(
            f"Argument `{name}` must have a row of one length for each of {len(species)} species, but has "
            f"{len(values)} rows of length {', '.join(map(str, lengths)) or 0}."
        )
    return jnp.stack([_row(row) for row in values])


def _row(values: Any) -> Float[Array, " columns"]:
    """A sequence of numbers, some of which may be traced, as an array."""
    return jnp.stack([as_array(x) for x in values]) if isinstance(values, Sequence) else as_array(values)


def _pairs(energy: Any, sites: int) -> PairInteraction:
    found = PairInteraction(_row(energy) if len(energy) else as_array(np.zeros(0)))
    if found.energy.ndim != 1 or found.energy.shape[0] > max(sites - 1, 1):
        raise ValueError(
            f"Argument `interaction` must have at most {max(sites - 1, 1)} energies for {sites} sites, of neighbors "
            f"first, but has shape {found.energy.shape}."
        )
    return found


def _check_distances(distances: Float[Array, "..."], sites: int) -> None:
    if distances.shape != (2 * sites + 1,):
        raise ValueError(
            f"Argument `distances` must have {2 * sites + 1} values for {sites} sites (barrier, site, barrier, ..., "
            f"barrier, from outside), but has shape {distances.shape}."
        )
    if isinstance(distances, Tracer):
        return
    values = np.asarray(distances)
    if not (np.all(values >= 0.0) and np.all(values <= 1.0) and np.all(np.diff(values) > 0.0)):
        listed = ", ".join(f"{x:g}" for x in values)
        raise ValueError(f"Argument `distances` must increase from outside between 0 and 1, but is {listed}.")
