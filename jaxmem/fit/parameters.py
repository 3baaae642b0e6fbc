"""What a fit may change: parameters with bounds, and how their values are put into a model."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..params import parameters as model_parameters
from ..results import InputError

ROUND, ROUNDS = 64, 200  # candidates per round and rounds of the rejection of starts

Values = Float[np.ndarray, " p"]


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One number that a fit may change, in physical units.

    **Arguments**

    - `name`, `unit`: for tables.
    - `lower`, `upper`: bounds; they may be infinite if `start` is given.
    - `log`: searched as its logarithm (the bounds must be positive).
    - `value`: where the first lane starts; without it every lane's start is drawn.
    - `start`: the range (low, high) from which starts are drawn, uniformly in the value or its logarithm;
      the bounds by default.

    **Raises** `InputError` for bounds that are reversed or not positive under `log`, and for a value or
    range outside them.
    """

    name: str
    unit: str
    lower: float
    upper: float
    log: bool = False
    value: float | None = None
    start: tuple[float, float] | None = None

    def __post_init__(self):
        for field in ("lower", "upper"):
            object.__setattr__(self, field, float(getattr(self, field)))
        span = f"[{self.lower:g}, {self.upper:g}]"
        if not self.lower < self.upper:
            raise InputError(
                f"{self.name}: the lower bound must be below the upper one, but they are {span}; exchange them."
            )
        if self.log and not self.lower > 0:
            raise InputError(
                f"{self.name}: bounds of a logarithmic search must be positive, but are {span}; use `between`."
            )
        if self.value is not None and not self.lower <= self.value <= self.upper:
            raise InputError(f"{self.name}: the start {self.value:g} must lie in the bounds {span}.")
        low, high = self.start or (self.lower, self.upper)
        if not (self.lower <= low <= high <= self.upper and math.isfinite(high - low)):
            raise InputError(
                f"{self.name}: starts must be drawn from a finite range inside {span}, but it is [{low:g}, "
                f"{high:g}]; give `start`."
            )


@dataclasses.dataclass(frozen=True)
class RateLimit:
    """Limits on a rate k = values[scale] exp(at values[slope]) at the voltage where it is largest.

    The pair is searched as (ln k, slope), so the limits are a box. The scale's own bounds hold for drawn
    starts only.

    **Arguments**

    - `scale`, `slope`: indices into the parameters; the scale is logarithmic, the slope is not.
    - `at`: the voltage [mV] where the rate is largest, with the sign that the slope has in the exponent.
    - `lower`, `upper`: limits of k [1/ms].
    """

    scale: int
    slope: int
    at: float
    lower: float
    upper: float


