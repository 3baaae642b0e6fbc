"""Which parameter sets a sweep visits: a grid, lists side by side, Latin hypercubes, Sobol points.

A design is a rule, not a table: it gives the rows that a chunk asks for, so that a grid of a million points is as small
as its axes.
"""

import abc
import dataclasses
import functools
import math
import warnings
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import qmc

from ..fit.select import Interval
from ..params import Domain
from ..results import InputError

MOST_SOBOL = 2**30  # points of a Sobol sequence of 30 bits


@dataclasses.dataclass(frozen=True, eq=False)
class Axis:
    """One parameter that a sweep varies.

    **Arguments** `name`, `unit`: of its coordinate; `domain`: the values that it may naturally take; `values`: those to
    visit, or bounds between which a design places its points.
    """

    name: str
    unit: str
    domain: Domain
    values: Float[np.ndarray, " n"] | Interval

    @property
    def listed(self) -> Float[np.ndarray, " n"]:
        """The values to visit.

        **Raises** `InputError` if there are bounds instead.
        """
        if isinstance(self.values, Interval):
            raise InputError(
                f"{self.name}: a grid or a list needs values, but has bounds; give np.linspace(...) or "
                "np.geomspace(...), or design=sobol(n)."
            )
        return self.values

    @property
    def bounds(self) -> Interval:
        """The bounds of its points.

        **Raises** `InputError` if there are values instead, or the bounds are no finite range.
        """
        found = self.values
        if not isinstance(found, Interval):
            raise InputError(
                f"{self.name}: a sampled design needs bounds, but has values; give between(...) or log_between(...)."
            )
        if not (found.lower < found.upper and math.isfinite(found.upper - found.lower)):
            raise InputError(f"{self.name}: bounds must be finite and in order, but are {found.lower}, {found.upper}.")
        if found.log and not found.lower > 0:
            raise InputError(f"{self.name}: logarithmic bounds must be positive, but the lower is {found.lower}.")
        return found


class AbstractDesign(abc.ABC):
    """A rule that gives every lane its parameters."""

    @abc.abstractmethod
    def shape(self, axes: Sequence[Axis]) -> tuple[int, ...]:
        """How many lanes there are: along each axis of a grid, else along the one dimension of lanes.

        **Raises** `InputError` if the axes do not suit the design.
        """

    @abc.abstractmethod
    def rows(self, axes: Sequence[Axis], start: int, stop: int) -> Float[np.ndarray, "lanes p"]:
        """The parameters of the lanes from `start` to before `stop`, in the order of the axes."""

    def memory(self, axes: Sequence[Axis]) -> int:
        """Bytes that the design needs at once, beyond the values it was given."""
        return 0


@dataclasses.dataclass(frozen=True)
class Grid(AbstractDesign):
    """Every combination of the values of all axes; the last axis varies fastest."""

    def shape(self, axes):  # noqa: D102
        return tuple(axis.listed.size for axis in axes)

    def rows(self, axes, start, stop):  # noqa: D102
        indices = np.unravel_index(np.arange(start, stop), self.shape(axes))
        return np.stack([axis.listed[i] for axis, i in zip(axes, indices, strict=True)], -1)


@dataclasses.dataclass(frozen=True)
class Listed(AbstractDesign):
    """The values of all axes side by side: lane i has the i-th of each."""

    def shape(self, axes):  # noqa: D102
        sizes = {axis.name: axis.listed.size for axis in axes}
        if len(set(sizes.values())) > 1:
            given = ", ".join(f"{name} has {n}" for name, n in sizes.items())
            raise InputError(f"Lists side by side must be equally long, but {given}; leave `design` out for a grid.")
        return (next(iter(sizes.values())),)

    def rows(self, axes, start, stop):  # noqa: D102
        return np.stack([axis.listed[start:stop] for axis in axes], -1)


@dataclasses.dataclass(frozen=True)
class _Sampled(AbstractDesign):
    n: int
    seed: int

    def __post_init__(self):
        if not self.n >= 1:
            raise InputError(f"A sampled design must have at least one point, but n is {self.n}.")

    def shape(self, axes):
        for axis in axes:
            axis.bounds  # noqa: B018 - refuses what is none
        return (self.n,)

    def rows(self, axes, start, stop):
        points = self.points(len(axes), start, stop)
        columns = []
        for axis, u in zip(axes, points.T, strict=True):
            b = axis.bounds
            low, high = (math.log(b.lower), math.log(b.upper)) if b.log else (b.lower, b.upper)
            x = low + (high - low) * u
            columns.append(np.clip(np.exp(x) if b.log else x, b.lower, b.upper))
        return np.stack(columns, -1)

    @abc.abstractmethod
    def points(self, d: int, start: int, stop: int) -> Float[np.ndarray, "lanes d"]:
        """Points in the unit cube."""


@dataclasses.dataclass(frozen=True)
class LatinHypercube(_Sampled):
    """n points of which each axis, cut into n equal intervals, has one in every interval."""

    def points(self, d, start, stop):  # noqa: D102
        return _hypercube(d, self.n, self.seed)[start:stop]

    def memory(self, axes):  # noqa: D102
        return 3 * 8 * self.n * len(axes)  # every axis is a permutation of all lanes; scipy holds three tables


@dataclasses.dataclass(frozen=True)
class Sobol(_Sampled):
    """The first n points of a scrambled Sobol sequence."""

    def __post_init__(self):
        super().__post_init__()
        if self.n > MOST_SOBOL:
            raise InputError(f"A Sobol design may have up to {MOST_SOBOL} points, but n is {self.n}.")

    def points(self, d, start, stop):  # noqa: D102
        sequence = qmc.Sobol(d, scramble=True, rng=np.random.default_rng(self.seed))
        if start:
            sequence.fast_forward(start)
        with warnings.catch_warnings():  # a chunk need not be a power of two for the whole to be balanced
            warnings.simplefilter("ignore", UserWarning)
            return sequence.random(stop - start)


@functools.lru_cache(maxsize=1)
def _hypercube(d: int, n: int, seed: int) -> np.ndarray:
    return qmc.LatinHypercube(d, rng=np.random.default_rng(seed)).random(n)


#: Every combination of the values.
grid = Grid()
#: The values side by side.
listed = Listed()


def latin_hypercube(n: int, seed: int = 0) -> LatinHypercube:
    """A design of n points, spread evenly along every axis, between the bounds of each parameter.

    **Source** M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21, 239 (1979).
    """
    return LatinHypercube(int(n), int(seed))


def sobol(n: int, seed: int = 0) -> Sobol:
    """A design of n points that fill the space between the bounds evenly, best if n is a power of two.

    More points of the same seed go on where fewer ended.

    **Source** I. M. Sobol, USSR Comput. Math. Math. Phys. 7, 86 (1967); scrambled after A. B. Owen.
    """
    return Sobol(int(n), int(seed))
