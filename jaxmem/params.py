"""Fields of models: unit and natural domain declared once, next to the field.

Models hold physical values in plain arrays and never know that they are being fitted.
"""

import dataclasses
import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer


@dataclasses.dataclass(frozen=True)
class Domain:
    """The values that a parameter may naturally take: an open interval."""

    name: str
    lower: float
    upper: float

    def contains(self, value: float) -> bool:
        """Whether a finite value lies in the domain, ends included."""
        return math.isfinite(value) and self.lower <= value <= self.upper


real = Domain("real", -math.inf, math.inf)
positive = Domain("positive", 0.0, math.inf)
unit_interval = Domain("unit interval", 0.0, 1.0)


def as_array(value: Any) -> Any:
    """`value` as a strongly typed floating-point array; arrays keep their floating dtype.

    Python numbers take the default float dtype, so that weak types never force a second trace; None stays None.
    """
    if value is None:
        return None
    if isinstance(value, (jax.Array, np.ndarray, np.generic)) and jnp.issubdtype(value.dtype, jnp.inexact):
        return jnp.asarray(value, dtype=jax.dtypes.canonicalize_dtype(value.dtype))  # float32 without x64, silently
    return jnp.asarray(value, dtype=jnp.result_type(float))


def param(unit: str, domain: Domain = real, **options: Any) -> Any:
    """A field of an equinox module that is a parameter: a float array with a unit and a natural domain.

    **Arguments:** `unit`: a name that `units.factor` knows, `""` for a pure number; `options`: of `equinox.field`, such
    as `default=None`.
    """
    return eqx.field(converter=as_array, metadata={"unit": unit, "domain": domain}, **options)


@dataclasses.dataclass(frozen=True)
class Entry:
    """One parameter of a model: where it is, its unit, domain and value."""

    path: str
    unit: str
    domain: Domain
    value: Any


def parameters(model: Any, path: str = "") -> tuple[Entry, ...]:
    """Every parameter of a model (a module, or tuples, lists and dicts of modules), in field order.

    **Arguments:** `path` is put before each entry's own path.
    """
    if isinstance(model, eqx.Module):
        entries: list[Entry] = []
        for field in dataclasses.fields(model):
            value = getattr(model, field.name, None)
            here = f"{path}.{field.name}" if path else field.name
            if "unit" in field.metadata:
                if value is not None:
                    entries.append(Entry(here, field.metadata["unit"], field.metadata["domain"], value))
            elif not field.metadata.get("static", False):
                entries.extend(parameters(value, here))
        return tuple(entries)
    if isinstance(model, dict):
        return tuple(e for key, value in model.items() for e in parameters(value, f"{path}[{key!r}]"))
    if isinstance(model, (tuple, list)):
        names = getattr(model, "_fields", None) or [f"[{i}]" for i in range(len(model))]
        steps = [name if name.startswith("[") else f".{name}" for name in names]
        return tuple(e for step, value in zip(steps, model, strict=True) for e in parameters(value, path + step))
    return ()


def describe(model: Any) -> str:
    """A table of a model's parameters: path, value, unit, domain."""
    rows = [("parameter", "value", "unit", "domain")]
    for entry in parameters(model):
        if isinstance(entry.value, Tracer):
            text = f"traced {entry.value.shape}"
        else:
            value = np.asarray(entry.value)
            text = f"{value:.6g}" if value.ndim == 0 else f"array {value.shape}"
        rows.append((entry.path, text, entry.unit, entry.domain.name))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows)
