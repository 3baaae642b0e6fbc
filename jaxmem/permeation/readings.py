"""What is measured of an open pore: current, conductance, reversal potential, permeability ratios."""

from typing import Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from .._numerics.root import root
from ..electrochemistry import Bath, Species, as_bath, ghk_current
from ..units import F
from .exchange import AbstractPermeation, Exchange

Voltage = Float[ArrayLike, ""]


class Law(Protocol):
    """Anything that has an exchange at a voltage: a permeation, or a mechanism as `channel.SteadyState`."""

    def exchange(self, v: Float[Array, ""], bath: Bath) -> Exchange:
        """Fluxes and current at v [mV]."""
        ...


def current(law: Law, v: Voltage, bath: Bath) -> Float[Array, ""]:
    """Current [pA] at v [mV], outward positive.

    **Raises:** `ValueError` for a bath with negative concentrations, or that the law cannot hold for; so do the others.
    """
    bath = conditions(law, bath)
    return _current(law, _like(v, bath), bath)


def conductance(law: Law, v: Voltage, bath: Bath) -> Float[Array, ""]:
    """Slope conductance dI/dV [nS] at v [mV], exact."""
    bath = conditions(law, bath)
    return _conductance(law, _like(v, bath), bath)


def chord_conductance(law: Law, v: Voltage, bath: Bath, reversal: Voltage | None = None) -> Float[Array, ""]:
    """Chord conductance I/(V - E) [nS] at v [mV]; the slope where V = E.

    **Arguments:** `reversal` E [mV]: where the current is taken to reverse; the law's own by default.
    """
    bath = conditions(law, bath)
    v = _like(v, bath)
    e = reversal_potential(law, bath) if reversal is None else _like(reversal, bath)
    apart = v != e
    return jnp.where(apart, current(law, v, bath) / jnp.where(apart, v - e, 1.0), conductance(law, v, bath))


def reversal_potential(law: Law, bath: Bath, *, lower: float = -300.0, upper: float = 300.0) -> Float[Array, ""]:
    """The voltage [mV] at which the current is zero; NaN if there is none between `lower` and `upper` [mV].

    Found between the two, and differentiable in every parameter of the law and of the bath.
    """
    bath = conditions(law, bath)
    return _reversal(law, bath, _like(lower, bath), _like(upper, bath))


@eqx.filter_jit
def _current(law: Law, v: Float[Array, ""], bath: Bath) -> Float[Array, ""]:
    return law.exchange(v, bath).current


@eqx.filter_jit
def _shares(law: Law, v: Float[Array, ""], bath: Bath) -> Float[Array, " species"]:
    found = law.exchange(v, bath)
    z = jnp.asarray([s.z for s in bath.species], v.dtype)
    return F * z * found.outside / found.current


@eqx.filter_jit
def _conductance(law: Law, v: Float[Array, ""], bath: Bath) -> Float[Array, ""]:
    return jax.jvp(lambda v: law.exchange(v, bath).current, (v,), (jnp.ones_like(v),))[1]


@eqx.filter_jit
def _reversal(law: Law, bath: Bath, lower: Float[Array, ""], upper: Float[Array, ""]) -> Float[Array, ""]:
    return root(lambda v: law.exchange(v, bath).current, lower, upper)


def permeability_ratio(reversal: Voltage, bath: Bath, of: Species, to: Species) -> Float[Array, ""]:
    """P_of/P_to of two ions from the potential at which their currents cancel, by the constant-field equation.

    Bi-ionic (each on one side only) or mixed, of any valences. Other species of the bath count as impermeant.

    **Arguments:** `reversal` [mV]: measured, or from `reversal_potential`; `bath`; `of`, `to`: the two species.
    **Source:** Goldman 1943; Hille 2001, chapter 14; Fatt & Ginsborg 1958 for divalent ions.
    """
    one, other = (ghk_current(reversal, *bath[s], s.z, 1.0, bath.temperature) for s in (of, to))
    return -other / one


def selectivity(
    law: Law, bath: Bath, of: Species, to: Species, *, lower: float = -300.0, upper: float = 300.0
) -> Float[Array, ""]:
    """P_of/P_to of a law as it would be measured: from its reversal potential, by the constant-field equation.

    **Arguments:** `bath`, `of`, `to`: as for `permeability_ratio`; `lower`, `upper` [mV]: as for `reversal_potential`.
    """
    return permeability_ratio(reversal_potential(law, bath, lower=lower, upper=upper), bath, of, to)


def rectification(law: Law, v: Voltage, bath: Bath) -> Float[Array, ""]:
    """The rectification ratio |I(-V)|/|I(V)| at v [mV]: one where the current is as large both ways."""
    bath = conditions(law, bath)
    back, ahead = (current(law, sign * _like(v, bath), bath) for sign in (-1.0, 1.0))
    return jnp.abs(back / ahead)


def transport_numbers(law: Law, v: Voltage, bath: Bath) -> Float[Array, " species"]:
    """The part of the current at v [mV] that each species of the bath carries, in their order; they add up to one.

    A part is negative, or above one, where two ions carry current against each other.
    """
    bath = conditions(law, bath)
    return _shares(law, _like(v, bath), bath)


def conditions(law: Law, bath: Bath | float) -> Bath:
    """The bath, if it is one that can be and that the law can hold for, as far as its values are known.

    **Raises:** `ValueError`.
    """
    bath = as_bath(bath)
    bath.check()
    if isinstance(law, AbstractPermeation):
        law.check(bath)
    return bath


def _like(v: Voltage, bath: Bath) -> Float[Array, ""]:
    return jnp.asarray(v, bath.temperature.dtype)
