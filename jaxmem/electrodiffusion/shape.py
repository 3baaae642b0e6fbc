"""Cross-sections along a coordinate: areas, volumes and the resistance of an interval to flow."""

import abc
import math
from typing import ClassVar

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from ..params import param, positive


class AbstractShape(eqx.Module):
    """How the area across the coordinate depends on it. All three functions are exact integrals."""

    round: ClassVar[bool]

    @property
    def start(self) -> Float[ArrayLike, ""]:
        """Where the coordinate begins [nm]."""
        return 0.0

    @abc.abstractmethod
    def conductance(self, x0: Array, x1: Array, r0: Array, r1: Array) -> Array:
        """1 / integral of dx/A over an interval [nm], which ends have the radii `r0` and `r1` if the shape is round."""

    @abc.abstractmethod
    def volume(self, x0: Array, x1: Array, r0: Array, r1: Array) -> Array:
        """The volume of an interval [nm3]."""

    def wall(self, x0: Array, x1: Array, r0: Array, r1: Array) -> Array:
        """The wall of an interval [nm2], 2 pi r times its length along the axis; zero where there is none."""
        return jnp.zeros_like(x1)

    @abc.abstractmethod
    def area(self, x: Array, r: Array) -> Array:
        """The area at a place [nm2]."""


class Tube(AbstractShape):
    """Circles of a radius that may change along the axis; a wall that may be charged.

    The wall of an interval is counted per length, 2 pi r, as one-dimensional models do.
    """

    round = True

    def conductance(self, x0, x1, r0, r1):
        """See `AbstractShape`: pi r0 r1 / length, exact for a cone."""
        return math.pi * r0 * r1 / (x1 - x0)

    def volume(self, x0, x1, r0, r1):
        """See `AbstractShape`."""
        return math.pi / 3.0 * (r0 * r0 + r0 * r1 + r1 * r1) * (x1 - x0)

    def wall(self, x0, x1, r0, r1):
        """See `AbstractShape`."""
        return math.pi * (r0 + r1) * (x1 - x0)

    def area(self, x, r):
        """See `AbstractShape`."""
        return math.pi * r * r


class Planar(AbstractShape):
    """A slab of constant area [nm2]."""

    round = False
    size: Float[Array, ""] = param("", positive, default=1.0)

    def conductance(self, x0, x1, r0, r1):
        """See `AbstractShape`."""
        return self.size / (x1 - x0)

    def volume(self, x0, x1, r0, r1):
        """See `AbstractShape`."""
        return self.size * (x1 - x0)

    def area(self, x, r):
        """See `AbstractShape`."""
        return self.size * jnp.ones_like(x)


class Cylindrical(AbstractShape):
    """Between coaxial cylinders: the coordinate is the distance from the axis, from `inner` on; per nm of the axis."""

    round = False
    inner: Float[Array, ""] = param("", positive)

    @property
    def start(self) -> Float[ArrayLike, ""]:
        """Where the coordinate begins [nm]."""
        return self.inner

    def conductance(self, x0, x1, r0, r1):
        """See `AbstractShape`."""
        return 2.0 * math.pi / jnp.log1p((x1 - x0) / x0)

    def volume(self, x0, x1, r0, r1):
        """See `AbstractShape`."""
        return math.pi * (x1 - x0) * (x1 + x0)

    def area(self, x, r):
        """See `AbstractShape`."""
        return 2.0 * math.pi * x


class Spherical(AbstractShape):
    """Between concentric spheres: the coordinate is the distance from the center, from `inner` on."""

    round = False
    inner: Float[Array, ""] = param("", positive)

    @property
    def start(self) -> Float[ArrayLike, ""]:
        """Where the coordinate begins [nm]."""
        return self.inner

    def conductance(self, x0, x1, r0, r1):
        """See `AbstractShape`."""
        return 4.0 * math.pi * x0 * x1 / (x1 - x0)

    def volume(self, x0, x1, r0, r1):
        """See `AbstractShape`."""
        return 4.0 / 3.0 * math.pi * (x1 - x0) * (x0 * x0 + x0 * x1 + x1 * x1)

    def area(self, x, r):
        """See `AbstractShape`."""
        return 4.0 * math.pi * x * x
