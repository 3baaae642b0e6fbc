"""The Na/H exchanger NHE3, which carries Na, H or NH4."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import NH4, Bath, H, Na, Species, as_bath
from ..kinetics import AbstractScheme
from ..params import param, positive
from .ring import side_by_side

Real = Float[Array, "..."] | float


class Weinstein(AbstractScheme):
    """A site that faces one side or the other and crosses only if loaded; binding is in equilibrium.

    With alpha = Na/K_Na, beta = H/K_H and gamma = NH4/K_NH4 on each side, the site crosses with Na at the rate
    P_Na alpha/(1 + alpha + beta + gamma) of the side that it faces, and with the others likewise. H inside makes all
    three faster, by (f_H H_i + f_0 K_I)/(H_i + K_I).

    It can reverse. Thermodynamically closed, whatever its constants, and electroneutral.

    **Arguments:** `P_...` [1/ms]; `K_...` [mM]; `f_H`, `f_0`.
    **Source:** Weinstein, J. Gen. Physiol. 105, 617 (1995), doi:10.1085/jgp.105.5.617.
    """

    P_Na: Float[Array, ""] = param("1/ms", positive, default=8.0)
    P_H: Float[Array, ""] = param("1/ms", positive, default=2.4)
    P_NH4: Float[Array, ""] = param("1/ms", positive, default=8.0)
    K_Na: Float[Array, ""] = param("mM", positive, default=30.0)
    K_H: Float[Array, ""] = param("mM", positive, default=7.2e-5)
    K_NH4: Float[Array, ""] = param("mM", positive, default=27.0)
    K_I: Float[Array, ""] = param("mM", positive, default=1e-3)
    f_H: Float[Array, ""] = param("", positive, default=2.0)
    f_0: Float[Array, ""] = param("", positive, default=0.0)

    @property
    def states(self) -> tuple[str, ...]:
        """The sides that the site faces."""
        return ("facing outside", "facing inside")

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Inward with each of the ions."""
        return ((0, 1),) * 3

    @property
    def exchange(self) -> Any:
        """One ion each."""
        return tuple((((s, False), -1), ((s, True), 1)) for s in (Na, H, NH4))

    @property
    def reaction(self) -> None:
        """None."""
        return None

    def charges(self, bath):  # noqa: D102
        return jnp.zeros((3,), self.P_Na.dtype)

    def rates(self, v, bath):  # noqa: D102
        crossing = ((Na, self.P_Na, self.K_Na), (H, self.P_H, self.K_H), (NH4, self.P_NH4, self.K_NH4))
        hydrogen = bath[H][0]
        faster = (self.f_H * hydrogen + self.f_0 * self.K_I) / (hydrogen + self.K_I)
        bound = [[c / K + 0.0 * v for c in bath[s]] for s, _, K in crossing]
        forms = [1.0 + bound[0][side] + bound[1][side] + bound[2][side] for side in (0, 1)]
        inward, outward = (
            side_by_side(*(faster * P * x[side] / forms[side] for (_, P, _), x in zip(crossing, bound, strict=True)))
            for side in (1, 0)
        )
        return inward, outward


def weinstein(v: Real, bath: Bath, **constants: Any) -> dict[Species, Float[Array, "..."]]:
    """Na, H and NH4 into the cell per exchanger [1/ms], the sum of which is zero, whatever the voltage.

    It can reverse. Thermodynamically closed and electroneutral.

    **Arguments:** `constants`: those of `Weinstein`.
    """
    bath = as_bath(bath)
    scheme = Weinstein(**constants)
    inward, outward = scheme.rates(jnp.asarray(v, bath.temperature.dtype), bath)
    # Each pair of ions is exchanged for one another; the differences of products are exact where both gradients are.
    pairs = inward[..., :, None] * outward[..., None, :] - outward[..., :, None] * inward[..., None, :]
    net = jnp.sum(pairs, -1) / (jnp.sum(inward, -1) + jnp.sum(outward, -1))[..., None]
    return {s: net[..., k] for k, s in enumerate((Na, H, NH4))}
