"""A branch of steady states along a parameter, and the points on it where they change."""

import dataclasses
import enum
import math
from typing import Any

import numpy as np

from ..results import RESULTS


class Kind(enum.Enum):
    """What happens to the steady states at a point of a branch."""

    #: A real eigenvalue passes zero and the branch turns back: two steady states meet and vanish (saddle-node).
    FOLD = "fold"
    #: A pair of complex eigenvalues passes the imaginary axis: an oscillation is born.
    HOPF = "Hopf"
    #: A real eigenvalue passes zero and the branch goes on: another branch crosses it (transcritical, pitchfork).
    CROSSING = "crossing"


@dataclasses.dataclass(frozen=True)
class SpecialPoint:
    """Where steady states change their number or stability.

    **Arguments:** `index`: which point of the branch it is; `parameter`: in the parameter's unit; `state`: the steady
    state there; `frequency` [rad/ms]: of the oscillation that is born, NaN where none is.
    """

    kind: Kind
    index: int
    parameter: float
    state: Any
    frequency: float = math.nan

    @property
    def period(self) -> float:
        """2 pi over the frequency [ms]."""
        return 2.0 * math.pi / self.frequency


@dataclasses.dataclass(frozen=True)
class Branch:
    """Steady states along a parameter, in the order in which the branch passes them; plain numpy arrays.

    **Arguments:** `parameter` (points,) in its own unit; `state`: a state whose leaves have a leading axis of points;
    `v` [mV] (points,); `eigenvalues` [1/ms] (points, n), complex, the one with the largest real part first, zeros of
    conserved totals left out; `stable` (points,): whether all real parts are negative, so not at a special point;
    `special`: folds, Hopf points and crossings in the order of the branch, each one also a point of the arrays;
    `result`: why the branch ends, where that is not at an end of the range or in itself.
    """

    parameter: np.ndarray
    state: Any
    v: np.ndarray
    eigenvalues: np.ndarray
    stable: np.ndarray
    special: tuple[SpecialPoint, ...]
    result: RESULTS

    @property
    def folds(self) -> tuple[SpecialPoint, ...]:
        """The points where the branch turns back."""
        return tuple(x for x in self.special if x.kind is Kind.FOLD)

    @property
    def hopf(self) -> tuple[SpecialPoint, ...]:
        """The points where oscillations are born."""
        return tuple(x for x in self.special if x.kind is Kind.HOPF)
