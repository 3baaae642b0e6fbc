"""How much of the flows of a step can be: no more than is there."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from .tree import Tree

MOST = 0.98  # of what is there may leave in a step

Amounts = Float[Array, "phases species n"]


def shares(
    tree: Tree, amounts: Amounts, along: Amounts, across: Amounts, h: Float[Array, ""]
) -> tuple[Float[Array, " n"], Float[Array, " n"]]:
    """The shares of the flows along every edge to a parent, and across the membranes of every compartment, that leave
    something of every species in every space: one, unless a step would take more than 98 percent of one.

    An edge has one share for all species and spaces, and the membranes of a compartment too, so that charges stay where
    they belong: the currents of an edge add up to zero, what crosses membranes comes from the other side.

    **Arguments:** `amounts` [fmol]; `along`: fluxes to the parent [fmol/ms]; `across`: what comes through membranes
    [fmol/ms]; `h`: the step [ms].
    """
    lost = h * (_only(along) + tree.from_children(_only(-along)) + _only(-across))
    most = MOST * amounts
    short = lost > most
    share = jnp.where(short, most / jnp.where(short, lost, 1.0), 1.0)
    whole = jnp.ones_like(share[0, 0])
    for one in share.reshape(-1, share.shape[-1]):  # not the least: the derivative of that asks which is, and is slow
        whole = whole * one
    return whole * tree.of_parent(whole), whole  # the root has no edge


def _only(x: Amounts) -> Amounts:
    return jnp.where(x > 0.0, x, 0.0)
