"""Protocols as sentences: "hold at -80 mV for 100 ms", "step from -80 to 40 mV in 10 mV steps for 500 ms"."""

import re

import numpy as np

from ..results import InputError
from ..units import factor, same_dimension
from .pieces import ramp, sine, step
from .protocol import Protocol, sweeps

_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_TIME = rf"{_NUMBER} (us|ms|s|min)"
_FOR = rf"for {_TIME}"
_MOST = 10_000  # sweeps of a family


class _Language:
    """The sentences about levels in one unit, or in another of its dimension."""

    def __init__(self, unit: str):
        self.unit = unit
        level = "|".join(map(re.escape, same_dimension(unit)))
        self.names = {name.lower(): name for name in same_dimension(unit)}
        self.forms = {
            "hold": rf"(?:hold|step|go)(?: at| to)? {_NUMBER} ({level}) {_FOR}",
            "family": rf"steps? from {_NUMBER}(?: ?({level}))? to {_NUMBER} ({level}) in {_NUMBER} ({level}) steps "
            + _FOR,
            "ramp": rf"ramp(?: from {_NUMBER}(?: ?({level}))?)? to {_NUMBER} ({level}) (?:over|in|for) {_TIME}",
            "sine": rf"sine of {_NUMBER} ({level}) at {_NUMBER} (Hz|kHz) around {_NUMBER} ({level}) {_FOR}",
        }
        self.help = (
            f"'hold at -80 {unit} for 100 ms', 'step to 40 {unit} for 1 s', "
            f"'step from -80 to 40 {unit} in 10 {unit} steps for 500 ms', 'ramp to -120 {unit} over 50 ms', "
            f"'sine of 20 {unit} at 10 Hz around -40 {unit} for 2 s'"
        )

    def level(self, number: str, name: str) -> float:
        """A level in the unit; as in the words of a sentence, capitals make no difference."""
        return float(number) * factor(self.names[name.lower()], self.unit)


def _time(number: str, name: str) -> float:
    """A time in ms."""
    return float(number) * factor(name.lower())


def _voltages(first: float, last: float, by: float, text: str) -> np.ndarray:
    if by == 0 or (last - first) / by < 0:
        by = -by
    if by == 0:
        raise InputError(f"The steps of a family must not be zero, but are in '{text}'.")
    steps = (last - first) / by
    if not steps < _MOST:
        raise InputError(f"A family may hold up to {_MOST} steps between finite voltages, but '{text}' asks for more.")
    return first + by * np.arange(int(np.floor(steps + 1e-9)) + 1)


def _last(protocol: Protocol) -> float:
    """The voltage [mV] that a command ends on."""
    return float(protocol(protocol.t[-1]))


def parse(*sentences: str, unit: str = "mV") -> Protocol:
    """The command that sentences describe, one after another; a family of steps makes a family of sweeps.

    Sentences may also be separated by commas, semicolons or "then" in one text.

    **Arguments:** `unit`: of the levels, which may be written in any unit of its dimension: "pA" or "uA/cm2" for an
    injected current.
    **Raises:** `InputError` for a sentence that is none of the known forms, or a second family.
    """
    language = _Language(unit)
    _level = language.level
    before: list[Protocol] = []
    branches: list[Protocol] | None = None

    def append(piece: Protocol) -> None:
        nonlocal branches
        if branches is None:
            before.append(piece)
        else:
            branches = [b + piece for b in branches]

    texts = [
        part.strip() for s in sentences for part in re.split(r"[,;\n]|\bthen\b", s, flags=re.IGNORECASE) if part.strip()
    ]
    for text in texts:
        kind, match = next(
            ((k, m) for k, form in language.forms.items() if (m := re.fullmatch(form, text, re.IGNORECASE))),
            (None, None),
        )
        if match is None:
            raise InputError(f"A sentence of a protocol must be one of {language.help}; but is '{text}'.")
        g = match.groups()
        if kind == "hold":
            append(step(_level(g[0], g[1]), _time(g[2], g[3])))
        elif kind == "ramp":
            whole = before[-1] if branches is None and before else (branches[0] if branches else None)
            if g[0] is None and whole is None:
                raise InputError(
                    "The first ramp of a protocol must say where it starts, "
                    f"but '{text}' does not: 'ramp from -80 to ...'."
                )
            if g[0] is None and branches is not None:
                target, length = _level(g[2], g[3]), _time(g[4], g[5])
                branches = [b + ramp(_last(b), target, length) for b in branches]
                continue
            start = _level(g[0], g[1] or g[3]) if g[0] is not None else _last(whole)
            append(ramp(start, _level(g[2], g[3]), _time(g[4], g[5])))
        elif kind == "sine":
            per_ms = 2 * np.pi * float(g[2]) * (1e-3 if g[3].lower() == "hz" else 1.0)
            append(sine(_level(g[4], g[5]), [_level(g[0], g[1])], [per_ms], _time(g[6], g[7])))
        else:
            if branches is not None:
                raise InputError(f"A protocol may hold one family of steps, but '{text}' is a second one.")
            levels = _voltages(_level(g[0], g[1] or g[3]), _level(g[2], g[3]), _level(g[4], g[5]), text)
            head = before[0] if before else None
            for piece in before[1:]:
                head = head + piece
            length = _time(g[6], g[7])
            branches = [step(v, length) if head is None else head + step(v, length) for v in levels]
    if branches is not None:
        return sweeps(branches)
    if not before:
        raise InputError(f"A protocol must have at least one sentence such as {language.help}.")
    whole = before[0]
    for piece in before[1:]:
        whole = whole + piece
    return whole
