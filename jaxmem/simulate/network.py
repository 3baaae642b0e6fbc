"""Runs of networks: all cells step together, spikes travel, and what cells share is mixed."""

from collections.abc import Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.core import Tracer
from jaxtyping import Array, Float

from ..network import Copies, Network, NetworkState, Timing, copies
from ..results import RESULTS, InputError, raise_failures
from .current_clamp import Steps, plan_steps, sample_times
from .recorders import AbstractRecorder, SpikeTimes
from .steps import AbstractFixedStep, Staggered
from .stimulus import Noise, as_stimuli, together


class NetworkTrace(eqx.Module):
    """What a run of a network records; every dictionary is by the name of the population.

    **Arguments:** `t` [ms] (samples,); `rate` [1/s] (samples - 1,): spikes per cell and time between two samples;
    `observed`: what `cell.observe` shows of the cells that are watched (samples, watched); `records`: what each
    recorder gives of every cell, such as spike times (cells, most); `state`: at the end, from which another run goes
    on; `result`: a code of `RESULTS`.
    """

    t: Float[Array, " samples"]
    rate: dict[str, Float[Array, " intervals"]]
    observed: dict[str, dict[str, Float[Array, "samples watched"]]]
    records: dict[str, tuple[Any, ...]]
    state: NetworkState
    result: RESULTS


class Layout(eqx.Module):
    """The time line of a run, how spikes travel on it, and which cells are watched, laid out on the host."""

    steps: Steps
    timings: tuple[Timing, ...]
    watched: tuple[tuple[str, tuple[int, ...]], ...] = eqx.field(static=True)


