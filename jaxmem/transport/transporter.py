"""Transporters as mechanisms: a graph whose turns move particles, in time or in its steady state."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species, as_bath
from ..kinetics import (
    AbstractScheme,
    Turnover,
    cycles,
    edge_flux,
    generator,
    propagate,
    released,
    stationary,
    transported,
    turnover,
)
from ..params import as_array, param, positive
from ..permeation import PER_PARTICLE, Exchange
from ..units import E0_PER_MS


class Transporter(eqx.Module):
    """A mechanism: `number` carriers or pumps whose states turn over in time.

    The state is the vector of occupancies, in the order of `scheme.states`. What the edges exchange with the baths is
    released when it happens, so that particles bound to the transporter are missing from both sides meanwhile; the
    current is the charge that moves through the field, that of the empty carrier included.

    **Arguments:** `scheme`: with an exchange table; `number` of transporters.
    **Raises:** `ValueError` if a turn round some cycle takes up what it never releases.
    """

    scheme: AbstractScheme
    number: Float[Array, ""] = param("", positive)

    def __init__(self, scheme: AbstractScheme, number: Any = 1.0):
        _check_balance(scheme)
        self.scheme, self.number = scheme, as_array(number)

    def generator(self, v: Float[Array, "..."], bath: Bath) -> Float[Array, "... states states"]:
        """The generator [1/ms] of the scheme at v [mV]."""
        return generator(self.scheme, v, as_bath(bath))

    def init(self, v: Float[Array, ""], bath: Bath) -> Float[Array, " states"]:
        """The steady state at v [mV]."""
        return stationary(self.generator(v, bath))

    def derivative(self, state: Float[Array, " states"], v: Float[Array, ""], bath: Bath) -> Float[Array, " states"]:
        """Rate of change of the occupancies [1/ms]."""
        return jnp.sum(state[:, None] * self.generator(v, bath), 0)

    def advance(
        self, state: Float[Array, " states"], v: Float[Array, ""], bath: Bath, dt: Float[Array, ""]
    ) -> Float[Array, " states"]:
        """The occupancies after dt [ms] at constant v and bath."""
        return propagate(self.generator(v, bath), state, dt)

    def exchange(self, state: Float[Array, " states"], v: Float[Array, ""], bath: Bath) -> Exchange:
        """Amounts released [fmol/ms] and current [pA] of all transporters."""
        bath = as_bath(bath)
        flux = edge_flux(self.scheme, state, v, bath)
        amounts = released(self.scheme, Turnover(state, flux, jnp.abs(flux)))
        return _exchange(amounts, bath, self.number, jnp.sum(self.scheme.charges(bath) * flux))


class QuasiSteady(eqx.Module):
    """A mechanism: `number` transporters that are in their steady state at every moment; without a state of its own.

    What leaves one side arrives on the other, and the current is F sum z J.

    **Arguments, Raises:** as `Transporter`.
    """

    scheme: AbstractScheme
    number: Float[Array, ""] = param("", positive)

    def __init__(self, scheme: AbstractScheme, number: Any = 1.0):
        _check_balance(scheme)
        self.scheme, self.number = scheme, as_array(number)

    def init(self, v: Float[Array, ""], bath: Bath) -> tuple[()]:
        """Nothing."""
        return ()

    def derivative(self, state: tuple[()], v: Float[Array, ""], bath: Bath) -> tuple[()]:
        """Nothing."""
        return ()

    def advance(self, state: tuple[()], v: Float[Array, ""], bath: Bath, dt: Float[Array, ""]) -> tuple[()]:
        """Nothing."""
        return ()

    def exchange(self, state: tuple[()], v: Float[Array, ""], bath: Bath) -> Exchange:
        """Amounts released [fmol/ms] and current [pA] of all transporters."""
        bath = as_bath(bath)
        steady = turnover(self.scheme, v, bath)
        crossing, all_released = transported(self.scheme, steady), released(self.scheme, steady)
        amounts = {
            (s, inside): crossing[s] * (-1.0 if inside else 1.0) if s in crossing else total
            for (s, inside), total in all_released.items()
        }
        charge = sum((s.z * flux for s, flux in crossing.items()), start=jnp.zeros_like(steady.flux[0]))
        return _exchange(amounts, bath, self.number, charge)


def _exchange(
    amounts: dict[tuple[Species, bool], Float[Array, ""]],
    bath: Bath,
    number: Float[Array, ""],
    charge: Float[Array, ""],
) -> Exchange:
    for species, _ in amounts:
        bath.index(species)  # says which species it lacks
    none = jnp.zeros_like(charge)
    sides = [
        jnp.stack([number * PER_PARTICLE * amounts.get((s, inside), none) for s in bath.species])
        for inside in (True, False)
    ]
    return Exchange(sides[0], sides[1], number * E0_PER_MS * charge)


def _check_balance(scheme: AbstractScheme) -> None:
    """Refuses a cycle that takes up what it never releases. What is exchanged with one side only, as ATP, reacts."""
    sides = {key for row in scheme.exchange for key, _ in row}
    for cycle in cycles(scheme):
        sums: dict[Species, int] = {}
        for e, sign in cycle:
            for (species, _), count in scheme.exchange[e]:
                sums[species] = sums.get(species, 0) + sign * count
        for species, total in sums.items():
            if total and {(species, True), (species, False)} <= sides:
                names = " - ".join(scheme.states[scheme.edges[e][0 if sign == 1 else 1]] for e, sign in cycle)
                raise ValueError(
                    f"A turn must release what it takes up, but round {names} {abs(total)} {species.name} "
                    f"{'appear' if total > 0 else 'are lost'}; correct the exchange of its edges."
                )
