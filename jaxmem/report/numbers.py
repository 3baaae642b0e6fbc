"""How numbers are written for people: no more digits than their standard error supports."""

import math


def digits(value: float | None, figures: int = 4, *, padded: bool = False) -> str:
    """A number to `figures` significant figures, in plain or scientific notation, whichever is short.

    Zeros at the end are left out unless it is `padded`.
    """
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:#.{figures}g}" if padded else f"{value:.{figures}g}"
    mantissa, _, exponent = text.partition("e")
    mantissa = mantissa.removesuffix(".")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def with_error(value: float, error: float | None) -> tuple[str, str]:
    """A value and its standard error as text: the error to two figures, the value to the same place."""
    if error is None or not math.isfinite(error) or error <= 0.0 or not math.isfinite(value):
        return digits(value, 5), digits(error, 2)
    place = math.floor(math.log10(error)) - 1  # of the error's second figure
    if value == 0.0:
        return "0", digits(error, 2, padded=True)
    size = math.floor(math.log10(abs(value)))
    figures = min(max(size - place + 1, 1), 12)
    return digits(value, figures, padded=True), digits(error, 2, padded=True)


def interval(low: float | None, high: float | None, error: float | None) -> str:
    """The ends of an interval as text, to the second figure of a standard error, of their own where that is smaller."""
    if low is None or high is None or error is None:
        return "–"
    return " to ".join(with_error(end, min(error, 0.5 * abs(end)))[0] for end in (low, high))


def percent(fraction: float) -> str:
    """A fraction in percent."""
    return f"{100.0 * fraction:.3g} %" if math.isfinite(fraction) else "–"
