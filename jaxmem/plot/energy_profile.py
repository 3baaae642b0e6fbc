"""The energy of a lone ion along a pore of barriers and sites."""

from collections.abc import Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from matplotlib.axes import Axes

from ..electrochemistry import Bath, Species, as_bath
from ..permeation import BarrierPore
from ..units import thermal_voltage
from .style import COLORS, CYCLE, WIDTH, new_axes, styled

MARGIN = 0.08  # of either bath that is drawn, in electrical distance
FINE = 400  # points of a curve


def lone_ion_energies(
    pore: BarrierPore, bath: Bath | float | None = None, v: Any = 0.0
) -> Float[Array, "species 2*sites+1"]:
    """Energies [kT] of barrier, site, barrier, ..., barrier from outside, for an ion that has the pore for itself.

    G + z u delta with u = FV/RT; the outside bath is 0 and the inside one z u, both at 1 M.

    **Arguments:** `bath`: a `Bath` or a temperature [K]; the pore's reference temperature by default; `v` [mV].
    **Raises:** `ValueError` for a pore without reference temperature at a voltage, if `bath` is not given.
    """
    count = pore.sites.shape[-1]
    order = np.argsort(np.r_[np.arange(0, 2 * count + 1, 2), np.arange(1, 2 * count, 2)])
    energy = jnp.concatenate([pore.barriers, pore.sites], -1)[:, order]
    if bath is not None and pore.reference is not None:
        energy = pore.reference / as_bath(bath).temperature * energy
    z = jnp.asarray([s.z for s in pore.species], energy.dtype)
    return energy + (z * _reduced(pore, bath, v))[:, None] * pore.distances[None, :]


@styled
def energy_profile(
    pore: BarrierPore,
    ax: Axes | None = None,
    *,
    species: Sequence[Species] | None = None,
    bath: Bath | float | None = None,
    v: float = 0.0,
    errors: Any = None,
    reach: float = 1.96,
) -> Axes:
    """The energy [kT] of a lone ion of each species against electrical distance, from the outside bath to the inside.

    A smooth curve joins barriers and sites, the only energies that the model has. The shaded band is the interval of
    the curve at every place, and a hollow point is an energy whose error is not known.

    **Arguments**

    - `species`: which to draw; all by default.
    - `bath`, `v` [mV]: as for `lone_ion_energies`.
    - `errors`: standard errors [kT] of `lone_ion_energies`, same shape (species, 2 sites + 1), taken as independent of
      each other, or the covariances of each species, shape (species, 2 sites + 1, 2 sites + 1). Zero for an energy that
      is fixed, NaN or infinite for one that is not determined.
    - `reach`: of the band to either side, in standard errors; 1.96 make a 95 % interval of many data.

    **Raises:** `ValueError` for a species that the pore does not carry, and for errors of another shape.
    """
    drawn = pore.species if species is None else tuple(species)
    for one in drawn:
        if one not in pore.species:
            named = ", ".join(s.name for s in pore.species)
            raise ValueError(f"Argument `species` must be among those of the pore, {named}, but has {one.name}.")
    energies = np.asarray(lone_ion_energies(pore, bath, v), float)
    covariances = _covariances(errors, energies.shape)
    inside = np.array([s.z for s in pore.species]) * float(_reduced(pore, bath, v))
    points = np.r_[-MARGIN, 0.0, np.asarray(pore.distances, float), 1.0, 1.0 + MARGIN]
    points[1] = min(0.0, points[2] - 0.5 * MARGIN)  # a barrier may be at the very mouth
    points[-2] = max(1.0, points[-3] + 0.5 * MARGIN)
    x = np.unique(np.r_[np.linspace(points[0], points[-1], FINE), points])
    weights = _weights(x, points)
    ax = new_axes(ax, 3.4, WIDTH)
    for edge in (0.0, 1.0):
        ax.axvline(edge, color=COLORS["rule"], linewidth=0.8, zorder=0)
    ax.axhline(0.0, color=COLORS["rule"], linewidth=0.8, zorder=0)
    for k, one in enumerate(drawn):
        row, color = pore.species.index(one), CYCLE[k % len(CYCLE)]
        values = np.r_[0.0, 0.0, energies[row], inside[row], inside[row]]
        y = weights @ values
        deviation, known = _deviation(weights[:, 2:-2], covariances[row])
        if (deviation[np.isfinite(deviation)] > 0).any():
            half = reach * deviation
            ax.fill_between(x, y - half, y + half, color=color, alpha=0.18, linewidth=0)
        ax.plot(x, y, color=color, label=one.name)
        for at, face in ((known, color), (~known, "white")):
            ax.plot(points[2:-2][at], energies[row][at], "o", color=color, markerfacecolor=face, markersize=4)
    for place, name in ((0.0, "outside"), (1.0, "inside")):
        ax.text(
            place, 1.01, name, transform=ax.get_xaxis_transform(), color=COLORS["quiet"], ha="center", va="bottom",
            fontsize=8.0,
        )  # fmt: skip
    shown = f" at {v:g} mV".replace("-", "\u2212") if v else ""
    of = f" of {drawn[0].name}" if len(drawn) == 1 else ""
    ax.set(xlim=(points[0], points[-1]), xlabel="electrical distance from outside", ylabel=f"energy{of}{shown} (kT)")
    ax.margins(y=0.08)
    if len(drawn) > 1:
        ax.legend(loc="best")
    return ax


def _reduced(pore: BarrierPore, bath: Bath | float | None, v: Any) -> Any:
    """u = FV/RT, without temperature at 0 mV, where it plays no part."""
    if bath is None and pore.reference is None:
        if np.ndim(v) == 0 and float(v) == 0.0:
            return jnp.zeros((), pore.sites.dtype)
        raise ValueError(f"At {v} mV the energies depend on temperature; give `bath` or a temperature [K].")
    kelvin = pore.reference if bath is None else as_bath(bath).temperature
    return v / thermal_voltage(kelvin)


def _covariances(errors: Any, shape: tuple[int, int]) -> Float[np.ndarray, "species energies energies"]:
    if errors is None:
        return np.zeros((*shape, shape[-1]))
    found = np.asarray(errors, float)
    if found.shape not in (shape, (*shape, shape[-1])):
        raise ValueError(
            f"Argument `errors` must have the shape {shape} of the energies, or {(*shape, shape[-1])} of their "
            f"covariances, but has {found.shape}."
        )
    return found if found.ndim == 3 else np.where(np.eye(shape[-1], dtype=bool), found[:, :, None] ** 2, 0.0)


def _deviation(weights: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard deviation along the curve, NaN where an energy of unknown error takes part; and whose error is known."""
    known = np.isfinite(np.diag(covariance))
    settled = np.where(known[:, None] & known[None, :], covariance, 0.0)
    variance = np.einsum("xi,ij,xj->x", weights, settled, weights)
    unknown = (weights[:, ~known] > 0).any(axis=1)
    return np.where(unknown, np.nan, np.sqrt(np.maximum(variance, 0.0))), known


def _weights(x: np.ndarray, points: np.ndarray) -> Float[np.ndarray, "x points"]:
    """How much each point counts at x: half a wave of a cosine from each to the next, level at both."""
    last = np.clip(np.searchsorted(points, x, "right") - 1, 0, points.size - 2)
    part = (x - points[last]) / (points[last + 1] - points[last])
    rise = 0.5 * (1.0 - np.cos(np.pi * part))
    found = np.zeros((x.size, points.size))
    found[np.arange(x.size), last] = 1.0 - rise
    found[np.arange(x.size), last + 1] = rise
    return found
