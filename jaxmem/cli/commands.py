"""Voltage commands from the words of a command line: files and sentences, joined in time."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from ..protocols import Protocol, held, joined, parse, ramp, step, sweeps
from ..recordings import read
from ..recordings.columns import Column, Role, scaled, understand
from ..recordings.delimited import numbers, read_table
from ..recordings.formats import Format, format_of
from ..recordings.npz import by_role, read_arrays, vector
from ..recordings.steps import is_step_table, read_steps
from ..results import InputError


def is_file(word: str) -> bool:
    """Whether a word names a file rather than being a sentence: it has no blank, or there is such a file."""
    return " " not in word.strip() or Path(word).is_file()


def command(words: Sequence[str]) -> Protocol:
    """The command that files and sentences describe, one after another; a family of steps makes a family.

    **Raises:** `InputError` for a file without times and voltages, a sentence of no known form, or two
    families of different size.
    """
    whole: Protocol | None = None
    for named, group in groupby(words, is_file):
        for part in [from_file(w) for w in group] if named else [parse(*group)]:
            whole = part if whole is None else join(whole, part)
    if whole is None:
        raise InputError("A protocol must have at least one file or sentence, but none was given.")
    return settled(whole)


def join(first: Protocol, second: Protocol) -> Protocol:
    """Two commands, or families, one after the other; a single command is repeated for every sweep of a
    family."""
    a, b = first.family, second.family
    if a is None and b is None:
        return first + second
    if a is not None and b is not None and a != b:
        raise InputError(f"Joined families must have equal numbers of sweeps, but have {a} and {b}.")
    return sweeps([first.sweep(k) + second.sweep(k) for k in range(a or b or 1)])


def settled(protocol: Protocol) -> Protocol:
    """The command with one holding voltage for all sweeps: the first one's."""
    if protocol.family is None:
        return protocol
    return protocol.held_at(np.full(protocol.family, float(np.asarray(protocol.holding)[0])))


def from_file(path: str) -> Protocol:
    """The command in a file: a step table, times and voltages (CSV or NPZ), or the command of a recording.

    **Raises:** `InputError` if the file cannot be read, or has no times.
    """
    kind = format_of(path)
    if kind is Format.TEXT:
        table = read_table(path)
        if is_step_table(table):
            rows = read_steps(table)
            pieces = zip(rows.first, rows.last, rows.duration, strict=True)
            return joined([step(a, d) if a == b else ramp(a, b, d) for a, b, d in pieces])
        columns = understand(path, table.names, None)
        kinds = [c.role for c in columns]
        if kinds.count(Role.TIME) == 1 and Role.VOLTAGE in kinds and Role.SIGNAL not in kinds:
            return _from_columns(path, numbers(table, [c.index for c in columns]).T, columns)
    if kind is Format.NPZ:
        found = by_role(path, read_arrays(path), None)
        t = vector(path, found, Role.TIME)
        if t is not None and Role.VOLTAGE in found and Role.SIGNAL not in found:
            return _held(t, np.atleast_2d(found[Role.VOLTAGE][0]))
    recording = read(path)
    alike = np.all(recording.command_v == recording.command_v[0])
    return _held(recording.t, recording.command_v[:1] if alike else recording.command_v)


def _from_columns(path: str, values: np.ndarray, columns: Sequence[Column]) -> Protocol:
    rows = [(c.role, scaled(path, c.name, c.factor, x)) for c, x in zip(columns, values, strict=True)]
    t = next(x for role, x in rows if role is Role.TIME)
    return _held(t, np.stack([x for role, x in rows if role is Role.VOLTAGE]))


def _held(t: np.ndarray, v: np.ndarray) -> Protocol:
    """Sampled commands as protocols that start at zero; each sample holds until the next."""
    return held(t - t[0], v[0] if len(v) == 1 else v)
