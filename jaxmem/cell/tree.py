"""Which compartments lie on either side of a membrane, and which are closed together."""

from collections.abc import Sequence

from ..results import InputError


def two_sides(joined: Sequence[tuple[str, str]], finite: Sequence[str]) -> tuple[tuple[tuple[str, float], ...], ...]:
    """For each membrane, given as (inside, outside), the compartments whose charges sum to C V, with their signs: those
    on its inner side, or, with -1, those on its outer side if the inner one reaches a bath; () if both do.

    **Raises:** `InputError` if membranes close a loop, so that a membrane has no two sides.
    """
    out = []
    for k, (inside, outside) in enumerate(joined):
        others = [pair for i, pair in enumerate(joined) if i != k]
        inner, outer = _reached(inside, others), _reached(outside, others)
        if inner & outer:
            raise InputError(
                f"Membranes must not close a loop, but that between '{inside}' and '{outside}' does; mechanisms "
                "between the same compartments belong in one membrane."
            )
        closed = set(finite)
        if inner <= closed:
            out.append(tuple((name, 1.0) for name in sorted(inner)))
        elif outer <= closed:
            out.append(tuple((name, -1.0) for name in sorted(outer)))
        else:
            out.append(())
    return tuple(out)


def enclosed(pairs: Sequence[tuple[str, str]], finite: Sequence[str]) -> list[tuple[str, ...]]:
    """The sets of compartments that pairs join, and join to no bath."""
    groups = dict.fromkeys(tuple(sorted(_reached(name, pairs))) for name in finite)
    return [group for group in groups if set(group) <= set(finite)]


def _reached(start: str, pairs: Sequence[tuple[str, str]]) -> set[str]:
    """Everything that pairs join with a start."""
    found, fresh = {start}, [start]
    while fresh:
        name = fresh.pop()
        for a, b in pairs:
            for here, there in ((a, b), (b, a)):
                if here == name and there not in found:
                    found.add(there)
                    fresh.append(there)
    return found
