"""Tables in text files: commas, semicolons or tabs, a header line, ``#`` comments, decimal points."""

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from jaxmem.recordings.assemble import assemble
from jaxmem.recordings.columns import Role, scaled, understand
from jaxmem.recordings.formats import READABLE
from jaxmem.recordings.reading import LARGEST_ARRAY, parsing, size_of
from jaxmem.recordings.recording import Recording
from jaxmem.results import InputError

_EXAMPLE = "time [ms],voltage [mV],current [pA]"


@dataclass(frozen=True)
class Table:
    """A table as text: the names of its columns, its lines, and where in the file each line stands."""

    path: str
    names: tuple[str, ...]
    delimiter: str | None
    lines: tuple[str, ...]
    places: tuple[int, ...]

    def cells(self, row: int) -> list[str]:
        """The cells of one row, as text."""
        line = self.lines[row]
        cells = line.split() if self.delimiter is None else next(csv.reader([line], delimiter=self.delimiter))
        return [cell.strip() for cell in cells]


def read_csv(
    path: str | os.PathLike,
    protocol=None,
    *,
    units: Mapping[str, str] | None = None,
    dt: float | None = None,
    name: str | None = None,
    temperature: float | None = None,
    held: bool = True,
) -> Recording:
    """A recording from a text table with one row per sample.

    The header names columns and units, as ``time [ms], voltage [mV], current [pA]`` or
    ``time_ms,current_nA``. Several current columns are several sweeps, with one voltage column for all or one
    each; or a ``sweep`` column numbers them.

    **Arguments**

    - `protocol`: the command, if the table has no voltage: a file, an array [mV] or a Protocol.
    - `units`: units of columns that do not say theirs, ``{"time": "s", "current": "nA"}``.
    - `dt`: sampling interval [ms], if there is no time column.
    - `held`: each sample of the command is kept until the next; if False, straight lines join them.

    **Raises:** `InputError`, one line that names the file, the place and the remedy.
    """
    table = read_table(path)
    columns = understand(path, table.names, units)
    values = numbers(table, [column.index for column in columns])
    data = {column.index: scaled(path, column.name, column.factor, values[:, k]) for k, column in enumerate(columns)}
    by_role = {role: [c for c in columns if c.role is role] for role in Role}
    if not by_role[Role.SIGNAL]:
        raise InputError(
            f"{path}: has no current among its columns ({', '.join(table.names)[:120]}); name it like '{_EXAMPLE}'"
        )
    for role in (Role.TIME, Role.SWEEP, Role.INTERVAL):
        if len(by_role[role]) > 1:
            raise InputError(
                f"{path}: has {len(by_role[role])} {role.value} columns, but one is read; remove the others"
            )
    kinds = {c.unit for c in by_role[Role.SIGNAL]}
    if len(kinds) > 1:
        raise InputError(
            f"{path}: columns of one recording must share their unit, but are in {', '.join(sorted(kinds))}"
        )

    def of(role: Role) -> np.ndarray | None:
        return np.stack([data[c.index] for c in by_role[role]]) if by_role[role] else None

    time, voltage, signal = of(Role.TIME), of(Role.VOLTAGE), of(Role.SIGNAL)
    sweep, interval = of(Role.SWEEP), of(Role.INTERVAL)
    if sweep is not None:
        time, voltage, signal = _by_sweep(path, sweep[0], time, voltage, signal)
    return assemble(
        path,
        signal,
        unit=by_role[Role.SIGNAL][0].unit,
        time=None if time is None else time[0],
        dt=dt if interval is None else float(interval[0, 0]),
        voltage=voltage,
        protocol=protocol,
        name=name,
        temperature=temperature,
        units=units,
        held=held,
    )


