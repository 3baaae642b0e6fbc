"""Thin processes and spines, where concentrations move: the electrodiffusion of Qian & Sejnowski, and the cable.

A passive process with leaks of Na, K and Cl at -70 mV, and a Na conductance (a synapse) in one compartment. `model` is
the process with all ions, `cable` the same process by the cable equation: reversal potentials and the resistivity are
those of the concentrations at the start. Thick processes agree. Where the process is 0.1 um thin, what the synapse lets
in changes Na inside at once: its driving force falls, and the cable is wrong. With 0.1 nS after 20 ms, the two differ
by 0.2 mV in a process of 1 um, and by 7.7 mV in one of 0.1 um.

**Published:** that the cable equation holds at a diameter of 1 um and fails at 0.1 um and in spines (the abstract; the
figures could not be read, so no number of theirs is compared). **Ours:** all numbers.

**Source:** Qian N, Sejnowski TJ. An electro-diffusion model for computing membrane potentials and ionic concentrations
in branching dendrites, spines and axons. Biol Cybern 62:1-15 (1989), doi:10.1007/BF00217656.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..channel import Channel
from ..electrochemistry import Cl, K, Na, nernst
from ..gating import AlwaysOpen
from ..params import as_array
from ..permeation import Ohmic
from ..space import WATER, Cable, Cells, Section, Tissue, Tree, cylinder, inside, outside, place, tree
from ..units import F, R

INSIDE = {Na: 12.0, K: 140.0, Cl: 7.5}
OUTSIDE = {Na: 145.0, K: 4.0, Cl: 149.0}
TEMPERATURE = 310.15
REST = -70.0
LEAK = {Na: 0.0035, K: 0.025, Cl: 0.02}  # mS/cm2


def process(diameter: Any = 0.1, length: Any = 60.0, compartments: int = 31) -> Tree:
    """An unbranched process [um]."""
    return cylinder(length, diameter, compartments)


def spine(neck: Any = 0.1, head: Any = 0.5, length: Any = 1.0, dendrite: Any = 1.0) -> Tree:
    """A piece of dendrite, 20 um long, with one spine in its middle; sizes in um."""
    return tree(
        {
            "dendrite": Section(20.0, dendrite, 20),
            "neck": Section(length, neck, 4, parent="dendrite", at=0.5),
            "head": Section(head, head, 1, parent="neck"),
        }
    )


def resistivity(temperature: Any = TEMPERATURE) -> Float[Array, ""]:
    """The resistivity of the inside at the start, RT/(F^2 sum z^2 D c) [Ohm cm]; 91 at 37 C."""
    conductivity = sum(s.z**2 * WATER[s] * 1e-9 * c for s, c in INSIDE.items()) * F**2 / (R * as_array(temperature))
    return 100.0 / conductivity


def model(shape: Tree | None = None, *, at: int | None = None, synapse: Any = 1.0, share: Any = 20.0) -> Tissue:
    """The process with all ions; its outside is so wide that hardly anything changes there.

    **Arguments:** `shape`: a `process` (the default) or a `spine`; `at`: the compartment of the synapse (the middle, or
    the head); `synapse` [nS]: its conductance for Na; `share`: cross-section outside over that inside.
    """
    shape = process() if shape is None else shape
    at = _synapse(shape, at)
    leaks = Channel(AlwaysOpen(), Ohmic(list(LEAK.values()), species=tuple(LEAK)))
    synaptic = Channel(AlwaysOpen(), Ohmic(1.0, species=Na))
    density = as_array(synapse) / shape.area[at]
    mechanisms = [leaks, place(synaptic, [at], density)]
    cells = {"process": Cells(inside(shape, INSIDE), mechanisms, shape.area, start=REST)}
    return Tissue(shape, outside(shape, OUTSIDE, share), cells, temperature=TEMPERATURE, record=at)


def cable(shape: Tree | None = None, *, at: int | None = None, synapse: Any = 1.0) -> Cable:
    """The same process by the cable equation.

    **Arguments:** those of `model`.
    """
    shape = process() if shape is None else shape
    at = _synapse(shape, at)
    reversal = {s: nernst(as_array(INSIDE[s]), as_array(OUTSIDE[s]), s.z, TEMPERATURE) for s in LEAK}
    leaks = [Channel(AlwaysOpen(), Ohmic(g, reversal=reversal[s])) for s, g in LEAK.items()]
    synaptic = Channel(AlwaysOpen(), Ohmic(1.0, reversal=reversal[Na]))
    density = as_array(synapse) / shape.area[at]
    mechanisms = [*leaks, place(synaptic, [at], density)]
    return Cable(shape, mechanisms, TEMPERATURE, resistivity=resistivity(), start=REST, record=at)


def _synapse(shape: Tree, at: int | None) -> int:
    if at is not None:
        return at
    names = [name for name, *_ in shape.names]
    return shape.within("head").start if "head" in names else int(jnp.size(shape.area)) // 2
