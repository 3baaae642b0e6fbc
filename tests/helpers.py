"""The components of jaxmem, one line each: `tests/test_invariants.py` runs every invariant on each of them.

A new gate, scheme or permeation law is one final class in its domain module and one line in the list below.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Component:
    """One component under test. `build()` and `bath()` are called inside a test, after jax is configured."""

    name: str
    build: Callable[[], Any]
    bath: Callable[[], Any]


#: State graphs: `scheme(...)` and `EnergyScheme(...)`.
SCHEMES: tuple[Component, ...] = ()

#: Whatever answers `init, derivative, advance, open_probability`: gates, relaxations, Markov schemes.
GATINGS: tuple[Component, ...] = ()

#: Open-channel laws: `permeation(v, bath) -> Exchange`.
PERMEATIONS: tuple[Component, ...] = ()

#: Whole mechanisms: `init, derivative, advance, exchange`.
MECHANISMS: tuple[Component, ...] = ()


def over(components: tuple[Component, ...]):
    """The decorator that runs a test once for each component: `@over(SCHEMES) def test_...(component)`."""
    return pytest.mark.parametrize("component", components, ids=lambda component: component.name)
