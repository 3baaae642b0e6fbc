"""A published rate equation as a mechanism."""

from collections.abc import Callable, Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import ADP, ATP, Bath, Pi, as_bath
from ..params import as_array, param
from ..permeation import Exchange
from ..permeation.exchange import carried
from ..units import F
from .stoichiometry import Stoichiometry


class Published(eqx.Module):
    """A mechanism without a state of its own, which turns as a published rate equation says.

    `amplitude` times `rate(v, bath, **constants)` turns per time move what the stoichiometry says from one side to the
    other, so the current is F sum z J, whatever the equation was written for. ATP is spent inside, and ADP and
    phosphate are released there, as far as the bath holds them.

    `Published(sodium_pumps.faber_rudy, NA_K_ATPASE, per_current(NA_K_ATPASE, 150.0))` is the pump of a cell of 150 pF.

    **Arguments:** `rate`: a function of v [mV], the bath and constants by name, such as those of `sodium_pumps`;
    `stoichiometry`: of a turn in the direction in which `rate` is positive; `amplitude`: turns [fmol/ms] for each unit
    of `rate`: `per_current` for a current, `number * permeation.PER_PARTICLE` for turns [1/ms] of one transporter,
    `1e-3 * volume` for mM/s of a volume [pL]; `constants`: those with other values than the published ones, which can
    then be fitted.
    """

    rate: Callable[..., Float[Array, ""]] = eqx.field(static=True)
    stoichiometry: Stoichiometry = eqx.field(static=True)
    amplitude: Float[Array, ""] = param("fmol/ms")
    constants: Mapping[str, Float[Array, ""]]

    def __init__(self, rate: Callable[..., Any], stoichiometry: Stoichiometry, amplitude: Any, **constants: Any):
        """See the class."""
        self.rate, self.stoichiometry = rate, stoichiometry
        self.amplitude, self.constants = as_array(amplitude), {name: as_array(x) for name, x in constants.items()}

    def init(self, v: Float[Array, ""], bath: Bath) -> tuple[()]:
        """Nothing."""
        return ()

    def derivative(self, state: tuple[()], v: Float[Array, ""], bath: Bath) -> tuple[()]:
        """Nothing."""
        return ()

    def advance(self, state: tuple[()], v: Float[Array, ""], bath: Bath, dt: Float[Array, ""]) -> tuple[()]:
        """Nothing."""
        return ()

    def turns(self, v: Float[Array, ""], bath: Bath) -> Float[Array, ""]:
        """Turns per time [fmol/ms]."""
        return self.amplitude * self.rate(v, as_bath(bath), **self.constants)

    def exchange(self, state: tuple[()], v: Float[Array, ""], bath: Bath) -> Exchange:
        """Amounts released [fmol/ms] and current [pA]."""
        bath = as_bath(bath)
        turns = self.turns(v, bath)
        moved = carried({s: -n * turns for s, n in self.stoichiometry.particles.items()}, bath)
        spent = {ATP: -self.stoichiometry.atp, ADP: self.stoichiometry.atp, Pi: self.stoichiometry.atp}
        chemistry = jnp.stack([spent.get(s, 0) * turns for s in bath.species])
        return Exchange(moved.inside + chemistry, moved.outside, moved.current)


def per_current(stoichiometry: Stoichiometry, unit: float = 1.0) -> float:
    """Turns [fmol/ms] for each unit of an equation that gives a current, as `amplitude` of `Published`.

    **Arguments:** `stoichiometry`: whose turn moves a charge outward, or inward: it says which current is forward;
    `unit` [pA]: what one unit of the equation is in this cell, such as its capacitance [pF] for uA/uF, or 1000 for nA.
    **Raises:** `ValueError` for an electroneutral transporter.
    """
    if not stoichiometry.charge:
        raise ValueError(f"{stoichiometry.name} moves no charge, so it has no current; give turns per time instead.")
    return unit / (F * stoichiometry.charge)
