"""Voltage commands from the words of a command line: files and sentences, joined in time."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from ..protocols import Protocol, parse, sweeps
from ..recordings import read_protocol
from ..recordings.command import together
from ..results import InputError


def is_file(word: str) -> bool:
    """Whether a word names a file rather than being a sentence: it has no blank, or there is such a file."""
    return " " not in word.strip() or Path(word).is_file()


def command(words: Sequence[str], *, dt: float | None = None, held: bool = True) -> Protocol:
    """The command that files and sentences describe, one after another from time zero; a family of steps makes a
    family, held at the first voltage of its first sweep.

    **Arguments:** `dt`: sampling interval [ms] of files without times; `held`: as for `recordings.read_protocol`.
    **Raises:** `InputError` for a file without voltages, a sentence of no known form, or two families of
    different size.
    """
    whole: Protocol | None = None
    for named, group in groupby(words, is_file):
        for part in [read_protocol(w, dt=dt, held=held) for w in group] if named else [parse(*group)]:
            whole = part if whole is None else join(whole, part)
    if whole is None:
        raise InputError("A protocol must have at least one file or sentence, but none was given.")
    return together(whole.delayed(-float(whole.t.min())))


def join(first: Protocol, second: Protocol) -> Protocol:
    """Two commands, or families, one after the other; a single command is repeated for every sweep of a
    family."""
    a, b = first.family, second.family
    if a is None and b is None:
        return first + second
    if a is not None and b is not None and a != b:
        raise InputError(f"Joined families must have equal numbers of sweeps, but have {a} and {b}.")
    return sweeps([first.sweep(k) + second.sweep(k) for k in range(a or b or 1)])