def march_network(
    network: Network,
    state: NetworkState | None,
    stimuli: dict[str, tuple[Copies, ...]],
    recorders: tuple[AbstractRecorder, ...],
    method: AbstractFixedStep,
    layout: Layout,
) -> NetworkTrace:
    """A run of a network as a pure function, without checks: what a loss differentiates."""
    state = network.init() if state is None else state
    h, steps, populations = method.dt, layout.steps, network.populations
    joined = tuple(zip(network.connections, layout.timings, strict=True))
    watched = {n: np.asarray(k, int) for n, k in layout.watched}

    def step(name, carry, stimulus, arrived, rows):
        """All cells of a population, and their stimuli, a step later."""
        reached = [(c, x) for c, x in zip(network.connections, arrived, strict=True) if c.target == name]

        def one(models, carry, stimulus, amounts):
            cell, actors = models
            done = [s.act(c, row, h) for s, c, row in zip(actors, stimulus, rows, strict=True)]
            given = together([a for _, a in done])

            def arrive(state):
                state = given.arrive(state)
                for (c, _), amount in zip(reached, amounts, strict=True):
                    state = c.add(state, amount)
                return state

            action = given._replace(arrive=arrive) if reached else given
            return method.step(cell, carry, action, h), tuple(c for c, _ in done)

        cells, actors = populations[name], stimuli[name]
        models = Copies(
            (cells.varied, tuple(s.varied for s in actors)), (cells.fixed, tuple(s.fixed for s in actors)), cells.number
        )
        return models.each(one, carry, stimulus, tuple(x for _, x in reached))

    def voltages(cells):
        return {n: populations[n].each(method.voltage, cells[n]) for n in populations}

    def advance(everything, row):
        cells, stimulus, lines, before, kept, fired = everything
        rows, number = row
        arrived = [
            c.arriving(line, timing, number, populations[c.target].number)
            for (c, timing), line in zip(joined, lines, strict=True)
        ]
        moved = {n: step(n, cells[n], stimulus[n], arrived, rows[n]) for n in populations}
        cells = network.mixed({n: x for n, (x, _) in moved.items()})
        after = voltages(cells)
        spiked, share = {}, {}
        for n in populations:
            spiked[n] = (before[n] < network.threshold) & (after[n] >= network.threshold)
            rise = jnp.where(spiked[n], after[n] - before[n], 1.0)
            share[n] = jnp.where(spiked[n], (network.threshold - before[n]) / rise, 0.0)
        lines = tuple(
            c.send(line, timing, number, spiked[c.source].astype(h.dtype), share[c.source], h)
            for (c, timing), line in zip(joined, lines, strict=True)
        )
        t = h * number.astype(h.dtype)
        kept = {
            n: tuple(
                jax.vmap(r.update, (0, None, None, 0, 0))(x, t, h, before[n], after[n])
                for r, x in zip(recorders, kept[n], strict=True)
            )
            for n in populations
        }
        fired = {n: fired[n] + jnp.sum(spiked[n], dtype=jnp.int32) for n in populations}
        return (cells, {n: c for n, (_, c) in moved.items()}, lines, after, kept, fired), None

    def observed(cells, state_of):
        see = lambda cell, x: cell.observe(state_of(cell, x))
        return {
            n: populations[n].take(k).each(see, jax.tree.map(lambda x, k=k: x[k], cells[n])) for n, k in watched.items()
        }

    def block(everything, rows):
        (*rest, kept, fired), _ = lax.scan(advance, everything, rows)
        emitted = {n: [jax.vmap(r.emit)(x) for r, x in zip(recorders, kept[n], strict=True)] for n in populations}
        out = (
            fired,
            observed(rest[0], lambda cell, carry: method.state(cell, carry, h)),
            {n: tuple(x for _, x in pairs) for n, pairs in emitted.items()},
        )
        return (*rest, {n: tuple(x for x, _ in pairs) for n, pairs in emitted.items()}, fired), out

    cells = {n: populations[n].each(lambda cell, x: method.begin(cell, x, h), state.cells[n]) for n in populations}
    v0 = voltages(cells)
    fresh = [c.begin(timing, populations[c.source].number, h.dtype) for c, timing in joined]
    begin = (
        cells,
        {n: tuple(s.each(lambda x: x.begin()) for s in stimuli[n]) for n in populations},
        state.lines or tuple(fresh),
        v0,
        {n: tuple(jax.vmap(r.begin)(v0[n]) for r in recorders) for n in populations},
        {n: jnp.zeros((), jnp.int32) for n in populations},
    )
    body = jax.checkpoint(block, prevent_cse=False)  # pyright: ignore[reportPrivateImportUsage]
    (cells, _, lines, _, kept, _), (fired, seen, emitted) = lax.scan(body, begin, (steps.rows, steps.number))
    count, at = steps.blocks * steps.length, steps.at
    t = jnp.asarray(steps.t, h.dtype)
    whole = lambda first, later: jnp.concatenate([first[None], later])[at]
    spikes = {n: whole(jnp.zeros((), jnp.int32), x).astype(h.dtype) for n, x in fired.items()}
    rate = {n: 1e3 / populations[n].number * jnp.diff(x) / jnp.diff(t) for n, x in spikes.items()}
    seen = jax.tree.map(whole, observed(state.cells, lambda _, x: x), seen)
    records = {
        n: tuple(
            jax.vmap(lambda c, e, r=r: r.finish(c, e, h * count), (0, 1))(x, y)
            for r, x, y in zip(recorders, kept[n], emitted[n], strict=True)
        )
        for n in populations
    }
    ended = {n: populations[n].each(lambda cell, x: method.state(cell, x, h), cells[n]) for n in populations}
    lines = tuple(c.rest(line, timing, count, h * count) for (c, timing), line in zip(joined, lines, strict=True))
    finite = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in jax.tree.leaves((ended, seen))]))
    given = [x for x in jax.tree.leaves((network, state.cells)) if eqx.is_inexact_array(x)]
    sound = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in given]))
    result = RESULTS.where(finite, RESULTS.successful, RESULTS.nonfinite_result)
    result = RESULTS.where(sound, result, RESULTS.nonfinite_input)
    return NetworkTrace(t, rate, seen, records, NetworkState(ended, lines), result)


_march = eqx.filter_jit(march_network)


