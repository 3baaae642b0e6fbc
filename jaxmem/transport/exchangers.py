"""Na/Ca exchange of cell models: 3 Na in for 1 Ca out.

All three laws have the same difference of two products in their numerator, so they can reverse, and do so where
thermodynamics says: at 3 E_Na - 2 E_Ca. They are closed.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Ca, Na
from ..units import thermal_voltage

Real = Float[Array, "..."] | float


def difrancesco_noble(
    v: Real,
    bath: Bath,
    *,
    k: Real = 0.02,
    d: Real = 0.001,
    gamma: Real = 0.5,
    n: Real = 3.0,
    K_Cai: Real = 0.0069,
) -> Float[Array, "..."]:
    """Exchange current [nA] of a Purkinje cell, negative where Ca leaves.

    k (e^(gamma (n-2) u) Na_i^n Ca_o - e^((gamma-1)(n-2) u) Na_o^n Ca_i) /
    ((1 + d (Ca_i Na_o^n + Ca_o Na_i^n)) (1 + Ca_i/K_Cai)).

    It can reverse. Thermodynamically closed.

    **Arguments:** `k` [nA/mM^(n+1)]; `d` [1/mM^(n+1)]; `gamma`: position of the barrier; `n`: Na per Ca; `K_Cai` [mM].
    **Source:** DiFrancesco & Noble, Phil. Trans. R. Soc. Lond. B 307, 353 (1985), doi:10.1098/rstb.1985.0001.
    """
    u, (na_i, na_o), (ca_i, ca_o) = v / thermal_voltage(bath.temperature), bath[Na], bath[Ca]
    forth, back = na_o**n * ca_i, na_i**n * ca_o
    net = jnp.exp(gamma * (n - 2.0) * u) * back - jnp.exp((gamma - 1.0) * (n - 2.0) * u) * forth
    return k * net / ((1.0 + d * (forth + back)) * (1.0 + ca_i / K_Cai))


def luo_rudy(
    v: Real,
    bath: Bath,
    *,
    k: Real = 2000.0,
    K_Na: Real = 87.5,
    K_Ca: Real = 1.38,
    k_sat: Real = 0.1,
    eta: Real = 0.35,
) -> Float[Array, "..."]:
    """Exchange current [uA/uF] of a ventricular cell, negative where Ca leaves.

    k (e^(eta u) Na_i^3 Ca_o - e^((eta-1) u) Na_o^3 Ca_i) /
    ((K_Na^3 + Na_o^3) (K_Ca + Ca_o) (1 + k_sat e^((eta-1) u))).

    It can reverse. Thermodynamically closed.

    **Arguments:** `k` [uA/uF]; `K_Na`, `K_Ca` [mM]; `k_sat`; `eta`: position of the barrier.
    **Source:** Luo & Rudy, Circ. Res. 74, 1071 (1994), doi:10.1161/01.RES.74.6.1071.
    """
    u, na_o, ca_o = v / thermal_voltage(bath.temperature), bath[Na][1], bath[Ca][1]
    return k * _three_to_one(u, bath, k_sat, eta) / ((K_Na**3 + na_o**3) * (K_Ca + ca_o))


def shannon_weber_bers(
    v: Real,
    bath: Bath,
    *,
    maximum: Real = 9.0,
    K_Cai: Real = 3.59e-3,
    K_Cao: Real = 1.3,
    K_Nai: Real = 12.29,
    K_Nao: Real = 87.5,
    K_d: Real = 2.56e-4,
    k_sat: Real = 0.27,
    eta: Real = 0.35,
) -> Float[Array, "..."]:
    """Exchange current [uA/uF] of a ventricular cell, negative where Ca leaves.

    The difference of `luo_rudy` times maximum / (1 + (K_d/Ca_i)^3) over (1 + k_sat e^((eta-1) u)) and
    K_Cai Na_o^3 (1 + (Na_i/K_Nai)^3) + K_Nao^3 Ca_i (1 + Ca_i/K_Cai) + K_Cao Na_i^3 + Na_i^3 Ca_o + Na_o^3 Ca_i.

    It can reverse. Thermodynamically closed, and shut without Ca inside.

    **Arguments:** `maximum` [uA/uF]; `K_...` [mM]; `K_d` [mM]: of the site that activates it; `k_sat`; `eta`.
    **Source:** Weber, Ginsburg, Philipson, Shannon & Bers, J. Gen. Physiol. 117, 119 (2001); Shannon, Wang, Puglisi,
    Weber & Bers, Biophys. J. 87, 3351 (2004), doi:10.1529/biophysj.104.047449.
    """
    u, (na_i, na_o), (ca_i, ca_o) = v / thermal_voltage(bath.temperature), bath[Na], bath[Ca]
    active = ca_i**3 / (ca_i**3 + K_d**3)
    occupied = (
        K_Cai * na_o**3 * (1.0 + (na_i / K_Nai) ** 3)
        + K_Nao**3 * ca_i * (1.0 + ca_i / K_Cai)
        + K_Cao * na_i**3
        + na_i**3 * ca_o
        + na_o**3 * ca_i
    )
    return maximum * active * _three_to_one(u, bath, k_sat, eta) / occupied


def _three_to_one(u: Real, bath: Bath, k_sat: Real, eta: Real) -> Float[Array, "..."]:
    (na_i, na_o), (ca_i, ca_o) = bath[Na], bath[Ca]
    back = jnp.exp((eta - 1.0) * u)
    return (jnp.exp(eta * u) * na_i**3 * ca_o - back * na_o**3 * ca_i) / (1.0 + k_sat * back)
