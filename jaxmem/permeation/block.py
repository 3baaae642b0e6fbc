"""Block: an ion or drug that sits in the pore and lets nothing pass."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import Bath, Species
from ..kinetics import AbstractScheme, Scheme, scheme, turnover
from ..rates import Binding, Charged, Constant
from .exchange import AbstractPermeation


class Blocked(AbstractPermeation):
    """An open pore that conducts in some states of a graph only, whose steady state is reached at once.

    Fast block: each opening shows its mean. A block as slow as the gating belongs to the gating's own graph, with the
    same edges (`gating.Markov`).

    **Arguments:** `open`: what the pore carries while it conducts; `scheme`: of the block; `conducting`: the states
    that conduct.
    **Raises:** `ValueError` if a conducting state is not in the scheme, or none is named.
    **Source:** Woodhull, J. Gen. Physiol. 61, 687 (1973).
    """

    open: AbstractPermeation
    scheme: AbstractScheme
    conducting: tuple[str, ...] = eqx.field(static=True)

    def __check_init__(self):
        for name in self.conducting:
            if name not in self.scheme.states:
                raise ValueError(
                    f"Argument `conducting` must name states of the scheme, but names '{name}'; states are "
                    f"{', '.join(self.scheme.states)}."
                )
        if not self.conducting:
            raise ValueError(f"At least one state must conduct; states are {', '.join(self.scheme.states)}.")

    def unblocked(self, v: Float[ArrayLike, ""], bath: Bath) -> Float[Array, ""]:
        """Probability that the pore is not blocked at v [mV]."""
        p = turnover(self.scheme, v, bath).occupancy
        return sum((p[self.scheme.states.index(name)] for name in self.conducting), start=jnp.zeros_like(p[0]))

    def check(self, bath):  # noqa: D102
        self.open.check(bath)

    def exchange(self, v, bath):  # noqa: D102
        return self.open.exchange(v, bath).scaled(self.unblocked(v, bath))


def woodhull(
    blocker: Species,
    k_on: Float[ArrayLike, ""],
    k_off: Float[ArrayLike, ""],
    delta: float,
    *,
    inside: bool = False,
    escape: Float[ArrayLike, ""] | None = None,
) -> Scheme:
    """The graph of one blocker at one site in the field: states `free` and `blocked`.

    A blocker from outside that does not pass: the free share is 1/(1 + c/K), K = (k_off/k_on) exp(z delta V F/RT). Half
    of the voltage dependence is in each rate. One that `escape`s to the other side is a permeant blocker: strong
    voltages drive it through, and relieve the block if its site is nearer to where it came from.

    **Arguments:** `blocker`; `k_on` [1/(mM ms)], `k_off` [1/ms]: at 0 mV; `delta`: electrical distance of the site from
    outside; `inside`: whether the blocker comes from inside; `escape` [1/ms]: rate to the other side at 0 mV; it comes
    back from there with the rate that detailed balance says.
    **Raises:** `ValueError` for a distance that is not between 0 and 1.
    **Source:** Woodhull, J. Gen. Physiol. 61, 687 (1973), eq. 4.
    """
    if not 0.0 <= delta <= 1.0:
        raise ValueError(f"Argument `delta` must be between 0 and 1, but is {delta:g}.")

    def side(inner: bool, on, off):
        charge = 0.5 * blocker.z * (1.0 - delta if inner else -delta)  # moved outward by a blocker that binds
        return Charged(Binding(on, blocker, inner), charge), Charged(Constant(off), -charge)

    edges = {("free", "blocked"): side(inside, k_on, k_off)}
    exchange = {("free", "blocked"): {(blocker, inside): -1}}
    if escape is not None:
        back, leave = side(not inside, jnp.asarray(escape) * (jnp.asarray(k_on) / jnp.asarray(k_off)), escape)
        edges["blocked", "free"] = (leave, back)
        exchange["blocked", "free"] = {(blocker, not inside): 1}
    return scheme(edges, exchange=exchange)
