"""The reduced model of Cressman et al.: its branch of steady states along K of the bath, and the Hopf points on it."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .. import simulate
from ..library.cressman_2009 import Reduced, ReducedState, Surroundings
from ..params import as_array
from . import expectations, fields
from .points import Case, Question, Reading, compare
from .row import Row

#: What a file calls the parameters of the surroundings, and what the cell does.
SURROUNDINGS = {
    **{"kbath": "k_bath", "eps": "diffusion", "rho": "pump", "glia": "glia", "beta": "volumes"},
    **{"RT_over_F_mV": "rt_over_f"},
}
SAMPLES = "branch_samples_"
START = {"Ko": "k_o", "Nai": "na_i"}
SAMPLE = START | {"trace": "trace", "det": "det"}  # columns of samples, next to kbath
HOPF = {"kbath_mM": 0, "Ko_mM": 1, "Nai_mM": 2, "omega_rad_per_s": 3, "period_s": 4}
MARGIN = 0.1  # by how much of itself the largest K of the bath is raised, and the least lowered, to follow the branch


def given(
    case: Case, names: Mapping[str, str], published: Any, name: str, *tables: Case
) -> tuple[dict[str, float], set[str]]:
    """The parameters by the names of the cell, and the keys that the case itself has for them, as in `kbath_mM`.

    What the case does not have, its tables do, the first that has it; else it is that of the `published` cell.
    """
    found: dict[str, float] = {}
    keys: set[str] = set()
    for key, field in names.items():
        own = next((k for k in case if k == key or k.startswith(f"{key}_")), None)
        places = [case[own]] if own is not None else []
        places += [table[key] for table in tables if table.get(key) is not None]
        found[field] = fields.number(places[0], f"{key} of {name}") if places else float(getattr(published, field))
        keys |= set() if own is None else {own}
    return found, keys


def rows(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
    """One row for each quantity of each Hopf point and of each sample."""
    parameters = fields.table(case.get("parameters"), f"parameters of {name}")
    values, keys = given(case, SURROUNDINGS, Reduced().surroundings, name, parameters)
    wanted = fields.table(case.get("expected"), f"expected of {name}")
    done = set()
    branch = _Branch(values)
    for key in wanted:
        if key == "hopf_points":
            yield from _hopf_points(branch, wanted[key], name, case, data)
        elif key.startswith(SAMPLES):
            yield from _samples(branch, wanted[key], key, name, case, data)
        else:
            continue
        done.add(key)
    yield from compare(wanted, name, (), lambda *_: None, done, case, data)
    yield from expectations.rest(case, name, keys | {"parameters", "model", "expected", "equations"})


class _Branch:
    """The steady states of the model at given parameters, worked out together when all that is asked for is known."""

    def __init__(self, values: Mapping[str, float]):
        """Nothing is asked for yet."""
        self.values = values
        self.baths: list[float] = []
        self.samples: list[tuple[float, ReducedState]] = []

    def __call__(self) -> dict[str, Any]:
        """The Hopf points, and the steady states of the samples."""
        return {"hopf": self.hopf(), "states": [self.state(*sample) for sample in self.samples]}

    def cell(self, k_bath: float) -> Reduced:
        """The model at one bath."""
        return Reduced(Surroundings(**{**self.values, "k_bath": k_bath}))

    def hopf(self) -> np.ndarray:
        """The Hopf points in the range: K of the bath, K outside, Na inside [mM], frequency [rad/s] and period [s]."""
        low, high = (1.0 - MARGIN) * min(self.baths), (1.0 + MARGIN) * max(self.baths)
        cell = self.cell(0.5 * (low + high))
        try:  # where there is too little K for the model the branch ends, which is no matter here
            branch = simulate.follow(cell, lambda c: c.surroundings.k_bath, (low, high), throw=False)
        except RuntimeError:  # no steady state
            return np.zeros((0, len(HOPF)))
        found = [(x.parameter, x.state.k_o, x.state.na_i, 1e3 * x.frequency, 1e-3 * x.period) for x in branch.hopf]
        return np.asarray(found, float).reshape(-1, len(HOPF))

    def state(self, k_bath: float, near: ReducedState) -> dict[str, Any]:
        """The steady state to which `near` leads, with trace and determinant of the Jacobian per second."""
        rest = simulate.steady_state(self.cell(k_bath), near, throw=False)
        flow = 1e3 * np.asarray(rest.jacobian)
        return rest.state._asdict() | {"trace": np.trace(flow), "det": np.linalg.det(flow)}


def _hopf_points(branch: _Branch, value: Any, name: str, *places: Case) -> Iterator[Row | Question]:
    for k, point in enumerate(fields.tables(value, f"hopf_points of {name}")):
        where = f"{name} hopf_points[{k + 1}]"
        k_bath = expectations.above_zero(point, "kbath_mM", where)
        branch.baths.append(k_bath)

        def known(quantity: str, _: Any, k_bath: float = k_bath) -> Reading | None:
            if quantity not in HOPF:
                return None

            def nearest(result: Any) -> float:
                points = result["hopf"]
                if not len(points):
                    return np.nan
                return points[np.argmin(np.abs(points[:, 0] - k_bath)), HOPF[quantity]]

            return Reading(branch.__call__, nearest)

        yield from compare(point, where, (), known, (), *places)


def _samples(branch: _Branch, value: Any, key: str, name: str, *places: Case) -> Iterator[Row | Question]:
    columns = key.removeprefix(SAMPLES).split("_")
    for k, row in enumerate(fields.rows_of(value, f"{key} of {name}")):
        where = f"{name} {SAMPLES}[{k + 1}]"
        point = dict(zip(columns, fields.numbers(row, where, len(columns)), strict=True))
        k_bath = expectations.above_zero(point, "kbath", where)
        branch.baths.append(k_bath)
        start = {field: as_array(point[key]) for key, field in START.items() if key in point}
        branch.samples.append((k_bath, Reduced().init()._replace(**start)))

        def known(quantity: str, _: Any, place: int = len(branch.samples) - 1) -> Reading | None:
            if quantity not in SAMPLE:
                return None
            return Reading(branch.__call__, lambda result: result["states"][place][SAMPLE[quantity]])

        yield from compare(point, where, (), known, {"kbath"}, *places)
