"""A pore as a table: its exchange on a grid, interpolated smoothly."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from .._numerics import spline
from ..electrochemistry import Bath, Species
from ..results import InputError
from .exchange import AbstractPermeation, Exchange
from .readings import Law

Side = tuple[Species, bool]  # a species, and whether it is the concentration inside


class Tabulated(AbstractPermeation):
    """The exchange of another law from a table over voltage, and over concentrations if there are some.

    Interpolated by cubic splines in the voltage and in the logarithms of the concentrations: twice continuously
    differentiable in them, and, if the table was made inside a differentiated function, in the law's parameters.
    Outside the table everything is NaN. Made by `tabulate`.

    **Arguments:** `table`: spline coefficients of inside and outside [fmol/ms] and current [pA]; `start`, `step`: first
    point and distance of points of each axis, in mV and ln mM; `sides`: of the concentration axes; `species`: of the
    exchange.
    """

    table: Float[Array, "..."]
    start: Float[Array, " axes"]
    step: Float[Array, " axes"]
    sides: tuple[Side, ...] = eqx.field(static=True)
    species: tuple[Species, ...] = eqx.field(static=True)

    def exchange(self, v, bath):  # noqa: D102
        places = [v, *(jnp.log(bath[s][0 if inside else 1]) for s, inside in self.sides)]
        at = tuple((x - self.start[k]) / self.step[k] for k, x in enumerate(places))
        found = spline.evaluate(self.table, at)
        n = len(self.species)
        spread = lambda x: jnp.stack(
            [x[self.species.index(s)] if s in self.species else jnp.zeros_like(x[0]) for s in bath.species]
        )
        return Exchange(spread(found[:n]), spread(found[n:-1]), found[-1])


def tabulate(
    law: Law,
    v: Float[ArrayLike, " points"],
    bath: Bath,
    concentrations: Mapping[Side, Any] | None = None,
) -> Tabulated:
    """A table of a law's exchange, for use where the law itself would cost too much, such as in cells.

    Four coefficients per axis and value are read where the law solves for a steady state. The error is of fourth order
    in the distances: halve them to see it fall 16 times. Each species' flux is interpolated on its own, so that at
    equilibrium it is as large as that error.

    **Arguments**

    - `law`: a permeation, or `channel.SteadyState(mechanism)`.
    - `v` [mV]: evenly spaced, increasing, at least five.
    - `bath`: temperature and concentrations of all that is not varied; it holds every species of the law.
    - `concentrations`: for `(species, inside)` the values [mM], evenly spaced in their logarithm, at least five each,
      such as `{(K, False): np.geomspace(1.0, 30.0, 12)}`.

    **Raises:** `InputError` for a grid that is too short, not increasing or not even.
    """
    axes = {"v": np.asarray(v, float)}
    for (species, inside), values in (concentrations or {}).items():
        name = f"{species.name} {'inside' if inside else 'outside'}"
        if not np.all(np.asarray(values, float) > 0):
            raise InputError(
                f"The concentrations of {name} must be positive, as their logarithms are the table's axis."
            )
        axes[name] = np.log(np.asarray(values, float))
    for name, grid in axes.items():
        steps = np.diff(grid)
        if grid.ndim != 1 or grid.size < 5 or not np.all(steps > 0) or np.ptp(steps) > 1e-6 * steps.max():
            even = "evenly spaced" if name == "v" else "evenly spaced in their logarithm"
            raise InputError(
                f"The grid of {name} must have at least five increasing values, {even}; use np.linspace or "
                "np.geomspace."
            )
    sides = tuple(concentrations or {})
    dtype = bath.temperature.dtype

    def at(v: Float[Array, ""], *logs: Float[Array, ""]) -> Float[Array, " values"]:
        found = law.exchange(v, bath.replaced(dict(zip(sides, map(jnp.exp, logs), strict=True))))
        return jnp.concatenate([found.inside, found.outside, found.current[None]])

    run = at
    for axis in reversed(range(len(axes))):
        run = jax.vmap(run, in_axes=tuple(0 if k == axis else None for k in range(len(axes))))
    grids = [jnp.asarray(grid, dtype) for grid in axes.values()]
    table = spline.coefficients(run(*grids), len(axes))
    start = jnp.stack([grid[0] for grid in grids])
    step = jnp.stack([(grid[-1] - grid[0]) / (grid.shape[0] - 1) for grid in grids])
    return Tabulated(table, start, step, sides, bath.species)
