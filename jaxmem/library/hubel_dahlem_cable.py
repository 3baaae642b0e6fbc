"""Spreading depression in a strip of tissue: the neuron of Hübel & Dahlem at every place, joined by the space outside.

Neurons are not joined inside; ions move between places by electrodiffusion in the outer space, at 1/lambda^2 of their
diffusivity in water. A local rise of K outside discharges the neurons there, whose K discharges the next ones.

The membrane has the conductances, volumes and the pump of Hübel & Dahlem 2014, but m and h are gates with rates of
their own, those of Cressman et al. 2009, as in Hübel & Ullah 2016 (with m at its steady state a wave would need steps
ten times as short), and the charge of the ions sets the potential. As in the closed neuron there, nobody takes K up, so
tissue behind the front stays depolarized, unless there is `clearance`: K outside is exchanged for Na with a bath, at
a rate per mM.

**Published:** conductances, pump, volumes, concentrations, gates. **Ours:** the tissue: tortuosity 1.6,
membrane of processes 1 um thick (4 um2 for each um3 inside; that of the paper's soma would make waves slower than
2 mm/min), the outer space a quarter of the tissue as in the paper's neuron, no current inside from place to place.

**Source:** Huebel N, Dahlem MA. Dynamics from seconds to hours in Hodgkin-Huxley model with time-dependent ion
concentrations and buffer reservoirs. PLoS Comput Biol 10:e1003941 (2014), doi:10.1371/journal.pcbi.1003941. Gates:
Cressman et al. 2009, doi:10.1007/s10827-008-0132-4.
"""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..channel import Channel
from ..electrochemistry import Bath, Cl, K, Na
from ..gating import AlwaysOpen, Gate, HodgkinHuxley
from ..params import as_array, param, positive
from ..permeation import Exchange, Ohmic
from ..rates import Scaled
from ..space import Cells, Phase, Tissue, cylinder, place
from ..transport import Published, per_current, sodium_pumps
from ..transport.catalogue import NA_K_ATPASE
from ..units import UM3, thermal_voltage
from . import cortical_gates

RT_OVER_F = 26.64  # mV
AREA = 921.96  # um2 of membrane of a neuron: what makes 1 uA/cm2 9.55589e-5 fmol/ms
INSIDE, OUTSIDE = 2.16, 0.72  # pL
RESTING_K = 4.0  # mM outside


class Clearance(eqx.Module):
    """Exchange of K outside for Na, one for one, that holds K at a level: blood, or glia that do not fill up.

    **Arguments:** `rate` [pL/ms] per um2 of membrane; `level` [mM].
    """

    rate: Float[Array, ""] = param("pL/ms", positive)
    level: Float[Array, ""] = param("mM", positive)

    def init(self, v: Any, bath: Bath) -> tuple[()]:
        """No state."""
        return ()

    def derivative(self, state: Any, v: Any, bath: Bath) -> tuple[()]:
        """No state."""
        return ()

    def advance(self, state: Any, v: Any, bath: Bath, dt: Any) -> tuple[()]:
        """No state."""
        return ()

    def exchange(self, state: Any, v: Any, bath: Bath) -> Exchange:
        """Amounts put outside [fmol/ms]."""
        put = self.rate * (self.level - bath[K][1])
        amounts = jnp.stack([{K: put, Na: -put}.get(s, jnp.zeros_like(put)) for s in bath.species])
        return Exchange(jnp.zeros_like(amounts), amounts, jnp.zeros_like(put))


def membrane(*, pump: Any = 6.8, phi: float = 3.0) -> tuple[Any, ...]:
    """The mechanisms of the neuron, as densities [mS/cm2, uA/cm2]: sodium, potassium, leaks, pump.

    **Arguments:** `pump` [uA/cm2]: the largest current of the pump; `phi`: factor of the gates' rates.
    """

    def warmed(gate: Gate) -> Gate:
        return Gate(Scaled(gate.opening, phi), Scaled(gate.closing, phi))

    m, h, n = (
        warmed(gate())
        for gate in (
            cortical_gates.sodium_activation,
            cortical_gates.sodium_inactivation,
            cortical_gates.potassium_activation,
        )
    )
    leaks = Ohmic([0.0175, 0.05, 0.02], species=(Na, K, Cl))
    return (
        Channel(HodgkinHuxley((m, h), (3, 1)), Ohmic(100.0, species=Na)),
        Channel(HodgkinHuxley((n,), (4,)), Ohmic(40.0, species=K)),
        Channel(AlwaysOpen(), leaks),
        Published(sodium_pumps.cressman, NA_K_ATPASE, per_current(NA_K_ATPASE), maximum=pump, Na_half=25.0, K_half=5.5),
    )


def model(
    *,
    length: Any = 3000.0,
    compartments: int = 60,
    pump: Any = 6.8,
    surface: Any = 4.0,
    phi: float = 3.0,
    tortuosity: Any = 1.6,
    clearance: Any = 0.0,
    raised: Any = 40.0,
    width: Any = 400.0,
    record: Any = None,
) -> Tissue:
    """The strip, of 1 um2 of outer space in cross-section.

    **Arguments:** `length` [um]; `compartments`; `pump` [uA/cm2], one or one for each compartment; `surface` [1/um]:
    membrane for each volume inside; `phi`: factor of the
    gates' rates; `tortuosity`; `clearance` [1/ms]: of K outside; `raised` [mM]: K outside in the first `width` [um] at
    the start, in exchange for Na; `record`: the compartments whose potential is recorded.
    """
    length, width, raised, pump, surface = (as_array(x) for x in (length, width, raised, pump, surface))
    tree = cylinder(length, 2.0 / jnp.sqrt(jnp.pi), compartments)
    outer = UM3 * tree.length
    share = jnp.clip((as_array(width) - (tree.distance - 0.5 * tree.length)) / tree.length, 0.0, 1.0)
    more = share * (as_array(raised) - RESTING_K)
    outside = Phase(
        {Na: 125.30555 - more, K: RESTING_K + more, Cl: 123.2716 + 0.0 * more},
        outer,
        tree.bridge,
        tortuosity=tortuosity,
    )
    inner = INSIDE / OUTSIDE * outer
    inside = Phase({Na: 25.231485, K: 129.25764, Cl: 9.900239}, inner, 0.0 * tree.bridge)
    *channels, pumped = membrane(pump=1.0, phi=phi)
    strength = 0.01 * as_array(pump)  # its largest current is a density, so that it may vary from place to place
    mechanisms = [*channels, place(pumped, density=strength)]
    area = as_array(surface) * inner / UM3
    if clearance is not None:
        mechanisms.append(place(Clearance(as_array(clearance) * outer[0] / area[0], RESTING_K), density=1.0))
    cells = Cells(inside, mechanisms, area, start=-67.19)
    return Tissue(tree, outside, {"neuron": cells}, temperature=RT_OVER_F / thermal_voltage(1.0), record=record)
