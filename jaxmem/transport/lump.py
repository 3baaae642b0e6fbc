"""Quasi-steady reduction: states joined by fast edges become one."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..kinetics import AbstractScheme
from ..kinetics.graph import path_from_root, spanning_tree


class Lumped(AbstractScheme):
    """A graph whose fast edges are in equilibrium: each group of states that they join is one state.

    Within a group the states are occupied in the ratios that the fast edges' rates say, and a slow edge starts from a
    group at its rate times the share of the state that it starts from. What fast edges exchange is counted where a slow
    edge leaves the group: round every cycle of the reduced graph the exchange, the charge, and so the affinity, are
    those of the full one. Slow edges between the same groups add up if they exchange the same.

    **Arguments:** `scheme`; `fast`: pairs of states, as its edges name them. Made by `lump`.
    """

    scheme: AbstractScheme
    fast: tuple[int, ...] = eqx.field(static=True)
    groups: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    slow: tuple[tuple[int, ...], ...] = eqx.field(static=True)  # edges of the full graph in each edge of this one
    edges: tuple[tuple[int, int], ...] = eqx.field(static=True)
    exchange: tuple[Any, ...] = eqx.field(static=True)

    @property
    def states(self) -> tuple[str, ...]:
        """Each group's states, joined by `=`."""
        return tuple(" = ".join(self.scheme.states[k] for k in group) for group in self.groups)

    @property
    def reaction(self) -> Float[Array, " edges"] | None:
        """Standard free energy [kT] of what reacts on the way from group to group."""
        return None if self.scheme.reaction is None else self._from_group_to_group(jnp.asarray(self.scheme.reaction))

    def rates(self, v, bath):  # noqa: D102
        forward, backward = self.scheme.rates(v, bath)
        share = self.shares(v, bath)
        sums = []
        for rates, end in ((forward, 0), (backward, 1)):
            columns = []
            for members, (a, _) in zip(self.slow, self.edges, strict=True):
                total = jnp.zeros_like(forward[..., 0])
                for e in members:
                    i, j = self.scheme.edges[e]
                    along = i in self.groups[a]  # whether the edge leads the way this one does
                    start = (i, j)[end] if along else (j, i)[end]
                    total = total + share[..., start] * (rates if along else (backward, forward)[end])[..., e]
                columns.append(total)
            sums.append(jnp.stack(columns, -1))
        return sums[0], sums[1]

    def shares(self, v: Float[Array, "..."], bath: Any) -> Float[Array, "... states"]:
        """Probability of each state of the full graph within its group."""
        forward, backward = self.scheme.rates(v, bath)
        fast = [self.scheme.edges[e] for e in self.fast]
        logs = [jnp.zeros_like(forward[..., 0])] * len(self.scheme.states)
        for group in self.groups:
            for state, steps in _paths(group, fast).items():
                for k, sign in steps:
                    e = self.fast[k]
                    logs[state] = logs[state] + sign * (jnp.log(forward[..., e]) - jnp.log(backward[..., e]))
        found = [logs[0]] * len(logs)
        for group in self.groups:
            within = jax.nn.softmax(jnp.stack([logs[state] for state in group], -1), axis=-1)
            for k, state in enumerate(group):
                found[state] = within[..., k]
        return jnp.stack(found, -1)

    def charges(self, bath):  # noqa: D102
        return self._from_group_to_group(self.scheme.charges(bath))

    def _from_group_to_group(self, amount: Float[Array, " full"]) -> Float[Array, " edges"]:
        """What the full graph's edges move, summed on the way between the first states of two groups."""
        fast = [self.scheme.edges[e] for e in self.fast]
        reach = {}
        for group in self.groups:
            for state, steps in _paths(group, fast).items():
                reach[state] = sum((sign * amount[self.fast[k]] for k, sign in steps), jnp.zeros_like(amount[0]))
        rows = []
        for members, (a, _) in zip(self.slow, self.edges, strict=True):
            i, j = self.scheme.edges[members[0]]
            sign = 1.0 if i in self.groups[a] else -1.0
            rows.append(sign * (reach[i] + amount[members[0]] - reach[j]))
        return jnp.stack(rows)


