"""The barrier pore of a file of cases, and what is read from it at many points at once."""

import functools
import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species
from ..permeation import (
    BarrierPore,
    MoleFractionMinimum,
    attempt_rate,
    current,
    flux_ratio_exponent,
    mole_fraction_minimum,
    reversal_potential,
    smallest,
    unidirectional_fluxes,
)
from ..results import InputError
from ..units import F
from . import fields
from .constants import constants
from .points import Case, compiled

MOST_SITES = 20
SWEEP = 129  # concentrations, evenly on a log scale, among which a smallest current is looked for before it is refined


class BarrierModel:
    """The pore that a file describes, computed with the constants of the file.

    `carried`, `currents`, `holding`, `reversal`, and what `labeled`, `mixed` and `swept` give, are functions of columns
    (points, ...): voltages [mV] but for `reversal`, and baths outside and inside [mM] in the order of `ions`.
    """

    def __init__(self, model: Case, data: Case):
        at = constants("model", model, data)
        t = fields.positive(fields.need(model, "T_K", "model"), "T_K")
        temperature = at.temperature(t)
        natural = 1e3 * float(attempt_rate(t))
        nu = natural if model.get("nu_1_s") is None else fields.positive(model["nu_1_s"], "nu_1_s")
        transmission = 1e-3 * nu / float(attempt_rate(temperature))
        ions = fields.table(fields.need(model, "ions", "model"), "ions")
        ions = {ion: fields.table(entry, f"ion {ion}") for ion, entry in ions.items()}
        self.species = {ion: Species(ion, fields.valence(entry, f"ion {ion}")) for ion, entry in ions.items()}
        listed = [fields.rows_of(fields.need(entry, "Gw", f"ion {ion}"), f"Gw of {ion}") for ion, entry in ions.items()]
        given = model.get("n_sites")
        self.sites = len(listed[0]) if listed and given is None else fields.whole(given or 0, "n_sites")
        if not ions or not 1 <= self.sites <= MOST_SITES:
            raise InputError(
                f"model must have ions and 1 to {MOST_SITES} sites, but has {len(ions)} ions and {self.sites:g} sites."
            )

        def energies(key: str, count: int) -> dict[Species, list[float]]:
            read = lambda ion: fields.numbers(fields.need(ions[ion], key, f"ion {ion}"), f"{key} of {ion}", count)
            return {species: read(ion) for ion, species in self.species.items()}

        sites, barriers = energies("Gw", self.sites), energies("Gb", self.sites + 1)
        places = [
            fields.numbers(fields.need(model, f"delta_{what}_from_outside", "model"), f"delta_{what}", count)
            for what, count in (("barriers", self.sites + 1), ("wells", self.sites))
        ]
        pairs = [fields.number(u, "u_pair_RT") for u in fields.rows_of(model.get("u_pair_RT"), "u_pair_RT")]
        if len(pairs) > self.sites:
            raise InputError(f"u_pair_RT must have at most {self.sites} values, but has {len(pairs)}.")
        distances = [x for x in itertools.chain(*itertools.zip_longest(*places)) if x is not None]
        self.build = functools.partial(_pore, sites, barriers, distances, pairs[: self.sites - 1], transmission)
        self.ions = tuple(self.species)
        self.per_mole = at.per_mole
        self.temperature = jnp.asarray(temperature)
        pore = self.build(tuple(self.species.values()))
        self.carried, self.currents, self.holding, self.reversal = (
            functools.partial(f, pore, self.temperature) for f in (_carried, _currents, _holding, _reversal)
        )
        # A function is the same for the same ions, so that all its points are computed together.
        self.mixed = functools.cache(
            lambda first, second: functools.partial(
                _mixed, pore, self.temperature, (self.species[first], self.species[second])
            )
        )
        self.swept = functools.cache(lambda ion: functools.partial(_swept, pore, self.temperature, self.species[ion]))
        self.labeled = functools.cache(self._tracers)

    def _tracers(self, ion: str, present: tuple[str, ...]) -> Any:
        """One-way fluxes of an ion; others than those that are present would only be states that stay empty."""
        pore = self.build(tuple(self.species[other] for other in present))
        return functools.partial(_labeled, pore, self.temperature, self.species[ion])


