"""Na/K pumps of cell models, told by the formula in their description, whose numbers are their constants."""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import jax

from ..electrochemistry import Bath, K, Na
from ..transport import sodium_pumps
from . import expectations, fields
from .constants import constants
from .points import Case, Question, Reading, compiled
from .row import Row

IONS = ("Nai", "Nao", "Ki", "Ko")
TEMPERATURE = 310.0  # [K], where a case says nothing

#: A formula without spaces; {name} is a number that is an argument of the function, {} one that is 1 or more.
Law = tuple[Callable[..., Any], dict[str, str]]
LAWS: tuple[Law, ...] = (
    (
        sodium_pumps.difrancesco_noble,
        {"": "Imax*Ko/(KmK+Ko)*Nai/(KmNa+Nai)", "Imax": "{maximum}", "KmK": "{K_K}", "KmNa": "{K_Na}"},
    ),
    (
        sodium_pumps.luo_rudy,
        {
            "": "Imax*f_NaK(V)*1/(1+({K_Na}/Nai)^{hill})*Ko/(Ko+{K_K})",
            "Imax": "{maximum}",
            "f": "1/(1+0.1245e^(-0.1u)+0.0365sigmae^(-u))",
            "sigma": "(e^(Nao/67.3)-1)/7",
            "u": "FV/RT",
        },
    ),
    (sodium_pumps.kager, {"": "(1+{K_K}/Ko)^-2(1+{K_Na}/Nai)^-3"}),
    (
        sodium_pumps.cressman,
        {"": "rho/(1+exp(({Na_half}-Nai)/{Na_width}))/(1+exp({K_half}-Ko))", "rho": "{maximum}"},
    ),
)
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


def matches(case: Any) -> bool:
    """Whether the description has the formula of a known pump."""
    return isinstance(case, dict) and "rows" in case and _law(case.get("description")) is not None


def rows(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """The current or the flux of every row, by the name that the formula gives it."""
    function, found, said = _law(case["description"])
    given = tuple(found.values())
    compute = _compute(function, tuple(found))
    quantity = str(case["description"]).partition("=")[0].strip()
    legacy = constants(name, case, data)
    reading = Reading(compute)
    for row, where in expectations.rows_of(case, name):
        inputs = fields.table(row["inputs"], f"inputs of {where}") if row.get("inputs") is not None else row
        key, c = expectations.concentrations(inputs, where)
        volts, v = expectations.voltage(inputs, where)
        t = next((table["T_K"] for table in (inputs, row, case) if table.get("T_K") is not None), said)
        t = legacy.temperature(fields.positive(t, f"T_K of {where}"))
        at = (v, expectations.in_order(c, IONS, where), t, given)
        plain = {key: value for key, value in row.items() if key not in ("inputs", "conc")}
        if "expected" in plain and not isinstance(plain["expected"], dict):
            plain["expected"] = {quantity: plain["expected"]}
        known = lambda name, _: reading if name == quantity else None
        yield from expectations.expected(plain, where, at, known, {key, volts, "T_K"}, case, data)
    yield from expectations.rest(case, name, {"description", "unit", "rows", "T_K", "equations", "parameters"})


def _law(description: Any) -> tuple[Callable[..., Any], dict[str, float], float] | None:
    """The function of a description, its constants, and the temperature [K] that it names."""
    if not isinstance(description, str):
        return None
    clauses = [clause.partition("=") for clause in re.split(r"[;,]\s", description)]
    said = {left.strip(): re.sub(r"\s", "", right) for left, _, right in clauses[1:]}
    formula = re.sub(r"\s", "", clauses[0][2])
    for function, law in LAWS:
        found: dict[str, str] = {}
        for left, form in law.items():
            text = formula if not left else said.get(left, "")
            parts = (re.escape(part) if k % 2 == 0 else f"(?P<{part}>{NUMBER})" for k, part in enumerate(_split(form)))
            # A number alone may have a unit, or a remark.
            match = re.fullmatch("".join(parts) + (r"(?![\d.]).*" if re.fullmatch(r"\{\w+\}", form) else ""), text)
            if match is None:
                break
            found |= match.groupdict()
        else:
            temperature = re.match(NUMBER, said.get("T", ""))
            numbers = {name: float(number) for name, number in found.items()}
            return function, numbers, float(temperature[0]) if temperature else TEMPERATURE
    return None


def _split(form: str) -> list[str]:
    return re.split(r"\{(\w+)\}", form)


@functools.cache
def _compute(function: Callable[..., Any], names: tuple[str, ...]) -> Callable[..., Any]:
    def at(v, c, t, k):
        bath = Bath({Na: c[0], K: c[2]}, {Na: c[1], K: c[3]}, t)
        return function(v, bath, **{name: k[j] for j, name in enumerate(names)})

    return compiled(jax.vmap(at))
