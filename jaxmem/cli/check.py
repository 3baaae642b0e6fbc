"""`jaxmem check`: the audit as a table."""

import argparse
import sys
from collections import Counter

from .setting import prepare
from .table import table


def check(options: argparse.Namespace) -> int:
    """Prints one line for each quantity; 1 if any falls short, or if nothing was checked."""
    prepare()
    from ..check import Verdict, run

    rows = run(options.paths)
    counts = Counter(row.verdict for row in rows)
    shown = [row for row in rows if row.verdict is Verdict.FAILED or not options.quiet]
    header = ("case", "quantity", "expected", "got", "error", "tolerance", "")
    if shown:
        lines = [
            (
                row.case,
                row.quantity,
                _number(row.expected, 10),
                _number(row.got, 10),
                _number(row.error, 2),
                _number(row.tolerance, 2),
                _MARKS[row.verdict.name],
            )
            for row in shown
        ]
        print(table(header, lines, right=(2, 3, 4, 5)))
        print()
    passed, failed, rest = (counts[v] for v in (Verdict.PASSED, Verdict.FAILED, Verdict.NOT_COVERED))
    print(f"{passed} passed, {failed} failed, {rest} not covered (error is relative, absolute where 0 is expected)")
    if counts[Verdict.FAILED]:
        return 1
    if not counts[Verdict.PASSED]:
        print("jaxmem: none of these cases is covered, so nothing was checked", file=sys.stderr)
        return 1
    return 0


_MARKS = {"PASSED": "ok", "FAILED": "FAILED", "NOT_COVERED": "not covered"}


def _number(value: float | complex | None, digits: int) -> str:
    if value is None:
        return "-"
    if isinstance(value, complex) and value.imag:
        return f"{value:.{digits}g}"
    return f"{value.real:.{digits}g}"
