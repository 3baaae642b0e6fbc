"""Cases of Poisson-Nernst-Planck: what is given, and the rows of what is expected."""

import dataclasses
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np

from .. import units
from ..electrochemistry import Bath, Species
from ..results import InputError
from . import fields
from .constants import Constants, constants
from .pnp_solver import Batch
from .points import Case, Question, Reading
from .row import Row, Tolerance, not_covered

#: The constants of a file that names none.
R, F, EPSILON0 = 8.314462618, 96485.33212, 8.8541878128e-12
RTOL, EXACT = 1e-4, 1e-9  # where a file has no tolerances
ROUNDING = 2e-14  # what no closed form need be better than
#: Keys that describe a case, beside those of every format.
REMARKS = fields.REMARKS | set(
    "order order_range check model eq equations geometry ions PNP_problem mode_truncation_change_mV problem "
    "lambda_definition exact_to_PNP exact_to_nonlinear".split()
)


@dataclasses.dataclass(frozen=True)
class Answer:
    """How the library gives a quantity.

    **Arguments:** `compute`: called once, whatever asks for it; `take`: the quantity among its results; `within`: the
    key of the tolerance, `exact_to` for a closed form; `by`: what is added to the name.
    """

    compute: Callable[[], Any]
    take: Callable[[Any], Any]
    within: str = "exact_to"
    by: str = ""


def closed(f: Callable[[], Any], within: str = "exact_to") -> Answer:
    """A number, or list, in closed form."""
    return Answer(f, lambda result: result, within)


def solved(
    compute: Callable[[], Any], take: Callable[[Any], Any], within: str = "rtol", by: str = ", solved"
) -> Answer:
    """A number, or list, from the solver."""
    return Answer(compute, take, within, by)


Known = Mapping[str, Answer | tuple[Answer, ...]]


@dataclasses.dataclass(frozen=True)
class Given:
    """A case and where it stands: reads what is given there, in the units of the solver."""

    case: Case
    name: str
    places: tuple[Case, ...] = ()
    batch: Batch = dataclasses.field(default_factory=Batch)

    @property
    def constants(self) -> Constants:
        """R and F of the case."""
        return constants(self.name, self.case, *self.places, {"R": R, "F": F})

    def find(self, key: str, *others: str) -> Any:
        """The entry of the case, or of its file, under the first key that is there."""
        for name in (key, *others):
            for place in (self.case, *self.places):
                if place.get(name) is not None:
                    return place[name]
        return fields.need(self.case, key, self.name)

    def number(self, key: str, *others: str) -> float:
        """A number."""
        return fields.number(self.find(key, *others), f"{key} of {self.name}")

    def positive(self, key: str, *others: str) -> float:
        """A number above zero."""
        return fields.positive(self.find(key, *others), f"{key} of {self.name}")

    def numbers(self, key: str, count: int | None = None) -> list[float]:
        """A list of numbers."""
        found = fields.rows_of(self.find(key), f"{key} of {self.name}")
        return fields.numbers(found, f"{key} of {self.name}", len(found) if count is None else count)

    def positives(self, key: str, count: int | None = None) -> list[float]:
        """A list of numbers above zero."""
        return [fields.positive(x, f"{key} of {self.name}") for x in self.numbers(key, count)]

    def concentrations(self, key: str, count: int) -> list[float]:
        """A list of concentrations, none negative."""
        return [fields.not_negative(x, f"{key} of {self.name}") for x in self.numbers(key, count)]

    def neutral(self, key: str, species: tuple[Species, ...]) -> list[float]:
        """Concentrations of a bath, whose charges must cancel."""
        found = self.concentrations(key, len(species))
        excess = sum(s.z * c for s, c in zip(species, found, strict=True))
        if abs(excess) > 1e-6 * sum(abs(s.z) * c for s, c in zip(species, found, strict=True)):
            raise InputError(f"{key} of {self.name} must be neutral, but its charges add up to {excess:+g} mM.")
        return found

    def species(self) -> tuple[Species, ...]:
        """The ions; their names are their places, so that cases of equal valences share programs."""
        valences = [fields.valence({"z": z}, self.name) for z in fields.rows_of(self.find("z"), f"z of {self.name}")]
        if not any(z > 0 for z in valences) or not any(z < 0 for z in valences):
            raise InputError(f"z of {self.name} must have a cation and an anion, but is {valences}.")
        return named(valences)

    @property
    def celsius(self) -> float:
        """The temperature [K] of the case as it says."""
        return self.positive("T_K")

    @property
    def temperature(self) -> float:
        """The temperature [K] at which RT/F is that of the case."""
        return self.constants.temperature(self.celsius)

    @property
    def thermal(self) -> float:
        """RT/F [mV]."""
        return float(units.thermal_voltage(self.temperature))

    def permittivity(self, key: str = "eps_r") -> float:
        """Relative permittivity, scaled so that the library's constants give the Debye length of the case's."""
        return self.positive(key) * self.permittivity_scale

    @property
    def permittivity_scale(self) -> float:
        """What relative permittivities are to be multiplied with."""
        return EPSILON0 / units.EPSILON0 / self.constants.per_mole

    @property
    def charge_scale(self) -> float:
        """What charges are to be multiplied with: C or e0 per area, over F."""
        return 1.0 / self.constants.per_mole

    def bath(self, species: tuple[Species, ...], inside: list[float], outside: list[float]) -> Bath:
        """Baths at the temperature of the case."""
        return Bath(dict(zip(species, inside, strict=True)), dict(zip(species, outside, strict=True)), self.temperature)

    def tolerance(self, answer: Answer, listed: Any, peers: float) -> Tolerance:
        """How far a number may be off: an entry of a list relative to its largest, zero relative to its peers."""
        exact = answer.within.startswith("exact_to")
        otherwise = max((p[k] for k in ("exact_to",) for p in (self.case, *self.places) if k in p), default=EXACT)
        found = next(
            (p[answer.within] for p in (self.case, *self.places) if p.get(answer.within) is not None),
            otherwise if exact else RTOL,
        )
        rtol = fields.not_negative(found, f"{answer.within} of {self.name}")
        rtol = max(rtol, ROUNDING) if exact else rtol
        atol = rtol * largest(listed) if isinstance(listed, list) else 0.0
        return Tolerance(0.0 if atol else rtol, atol, rtol * peers)


