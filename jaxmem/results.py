"""Every way a run can fail, as data: the text of a member is the cause and the remedy."""

import equinox as eqx
import numpy as np


class InputError(ValueError):
    """Bad input from outside: one line that says what must hold, what was given and what to try."""


class RESULTS(eqx.Enumeration):
    """Outcome of one lane (one parameter set, cell, pore or sweep) of a run."""

    successful = ""
    nonfinite_input = (
        "An input is NaN or infinite: check the parameters, the command voltage and the bath of this lane."
    )
    nonfinite_result = (
        "The result is NaN or infinite although the inputs are finite: a rate overflowed at the voltages of the "
        "protocol; narrow the bounds of the parameters or the range of the command."
    )


def raise_failures(result: RESULTS) -> None:
    """Raise an error if any lane of a concrete outcome failed: the first failure's text, and how many lanes failed.

    **Raises:** `RuntimeError`.
    """
    codes = np.atleast_1d(np.asarray(result._value))
    failed = codes[codes != np.asarray(RESULTS.successful._value)]
    if failed.size:
        text = RESULTS._index_to_message[int(failed[0])]
        raise RuntimeError(f"{text} ({failed.size} of {codes.size} lanes failed.)" if codes.size > 1 else text)
