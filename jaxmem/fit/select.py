"""Free parameters by lambda: `free((lambda m: m.permeation.g, log_between(15.0, 150.0)), ...)`."""

import dataclasses
from collections.abc import Callable
from typing import Any

from ..results import InputError
from .parameters import Free, Parameter, RateLimit
from .target import Target, get, put, target_of


@dataclasses.dataclass(frozen=True)
class Interval:
    """Bounds of a parameter before it has a name; see `between` and `log_between`."""

    lower: float
    upper: float
    log: bool
    value: float | None = None
    start: tuple[float, float] | None = None
    name: str = ""


def between(
    lower: float,
    upper: float,
    *,
    value: float | None = None,
    start: tuple[float, float] | None = None,
    name: str = "",
) -> Interval:
    """Bounds of a parameter that is searched as it is.

    **Arguments** see `Parameter`; `name` is the path of the attribute by default.
    """
    return Interval(lower, upper, False, value, start, name)


def log_between(
    lower: float,
    upper: float,
    *,
    value: float | None = None,
    start: tuple[float, float] | None = None,
    name: str = "",
) -> Interval:
    """Bounds of a positive parameter that is searched as its logarithm, as `between` otherwise."""
    return Interval(lower, upper, True, value, start, name)


@dataclasses.dataclass(frozen=True)
class RateBox:
    """An exponential rate law freed with joint limits; see `rate_box`."""

    where: Callable[[Any], Any]
    a: Interval
    b: Interval
    rate: tuple[float, float]
    at: float


def rate_box(
    where: Callable[[Any], Any],
    a: Interval,
    b: Interval,
    *,
    rate: tuple[float, float],
    v: tuple[float, float],
) -> RateBox:
    """Both parameters of a rate a exp(b V), with limits on the rate at its largest in a range of voltages.

    It is searched as (ln k at the voltage where k is largest, b), so the limits on k are a box. Starts are
    drawn from the ranges of a and b and drawn again until k is within its limits.

    **Arguments**

    - `where`: selects the rate law (`Exponential`), with fields `a` [1/ms] and `b` [1/mV].
    - `a`: `log_between(...)` [1/ms]; holds for the starts.
    - `b`: `between(...)` [1/mV]; does not change its sign, which says at which end of `v` the rate is
      largest.
    - `rate`: limits [1/ms].
    - `v`: the range of voltages [mV].

    **Raises** `InputError` if b may have either sign.

    **Source** K. A. Beattie et al., J. Physiol. 596, 1813 (2018).
    """
    if b.lower < 0 < b.upper:
        raise InputError(
            f"The slope of a limited rate must keep its sign, but is in [{b.lower:g}, {b.upper:g}]; give "
            f"bounds of one sign."
        )
    return RateBox(where, a, b, rate, float(max(v) if b.upper > 0 else min(v)))


def free(*entries: tuple[Callable[[Any], Any], Interval] | RateBox) -> Free:
    """Free parameters selected from a model by lambda.

    **Arguments** Each entry is a pair (selection, bounds), such as `(lambda m: m.permeation.g,
    log_between(15.0, 150.0))`, or a `rate_box(...)`. A selection follows attributes and indices to one number, which
    may be an element of an array: `lambda m: m[0].permeation.barriers[0, 1]`.

    **Raises** `InputError` if both factors of a product are freed (a channel's `number` and its
    conductance), a parameter occurs twice, or nothing is free.
    """
    targets: list[Target] = []
    found: list[Parameter] = []
    limits: list[RateLimit] = []

    def add(where: Callable[[Any], Any], interval: Interval) -> None:
        target = target_of(where)
        targets.append(target)
        name = interval.name or str(target)
        found.append(Parameter(name, "", interval.lower, interval.upper, interval.log, interval.value, interval.start))

    for entry in entries:
        if isinstance(entry, RateBox):
            limits.append(RateLimit(len(found), len(found) + 1, entry.at, *entry.rate))
            add(lambda m, law=entry.where: law(m).a, entry.a)
            add(lambda m, law=entry.where: law(m).b, entry.b)
        elif isinstance(entry, tuple) and len(entry) == 2 and callable(entry[0]) and isinstance(entry[1], Interval):
            add(*entry)
        else:
            raise InputError(
                f"Each entry must be (lambda m: ..., between(low, high)) or a rate_box, but one is {entry!r}."
            )
    paths = tuple(map(str, targets))
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise InputError(f"Each parameter must be freed once, but {', '.join(twice)} occurs twice.")
    place = lambda model, values: put(model, targets, values)
    return Free(tuple(found), place, tuple(limits), lambda model: get(model, targets), paths)
