"""What varies among the points of a measurement, and so what its curves are drawn against."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ..electrochemistry import Bath, Solution
from ..recordings import Measurement

SAME = 1e-6  # relative difference up to which conditions are the same
FEWEST = 3  # points that make a curve, on average, where nothing says which belong together
FINE = 120  # points of a fitted curve

Index = Int[np.ndarray, " chosen"]
Table = Float[np.ndarray, "points conditions"]
V, T = 0, 1  # the first two columns of a table; then every species inside, and every species outside


@dataclass(frozen=True)
class Axis:
    """What a curve is drawn against.

    **Arguments:** `columns`: of the table of conditions, which vary together along it; `fraction`: whether the first is
    drawn as its share of the sum of the first two; `label`: with its unit; `log`: whether equal ratios are equally far
    apart; `both`: whether concentrations on both sides are the same.
    """

    columns: tuple[int, ...]
    label: str
    fraction: bool = False
    log: bool = False
    both: bool = False

    def of(self, table: Table) -> Float[np.ndarray, " points"]:
        """Where each row of a table is along the axis."""
        first = table[:, self.columns[0]]
        return first / (first + table[:, self.columns[1]]) if self.fraction else first

    def fine(self, x: Float[np.ndarray, " points"]) -> Float[np.ndarray, " fine"]:
        """Places between the smallest and the largest of some, close enough for a smooth curve."""
        low, high = float(x.min()), float(x.max())
        if self.fraction:  # a trace of an ion can change everything, so the ends are seen from close by
            return low + 0.5 * (high - low) * (1.0 - np.cos(np.linspace(0.0, np.pi, FINE)))
        if not self.log:
            return np.linspace(low, high, FINE)
        if low > 0.0:
            return np.geomspace(low, high, FINE)
        least, few = float(x[x > 0.0].min()), FINE // 6  # zero itself is drawn, too
        return np.r_[np.linspace(0.0, least, few, endpoint=False), np.geomspace(least, high, FINE - few)]


@dataclass(frozen=True)
class Curve:
    """Points that differ along one axis alone: their numbers, and what to call them; no axis if there is none."""

    index: Index
    label: str
    axis: Axis | None


def table_of(measurement: Measurement) -> Table:
    """The conditions of every point: V [mV], temperature [K], every species inside, every species outside [mM]."""
    bath, count = measurement.bath, np.size(measurement.v)
    pairs = [bath[s] for s in bath.species]
    columns = [measurement.v, bath.temperature, *(pair[side] for side in (0, 1) for pair in pairs)]
    return np.stack([np.broadcast_to(np.asarray(c, float), count) for c in columns], 1)


def bath_of(table: Table, like: Bath) -> Bath:
    """The conditions of a table as a bath with a leading axis of points."""
    count = len(like.species)
    side = lambda first: Solution({s: table[:, first + k] for k, s in enumerate(like.species)})
    return Bath(side(2), side(2 + count), table[:, T])


def curves(measurement: Measurement) -> list[Curve]:
    """The points of a measurement as curves, in the order of its series.

    Points of one series, or all of them where no series are given, that differ in more than one way are parted by their
    solutions or by their voltages, whichever makes the longer curves; what is still not along one axis has none.
    """
    table = table_of(measurement)
    labels = measurement.series
    names = list(dict.fromkeys(labels)) if labels is not None else [""]
    found: list[Curve] = []
    for name in names:
        index = np.flatnonzero([label == name for label in labels]) if labels is not None else np.arange(len(table))
        found += _parted(index, str(name), table, measurement.bath)
    axes = [c.axis for c in found if c.axis is not None]
    alone = lambda c: c.axis is None and c.index.size == 1 and axes  # a single point joins the others' axis
    return [Curve(c.index, c.label, axes[0]) if alone(c) else c for c in found]


def _parted(index: Index, name: str, table: Table, bath: Bath) -> list[Curve]:
    axis = _axis(table[index], bath)
    if axis is not None or index.size == 1:
        return [Curve(index, name, axis)]
    solutions = [k for k in range(table.shape[1]) if k != V]
    ways = [(list(_groups(table[index][:, columns])), columns) for columns in (solutions, [V])]
    for parts, columns in sorted(ways, key=lambda way: len(way[0])):  # long curves rather than many
        groups = [index[part] for part in parts]
        axes = [_axis(table[part], bath) for part in groups]
        found = [a for a, part in zip(axes, groups, strict=True) if part.size > 1]
        if index.size >= FEWEST * len(groups) and found and all(a is not None and a == found[0] for a in found):
            texts = _differences(np.stack([table[part[0]] for part in groups]), columns, bath)
            called = [", ".join(filter(None, (name, text))) for text in texts]
            return [Curve(part, text, found[0]) for part, text in zip(groups, called, strict=True)]
    return [Curve(index, name, None)]


def _groups(rows: Table) -> Iterator[Index]:
    """The rows that are the same, in the order in which they first occur."""
    scale = np.abs(rows).max(0)
    close = np.round(rows / np.where(scale > 0, scale, 1.0) / SAME)
    _, first, which = np.unique(close, axis=0, return_index=True, return_inverse=True)
    for k in np.argsort(first):
        yield np.flatnonzero(which.reshape(-1) == k)


def _varies(rows: Table) -> list[int]:
    spread, size = np.ptp(rows, axis=0), np.abs(rows).max(0)
    return np.flatnonzero(spread > SAME * size).tolist()


def _axis(rows: Table, bath: Bath) -> Axis | None:
    """Along what some rows differ, if it is one thing."""
    varies = _varies(rows)
    if varies == [V]:
        return Axis((V,), "V (mV)")
    if varies == [T]:
        return Axis((T,), "temperature (K)")
    if not varies or {V, T} & set(varies):
        return None
    species, sides = zip(*(_where(k, bath) for k in varies), strict=True)
    kinds, both = list(dict.fromkeys(species)), len(set(sides)) == 2
    place = "on both sides" if both else sides[0]
    largest = rows[:, varies].max(0)
    together = rows[:, varies] / largest
    if np.abs(together - together[:, :1]).max() <= SAME:  # all in proportion
        equal = both and np.ptp(largest) <= SAME * largest.max()
        place = place if equal or not both else sides[0]
        return Axis(tuple(varies), f"{' and '.join(kinds)} {place} (mM)", log=True, both=equal)
    parts = [[k for k in varies if _where(k, bath)[1] == side] for side in dict.fromkeys(sides)]
    if len(kinds) == 2 and all(len(pair) == 2 for pair in parts):
        sums = [rows[:, pair].sum(1) for pair in parts]
        shares = [rows[:, pair[0]] / total for pair, total in zip(parts, sums, strict=True)]
        if all(np.ptp(s) <= SAME * s.max() for s in sums) and np.ptp(shares, axis=0).max() <= SAME:
            one, other = kinds
            label = f"[{one}] / ([{one}] + [{other}]) {place}"
            return Axis((*parts[0], *(k for pair in parts[1:] for k in pair)), label, fraction=True)
    return None


def _where(column: int, bath: Bath) -> tuple[str, str]:
    """Which species is in a column, and on which side."""
    side, k = divmod(column - 2, len(bath.species))
    return bath.species[k].name, ("inside", "outside")[side]


def _differences(rows: Table, columns: list[int], bath: Bath) -> list[str]:
    """How the conditions of each row differ from those of the others, in words."""
    differ = [columns[k] for k in _varies(rows[:, columns])]
    count = len(bath.species)
    texts = []
    for row in rows:
        words = []
        for k in differ:
            if k == V:
                words.append(f"{row[k]:g} mV".replace("-", "\u2212"))
            elif k == T:
                words.append(f"{row[k]:g} K")
            else:
                name, side = _where(k, bath)
                twin = k + count if k < 2 + count else k - count
                both = twin in differ and np.allclose(rows[:, k], rows[:, twin], rtol=SAME)
                if both and side == "outside":
                    continue
                place = " on both sides" if both else f" {side}"
                alone = len(differ) - both == 1
                words.append(f"{row[k]:.4g} mM {name}" + ("" if alone and not both else place))
        texts.append(", ".join(words))
    return texts
