"""A turn of a transporter: the states that it passes through, what drives each step, and what it exchanges."""

import dataclasses
import math
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..electrochemistry import Bath, as_bath
from ..kinetics import AbstractScheme, turnover

MOST = 20_000  # steps of the search for the longest cycle
STANDS = 1e-9  # of its one-way flux: an edge with less net flux stands still


@dataclasses.dataclass(frozen=True)
class Step:
    """One edge, read along the way it is walked.

    **Arguments:** `start`, `end`: indices of its states; `flux` [1/ms]: net, along it; `drop` [kT]: of free energy
    along it; `binds`, `releases`: in words; `moves`: whether there is a net flux beyond rounding.
    """

    start: int
    end: int
    flux: float
    drop: float
    binds: tuple[str, ...]
    releases: tuple[str, ...]
    moves: bool

    @property
    def exchanged(self) -> str:
        """What is bound and released, one thing a line."""
        return "\n".join([*(f"binds {what}" for what in self.binds), *(f"releases {what}" for what in self.releases)])


def free_energy_drops(scheme: AbstractScheme, v: float, bath: Bath) -> Float[Array, " edges"]:
    """Free energy [kT] that each forward step gives up in the steady state at v [mV]: ln of its two one-way fluxes.

    ln(p_i kf / p_j kb). Round a cycle they sum to its affinity, wherever the steady state is; infinite for a step
    without a way back.
    """
    return _steady(scheme, v, bath)[2]


def steps(scheme: AbstractScheme, v: float, bath: Bath) -> tuple[Float[np.ndarray, " states"], tuple[Step, ...]]:
    """Occupancies of the steady state, and every edge as it is written."""
    occupancy, flux, drops, one_way = (np.asarray(x, float) for x in _steady(scheme, v, bath))
    two_sided = {s for (s, inside), _ in sum(scheme.exchange, ()) if ((s, not inside) in _sides(scheme))}
    found = []
    for e, (i, j) in enumerate(scheme.edges):
        words: tuple[list[str], list[str]] = ([], [])
        for (species, inside), count in scheme.exchange[e]:
            number = "" if abs(count) == 1 else f"{abs(count)} "
            side = "" if species not in two_sided else (" inside" if inside else " outside")
            words[count > 0].append(f"{number}{species.name}{side}")
        moves = bool(abs(flux[e]) > STANDS * one_way[e])
        found.append(Step(i, j, float(flux[e]), float(drops[e]), tuple(words[0]), tuple(words[1]), moves))
    return occupancy, tuple(found)


def backward(step: Step) -> Step:
    """The same step walked the other way."""
    return Step(step.end, step.start, -step.flux, -step.drop, step.releases, step.binds, step.moves)


def turn(scheme: AbstractScheme, through: Sequence[str] | None = None) -> tuple[tuple[int, int], ...]:
    """A turn as (edge, sign) steps: the longest cycle without a state twice, walked as most of its edges point.

    **Arguments:** `through`: the states of another cycle by name, in order.
    **Raises:** `ValueError` if the graph has no cycle, or the named one is none.
    """
    if through is not None:
        return _named(scheme, tuple(through))
    at: list[list[tuple[int, int]]] = [[] for _ in scheme.states]
    for e, (i, j) in enumerate(scheme.edges):
        at[i].append((e, 1))
        at[j].append((e, -1))
    best: tuple[tuple[int, int], ...] = ()
    budget = MOST
    for first in range(len(scheme.states)):
        stack: list[tuple[int, tuple[tuple[int, int], ...], frozenset[int]]] = [(first, (), frozenset([first]))]
        while stack and budget:
            budget -= 1
            state, path, seen = stack.pop()
            for e, sign in reversed(at[state]):
                end = scheme.edges[e][1 if sign == 1 else 0]
                if end == first and all(e != other for other, _ in path) and len(path) >= len(best):
                    best = (*path, (e, sign)) if len(path) + 1 > len(best) else best
                elif end > first and end not in seen:  # a cycle is looked for from its first state only
                    stack.append((end, (*path, (e, sign)), seen | {end}))
    if not best:
        raise ValueError("A turn goes round a cycle, but the graph has none; add the edge that closes it.")
    if sum(sign for _, sign in best) < 0:
        best = tuple((e, -sign) for e, sign in reversed(best))
    return best


def _named(scheme: AbstractScheme, through: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    for name in through:
        if name not in scheme.states:
            raise ValueError(f"A turn passes through {', '.join(scheme.states)}, but '{name}' is none of them.")
    places = [scheme.states.index(name) for name in through]
    found: list[tuple[int, int]] = []
    for i, j in zip(places, [*places[1:], places[0]], strict=True):
        free = [e for e in range(len(scheme.edges)) if all(e != taken for taken, _ in found)]
        along = [(e, 1) for e in free if scheme.edges[e] == (i, j)]
        along += [(e, -1) for e in free if scheme.edges[e] == (j, i)]
        if not along:
            raise ValueError(
                f"A turn follows edges of the graph, but none leads on from {scheme.states[i]} to {scheme.states[j]}."
            )
        found.append(along[0])
    return tuple(found)


def finite(walked: Sequence[Step], states: Sequence[str]) -> None:
    """Refuses a turn with a step that cannot go back.

    **Raises:** `ValueError`.
    """
    for step in walked:
        if not math.isfinite(step.drop):
            raise ValueError(
                f"A staircase needs steps that go both ways, but {states[step.start]} - {states[step.end]} goes one "
                f"way only; give the bath some of what the way back takes up."
            )


@eqx.filter_jit
def _read(scheme: AbstractScheme, v: Array, bath: Bath) -> tuple[Array, Array, Array, Array]:
    steady = turnover(scheme, v, bath)
    kf, kb = scheme.rates(v, bath)
    p = jnp.log(steady.occupancy)
    i, j = (np.array([edge[end] for edge in scheme.edges]) for end in (0, 1))
    return steady.occupancy, steady.flux, p[i] + jnp.log(kf) - p[j] - jnp.log(kb), steady.one_way


def _steady(scheme: AbstractScheme, v: float, bath: Bath) -> tuple[Array, Array, Array, Array]:
    bath = as_bath(bath)
    return _read(scheme, jnp.asarray(v, jnp.result_type(bath.temperature)), bath)


def _sides(scheme: AbstractScheme) -> set:
    return {key for row in scheme.exchange for key, _ in row}
