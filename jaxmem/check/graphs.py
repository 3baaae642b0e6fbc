"""Pores that are given as graphs of rates, at many points at once."""

import functools
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species
from ..kinetics import Scheme, turnover
from ..permeation import GraphPore, current
from ..rates import Binding, Charged, Constant
from .points import compiled

#: The conditions of a point of a pore that passes one ion, in the order that `steady` takes them.
CONDITIONS = ("V_mV", "c_out_mM", "c_in_mM")


class Steady(eqx.Module):
    """What a pore does at many points.

    **Arguments:** `occupancy`: of the states of its graph; `current` [pA]: inward negative.
    """

    occupancy: Float[Array, "points states"]
    current: Float[Array, " points"]


def steady(scheme: Scheme, ion: Species, temperature: float) -> Callable[..., Any]:
    """The steady state of a graph that passes one ion, as a function of columns of `CONDITIONS`."""
    return functools.partial(_steady, GraphPore(scheme), ion, jnp.asarray(temperature))


def binding(
    ion: Species, inside: bool, on: float, off: float, charge: float
) -> tuple[tuple[Charged, Charged], dict[tuple[Species, bool], int]]:
    """The laws of an edge on which an ion binds from one side, and what the edge exchanges.

    **Arguments:** `on` [1/(M s)], `off` [1/s]: at 0 mV; `charge` [e0]: moved outward to the top of the barrier; as much
    again follows on the way to the site.
    """
    laws = Charged(Binding(1e-6 * on, ion, inside), charge), Charged(Constant(1e-3 * off), -charge)
    return laws, {(ion, inside): -1}


@compiled
def _steady(pore: GraphPore, ion: Species, temperature, v, outside, inside) -> Steady:
    def at(v, outside, inside):
        bath = Bath({ion: inside}, {ion: outside}, temperature)
        return Steady(turnover(pore.scheme, v, bath).occupancy, current(pore, v, bath))

    return jax.vmap(at)(v, outside, inside)
