"""What passes through open synaptic channels, ion by ion, and the block of NMDA receptors by magnesium."""

import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import HCO3, Bath, Ca, Cl, K, Mg, Na
from ..params import param, positive
from ..permeation import AbstractPermeation, PermeabilityRatios
from ..units import F, thermal_voltage

#: Conditions at which a permeability is given as a conductance.
CONCENTRATION, TEMPERATURE = 150.0, 310.15  # mM, K


def permeability(
    g: Float[ArrayLike, ""],
    concentration: Float[ArrayLike, ""] = CONCENTRATION,
    temperature: Float[ArrayLike, ""] = TEMPERATURE,
) -> Float[Array, ""]:
    """Permeability times area [pL/ms] to a monovalent ion of which a conductance g is measured between equal solutions.

    P = g RT/(F^2 c), the slope of the constant-field current at 0 mV.

    **Arguments:** `g` [nS]; `concentration` c [mM] on both sides; `temperature` [K].
    """
    return jnp.asarray(g * thermal_voltage(temperature) / (F * concentration))


def cation_pore(g: Float[ArrayLike, ""], calcium: Float[ArrayLike, ""] = 0.0) -> PermeabilityRatios:
    """Na and K pass equally well, so that the current reverses near 0 mV, and Ca perhaps, too.

    **Arguments:** `g` [nS]: between equal solutions of 150 mM of a monovalent cation at 37 C; `calcium`: permeability
    to Ca over that to Na. Without it no Ca is needed in the bath.
    **Source:** Hille 2001, chapter 6.
    """
    ratios: dict = {Na: 1.0, K: 1.0}
    if not (isinstance(calcium, float | int) and calcium == 0.0):
        ratios[Ca] = calcium
    return PermeabilityRatios(permeability(g), ratios)


def anion_pore(g: Float[ArrayLike, ""], bicarbonate: Float[ArrayLike, ""] = 0.18) -> PermeabilityRatios:
    """Cl and, less well, HCO3: the current reverses between their Nernst potentials, near that of Cl where Cl inside is
    high.

    E = RT/F ln[(Cl_in + r HCO3_in)/(Cl_out + r HCO3_out)], r the ratio of permeabilities.

    **Arguments:** `g` [nS]: between equal solutions of 150 mM Cl at 37 C; `bicarbonate`: permeability to HCO3 over that
    to Cl.
    **Source:** Bormann, Hamill & Sakmann, J. Physiol. 385, 243 (1987): 0.18 for GABA receptors of mouse neurons.
    """
    return PermeabilityRatios(permeability(g), {Cl: 1.0, HCO3: bicarbonate})


class MagnesiumBlock(AbstractPermeation):
    """A pore that Mg from outside blocks, at once and the more the more negative the voltage.

    The unblocked share is 1/(1 + [Mg]/half e^(-steepness V)): at -60 mV and 1 mM Mg it is 0.080.

    **Arguments:** `open`: what passes while nothing blocks; `half` [mM]: blocks half of the pores at 0 mV;
    `steepness` [1/mV]; `magnesium` [mM]: outside, None for that of the bath.
    **Source:** Jahr & Stevens, J. Neurosci. 10, 3178 (1990). As a graph of a blocker in the field:
    `permeation.Blocked(open, permeation.woodhull(Mg, ...))`.
    """

    open: AbstractPermeation
    half: Float[Array, ""] = param("mM", positive, default=3.57)
    steepness: Float[Array, ""] = param("1/mV", default=0.062)
    magnesium: Float[Array, ""] | None = param("mM", positive, default=None)

    def unblocked(self, v: Float[Array, "..."], bath: Bath) -> Float[Array, "..."]:
        """The share of pores that is not blocked at v [mV]."""
        magnesium = bath[Mg][1] if self.magnesium is None else self.magnesium
        return 1.0 / (1.0 + magnesium / self.half * jnp.exp(-self.steepness * v))

    def check(self, bath):  # noqa: D102
        self.open.check(bath)

    def exchange(self, v, bath):  # noqa: D102
        return self.open.exchange(v, bath).scaled(self.unblocked(v, bath))
