"""The topology of a state graph: plain tuples of integers, worked out once on the host."""

from collections.abc import Sequence


def check_edges(states: Sequence[str], edges: Sequence[tuple[int, int]], exchange: Sequence[object]) -> None:
    """Refuse graphs that are not one connected piece without loops, and two edges between the same states that
    exchange the same: their rates add. Those that differ, such as an ion that leaves a site to either side, stay.

    **Raises:** `ValueError`.
    """
    if len(set(states)) != len(states):
        raise ValueError(f"States must have different names, but they are {', '.join(states)}.")
    seen = set()
    for (i, j), row in zip(edges, exchange, strict=True):
        released = frozenset(row)
        back = frozenset((side, -count) for side, count in row)
        pair = (i, j, released) if i < j else (j, i, back)
        if i == j:
            raise ValueError(f"An edge must connect two states, but one goes from {states[i]} to itself.")
        if pair in seen:
            raise ValueError(
                f"Two states may be joined by one edge only, but {states[i]} and {states[j]} are joined twice; "
                f"add the rates, or say what each edge exchanges."
            )
        seen.add(pair)
    reached = {0}
    while True:
        grown = reached | {j for i, j in edges if i in reached} | {i for i, j in edges if j in reached}
        if grown == reached:
            break
        reached = grown
    if len(reached) < len(states):
        lost = ", ".join(s for k, s in enumerate(states) if k not in reached)
        raise ValueError(f"Every state must be reachable from {states[0]}, but {lost} cannot be reached; add an edge.")


def spanning_tree(
    count: int, edges: Sequence[tuple[int, int]], avoid: Sequence[int] = ()
) -> dict[int, tuple[int, int]]:
    """A spanning tree, breadth first: `{state: (edge, sign)}`, for every state but the first the edge to it.

    Sign +1 means that the edge's forward direction arrives at the state. Edges in `avoid` are used last.
    """
    tree: dict[int, tuple[int, int]] = {}
    order = [e for e in range(len(edges)) if e not in avoid] + list(avoid)
    reached, grew = {0}, True
    while grew:
        grew = False
        for e in order:
            i, j = edges[e]
            if (i in reached) != (j in reached):
                state, sign = (j, 1) if i in reached else (i, -1)
                tree[state] = (e, sign)
                reached.add(state)
                grew = True
                break
    return tree


def path_from_root(
    state: int, edges: Sequence[tuple[int, int]], tree: dict[int, tuple[int, int]]
) -> list[tuple[int, int]]:
    """The tree path from the first state to `state` as (edge, sign) steps."""
    steps = []
    while state != 0:
        edge, sign = tree[state]
        steps.append((edge, sign))
        state = edges[edge][0] if sign == 1 else edges[edge][1]
    return steps[::-1]


def fundamental_cycles(
    count: int, edges: Sequence[tuple[int, int]], avoid: Sequence[int] = ()
) -> tuple[tuple[tuple[int, int], ...], ...]:
    """One cycle of (edge, sign) steps for each edge outside the spanning tree; it begins with that edge, forward."""
    tree = spanning_tree(count, edges, avoid)
    in_tree = {edge for edge, _ in tree.values()}
    cycles = []
    for e, (i, j) in enumerate(edges):
        if e in in_tree:
            continue
        out, back = path_from_root(i, edges, tree), path_from_root(j, edges, tree)
        while out and back and out[0] == back[0]:
            out, back = out[1:], back[1:]
        cycles.append(((e, 1), *((edge, -sign) for edge, sign in reversed(back)), *out))
    return tuple(cycles)