def _by_sweep(path, sweep, time, voltage, signal):
    """Long form to (sweeps, samples): each value of `sweep` is one sweep, in order of first appearance."""
    if signal.shape[0] > 1:
        raise InputError(f"{path}: has a sweep column and {signal.shape[0]} current columns; use one of the two forms")
    starts = np.flatnonzero(np.diff(sweep, prepend=sweep[0] - 1.0))
    lengths = np.diff(np.append(starts, sweep.size))
    if np.unique(sweep[starts]).size != starts.size or np.unique(lengths).size != 1:
        raise InputError(
            f"{path}: rows of one sweep must follow each other and sweeps must have equal length, but there are "
            f"{starts.size} runs of {lengths.min()} to {lengths.max()} rows"
        )

    def fold(x: np.ndarray) -> np.ndarray:
        return x[0].reshape(starts.size, -1)

    if time is not None:
        times = fold(time)
        local = times - times[:, :1]
        if not np.allclose(local, local[0], rtol=0.0, atol=1e-3 * float(np.ptp(local[0])) / local.shape[1] + 1e-9):
            raise InputError(f"{path}: sweeps must be sampled at the same times after their starts, but are not")
        time = times[:1]
    return time, None if voltage is None else fold(voltage[:1]), fold(signal)


def read_table(path: str | os.PathLike) -> Table:
    """The lines of a text table, its header understood, its numbers not yet.

    **Raises:** `InputError` if it is not text, or has no header or no rows.
    """
    size_of(path)
    with parsing(path, "text"):
        text = _decode(Path(path).read_bytes(), path)
    kept = [
        (k, line) for k, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    if len(kept) < 2:
        raise InputError(
            f"{path}: must have a header line like '{_EXAMPLE}' and rows of numbers, but has {len(kept)} lines"
        )
    (place, header), rows = kept[0], kept[1:]
    delimiter = _delimiter(header)
    with parsing(path, "text"):
        names = header.split() if delimiter is None else next(csv.reader([header], delimiter=delimiter))
    names = [n.strip() for n in names]
    if all(_is_number(n) for n in names if n):
        raise InputError(
            f"{path}: line {place} must name the columns and their units, like '{_EXAMPLE}', but is "
            f"'{header.strip()[:60]}'"
        )
    return Table(str(path), tuple(names), delimiter, tuple(line for _, line in rows), tuple(k for k, _ in rows))


def numbers(table: Table, indices: list[int]) -> Float[np.ndarray, "rows columns"]:
    """The values of the chosen columns.

    **Raises:** `InputError` with the line and column of the first cell that is not a finite number.
    """
    if len(table.lines) * max(len(indices), 1) > LARGEST_ARRAY:
        raise InputError(f"{table.path}: has more than {LARGEST_ARRAY} values; split it")
    if not indices:
        return np.zeros((len(table.lines), 0))
    try:
        values = np.loadtxt(
            table.lines, delimiter=table.delimiter, usecols=indices, ndmin=2, comments=None, dtype=float, quotechar='"'
        )
        if len(values) != len(table.lines):  # a quote that is not closed joins lines
            raise ValueError
    except (ValueError, IndexError, OverflowError):
        return np.array([[_number(table, row, k) for k in indices] for row in range(len(table.lines))])
    bad = np.argwhere(~np.isfinite(values))
    if bad.size:
        _number(table, int(bad[0, 0]), indices[int(bad[0, 1])])
    return values


def _number(table: Table, row: int, index: int) -> float:
    with parsing(table.path, "text"):
        cells = table.cells(row)
    where = f"{table.path}: line {table.places[row]}"
    if index >= len(cells):
        raise InputError(f"{where} has {len(cells)} cells, but the header names {len(table.names)} columns")
    cell, name = cells[index], table.names[index]
    if not _is_number(cell) or not np.isfinite(float(cell)):
        hint = "; write decimal points" if "," in cell and _is_number(cell.replace(",", ".")) else ""
        raise InputError(f"{where}, column '{name[:40]}' must be a finite number, but is '{cell[:40]}'{hint}")
    return float(cell)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text


def _delimiter(header: str) -> str | None:
    for candidate in ("\t", ";", ","):
        if candidate in header:
            return candidate
    return None if len(header.split()) > 1 and "[" not in header and "(" not in header else ","


def _decode(raw: bytes, path) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16")
    if b"\0" in raw:
        raise InputError(f"{path}: is not text (it has zero bytes); {READABLE}")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
