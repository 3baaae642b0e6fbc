"""What is recorded of a run without keeping the trace: spikes, counts, peaks, means.

A recorder sees the potential before and after every step. It carries little from step to step, and may put something
out once a window.
"""

import abc
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..params import as_array, param


class AbstractRecorder(eqx.Module):
    """Something that is recorded of the potential."""

    @property
    def window(self) -> float | None:
        """The longest time [ms] between two calls of `emit`; None if it emits nothing."""
        return None

    @abc.abstractmethod
    def begin(self, v: Float[Array, ""]) -> Any:
        """What is carried, at the start."""

    @abc.abstractmethod
    def update(
        self, carry: Any, t: Float[Array, ""], h: Float[Array, ""], before: Float[Array, ""], after: Float[Array, ""]
    ) -> Any:
        """What is carried after a step of h [ms] from time t [ms] on, between two potentials [mV]."""

    def emit(self, carry: Any) -> tuple[Any, Any]:
        """What is carried on after a window, and what is kept of the window."""
        return carry, ()

    @abc.abstractmethod
    def finish(self, carry: Any, kept: Any, duration: Float[Array, ""]) -> Any:
        """The record of a run of a duration [ms], from what was carried and what was kept of every window."""


class SpikeTimes(AbstractRecorder):
    """Times [ms] at which the potential rises through a threshold, in order, then infinity; differentiable.

    The record has the shape (most,), or (places, most) where a cell records several places. Within a step the time is
    interpolated. Two spikes less than `refractory` apart count as one.

    **Arguments:** `threshold` [mV]; `most`: how many are kept; `refractory` [ms].
    """

    threshold: Float[Array, ""] = param("mV", default=-20.0)
    most: int = eqx.field(static=True, default=64)
    refractory: float = eqx.field(static=True, default=1.0)

    @property
    def window(self):  # noqa: D102
        return self.refractory

    def begin(self, v):  # noqa: D102
        return jnp.full_like(v, jnp.inf)

    def update(self, carry, t, h, before, after):  # noqa: D102
        rises = (before < self.threshold) & (after >= self.threshold)
        share = (self.threshold - before) / jnp.where(rises, after - before, 1.0)
        return jnp.where(rises & ~jnp.isfinite(carry), t + h * share, carry)

    def emit(self, carry):  # noqa: D102
        return jnp.full_like(carry, jnp.inf), carry

    def finish(self, carry, kept, duration):  # noqa: D102
        if kept.ndim > 1:
            return jax.vmap(lambda one: self.finish(carry, one, duration), in_axes=1)(kept)
        found = jnp.isfinite(kept)
        place = jnp.where(found, jnp.cumsum(found) - 1, self.most)  # they are in order; those beyond `most` are dropped
        return jnp.full((self.most,), jnp.inf, kept.dtype).at[place].set(kept, mode="drop")


class SpikeCount(AbstractRecorder):
    """How often the potential rises through a threshold.

    **Arguments:** `threshold` [mV].
    """

    threshold: Float[Array, ""] = param("mV", default=-20.0)

    def begin(self, v):  # noqa: D102
        return jnp.zeros((), jnp.int32)

    def update(self, carry, t, h, before, after):  # noqa: D102
        return carry + ((before < self.threshold) & (after >= self.threshold)).astype(jnp.int32)

    def finish(self, carry, kept, duration):  # noqa: D102
        return carry


class Peak(AbstractRecorder):
    """The largest potential [mV] between steps, from a time on.

    **Arguments:** `after` [ms].
    """

    after: Float[Array, ""] = eqx.field(converter=as_array, default=0.0)

    def begin(self, v):  # noqa: D102
        return jnp.full_like(v, -jnp.inf)

    def update(self, carry, t, h, before, after):  # noqa: D102
        return jnp.where((t + h >= self.after) & (after > carry), after, carry)

    def finish(self, carry, kept, duration):  # noqa: D102
        return carry


class Mean(AbstractRecorder):
    """The mean of the potential over a run [mV], by the trapezoidal rule."""

    def begin(self, v):  # noqa: D102
        return jnp.zeros_like(v)

    def update(self, carry, t, h, before, after):  # noqa: D102
        return carry + 0.5 * h * (before + after)

    def finish(self, carry, kept, duration):  # noqa: D102
        return carry / duration