def named(valences: Collection[int]) -> tuple[Species, ...]:
    """Ions of these valences, named by their places."""
    return tuple(Species(f"ion {k + 1}", z) for k, z in enumerate(valences))


def salt(given: Given) -> tuple[Species, ...]:
    """The ions of a 1:1 salt, or those that the case names."""
    return given.species() if given.case.get("z") is not None else named((1, -1))


def largest(value: Any) -> float:
    """The largest size of a number, or of a list of such."""
    if isinstance(value, list):
        return max((largest(x) for x in value), default=0.0)
    return abs(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def questions(
    given: Given, point: Case, name: str, known: Known, here: Collection[str], peers: Collection[Case] = ()
) -> Iterator[Row | Question]:
    """What is neither given nor a remark is a quantity, known or not.

    **Arguments:** `here`: the keys of what is given at the point; `peers`: the points of the same case, by whose
    largest value under the same key a zero is judged.
    """
    for quantity, value in point.items():
        if quantity in here or quantity in REMARKS or quantity.partition("_")[0] in fields.TOLERANCES:
            continue
        answers = known.get(quantity, ())
        answers = (answers,) if isinstance(answers, Answer) else answers
        if not answers or value is None:
            yield not_covered(name, quantity, value)
        scale = largest([other.get(quantity) for other in peers] or [value])
        for answer in answers if value is not None else ():
            yield from _asked(given, name, quantity, answer, value, scale)


def _asked(given: Given, name: str, quantity: str, answer: Answer, value: Any, scale: float) -> Iterator[Question]:
    where, shown = f"{quantity} of {name}", quantity + answer.by
    if not isinstance(value, list):
        reading = Reading(answer.compute, lambda result: _number(answer.take(result), where))
        within = given.tolerance(answer, value, scale)
        yield Question(name, shown, fields.number(value, where), within, reading, None, ())
        return
    for place in np.ndindex(_shape(value, where)):
        inner = value
        for k in place[:-1]:
            inner = inner[k]
        take = lambda result, place=place: _entry(answer.take(result), place, where)
        within = given.tolerance(answer, inner, scale)
        label = ",".join(str(k + 1) for k in place)
        expected = fields.number(inner[place[-1]], where)
        yield Question(name, f"{shown}[{label}]", expected, within, Reading(answer.compute, take), None, ())


def _shape(value: Any, where: str) -> tuple[int, ...]:
    try:
        return np.asarray(value, float).shape
    except (TypeError, ValueError):
        raise InputError(f"{where} must be numbers, or lists of equally many, but is neither.") from None


def _number(found: Any, where: str) -> float:
    if np.ndim(found):
        raise InputError(f"{where} must be a list of {np.shape(found)} numbers, but is one number.")
    return float(found)


def _entry(found: Any, place: tuple[int, ...], where: str) -> float:
    found = np.asarray(found)
    if found.ndim != len(place) or any(k >= n for k, n in zip(place, found.shape, strict=True)):
        raise InputError(f"{where} must have the shape {found.shape}, one number for each, but has more or is flat.")
    return float(found[place])
