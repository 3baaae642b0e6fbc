"""Na/K pumps of cell models, as saturation curves of Na inside and K outside.

None of them can reverse: all are positive at every voltage and in every bath, so none is thermodynamically closed. For
a pump that is, see `post_albers`.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, K, Na
from ..units import thermal_voltage

Real = Float[Array, "..."] | float


def difrancesco_noble(
    v: Real, bath: Bath, *, maximum: Real = 125.0, K_K: Real = 1.0, K_Na: Real = 40.0
) -> Float[Array, "..."]:
    """Pump current [nA] of a Purkinje cell, maximum K_o/(K_K + K_o) Na_i/(K_Na + Na_i), at every voltage.

    It cannot reverse. Not thermodynamically closed.

    **Arguments:** `maximum` [nA] of the whole cell; `K_K`, `K_Na` [mM].
    **Source:** DiFrancesco & Noble, Phil. Trans. R. Soc. Lond. B 307, 353 (1985), doi:10.1098/rstb.1985.0001.
    """
    return maximum * _saturation(bath[K][1], K_K) * _saturation(bath[Na][0], K_Na) + jnp.zeros_like(v)


def luo_rudy(
    v: Real, bath: Bath, *, maximum: Real = 1.5, K_Na: Real = 10.0, hill: Real = 1.5, K_K: Real = 1.5
) -> Float[Array, "..."]:
    """Pump current [uA/uF] of a ventricular cell, maximum f(V) / (1 + (K_Na/Na_i)^hill) K_o/(K_o + K_K).

    f is `voltage_factor`. It cannot reverse. Not thermodynamically closed.

    **Arguments:** `maximum` [uA/uF]; `K_Na`, `K_K` [mM]; `hill`.
    **Source:** Luo & Rudy, Circ. Res. 74, 1071 (1994), doi:10.1161/01.RES.74.6.1071.
    """
    return maximum * voltage_factor(v, bath) * _saturation(bath[Na][0], K_Na, hill) * _saturation(bath[K][1], K_K)


def faber_rudy(
    v: Real, bath: Bath, *, maximum: Real = 2.25, K_Na: Real = 10.0, hill: Real = 2.0, K_K: Real = 1.5
) -> Float[Array, "..."]:
    """Pump current [uA/uF] of a ventricular cell: that of `luo_rudy`, steeper in Na_i.

    It cannot reverse. Not thermodynamically closed.

    **Arguments:** as `luo_rudy`.
    **Source:** Faber & Rudy, Biophys. J. 78, 2392 (2000), doi:10.1016/S0006-3495(00)76783-X.
    """
    return luo_rudy(v, bath, maximum=maximum, K_Na=K_Na, hill=hill, K_K=K_K)


def kager(v: Real, bath: Bath, *, maximum: Real = 1.0, K_K: Real = 2.0, K_Na: Real = 10.0) -> Float[Array, "..."]:
    """Pump current of a neuron in units of its maximum, (1 + K_K/K_o)^-2 (1 + K_Na/Na_i)^-3, at every voltage.

    It cannot reverse. Not thermodynamically closed.

    **Arguments:** `maximum`: of the result, in the unit it is wanted in; `K_K`, `K_Na` [mM].
    **Source:** Kager, Wadman & Somjen, J. Neurophysiol. 84, 495 (2000), ModelDB 113446.
    """
    outside, inside = _saturation(bath[K][1], K_K), _saturation(bath[Na][0], K_Na)
    return maximum * outside**2 * inside**3 + jnp.zeros_like(v)


def cressman(
    v: Real, bath: Bath, *, maximum: Real = 1.25, Na_half: Real = 25.0, Na_width: Real = 3.0, K_half: Real = 5.5
) -> Float[Array, "..."]:
    """Turnover [mM/s] in a neuron's volume, maximum / (1 + e^((Na_half - Na_i)/Na_width)) / (1 + e^(K_half - K_o)).

    It cannot reverse, and turns without any Na or K. Not thermodynamically closed.

    **Arguments:** `maximum` [mM/s]; `Na_half`, `Na_width`, `K_half` [mM], 3.5 instead of 5.5 in Wei et al. 2014.
    **Source:** Cressman, Ullah, Ziburkus, Schiff & Barreto, J. Comput. Neurosci. 26, 159 (2009), with its erratum of
    2011, ModelDB 136773.
    """
    inside = jax.nn.sigmoid((bath[Na][0] - Na_half) / Na_width)
    return maximum * inside * jax.nn.sigmoid(bath[K][1] - K_half) + jnp.zeros_like(v)


def voltage_factor(v: Real, bath: Bath) -> Float[Array, "..."]:
    """1 / (1 + 0.1245 e^(-0.1 u) + 0.0365 sigma e^-u), u = FV/RT and sigma = (e^(Na_o/67.3 mM) - 1)/7.

    **Source:** Luo & Rudy 1994.
    """
    u = v / thermal_voltage(bath.temperature)
    sigma = jnp.expm1(bath[Na][1] / 67.3) / 7.0
    return 1.0 / (1.0 + 0.1245 * jnp.exp(-0.1 * u) + 0.0365 * sigma * jnp.exp(-u))


def _saturation(c: Float[Array, "..."], half: Real, hill: Real = 1.0) -> Float[Array, "..."]:
    """c^h / (c^h + half^h)."""
    bound = c**hill
    return bound / (bound + half**hill)