def _pore(sites, barriers, distances, pairs, transmission, species: tuple[Species, ...]) -> BarrierPore:
    try:
        return BarrierPore(
            {s: sites[s] for s in species},
            {s: barriers[s] for s in species},
            distances,
            pairs,
            transmission=transmission,
        )
    except ValueError as problem:
        raise InputError(f"model: {problem}") from None


class Carried(eqx.Module):
    """Current [pA] at many points; its slope, and the chord between 1 mV above and below [nS]."""

    current: Float[Array, " points"]
    slope: Float[Array, " points"]
    chord: Float[Array, " points"]


class Labeled(eqx.Module):
    """One-way fluxes [1/ms] at many points, both positive, and the flux-ratio exponent."""

    influx: Float[Array, " points"]
    efflux: Float[Array, " points"]
    exponent: Float[Array, " points"]


class Swept(eqx.Module):
    """Where the current is smallest when one concentration [mM] varies; there, and without that ion [pA]."""

    concentration: Float[Array, " points"]
    current: Float[Array, " points"]
    without: Float[Array, " points"]


def _bath(pore: BarrierPore, temperature, outside, inside) -> Bath:
    solution = lambda c: {s: c[k] for k, s in enumerate(pore.species)}
    return Bath(solution(inside), solution(outside), temperature)


@compiled
def _carried(pore: BarrierPore, temperature, v, outside, inside) -> Carried:
    def at(v, outside, inside):
        bath = _bath(pore, temperature, outside, inside)
        both = lambda v: jax.jvp(lambda v: current(pore, v, bath), (v,), (jnp.ones_like(v),))
        (below, here, above), slope = jax.vmap(both)(v + jnp.asarray([-1.0, 0.0, 1.0]))
        return Carried(here, slope[1], 0.5 * (above - below))

    return jax.vmap(at)(v, outside, inside)


@compiled
def _currents(pore: BarrierPore, temperature, v, outside, inside):
    """Current of each species [pA]."""
    z = jnp.asarray([s.z for s in pore.species], temperature.dtype)
    at = lambda v, outside, inside: F * z * pore.exchange(v, _bath(pore, temperature, outside, inside)).outside
    return jax.vmap(at)(v, outside, inside)


@compiled
def _holding(pore: BarrierPore, temperature, v, outside, inside):
    """Probability of 0, 1, 2, ... ions in the pore."""
    ions = jnp.asarray(pore.file.ions[None, :] == np.arange(pore.file.sites + 1)[:, None], temperature.dtype)

    def at(v, outside, inside):
        occupancy = pore.flux(v, _bath(pore, temperature, outside, inside)).occupancy
        return jnp.sum(ions * occupancy[None, :], 1)

    return jax.vmap(at)(v, outside, inside)


@compiled
def _reversal(pore: BarrierPore, temperature, outside, inside):
    at = lambda outside, inside: reversal_potential(pore, _bath(pore, temperature, outside, inside))
    return jax.vmap(at)(outside, inside)


@compiled
def _labeled(pore: BarrierPore, temperature, ion: Species, v, outside, inside) -> Labeled:
    def at(v, outside, inside):
        bath = _bath(pore, temperature, outside, inside)
        influx, efflux = unidirectional_fluxes(pore, ion, v, bath)
        return Labeled(influx=influx, efflux=efflux, exponent=flux_ratio_exponent(pore, ion, v, bath))

    return jax.vmap(at)(v, outside, inside)


@compiled
def _mixed(
    pore: BarrierPore, temperature, pair: tuple[Species, Species], v, outside, inside, total
) -> MoleFractionMinimum:
    at = lambda v, outside, inside, total: mole_fraction_minimum(
        pore, v, _bath(pore, temperature, outside, inside), pair, total
    )
    return jax.vmap(at)(v, outside, inside, total)


@compiled
def _swept(pore: BarrierPore, temperature, ion: Species, v, outside, inside, low, high) -> Swept:
    def at(v, outside, inside, low, high):
        bath = _bath(pore, temperature, outside, inside)
        carried = lambda c: current(pore, v, bath.replaced({(ion, False): c}))
        logs = jnp.linspace(jnp.log(low), jnp.log(high), SWEEP)
        least = jnp.exp(smallest(lambda log_c: jnp.abs(carried(jnp.exp(log_c))), logs))
        there, without = jax.vmap(carried)(jnp.stack([least, jnp.zeros_like(least)]))
        return Swept(concentration=least, current=there, without=without)

    return jax.vmap(at)(v, outside, inside, low, high)
