"""A barrier pore as a state graph of `kinetics`."""

from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from ..kinetics import AbstractScheme

if TYPE_CHECKING:
    from .barrier_pore import BarrierPore


class PoreScheme(AbstractScheme):
    """The state graph of a `BarrierPore`: its occupancies, and the moves between them, outward positive."""

    pore: "BarrierPore"

    @property
    def states(self) -> tuple[str, ...]:
        """What the states are called."""
        return self.pore.states

    @property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Each move as (start, end), outward."""
        return self.pore.file.edges

    @property
    def exchange(self) -> tuple[Any, ...]:
        """An ion leaves to outside over the first barrier, and is taken up from inside over the last."""
        file, species = self.pore.file, self.pore.species
        ends = {0: (False, 1), file.sites: (True, -1)}
        rows = []
        for kind, barrier in zip(file.kind.tolist(), file.barrier.tolist(), strict=True):
            side, count = ends.get(barrier, (False, 0))
            rows.append((((species[kind], side), count),) if count else ())
        return tuple(rows)

    @property
    def reaction(self) -> None:
        """Nothing reacts."""

    def rates(self, v, bath):  # noqa: D102
        v, run = jnp.asarray(v, self.pore.sites.dtype), self.pore.rates
        for _ in range(v.ndim):
            run = jax.vmap(run, in_axes=(0, None))
        return run(v, bath)

    def charges(self, bath):  # noqa: D102
        file, position = self.pore.file, self.pore.positions
        z = jnp.asarray([s.z for s in self.pore.species], position.dtype)
        return z[file.kind] * (position[file.barrier + 1] - position[file.barrier])
