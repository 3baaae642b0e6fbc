"""Cases of pumps and transporters, each told by its parameters and by what its rows hold."""

from collections.abc import Iterator
from typing import Any, Protocol

from . import carriers, cotransport, exchanger, expectations, fields, pump_cycle, pump_laws, serca, symporter
from .points import Case, Question
from .row import Row, not_covered


class Kind(Protocol):
    """What a module offers: one kind of case."""

    @staticmethod
    def matches(case: Any) -> bool:
        """Whether a case is of this kind."""
        ...

    @staticmethod
    def rows(case: Case, name: str, data: Case) -> Iterator[Row | Question]:
        """One row for each quantity of a case."""
        ...


KINDS: tuple[Kind, ...] = (pump_cycle, pump_laws, exchanger, cotransport, carriers, serca, symporter)


def recognizes(data: dict[str, Any]) -> bool:
    """Whether some case is of a known kind."""
    cases = data.get("cases")
    several = [cases] if isinstance(cases, dict) else cases if isinstance(cases, list) else []
    return any(kind.matches(case) for case in several for kind in KINDS)


def rows(data: dict[str, Any]) -> Iterator[Row | Question]:
    """One row for each quantity of each case."""
    for k, case in enumerate(fields.tables(data.get("cases"), "cases")):
        name = fields.name_of(case, k)
        kind = next((kind for kind in KINDS if kind.matches(case)), None)
        if kind is None:
            yield not_covered(name, "case")
        else:
            yield from kind.rows(case, name, data)
    yield from expectations.rest(data, "file", {"cases"})
