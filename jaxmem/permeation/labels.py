"""Labeled ions: one-way fluxes through a barrier pore, and by how much they are coupled."""

import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import Bath, Species, potential_difference
from .barrier_pore import BarrierPore


def labeled(pore: BarrierPore, species: Species) -> tuple[BarrierPore, Species]:
    """The pore with an isotope of a species, which differs in name only; and that isotope, as last species.

    **Raises:** `ValueError` if the pore does not pass the species.
    """
    if species not in pore.species:
        raise ValueError(
            f"Argument `species` must be one of the pore's, {', '.join(s.name for s in pore.species)}, but is "
            f"{species.name}."
        )
    k, isotope = pore.species.index(species), dataclasses.replace(species, name=f"{species.name}*")
    more = lambda rows: jnp.concatenate([rows, rows[k : k + 1]])
    doubled = BarrierPore(
        more(pore.sites),
        more(pore.barriers),
        pore.distances,
        pore.interaction,
        (*pore.species, isotope),
        transmission=pore.transmission,
        reference=pore.reference,
    )
    return doubled, isotope


def unidirectional_fluxes(
    pore: BarrierPore, species: Species, v: Float[ArrayLike, ""], bath: Bath
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    """Influx and efflux [1/ms] of a species, both positive: what tracers from outside and from inside carry.

    The species is counted by the side it came from: those outside are labeled, those inside are not, and each crosses
    to a bath without its own kind.

    **Arguments:** `v` [mV]; `bath`: may hold other species, too.
    **Raises:** `ValueError` if the pore does not pass the species.
    **Source:** Ussing, Acta Physiol. Scand. 19, 43 (1949); Hodgkin & Keynes, J. Physiol. 128, 61 (1955).
    """
    bath.check()
    return _tracers(pore, species, jnp.asarray(v, bath.temperature.dtype), bath)


@eqx.filter_jit
def _tracers(
    pore: BarrierPore, species: Species, v: Float[Array, ""], bath: Bath
) -> tuple[Float[Array, ""], Float[Array, ""]]:
    doubled, isotope = labeled(pore, species)
    inside, outside = bath[species]
    none = jnp.zeros_like(inside)
    tracers = bath.replaced(
        {(species, True): inside, (species, False): none, (isotope, True): none, (isotope, False): outside}
    )
    flux = doubled.flux(v, tracers).flux
    return -flux[-1], flux[pore.species.index(species)]


def flux_ratio_exponent(pore: BarrierPore, species: Species, v: Float[ArrayLike, ""], bath: Bath) -> Float[Array, ""]:
    """Ussing's flux-ratio exponent n': influx/efflux = exp(n' dmu), dmu = ln(c_out/c_in) - zFV/RT.

    One for ions that cross independently; up to the number of ions in the file for a long pore that is full. At
    equilibrium, where both ratios are one, it is the limit.

    **Arguments, Raises:** as `unidirectional_fluxes`.
    **Source:** Hodgkin & Keynes, J. Physiol. 128, 61 (1955); Hille & Schwarz, J. Gen. Physiol. 72, 409 (1978).
    """
    bath.check()
    return _exponent(pore, species, jnp.asarray(v, bath.temperature.dtype), bath)


@eqx.filter_jit
def _exponent(pore: BarrierPore, species: Species, v: Float[Array, ""], bath: Bath) -> Float[Array, ""]:
    def both(v):
        influx, efflux = unidirectional_fluxes(pore, species, v, bath)
        drive = -potential_difference(*bath[species], species.z, v, bath.temperature)
        return jnp.stack([jnp.log(influx) - jnp.log(efflux), drive])

    (ratio, drive), (d_ratio, d_drive) = jax.jvp(both, (v,), (jnp.ones_like(v),))
    away = jnp.abs(drive) > jnp.finfo(v.dtype).eps ** (1 / 3)
    return jnp.where(away, ratio / jnp.where(away, drive, 1.0), d_ratio / d_drive)
