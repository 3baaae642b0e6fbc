"""Mixtures of two ions at a constant sum of concentrations, and the current that is smallest among them."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._numerics.root import root
from ..electrochemistry import Bath, Species
from .readings import Law, conditions

#: Where a minimum is looked for before it is refined: mole fractions, close together near the pure solutions.
FRACTIONS = tuple(float(x) for x in 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, 65)))


def mixture(
    bath: Bath,
    pair: tuple[Species, Species],
    fraction: Float[ArrayLike, ""],
    total: Float[ArrayLike, ""],
    *,
    inside: bool = False,
) -> Bath:
    """The bath with a mixture of two ions on one side, of which `fraction` is the first.

    **Arguments:** `total` [mM]: the sum of both; `inside`: which side; outside by default. The other side stays.
    """
    dtype = bath.temperature.dtype
    x, total = jnp.asarray(fraction, dtype), jnp.asarray(total, dtype)
    return bath.replaced({(pair[0], inside): x * total, (pair[1], inside): (1.0 - x) * total})


def smallest(
    magnitude: Callable[[Float[Array, ""]], Float[Array, ""]], grid: Float[ArrayLike, " points"]
) -> Float[Array, ""]:
    """Where a smooth function is smallest between the ends of an increasing grid.

    The smallest value of the grid is refined by the zero of the derivative between its neighbors; at an end of the
    grid, or where there is none, it is the grid's. Differentiable by what the function depends on.
    """
    grid = jnp.asarray(grid)
    k = jnp.argmin(jax.vmap(magnitude)(grid))
    low, high = grid[jnp.maximum(k - 1, 0)], grid[jnp.minimum(k + 1, grid.shape[0] - 1)]
    slope = lambda x: jax.jvp(magnitude, (x,), (jnp.ones_like(x),))[1]
    refined = root(slope, low, high)
    return jnp.where(jnp.isnan(refined), grid[k], refined)


class MoleFractionMinimum(eqx.Module):
    """Where the current of a mixture is smallest.

    **Arguments:** `fraction`: mole fraction of the first ion there; `current` [pA]: of the mixture there; `first`,
    `second` [pA]: of the pure solutions.
    """

    fraction: Float[Array, ""]
    current: Float[Array, ""]
    first: Float[Array, ""]
    second: Float[Array, ""]

    @property
    def depth(self) -> Float[Array, ""]:
        """By how much the smallest current is less than the mean of the pure currents in the mixture's proportion."""
        return 1.0 - self.current / (self.fraction * self.first + (1.0 - self.fraction) * self.second)

    @property
    def over_first(self) -> Float[Array, ""]:
        """The smallest current relative to that of the first ion alone; the effect is anomalous below one for both."""
        return self.current / self.first

    @property
    def over_second(self) -> Float[Array, ""]:
        """The smallest current relative to that of the second ion alone."""
        return self.current / self.second


def mole_fraction_minimum(
    law: Law,
    v: Float[ArrayLike, ""],
    bath: Bath,
    pair: tuple[Species, Species],
    total: Float[ArrayLike, ""],
    *,
    inside: bool = False,
) -> MoleFractionMinimum:
    """The mixture of two ions that carries the least current, at a constant sum of concentrations.

    **Arguments:** as `mixture`; `v` [mV].
    **Source:** Hess & Tsien, Nature 309, 453 (1984); Almers & McCleskey, J. Physiol. 353, 585 (1984).
    """
    bath = conditions(law, bath)
    as_array = lambda x: jnp.asarray(x, bath.temperature.dtype)
    return _minimum(law, as_array(v), bath, pair, as_array(total), inside)


@eqx.filter_jit
def _minimum(law: Law, v: Array, bath: Bath, pair: tuple[Species, Species], total: Array, inside: bool):
    at = lambda x: law.exchange(v, mixture(bath, pair, x, total, inside=inside)).current
    fraction = smallest(lambda x: jnp.abs(at(x)), jnp.asarray(FRACTIONS, v.dtype))
    return MoleFractionMinimum(fraction, at(fraction), at(jnp.ones_like(v)), at(jnp.zeros_like(v)))
