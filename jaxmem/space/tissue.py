"""Electrodiffusion along a tree with electroneutral spaces: the Kirchhoff-Nernst-Planck equations."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float

from .._numerics.tree_elimination import solve_block_tree, solve_tree
from .cable import Inject, Supply
from .contents import AbstractTissue, TissueState
from .edges import edges, ratio, total
from .shares import shares

_EVEN = 0.75  # least over largest concentration; from one half on, the midpoint cannot empty a compartment


class Carry(NamedTuple):
    """What a run carries from step to step: a state, the rates of its contents in the last step, and the differences of
    potential F phi/RT to the parent (phases, n) in the middle of the last two."""

    v: Float[Array, "cells n"]
    mechanisms: tuple[Any, ...]
    amounts: tuple[Float[Array, "species n"], ...]
    volumes: tuple[Float[Array, " n"], ...]
    filling: tuple[Float[Array, "species n"], ...]
    swelling: tuple[Float[Array, " n"], ...]
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
        filling, swelling = jax.tree.map(jnp.zeros_like, (state.amounts, state.volumes))
        u = self.drops(state)
        return Carry(state.v, state.mechanisms, state.amounts, state.volumes, filling, swelling, u, u)

    def ended(self, carry: Carry) -> TissueState:  # noqa: D102
        return TissueState(*carry[:4])

    def moved(self, carry: Carry, inject: Inject, supply: Supply, h: Float[Array, ""]) -> Carry:
        """Potentials and contents after h [ms], by the implicit midpoint: first the potentials, with the concentrations
        of the middle of the step extrapolated; then the concentrations with these potentials.

        Contents change by fluxes alone, so that what leaves one place arrives in another, and the charge that they move
        is that of the potentials. A species whose concentrations differ much, and which leaves compartments several
        times in a step, is taken at a later time than the middle, so late that diffusion empties none. Where
        drift, membranes or pumps would still take more than there is, less moves (`shares`), the potentials with it:
        concentrations stay positive at any step, and all books are kept.
        """
        half, z = 0.5 * h, self._z

        def ahead(x, rate):  # what falls by most of itself in a step is taken as it was
            y = x + half * rate
            return jnp.where(y > 0.0, y, x)

        volumes = jax.tree.map(ahead, carry.volumes, carry.swelling)
        c = self._free(jax.tree.map(ahead, carry.amounts, carry.filling), volumes)
        water = self._water(c, volumes)
        volumes = jax.tree.map(ahead, carry.volumes, water)
        mobility = self._mobilities(volumes)
        found = self._edges(c, [self.tree.of_parent(x) for x in c], mobility, 2.0 * carry.drop - carry.earlier)

        v = carry.v
        released, slopes = jax.jvp(lambda x: self._membranes(carry.mechanisms, x, c), (v,), (jnp.ones_like(v),))
        at = self.at_electrode(carry)
        current, more = jax.jvp(inject, (at,), (jnp.ones_like(at),))
        move = self._displacement(found, released, slopes, current, more, v, h)

        middle = v + move
        u, pulled = self._fields(found, self._differences(middle))
        target = [total(e.pushed, z) - g * x for e, g, x in zip(found[1:], pulled[1:], u[1:], strict=True)]
        target = [-sum(target, start=jnp.zeros_like(u[0])), *target]
        released = tuple(
            jax.tree.map(lambda x, dx, k=k: x + dx * move[k][None], one, slope)
            for k, (one, slope) in enumerate(zip(released, slopes, strict=True))
        )
        kick = move[0, self.electrode] if self.cells else 0.0
        crossing = self._sources(released, current + more * kick, {})
        sources = self._sources(released, current + more * kick, supply) if supply else crossing

        then = self._later(carry.amounts, volumes, sources, found, u, h, c)
        along = []
        for k, (x, e) in enumerate(zip(then, found, strict=True)):
            now = edges(x, self.tree.of_parent(x), e.mobility, e.spread, z)
            flux = now.flux(u[k])
            along.append(flux - now.pulled * ratio(total(flux, z) - target[k], total(now.pulled, z))[None])
        supplied = [s - x for s, x in zip(sources, crossing, strict=True)] if supply else None
        for opening in self.openings:
            crossing[0] = crossing[0].at[:, opening.at].add(-self._opened(opening, then[0])[0])

        along, crossing = lax.optimization_barrier((along, crossing))  # used twice, and computed once
        edge, place = shares(self.tree, carry.amounts, along, crossing, h)
        gained = [place[None] * s + self._gained(edge[None] * x) for s, x in zip(crossing, along, strict=True)]
        v = v + 2.0 * move
        if self.cells:  # where less moved, the potentials are of the charges that did
            charge = jnp.stack([total(x, z) for x in gained[1:]])
            v = jnp.where(jnp.any(place < 1.0), carry.v + h * self.faraday * charge / self._capacitances(), v)
        if supplied:
            gained = [x + y for x, y in zip(gained, supplied, strict=True)]
        gained, fill = tuple(gained), lambda x, rate: x + h * rate
        return carry._replace(
            v=v,
            amounts=jax.tree.map(fill, carry.amounts, gained),
            volumes=jax.tree.map(fill, carry.volumes, water),
            filling=gained,
            swelling=water,
            drop=u,
            earlier=carry.drop,
        )

    def _displacement(self, found, released, slopes, current, more, v, h) -> Float[Array, "cells n"]:
        """How far the membrane potentials are from the start in the middle of a step [mV]."""
        if not self.cells:
            return v
        z, tree, thermal = self._z, self.tree, self._thermal
        u, pulled = self._fields(found, self._differences(v))
        whole = sum(pulled[1:], pulled[0])
        axial = jnp.stack([total(e.pushed, z) - g * x for e, g, x in zip(found[1:], pulled[1:], u[1:], strict=True)])
        push = jnp.stack([total(inner, z) for inner, _ in released]) + self._gained(axial)
        give = jnp.stack([total(inner, z) for inner, _ in slopes])
        push = push.at[0, self.electrode].add(current / self.faraday)
        give = give.at[0, self.electrode].add(more / self.faraday)
        count = len(self.cells)
        own = [[g if i == j else jnp.zeros_like(g) for j in range(count)] for i, g in enumerate(pulled[1:])]
        joint = [
            [(own[i][j] - ratio(pulled[1 + i] * pulled[1 + j], whole)) / thermal for j in range(count)]
            for i in range(count)
        ]
        blocks = jnp.stack([jnp.stack(row) for row in joint])
        store = 2.0 * self._capacitances() / (self.faraday * h) - give
        diagonal = blocks + tree.from_children(blocks)
        index = jnp.arange(count)
        diagonal = diagonal.at[index, index].add(store)
        last = lambda x: jnp.moveaxis(x, -1, 0)
        return solve_block_tree(tree.parent, last(diagonal), last(-blocks), last(-blocks), push.T).T

    def _later(self, amounts, volumes, sources, found, u, h, c) -> list[Float[Array, "species n"]]:
        """Concentrations [mM] of what is free in the middle of the step, or as late as keeps them positive."""
        z = jnp.asarray(self._z, h.dtype)[:, None]
        leaving = [e.mobility * (e.spread - 0.5 * z * x[None]) for e, x in zip(found, u, strict=True)]
        entering = [e.mobility * (e.spread + 0.5 * z * x[None]) for e, x in zip(found, u, strict=True)]
        out = [a + self.tree.from_children(b) for a, b in zip(leaving, entering, strict=True)]
        extra = jnp.zeros_like(out[0])
        for opening in self.openings:
            _, gone, come = self._opened(opening, c[0])
            out[0] = out[0].at[:, opening.at].add(gone)
            extra = extra.at[:, opening.at].add(come)
        phases = self.phases.values()
        room = [w[None] / phase.free[:, None] for w, phase in zip(volumes, phases, strict=True)]
        lanes = lambda rows: jnp.concatenate(rows).T
        out, room = lanes(out), lanes(room)
        leaves, now = jnp.max(h * out / room, 0), lanes(list(c))
        late = (leaves > 2.0) & (jnp.min(now, 0) < _EVEN * jnp.max(now, 0))
        part = h * jnp.where(late, 1.0 - 1.0 / jnp.where(late, leaves, 2.0), 0.5)[None]
        filled = lanes(list(amounts)) + part * lanes([sources[0] + extra, *sources[1:]])
        solved = solve_tree(
            self.tree.parent, room + part * out, -part * lanes(entering), -part * lanes(leaving), filled
        )
        return [x.T for x in jnp.split(solved, len(phases), 1)]
