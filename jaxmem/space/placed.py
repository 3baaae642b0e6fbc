"""Mechanisms placed along a tree: channels, pumps and transporters, with a density at every place."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from ..channel import Channel
from ..electrochemistry import Bath
from ..gating import HodgkinHuxley
from ..params import as_array, param, positive
from ..permeation import Exchange
from ..results import InputError
from ..units import MS_PER_CM2


class Placed(eqx.Module):
    """A mechanism in the membrane of some compartments.

    Its functions run the mechanism's own, written for one, at all of its places at once; potentials and results have
    one entry for each compartment of the tree.

    **Arguments:** `mechanism`; `density` [1/um2]: of such mechanisms, one number or one for each place; `where`: the
    compartments, None for all.
    """

    mechanism: Any
    density: Float[Array, "*places"] = param("1/um2", positive)
    where: Int[Array, " places"] | None = None

    @property
    def gating(self) -> HodgkinHuxley | None:
        """The independent gates of a channel that has such, which a fixed step moves one by one."""
        inner = self.mechanism.gating if isinstance(self.mechanism, Channel) else None
        return inner if isinstance(inner, HodgkinHuxley) else None

    def here(self, x: Any) -> Any:
        """What holds at its places, of what holds everywhere."""
        return x if self.where is None else jax.tree.map(lambda y: y[self.where], x)

    def everywhere(self, x: Any, size: int) -> Any:
        """Something that is released at its places, zero elsewhere."""
        if self.where is None:
            return x
        return jax.tree.map(lambda y: jnp.zeros((size, *y.shape[1:]), y.dtype).at[self.where].add(y), x)

    def bath_here(self, bath: Bath) -> Bath:
        """The bath at its places: one for all, or with solutions that have a leading axis of compartments."""
        return bath if bath.inside.c.ndim == 1 else eqx.tree_at(_solutions, bath, self.here(_solutions(bath)))

    def init(self, v: Float[Array, " n"], bath: Bath) -> Any:
        """The steady states at v [mV]; `bath`: one, or one for each compartment."""
        return self._each(lambda v, bath: self.mechanism.init(v, bath), bath)(self.here(v))

    def derivative(self, state: Any, v: Float[Array, " n"], bath: Bath) -> Any:
        """Rates of change of the states [1/ms]."""
        step = lambda v, bath, state: self.mechanism.derivative(self.joined(state), v, bath)
        return self._each(step, bath)(self.here(v), state)

    def advance(self, state: Any, v: Float[Array, " n"], bath: Bath, dt: Float[Array, ""]) -> Any:
        """The states after dt [ms] at constant potentials and baths."""
        step = lambda v, bath, state: self.mechanism.advance(self.joined(state), v, bath, dt)
        return self._each(step, bath)(self.here(v), state)

    def exchange(self, state: Any, v: Float[Array, " n"], bath: Bath, area: Float[Array, " n"]) -> Exchange:
        """What is released in every compartment [fmol/ms] (n, species), and the current there [pA] (n,)."""
        one = lambda v, bath, state: self.mechanism.exchange(self.joined(state), v, bath)
        found = self._each(one, bath)(self.here(v), state)
        number = self.density * self.here(area)
        scaled = Exchange(number[:, None] * found.inside, number[:, None] * found.outside, number * found.current)
        return self.everywhere(scaled, area.shape[0])

    def split(self, state: Any) -> Any:
        """The states with every gate an array of its own, so that each is contiguous along the tree."""
        return state if self.gating is None else tuple(state[:, k] for k in range(len(self.gating.gates)))

    def whole(self, state: Any) -> Any:
        """The states as the mechanism has them, from those that were split."""
        return jnp.stack(state, -1) if self.gating is not None and isinstance(state, tuple) else state

    def joined(self, state: Any) -> Any:
        """The state at one place as the mechanism has it."""
        return jnp.stack(state) if self.gating is not None and isinstance(state, tuple) else state

    def _each(self, f, bath: Bath):
        if bath.inside.c.ndim == 1:
            return jax.vmap(lambda v, *state: f(v, bath, *state))
        one = lambda c, v, *state: f(v, eqx.tree_at(_solutions, bath, c), *state)
        return lambda v, *state: jax.vmap(one)(self.here(_solutions(bath)), v, *state)


def _solutions(bath: Bath) -> tuple[Any, Any]:
    return bath.inside.c, bath.outside.c


def place(mechanism: Any, where: Any = None, density: Any = None) -> Placed:
    """A mechanism placed along a tree, with a density that may vary from place to place.

    **Arguments:** `mechanism`: a channel, pump or transporter; `where`: indices of compartments (`tree.within("soma")`
    is such), a mask, or None for all; `density` [1/um2]: how many there are, one number or one for each place. If it is
    left out, the mechanism's conductances and currents are densities themselves [mS/cm2, uA/cm2], as are those of most
    models of the library: `density=MS_PER_CM2 * profile` then makes a profile of one.
    **Raises:** `InputError` for densities that are negative.
    """
    density = as_array(MS_PER_CM2 if density is None else density)
    if not isinstance(density, Tracer) and not np.all((np.asarray(density) >= 0.0) & np.isfinite(density)):
        raise InputError("A density must be a number of mechanisms per um2 and not negative, at every place.")
    if isinstance(where, slice):
        if where.stop is None:
            raise InputError("A slice of compartments must say where it ends; take `tree.within(name)`.")
        where = np.arange(*where.indices(where.stop))
    if where is not None:
        where = np.asarray(where)
        where = jnp.asarray(np.flatnonzero(where) if where.dtype == bool else np.atleast_1d(where), jnp.int32)
    return Placed(mechanism, density, where)


def as_placed(mechanisms: Any, size: int) -> tuple[Placed, ...]:
    """Placed mechanisms along `size` compartments from what a user gives: one or several, those that are not placed yet
    everywhere.

    **Raises:** `InputError` for places that are not on the tree, and densities of another length.
    """
    several = mechanisms if isinstance(mechanisms, tuple | list) else (mechanisms,)
    placed = tuple(x if isinstance(x, Placed) else place(x) for x in several)
    for one in placed:
        count = size if one.where is None else one.where.shape[0]
        if one.where is not None and not isinstance(one.where, Tracer):
            outer = np.asarray(one.where)
            if outer.size and not (0 <= outer.min() and outer.max() < size):
                raise InputError(
                    f"A mechanism must be placed in compartments 0 to {size - 1}, but a "
                    f"{type(one.mechanism).__name__} is in {outer.min()} to {outer.max()}."
                )
        if one.density.shape not in ((), (count,)):
            raise InputError(
                f"A density must be one number or one for each of the {count} places of a "
                f"{type(one.mechanism).__name__}, but has shape {one.density.shape}."
            )
    return placed
