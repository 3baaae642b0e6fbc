"""Ca pumps: SERCA of the reticulum, whose lumen is the outer side, and PMCA of the membrane."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import ADP, ATP, Bath, Ca, H, Pi
from ..params import param, positive
from .ring import Ring, apparent_hydrolysis, side_by_side

Real = Float[Array, "..."] | float


class Tran(Ring):
    """SERCA in three groups of states: 2 Ca from the cytosol (inside) to the lumen (outside) per ATP.

    With T = Ca/K on each side, T_H1 = H/K_H1, T_Hi = H^2/K_Hi, T_Hs = H^2/K_Hs and T_H = H/K_H, the pH being one:
    forward kp1 ATP, kp2 T_i^2/Di, kp3 T_Hs/Ds; backward km1 T_Hi/Di, km2 ADP T_s^2 T_H/Ds, km3 Pi, where
    Di = T_i^2 (1 + T_Hi) + T_Hi (1 + T_H1) and Ds = T_s^2 T_H + T_H + T_Hs (1 + T_H).

    It can reverse. Thermodynamically closed to 0.03 kT where the membrane of the reticulum has no voltage, which it
    does not know of.

    **Arguments:** `kp...`, `km...` [1/ms], at 1 mM of what is bound from the bath; `K_Cai`, `K_Cas`, `K_H1`, `K_H`
    [mM]; `K_Hi`, `K_Hs` [mM^2]; `hydrolysis` [kT]: apparent standard free energy of ATP for the books, see `apparent`;
    by default that at 310 K and pH 7.
    **Source:** Tran, Smith, Loiselle & Crampin, Biophys. J. 96, 2029 (2009), doi:10.1016/j.bpj.2008.11.045.
    """

    kp1: Float[Array, ""] = param("1/ms", positive, default=25.9)
    kp2: Float[Array, ""] = param("1/ms", positive, default=2.54)
    kp3: Float[Array, ""] = param("1/ms", positive, default=0.0205)
    km1: Float[Array, ""] = param("1/ms", positive, default=0.002)
    km2: Float[Array, ""] = param("1/ms", positive, default=67.2)
    km3: Float[Array, ""] = param("1/ms", positive, default=0.149)
    K_Cai: Float[Array, ""] = param("mM", positive, default=0.9)
    K_Cas: Float[Array, ""] = param("mM", positive, default=2.24)
    K_H1: Float[Array, ""] = param("mM", positive, default=1.09e-5)
    K_Hi: Float[Array, ""] = param("mM", positive, default=3.54e-3)
    K_Hs: Float[Array, ""] = param("mM", positive, default=1.05e-8)
    K_H: Float[Array, ""] = param("mM", positive, default=7.24e-5)
    hydrolysis: float = eqx.field(static=True, default=-11.50)

    @property
    def states(self) -> tuple[str, ...]:
        """What is bound in each group."""
        return ("E", "E ATP", "E2P")

    @property
    def exchange(self) -> Any:
        """2 Ca from the cytosol to the lumen, ATP to ADP and phosphate; H is taken as buffered."""
        return (
            (((ATP, True), -1),),
            (((Ca, True), -2), ((Ca, False), 2), ((ADP, True), 1)),
            (((Pi, True), 1),),
        )

    @property
    def reaction(self) -> tuple[float, ...]:
        """Standard free energy [kT] of hydrolysis, written on the first step."""
        return (self.hydrolysis, 0.0, 0.0)

    def rates(self, v, bath):  # noqa: D102
        cytosol, lumen = (c / K + 0.0 * v for c, K in zip(bath[Ca], (self.K_Cai, self.K_Cas), strict=True))
        atp, adp, phosphate, h = (bath[s][0] for s in (ATP, ADP, Pi, H))
        h1, h_i, h_s, h_0 = h / self.K_H1, h**2 / self.K_Hi, h**2 / self.K_Hs, h / self.K_H
        d_i = cytosol**2 * (1.0 + h_i) + h_i * (1.0 + h1)
        d_s = lumen**2 * h_0 + h_0 + h_s * (1.0 + h_0)
        forward = side_by_side(self.kp1 * atp, self.kp2 * cytosol**2 / d_i, self.kp3 * h_s / d_s)
        backward = side_by_side(self.km1 * h_i / d_i, self.km2 * adp * lumen**2 * h_0 / d_s, self.km3 * phosphate)
        return forward, backward

    def apparent(self, bath: Bath) -> float:
        """Standard free energy of ATP hydrolysis [kT] at the inner bath's pH, for `hydrolysis`."""
        return apparent_hydrolysis(bath[H][0], bath.temperature)


def tran(v: Real, bath: Bath, **constants: Any) -> Float[Array, "..."]:
    """Turnover [1/ms] of SERCA, 2 Ca to the lumen and one ATP: `Tran(**constants).turns`, whatever the voltage.

    The cytosol is the inner bath, with Ca, ATP, ADP, Pi and H; the lumen, with Ca, the outer one. It can reverse;
    closed where there is no voltage.
    """
    return Tran(**constants).turns(v, bath)


def shannon_serca(
    v: Real,
    bath: Bath,
    *,
    maximum: Real = 286.0,
    K_Cai: Real = 2.46e-4,
    K_Cas: Real = 1.7,
    hill: Real = 1.787,
    q10: Real = 2.6,
) -> Float[Array, "..."]:
    """Ca [uM/s] of the cytosol that SERCA takes up, maximum q10^((T - 310)/10) (x - y)/(1 + x + y).

    With x = (Ca_i/K_Cai)^hill and y = (Ca_s/K_Cas)^hill, Ca_s being that of the lumen, the outer bath. It can reverse.
    Not thermodynamically closed: it stands still at one ratio of Ca, whatever ATP is worth.

    **Arguments:** `maximum` [uM/s]; `K_Cai`, `K_Cas` [mM]; `hill`; `q10`.
    **Source:** Shannon, Wang, Puglisi, Weber & Bers, Biophys. J. 87, 3351 (2004), doi:10.1529/biophysj.104.047449.
    """
    x, y = ((c / half) ** hill for c, half in zip(bath[Ca], (K_Cai, K_Cas), strict=True))
    warm = q10 ** ((bath.temperature - 310.0) / 10.0)
    return maximum * warm * (x - y) / (1.0 + x + y) + jnp.zeros_like(v)


def luo_rudy_pmca(v: Real, bath: Bath, *, maximum: Real = 1.15, K_Ca: Real = 5e-4) -> Float[Array, "..."]:
    """Current [uA/uF] of a ventricular cell's PMCA, maximum Ca_i/(K_Ca + Ca_i), outward, at every voltage.

    It cannot reverse. Not thermodynamically closed.

    **Arguments:** `maximum` [uA/uF]; `K_Ca` [mM].
    **Source:** Luo & Rudy, Circ. Res. 74, 1071 (1994), doi:10.1161/01.RES.74.6.1071.
    """
    inside = bath[Ca][0]
    return maximum * inside / (K_Ca + inside) + jnp.zeros_like(v)
