"""What a state graph gives: generator, steady state, propagation, flux, affinity, charge, audit."""

import dataclasses

import jax.numpy as jnp
from jaxtyping import Array, Complex, Float

from .._numerics.expm import expm1_generator
from .._numerics.stationary import stationary_distribution
from ..electrochemistry import Bath, as_bath
from ..units import thermal_voltage
from .graph import fundamental_cycles, path_from_root, spanning_tree
from .scheme import AbstractScheme


def assemble(
    count: int,
    edges: tuple[tuple[int, int], ...],
    forward: Float[Array, "... edges"],
    backward: Float[Array, "... edges"],
) -> Float[Array, "... states states"]:
    """The generator [1/ms] of a graph of `count` states from the rates of its edges: rows sum to zero, dp/dt = p Q."""
    q = off_diagonal(count, edges, forward, backward)
    every = jnp.arange(count)
    return q.at[..., every, every].add(-jnp.sum(q, -1))


def off_diagonal(
    count: int,
    edges: tuple[tuple[int, int], ...],
    forward: Float[Array, "... edges"],
    backward: Float[Array, "... edges"],
) -> Float[Array, "... states states"]:
    """The generator without its diagonal, which is all that `stationary` reads."""
    i = [a for a, _ in edges] + [b for _, b in edges]
    j = [b for _, b in edges] + [a for a, _ in edges]
    both = jnp.concatenate([forward, backward], -1)
    q = jnp.zeros((*both.shape[:-1], count, count), both.dtype)
    return q.at[..., jnp.asarray(i), jnp.asarray(j)].add(both)


def generator(scheme: AbstractScheme, v: Float[Array, "..."], bath: Bath) -> Float[Array, "... states states"]:
    """The generator Q [1/ms] at v [mV]: Q[i, j] is the rate from state i to state j, rows sum to zero, dp/dt = p Q."""
    return assemble(len(scheme.states), scheme.edges, *scheme.rates(_floating(v), as_bath(bath)))


def stationary(q: Float[Array, "states states"]) -> Float[Array, " states"]:
    """The steady state of a generator, by an elimination without subtractions: accurate however stiff the rates.

    **Source:** Grassmann, Taksar & Heyman 1985.
    """
    return stationary_distribution(q)


def spanning_tree_sum(q: Float[Array, "states states"]) -> Float[Array, ""]:
    """The King-Altman denominator [1/ms^(states - 1)]: the sum, over roots and spanning trees, of products of rates.

    By the elimination of `stationary`, without subtractions: the trees towards the first state sum to the product of
    the exit rates, and they are its share of the steady state. NaN where `stationary` is.

    **Source:** King & Altman 1956; Hill 1977.
    """
    first, left = jnp.ones_like(q[0, 0]), q
    for k in range(q.shape[-1] - 1, 0, -1):
        exits = jnp.sum(left[k, :k])
        first = first * exits
        left = left[:k, :k] + left[:k, k, None] * (left[k, :k] / exits)[None, :]
    return first / stationary(q)[0]


def relaxation_rates(q: Float[Array, "states states"]) -> Complex[Array, " states"]:
    """The rates [1/ms] at which deviations from the steady state decay: eigenvalues of -Q, the slowest first.

    They are in the order of their real parts. The first is zero, the steady state itself. Complex conjugate pairs are
    damped oscillations, which detailed balance excludes. Accurate to rounding of the largest rate; CPU only, as the
    eigenvalues of a matrix that is not symmetric are.
    """
    return jnp.sort(jnp.linalg.eigvals(-q))


def propagate(
    q: Float[Array, "states states"], p: Float[Array, " states"], dt: Float[Array, ""]
) -> Float[Array, " states"]:
    """The occupancy p exp(Q dt) after a time dt [ms] at constant rates."""
    return p + jnp.sum(p[:, None] * expm1_generator(q * dt), 0)


def edge_flux(
    scheme: AbstractScheme, p: Float[Array, "... states"], v: Float[Array, "..."], bath: Bath
) -> Float[Array, "... edges"]:
    """Net flux [1/ms] along every edge, forward positive: p_i k_ij - p_j k_ji."""
    forward, backward = scheme.rates(_floating(v), as_bath(bath))
    i, j = (jnp.asarray([edge[k] for edge in scheme.edges]) for k in (0, 1))
    return p[..., i] * forward - p[..., j] * backward


