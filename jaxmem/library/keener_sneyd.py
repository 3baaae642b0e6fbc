"""The pump-leak curve of Tosteson and Hoffman in the dimensionless form of Keener and Sneyd.

How the volume and the potential of a cell depend on how fast its pump runs: without a pump a cell with impermeant
anions bursts; a slow pump makes it finite, at `Curve.minimum_volume` it is smallest, and at `Curve.largest_pump` it
bursts again, because it is full of K. In the squid axon the two are P = 1.77 and P = 14.2, and at P = 1 the potential
is -58.9 mV (numbers of our reference cases).

The pump moves 3 Na out and 2 K in. P is its current for one charge per turn over g_Na RT/F, mu the volume over
impermeant amount / (Na_o + K_o), chloride is at equilibrium, and both sides are electroneutral at equal osmolarity.

**Published:** the equations, and the concentrations of the squid axon, from the book's program `pump_leak1`.
**Ours:** the scale of the conductances in `model`, which moves nothing on the curve.

**Source:** Keener J, Sneyd J. Mathematical Physiology I, Springer 2009, section 2.8.1, doi:10.1007/978-0-387-75847-3;
Tosteson DC, Hoffman JF, J Gen Physiol 44:169 (1960), doi:10.1085/jgp.44.1.169.
"""

from typing import NamedTuple

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from .._numerics.root import root
from ..params import param, positive
from . import dusterwald_2018
from .dusterwald_2018 import PumpLeak

Number = Float[Array, "..."]


class Point(NamedTuple):
    """A point of the curve.

    `alpha`: cations inside over those outside at V = 0; volume `mu`; `v`, and the reversal potentials `v_na` and
    `v_k` [mV]; `rho`: what a pump has to be capable of whose rate is rho (Na_i/Na_o)^3.
    """

    alpha: Number
    mu: Number
    v: Number
    v_na: Number
    v_k: Number
    rho: Number


class Curve(eqx.Module):
    """The curve of a cell, elementwise in the pump rate.

    **Arguments:** `na_o`, `k_o` [mM] outside; `gamma`: g_Na/g_K; `z`: mean valence of what cannot leave; `rt_over_f`
    [mV] of the book.
    """

    na_o: Float[Array, ""] = param("mM", positive, default=437.0)
    k_o: Float[Array, ""] = param("mM", positive, default=20.0)
    gamma: Float[Array, ""] = param("", positive, default=0.11)
    z: Float[Array, ""] = param("e0", default=-1.0)
    rt_over_f: Float[Array, ""] = param("mV", positive, default=25.8)

    def __call__(self, pump: Number) -> Point:
        """The point at a pump rate P.

            alpha = (Na_o e^(-3 P) + K_o e^(2 P gamma))/(Na_o + K_o),
            mu = [1 + sqrt(z^2 + alpha (1 - z^2))]/[2 (1 - alpha)],
            y = e^(-F V/RT) = [-z + sqrt(z^2 + 4 alpha mu^2)]/(2 alpha mu)

        **Arguments:** `pump` P, without unit. There is no cell at P <= 0 and beyond `largest_pump`, where alpha >= 1.
        """
        alpha = self._alpha(pump)
        square = self.z * self.z
        mu = (1.0 + jnp.sqrt(square + alpha * (1.0 - square))) / (2.0 * (1.0 - alpha))
        log_y = jnp.log((jnp.sqrt(square + 4.0 * alpha * mu * mu) - self.z) / (2.0 * alpha * mu))
        rho = pump * jnp.exp(3.0 * (3.0 * pump - log_y))
        v, v_na, v_k = (self.rt_over_f * (x - log_y) for x in (0.0, 3.0 * pump, -2.0 * pump * self.gamma))
        return Point(alpha, mu, v, v_na, v_k, rho)

    def minimum_volume(self) -> Float[Array, ""]:
        """The pump rate at which the cell is smallest: P = ln(3 Na_o/(2 gamma K_o))/(3 + 2 gamma)."""
        return jnp.log(3.0 * self.na_o / (2.0 * self.gamma * self.k_o)) / (3.0 + 2.0 * self.gamma)

    def largest_pump(self) -> Float[Array, ""]:
        """The pump rate P > 0 at which alpha = 1 and the cell bursts; 0 if no pump rate holds it together."""
        # From its minimum on alpha increases, and K alone makes it one at this rate.
        most = jnp.log1p(self.na_o / self.k_o) / (2.0 * self.gamma)
        return root(lambda pump: self._alpha(pump) - 1.0, jnp.maximum(self.minimum_volume(), 0.0), most)

    def _alpha(self, pump: Number) -> Number:
        cations = self.na_o * jnp.exp(-3.0 * pump) + self.k_o * jnp.exp(2.0 * pump * self.gamma)
        return cations / (self.na_o + self.k_o)


def model(*, pump: float = 1.77, curve: Curve | None = None, g_k: float = 0.1) -> PumpLeak:
    """A cell that rests on the curve: that of `dusterwald_2018` with a constant pump and without KCC2.

    **Arguments:** `pump`: P, without unit; `curve`: the squid axon's if none is given; `g_k` [mS/cm2], also the
    chloride conductance: how fast the cell comes to rest.
    """
    curve = Curve() if curve is None else curve
    cations, g_na = curve.na_o + curve.k_o, curve.gamma * g_k
    return dusterwald_2018.model(
        g_na=g_na,
        g_k=g_k,
        g_cl=g_k,
        g_kcc2=0.0,
        pump=pump * g_na * curve.rt_over_f,
        exponent=0.0,
        na_o=curve.na_o,
        k_o=curve.k_o,
        cl_o=cations,
        osmolarity=2.0 * cations,
        z=curve.z,
        rt_over_f=curve.rt_over_f,
    )
