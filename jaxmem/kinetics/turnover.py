"""What a graph releases on each side in its steady state."""

import functools
from collections.abc import Mapping

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species, as_bath
from .readings import off_diagonal, stationary
from .scheme import AbstractScheme


class Turnover(eqx.Module):
    """The steady state of a graph.

    **Arguments:** `occupancy`: of the states; `flux`, `one_way` [1/ms]: net flux along every edge, forward positive,
    and the larger of its two one-way fluxes.
    """

    occupancy: Float[Array, " states"]
    flux: Float[Array, " edges"]
    one_way: Float[Array, " edges"]


def turnover(scheme: AbstractScheme, v: Float[Array, ""], bath: Bath) -> Turnover:
    """Occupancies and fluxes of the steady state at v [mV]."""
    v = jnp.asarray(v, jnp.result_type(as_bath(bath).temperature))
    forward, backward = scheme.rates(v, as_bath(bath))
    p = stationary(off_diagonal(len(scheme.states), scheme.edges, forward, backward))
    i, j = (jnp.asarray([edge[k] for edge in scheme.edges]) for k in (0, 1))
    out, back = p[i] * forward, p[j] * backward
    one_way = jnp.maximum(out, back)
    rows = jnp.asarray(series(len(scheme.states), scheme.edges), out.dtype)
    along = weighted(rows * (out - back)[None, :], jnp.where(rows != 0, one_way[None, :], jnp.inf))
    return Turnover(p, jnp.sum(rows * along[:, None], 0), one_way)


@functools.lru_cache(maxsize=256)
def series(count: int, edges: tuple[tuple[int, int], ...]) -> Float[np.ndarray, "chains edges"]:
    """The chains of edges that carry the same flux in the steady state, because nothing branches off between them.

    One row for each chain: 1 for its edges that point along it, -1 for those that point against, 0 for the others.
    """
    at = [[e for e, pair in enumerate(edges) if state in pair] for state in range(count)]
    sign = np.zeros(len(edges), int)
    rows = []
    for first in range(len(edges)):
        if sign[first]:
            continue
        row, reached = np.zeros(len(edges)), [(first, 1)]
        while reached:
            e, way = reached.pop()
            if sign[e]:
                continue
            sign[e] = row[e] = way
            for end, state in enumerate(edges[e]):
                if len(at[state]) == 2:
                    other = at[state][0] if at[state][1] == e else at[state][1]
                    # Head to tail both point the same way; head to head and tail to tail they do not.
                    reached.append((other, way if edges[other][1 - end] == state else -way))
        rows.append(row)
    return np.array(rows)


def released(scheme: AbstractScheme, steady: Turnover) -> Mapping[tuple[Species, bool], Float[Array, ""]]:
    """Particles released per time [1/ms] to each side: keys `(species, inside)`, as in `scheme.exchange`."""
    return {key: total for key, (total, _) in _sums(scheme, steady).items()}


def transported(scheme: AbstractScheme, steady: Turnover) -> Mapping[Species, Float[Array, ""]]:
    """Outward flux [1/ms] of every species that is taken up on one side and released on the other.

    In the steady state what leaves one side arrives at the other. Both sides are read and averaged by how well each is
    known: the rounding of a net flux is in proportion to the one-way fluxes that it is the difference of.
    """
    sums = _sums(scheme, steady)
    return {
        s: weighted(jnp.stack([sums[s, False][0], -sums[s, True][0]]), jnp.stack([sums[s, False][1], sums[s, True][1]]))
        for s, inside in sums
        if inside and (s, False) in sums
    }


def weighted(net: Float[Array, "... places"], one_way: Float[Array, "... places"]) -> Float[Array, "..."]:
    """The mean of net fluxes that are equal but for rounding, each weighted by 1/(its one-way flux)^2.

    The place that limits the flux says what it is; without flux in either direction anywhere, the mean is plain. Places
    with an infinite one-way flux do not count.
    """
    one_way = jax.lax.stop_gradient(one_way)
    least = jnp.min(one_way, -1, keepdims=True)
    crossed = least > 0
    share = jnp.where(crossed, jnp.where(crossed, least, 1.0) / jnp.where(crossed, one_way, 1.0), 1.0) ** 2
    share = jnp.where(jnp.isinf(one_way), 0.0, share)
    return jnp.sum(net * share, -1) / jnp.sum(share, -1)


def _sums(scheme: AbstractScheme, steady: Turnover) -> dict[tuple[Species, bool], tuple[Array, Array]]:
    """Net release and one-way flux for each species and side."""
    keys = tuple(dict.fromkeys(key for row in scheme.exchange for key, _ in row))
    counts = np.zeros((len(keys), len(scheme.edges)))
    for e, row in enumerate(scheme.exchange):
        for key, count in row:
            counts[keys.index(key), e] += count
    add = lambda table, x: jnp.tensordot(jnp.asarray(table, x.dtype), x, 1, precision=jax.lax.Precision.HIGHEST)
    net, one_way = add(counts, steady.flux), add(np.abs(counts), steady.one_way)
    return {key: (net[k], one_way[k]) for k, key in enumerate(keys)}
