"""GLUT, a carrier that takes glucose across on its own."""

from typing import Any

from jaxtyping import Array, Float

from ..electrochemistry import Bath, glc
from ..params import param, positive
from .ring import Ring, side_by_side

Real = Float[Array, "..."] | float


class GlucoseCarrier(Ring):
    """A binding site that faces one side or the other, with glucose or without; binding is in equilibrium.

    With g = glc/K_s on each side: loaded outward k23 g_i/(1 + g_i), inward k32 g_o/(1 + g_o); empty inward
    k41/(1 + g_o), outward k14/(1 + g_i).

    It can reverse. Thermodynamically closed if k23 k41 = k32 k14, as with the defaults.

    **Arguments:** `k23`, `k32`, `k41`, `k14` [1/ms]; `K_s` [mM].
    **Source:** Lowe & Walmsley, Biochim. Biophys. Acta 857, 146 (1986) (GLUT1), as used for GLUT2 of enterocytes in
    nickerso/glucose-uptake-in-enterocyte.
    """

    k23: Float[Array, ""] = param("1/ms", positive, default=1.35)
    k32: Float[Array, ""] = param("1/ms", positive, default=0.09)
    k41: Float[Array, ""] = param("1/ms", positive, default=0.0008)
    k14: Float[Array, ""] = param("1/ms", positive, default=0.012)
    K_s: Float[Array, ""] = param("mM", positive, default=12.6)

    @property
    def states(self) -> tuple[str, ...]:
        """The sides that the site faces."""
        return ("facing inside", "facing outside")

    @property
    def exchange(self) -> Any:
        """The loaded site carries glucose outward; the empty one returns."""
        return ((((glc, True), -1), ((glc, False), 1)), ())

    @property
    def reaction(self) -> None:
        """None."""
        return None

    def rates(self, v, bath):  # noqa: D102
        inside, outside = (c / self.K_s + 0.0 * v for c in bath[glc])
        forward = side_by_side(self.k23 * inside / (1.0 + inside), self.k41 / (1.0 + outside))
        backward = side_by_side(self.k32 * outside / (1.0 + outside), self.k14 / (1.0 + inside))
        return forward, backward


def lowe_walmsley(v: Real, bath: Bath, **constants: Any) -> Float[Array, "..."]:
    """Glucose out of the cell per carrier [1/ms]: `GlucoseCarrier(**constants).turns`. It can reverse; closed.

    (k23 k41 g_i - k32 k14 g_o) / ((1 + g_i)(k32 g_o + k41) + (1 + g_o)(k23 g_i + k14)), whatever the voltage.
    """
    return GlucoseCarrier(**constants).turns(v, bath)
