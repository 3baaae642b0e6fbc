"""State graphs with rates: the one description that gating, permeation and transport all read."""

import abc
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species
from ..params import param, positive
from ..rates import AbstractRate, attempt_rate
from ..units import thermal_voltage
from .graph import check_edges, fundamental_cycles

Exchange = tuple[tuple[tuple[Species, bool], int], ...]  # ((species, inside), particles released by the forward step)


class AbstractScheme(eqx.Module):
    """States, edges between them, and what each edge exchanges with the two baths."""

    states: eqx.AbstractVar[tuple[str, ...]]
    edges: eqx.AbstractVar[tuple[tuple[int, int], ...]]
    exchange: eqx.AbstractVar[tuple[Exchange, ...]]
    reaction: eqx.AbstractVar[Any]  # standard free energy [kT] of what reacts on each edge, (edges,) or None

    @abc.abstractmethod
    def rates(self, v: Float[Array, "..."], bath: Bath) -> tuple[Float[Array, "... edges"], Float[Array, "... edges"]]:
        """Forward and backward rates [1/ms] of every edge at v [mV]."""

    @abc.abstractmethod
    def charges(self, bath: Bath) -> Float[Array, " edges"]:
        """Charge [e0] that each forward step moves outward through the field.

        **Raises:** `ValueError` if an edge's charge is neither given nor follows from its laws.
        """


class Balanced(eqx.Module):
    """In place of a rate law: the rate that detailed balance round the cycle demands."""


class Scheme(AbstractScheme):
    """A graph with a free rate law on every edge and direction. Build it with `scheme`."""

    states: tuple[str, ...] = eqx.field(static=True)
    edges: tuple[tuple[int, int], ...] = eqx.field(static=True)
    forward: tuple[AbstractRate, ...]
    backward: tuple[AbstractRate | Balanced, ...]
    given_charges: tuple[float | None, ...] = eqx.field(static=True)
    exchange: tuple[Exchange, ...] = eqx.field(static=True)
    reaction: tuple[float, ...] | None = eqx.field(static=True, default=None)

    def __check_init__(self):
        check_edges(self.states, self.edges, self.exchange)
        closing = [e for e, law in enumerate(self.backward) if isinstance(law, Balanced)]
        closed = [cycle[0][0] for cycle in fundamental_cycles(len(self.states), self.edges, closing)]
        for e in closing:
            if e not in closed:
                i, j = (self.states[k] for k in self.edges[e])
                raise ValueError(
                    f"A balanced rate must close a cycle of edges with given rates, but {i} - {j} closes none."
                )

    def rates(self, v, bath):  # noqa: D102
        forward = [law(v, bath) for law in self.forward]
        backward = [None if isinstance(law, Balanced) else law(v, bath) for law in self.backward]
        closing = [e for e, rate in enumerate(backward) if rate is None]
        for cycle in fundamental_cycles(len(self.states), self.edges, closing) if closing else ():
            if cycle[0][0] in closing:
                rate = forward[cycle[0][0]]
                for e, sign in cycle[1:]:
                    rate = rate * (forward[e] / backward[e] if sign == 1 else backward[e] / forward[e])
                backward[cycle[0][0]] = rate
        return jnp.stack(forward, -1), jnp.stack(backward, -1)

    def charges(self, bath):  # noqa: D102
        values: list[Any] = []
        for e, given in enumerate(self.given_charges):
            if given is not None:
                values.append(jnp.asarray(given, jnp.result_type(float)))
                continue
            law = self.backward[e]
            up, down = self.forward[e].charge(bath), None if isinstance(law, Balanced) else law.charge(bath)
            values.append(None if up is None or down is None else up - down)
        closing = [e for e, law in enumerate(self.backward) if isinstance(law, Balanced)]
        for cycle in fundamental_cycles(len(self.states), self.edges, closing):
            if values[cycle[0][0]] is None and all(values[e] is not None for e, _ in cycle[1:]):
                values[cycle[0][0]] = -sum(sign * values[e] for e, sign in cycle[1:])
        for e, value in enumerate(values):
            if value is None:
                i, j = (self.states[k] for k in self.edges[e])
                raise ValueError(
                    f"The charge of edge {i} - {j} must be given, because its rate laws are not exponential in V: "
                    f"scheme(..., charge={{('{i}', '{j}'): z}})."
                )
        return jnp.stack(values)


