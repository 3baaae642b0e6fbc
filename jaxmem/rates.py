"""Rate laws k(v, bath) [1/ms], elementwise in the voltage.

A law is a module whose call returns a rate; laws are what the edges of a state graph and the gates of a
Hodgkin-Huxley channel are made of. `Scaled` and `Q10` wrap another law.
"""

import abc
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ._numerics.bernoulli import bernoulli
from .electrochemistry import Bath, Species
from .params import as_array, param, positive, real
from .units import KB, H, thermal_voltage


def attempt_rate(temperature: Float[ArrayLike, "*shape"]) -> Float[Array, "*shape"]:
    """kB T/h [1/ms]: 6.21e9 per ms at 298.15 K.

    **Source:** Eyring, J. Chem. Phys. 3, 107 (1935).
    """
    return jnp.asarray(1e-3 * KB / H * temperature)


class AbstractRate(eqx.Module):
    """A rate law."""

    @abc.abstractmethod
    def __call__(self, v: Float[Array, "..."], bath: Bath) -> Float[Array, "..."]:
        """The rate [1/ms] at voltage v [mV]."""

    def charge(self, bath: Bath) -> Float[Array, ""] | None:
        """Charge [e0] that this law carries to its transition state, d ln k / d(FV/RT); None if it depends on V."""
        return None


class Constant(AbstractRate):
    """k = k0."""

    k: Float[Array, ""] = param("1/ms", positive)

    def __call__(self, v, bath):  # noqa: D102
        return self.k + jnp.zeros_like(v)

    def charge(self, bath):  # noqa: D102
        return jnp.zeros_like(self.k)


class Exponential(AbstractRate):
    """k = a exp(b V)."""

    a: Float[Array, ""] = param("1/ms", positive)
    b: Float[Array, ""] = param("1/mV")

    def __call__(self, v, bath):  # noqa: D102
        return self.a * jnp.exp(self.b * v)

    def charge(self, bath):  # noqa: D102
        return self.b * thermal_voltage(bath.temperature)


class Linoid(AbstractRate):
    """k = a x / (1 - exp(-x)), x = (V - v0) / s: a linear rise that is smooth through v0, where k = a.

    Hodgkin and Huxley's 0.01 (10 - v) / (exp((10 - v)/10) - 1) is `Linoid(a=0.1, v0=10, s=10)`.

    **Source:** Hodgkin & Huxley 1952, eq. 12 and 20.
    """

    a: Float[Array, ""] = param("1/ms", positive)
    v0: Float[Array, ""] = param("mV")
    s: Float[Array, ""] = param("mV")

    def __call__(self, v, bath):  # noqa: D102
        return self.a * bernoulli((self.v0 - v) / self.s)


class Sigmoid(AbstractRate):
    """k = a / (1 + exp(-(V - v0) / s)).

    **Source:** Hodgkin & Huxley 1952, eq. 24 (beta_h).
    """

    a: Float[Array, ""] = param("1/ms", positive)
    v0: Float[Array, ""] = param("mV")
    s: Float[Array, ""] = param("mV")

    def __call__(self, v, bath):  # noqa: D102
        # The logistic function keeps its relative accuracy in the lower tail and has a finite slope at every x.
        return self.a * jax.nn.sigmoid((v - self.v0) / self.s)


class Eyring(AbstractRate):
    """k = k0 exp(z F V / RT): a barrier at whose top the charge z [e0] has moved through the field.

    **Source:** Eyring 1935; Hille 2001, chapter 10.
    """

    k0: Float[Array, ""] = param("1/ms", positive)
    z: Float[Array, ""] = param("e0")

    def __call__(self, v, bath):  # noqa: D102
        return self.k0 * jnp.exp(self.z * v / thermal_voltage(bath.temperature))

    def charge(self, bath):  # noqa: D102
        return self.z

    @classmethod
    def barrier(cls, height: float, z: float, temperature: float, transmission: float = 1.0) -> "Eyring":
        """The law of a barrier of `height` [kT] at V = 0: k0 = transmission (kB T / h) exp(-height)."""
        attempts = transmission * attempt_rate(temperature)
        return cls(attempts * jnp.exp(-jnp.asarray(height, jnp.result_type(float))), z)


