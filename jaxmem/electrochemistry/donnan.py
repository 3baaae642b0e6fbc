"""Electrolytes at rest: Donnan equilibrium, ionic strength, Debye length."""

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, ArrayLike, Float

from ..units import EPSILON0, F, R, thermal_voltage
from .bath import Solution

_MOST_STEPS = 100


class Donnan(eqx.Module):
    """A Donnan equilibrium: what `donnan` returns.

    `potential` inside minus outside [mV]; `inside`: the permeant species [mM]; `osmotic_excess`: all
    particles inside minus outside [mM]; `osmotic_pressure`: van 't Hoff, RT times the excess [Pa].
    """

    potential: Float[Array, ""]
    inside: Solution
    osmotic_excess: Float[Array, ""]
    osmotic_pressure: Float[Array, ""]


def donnan(
    outside: Solution,
    impermeant: Float[ArrayLike, ""],
    valence: Float[ArrayLike, ""],
    temperature: Float[ArrayLike, ""],
) -> Donnan:
    """Equilibrium of every ion of a fixed, electroneutral bath with a space that holds an impermeant charge.

    Solves sum z c_out e^(-z u) + z_P P = 0 for u = F V/(RT), with c_in = c_out e^(-z u); ions of any valence.
    The derivative is that of the root, by the implicit function theorem, in both modes.

    **Arguments:** `outside`: the bath [mM]; `impermeant`: concentration P of the impermeant inside [mM];
    `valence`: its mean charge z_P, any real number; `temperature` [K].
    """
    z = jnp.asarray([float(s.z) for s in outside.species], outside.c.dtype)
    fixed = jnp.asarray(impermeant * valence, outside.c.dtype)
    c = outside.c

    def charge(u):
        return (z * c * jnp.exp(-z * u)).sum() + fixed

    def root(_, start):
        def step(carry):
            count, u, _ = carry
            slope = -(z * z * c * jnp.exp(-z * u)).sum()
            new = u - charge(u) / slope
            return count + 1, new, jnp.abs(new - u)

        def unfinished(carry):
            count, u, change = carry
            return (count < _MOST_STEPS) & (change > 4 * jnp.finfo(u.dtype).eps * (1 + jnp.abs(u)))

        return lax.while_loop(unfinished, step, (jnp.array(0), start, jnp.full_like(start, jnp.inf)))[1]

    # Were all ions monovalent, this would be the root; with others it is farther from zero, on the side from
    # which Newton's method descends to the root without overshooting.
    start = jnp.arcsinh(fixed / (jnp.abs(z) * c).sum())

    def divide(linear, y):
        return y / linear(jnp.ones_like(y))

    u = lax.custom_root(charge, lax.stop_gradient(start), root, divide)
    inside = eqx.tree_at(lambda s: s.c, outside, c * jnp.exp(-z * u))
    excess = (inside.c - c).sum() + impermeant
    return Donnan(u * thermal_voltage(temperature), inside, excess, R * temperature * excess)


def ionic_strength(solution: Solution) -> Float[Array, "*batch"]:
    """Ionic strength of a solution, half the sum of z^2 c [mM].

    **Arguments:** `solution` [mM].
    """
    z = jnp.asarray([float(s.z) for s in solution.species], solution.c.dtype)
    return 0.5 * solution.c @ (z * z)


def debye_length(
    solution: Solution, temperature: Float[ArrayLike, ""], permittivity: Float[ArrayLike, ""] = 78.5
) -> Float[Array, "*batch"]:
    """Debye screening length, sqrt(e e0 RT/(2 F^2 I)) with ionic strength I [nm]; 0.96 nm in 100 mM NaCl.

    **Arguments:** `solution` [mM]; `temperature` [K]; `permittivity`: relative, 78.5 for water at 25 C.
    """
    scale = 1e18 * EPSILON0 * R / (2 * F * F)
    return jnp.sqrt(scale * permittivity * temperature / ionic_strength(solution))
