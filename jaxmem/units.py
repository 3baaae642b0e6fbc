"""The unit system: ms, um, mV, pA, nS, pF, mM, pL, fmol, kT; plain floats, no objects.

Multiply by a unit on entry, divide by it on exit: ``0.15 * units.uS`` is 150.0 (nS).
The choice leaves no factors in formulas: nS mV = pA, pF mV/ms = pA, pA / F = fmol/ms, mM pL = fmol.
Densities are units of their own (``mS/cm2`` times ``mV`` is ``uA/cm2``): scale them by an area yourself.
"""

import math
import re

# Physical constants in SI, exact since 2019 (CODATA 2018 and 2022 agree).
E0 = 1.602176634e-19  # elementary charge [C]
KB = 1.380649e-23  # Boltzmann constant [J/K]
H = 6.62607015e-34  # Planck constant [J s]
N_A = 6.02214076e23  # Avogadro constant [1/mol]
F = E0 * N_A  # Faraday constant [C/mol]; also pA per fmol/ms
R = KB * N_A  # gas constant [J/(mol K)]
EPSILON0 = 8.8541878188e-12  # vacuum permittivity [F/m], CODATA 2022

ms, s, us, ns, minute, hour = 1.0, 1e3, 1e-3, 1e-6, 6e4, 3.6e6
mV, V, uV = 1.0, 1e3, 1e-3
pA, nA, uA, mA, A, fA = 1.0, 1e3, 1e6, 1e9, 1e12, 1e-3
nS, uS, mS, S, pS = 1.0, 1e3, 1e6, 1e9, 1e-3
pF, nF, uF, F_ = 1.0, 1e3, 1e6, 1e12
mM, M, uM, nM = 1.0, 1e3, 1e-3, 1e-6
pL, nL, fL = 1.0, 1e3, 1e-3
fmol, pmol, amol = 1.0, 1e3, 1e-3
um, nm, mm, cm = 1.0, 1e-3, 1e3, 1e4
GOhm, MOhm, kOhm = 1.0, 1e-3, 1e-6

# The places where two scales meet.
UM3 = 1e-3  # 1 um3 in pL
PORE_CURRENT = F * 1e-6  # 1 mM nm3/ns in pA
E0_PER_MS = E0 * 1e15  # 1 e0/ms in pA
MS_PER_CM2 = 0.01  # 1 mS/cm2 in nS/um2
C_PER_M2 = 1e-18 / E0  # 1 C/m2 in e0/nm2

_BASE = {
    "time": {"ns": ns, "us": us, "ms": ms, "s": s, "sec": s, "min": minute, "h": hour},
    "potential": {"uV": uV, "mV": mV, "V": V},
    "current": {"fA": fA, "pA": pA, "nA": nA, "uA": uA, "mA": mA, "A": A},
    "conductance": {"pS": pS, "nS": nS, "uS": uS, "mS": mS, "S": S},
    "capacitance": {"pF": pF, "nF": nF, "uF": uF},
    "concentration": {"nM": nM, "uM": uM, "mM": mM, "M": M},
    "volume": {"fL": fL, "pL": pL, "nL": nL, "um3": UM3},
    "amount": {"amol": amol, "fmol": fmol, "pmol": pmol},
    "length": {"nm": nm, "um": um, "mm": mm, "cm": cm},
    "resistance": {"kOhm": kOhm, "MOhm": MOhm, "GOhm": GOhm},
    "charge": {"e0": 1.0},
    "energy": {"kT": 1.0},
    "temperature": {"K": 1.0},
    "number": {"": 1.0, "1": 1.0, "%": 0.01},
    # Densities keep their own scale: mS/cm2 times mV is uA/cm2.
    "conductance density": {"mS/cm2": 1.0, "uS/cm2": 1e-3, "S/cm2": 1e3, "S/m2": 0.1},
    "current density": {"uA/cm2": 1.0, "mA/cm2": 1e3, "A/m2": 0.1, "nA/cm2": 1e-3},
    "capacitance density": {"uF/cm2": 1.0, "F/m2": 1e2},
    "capacity-normalized current": {"pA/pF": 1.0, "A/F": 1.0},
    "capacity-normalized conductance": {"nS/pF": 1.0, "mS/uF": 1.0},
    "amount per time": {"fmol/ms": 1.0, "fmol/s": 1e-3, "pmol/s": 1.0},
    "permeability times area": {"pL/ms": 1.0},
    "concentration per time": {"mM/ms": 1.0, "mM/s": 1e-3},
    "concentration per areal charge": {"mM cm2/(uA ms)": 1.0, "mM cm2/(uA s)": 1e-3},
    "velocity": {"um/ms": 1.0, "um/s": 1e-3, "cm/s": 10.0, "dm/s": 100.0},
    "charge per amount": {"C/mol": 1.0},
    "surface charge density": {"e0/nm2": 1.0, "C/m2": C_PER_M2},
    "area": {"um2": 1.0},
    "number per area": {"1/um2": 1.0},
    "resistivity": {"Ohm cm": 1.0, "Ohm m": 1e2},
    "diffusivity": {"nm2/ns": 1.0, "um2/ms": 1.0, "um2/s": 1e-3, "cm2/s": 1e5, "m2/s": 1e9},
}
_UNITS = {name: (dimension, value) for dimension, names in _BASE.items() for name, value in names.items()}
for _dimension in ("time", "potential", "concentration"):
    for _name, _value in _BASE[_dimension].items():
        _UNITS[f"1/{_name}"] = (f"1/{_dimension}", 1.0 / _value)