def run_network(
    network: Network,
    stimulus: Mapping[str, Any] | None,
    t: Any,
    *,
    init: NetworkState | None = None,
    method: AbstractFixedStep | None = None,
    record: AbstractRecorder | Sequence[AbstractRecorder] | None = None,
    watch: Mapping[str, Sequence[int]] | None = None,
    throw: bool = True,
) -> NetworkTrace:
    """Spike times of every cell, population rates, and the potentials of some cells, as a network runs.

    **Arguments:** `network`; `stimulus`: by the name of a population what `current_clamp` takes, the same for all its
    cells (noise is independent in each), or `network.copies` of a stimulus; `t` [ms] (samples,): from 0 on, between
    which rates are counted; `init`: the state at time 0 (`network.init()`); `method`: `Staggered(dt)` by default, or
    another of fixed steps; `record`: recorders of every cell, `SpikeTimes()` by default; `watch`: cells whose potential
    and concentrations are recorded, by population; the first of each by default.
    **Returns:** a `NetworkTrace`.
    **Raises:** `InputError` for bad times, stimuli, names and delays; with `throw` an error if a run is not finite.
    """
    times = sample_times(t)
    recorders = (SpikeTimes(),) if record is None else (record,) if isinstance(record, AbstractRecorder) else record
    method = method or Staggered()
    if not isinstance(method, AbstractFixedStep):
        raise InputError(
            "A network needs steps of one length; use Staggered(dt), ExponentialEuler(dt), RungeKutta(dt)."
        )
    populations = network.populations
    for name in (*(stimulus or {}), *(watch or {})):
        if name not in populations:
            raise InputError(
                f"Stimuli and cells to watch must be of populations of the network ({', '.join(populations)}), not of "
                f"'{name}'."
            )
    for cells in populations.values():
        method.check(cells.copy(0))
    stimuli = {n: _each((stimulus or {}).get(n), n, network) for n in populations}
    watched = {n: tuple(int(k) for k in (watch or {}).get(n, (0,))) for n in populations}
    for name, cells in watched.items():
        if any(not 0 <= k < populations[name].number for k in cells):
            raise InputError(f"Cells of '{name}' must be from 0 to {populations[name].number - 1}, but are {cells}.")
    flat = [s.copy(0) for each in stimuli.values() for s in each]
    steps = plan_steps(flat, times, method.dt, recorders)
    rows, taken = {}, 0
    for name, each in stimuli.items():
        rows[name] = steps.rows[taken : taken + len(each)]
        taken += len(each)
    steps = eqx.tree_at(lambda s: s.rows, steps, rows)
    timings = tuple(c.lay_out(method.dt) for c in network.connections)
    lines = () if init is None else init.lines
    for c, timing, line in zip(network.connections, timings, lines, strict=bool(lines)):
        if line.sent.shape[0] != timing.edges:
            raise InputError(
                f"A run that goes on must have the same step and delays, but those from '{c.source}' differ."
            )
    method = eqx.tree_at(lambda m: m.dt, method, jnp.asarray(method.dt, network.threshold.dtype))
    trace = _march(network, init, stimuli, tuple(recorders), method, Layout(steps, timings, tuple(watched.items())))
    if throw and not isinstance(trace.result._value, Tracer):
        raise_failures(trace.result)
    return trace


def _each(stimulus: Any, name: str, network: Network) -> tuple[Copies, ...]:
    """The stimuli of a population, one of each for every cell."""
    number, place, found = network.populations[name].number, list(network.populations).index(name), []
    for part in stimulus if isinstance(stimulus, Sequence) else (stimulus,):
        if not isinstance(part, Copies):
            found += [_spread(s, number, place) for s in as_stimuli(part)]
        elif part.number == number:
            found.append(part)
        else:
            raise InputError(f"There must be a stimulus for each of the {number} cells of '{name}', not {part.number}.")
    return tuple(found)


def _spread(stimulus: Any, number: int, place: int) -> Copies:
    """A stimulus for every cell; noise is independent, its key folded by population and cell."""
    if not isinstance(stimulus, Noise):
        return copies(stimulus, number)
    key = jax.random.fold_in(stimulus.key, place)
    keys = jax.vmap(lambda k: jax.random.fold_in(key, k))(jnp.arange(number))
    return copies(stimulus, number, (lambda s: s.key, keys))
