"""The BK channel: opening, four voltage sensors and four calcium sites, each helping the others.

**Source:** Horrigan FT, Aldrich RW. Coupling between voltage sensor activation, Ca2+ binding and channel
opening in large conductance (BK) potassium channels. J Gen Physiol 120:267-305 (2002),
doi:10.1085/jgp.20028605.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Ca, as_bath
from ..units import thermal_voltage


def open_probability(
    v: Float[Array, "..."],
    calcium: Float[Array, "..."],
    bath: Bath | float,
    *,
    l0: float = 9.8e-7,
    z_l: float = 0.3,
    v_half: float = 150.0,
    z_j: float = 0.58,
    kd: float = 0.011,
    c: float = 8.0,
    d: float = 25.0,
    e: float = 2.4,
) -> Float[Array, "..."]:
    """Steady open probability, elementwise: L (1 + K C + J D + J K C D E)^4 against (1 + J + K + J K E)^4.

    L = l0 exp(z_l V F/RT), J = exp(z_j (V - v_half) F/RT), K = calcium/kd. With no calcium and hyperpolarized
    it falls to l0 exp(z_l V F/RT), about 1e-6: the published floor.

    **Arguments:** `v` [mV]; `calcium` [mM] inside; `bath` (or a temperature [K]); `l0`: open to closed with
    nothing bound at 0 mV; `z_l`, `z_j` [e0]; `v_half` [mV]: sensors of a closed channel; `kd` [mM]: sites of
    a closed channel; `c`, `d`, `e`: how much a bound site helps opening, an active sensor helps opening, and
    a bound site helps its sensor.
    """
    kt = thermal_voltage(as_bath(bath).temperature)
    j = jnp.exp(z_j * (v - v_half) / kt)
    k = calcium / kd
    ln_open = jnp.log(l0) + z_l * v / kt + 4.0 * jnp.log(1.0 + k * c + j * d + j * k * (c * d * e))
    return jax.nn.sigmoid(ln_open - 4.0 * jnp.log(1.0 + j + k + j * k * e))


def steady(v: Float[Array, "..."], bath: Bath, **parameters: float) -> Float[Array, "..."]:
    """`open_probability` with the calcium of the inner bath."""
    return open_probability(v, bath.inside[Ca], bath, **parameters)