for _n in (2, 3, 4):  # what n ions weigh in a binding polynomial
    for _name, _value in _BASE["concentration"].items():
        _UNITS[f"1/{_name}{_n}"] = (f"1/concentration^{_n}", 1.0 / _value**_n)
for _c, _x in _BASE["concentration"].items():
    for _t, _y in _BASE["time"].items():
        _UNITS[f"1/({_c} {_t})"] = _UNITS[f"1/{_c}/{_t}"] = ("1/(concentration time)", 1.0 / (_x * _y))
_SPELLINGS = str.maketrans(
    {
        "\N{MICRO SIGN}": "u",
        "\N{GREEK SMALL LETTER MU}": "u",
        "\N{OHM SIGN}": "Ohm",
        "\N{GREEK CAPITAL LETTER OMEGA}": "Ohm",
    }
)


def _look_up(unit: str) -> tuple[str, float]:
    name = unit.strip().translate(_SPELLINGS).replace("\N{SUPERSCRIPT TWO}", "2").replace("^", "")
    for spelling in (name, name.replace("·", " "), name.replace("*", " ")):
        if spelling in _UNITS:
            return _UNITS[spelling]
    raise ValueError(f"Unit must be one of jaxmem's, but is '{unit}'; known: {', '.join(k for k in _UNITS if k)}.")


def dimension(unit: str) -> str:
    """What a unit measures, as a word: ``dimension("uS") == "conductance"``.

    **Raises:** `ValueError` for an unknown unit.
    """
    return _look_up(unit)[0]


def same_dimension(name: str) -> tuple[str, ...]:
    """The names of the units that measure the same as a unit, itself included.

    **Raises:** `ValueError` for an unknown unit.
    """
    kind = dimension(name)
    return tuple(other for other, (its, _) in _UNITS.items() if its == kind)


def factor(unit: str, to: str | None = None) -> float:
    """The number that converts a value in `unit` to `to`, or to the internal unit if `to` is None.

    **Arguments:** `unit`, `to`: names such as ``"uS"``, ``"1/s"``, ``"1/(mM ms)"``.
    **Raises:** `ValueError` for an unknown unit, or two units of different dimension.
    """
    kind, value = _look_up(unit)
    if to is None:
        return value
    other, scale = _look_up(to)
    if kind != other:
        raise ValueError(f"Unit '{unit}' must measure the same as '{to}', but one is a {kind}, the other a {other}.")
    return value / scale


def parse(text: str | float | int) -> float:
    """A quantity written as text, in the internal unit: ``parse("0.15 uS") == 150.0``.

    **Arguments:** `text`: a number, a space, a unit; or a bare number, which is taken as it stands.
    **Raises:** `ValueError` if it is not a finite number followed by a known unit.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        return float(text)
    match = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(\S.*?)?\s*", str(text))
    if match is None or not math.isfinite(float(match[1])):
        raise ValueError(f"A quantity must be a number and a unit such as '10 mV', but is '{text}'.")
    if match[2] in ("C", "degC", "°C"):
        return celsius(float(match[1]))
    return float(match[1]) * factor(match[2] or "")


def celsius(temperature: float) -> float:
    """Absolute temperature [K] of a temperature in degrees Celsius."""
    return temperature + 273.15


def thermal_voltage(temperature):
    """RT/F [mV] at an absolute temperature [K]; 25.69 mV at 298.15 K."""
    return temperature * (1e3 * R / F)
