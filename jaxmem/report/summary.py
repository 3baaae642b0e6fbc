"""The result of a fit as plain numbers: `summary.json` and `parameters.csv`."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..fit import Experiment, Fit, HeldOut, Score

import numpy as np

from .numbers import digits

CELSIUS = 273.15  # K
VERSIONS = ("jaxmem", "jax", "jaxlib", "equinox", "numpy", "scipy")


def versions() -> dict[str, str]:
    """The versions of Python and of the packages that the numbers depend on."""
    found = {"python": python_version()}
    for package in VERSIONS:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def parameters(fit: Fit) -> dict[str, dict[str, Any]]:
    """Each free parameter: value, unit, errors, start, range of starts, bounds of the search, and where it ended.

    `interval_lower` and `interval_upper` are the ends of its 95 % interval (`Fit.interval`).

    `lower` and `upper` bound the search. The factor of a rate with joint limits has none of its own: `rate_lower` and
    `rate_upper` [1/ms] bound the rate where it is largest, and its `start_lower` and `start_upper` hold for starts
    alone, so that it may end `outside_start_range`.
    """
    limits = {limit.scale: limit for limit in fit.free.limits}
    ends = fit.interval()
    table = {}
    for k, parameter in enumerate(fit.free.parameters):
        limit = limits.get(k)
        low, high = parameter.start or (parameter.lower, parameter.upper)
        table[parameter.name] = {
            "value": _number(fit.values[k]),
            "unit": parameter.unit,
            "standard_error": _number(fit.standard_errors[k]),
            "naive_error": _number(fit.naive_errors[k]),
            "interval_lower": _number(ends[k, 0]),
            "interval_upper": _number(ends[k, 1]),
            "start": _number(fit.start_values[k]),
            "start_lower": _number(low),
            "start_upper": _number(high),
            "lower": None if limit else _number(parameter.lower),
            "upper": None if limit else _number(parameter.upper),
            "rate_lower": limit and _number(limit.lower),
            "rate_upper": limit and _number(limit.upper),
            "at_bound": fit.bounds_hit[k] or None,
            "outside_start_range": not low <= float(fit.values[k]) <= high,
        }
    return table


def summary(
    fit: Fit,
    held_out: Sequence[HeldOut] = (),
    extra: dict[str, Any] | None = None,
    *,
    experiments: Sequence[Experiment] = (),
    held_out_experiments: Sequence[Experiment] = (),
    protocols: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Everything a program wants to know of a fit, as JSON values; a number that is not finite is null.

    **Arguments:** `extra`: more keys, such as the command that was run; `experiments`, `held_out_experiments`: in the
    order of the fit's scores and of `held_out`, for units and conditions; `protocols`: what the protocol of an
    experiment of this name is called, by default as the experiment.
    """
    called = protocols or {}
    fitted = [_scored(s, e, called) for s, e in _paired(fit.scores, experiments)]
    together = [row["conditions"] for row in fitted]
    table: dict[str, Any] = {
        "parameters": parameters(fit),
        "rmse": _number(fit.rmse),
        "rmse_over_range": _number(fit.rmse_over_range),
        "starts": int(np.size(fit.losses)),
        "fraction_within_1_percent": _number(fit.fraction_within_1_percent),
        "unit": fitted[0]["unit"] if len({row["unit"] for row in fitted}) == 1 else None,
        "held_out": [_scored(h, e, called) for h, e in _paired(held_out, held_out_experiments)],
        "seconds": {"compile": _number(fit.seconds["compile"]), "run": _number(fit.seconds["run"])},
        "versions": versions(),
        "experiments": fitted,
        "conditions": together[0] if together and all(c == together[0] for c in together) else None,
        "correlation_time_ms": _number(fit.correlation_time),
        "blocks": fit.blocks,
        "degrees_of_freedom": _number(fit.degrees_of_freedom),
        "undetermined": [str(text) for text in fit.undetermined],
        "result": str(fit.result),
    }
    return {**table, **(extra or {})}


def remark(row: dict[str, Any]) -> str:
    """What to say beside a parameter: on which bound it is, not determined by the data, outside its start range."""
    if row["at_bound"]:
        said = f"at {row['at_bound']} bound"
    else:
        said = "" if row["standard_error"] is not None else "not determined"
    return ", ".join(filter(None, (said, "outside start range" if row["outside_start_range"] else "")))


def to_json(table: dict[str, Any]) -> str:
    """A summary as text, with keys in their order."""
    return json.dumps(table, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_csv(table: dict[str, dict[str, Any]]) -> str:
    """The table of parameters as CSV: name, value, unit, standard error, and the rest."""
    text = io.StringIO()
    columns = [
        "name",
        "value",
        "unit",
        "standard_error",
        "naive_error",
        "interval_lower",
        "interval_upper",
        "start",
        "start_lower",
        "start_upper",
        "lower",
        "upper",
        "rate_lower",
        "rate_upper",
        "at_bound",
        "outside_start_range",
    ]
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    for name, row in table.items():
        writer.writerow({"name": name, **{k: "" if v is None else v for k, v in row.items()}})
    return text.getvalue()


def conditions(experiment: Experiment) -> dict[str, Any] | None:
    """Temperature [K] and, where the bath has ions, their concentrations [mM] inside and outside.

    What differs among the points of a measurement is a list of its smallest and its largest value.
    """
    bath = experiment.conditions
    if bath is None:
        return None
    found: dict[str, Any] = {"temperature": {"value": _span(bath.temperature), "unit": "K"}}
    if bath.species:
        sides = ((s.name, (_span(c) for c in bath[s])) for s in bath.species)
        ions = {name: dict(zip(("inside", "outside"), pair, strict=True)) for name, pair in sides}
        found["concentrations"] = {"unit": "mM", **ions}
    return found


def said(conditions: Mapping[str, Any] | None) -> str:
    """Conditions in words; ranges of what differs among points."""
    if conditions is None:
        return ""
    text = f"at {_said(conditions['temperature']['value'], CELSIUS)} °C"
    ions = {k: pair for k, pair in conditions.get("concentrations", {}).items() if k != "unit"}
    listed = ", ".join(f"{name} {_said(c['inside'])} | {_said(c['outside'])} mM" for name, c in ions.items())
    return f"{text}; inside | outside: {listed}" if listed else text


def _said(value: float | Sequence[float], zero: float = 0.0) -> str:
    ends = value if isinstance(value, Sequence) else (value,)
    return " to ".join(digits(end - zero) for end in ends)


def _span(values: Any) -> float | list[float | None] | None:
    ends = [_number(end(np.asarray(values))) for end in (np.min, np.max)]
    return ends[0] if ends[0] == ends[1] else ends


def _paired(scores: Sequence[Any], experiments: Sequence[Experiment]) -> list[tuple[Any, Experiment | None]]:
    return list(zip(scores, experiments or [None] * len(scores), strict=True))


def _scored(score: Score | HeldOut, experiment: Experiment | None, protocols: Mapping[str, str]) -> dict[str, Any]:
    return {
        "protocol": protocols.get(score.name, score.name),
        "name": score.name,
        "rmse": _number(score.rmse),
        "unit": experiment and experiment.unit,
        "rmse_over_range": _number(score.rmse_over_range),
        "conditions": experiment and conditions(experiment),
    }


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
