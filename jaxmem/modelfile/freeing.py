"""From a model file to what a fit may move: parameters with bounds, and limits on rates."""

import math
from typing import TYPE_CHECKING

from ..fit import Free, Parameter, RateLimit
from .table import OWN_UNIT, Table

if TYPE_CHECKING:
    from .model import ModelFile

Bounds = dict[str, tuple[float, float]]
_ARGUMENTS = ("a", "b", "k", "k0", "z", "v0", "s")
Term = tuple[float, str | None]  # a coefficient, and the free parameter that it multiplies


def free(file: "ModelFile") -> Free:
    """The free parameters of a model file, in its order; values are in jaxmem's units.

    **Raises:** `InputError` if all parameters are fixed, or the limits on rates cannot be kept.
    """
    chosen = [s for s in file.specifications if s.free]
    if not chosen:
        file.parameters.table.fail(
            f"at least one parameter must be free, but all {len(file.specifications)} are fixed; give one bounds = "
            "[lower, upper]"
        )
    names = [s.name for s in chosen]
    bounds = {s.name: (s.lower, s.upper) for s in chosen if s.lower is not None and s.upper is not None}
    limits = _rate_limits(file, bounds) if file.limits else ()
    found = []
    for s in chosen:
        lower, upper = bounds[s.name]
        # The value lies within the file's own bounds, but for rounding.
        value = min(max(s.quantity.value, lower), upper)
        found.append(Parameter(s.name, OWN_UNIT[s.quantity.dimension], lower, upper, s.log, value))
    return Free(tuple(found), lambda model, values: file.build(dict(zip(names, values, strict=True))), limits)


def _rate_limits(file: "ModelFile", bounds: Bounds) -> tuple[RateLimit, ...]:
    """Joint limits of the factor and slope of every law; where one is fixed, the other's bounds narrow."""
    lower, upper, v_min, v_max = file.limits or (0.0, math.inf, 0.0, 0.0)
    values, names = file.values, list(bounds)
    log = {s.name: s.log for s in file.specifications}
    found: dict[str, RateLimit] = {}
    for law in file.parameters.laws:
        if "charge" in law:
            law.fail("[rate_limits] hold for laws without a charge only; remove them, or write a slope b", "charge")
        terms = {key: _term(file, law, key, bounds) for key in _ARGUMENTS if key in law}
        if not any(name for _, name in terms.values()):
            continue
        if law["law"] not in ("constant", "exponential") or "s" in law:
            law.fail("[rate_limits] hold for laws 'constant' and 'exponential' (a, b) only; remove them")
        factor, scale = terms["k"] if law["law"] == "constant" else terms["a"]
        sign, slope = terms.get("b", (0.0, None))
        ends = [sign * x for x in (bounds[slope] if slope else (1.0,))]
        if min(ends) < 0 < max(ends):
            law.fail(f"the slope '{slope}' must keep its sign to be limited; give it bounds of one sign", "b")
        # Where the rate is largest it is factor scale exp(at slope).
        at = sign * (v_max if max(ends) > 0 else v_min)
        largest = math.log(factor * (values[scale] if scale else 1.0)) + at * (values[slope] if slope else 1.0)
        if not math.log(lower) - 1e-9 <= largest <= math.log(upper) + 1e-9:
            power = f"1e{largest / math.log(10.0):.2f}"
            law.fail(f"the rate at its largest, {power} /ms, is outside [rate_limits]; change either")
        if scale and slope:
            if not log[scale] or log[slope]:
                law.fail(f"to be limited, '{scale}' must have scale \"log\" and '{slope}' \"linear\"")
            new = RateLimit(names.index(scale), names.index(slope), at, lower / factor, upper / factor)
            if found.setdefault(scale, new) != new:
                law.fail(f"'{scale}' is the factor of two different laws and cannot be limited in both", "a")
        elif scale:
            rise = factor * math.exp(at)
            _narrow(law, bounds, scale, lower / rise, upper / rise)
        elif slope and at:
            _narrow(law, bounds, slope, *sorted(math.log(x / factor) / at for x in (lower, upper)))
    return tuple(found.values())


def _term(file: "ModelFile", law: Table, key: str, bounds: Bounds) -> Term:
    """What an argument is a multiple of."""
    name = law[key].strip().removeprefix("-").strip() if isinstance(law[key], str) else ""
    if name not in file.parameters.known:
        return law.quantity(key).value, None
    sign = -1.0 if "-" in law[key] else 1.0
    s = file.parameters.known[name]
    powers = s.tie or ((name, 1),)
    if not any(own in bounds for own, _ in powers):
        return sign * s.quantity.value, None
    if len(powers) > 1 or powers[0][1] != 1:
        law.fail(f"[rate_limits] hold for a multiple of one parameter, but '{name}' is a product; remove them", key)
    return sign * s.factor, powers[0][0]


def _narrow(law: Table, bounds: Bounds, name: str, lower: float, upper: float) -> None:
    old = bounds[name]
    bounds[name] = max(old[0], lower), min(old[1], upper)
    if not bounds[name][0] < bounds[name][1]:
        law.fail(f"[rate_limits] leave '{name}' no room in {old[0]:g} to {old[1]:g}; widen either")
