"""Electroneutral cation-chloride cotransport of cell models: KCC2 and NKCC1.

All but that of Palk et al., whose outer bath is folded into its constants, stand still where the gradients of what
they carry cancel, whatever the voltage: at the set points of `catalogue.KCC2` and `catalogue.NKCC1`.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Cl, K, Na, nernst

Real = Float[Array, "..."] | float


def wei_kcc2(v: Real, bath: Bath, *, U: Real = 0.3) -> Float[Array, "..."]:
    """KCC2, K and Cl out of the cell [mM/s]: U ln(K_i Cl_i / (K_o Cl_o)).

    It can reverse. Thermodynamically closed.

    **Arguments:** `U` [mM/s].
    **Source:** Wei, Ullah & Schiff, J. Neurosci. 34, 11733 (2014), doi:10.1523/JNEUROSCI.0516-14.2014.
    """
    return U * _log_ratio(bath, K) + jnp.zeros_like(v)


def wei_nkcc1(v: Real, bath: Bath, *, U: Real = 0.1, K_half: Real = 16.0) -> Float[Array, "..."]:
    """NKCC1, turns out of the cell [mM/s]: U f (ln(K_i Cl_i / (K_o Cl_o)) + ln(Na_i Cl_i / (Na_o Cl_o))).

    f = 1/(1 + e^(K_half - K_o)) makes it idle at the K of a resting tissue. It can reverse. Thermodynamically closed.

    **Arguments:** `U` [mM/s]; `K_half` [mM].
    **Source:** Wei, Ullah & Schiff, J. Neurosci. 34, 11733 (2014), doi:10.1523/JNEUROSCI.0516-14.2014.
    """
    return U * jax.nn.sigmoid(bath[K][1] - K_half) * (_log_ratio(bath, K) + _log_ratio(bath, Na)) + jnp.zeros_like(v)


def linear_kcc2(v: Real, bath: Bath, *, g: Real = 1.0) -> Float[Array, "..."]:
    """KCC2 as a conductance, g (E_K - E_Cl) [pA]: the current of the Cl that it carries, negative where it leaves.

    The law of `wei_kcc2` with U = g RT/F^2. It can reverse. Thermodynamically closed.

    **Arguments:** `g` [nS], or a density, which gives a density.
    **Source:** Doyon, Vinay, Prescott & De Koninck, Neuron 89, 1157 (2016); Dusterwald et al., eLife 7, e39575 (2018),
    doi:10.7554/eLife.39575.
    """
    e_k, e_cl = (nernst(*bath[s], s.z, bath.temperature) for s in (K, Cl))
    return g * (e_k - e_cl) + jnp.zeros_like(v)


def fraser_huang_kcc2(v: Real, bath: Bath, *, P: Real = 1.0) -> Float[Array, "..."]:
    """KCC2, K and Cl into the cell: P (K_o Cl_o - K_i Cl_i), in the unit of P times mM^2.

    It can reverse. Thermodynamically closed.

    **Source:** Fraser & Huang, J. Physiol. 559, 459 (2004), doi:10.1113/jphysiol.2004.065706.
    """
    (k_i, k_o), (cl_i, cl_o) = bath[K], bath[Cl]
    return P * (k_o * cl_o - k_i * cl_i) + jnp.zeros_like(v)


def palk_nkcc1(
    v: Real, bath: Bath, *, a1: Real = 157.5, a2: Real = 2.0096e-5, a3: Real = 1.0306, a4: Real = 1.3852e-6
) -> Float[Array, "..."]:
    """NKCC1, turns into the cell per transporter: (a1 - a2 X)/(a3 + a4 X) with X = Na_i K_i Cl_i^2.

    The outer bath is folded into the constants. It can reverse. Closed in that bath alone, which the constants imply.

    **Arguments:** `a1`, `a3`; `a2`, `a4` [1/mM^4].
    **Source:** Palk, Sneyd, Shuttleworth, Yule & Crampin, J. Theor. Biol. 266, 625 (2010), after Benjamin & Johnson,
    Am. J. Physiol. 273, F473 (1997).
    """
    x = bath[Na][0] * bath[K][0] * bath[Cl][0] ** 2
    return (a1 - a2 * x) / (a3 + a4 * x) + jnp.zeros_like(v)


def _log_ratio(bath: Bath, cation: object) -> Float[Array, "..."]:
    """ln of the products of a cation and Cl, inside over outside."""
    (c_i, c_o), (cl_i, cl_o) = bath[cation], bath[Cl]
    return jnp.log(c_i * cl_i / (c_o * cl_o))
