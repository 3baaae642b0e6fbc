"""How much of the flows of a step can be: no more than is there."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .tree import Tree

_MOST = 0.98  # of what is there may leave in a step


def shares(
    tree: Tree,
    amounts: Sequence[Float[Array, "species n"]],
    along: Sequence[Float[Array, "species n"]],
    across: Sequence[Float[Array, "species n"]],
    h: Float[Array, ""],
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """The shares of the flows along every edge to a parent, and across the membranes of every compartment, that leave
    something of every species in every space: one, unless a step would take more than 98 percent of one.

    An edge has one share for all species and spaces, and the membranes of a compartment too, so that charges stay where
    they belong: the currents of an edge add up to zero, what crosses membranes comes from the other side.

    **Arguments:** `amounts` [fmol]; `along`: fluxes to the parent [fmol/ms]; `across`: what comes through membranes
    [fmol/ms]; `h`: the step [ms].
    """
    there, flux, source = (jnp.concatenate(list(x)) for x in (amounts, along, across))
    lost = h * (_only(flux) + tree.from_children(_only(-flux)) + _only(-source))
    short = lost > _MOST * there
    # Their product, not the least of them: its derivative asks which is the least, and may find none.
    whole = jnp.ones_like(lost[0])
    for share in jnp.where(short, _MOST * there / jnp.where(short, lost, 1.0), 1.0):
        whole = whole * share
    whole = lax.optimization_barrier(whole)  # used several times, and computed once
    return whole * tree.of_parent(whole), whole  # the root has no edge


def _only(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return jnp.where(x > 0.0, x, 0.0)
