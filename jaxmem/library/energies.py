"""The energies of a barrier pore of the library as what a fit may move."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import equinox as eqx

from ..channel import Channel

if TYPE_CHECKING:
    from ..fit import Free


def free_energies(model: Callable[..., Channel], read: Callable[[Any, Any, Any], list[Any]], width: float) -> Free:
    """The keyword arguments of a model of which all are energies [kT], each within `width` of its default.

    **Arguments:** `model`: from energies to an open channel with a `BarrierPore`; `read`: from the pore's sites,
    barriers and pair energies to those arguments, in their order; `width` [kT].
    """
    from ..fit import Free, Parameter

    defaults = {name: x.default for name, x in inspect.signature(model).parameters.items()}

    def place(channel: Any, values: Any) -> Channel:
        return eqx.tree_at(_arrays, channel, _arrays(model(**dict(zip(defaults, values, strict=True)))))

    found = tuple(Parameter(name, "kT", x - width, x + width) for name, x in defaults.items())
    return Free(found, place, (), lambda channel: read(*_arrays(channel)))


def _arrays(channel: Any) -> list[Any]:
    pore = channel.permeation
    return [pore.sites, pore.barriers, pore.interaction.energy]