def scheme(
    edges: Mapping[tuple[str, str], tuple[AbstractRate, AbstractRate | Balanced]],
    *,
    charge: Mapping[tuple[str, str], float] | None = None,
    exchange: Mapping[tuple[str, str], Mapping[Any, int]] | None = None,
    reaction: Mapping[tuple[str, str], float] | None = None,
    states: tuple[str, ...] | None = None,
) -> Scheme:
    """A state graph from its edges: ``scheme({("C", "O"): (opening, closing)})``.

    **Arguments:** `edges`: (forward law, backward law) of each pair of states; a `Balanced()` backward law is set by
    detailed balance round the cycle that the edge closes. `charge`: charge [e0] moved outward by a forward step, where
    the laws do not tell. `exchange`: particles released (+) or taken up (-) by a forward step, keys `(species,
    inside)`. `reaction`: standard free energy [kT] of what reacts in a forward step, such as that of ATP hydrolysis; it
    counts in the books (`audit`) alone. `states`: the order of the states (default: as they first occur). Two edges may
    join the same states, one as (i, j) and one as (j, i), if they exchange different things, such as the two sides of a
    pore.
    **Raises:** `ValueError` for unknown states, loops, double edges, or a graph that is not connected.
    """
    names = states or tuple(dict.fromkeys(name for pair in edges for name in pair))
    tables = {"edges": edges, "charge": charge or {}, "exchange": exchange or {}, "reaction": reaction or {}}
    for what, table in tables.items():
        for pair in table:
            for name in pair:
                if name not in names:
                    raise ValueError(
                        f"Argument `{what}` must connect named states, but {pair} names '{name}'; states are "
                        f"{', '.join(names)}."
                    )
            if pair not in edges:
                raise ValueError(
                    f"Argument `{what}` must name an edge as it was given, but {pair} is none of {list(edges)}."
                )
    return Scheme(
        states=tuple(names),
        edges=tuple((names.index(i), names.index(j)) for i, j in edges),
        forward=tuple(pair[0] for pair in edges.values()),
        backward=tuple(pair[1] for pair in edges.values()),
        given_charges=tuple((charge or {}).get(pair) for pair in edges),
        exchange=tuple(tuple((exchange or {}).get(pair, {}).items()) for pair in edges),
        reaction=tuple(float(reaction.get(pair, 0.0)) for pair in edges) if reaction else None,
    )


class EnergyScheme(AbstractScheme):
    """A graph given by energies: detailed balance, with what the baths pay, holds whatever the parameters.

    kf = (kB T/h) exp(-(G* - Gi) - (q* - qi) u) prod(taken up) exp(mu), and backward likewise, so that
    ln(kf/kb) = -[dG + dG0 + dq u + sum nu mu] with u = FV/RT, mu_inside = ln c + z u, mu_outside = ln c (c in M).

    **Arguments:** `energy`, `charge` (states - 1): free energy [kT at `reference`] and charge position [e0] of every
    state but the first, whose are zero; `barrier`, `barrier_charge` (edges): the same of the transition states.
    Energies scale with reference/T. `reaction` (edges): standard free energy dG0 [kT at `reference`] of what reacts on
    each edge, such as ATP hydrolysis; none by default.
    """

    states: tuple[str, ...] = eqx.field(static=True)
    edges: tuple[tuple[int, int], ...] = eqx.field(static=True)
    exchange: tuple[Exchange, ...] = eqx.field(static=True)
    energy: Float[Array, " states-1"] = param("kT")
    charge: Float[Array, " states-1"] = param("e0")
    barrier: Float[Array, " edges"] = param("kT")
    barrier_charge: Float[Array, " edges"] = param("e0")
    reference: Float[Array, ""] = param("K", positive)
    reaction: Float[Array, " edges"] | None = param("kT", default=None)

    def __check_init__(self):
        check_edges(self.states, self.edges, self.exchange)
        if self.reaction is not None and self.reaction.shape[-1:] != (len(self.edges),):
            raise ValueError(f"Argument `reaction` must have one value per edge ({len(self.edges)}).")
        for name, want in (("energy", len(self.states) - 1), ("charge", len(self.states) - 1)):
            if getattr(self, name).shape[-1:] != (want,):
                raise ValueError(f"Argument `{name}` must have one value per state but the first ({want}).")
        for name in ("barrier", "barrier_charge"):
            if getattr(self, name).shape[-1:] != (len(self.edges),):
                raise ValueError(f"Argument `{name}` must have one value per edge ({len(self.edges)}).")

    def rates(self, v, bath):  # noqa: D102
        u = v / thermal_voltage(bath.temperature)
        scale = self.reference / bath.temperature
        energy = jnp.concatenate([jnp.zeros_like(self.energy[:1]), self.energy]) * scale
        charge = jnp.concatenate([jnp.zeros_like(self.charge[:1]), self.charge])
        attempts = attempt_rate(bath.temperature)
        directions = []
        for side, sign in (
            (0, -1),
            (1, 1),
        ):  # forward leaves i and takes up (nu < 0); backward leaves j and takes up (nu > 0)
            rates = []
            for e, edge in enumerate(self.edges):
                state = edge[side]
                exponent = -(self.barrier[e] * scale - energy[state]) - (self.barrier_charge[e] - charge[state]) * u
                if side == 1 and self.reaction is not None:
                    exponent = exponent + self.reaction[e] * scale
                taken = jnp.ones_like(bath.temperature)
                for (species, inside), count in self.exchange[e]:
                    if count * sign > 0:
                        here = bath[species][0 if inside else 1]
                        taken = taken * (1e-3 * here) ** abs(count)
                        exponent = exponent + (abs(count) * species.z * u if inside else 0.0)
                rates.append(attempts * taken * jnp.exp(exponent))
            directions.append(jnp.stack(rates, -1))
        return directions[0], directions[1]

    def charges(self, bath):  # noqa: D102
        charge = jnp.concatenate([jnp.zeros_like(self.charge[:1]), self.charge])
        moved = []
        for e, (i, j) in enumerate(self.edges):
            bound = sum(count * species.z for (species, inside), count in self.exchange[e] if inside)
            moved.append(-(charge[j] - charge[i] + bound))
        return jnp.stack(moved)
