"""The step of cells along a tree: gates and potentials in turn, the potentials implicit."""

import warnings
from typing import Any

import equinox as eqx
import jax
from jaxtyping import Array, Float

from ..results import InputError
from ..space import AbstractAlong
from .steps import AbstractFixedStep, _length, _relaxed
from .stimulus import stay


class Hines(AbstractFixedStep):
    """Gates half a step before the potentials and the concentrations, as in leapfrog; what spreads along the tree is
    implicit, at the middle of the step: second order, and stable at any step.

    Gates relax as in `Staggered`; other mechanisms by their own `advance`.

    **Arguments:** `dt` [ms].
    **Source:** Hines 1984, Int J Biomed Comput 15:69.
    """

    dt: Any = eqx.field(converter=_length, default=0.025)

    def check(self, cell):  # noqa: D102
        if not isinstance(cell, AbstractAlong):
            raise InputError(
                f"Hines steps cells along a tree (space.Cable, space.Tissue), but this is a {type(cell).__name__}; use "
                "Staggered(dt) or Adaptive()."
            )
        longest = cell.longest_step()
        if self.dt > longest:
            warnings.warn(
                f"A step of {float(self.dt):g} ms is longer than ions need to a neighboring compartment, which take "
                f"{longest:.2g} ms; use a step of that length, or longer compartments.",
                stacklevel=3,
            )

    def begin(self, cell: AbstractAlong, state, h):  # noqa: D102
        # The gates half a step earlier are the mirror image of those half a step later, to second order.
        split = tuple(m.split(s) for m, s in zip(cell.mechanisms, state.mechanisms, strict=True))
        carry = cell.begun(state._replace(mechanisms=split), h)
        later = _gates(cell, carry, 0.5 * h, True)
        mirrored = jax.tree.map(lambda x, y: 2.0 * x - y, carry.mechanisms, later.mechanisms)
        return carry._replace(mechanisms=mirrored)

    def step(self, cell: AbstractAlong, carry, action, h):  # noqa: D102
        if action.arrive is not stay:
            carry = action.arrive(_gates(cell, carry, 0.5 * h, False))
            carry = _gates(cell, carry, 0.5 * h, False)
        else:
            carry = _gates(cell, carry, h, False)
        return cell.moved(carry, action.inject, action.supply, h)

    def state(self, cell: AbstractAlong, carry, h):  # noqa: D102
        later = _gates(cell, carry, 0.5 * h, True)
        whole = tuple(m.whole(s) for m, s in zip(cell.mechanisms, later.mechanisms, strict=True))
        return cell.ended(later._replace(mechanisms=whole))


def _gates(cell: AbstractAlong, carry: Any, h: Float[Array, ""], exact: bool) -> Any:
    """The mechanisms moved by h at the potentials and concentrations of the carry."""
    moved = []
    for k, (placed, state) in enumerate(zip(cell.mechanisms, carry.mechanisms, strict=True)):
        v, bath = cell.surroundings(carry, k)
        gating = placed.gating
        if gating is None:
            moved.append(placed.advance(state, v, bath, h))
            continue
        here, at = placed.here(v), placed.bath_here(bath)
        pairs = zip(gating.gates, state, strict=True)
        moved.append(tuple(_relaxed(gate, x, here, at, h, exact) for gate, x in pairs))
    return carry._replace(mechanisms=tuple(moved))