def cycles(scheme: AbstractScheme) -> tuple[tuple[tuple[int, int], ...], ...]:
    """A basis of the cycles of the graph: (edge, sign) steps, one cycle for each edge outside a spanning tree."""
    return fundamental_cycles(len(scheme.states), scheme.edges)


def _round_cycles(scheme: AbstractScheme, values: Float[Array, "... edges"]) -> Float[Array, "... cycles"]:
    sums = [sum(sign * values[..., e] for e, sign in cycle) for cycle in cycles(scheme)]
    return jnp.stack(sums, -1) if sums else jnp.zeros((*values.shape[:-1], 0), values.dtype)


def affinity(scheme: AbstractScheme, v: Float[Array, "..."], bath: Bath) -> Float[Array, "... cycles"]:
    """Free energy [kT] that drives each of `cycles(scheme)`: sum of ln(kf/kb) round it, zero at detailed balance."""
    forward, backward = scheme.rates(_floating(v), as_bath(bath))
    return _round_cycles(scheme, jnp.log(forward) - jnp.log(backward))


def entropy_production(
    scheme: AbstractScheme, p: Float[Array, "... states"], v: Float[Array, "..."], bath: Bath
) -> Float[Array, "..."]:
    """Entropy production [kB/ms], sum over edges of J ln(p_i kf / p_j kb), never negative."""
    forward, backward = scheme.rates(_floating(v), as_bath(bath))
    i, j = (jnp.asarray([edge[k] for edge in scheme.edges]) for k in (0, 1))
    out, back = p[..., i] * forward, p[..., j] * backward
    return jnp.sum((out - back) * (jnp.log(out) - jnp.log(back)), -1)


def state_charge(scheme: AbstractScheme, bath: Bath) -> Float[Array, " states"]:
    """Charge [e0] moved outward through the field on the way from the first state to each state."""
    moved = scheme.charges(as_bath(bath))
    tree = spanning_tree(len(scheme.states), scheme.edges)
    zero = jnp.zeros_like(moved[0])
    paths = [path_from_root(state, scheme.edges, tree) for state in range(len(scheme.states))]
    return jnp.stack([sum((sign * moved[e] for e, sign in path), zero) for path in paths])


@dataclasses.dataclass(frozen=True)
class CycleAudit:
    """One cycle's books [kT]: what the rates say drives it, what the baths and the field pay, and the difference."""

    states: tuple[str, ...]
    affinity: float
    paid: float

    @property
    def residual(self) -> float:
        """By how many kT the cycle is open: zero if the rates are thermodynamically closed."""
        return self.affinity - self.paid


def audit(scheme: AbstractScheme, v: float, bath: Bath) -> tuple[CycleAudit, ...]:
    """Whether the rates keep to thermodynamics: for each cycle, its affinity against what the exchange table is paid.

    **Arguments:** `v` [mV]; `bath` with the concentrations that the exchange table names.
    """
    conditions = as_bath(bath)
    u = v / thermal_voltage(conditions.temperature)
    paid = []
    for e, exchange in enumerate(scheme.exchange):
        total = jnp.zeros_like(conditions.temperature)
        if scheme.reaction is not None:
            total = total - jnp.asarray(scheme.reaction)[e]
        for (species, inside), count in exchange:
            here = conditions[species][0 if inside else 1]
            total = total - count * (jnp.log(1e-3 * here) + (species.z * u if inside else 0.0))
        paid.append(total)
    offered = _round_cycles(scheme, jnp.stack(paid))
    driven = affinity(scheme, jnp.asarray(v, jnp.result_type(float)), conditions)
    rows = []
    for k, cycle in enumerate(cycles(scheme)):
        names = tuple(scheme.states[scheme.edges[e][0 if sign == 1 else 1]] for e, sign in cycle)
        rows.append(CycleAudit(names, float(driven[k]), float(offered[k])))
    return tuple(rows)


def _floating(v) -> Float[Array, "..."]:
    return jnp.asarray(v) if jnp.issubdtype(jnp.result_type(v), jnp.inexact) else jnp.asarray(v, jnp.result_type(float))