class Binding(AbstractRate):
    """k = k c: a second-order rate times the concentration of `species` on one side of the membrane.

    **Arguments:** `k` [1/(mM ms)], `species`, `inside`: True for the inner bath, False for the outer.
    """

    k: Float[Array, ""] = param("1/(mM ms)", positive)
    species: Species = eqx.field(static=True)
    inside: bool = eqx.field(static=True)

    def __call__(self, v, bath):  # noqa: D102
        inside, outside = bath[self.species]
        return self.k * (inside if self.inside else outside) + jnp.zeros_like(v)

    def charge(self, bath):  # noqa: D102
        return jnp.zeros_like(self.k)


class MassAction(AbstractRate):
    """k = k0 prod c^n: a rate times what binds at once, such as `MassAction(k, outside={Na: 2})`.

    **Arguments:** `k` [1/ms]: where every concentration is 1 mM; `inside`, `outside`: particles from either side.
    """

    k: Float[Array, ""] = param("1/ms", positive)
    inside: tuple[tuple[Species, int], ...] = eqx.field(static=True)
    outside: tuple[tuple[Species, int], ...] = eqx.field(static=True)

    def __init__(
        self, k: Any, *, inside: Mapping[Species, int] | None = None, outside: Mapping[Species, int] | None = None
    ):
        """See the class."""
        self.k = as_array(k)
        self.inside, self.outside = (tuple((side or {}).items()) for side in (inside, outside))

    def __call__(self, v, bath):  # noqa: D102
        k = self.k + jnp.zeros_like(v)
        for side, bound in enumerate((self.inside, self.outside)):
            for species, count in bound:
                k = k * bath[species][side] ** count
        return k

    def charge(self, bath):  # noqa: D102
        return jnp.zeros_like(self.k)


class Charged(AbstractRate):
    """k = exp(z F V / RT) times another law: on the way to the top of the barrier the charge z moves outward.

    Binding in the field, `Charged(Binding(k, Ca, inside=False), -2 * delta)`: what binds from outside at the electrical
    distance delta moves inward.

    **Arguments:** `z` [e0].
    **Source:** Woodhull, J. Gen. Physiol. 61, 687 (1973).
    """

    rate: AbstractRate
    z: Float[Array, ""] = param("e0")

    def __call__(self, v, bath):  # noqa: D102
        return jnp.exp(self.z * v / thermal_voltage(bath.temperature)) * self.rate(v, bath)

    def charge(self, bath):  # noqa: D102
        inner = self.rate.charge(bath)
        return None if inner is None else inner + self.z


class Scaled(AbstractRate):
    """k = factor times another law: allosteric factors, statistical factors such as 4, 3, 2, 1."""

    rate: AbstractRate
    factor: Float[Array, ""] = param("", positive)

    def __call__(self, v, bath):  # noqa: D102
        return self.factor * self.rate(v, bath)

    def charge(self, bath):  # noqa: D102
        return self.rate.charge(bath)


class Q10(AbstractRate):
    """k = q10^((T - reference)/10 K) times another law.

    **Arguments:** `q10`: factor per 10 K; `reference` [K]: the temperature at which `rate` holds.
    """

    rate: AbstractRate
    q10: Float[Array, ""] = param("", positive)
    reference: Float[Array, ""] = param("K", positive)

    def __call__(self, v, bath):  # noqa: D102
        return self.q10 ** ((bath.temperature - self.reference) / 10.0) * self.rate(v, bath)

    def charge(self, bath):  # noqa: D102
        return self.rate.charge(bath)


class Arrhenius(AbstractRate):
    """k = exp(e (1 - reference/T)) times another law.

    **Arguments:** `e`: activation energy [kT at the reference]; `reference` [K]: where `rate` holds.
    """

    rate: AbstractRate
    e: Float[Array, ""] = param("kT", real)
    reference: Float[Array, ""] = param("K", positive)

    def __call__(self, v, bath):  # noqa: D102
        return jnp.exp(self.e * (1.0 - self.reference / bath.temperature)) * self.rate(v, bath)

    def charge(self, bath):  # noqa: D102
        return self.rate.charge(bath)
