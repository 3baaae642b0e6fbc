"""A pore, a slab or a pair of electrodes: geometry and what is in it, along one coordinate."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Float

from ..electrochemistry import Species
from ..params import param, positive
from ..results import InputError
from .shape import AbstractShape, Tube


class Pore(eqx.Module):
    """A line of segments from the inside (x = 0) to the outside, each with its own size, mobility and charge.

    ```python
    cone = Pore(1000.0, {K: 1.957, Cl: 2.032}, radius=[3.0, 50.0], wall_charge=-0.1)
    slab = Pore(30.0, {K: 1.957, Cl: 2.032}, shape=Planar(1.0))
    filter = Pore([0.2, 1.1, 1.0, 1.2], {K: [0.4, 0.4, 0.4, 0.5]}, radius=0.5, permittivity=[80.0, 4.0, 30.0, 30.0])
    ```

    Every value is a number, or one for each segment; a radius may have one value more, for the ends of the segments,
    between which it is linear. A smooth profile is many segments. All are differentiable.

    **Arguments:**

    - `length`: of each segment [nm].
    - `diffusion`: diffusivity of each species that can be in the pore [nm2/ns = 1e-9 m2/s].
    - `radius`: of a tube [nm]. `shape`: the cross-section, `Tube()` by default; `Planar`, `Cylindrical` and `Spherical`
      have their own size and take no radius.
    - `fixed_charge`: of the volume [mM of elementary charges]; `wall_charge`: of the wall of a tube [e0/nm2].
    - `permittivity`: relative to vacuum.
    - `partition`: for some species, the concentration in a segment at equilibrium with water at the same potential,
      relative to water, e^-w of the energy w that it takes to enter; zero keeps it out.

    **Raises:** `InputError` where numbers are missing, too many, or cannot be.
    """

    length: Float[Array, " segments"] = param("nm", positive)
    radius: Float[Array, "segments 2"] = param("nm", positive)
    diffusion: Float[Array, "species segments"] = param("nm2/ns", positive)
    fixed_charge: Float[Array, " segments"] = param("mM")
    wall_charge: Float[Array, " segments"] = param("e0/nm2")
    permittivity: Float[Array, " segments"] = param("", positive)
    partition: Float[Array, "species segments"] = param("", positive)
    species: tuple[Species, ...] = eqx.field(static=True)
    shape: AbstractShape

    def __init__(
        self,
        length: ArrayLike | Any,
        diffusion: Mapping[Species, Any],
        *,
        radius: Any = None,
        fixed_charge: Any = 0.0,
        wall_charge: Any = 0.0,
        permittivity: Any = 78.5,
        partition: Mapping[Species, Any] | None = None,
        shape: AbstractShape | None = None,
    ):
        """See the class."""
        if not diffusion:
            raise InputError("`diffusion` must name at least one species; write {K: 1.957, Cl: 2.032} [nm2/ns].")
        for s in diffusion:
            if not isinstance(s, Species):
                raise InputError(f"Keys of `diffusion` must be Species, but {s!r} was given; import K, Cl, ... .")
        given = [length, *diffusion.values(), fixed_charge, wall_charge, permittivity]
        dtype = jnp.result_type(float, *(jnp.asarray(x) for x in given))
        self.length = jnp.atleast_1d(jnp.asarray(length, dtype))
        segments = self.length.shape[-1]
        self.species = tuple(diffusion)
        self.shape = jax.tree.map(lambda leaf: jnp.asarray(leaf, dtype), Tube() if shape is None else shape)
        partition = {} if partition is None else partition
        for s in partition:
            if s not in self.species:
                raise InputError(f"`partition` names {s.name}, which has no diffusivity; add it to `diffusion`.")
        one = lambda name, x: _per_segment(name, x, segments, dtype)
        self.diffusion = jnp.stack([one(f"diffusion of {s.name}", x) for s, x in diffusion.items()])
        self.partition = jnp.stack([one(f"partition of {s.name}", partition.get(s, 1.0)) for s in self.species])
        self.fixed_charge = one("fixed_charge", fixed_charge)
        self.wall_charge = one("wall_charge", wall_charge)
        self.permittivity = one("permittivity", permittivity)
        if self.shape.round != (radius is not None):
            raise InputError(
                "A tube must have a `radius` [nm]: a number, one per segment, or one more for the ends of segments."
                if self.shape.round
                else f"{type(self.shape).__name__} has its own size and takes no `radius`."
            )
        self.radius = _radii(1.0 if radius is None else radius, segments, dtype)
        self.check()

    @property
    def ends(self) -> Float[Array, " segments+1"]:
        """Where segments begin and end [nm]."""
        zero = jnp.zeros_like(self.length[:1])
        start = jnp.asarray(self.shape.start, self.length.dtype)
        return start + jnp.concatenate([zero, jnp.cumsum(self.length)])

    def check(self) -> None:
        """Refuses numbers, where they are known, that a pore cannot have.

        **Raises:** `InputError`.
        """
        for name, value, unit in (
            ("length", self.length, "nm"),
            ("radius", self.radius, "nm"),
            ("permittivity", self.permittivity, "(relative)"),
        ):
            _positive(name, value, unit)
        for s, value in zip(self.species, self.diffusion, strict=True):
            _positive(f"diffusion of {s.name}", value, "nm2/ns")
        for s, value in zip(self.species, self.partition, strict=True):
            if not isinstance(value, Tracer) and not np.all(np.asarray(value) >= 0):
                raise InputError(f"A partition must not be negative, but that of {s.name} is {np.min(value):g}.")


def _per_segment(name, x, segments, dtype):
    x = jnp.asarray(x, dtype)
    if x.ndim > 1 or (x.ndim == 1 and x.shape[0] not in (1, segments)):
        raise InputError(
            f"`{name}` must be a number or one per segment, but has shape {x.shape} for {segments} segment(s); "
            "divide the pore into more segments for a finer profile."
        )
    return jnp.broadcast_to(x, (segments,))


def _radii(radius, segments, dtype):
    radius = jnp.asarray(radius, dtype)
    if radius.shape == (segments, 2) and radius.ndim == 2:
        return radius
    if radius.shape == (segments + 1,):
        return jnp.stack([radius[:-1], radius[1:]], 1)
    constant = _per_segment("radius", radius, segments, dtype)
    return jnp.stack([constant, constant], 1)


def _positive(name, value, unit):
    if isinstance(value, Tracer):
        return
    value = np.asarray(value)
    if not np.all((value > 0) & np.isfinite(value)):
        raise InputError(f"The {name} must be positive, but is {np.min(value):g} {unit} somewhere.")