@dataclasses.dataclass(frozen=True)
class Free:
    """Parameters, how to put their values into a model, and how the search sees them.

    Tied parameters are a `place` that uses one value twice.

    **Arguments**

    - `parameters`: in the order of the values.
    - `place`: `place(model, values) -> model`, with physical values that may be traced.
    - `limits`: joint limits on rates.
    - `read`: `read(model) -> values`, if the model holds them as they are.
    - `paths`: where the model holds each, for their units; their names by default.

    **Raises** `InputError` if there is no parameter, a name occurs twice, or a limit does not fit its pair.
    """

    parameters: tuple[Parameter, ...]
    place: Callable[[Any, Any], Any]
    limits: tuple[RateLimit, ...] = ()
    read: Callable[[Any], Any] | None = None
    paths: tuple[str, ...] = ()

    def __post_init__(self):
        object.__setattr__(self, "parameters", tuple(self.parameters))
        object.__setattr__(self, "limits", tuple(self.limits))
        names = [p.name for p in self.parameters]
        if not names:
            raise InputError("A fit must have at least one free parameter, but all are fixed; free one.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise InputError(f"Each parameter must be freed once, but {', '.join(twice)} occurs twice.")
        _refuse_products(names)
        for limit in self.limits:
            scale, slope = self.parameters[limit.scale], self.parameters[limit.slope]
            if not 0 < limit.lower < limit.upper < math.inf:
                raise InputError(
                    f"{scale.name}: limits of a rate must be positive and in order, but are "
                    f"[{limit.lower:g}, {limit.upper:g}]."
                )
            if not scale.log or slope.log:
                raise InputError(
                    f"{scale.name}, {slope.name}: a limited rate needs log_between for its factor and "
                    f"between for its slope."
                )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters."""
        return tuple(p.name for p in self.parameters)

    @property
    def box(self) -> tuple[Values, Values]:
        """Lower and upper bounds in search coordinates."""
        bounds = [np.array([_forward(getattr(p, end), p.log) for p in self.parameters]) for end in ("lower", "upper")]
        for limit in self.limits:
            bounds[0][limit.scale], bounds[1][limit.scale] = math.log(limit.lower), math.log(limit.upper)
        return bounds[0], bounds[1]

    def to_search(self, values: Any) -> Values:
        """Search coordinates of physical values (numpy, shape (..., p))."""
        values = np.asarray(values, float)
        x = np.stack([_forward(values[..., k], p.log) for k, p in enumerate(self.parameters)], -1)
        for limit in self.limits:
            x[..., limit.scale] += limit.at * values[..., limit.slope]
        return x

    def from_search(self, x: Any) -> Float[Array, " p"]:
        """Physical values at search coordinates; both shape (p,), and they may be traced."""
        x = jnp.asarray(x)
        parts = [x[k] for k in range(len(self.parameters))]
        for limit in self.limits:
            parts[limit.scale] = parts[limit.scale] - limit.at * x[limit.slope]
        return jnp.stack([jnp.exp(v) if p.log else v for v, p in zip(parts, self.parameters, strict=True)])

    def draw(self, key: Any, n: int) -> Float[np.ndarray, "n p"]:
        """Physical starts, one row per lane; row i depends on `key` and i alone.

        Each parameter is uniform in its range (in the logarithm if it is searched so); pairs outside their
        rate limits are drawn again.

        **Raises** `InputError` if the limits of a rate cannot be met.
        """
        lanes = np.arange(n)
        values = np.empty((n, len(self.parameters)))
        for turn in range(ROUNDS):
            if lanes.size == 0:
                return values
            done = []
            for lane, u in zip(lanes, np.asarray(_uniform(key, lanes, turn, len(self.parameters))), strict=True):
                row = self._first_allowed(self._ranged(u))
                if row is not None:
                    values[lane] = row
                    done.append(lane)
            lanes = np.setdiff1d(lanes, done)
        if lanes.size:
            raise InputError("No start meets the limits of the rates; widen the limits or narrow the ranges of starts.")
        return values

    def _ranged(self, u: np.ndarray) -> np.ndarray:
        ends = [p.start or (p.lower, p.upper) for p in self.parameters]
        low = np.array([_forward(a, p.log) for (a, _), p in zip(ends, self.parameters, strict=True)])
        high = np.array([_forward(b, p.log) for (_, b), p in zip(ends, self.parameters, strict=True)])
        x = low + (high - low) * u
        return np.where([p.log for p in self.parameters], np.exp(np.where([p.log for p in self.parameters], x, 0.0)), x)

    def _first_allowed(self, candidates: np.ndarray) -> np.ndarray | None:
        row = np.clip(candidates[0], [p.lower for p in self.parameters], [p.upper for p in self.parameters])
        for limit in self.limits:
            rate = np.log(candidates[:, limit.scale]) + limit.at * candidates[:, limit.slope]
            allowed = np.flatnonzero((rate >= math.log(limit.lower)) & (rate <= math.log(limit.upper)))
            if allowed.size == 0:
                return None
            for k in (limit.scale, limit.slope):
                row[k] = candidates[allowed[0], k]
        return row

    def bind(self, model: Any) -> "Free":
        """The same with units taken from the model where they are not given.

        **Raises** `InputError` if a selected parameter is not there or is not a single number.
        """
        if self.read is not None:
            try:
                leaves = self.read(model)
            except (AttributeError, IndexError, KeyError, TypeError) as error:
                raise InputError(f"A free parameter is not in the model: {error}; check the selections.") from None
            for name, leaf in zip(self.names, leaves, strict=True):
                if not eqx.is_inexact_array_like(leaf) or np.shape(leaf) != ():
                    raise InputError(
                        f"{name}: must be a single number, but is not; free an element of it, as in "
                        f"`lambda m: m.{name}[0]`, or write a Free with your own `place`."
                    )
        units = {entry.path: entry.unit for entry in model_parameters(model)}
        pairs = zip(self.parameters, self.paths or self.names, strict=True)
        named = tuple(p if p.unit else dataclasses.replace(p, unit=_unit(path, units)) for p, path in pairs)
        return dataclasses.replace(self, parameters=named)


def _unit(path: str, units: Mapping[str, str]) -> str:
    """The unit of a field, or of the array that an element belongs to."""
    while path not in units and path.endswith("]"):
        path = path[: path.rindex("[")]
    return units.get(path, "")


def _uniform(key: Any, lanes: np.ndarray, turn: int, p: int) -> Float[Array, "lanes candidates p"]:
    folded = jax.vmap(lambda i: jax.random.fold_in(jax.random.fold_in(key, i), turn))(jnp.asarray(lanes, jnp.uint32))
    return jax.vmap(lambda k: jax.random.uniform(k, (ROUND, p)))(folded)


def _forward(value: Any, log: bool) -> Any:
    return np.log(value) if log else value


_FACTORS = ("permeation.g", "permeation.permeability")


def _refuse_products(names: Sequence[str]) -> None:
    for name in names:
        if name == "number" or name.endswith(".number"):
            other = next((name[: -len("number")] + f for f in _FACTORS if name[: -len("number")] + f in names), None)
            if other:
                raise InputError(
                    f"{name} and {other} cannot both be free: the current depends on their product alone; "
                    f"fix one of them."
                )
