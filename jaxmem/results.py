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
    outside_domain = (
        "A parameter is outside the values that it may naturally take, such as a negative conductance or volume: "
        "narrow the range of the sweep."
    )
    no_steady_state = (
        "No steady state was found from this start: give a `start` that is nearer, such as the end of a run or the "
        "steady state at a nearby parameter, or run the cell to see whether it comes to rest at all."
    )
    singular_steady_state = (
        "The Jacobian of the steady state is singular: the cell conserves something that its `totals` do not name, or "
        "this is a fold, where two steady states meet; complete `totals`, or move the parameter."
    )
    totals_not_conserved = (
        "The cell has no steady state with the totals of its start, because what its `totals` name is not conserved by "
        "its `derivative`; leave it out."
    )
    branch_lost = (
        "The branch could not be followed to an end, because no steady state was found beside its last point: the cell "
        "is not smooth or not finite there; narrow the range of the parameter."
    )
    branch_unfinished = (
        "The branch has not come to an end within the number of points allowed: raise `most`, or narrow the range of "
        "the parameter."
    )
    pore_unsolved = (
        "The equations of the pore were not solved, although voltage and charge were raised in steps: check that the "
        "charge of the pore can be neutralized by ions that may enter it, and try more nodes or a smaller voltage."
    )
    pore_unfinished = (
        "A run of a pore did not come to its end within the number of steps allowed, or steps became too short to go "
        "on: raise `most` or `rtol`, and check the start and the source."
    )
    pore_charged = (
        "A periodic pore must be neutral, but its fixed charge and ions do not cancel: change the charge or `filling`."
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
