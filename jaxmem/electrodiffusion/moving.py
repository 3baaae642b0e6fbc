"""The equations of a pore in time: what changes, how fast, and the potential that belongs to concentrations."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from .._numerics.block_tridiagonal import BlockTridiagonal
from .command import Command
from .system import System, closing

Unknowns = Float[Array, "unknowns nodes"]


class Moving(eqx.Module):
    """M dx/dt = -rows(x, t), where M is the capacity of a node for each ion, and zero for potentials.

    **Arguments:** `system`, without counted species; `command`: psi(0) - psi(L); `source(c, psi, t)`: what appears of
    each ion [mM nm3/ns], or None; `unit`: RT/F [mV].
    """

    system: System
    command: Command
    unit: Float[Array, ""]
    source: Callable | None

    @property
    def held(self) -> Array:
        """Where a concentration is held, (species, nodes): in a ring, where it is that of the first node."""
        nodes = self.system.capacity.shape[1]
        node = jnp.arange(nodes)[None]
        opened = jnp.asarray(self.system.open)
        first = opened[:, :1] & (node == 0) & (not self.system.ring)
        return first | (opened[:, 1:] & (node == nodes - 1))

    def joined(self, c: Float[Array, "species nodes"]) -> Float[Array, "species nodes"]:
        """Concentrations of which the last are the first in a ring; the same in all else."""
        return c.at[:, -1].set(c[:, 0]) if self.system.ring else c

    def gained(self, crossed: Float[Array, "species edges"]) -> Float[Array, "species nodes"]:
        """What each node has of what crosses the edges."""
        none = jnp.zeros_like(crossed[:, :1])
        before = crossed[:, -1:] if self.system.ring else none
        return jnp.concatenate([before, crossed], 1) - jnp.concatenate([crossed, none], 1)

    @property
    def inertia(self) -> Float[Array, "species nodes"]:
        """The diagonal of M [nm3]."""
        return jnp.where(self.held, 0.0, self.system.capacity)

    def applied(self, t: Float[Array, ""], passed: Int[Array, ""]) -> System:
        """The system with the potential of a time at its ends."""
        psi = jnp.stack([self.command(t, passed) / self.unit, jnp.zeros_like(self.unit)])
        return eqx.tree_at(lambda s: s.psi, self.system, psi)

    def sources(self, x: Unknowns, t: Float[Array, ""]) -> Float[Array, "species nodes"]:
        """What appears of each ion at each node, within and at closed ends [mM nm3/ns]."""
        inflow = self.system.inflow
        ends = jnp.zeros_like(self.system.capacity).at[:, 0].set(inflow[:, 0]).at[:, -1].add(inflow[:, 1])
        return jnp.where(self.held, 0.0, ends) + self.appearing(x, t)

    def appearing(self, x: Unknowns, t: Float[Array, ""]) -> Float[Array, "species nodes"]:
        """What `source` gives; at held ends nothing, in a ring that of the last node at the first."""
        c, y = self.system.split(x)
        if self.source is None:
            return jnp.zeros_like(c)
        given = jnp.broadcast_to(jnp.asarray(self.source(c, y[0] * self.unit, t), c.dtype), c.shape)
        given = given.at[:, 0].add(given[:, -1]) if self.system.ring else given
        return jnp.where(self.held, 0.0, given)

    def rows(self, x: Unknowns, t: Float[Array, ""], passed: Int[Array, ""]) -> Unknowns:
        """The residual of the steady system, less the sources."""
        return self.applied(t, passed).residual(x).at[: self.system.species].add(-self.appearing(x, t))

    def closure(
        self, x: Unknowns, t: Float[Array, ""], shift: Float[Array, ""]
    ) -> Float[Array, "species nodes unknowns"]:
        """M times `shift` plus the derivative of the rows, for those that close a ring."""
        rows = closing(lambda x: self.rows(x, t, self.command.passed(t)), x, self.system.species)
        each = jnp.arange(self.system.species)
        return rows.at[each, 0, each].add(shift * self.inertia[:, 0])

    def jacobian(self, x: Unknowns, t: Float[Array, ""], shift: Float[Array, ""]) -> BlockTridiagonal:
        """M times `shift` plus the derivative of the rows; in a ring, with the concentrations held at the ends."""
        matrix = self.system.jacobian(x)
        inertia = self.inertia.at[:, 0].set(0.0) if self.system.ring else self.inertia
        weight = jnp.concatenate([inertia, jnp.zeros_like(x[self.system.species :])]).T * shift
        diagonal = matrix.diagonal + weight[:, :, None] * jnp.eye(x.shape[0], dtype=x.dtype)[None]
        matrix = matrix._replace(diagonal=diagonal)
        if self.source is None:
            return matrix
        return jax.tree.map(jnp.subtract, matrix, self._of_sources(x, t))

    def _of_sources(self, x, t) -> BlockTridiagonal:
        """The derivative of the sources, which may depend on the node itself and its two neighbors.

        Every third node is moved at once, so that each source sees one of them.
        """
        size, nodes = x.shape
        color = jnp.arange(nodes) % 3
        _, moved = jax.linearize(lambda x: self.appearing(x, t), x)
        unit = jnp.eye(size, dtype=x.dtype)
        push = lambda r, j: moved(jnp.where(color == r, 1.0, 0.0)[None] * unit[j][:, None])
        found = jax.vmap(lambda r: jax.vmap(lambda j: push(r, j))(jnp.arange(size)))(jnp.arange(3))
        found = jnp.moveaxis(found, 3, 0)  # (nodes, 3, unknowns, species)
        rest = jnp.zeros((nodes, size - self.system.species, size), x.dtype)

        def block(offset):
            which = (jnp.arange(nodes) + offset) % 3
            of_species = jnp.swapaxes(found[jnp.arange(nodes), which], 1, 2)
            return jnp.concatenate([of_species, rest], 1)

        own = block(0), block(1).at[-1].set(0.0)
        if self.system.ring:
            own = tuple(blocks.at[0].set(0.0) for blocks in own)
        return BlockTridiagonal(block(-1).at[0].set(0.0), *own)

    def field(
        self, charge: Float[Array, " nodes"], psi: Float[Array, " 2"], surface: Float[Array, " 2"]
    ) -> Float[Array, " nodes"]:
        """The potential [kT/e] of charges at the nodes [mM nm3], between potentials and charges of the ends."""
        system = self.system
        none = jnp.zeros_like(system.dielectric[:1])
        down = jnp.concatenate([none, system.dielectric])
        up = jnp.concatenate([system.dielectric, none])
        diagonal, right = down + up, system.kappa * charge
        for side, at in enumerate((0, -1)):
            if system.grounded[side]:
                down, up = (down.at[at].set(0.0), up) if side else (down, up.at[at].set(0.0))
                diagonal, right = diagonal.at[at].set(1.0), right.at[at].set(psi[side])
            else:
                diagonal = diagonal.at[at].add(system.stern[side])
                right = right.at[at].add(system.stern[side] * psi[side] + system.kappa * surface[side])
        return lax.linalg.tridiagonal_solve(-down, diagonal, -up, right[:, None])[:, 0]

    def consistent(
        self, c: Float[Array, "species nodes"], t: Float[Array, ""], passed: Int[Array, ""]
    ) -> Float[Array, "unknowns nodes"]:
        """Concentrations, with the potentials that belong to them at a time."""
        system = self.applied(t, passed)
        z = jnp.asarray(system.valence, c.dtype)
        psi = self.field(z @ (system.capacity * c) + system.charge, system.psi, system.surface)
        y = psi[None] if system.crowding is None else jnp.stack([psi, system.crowding.excess(c)])
        return system.join(c, y)

    def rate(self, x: Unknowns, t: Float[Array, ""], passed: Int[Array, ""]) -> tuple[Array, Array]:
        """How fast concentrations [mM/ns] and psi [kT/(e ns)] change."""
        inertia = self.inertia
        moving = inertia > 0
        leaving = self.rows(x, t, passed)[: self.system.species]
        dc = jnp.where(moving, -leaving / jnp.where(moving, inertia, 1.0), 0.0)
        z = jnp.asarray(self.system.valence, x.dtype)
        _, dpsi = jax.jvp(lambda t: self.applied(t, passed).psi, (t,), (jnp.ones_like(t),))
        return dc, self.field(z @ (self.system.capacity * dc), dpsi, jnp.zeros_like(dpsi))


def mended(
    amount: Float[Array, "species nodes"], joined: Bool[Array, "species edges"]
) -> Float[Array, "species nodes"]:
    """Amounts without deficits: a node that holds less than nothing takes what it lacks from nodes beside it.

    **Arguments:** `joined`: where an ion can go along an edge.
    """

    def take(lacking, node):
        here, onward = node
        here = here + lacking
        passing = (here < 0) & onward
        return jnp.where(passing, here, 0.0), jnp.where(passing, 0.0, here)

    none = jnp.zeros_like(amount[:, 0])
    wall = jnp.zeros_like(joined[:, :1])
    _, swept = lax.scan(take, none, (amount.T, jnp.concatenate([joined, wall], 1).T))
    _, swept = lax.scan(take, none, (swept, jnp.concatenate([wall, joined], 1).T), reverse=True)
    return swept.T
