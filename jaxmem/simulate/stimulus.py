"""What is done to a cell: injected current, a conductance clamp, particles put in, arrivals of spikes, noise.

A stimulus is laid out once, on the host, over the steps of a run (`plan`); inside the run it gives what it does in one
step. Commands are averaged over each step, so that a jump within a step injects the right charge.
"""

import abc
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..cell import AbstractCell, Cell
from ..electrochemistry import Species
from ..params import as_array, param, positive
from ..protocols import Protocol
from ..results import InputError

_ROUNDING = 1e-9  # of a step: a command's edge so close to that of a step lies on it


class Rows(NamedTuple):
    """A command laid out over steps: for each step the pieces that it overlaps (0 stands for no command), the share of
    the step that each takes, how far along the piece its middle lies, and the time there [ms]."""

    piece: np.ndarray
    weight: np.ndarray
    along: np.ndarray
    time: np.ndarray


def lay_out(protocol: Protocol, edges: np.ndarray) -> Rows:
    """A command over the steps between some times [ms].

    **Raises:** `InputError` for a family, and for a command that begins before the run or ends after it.
    """
    if protocol.family is not None:
        raise InputError("A stimulus must be a single command; give a batch of cells one each by `jax.vmap`.")
    begin, end = float(protocol.t[0]), float(protocol.t[-1])
    slack = 1e-9 * max(1.0, abs(edges[-1]))
    if begin < edges[0] - slack or end > edges[-1] + slack:
        raise InputError(
            f"A stimulus must lie within the simulated time, {edges[0]:g} to {edges[-1]:g} ms, but lasts from "
            f"{begin:g} to {end:g} ms; simulate longer, or shorten or delay it."
        )
    step = np.diff(edges).min() if edges.size > 1 else 1.0
    near = np.clip(np.round((protocol.t - edges[0]) / step).astype(int), 0, edges.size - 1)
    t = np.where(np.abs(edges[near] - protocol.t) < _ROUNDING * step, edges[near], protocol.t)
    t = np.concatenate([[-np.inf], t, [np.inf]])  # piece 0 lies before the command, the last one after it
    first = np.searchsorted(t, edges[:-1], side="right") - 1
    last = np.searchsorted(t, edges[1:], side="left") - 1
    piece = first[:, None] + np.arange(max(1, int((last - first).max(initial=0)) + 1))
    inside = piece <= last[:, None]
    piece = np.minimum(piece, t.size - 2)
    low = np.maximum(t[piece], edges[:-1, None])
    high = np.minimum(t[piece + 1], edges[1:, None])
    weight = np.where(inside, np.maximum(high - low, 0.0) / np.diff(edges)[:, None], 0.0)
    middle = 0.5 * (low + high)
    with np.errstate(invalid="ignore"):
        along = np.where(np.isfinite(t[piece + 1] - t[piece]), (middle - t[piece]) / (t[piece + 1] - t[piece]), 0.0)
    piece = np.where((piece == 0) | (piece == t.size - 2), 0, piece)
    return Rows(piece, weight, np.nan_to_num(along), np.nan_to_num(middle))


def mean_value(protocol: Protocol, row: Rows) -> Float[Array, ""]:
    """The mean of a command over one step; zero outside the command's own time."""
    start, stop = (jnp.asarray(x) for x in (protocol.start, protocol.stop))
    dtype = jnp.result_type(start)
    total = jnp.zeros((), dtype)
    for p in range(row.piece.shape[-1]):
        k = jnp.maximum(row.piece[p] - 1, 0)
        value = start[k] + (stop[k] - start[k]) * jnp.asarray(row.along[p], dtype)
        for j in range(protocol.amplitude.shape[-1]):
            phase = jnp.asarray(protocol.frequency)[k, j] * (jnp.asarray(row.time[p], dtype) - protocol.origin[k])
            value = value + jnp.asarray(protocol.amplitude)[k, j] * jnp.sin(phase)
        total = total + jnp.where(row.piece[p] > 0, jnp.asarray(row.weight[p], dtype) * value, 0.0)
    return total


def stay(state: Any) -> Any:
    """The state of a cell at which nothing arrives: as it was."""
    return state


class Action(NamedTuple):
    """What a stimulus does in a step: inject current [pA] by the potential, supply amounts [fmol/ms], and change the
    state by what arrives at its beginning."""

    inject: Callable[[Float[Array, ""]], Float[Array, ""]]
    supply: dict[tuple[str, Species], Float[Array, ""]]
    arrive: Callable[[Any], Any] = stay


def _nothing(v: Float[Array, ""]) -> Float[Array, ""]:
    return jnp.zeros_like(v)


class AbstractStimulus(eqx.Module):
    """Something done to a cell while it runs."""

    @abc.abstractmethod
    def plan(self, edges: np.ndarray) -> Any:
        """What a run needs of it, a row for each of the steps between some times [ms] (leading axis of steps)."""

    def begin(self) -> Any:
        """What it carries from step to step."""
        return ()

    @abc.abstractmethod
    def act(self, carry: Any, row: Any, h: Float[Array, ""]) -> tuple[Any, Action]:
        """What it carries on, and what it does in a step of h [ms]."""


class Current(AbstractStimulus):
    """Injected current, depolarizing positive; a `Protocol` given as a stimulus is one.

    **Arguments:** `command`: a `Protocol` in the cell's unit of current (pA); there is none outside its own time.
    """

    command: Protocol

    def plan(self, edges):  # noqa: D102
        return lay_out(self.command, edges)

    def act(self, carry, row, h):  # noqa: D102
        current = mean_value(self.command, row)
        return carry, Action(lambda v: current.astype(v.dtype) + jnp.zeros_like(v), {})


