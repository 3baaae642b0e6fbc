"""What moves between neighboring compartments of a tree, by diffusion and by drift."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from .._numerics.bernoulli import bernoulli
from ..units import UM3

Even = Callable[[Float[Array, "*shape"]], Float[Array, "*shape"]]


def scharfetter_gummel(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """The factor of the differences of concentrations where the field is even between two places: (x/2) coth(x/2).

    The flux k (B(x) c - B(-x) c'), B(x) = x/(e^x - 1), is k (S(x) (c - c') - x (c + c')/2) with this S.

    **Arguments:** `x`: the difference of z F phi/RT.
    **Source:** Scharfetter & Gummel 1969.
    """
    return bernoulli(x) + 0.5 * x


def central(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """One: drift with the mean of both concentrations. Only where potentials differ little from place to place."""
    return jnp.ones_like(x)


class Edges(NamedTuple):
    """The fluxes from every compartment to its parent, linear in the difference of potential u = F (phi_parent -
    phi)/RT: `pushed` - `pulled` u [fmol/ms] (..., species, n), in one space or in several; `mobility` [pL/ms] and the
    factor `spread` of the differences, of which they are made."""

    mobility: Float[Array, "*spaces species n"]
    spread: Float[Array, "*spaces species n"]
    pushed: Float[Array, "*spaces species n"]
    pulled: Float[Array, "*spaces species n"]

    def flux(self, u: Float[Array, "*spaces n"]) -> Float[Array, "*spaces species n"]:
        """At a difference of potential."""
        return self.pushed - self.pulled * u[..., None, :]


def edges(
    c: Float[Array, "*spaces species n"],
    of_parent: Float[Array, "*spaces species n"],
    mobility: Float[Array, "*spaces species n"],
    spread: Float[Array, "*spaces species n"],
    z: tuple[int, ...],
) -> Edges:
    """The fluxes between some concentrations [mM] of each compartment and of its parent."""
    pushed = mobility * spread * (c - of_parent)
    return Edges(mobility, spread, pushed, mobility * valences(z, c) * (0.5 * (c + of_parent)))


def spreads(u: Float[Array, "*spaces n"], z: tuple[int, ...], law: Even) -> Float[Array, "*spaces species n"]:
    """The factor for every species; a law is even, so that it is computed once for each size of valence."""
    sizes = sorted({abs(k) for k in z})
    found = law(jnp.stack([size * u for size in sizes], -2))
    return jnp.take(found, np.asarray([sizes.index(abs(k)) for k in z]), axis=-2)


def mobilities(
    effective: Float[Array, "*spaces species"], bridge: Float[Array, "*spaces n"]
) -> Float[Array, "*spaces species n"]:
    """What diffuses per difference of concentration [pL/ms]."""
    return UM3 * effective[..., None] * bridge[..., None, :]


def valences(z: tuple[int, ...], like: Float[Array, "*spaces species n"]) -> Float[Array, "*spaces species n"]:
    """Valences, to multiply something of every species with."""
    return jnp.asarray(z, like.dtype).reshape((1,) * (like.ndim - 2) + (-1, 1))


def total(x: Float[Array, "*spaces species n"], z: tuple[int, ...]) -> Float[Array, "*spaces n"]:
    """The charge [fmol of e0] that some amounts carry."""
    return jnp.sum(valences(z, x) * x, -2)


def ratio(a: Float[Array, "*shape"], b: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """a/b, and zero where b is zero: nothing moves there."""
    none = b == 0.0
    return jnp.where(none, 0.0, a / jnp.where(none, 1.0, b))
