"""The potential applied to a pore, over time: constant, in steps, along lines, or any function."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from ..results import InputError


class Command(eqx.Module):
    """A potential [mV] over time [ns], smooth between its edges, and right-continuous there.

    **Arguments:** `edges` (edges,): where it may jump or bend; `origin`, `base`, `slope` (edges+1,): it is
    base + slope (t - origin) between two edges; `function`: in place of that, any function of time.
    """

    edges: Float[Array, " edges"]
    origin: Float[Array, " pieces"]
    base: Float[Array, " pieces"]
    slope: Float[Array, " pieces"]
    holding: Float[Array, ""]
    function: Callable | None = None

    def __call__(self, t: Float[Array, ""], passed: Int[Array, ""]) -> Float[Array, ""]:
        """The potential [mV] at a time after so many edges; at the next edge it is the limit from the left."""
        if self.function is None:
            return self.base[passed] + self.slope[passed] * (t - self.origin[passed])
        following = jnp.append(self.edges, jnp.inf)[passed]
        before = following * (1.0 - 4.0 * float(jnp.finfo(t.dtype).eps))
        return jnp.asarray(self.function(jnp.where(t >= following, before, t)), t.dtype)

    def passed(self, t: Float[Array, ""]) -> Int[Array, ""]:
        """The number of edges at or before a time."""
        return jnp.searchsorted(self.edges, t, side="right")


def as_command(command: Any, dtype: Any) -> Command:
    """A `Command` from what a user gives for it.

    **Arguments:** `command`: a number [mV]; `(times, volts)` with as many volts as times [ns, mV], for lines between
    them, in which a repeated time is a jump; `(times, volts)` with one more volt than times, for steps, the first of
    which is held before the first time; or a function of time [ns], as a `Protocol` in ns is, with `.jumps` and
    `.holding` if it has them.
    **Raises:** `InputError`.
    """
    number = lambda x: jnp.asarray(x, dtype)
    if callable(command):
        edges = number(getattr(command, "jumps", ()))
        none = jnp.zeros(edges.shape[0] + 1, dtype)
        held = getattr(command, "holding", None)
        holding = number(command(jnp.zeros((), dtype)) if held is None else held)
        return Command(edges, none, none, none, holding, command)
    if not isinstance(command, tuple | list):
        none = jnp.zeros(1, dtype)
        v = number(command)
        if v.ndim:
            raise InputError(
                f"A command must be one potential [mV], (times, volts) or a function of time, but has shape {v.shape}; "
                "jax.vmap over several commands."
            )
        return Command(none[:0], none, v[None], none, v)
    times, volts = (number(x) for x in command)
    if times.ndim != 1 or volts.ndim != 1 or volts.shape[0] - times.shape[0] not in (0, 1) or not times.shape[0]:
        raise InputError(
            f"(times, volts) must have as many volts as times for lines, one more for steps, but have shapes "
            f"{times.shape} and {volts.shape}."
        )
    if not isinstance(times, Tracer) and not np.all(np.diff(times) >= 0):
        raise InputError("The times of a command [ns] must not decrease.")
    if volts.shape[0] > times.shape[0]:
        none = jnp.zeros_like(volts)
        return Command(times, none, volts, none, volts[0])
    span = times[1:] - times[:-1]
    slope = jnp.where(span > 0, (volts[1:] - volts[:-1]) / jnp.where(span > 0, span, 1.0), 0.0)
    none = jnp.zeros_like(times[:1])
    join = lambda *parts: jnp.concatenate(parts)
    return Command(times, join(times[:1], times), join(volts[:1], volts), join(none, slope, none), volts[0])