class Conductance(AbstractStimulus):
    """A conductance clamp (dynamic clamp): the current -g (V - E) is injected.

    **Arguments:** `command`: a `Protocol` of g [nS]; `reversal` [mV].
    """

    command: Protocol
    reversal: Float[Array, ""] = param("mV")

    def plan(self, edges):  # noqa: D102
        return lay_out(self.command, edges)

    def act(self, carry, row, h):  # noqa: D102
        g = mean_value(self.command, row)
        return carry, Action(lambda v: -g.astype(v.dtype) * (v - self.reversal), {})


class Supply(AbstractStimulus):
    """Particles put into a compartment, such as transmitter into a cleft.

    **Arguments:** `compartment`; `species`; `command`: a `Protocol` of the flux [fmol/ms].
    """

    compartment: str = eqx.field(static=True)
    species: Species = eqx.field(static=True)
    command: Protocol

    def plan(self, edges):  # noqa: D102
        return lay_out(self.command, edges)

    def act(self, carry, row, h):  # noqa: D102
        return carry, Action(_nothing, {(self.compartment, self.species): mean_value(self.command, row)})


class Arrivals(AbstractStimulus):
    """Spikes that arrive at given times, each adding to a part of the cell's state, such as the open synapses.

    What arrives within a step counts from the edge of a step nearest to it.

    **Arguments:** `where`: the part of the state, as `lambda s: s.mechanisms[0][3]`; `times` [ms]; `weight`: what each
    adds.
    """

    where: Callable[[Any], Any] = eqx.field(static=True)
    times: np.ndarray = eqx.field(converter=lambda x: np.asarray(x, np.float64))
    weight: Float[Array, "..."] = eqx.field(converter=as_array)

    def plan(self, edges):  # noqa: D102
        if self.times.size and not (edges[0] <= self.times.min() and self.times.max() <= edges[-1]):
            raise InputError(
                f"Spikes must arrive within the simulated time, {edges[0]:g} to {edges[-1]:g} ms, but do from "
                f"{self.times.min():g} to {self.times.max():g} ms."
            )
        step = np.round((self.times - edges[0]) / (edges[1] - edges[0])).astype(int)
        return np.bincount(np.minimum(step, edges.size - 2), minlength=edges.size - 1)

    def act(self, carry, row, h):  # noqa: D102
        def arrive(state):
            part = self.where(state)
            return eqx.tree_at(self.where, state, part + jnp.asarray(row, part.dtype) * self.weight)

        return carry, Action(_nothing, {}, arrive)


class Noise(AbstractStimulus):
    """Injected Ornstein-Uhlenbeck noise, exact at every step: dI = -(I - mean)/tau dt + sd sqrt(2/tau) dW.

    Only fixed steps have it. The noise of a key is the same whatever else happens.

    **Arguments:** `mean`, `sd` [pA]; `tau` [ms]; `key`: a random key.
    **Source:** Uhlenbeck & Ornstein 1930; Gillespie 1996.
    """

    mean: Float[Array, ""] = param("pA")
    sd: Float[Array, ""] = param("pA", positive)
    tau: Float[Array, ""] = param("ms", positive)
    key: Any

    def plan(self, edges):  # noqa: D102
        return np.arange(edges.size - 1)

    def begin(self):  # noqa: D102
        return self.sd * jax.random.normal(jax.random.fold_in(self.key, 2**31 - 1), (), self.sd.dtype)

    def act(self, carry, row, h):  # noqa: D102
        kept = jnp.exp(-h / self.tau)
        fresh = jax.random.normal(jax.random.fold_in(self.key, row), (), self.sd.dtype)
        x = kept * carry + self.sd * jnp.sqrt(-jnp.expm1(-2.0 * h / self.tau)) * fresh
        current = self.mean + 0.5 * (carry + x)
        return x, Action(lambda v: current + jnp.zeros_like(v), {})


def as_stimuli(stimulus: Any) -> tuple[AbstractStimulus, ...]:
    """Stimuli from what a user gives: None, a command of current, a stimulus, or a sequence of them.

    **Raises:** `InputError` for anything else.
    """
    if stimulus is None:
        return ()
    if isinstance(stimulus, Protocol):
        return (Current(stimulus),)
    if isinstance(stimulus, AbstractStimulus):
        return (stimulus,)
    if isinstance(stimulus, Sequence) and not isinstance(stimulus, str):
        return tuple(s for part in stimulus for s in as_stimuli(part))
    raise InputError(
        f"A stimulus must be a Protocol of current, a stimulus of jaxmem.simulate, or a tuple of them, but is a "
        f"{type(stimulus).__name__}."
    )


def together(actions: Sequence[Action]) -> Action:
    """What several stimuli do at once."""
    supply: dict[tuple[str, Species], Any] = {}
    for action in actions:
        for key, amount in action.supply.items():
            supply[key] = supply[key] + amount if key in supply else amount
    injections = [a.inject for a in actions if a.inject is not _nothing]
    arrivals = [a.arrive for a in actions if a.arrive is not stay]

    def inject(v):
        return sum((f(v) for f in injections), start=jnp.zeros_like(v))

    def arrive(state):
        for f in arrivals:
            state = f(state)
        return state

    return Action(inject, supply, arrive if arrivals else stay)


def driven(cell: AbstractCell, state: Any, action: Action) -> Any:
    """Rate of change of a cell's state [1/ms] while something is done to it.

    **Raises:** `InputError` for particles put into a cell that is not made of compartments.
    """
    current = action.inject(cell.at_electrode(state))
    if not action.supply:
        return cell.derivative(state, current)
    if not isinstance(cell, Cell):
        raise InputError(
            f"Particles can be put only into the compartments of a cell.Cell, not a {type(cell).__name__}."
        )
    return cell.derivative(state, current, action.supply)