def lump(scheme: AbstractScheme, fast: list[tuple[str, str]]) -> Lumped:
    """The graph with some edges in equilibrium, a scheme with fewer states.

    Right where those edges are much faster than the others: the error is of the order of the ratio of their rates.

    **Arguments:** `fast`: the edges, each as its pair of states in either order.
    **Raises:** `ValueError` for an edge that is not in the scheme, fast edges that close a cycle whose affinity could
    be paid for, and if nothing is left to turn.
    **Source:** Hill, Free Energy Transduction (1977), chapter 3; Cha, J. Biol. Chem. 243, 820 (1968).
    """
    names, numbers = scheme.states, []
    for pair in fast:
        found = [e for e, (i, j) in enumerate(scheme.edges) if {names[i], names[j]} == set(pair)]
        if len(found) != 1:
            raise ValueError(
                f"Argument `fast` must name edges of the scheme that are alone between their states, but "
                f"{' - '.join(pair)} is {'none' if not found else 'two'}."
            )
        numbers.append(found[0])
    edges = [scheme.edges[e] for e in numbers]
    groups = _groups(len(names), edges)
    if len(groups) < 2 or len(edges) != len(names) - len(groups):
        what = "leave two groups of states" if len(groups) < 2 else "close no cycle of their own"
        raise ValueError(f"Fast edges must {what}, but {', '.join(' - '.join(p) for p in fast)} do not.")
    place = {state: k for k, group in enumerate(groups) for state in group}
    balance = {}  # what is exchanged on the way from a group's first state to each of its others
    for group in groups:
        for state, steps in _paths(group, edges).items():
            balance[state] = _total((scheme.exchange[numbers[k]], sign) for k, sign in steps)
    merged: dict[tuple, list[int]] = {}
    for e, (i, j) in enumerate(scheme.edges):
        if e in numbers or place[i] == place[j]:
            continue
        row = _total([(balance[i], 1), (scheme.exchange[e], 1), (balance[j], -1)])
        back = tuple((key, -count) for key, count in row)
        known = (place[j], place[i], back)
        merged.setdefault(known if known in merged else (place[i], place[j], row), []).append(e)
    return Lumped(
        scheme=scheme,
        fast=tuple(numbers),
        groups=groups,
        slow=tuple(tuple(members) for members in merged.values()),
        edges=tuple((a, b) for a, b, _ in merged),
        exchange=tuple(row for *_, row in merged),
    )  # pyright: ignore[reportCallIssue]  # abstract fields that are properties


def _groups(count: int, edges: list[tuple[int, int]]) -> tuple[tuple[int, ...], ...]:
    label = list(range(count))
    for i, j in edges:
        low, high = sorted((label[i], label[j]))
        label = [low if x == high else x for x in label]
    return tuple(tuple(k for k in range(count) if label[k] == group) for group in sorted(set(label)))


def _paths(group: tuple[int, ...], edges: list[tuple[int, int]]) -> dict[int, list[tuple[int, int]]]:
    """For each state of a group the steps (number of the fast edge, sign) from the group's first state to it."""
    local = {state: k for k, state in enumerate(group)}
    chosen = [(k, (local[i], local[j])) for k, (i, j) in enumerate(edges) if i in local]
    inner = [pair for _, pair in chosen]
    tree = spanning_tree(len(group), inner)
    return {state: [(chosen[e][0], sign) for e, sign in path_from_root(local[state], inner, tree)] for state in group}


def _total(rows: Any) -> tuple:
    sums: dict[Any, int] = {}
    for row, sign in rows:
        for key, count in row:
            sums[key] = sums.get(key, 0) + sign * count
    return tuple(sorted(((key, n) for key, n in sums.items() if n), key=repr))
