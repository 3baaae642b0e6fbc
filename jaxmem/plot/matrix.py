"""The correlation of fitted parameters."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .style import COLORS, figure_of, new_axes, styled


@styled
def correlation(matrix: Any, names: Sequence[str], ax: Axes | None = None) -> Axes:
    """A correlation matrix as colored cells with its numbers, -1 to 1; cells without a number stay white.

    **Arguments:** `matrix`: shape (parameters, parameters); `names`: one for each parameter.
    **Raises:** `ValueError` if the matrix is not square or the names are not as many.
    """
    values = np.asarray(matrix, float)
    count = len(names)
    if values.shape != (count, count):
        raise ValueError(f"Argument `matrix` must be {count} x {count}, one row for each name, but is {values.shape}.")
    side = max(3.2, 0.42 * count + 1.4)
    ax = new_axes(ax, side, side + 0.7)
    image = ax.imshow(np.ma.masked_invalid(values), cmap="RdBu_r", vmin=-1.0, vmax=1.0)
    for i, j in np.ndindex(values.shape):
        if np.isfinite(values[i, j]):
            dark = abs(values[i, j]) > 0.6
            ax.text(
                j,
                i,
                "1" if i == j else f"{values[i, j]:.2f}".replace("0.", "."),
                ha="center",
                va="center",
                color="white" if dark else COLORS["text"],
                fontsize=7.5 if count <= 10 else 5.5,
            )
    ax.set_xticks(range(count), list(names), rotation=45, ha="right", rotation_mode="anchor")
    ax.set_yticks(range(count), list(names))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    bar = figure_of(ax).colorbar(image, ax=ax, shrink=0.7, pad=0.02, ticks=[-1, -0.5, 0, 0.5, 1])
    bar.set_label("correlation")
    bar.outline.set_visible(False)  # type: ignore[operator]
    return ax
