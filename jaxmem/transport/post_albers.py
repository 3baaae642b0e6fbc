"""The Na/K pump as a Post-Albers cycle of four groups of states, and its turnover in closed form.

Binding of Na and K is in equilibrium within a group; the steps between groups are 1 -> 2, which releases ADP, 2 -> 3,
in which Na leaves to outside, 3 -> 4, which takes up K and releases phosphate, and 4 -> 1, which takes up ATP and lets
K go inside. A turn moves 3 Na out and 2 K in.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import ADP, ATP, Bath, H, K, Na, Pi
from ..params import param, positive
from ..units import thermal_voltage
from .ring import Ring, apparent_hydrolysis, side_by_side

Real = Float[Array, "..."] | float

#: Pan et al. 2019, K in mM and rates in 1/ms, at 1 mM of what is bound.
PAN_2019 = {
    **{"K_Nai1": 579.7295, "K_Nae1": 0.0349, "K_Nai2": 5.6399, "K_Nae2": 10617.0, "K_Ki": 16795.0, "K_Ke": 1.0817},
    **{"K_ATP": 140.3709, "z_i1": -0.055, "z_i2": 0.0, "z_e1": 0.945, "z_e2": 0.0},
    **{"k1p": 1.4232, "k2p": 11.565, "k3p": 0.1944506, "k4p": 30.63},
    **{"k1m": 0.2259048, "k2m": 36.355, "k3m": 281.04, "k4m": 1574.0},
    **{"K_HPi": 10.0 ** (3.0 - 6.77), "K_KPi": 292.0, "K_NaPi": 224.0},
}
#: Terkildsen, Crampin & Smith 2007.
TERKILDSEN_2007 = {
    **{"K_Nai1": 1.2099e-8, "K_Nae1": 141.27, "K_Nai2": 154.39, "K_Nae2": 356.0, "K_Ki": 255.13, "K_Ke": 6.802},
    **{"K_ATP": 2.926, "z_i1": -0.1795, "z_i2": 0.0, "z_e1": 0.8205, "z_e2": 0.0},
    **{"k1p": 1.6641, "k2p": 0.11043, "k3p": 2.3143, "k4p": 0.4624},
    **{"k1m": 0.2641, "k2m": 0.01404, "k3m": 7600.0, "k4m": 1.7025},
    **{"K_HPi": 10.0 ** (3.0 - 6.77), "K_KPi": 292.0, "K_NaPi": 224.0},
}
#: O'Hara et al. 2011: the three Na sites are alike.
OHARA_RUDY_2011 = {
    **{"K_Nai1": 9.073, "K_Nae1": 27.78, "K_Nai2": 9.073, "K_Nae2": 27.78, "K_Ki": 0.5, "K_Ke": 0.3582},
    **{"K_ATP": 1.698e-7, "z_i1": -0.155 / 3, "z_i2": -0.155 / 3, "z_e1": 1.155 / 3, "z_e2": 1.155 / 3},
    **{"k1p": 0.9495, "k2p": 0.6872, "k3p": 1.899, "k4p": 0.639},
    **{"k1m": 0.1824, "k2m": 0.0394, "k3m": 0.0793, "k4m": 0.04},
    **{"K_HPi": 1.698e-4, "K_KPi": 292.0, "K_NaPi": 224.0},
}


def sequential(n1: Real, n2: Real, k: Real) -> Any:
    """Binding polynomial of one side where the last Na binds to a pump that has the other two."""
    return n1 * n2**2 + (1.0 + n2) ** 2 + (1.0 + k) ** 2 - 1.0


def factorized(n1: Real, n2: Real, k: Real) -> Any:
    """Binding polynomial of one side where each Na binds whether the others are there or not."""
    return (1.0 + n1) * (1.0 + n2) ** 2 + (1.0 + k) ** 2 - 1.0


class PostAlbers(Ring):
    """The pump's four groups of states; `turns(v, bath)` is its turnover [1/ms] in closed form.

    With n1 = Na/K1, n2 = Na/K2, k = K/K_K on each side (i, e), K1 = K_Na1 exp(z_1 u), K2 = K_Na2 exp(z_2 u), the
    polynomial D(n1, n2, k) of each side, a = ATP/K_ATP and P = Pi/(1 + H/K_HPi + K_i/K_KPi + Na_i/K_NaPi):

    forward  k1p n1i n2i^2/Di,  k2p,  k3p ke^2/De,  k4p a/(1 + a);
    backward k1m ADP,  k2m n1e n2e^2/De,  k3m P H/(1 + a),  k4m ki^2/Di.

    It can reverse. Whether it is closed is up to its constants: `kinetics.audit` says.

    **Arguments:** `K_...` [mM]; `z_i1`, `z_i2`, `z_e1`, `z_e2` [e0]; `k1p`, ... [1/ms], at 1 mM of what is bound from
    the bath; `polynomial`: `sequential` or `factorized`; `hydrolysis` [kT]: apparent standard free energy of ATP for
    the books, see `apparent`; by default that at 310 K, pH 7.1, 140 mM K and 10 mM Na inside.
    **Source:** Terkildsen, Crampin & Smith, Am. J. Physiol. Heart 293, H3036 (2007); Pan et al., J. Theor. Biol. 481,
    10 (2019).
    """

    K_Nai1: Float[Array, ""] = param("mM", positive)
    K_Nae1: Float[Array, ""] = param("mM", positive)
    K_Nai2: Float[Array, ""] = param("mM", positive)
    K_Nae2: Float[Array, ""] = param("mM", positive)
    K_Ki: Float[Array, ""] = param("mM", positive)
    K_Ke: Float[Array, ""] = param("mM", positive)
    K_ATP: Float[Array, ""] = param("mM", positive)
    z_i1: Float[Array, ""] = param("e0")
    z_i2: Float[Array, ""] = param("e0")
    z_e1: Float[Array, ""] = param("e0")
    z_e2: Float[Array, ""] = param("e0")
    k1p: Float[Array, ""] = param("1/ms", positive)
    k2p: Float[Array, ""] = param("1/ms", positive)
    k3p: Float[Array, ""] = param("1/ms", positive)
    k4p: Float[Array, ""] = param("1/ms", positive)
    k1m: Float[Array, ""] = param("1/ms", positive)
    k2m: Float[Array, ""] = param("1/ms", positive)
    k3m: Float[Array, ""] = param("1/ms", positive)
    k4m: Float[Array, ""] = param("1/ms", positive)
    K_HPi: Float[Array, ""] = param("mM", positive)
    K_KPi: Float[Array, ""] = param("mM", positive)
    K_NaPi: Float[Array, ""] = param("mM", positive)
    polynomial: Callable[..., Any] = eqx.field(static=True, default=sequential)
    hydrolysis: float = eqx.field(static=True, default=-12.42)

    @property
    def states(self) -> tuple[str, ...]:
        """What is bound and occluded in each group."""
        return ("E1 ATP", "E1P (Na3)", "E2P", "E2 (K2)")

    @property
    def exchange(self) -> Any:
        """3 Na from inside to outside, 2 K from outside to inside, ATP to ADP and phosphate inside."""
        return (
            (((Na, True), -3), ((ADP, True), 1)),
            (((Na, False), 3),),
            (((K, False), -2), ((Pi, True), 1)),
            (((ATP, True), -1), ((K, True), 2)),
        )

    @property
    def reaction(self) -> tuple[float, ...]:
        """Standard free energy [kT] of hydrolysis, written on the first step."""
        return (self.hydrolysis, 0.0, 0.0, 0.0)

    def rates(self, v, bath):  # noqa: D102
        u = v / thermal_voltage(bath.temperature)
        (na_i, na_e), (k_i, k_e) = bath[Na], bath[K]
        n1i, n2i = (na_i / (K * jnp.exp(z * u)) for K, z in ((self.K_Nai1, self.z_i1), (self.K_Nai2, self.z_i2)))
        n1e, n2e = (na_e / (K * jnp.exp(z * u)) for K, z in ((self.K_Nae1, self.z_e1), (self.K_Nae2, self.z_e2)))
        ki, ke = k_i / self.K_Ki, k_e / self.K_Ke
        d_i, d_e = self.polynomial(n1i, n2i, ki), self.polynomial(n1e, n2e, ke)
        atp, adp, hydrogen = (bath[s][0] for s in (ATP, ADP, H))
        bound = 1.0 + atp / self.K_ATP
        forward = side_by_side(
            self.k1p * n1i * n2i**2 / d_i, self.k2p, self.k3p * ke**2 / d_e, self.k4p * (atp / self.K_ATP) / bound
        )
        backward = side_by_side(
            self.k1m * adp,
            self.k2m * n1e * n2e**2 / d_e,
            self.k3m * self.phosphate(bath) * hydrogen / bound,
            self.k4m * ki**2 / d_i,
        )
        shape = jnp.broadcast_shapes(forward.shape, backward.shape)
        return jnp.broadcast_to(forward, shape), jnp.broadcast_to(backward, shape)

    def phosphate(self, bath: Bath) -> Float[Array, "..."]:
        """HPO4 [mM] inside, of all phosphate there."""
        return bath[Pi][0] / self._forms(bath)

    def apparent(self, bath: Bath) -> float:
        """Standard free energy of ATP hydrolysis [kT] at the inner bath's pH, K and Na, for `hydrolysis`.

        From 11.9 kJ/mol with H at 1 M, for phosphate as the sum of its forms.
        """
        return apparent_hydrolysis(bath[H][0], bath.temperature, self._forms(bath))

    def _forms(self, bath: Bath) -> Any:
        return 1.0 + bath[H][0] / self.K_HPi + bath[K][0] / self.K_KPi + bath[Na][0] / self.K_NaPi


def pan_2019(**constants: Any) -> PostAlbers:
    """The refit of Pan et al., sequential; any constant may be given another value.

    It can reverse. Closed to 0.001 kT, the rounding of its constants.

    **Source:** Pan, Gawthrop, Tran, Cursons & Crampin, J. Theor. Biol. 481, 10 (2019), arXiv:1806.04341.
    """
    return PostAlbers(**{**PAN_2019, **constants})


def terkildsen_2007(**constants: Any) -> PostAlbers:
    """The model of Terkildsen et al., factorized; any constant may be given another value.

    It can reverse. Not closed: open by 16 kT.

    **Source:** Terkildsen, Crampin & Smith, Am. J. Physiol. Heart 293, H3036 (2007), with constants of
    uomsystemsbiology/transporter_thermodynamics.
    """
    return PostAlbers(**{**TERKILDSEN_2007, **constants}, polynomial=factorized)


def ohara_rudy_2011(**constants: Any) -> PostAlbers:
    """The form of Smith and Crampin with the constants of O'Hara and Rudy; any may be given another value.

    It can reverse in principle. Not closed: driven by 22 to 30 kT where ATP leaves about 6, and by the voltage as if
    1.31 charges were moved.

    **Source:** Smith & Crampin, Prog. Biophys. Mol. Biol. 85, 387 (2004); O'Hara, Virag, Varro & Rudy, PLoS Comput.
    Biol. 7, e1002061 (2011), doi:10.1371/journal.pcbi.1002061.
    """
    return PostAlbers(**{**OHARA_RUDY_2011, **constants}, polynomial=factorized)


def pan(v: Real, bath: Bath, **constants: Any) -> Float[Array, "..."]:
    """Turnover [1/ms] of the pump of Pan et al.: `pan_2019(**constants).turns`.

    The inner bath holds Na, K, ATP (with Mg), ADP (with Mg), Pi (all phosphate) and H. It can reverse; closed.
    """
    return pan_2019(**constants).turns(v, bath)


def terkildsen(v: Real, bath: Bath, **constants: Any) -> Float[Array, "..."]:
    """Turnover [1/ms] of the pump of Terkildsen et al., with the bath of `pan`. It can reverse; not closed."""
    return terkildsen_2007(**constants).turns(v, bath)


def ohara_rudy(
    v: Real,
    bath: Bath,
    *,
    amplitude: float = 30.0,
    atp: float = 9.8,
    adp: float = 0.05,
    phosphate: float = 4.2,
    hydrogen: float = 1e-4,
    **constants: Any,
) -> Float[Array, "..."]:
    """Pump current [A/F] of the ventricular cell of O'Hara and Rudy, from Na and K of the bath. Not closed.

    **Arguments:** `amplitude` [A s/F]: 30 in endocardial cells; `atp`, `adp`, `phosphate`, `hydrogen` [mM] inside.
    """
    inner = {(ATP, True): atp, (ADP, True): adp, (Pi, True): phosphate, (H, True): hydrogen}
    return 1e3 * amplitude * ohara_rudy_2011(**constants).turns(v, bath.replaced(inner))
