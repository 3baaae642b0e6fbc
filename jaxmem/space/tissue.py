"""Electrodiffusion along a tree with electroneutral spaces: the Kirchhoff-Nernst-Planck equations."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .._numerics.tree_elimination import solve_block_tree, solve_tree
from .cable import Inject, Supply
from .contents import AbstractTissue, TissueState
from .edges import Edges, edges, ratio, total, valences
from .shares import MOST, shares

_EVEN = 0.75  # least over largest concentration; from one half on, the midpoint cannot empty a compartment


class Carry(NamedTuple):
    """What a run carries from step to step: a state, with all spaces in one array, the rates of its contents in the
    last step, and the differences of potential F phi/RT to the parent in the middle of the last two."""

    v: Float[Array, "cells n"]
    mechanisms: tuple[Any, ...]
    amounts: Float[Array, "phases species n"]
    volumes: Float[Array, "phases n"]
    filling: Float[Array, "phases species n"]
    swelling: Float[Array, "phases n"]
    drop: Float[Array, "phases n"]
    earlier: Float[Array, "phases n"]


class Tissue(AbstractTissue):
    """Cells and the space between them along a tree, where all concentrations and potentials are free to move.

    In every compartment lie an outside and the insides of one cell or several (a neuron, glia), each with the
    concentrations of all species. Ions move along each space by diffusion and drift, and through the membranes by what
    the mechanisms' `exchange` says. The membrane potentials follow from the charge, C dV/dt = F sum of z dn/dt inside;
    the outside holds the opposite charge, so that all axial currents through a cross-section sum to zero, which sets
    the field there. No current flows in from elsewhere: ends are sealed, or open to a bath through the outside.

    Runs in `simulate.current_clamp`, injected current in pA, carried by `carrier` from the outside into the first cell.

    **Arguments:** `tree`: what lies next to what; `outside`: a `Phase`; `cells`: by name, `Cells`, the first of which
    is recorded; none for a solution alone; `temperature` [K]; `openings`: of the outside; `electrode`, `record`: as for
    `Cable`; `law`: the fluxes between compartments, `scharfetter_gummel` or `central`; `faraday` [C/mol].
    **Raises:** `InputError` for species that are not the same everywhere, sizes that do not fit the tree, and
    conductances whose current carries no ion.
    **Source:** Halnes et al. 2013, PLoS Comput Biol 9:e1003386; Solbra et al. 2018, PLoS Comput Biol 14:e1006510.
    """

    __init__ = AbstractTissue.__init__

    def begun(self, state: TissueState, h: Float[Array, ""]) -> Carry:  # noqa: D102
        amounts, volumes, u = jnp.stack(state.amounts), jnp.stack(state.volumes), self.drops(state)
        still = jnp.zeros_like(amounts), jnp.zeros_like(volumes)
        return Carry(state.v, state.mechanisms, amounts, volumes, *still, u, u)

    def ended(self, carry: Carry) -> TissueState:  # noqa: D102
        return TissueState(carry.v, carry.mechanisms, tuple(carry.amounts), tuple(carry.volumes))

    def moved(self, carry: Carry, inject: Inject, supply: Supply, h: Float[Array, ""]) -> Carry:
        """Potentials and contents after h [ms], by the implicit midpoint: first the potentials, with the concentrations
        of the middle of the step extrapolated; then the concentrations with these potentials.

        Contents change by fluxes alone, so that what leaves one place arrives in another, and the charge that they move
        is that of the potentials. A species whose concentrations differ much, and which leaves compartments several
        times in a step, is taken at a later time than the middle, so late that diffusion empties none. Where a step
        would still take more than there is, by drift, membranes or pumps, less moves (`shares`), and the potentials
        are those of the charges that did: concentrations stay positive at any step, unless a `Supply` takes out more.
        """
        half, z = 0.5 * h, self._z

        def ahead(x, rate):  # what falls by most of itself in a step is taken as it was
            y = x + half * rate
            return jnp.where(y > 0.0, y, x)

        volumes = ahead(carry.volumes, carry.swelling)
        c = self._free(ahead(carry.amounts, carry.filling), volumes)
        water = self._water(c, volumes)
        volumes = ahead(carry.volumes, water)
        mobility, drop = self._mobilities(volumes), 2.0 * carry.drop - carry.earlier
        found = self._edges(c, self.tree.of_parent(c), mobility, drop)

        v = carry.v
        released, slopes = jax.jvp(lambda x: self._membranes(carry.mechanisms, x, c), (v,), (jnp.ones_like(v),))
        at = self.at_electrode(carry)
        current, more = jax.jvp(inject, (at,), (jnp.ones_like(at),))
        middle = self._middle(found, released, slopes, current, more, v, h)
        move = middle - v
        u, pulled = self._fields(found, self._differences(middle))
        own = total(found.pushed[1:], z) - pulled[1:] * u[1:]
        target = jnp.concatenate([-jnp.sum(own, 0)[None], own])
        released = tuple(x + dx * move[:, None] for x, dx in zip(released, slopes, strict=True))
        kick = move[0, self.electrode] if self.cells else 0.0
        current = current + more * kick
        crossing = self._crossing(released, current)
        supplied = self._supplied(supply, crossing)

        then = self._later(carry.amounts, volumes, crossing + supplied, found, u, h, c)
        now = edges(then, self.tree.of_parent(then), found.mobility, found.spread, z)
        flux = now.flux(u)
        flux = flux - now.pulled * ratio(total(flux, z) - target, total(now.pulled, z))[:, None]
        for opening in self.openings:
            crossing = crossing.at[0, :, opening.at].add(-self._opened(opening, then[0])[0])

        gained, v = self._kept(carry, flux, crossing, v + 2.0 * move, h)
        gained = gained + supplied
        return carry._replace(
            v=v,
            amounts=carry.amounts + h * gained,
            volumes=carry.volumes + h * water,
            filling=gained,
            swelling=water,
            drop=u,
            earlier=carry.drop,
        )

    def _kept(self, carry: Carry, flux, crossing, v, h) -> tuple[Float[Array, "phases species n"], Array]:
        """What each space gains of fluxes along edges and across membranes [fmol/ms], and the potentials: as given, but
        of less flux where that would empty a compartment."""
        gained = crossing + self._gained(flux)

        def less(flux, crossing, v):
            edge, place = shares(self.tree, carry.amounts, flux, crossing, h)
            gained = place[None, None] * crossing + self._gained(edge[None, None] * flux)
            if self.cells:  # the potentials of the charges that did move
                v = carry.v + h * self.faraday * total(gained[1:], self._z) / self._capacitances()
            return gained, v

        emptied = jnp.any(h * gained < -MOST * carry.amounts)
        return lax.cond(emptied, less, lambda flux, crossing, v: (gained, v), flux, crossing, v)

    def _middle(self, found: Edges, released, slopes, current, more, v, h) -> Float[Array, "cells n"]:
        """The membrane potentials in the middle of a step [mV]."""
        if not self.cells:
            return v
        z, tree = self._z, self.tree
        u, pulled = self._fields(found, jnp.zeros_like(v))
        axial = total(found.pushed[1:], z) - pulled[1:] * u[1:]
        push = total(released[0], z) + self._gained(axial)
        give = total(slopes[0], z)
        push = push.at[0, self.electrode].add(current / self.faraday)
        give = give.at[0, self.electrode].add(more / self.faraday)
        own, count = pulled[1:], len(self.cells)
        alone = jnp.eye(count, dtype=own.dtype)[..., None] * own[:, None]
        blocks = (alone - ratio(own[:, None] * own[None], jnp.sum(pulled, 0)[None, None])) / self._thermal
        store = 2.0 * self._capacitances() / (self.faraday * h) - give
        push = push + store * v
        diagonal = blocks + tree.from_children(blocks)
        index = jnp.arange(count)
        diagonal = diagonal.at[index, index].add(store)
        last = lambda x: jnp.moveaxis(x, -1, 0)
        return solve_block_tree(tree.parent, last(diagonal), last(-blocks), last(-blocks), push.T, tree.branches).T

    def _later(self, amounts, volumes, sources, found: Edges, u, h, c) -> Float[Array, "phases species n"]:
        """Concentrations [mM] of what is free in the middle of the step, or as late as keeps them positive."""
        drift = 0.5 * valences(self._z, c) * u[:, None]
        leaving, entering = found.mobility * (found.spread - drift), found.mobility * (found.spread + drift)
        out = leaving + self.tree.from_children(entering)
        for opening in self.openings:
            _, gone, come = self._opened(opening, c[0])
            out = out.at[0, :, opening.at].add(gone)
            sources = sources.at[0, :, opening.at].add(come)
        room = volumes[:, None] / self._of_phases(lambda p: p.free)[..., None]
        leaves = jnp.max(h * out / room, -1)
        late = (leaves > 2.0) & (jnp.min(c, -1) < _EVEN * jnp.max(c, -1))
        part = h * jnp.where(late, 1.0 - 1.0 / jnp.where(late, leaves, 2.0), 0.5)[..., None]
        lanes = lambda x: x.reshape(-1, self.tree.size).T
        diagonal, upward, downward = lanes(room + part * out), lanes(-part * entering), lanes(-part * leaving)
        filled = lanes(amounts + part * sources)
        solved = solve_tree(self.tree.parent, diagonal, upward, downward, filled, self.tree.branches)
        return solved.T.reshape(c.shape)
