"""How much of an ion crosses an edge between two nodes: flux laws, which are arguments of the solvers."""

from jaxtyping import Array, Float

from .._numerics.bernoulli import bernoulli_pair


def scharfetter_gummel(
    conductance: Float[Array, "*edges"],
    rise: Float[Array, "*edges"],
    left: Float[Array, "*edges"],
    right: Float[Array, "*edges"],
) -> Float[Array, "*edges"]:
    """The flux from left to right, g (B(x) c_left - B(-x) c_right), with B(x) = x/(e^x - 1).

    It is the exact flux where the field is constant along the edge, so that it never makes a concentration negative,
    and gives the constant-field (GHK) current on any mesh.

    **Arguments:** `conductance`: diffusivity times area over length; `rise`: energy [kT] that an ion gains from left to
    right, z dpsi + dw; `left`, `right`: concentrations [mM].

    **Source:** Scharfetter & Gummel, IEEE Trans. Electron Devices 16, 64 (1969).
    """
    down, up = bernoulli_pair(rise)
    return conductance * (down * left - up * right)


def centered(
    conductance: Float[Array, "*edges"],
    rise: Float[Array, "*edges"],
    left: Float[Array, "*edges"],
    right: Float[Array, "*edges"],
) -> Float[Array, "*edges"]:
    """The flux from centered differences, g ((1 - x/2) c_left - (1 + x/2) c_right); arguments as `scharfetter_gummel`.

    Of second order like that, but concentrations can become negative where the potential changes by more than 2 kT
    along an edge. It is here to compare with.
    """
    return conductance * ((1.0 - 0.5 * rise) * left - (1.0 + 0.5 * rise) * right)
