"""Connections from cells to cells: weights, delays, and the synaptic channels that spikes open."""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from ..cell import Cell, CellState
from ..params import as_array, param, positive
from ..results import InputError
from .copies import given


class Line(NamedTuple):
    """Spikes under way: what left each cell at the last edges of steps, one row each, and when it last spiked [ms]."""

    sent: Float[Array, "edges pre"]
    last: Float[Array, " pre"]


class Timing(NamedTuple):
    """Delays laid out over steps: whole steps, the part of a step beyond them, and how many edges are remembered."""

    whole: np.ndarray
    part: np.ndarray
    edges: int


class Connections(eqx.Module):
    """Synapses from one population to another (or itself), all of one kind: after a delay, every spike of a cell adds
    its weights to a part of the state of the cells that it reaches, such as the open fraction of a synaptic channel.

    A spike has its time within a step, interpolated; what arrives between two edges of steps is shared among them, so
    that charge and time are right to second order, and differentiable.

    **Arguments:** `source`, `target`: names of populations; `where`: the part of the target's state, as
    `lambda s: s.mechanisms[0][3]` (or, for transmitter in a cleft, `lambda s: s.amounts["cleft"]`); `weights`: (post,
    pre), or, with `pairs`, one for each synapse; `delay` [ms]: one, or one for each weight; at least a step; `pairs`:
    the cells that each synapse joins, two arrays of indices (post, pre), for sparse connections; `recovery` [ms]: a
    spike brings the share 1 - e^(-t/recovery) of the weight, t after the cell's last one: of receptors that were
    saturated or vesicles that were used up; None for all of it; `pattern`: what a weight of one adds to each number of
    that part, one by default.
    **Raises:** `InputError` for shapes that do not fit.
    """

    source: str = eqx.field(static=True)
    target: str = eqx.field(static=True)
    where: Callable[[Any], Any] = eqx.field(static=True)
    weights: Float[Array, "..."]
    delay: np.ndarray | Array
    pairs: tuple[np.ndarray, np.ndarray] | None
    recovery: Float[Array, ""] | None = param("ms", positive)
    pattern: Float[Array, "..."]

    def __init__(
        self,
        source: str,
        target: str,
        where: Callable[[Any], Any],
        weights: Any,
        *,
        delay: Any,
        pairs: tuple[Int[np.ndarray, " synapses"], Int[np.ndarray, " synapses"]] | None = None,
        recovery: Any = None,
        pattern: Any = 1.0,
    ):
        self.source, self.target, self.where = source, target, where
        self.weights, self.recovery, self.pattern = given(weights), as_array(recovery), given(pattern)
        self.delay = delay if isinstance(delay, Tracer) else np.asarray(delay, np.float64)
        self.pairs = None if pairs is None else (np.asarray(pairs[0], np.int32), np.asarray(pairs[1], np.int32))
        wanted = 2 if self.pairs is None else 1
        if self.weights.ndim != wanted or self.delay.shape not in ((), self.weights.shape):
            raise InputError(
                "Weights must have the shape (post, pre), or that of `pairs`, and delays that of the weights or none, "
                f"but they are {self.weights.shape} and {self.delay.shape}."
            )
        if self.pairs is not None and any(k.shape != self.weights.shape for k in self.pairs):
            raise InputError(
                f"There must be one weight for each pair of cells, but there are {self.weights.shape[0]} weights and "
                f"{self.pairs[0].shape} and {self.pairs[1].shape} indices."
            )

    def check(self, posts: int, pres: int) -> None:
        """Refuses connections that do not fit populations of some sizes.

        **Raises:** `InputError`.
        """
        if self.pairs is None:
            if self.weights.shape != (posts, pres):
                raise InputError(
                    f"The weights from '{self.source}' to '{self.target}' must have the shape {(posts, pres)} "
                    f"(post, pre), but have {self.weights.shape}."
                )
            return
        for index, size, name in ((self.pairs[0], posts, self.target), (self.pairs[1], pres, self.source)):
            if index.size and not (0 <= index.min() and index.max() < size):
                raise InputError(
                    f"Indices of cells of '{name}' must be 0 to {size - 1}, but are {index.min()} to {index.max()}."
                )

    def check_part(self, cell: Cell) -> None:
        """Refuses a part of the state of a cell that numbers cannot be added to.

        **Raises:** `InputError`.
        """
        part = self.where(eqx.filter_eval_shape(cell.init))
        if not isinstance(part, jax.ShapeDtypeStruct) or self.pattern.shape not in ((), part.shape):
            raise InputError(
                f"Spikes must add to an array of the state of '{self.target}', such as `lambda s: s.mechanisms[0][3]`, "
                f"with a `pattern` of its shape or none, but `where` gives {part!r:.60} and the pattern has "
                f"{self.pattern.shape}."
            )

    def lay_out(self, dt: float) -> Timing:
        """The delays in steps of dt [ms].

        **Raises:** `InputError` for delays that are not known, or shorter than a step.
        """
        if isinstance(self.delay, Tracer):
            raise InputError(
                "Delays must be known before the run, but are traced; under jit close over the network, and pass only "
                "what varies."
            )
        steps = self.delay / dt
        whole = np.floor(steps + 1e-9).astype(np.int32)
        shortest = float(np.min(self.delay, initial=np.inf))
        if not (shortest > 0.0 and np.min(whole, initial=1) >= 1):
            raise InputError(
                f"Delays from '{self.source}' to '{self.target}' must be at least a step of {dt:g} ms, but one is "
                f"{shortest:g} ms; take shorter steps, or a delay of one."
            )
        return Timing(whole, np.maximum(steps - whole, 0.0), int(np.max(whole, initial=1)) + 2)

    def begin(self, timing: Timing, pres: int, dtype: Any) -> Line:
        """No spikes under way."""
        return Line(jnp.zeros((timing.edges, pres), dtype), jnp.full((pres,), -jnp.inf, dtype))

    def arriving(self, line: Line, timing: Timing, number: Int[Array, ""], posts: int) -> Float[Array, " post"]:
        """The sum of the weights that arrive at every cell of the target at the edge before a step.

        **Arguments:** `number` of the step; `posts`: how many cells the target has.
        """
        part, whole = jnp.asarray(timing.part, line.sent.dtype), jnp.asarray(timing.whole, number.dtype)
        now, before = (number - whole) % timing.edges, (number - whole - 1) % timing.edges
        pre = jnp.arange(line.sent.shape[1]) if self.pairs is None else self.pairs[1]
        came = (1.0 - part) * line.sent[now, pre] + part * line.sent[before, pre]

        def summed(came):
            if self.pairs is not None:
                return jax.ops.segment_sum(self.weights * came, self.pairs[0], posts)
            if came.ndim == 2:
                return jnp.sum(self.weights * came, 1)
            return jnp.matmul(self.weights, came, precision="highest")

        nothing = jnp.zeros((posts,), jnp.result_type(self.weights, came))
        return lax.cond(jnp.any(came != 0.0), summed, lambda _: nothing, came)

    def add(self, state: CellState, amount: Float[Array, ""]) -> CellState:
        """The state of a cell once weights have arrived whose sum is an amount."""
        return eqx.tree_at(self.where, state, self.where(state) + amount * self.pattern)

    def send(
        self,
        line: Line,
        timing: Timing,
        number: Int[Array, ""],
        spiked: Float[Array, " pre"],
        share: Float[Array, " pre"],
        h: Float[Array, ""],
    ) -> Line:
        """The line once cells have spiked in a step.

        **Arguments:** `spiked`: 1 or 0; `share` of the step before the spike.
        """
        amount, last = spiked, line.last
        if self.recovery is not None:
            time = (number.astype(h.dtype) + share) * h
            amount = spiked * -jnp.expm1((last - time) / self.recovery)
            last = jnp.where(spiked > 0.0, time, last)
        sent = line.sent.at[number % timing.edges].add((1.0 - share) * amount)
        return Line(sent.at[(number + 1) % timing.edges].set(share * amount), last)

    def rest(self, line: Line, timing: Timing, steps: int, duration: Float[Array, ""]) -> Line:
        """The line after a run, as that of a run that goes on from there."""
        return Line(jnp.roll(line.sent, -(steps % timing.edges), 0), line.last - duration)
