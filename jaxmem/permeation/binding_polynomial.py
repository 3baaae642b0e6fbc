"""A pore in equilibrium with the solution at one mouth: the binding polynomial of its occupancies."""

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species
from ..params import as_array, param, positive
from .exchange import PER_PARTICLE, AbstractPermeation, carried

Occupancy = tuple[tuple[Species, int], ...]


class BindingPolynomial(AbstractPermeation):
    """A pore whose occupancies are in equilibrium with one bath, and each of which passes ions on at a rate of its own.

    An occupancy with n_s ions of species s has the weight w = K prod c_s^n_s, and the probability w/(1 + sum w): the
    empty pore weighs 1, and the denominator is the binding polynomial. In each, ions cross to the other side at a rate,
    of each species in proportion to its share of the ions there. Nothing comes back, so it describes strong driving
    forces; a `BarrierPore` describes the rest. A mixed occupancy that binds tightly and passes nothing on is a trap:
    the current of a mixture is then less than that of either pure solution, the anomalous mole-fraction effect.

    **Arguments**

    - `occupancies`: mappings from species to their numbers of ions, `({Ca: 1}, {Ca: 2}, {Ca: 1, Ba: 1})`.
    - `constant` [1/mM^n]: K of each occupancy; statistical factors included.
    - `rate` [1/ms]: translocations of each occupancy.
    - `inside`: whether the pore is filled from inside; from outside by default.

    **Raises:** `ValueError` for an empty or repeated occupancy, or a number of constants or rates that is another.
    **Source:** Wyman 1948 (binding polynomial); Almers & McCleskey, J. Physiol. 353, 585 (1984) (two ions in a Ca
    channel).
    """

    constant: Float[Array, " occupancies"] = param("", positive)
    rate: Float[Array, " occupancies"] = param("1/ms", positive)
    occupancies: tuple[Occupancy, ...] = eqx.field(static=True)
    inside: bool = eqx.field(static=True)

    def __init__(self, occupancies: Sequence[Mapping[Species, int]], constant, rate, *, inside: bool = False):
        self.occupancies = tuple(
            tuple(sorted(((s, int(n)) for s, n in table.items() if n), key=lambda pair: pair[0].name))
            for table in occupancies
        )
        self.constant, self.rate, self.inside = as_array(constant), as_array(rate), inside
        if len(set(self.occupancies)) != len(self.occupancies) or () in self.occupancies:
            raise ValueError(
                "Argument `occupancies` must name each occupancy once, with at least one ion; the empty pore weighs 1."
            )
        for name, values in (("constant", self.constant), ("rate", self.rate)):
            if values.shape[-1:] != (len(self.occupancies),):
                raise ValueError(
                    f"Argument `{name}` must have one value for each of {len(self.occupancies)} occupancies, but has "
                    f"shape {values.shape}."
                )

    @property
    def species(self) -> tuple[Species, ...]:
        """Every species that enters, in the order of the occupancies."""
        return tuple(dict.fromkeys(s for occupancy in self.occupancies for s, _ in occupancy))

    def polynomial(self, bath: Bath) -> Float[Array, ""]:
        """The binding polynomial 1 + sum K prod c^n; its derivative d ln/d ln c_s is the mean number of ions s."""
        return 1.0 + jnp.sum(self._weights(bath))

    def occupancy(self, bath: Bath) -> Float[Array, " occupancies"]:
        """Probability of each occupancy; what is missing to one is that of the empty pore."""
        return self._weights(bath) / self.polynomial(bath)

    def exchange(self, v, bath):  # noqa: D102
        turned = PER_PARTICLE * self.occupancy(bath) * self.rate
        share = np.zeros((len(self.species), len(self.occupancies)))
        for k, occupancy in enumerate(self.occupancies):
            for s, n in occupancy:
                share[self.species.index(s), k] = n / sum(count for _, count in occupancy)
        out = jnp.sum(jnp.asarray(share, turned.dtype) * turned[None, :], 1) * (1.0 if self.inside else -1.0)
        return carried({s: out[k] for k, s in enumerate(self.species)}, bath)

    def _weights(self, bath: Bath) -> Float[Array, " occupancies"]:
        side = 0 if self.inside else 1
        products = [jnp.prod(jnp.stack([bath[s][side] ** n for s, n in occupancy])) for occupancy in self.occupancies]
        return self.constant * jnp.stack(products)


def two_site_saturation(
    c: Float[Array, "..."], a: Float[Array, ""], b: Float[Array, ""], maximum: Float[Array, ""]
) -> Float[Array, "..."]:
    """Current of a pore that passes ions on when it holds two: I = Imax a b c^2/(1 + a c + a b c^2).

    It rises with the square of a low concentration, and is half of its maximum at c = (a + sqrt(a^2 + 4 a b))/(2 a b).
    It is the limit of a two-site `BarrierPore` or graph whose binding is much faster than its translocation.

    **Arguments:** `c` [mM]; `a`, `b` [1/mM]: association constants of the first and the second ion; `maximum`: Imax, in
    the unit of the result.
    """
    first, second = a * c, a * b * c**2
    return maximum * second / (1.0 + first + second)


def one_site_saturation(
    c: Float[Array, "..."], half: Float[Array, ""], maximum: Float[Array, ""]
) -> Float[Array, "..."]:
    """Current of a one-site pore, the Michaelis form I = Imax c/(K + c).

    **Arguments:** `c` [mM]; `half` K [mM]: where the current is half of `maximum`.
    """
    return maximum * c / (half + c)
