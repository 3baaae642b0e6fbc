"""Aligned text tables for a terminal."""

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Columns under a header, two spaces apart; the columns of the indices in `right` are set to the
    right."""
    grid = [list(header), *[list(row) for row in rows]]
    widths = [max(len(row[k]) for row in grid) for k in range(len(header))]
    lines = [
        "  ".join(
            cell.rjust(w) if k in right else cell.ljust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in grid
    ]
    return "\n".join(line.rstrip() for line in lines)
