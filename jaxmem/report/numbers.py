"""How numbers are written for people: no more digits than their standard error supports."""

import math


def digits(value: float, figures: int = 4) -> str:
    """A number to `figures` significant figures, in plain or scientific notation, whichever is short."""
    if value is None or not math.isfinite(value):
        return "–"
    text = f"{value:.{figures}g}"
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    return f"{mantissa}e{int(exponent)}"


def with_error(value: float, error: float | None) -> tuple[str, str]:
    """A value and its standard error as text: the error to two figures, the value to the same place."""
    if error is None or not math.isfinite(error) or error <= 0.0 or not math.isfinite(value):
        return digits(value, 5), digits(error, 2) if error is not None else "–"
    place = math.floor(math.log10(error)) - 1  # of the error's second figure
    size = math.floor(math.log10(abs(value))) if value else place
    return digits(value, min(max(size - place + 1, 2), 12)), digits(error, 2)


def percent(fraction: float) -> str:
    """A fraction in percent."""
    return f"{100.0 * fraction:.3g} %" if math.isfinite(fraction) else "–"
