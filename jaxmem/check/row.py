"""One line of the audit: what was expected, what the library gives, and the verdict."""

import dataclasses
import enum
import math
import sys


class Verdict(enum.StrEnum):
    """What an audit says of one quantity."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_COVERED = "not covered"


@dataclasses.dataclass(frozen=True)
class Tolerance:
    """How far a result may be off: `rtol` relative, `atol` absolute, `zero` absolute where 0 is expected."""

    rtol: float
    atol: float = 0.0
    zero: float = 0.0


@dataclasses.dataclass(frozen=True)
class Row:
    """One quantity of one case.

    `error` is relative, |got - expected| / |expected|, absolute where 0 is expected; `tolerance` likewise.
    Both are None where nothing was compared; `expected` is None where a quantity is undefined.
    """

    case: str
    quantity: str
    expected: float | complex | None
    got: float | complex | None
    error: float | None
    tolerance: float | None
    verdict: Verdict


def judge(
    case: str,
    quantity: str,
    expected: float | complex | None,
    got: float | complex,
    within: Tolerance,
    *,
    undefined: bool = False,
) -> Row:
    """The row of a quantity that was computed: passed if |got - expected| <= max(rtol |expected|, atol).

    Nothing expected (None) agrees with a quantity that is undefined, that is, not finite. A finite one then
    fails if `undefined`; else there is nothing to compare it with, and it is not covered.
    """
    finite = math.isfinite(abs(got))
    if expected is None:
        otherwise = Verdict.FAILED if undefined else Verdict.NOT_COVERED
        return Row(case, quantity, None, got if finite else None, None, None, otherwise if finite else Verdict.PASSED)
    size = abs(expected)
    allowed = max(within.rtol * size, within.atol, 0.0 if size else within.zero)
    error = abs(got - expected)
    scale = size or 1.0
    verdict = Verdict.PASSED if finite and error <= allowed else Verdict.FAILED
    return Row(case, quantity, expected, got, error / scale, allowed / scale, verdict)


def not_covered(case: str, quantity: str, expected: object = None) -> Row:
    """The row of a quantity, or of a whole file, that the audit does not know."""
    number = isinstance(expected, int | float) and not isinstance(expected, bool)
    shown = float(expected) if number and abs(expected) <= sys.float_info.max else None
    return Row(case, quantity, shown, None, None, None, Verdict.NOT_COVERED)
