"""The glutamate transporter EAAT2 in four states."""

from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, as_bath, glu
from ..kinetics import turnover
from ..params import param, positive
from .ring import Ring, side_by_side

Real = Float[Array, "..."] | float


class Shchepakin(Ring):
    """A ring of constant rates, of which the third step has no way back.

    It cannot reverse. Not thermodynamically closed, at any concentration.

    **Arguments:** rates [1/ms] at one voltage and in one bath: `m1p` 1 -> 2 with glutamate, 0.0 without; `m1n` 2 -> 1;
    `m2p` 2 -> 3; `m2n` 3 -> 2; `m3p` 3 -> 4; `m4p` 4 -> 1; `m4n` 1 -> 4. The defaults are medians.
    **Source:** Shchepakin, Kalachev & Kavanaugh 2019, as tabulated in caljohnson/astrocyte_ion_concentrations.
    """

    m1p: Float[Array, ""] = param("1/ms", positive, default=1.15584)
    m1n: Float[Array, ""] = param("1/ms", positive, default=0.10199)
    m2p: Float[Array, ""] = param("1/ms", positive, default=0.55667)
    m2n: Float[Array, ""] = param("1/ms", positive, default=0.69734)
    m3p: Float[Array, ""] = param("1/ms", positive, default=0.42236)
    m4p: Float[Array, ""] = param("1/ms", positive, default=0.03112)
    m4n: Float[Array, ""] = param("1/ms", positive, default=0.01335)

    @property
    def states(self) -> tuple[str, ...]:
        """As numbered in the paper."""
        return ("1", "2", "3", "4")

    @property
    def exchange(self) -> Any:
        """Glutamate binds from outside in the first step and is gone inside after the third."""
        return ((((glu, False), -1),), (), (((glu, True), 1),), ())

    @property
    def reaction(self) -> None:
        """None."""
        return None

    def rates(self, v, bath):  # noqa: D102
        zero = jnp.zeros_like(v)
        forward = side_by_side(self.m1p + zero, self.m2p, self.m3p, self.m4p)
        return forward, side_by_side(self.m1n + zero, self.m2n, jnp.zeros_like(self.m3p), self.m4n)


def shchepakin(v: Real, bath: Bath, **constants: Any) -> Float[Array, "..."]:
    """Turnover [1/ms], glutamate into the cell per transporter: `Shchepakin(**constants).turns`, at every voltage.

    It cannot reverse. Not thermodynamically closed.
    """
    return Shchepakin(**constants).turns(v, bath)


def shchepakin_current(
    v: Real, bath: Bath, *, A: Real = 167.29, B: Real = 265.48, D: Real = 163.93, **constants: Any
) -> Float[Array, ""]:
    """Current in the unit of the paper's model, -A p1 - B p2 - D p4 + (A m4p + D m4n)/(m4p + m4n), zero at rest.

    It is not F times the charge that glutamate carries: a fit of the time course, without stoichiometry.
    """
    scheme = Shchepakin(**constants)
    p = turnover(scheme, v, as_bath(bath)).occupancy
    rest = (A * scheme.m4p + D * scheme.m4n) / (scheme.m4p + scheme.m4n)
    return -A * p[0] - B * p[1] - D * p[3] + rest
