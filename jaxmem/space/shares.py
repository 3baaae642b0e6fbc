"""How much of the flows of a step can be: no more than is there."""

from collections.abc import Sequence

import jax.numpy as jnp
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
    whole = jnp.ones_like(amounts[0][0])
    for x, flux, source in zip(amounts, along, across, strict=True):
        lost = _only(flux) + tree.from_children(_only(-flux)) + _only(-source)
        short = h * lost > _MOST * x
        share = jnp.where(short, _MOST * x / jnp.where(short, h * lost, 1.0), 1.0)
        whole = whole * jnp.prod(share, 0)  # not the least: a derivative asks which is the least, and may find none
    return whole * tree.of_parent(whole).at[0].set(1.0), whole


def _only(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    return jnp.where(x > 0.0, x, 0.0)
