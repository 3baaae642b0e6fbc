"""The occupancy states of a single-file pore and the moves between them: integers, worked out once on the host."""

import dataclasses
import functools
import itertools

import numpy as np
from jaxtyping import Float, Int

MOST_STATES = 1024  # their number is (kinds + 1)^sites; the steady state costs its cube


@dataclasses.dataclass(frozen=True)
class SingleFile:
    """A row of sites, each empty or with one ion of one of several kinds; an ion moves to an empty neighbor.

    Positions are counted from outside: 0 is the outer bath, 1 to `sites` the sites, `sites` + 1 the inner bath.
    Barrier b stands between the positions b and b + 1. The forward direction of every move is outward.

    **Arguments:** `states` (states, sites): the kind at each site, counted from 1, 0 where empty; the empty pore is
    first. Each move is of ion `kind` over `barrier`, from state `start` to state `end`, (moves,) each; `others`: the
    ions that sit in the pore meanwhile.
    """

    sites: int
    kinds: int
    states: Int[np.ndarray, "states sites"] = dataclasses.field(compare=False, repr=False)
    kind: Int[np.ndarray, " moves"] = dataclasses.field(compare=False, repr=False)
    barrier: Int[np.ndarray, " moves"] = dataclasses.field(compare=False, repr=False)
    start: Int[np.ndarray, " moves"] = dataclasses.field(compare=False, repr=False)
    end: Int[np.ndarray, " moves"] = dataclasses.field(compare=False, repr=False)
    others: Int[np.ndarray, " moves"] = dataclasses.field(compare=False, repr=False)

    @property
    def occupied(self) -> Float[np.ndarray, "states kinds sites"]:
        """One where an ion of a kind sits at a site in a state, else zero."""
        return (self.states[:, None, :] == np.arange(1, self.kinds + 1)[None, :, None]).astype(float)

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Each move as (start, end)."""
        return tuple(zip(self.start.tolist(), self.end.tolist(), strict=True))

    @property
    def ions(self) -> Int[np.ndarray, " states"]:
        """Number of ions in each state."""
        return np.count_nonzero(self.states, axis=1)

    @property
    def over(self) -> Float[np.ndarray, "kinds barriers moves"]:
        """One where a move is of a kind over a barrier, else zero."""
        of_kind = self.kind == np.arange(self.kinds)[:, None, None]
        return (of_kind & (self.barrier == np.arange(self.sites + 1)[:, None])).astype(float)


@functools.lru_cache(maxsize=64)
def single_file(sites: int, kinds: int) -> SingleFile:
    """Every occupancy of a pore and every move.

    **Raises:** `ValueError` for a pore without sites, or with more than `MOST_STATES` states.
    """
    if sites < 1 or kinds < 1:
        raise ValueError(f"A pore must have at least one site and one species, but has {sites} and {kinds}.")
    count = (kinds + 1) ** sites
    if count > MOST_STATES:
        raise ValueError(
            f"A pore must have at most {MOST_STATES} occupancy states, but {sites} sites and {kinds} species make "
            f"{count} ({kinds + 1}^{sites}); take fewer sites, or leave out a species that does not enter."
        )
    states = list(itertools.product(range(kinds + 1), repeat=sites))
    number = {state: k for k, state in enumerate(states)}
    moves = []
    for kind, barrier in itertools.product(range(kinds), range(sites + 1)):
        for state in states:
            # The ion sits inside of the barrier, at site `barrier`, or waits in the inner bath; outside of it is room.
            before = barrier < sites and state[barrier] != kind + 1
            if before or (barrier > 0 and state[barrier - 1] != 0):
                continue
            after = list(state)
            if barrier < sites:
                after[barrier] = 0
            if barrier > 0:
                after[barrier - 1] = kind + 1
            others = sum(map(bool, state)) - (barrier < sites)
            moves.append((kind, barrier, number[state], number[tuple(after)], others))
    return SingleFile(sites, kinds, np.array(states), *np.array(moves).T)
