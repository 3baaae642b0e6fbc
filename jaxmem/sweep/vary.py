"""What a sweep varies: parameters of a model, selected by lambda, and the design of their values."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..fit.select import Interval
from ..fit.target import Target, get, put, target_of
from ..params import Domain, parameters, real
from ..results import InputError
from .design import AbstractDesign, Axis, grid


@dataclasses.dataclass(frozen=True, eq=False)
class Varied:
    """A model of which some parameters differ from lane to lane; see `vary`.

    Only the varied leaves get an axis of lanes: everything else of the model is there once.
    """

    model: Any
    axes: tuple[Axis, ...]
    targets: tuple[Target, ...]
    design: AbstractDesign

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the varied parameters."""
        return tuple(axis.name for axis in self.axes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Lanes along every axis of a grid; of other designs, along the one dimension of lanes."""
        return self.design.shape(self.axes)

    @property
    def lanes(self) -> int:
        """The number of parameter sets."""
        return math.prod(self.shape)

    @property
    def own(self) -> Float[Array, " p"]:
        """The model's own values of the varied parameters."""
        return jnp.stack([jnp.asarray(x, jnp.result_type(float)) for x in get(self.model, self.targets)])

    def values(self, start: int, stop: int) -> Float[np.ndarray, "lanes p"]:
        """The parameters of the lanes from `start` to before `stop`, each in its unit."""
        return self.design.rows(self.axes, start, stop)

    def place(self, values: Any) -> Any:
        """The model with other values of the varied parameters, which may be traced."""
        return put(self.model, self.targets, values)

    def lane(self, number: int) -> Any:
        """The model of one lane: what to look at when it failed.

        **Raises** `InputError` if there is no such lane.
        """
        if not 0 <= number < self.lanes:
            raise InputError(f"Lanes are numbered from 0 to {self.lanes - 1}, but {number} was asked for.")
        return self.place(self.values(number, number + 1)[0])


Entry = tuple[Callable[[Any], Any], Any] | tuple[Callable[[Any], Any], Any, str]


def vary(model: Any, *entries: Entry, design: AbstractDesign = grid) -> Varied:
    """A model of which some parameters take many values.

    **Arguments**

    - `entries`: pairs (selection, values), such as `(lambda m: m.permeation.g, np.linspace(10.0, 50.0, 101))`, or
      (selection, `fit.between(low, high)`) for designs that place points between bounds. A selection follows attributes
      and indices to one number, which may be an element of an array. A third item names the parameter; without it, it
      is called by its way in the model. Values are in the unit of the field.
    - `design`: `grid` (every combination), `listed` (values side by side), `latin_hypercube(n, seed)` or
      `sobol(n, seed)`.

    **Raises** `InputError` for a selection that leads to no number, a parameter or name that occurs twice, and values
    that do not suit the design.
    """
    if not entries:
        raise InputError("A sweep must vary at least one parameter, but none is given; give (lambda m: m.g, values).")
    known = {entry.path: (entry.unit, entry.domain) for entry in parameters(model)}
    targets, axes = [], []
    for entry in entries:
        if not (isinstance(entry, tuple) and len(entry) in (2, 3) and callable(entry[0])):
            raise InputError(f"Each entry must be (lambda m: ..., values) or with a name, but one is {entry!r}.")
        target = target_of(entry[0])
        _check(model, target)
        targets.append(target)
        axes.append(_axis(target, known, *entry[1:]))
    names = [axis.name for axis in axes]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"Each parameter must be varied once, but {', '.join(twice)} occurs twice; name them.")
    get(model, targets)  # refuses two ways to the same number
    varied = Varied(model, tuple(axes), tuple(targets), design)
    varied.design.shape(varied.axes)  # refuses values that do not suit it
    return varied


def _check(model: Any, target: Target) -> None:
    try:
        (value,) = get(model, [target])
    except InputError:
        raise
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise InputError(f"A varied parameter is not in the model: {error}; check the selections.") from None
    if not eqx.is_inexact_array_like(value) or np.shape(value) != ():
        raise InputError(f"{target}: must be a single number, but is not; vary an element, as in `lambda m: m.x[0]`.")
    if not np.isfinite(value):
        raise InputError(f"{target}: the model's own value must be finite, but is {value}; it stands in for bad lanes.")


def _axis(target: Target, known: dict[str, tuple[str, Domain]], values: Any, name: str = "") -> Axis:
    path = str(target)
    bounded = isinstance(values, Interval)
    name = name or (values.name if bounded else "") or path.replace(" ", "")
    if not name or any(c.isspace() or c in "/\\" for c in name) or name.startswith("."):
        raise InputError(
            f"A parameter's name must have no blanks or slashes, as it names a coordinate, but is '{name}'."
        )
    while path not in known and path.endswith("]"):  # an element has the unit of its array
        path = path[: path.rindex("[")]
    unit, domain = known.get(path, ("", real))
    if bounded:
        return Axis(name, unit, domain, values)
    try:
        found = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name}: the values must be numbers, but are {type(values).__name__}.") from None
    if found.ndim != 1 or found.size == 0:
        raise InputError(f"{name}: the values must be a list of at least one number, but have shape {found.shape}.")
    return Axis(name, unit, domain, found)
