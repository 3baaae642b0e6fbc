"""The result of a fit as plain numbers: `summary.json` and `parameters.csv`."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..fit import Fit, HeldOut

import numpy as np

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
    """Each free parameter: value, unit, standard error, naive error, start, bounds, and whether it ended on
    one."""
    table = {}
    for k, parameter in enumerate(fit.free.parameters):
        table[parameter.name] = {
            "value": _number(fit.values[k]),
            "unit": parameter.unit,
            "standard_error": _number(fit.standard_errors[k]),
            "naive_error": _number(fit.naive_errors[k]),
            "start": _number(fit.start_values[k]),
            "lower": _number(parameter.lower),
            "upper": _number(parameter.upper),
            "at_bound": fit.bounds_hit[k] or None,
        }
    return table


def summary(
    fit: Fit, held_out: Sequence[HeldOut] = (), extra: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Everything a program wants to know of a fit, as JSON values; a number that is not finite is null.

    **Arguments:** `extra`: more keys, such as the command that was run.
    """
    table: dict[str, Any] = {
        "parameters": parameters(fit),
        "rmse": _number(fit.rmse),
        "rmse_over_range": _number(fit.rmse_over_range),
        "starts": int(np.size(fit.losses)),
        "fraction_within_1_percent": _number(fit.fraction_within_1_percent),
        "held_out": [
            {"protocol": h.name, "rmse": _number(h.rmse), "rmse_over_range": _number(h.rmse_over_range)}
            for h in held_out
        ],
        "seconds": {"compile": _number(fit.seconds["compile"]), "run": _number(fit.seconds["run"])},
        "versions": versions(),
        "experiments": [
            {"protocol": s.name, "rmse": _number(s.rmse), "rmse_over_range": _number(s.rmse_over_range)}
            for s in fit.scores
        ],
        "correlation_time_ms": _number(fit.correlation_time),
        "blocks": fit.blocks,
        "undetermined": [str(text) for text in fit.undetermined],
        "result": str(fit.result),
    }
    return {**table, **(extra or {})}


def remark(row: dict[str, Any]) -> str:
    """What to say beside a parameter: which bound it is on, or that the data do not determine it."""
    if row["at_bound"]:
        return f"at {row['at_bound']} bound"
    return "" if row["standard_error"] is not None else "not determined"


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
        "start",
        "lower",
        "upper",
        "at_bound",
    ]
    writer = csv.DictWriter(text, columns, lineterminator="\n", restval="")
    writer.writeheader()
    for name, row in table.items():
        writer.writerow({"name": name, **{k: "" if v is None else v for k, v in row.items()}})
    return text.getvalue()


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
