"""The equations of one pore on one mesh, as numbers: what the solvers read."""

from collections.abc import Callable

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float

from .._numerics.block_tridiagonal import BlockTridiagonal
from .._numerics.ring import Ring, ring
from .flux import scharfetter_gummel
from .steric import AbstractSteric


class System(eqx.Module):
    """Poisson-Nernst-Planck equations on a line of nodes.

    Rows of a node are, for each ion, what flows out of its volume, and D_right - D_left - kappa V (sum z c + X) for the
    potential psi [kT/e]; at the ends, what is held there. The unknowns of a node are its amounts (below),
    concentrations, psi, and crowding if ions are not points.

    **Arguments:**

    - `conductance` (species, edges): diffusivity times area over length [nm3/ns].
    - `dielectric` (edges,): relative permittivity times area over length [nm].
    - `capacity` (species, nodes): the volume that an ion finds at a node [nm3].
    - `charge` (nodes,): fixed charge times volume [mM nm3].
    - `kappa`: F^2/(epsilon0 R T) [1/(mM nm2)].
    - `bulk` (species, 2): concentrations [mM] at the ends that are open to a species; `inflow` (species, 2):
      what enters at the others [mM nm3/ns].
    - `psi` (2,): potentials applied at the ends [kT/e]; `stern` (2,): capacitance of a compact layer
      [nm, as `dielectric`], where the end is not `grounded`; `surface` (2,): charge of the end [mM nm3].
    - `total` (species,): the amount [mM nm3] of a species that can leave at neither end.
    - `crowding`: what the volume of ions adds to their energy, or None.
    - `valence` (species,); `open` (species, 2): which species an end is open to; `grounded` (2,): whether psi is
      held at an end. All static, as `flux` is.
    - `counted`: whether what can leave at neither end is given by its amount, as in a steady state; in time it is not.
    - `ring`: whether the two ends are one place: each species is open at both, at an unknown concentration (`bulk` is
      the mean, for a start), in a steady state of a given `total`; the first node has the capacity and charge of both.
    """

    conductance: Float[Array, "species edges"]
    dielectric: Float[Array, " edges"]
    capacity: Float[Array, "species nodes"]
    charge: Float[Array, " nodes"]
    kappa: Float[Array, ""]
    bulk: Float[Array, "species 2"]
    inflow: Float[Array, "species 2"]
    psi: Float[Array, " 2"]
    stern: Float[Array, " 2"]
    surface: Float[Array, " 2"]
    total: Float[Array, " species"]
    crowding: AbstractSteric | None
    valence: tuple[float, ...] = eqx.field(static=True)
    open: tuple[tuple[bool, bool], ...] = eqx.field(static=True)
    grounded: tuple[bool, bool] = eqx.field(static=True)
    flux: Callable = eqx.field(static=True, default=scharfetter_gummel)
    counted: bool = eqx.field(static=True, default=True)
    ring: bool = eqx.field(static=True, default=False)

    @property
    def species(self) -> int:
        """The number of species."""
        return len(self.valence)

    @property
    def closed(self) -> tuple[int, ...]:
        """Species whose amount is given, and counted from the left, because they can leave at neither end."""
        return tuple(k for k, ends in enumerate(self.open) if self.counted and not any(ends))

    @property
    def fields(self) -> int:
        """The number of potentials: psi, and crowding if there is one."""
        return 1 if self.crowding is None else 2

    @property
    def unknowns(self) -> int:
        """The number of unknowns of a node."""
        return len(self.closed) + self.species + self.fields

    def join(self, c: Float[Array, "species nodes"], y: Float[Array, "fields nodes"]) -> Float[Array, "unknowns nodes"]:
        """The unknowns of all nodes from concentrations and potentials."""
        counted = [jnp.cumsum(self.capacity[k] * c[k]) for k in self.closed]
        return jnp.concatenate([*(row[None] for row in counted), c, y])

    def split(self, x: Float[Array, "unknowns nodes"]) -> tuple[Array, Array]:
        """Concentrations and potentials of unknowns."""
        first = len(self.closed)
        return x[first : first + self.species], x[first + self.species :]

    def rises(self, y: Float[Array, "fields nodes"]) -> Float[Array, "species edges"]:
        """The energy [kT] that each ion gains along each edge."""
        steps = y[:, 1:] - y[:, :-1]
        z = jnp.asarray(self.valence, y.dtype)[:, None]
        rise = z * steps[:1]
        return rise if self.fields == 1 else rise + steps[1:]

    def flows(self, c: Float[Array, "species nodes"], y: Float[Array, "fields nodes"]) -> Float[Array, "species edges"]:
        """The flux of each species along each edge, to the right [mM nm3/ns]."""
        return self.flux(self.conductance, self.rises(y), c[:, :-1], c[:, 1:])

    def outflow(
        self, c: Float[Array, "species nodes"], y: Float[Array, "fields nodes"]
    ) -> Float[Array, "species nodes"]:
        """What leaves the volume of each node along its edges [mM nm3/ns]."""
        return _differences(self.flows(c, y))

    def poisson(self, c: Float[Array, "species nodes"], y: Float[Array, "fields nodes"]) -> Float[Array, " nodes"]:
        """The displacement that leaves each node, less the charge there times kappa; ends as if insulating."""
        z = jnp.asarray(self.valence, y.dtype)
        ions = jnp.sum(z[:, None] * self.capacity * c, 0)
        return _differences(self.dielectric * (y[0, :-1] - y[0, 1:])) - self.kappa * (ions + self.charge)

    def residual(self, x: Float[Array, "unknowns nodes"]) -> Float[Array, "unknowns nodes"]:
        """The rows of all nodes: zero in the steady state."""
        counted = x[: len(self.closed)]
        c, y = self.split(x)
        rows = [self.outflow(c, y), self.poisson(c, y)[None]]
        if self.closed:
            which = jnp.asarray(self.closed)
            steps = jnp.diff(counted, prepend=0.0) - (self.capacity * c)[which]
            rows.insert(0, steps)
        if self.crowding is not None:
            rows.append(self.crowding.row(c, y[1])[None])
        return self._at_ends(jnp.concatenate(rows), counted, c, y)

    def matrix(self, x: Float[Array, "unknowns nodes"]) -> BlockTridiagonal | Ring:
        """The derivative of the residual by the unknowns, to solve with."""
        line = self.jacobian(x)
        return ring(line, closing(self.residual, x, self.species)) if self.ring else line

    def jacobian(self, x: Float[Array, "unknowns nodes"]) -> BlockTridiagonal:
        """The derivative of the residual by the unknowns, exact: that of the flux law is taken by differentiation.

        In a ring, with the concentrations held at the ends.
        """
        c, y = self.split(x)
        rise, left, right = self.rises(y), c[:, :-1], c[:, 1:]
        steep = lambda rise: self.flux(self.conductance, rise, left, right)
        slope = jax.jvp(steep, (rise,), (jnp.ones_like(rise),))[1]
        # Without the barrier the compiler computes them anew for every block that they are in.
        ahead, back, slope = lax.optimization_barrier((*self.passages(rise), slope))

        none = jnp.zeros_like(c)[:, :1]
        starts = lambda edge: jnp.concatenate([edge, none[: edge.shape[0]]], 1)  # at the node where an edge starts
        stops = lambda edge: jnp.concatenate([none[: edge.shape[0]], edge], 1)
        along = lambda rows: jnp.eye(rows.shape[0], dtype=x.dtype)[..., None] * rows[None]
        factors = np.ones((self.species, self.fields, 1))  # what an ion feels of each field
        factors[:, 0, 0] = self.valence
        felt = lambda rows: jnp.asarray(factors, x.dtype) * rows[:, None]
        dielectric = self.dielectric[None]
        charge = -self.kappa * jnp.asarray(self.valence, x.dtype)[:, None] * self.capacity
        own = starts(dielectric) + stops(dielectric)
        for side, at in enumerate((0, -1)):
            own = own if self.grounded[side] else own.at[:, at].add(self.stern[side])

        lower = self._blocks(x, -along(stops(ahead)), felt(stops(slope)), -stops(dielectric), counted=-1.0)
        upper = self._blocks(x, -along(starts(back)), felt(starts(slope)), -starts(dielectric))
        middle = along(self._regular(starts(ahead) + stops(back)))
        diagonal = self._blocks(x, middle, -felt(starts(slope) + stops(slope)), own, charge, counted=1.0, here=(c, y))
        held, unit = self._held(x.shape)
        emptied = lambda block: jnp.where(held[:, None], 0.0, block)
        nodes_first = lambda block: jnp.moveaxis(block, -1, 0)
        diagonal = jnp.where(held[:, None], unit, diagonal)
        return BlockTridiagonal(nodes_first(emptied(lower)), nodes_first(diagonal), nodes_first(emptied(upper)))

    def _blocks(self, x, ions, felt, psi, charge=None, *, counted=0.0, here=None):
        """Blocks of all nodes, (unknowns, unknowns, nodes): rows of counted amounts, ions, psi, crowding."""
        n, closed, nodes = self.species, len(self.closed), x.shape[1]
        zeros = lambda rows, columns: jnp.zeros((rows, columns, nodes), x.dtype)
        charge = zeros(1, n) if charge is None else charge[None]
        rows = [
            jnp.concatenate([zeros(n, closed), ions, felt], 1),
            jnp.concatenate([zeros(1, closed), charge, psi[None], zeros(1, self.fields - 1)], 1),
        ]
        if closed:
            amounts = zeros(closed, n)
            if here is not None:
                which = np.asarray(self.closed)
                amounts = amounts.at[np.arange(closed), which].set(-self.capacity[which])
            each = counted * jnp.eye(closed, dtype=x.dtype)[..., None] + zeros(closed, closed)
            rows.insert(0, jnp.concatenate([each, amounts, zeros(closed, self.fields)], 1))
        if self.crowding is not None:
            rows.append(zeros(1, x.shape[0]) if here is None else self._crowded(closed, *here))
        return jnp.concatenate(rows)

    def _crowded(self, closed, c, y):
        """The row of crowding in the diagonal blocks."""
        assert self.crowding is not None
        slopes = []
        for k in range(self.species):
            of_ion = lambda one, k=k: self.crowding.row(c.at[k].set(one), y[1])
            slopes.append(jax.jvp(of_ion, (c[k],), (jnp.ones_like(c[k]),))[1])
        of_field = jax.jvp(lambda w: self.crowding.row(c, w), (y[1],), (jnp.ones_like(y[1]),))[1]
        none = jnp.zeros_like(of_field)
        return jnp.stack([*[none] * closed, *slopes, none, of_field])[None]

    def passages(self, rise: Float[Array, "species edges"]) -> tuple[Array, Array]:
        """The one-way fluxes along each edge of 1 mM at its left, and at its right."""
        one, none = jnp.ones_like(self.conductance), jnp.zeros_like(self.conductance)
        return self.flux(self.conductance, rise, one, none), -self.flux(self.conductance, rise, none, one)

    def _regular(self, diagonal):
        """Where an ion can neither come nor go, its row is zero, and holds its concentration as it is."""
        return jnp.where(diagonal == 0, 1.0, diagonal)

    def _held(self, shape):
        """Where a row holds an unknown in place of its equation, (unknowns, nodes), and the block of such rows."""
        size, first = shape[0], len(self.closed)
        which, unit = np.zeros((2, size), bool), np.zeros((2, size, size))
        for side in (0, 1):
            for k, ends in enumerate(self.open):
                if ends[side]:
                    which[side, first + k], unit[side, first + k, first + k] = True, 1.0
                elif side == 1 and k in self.closed:
                    which[side, first + k], unit[side, first + k, self.closed.index(k)] = True, 1.0
            if self.grounded[side]:
                psi = first + self.species
                which[side, psi], unit[side, psi, psi] = True, 1.0
        node = jnp.arange(shape[1])
        ends = jnp.stack([node == 0, node == shape[1] - 1])
        held = (which[0][:, None] & ends[:1]) | (which[1][:, None] & ends[1:])
        unit = jnp.where(ends[None, :1], unit[0][..., None], unit[1][..., None])
        return held, unit.astype(self.kappa.dtype)

    def _at_ends(self, rows, counted, c, y):
        first = len(self.closed)
        if self.ring:
            lacking = jnp.sum(self.capacity * c, 1) - self.total
            passing = lacking if self.counted else rows[: self.species, 0] + rows[: self.species, -1]
            rows = rows.at[: self.species, 0].set(passing).at[: self.species, -1].set(c[:, -1] - c[:, 0])
        for side, node in enumerate((0, -1)):
            for k, ends in enumerate(() if self.ring else self.open):
                row = first + k
                if ends[side]:
                    rows = rows.at[row, node].set(c[k, node] - self.bulk[k, side])
                elif k not in self.closed:
                    rows = rows.at[row, node].add(-self.inflow[k, side])
                elif side == 1:
                    rows = rows.at[row, node].set(counted[self.closed.index(k), -1] - self.total[k])
            psi = first + self.species
            if self.grounded[side]:
                rows = rows.at[psi, node].set(y[0, node] - self.psi[side])
            else:
                layer = self.stern[side] * (y[0, node] - self.psi[side]) - self.kappa * self.surface[side]
                rows = rows.at[psi, node].add(layer)
        return rows

    def solvable(self, amount: Float[Array, " species"]) -> Bool[Array, ""]:
        """Whether there is a potential for so much of each species [mM nm3]: a ring has one only if it is neutral."""
        if not self.ring:
            return jnp.asarray(True)
        ions = jnp.asarray(self.valence, amount.dtype) * amount
        size = jnp.sum(jnp.abs(ions)) + jnp.sum(jnp.abs(self.charge))
        rounding = max(1e-6, 100.0 * float(jnp.finfo(amount.dtype).eps))
        return jnp.abs(jnp.sum(ions) + jnp.sum(self.charge)) <= rounding * size

    # Concentrations in given potentials: linear, and without a subtraction.

    def concentrations(self, y: Float[Array, "fields nodes"]) -> tuple[Array, Array]:
        """Steady concentrations in given potentials, (species, nodes), and the flux of each species from left to right.

        Each species has a linear equation, which is eliminated without a subtraction, so no concentration is negative,
        and the flux [mM nm3/ns] is the difference of the two one-way fluxes, with rounding of their size.
        """
        ahead, back = lax.optimization_barrier(self.passages(self.rises(y)))
        opened = jnp.asarray(self.open)
        bulk = jnp.ones_like(self.bulk) if self.ring else self.bulk
        p0 = jnp.where(opened[:, 0], ahead[:, 0] * bulk[:, 0], self.inflow[:, 0])
        q0 = jnp.where(opened[:, 0], back[:, 0], 0.0)

        def forward(before, edge):
            p, q = before
            a, b = edge
            through = jnp.where(q + a > 0, q + a, 1.0)
            return (a * p / through, b * q / through), (p, q)

        (p, q), (ps, qs) = lax.scan(forward, (p0, q0), (ahead[:, 1:].T, back[:, 1:].T))
        closed = ~opened[:, 0] & ~opened[:, 1]
        end = jnp.where(q > 0, (p + self.inflow[:, 1]) / jnp.where(q > 0, q, 1.0), 0.0)
        end = jnp.where(opened[:, 1], bulk[:, 1], jnp.where(closed, 1.0, end))

        def backward(after, edge):
            a, b, p, q = edge
            through = jnp.where(q + a > 0, q + a, 1.0)
            c = (p + b * after) / through
            return c, c

        first, c = lax.scan(backward, end, (ahead[:, 1:].T, back[:, 1:].T, ps, qs), reverse=True)
        start = jnp.where(
            opened[:, 0],
            bulk[:, 0],
            (self.inflow[:, 0] + back[:, 0] * first) / jnp.where(ahead[:, 0] > 0, ahead[:, 0], 1.0),
        )
        c = jnp.concatenate([start[None], c, end[None]]).T
        amount = jnp.sum(self.capacity * c, 1)
        given = jnp.ones_like(closed) if self.ring else closed
        share = jnp.where(given, self.total / jnp.where(given, amount, 1.0), 1.0)
        net = jnp.where(opened[:, 1], p - q * end, -self.inflow[:, 1])
        return c * share[:, None], jnp.where(closed, 0.0, net * share)


def closing(
    rows: Callable[[Array], Array], x: Float[Array, "unknowns nodes"], species: int
) -> Float[Array, "species nodes unknowns"]:
    """The derivative of the rows of the first node, which close a ring."""
    return jnp.swapaxes(jax.jacrev(lambda x: rows(x)[:species, 0])(x), 1, 2)


def gathered(first: Float[Array, "*species edges"], second: Float[Array, "*species edges"]) -> Array:
    """What nodes get from the two halves of their edges."""
    none = jnp.zeros_like(first[..., :1])
    return jnp.concatenate([first, none], -1) + jnp.concatenate([none, second], -1)


def _differences(edges: Float[Array, "*species edges"]) -> Float[Array, "*species nodes"]:
    """What leaves each node along its edges, of flows to the right."""
    none = jnp.zeros_like(edges[..., :1])
    return jnp.concatenate([edges, none], -1) - jnp.concatenate([none, edges], -1)
