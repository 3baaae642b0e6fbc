"""A membrane between two compartments: its capacitance, and the mechanisms in it."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from ..electrochemistry import Bath, Species
from ..params import as_array, param, positive
from ..permeation import Exchange, Ohmic


class Membrane(eqx.Module):
    """A membrane that joins two compartments; its potential is that of `inside` minus that of `outside`.

    **Arguments:** `inside`, `outside`: names of compartments; `capacitance` [pF]; `mechanisms`: channels, pumps and
    transporters, one or a tuple; `water` [pL/ms/mM]: flow of water into `inside` per difference of osmolarity, all area
    included; None where no water passes, and volumes stay.
    """

    inside: str = eqx.field(static=True)
    outside: str = eqx.field(static=True)
    capacitance: Float[Array, ""] = param("pF", positive)
    mechanisms: tuple[Any, ...]
    water: Float[Array, ""] | None = param("", positive)

    def __init__(self, inside: str, outside: str, capacitance: Any, mechanisms: Any, *, water: Any = None):
        self.inside, self.outside = inside, outside
        self.capacitance, self.water = as_array(capacitance), as_array(water)
        self.mechanisms = tuple(mechanisms) if isinstance(mechanisms, Sequence) else (mechanisms,)

    def init(self, v: Float[Array, ""], bath: Bath) -> tuple[Any, ...]:
        """The steady states of all mechanisms at v [mV]."""
        return tuple(m.init(v, bath) for m in self.mechanisms)

    def derivative(self, states: tuple[Any, ...], v: Float[Array, ""], bath: Bath) -> tuple[Any, ...]:
        """Rates of change of the states of all mechanisms [1/ms]."""
        return tuple(m.derivative(s, v, bath) for m, s in zip(self.mechanisms, states, strict=True))

    def exchange(self, states: tuple[Any, ...], v: Float[Array, ""], bath: Bath) -> Exchange:
        """What all mechanisms release [fmol/ms], and their current [pA]."""
        terms = [m.exchange(s, v, bath) for m, s in zip(self.mechanisms, states, strict=True)]
        if not terms:
            nothing = jnp.zeros((len(bath.species),), v.dtype)
            return Exchange(nothing, nothing, jnp.zeros_like(v))
        return jax.tree.map(lambda *parts: sum(parts[1:], parts[0]), *terms)


def parts(value: Any) -> Iterator[Any]:
    """Every module, species and plain value that a model is made of, static fields included."""
    yield value
    if is_dataclass(value):
        for field in fields(value):
            yield from parts(getattr(value, field.name, None))
    elif isinstance(value, dict):
        for key, x in value.items():
            yield from parts(key)
            yield from parts(x)
    elif isinstance(value, tuple | list):
        for x in value:
            yield from parts(x)


def named(value: Any) -> frozenset[Species]:
    """Every species that a model names: no other can it carry."""
    return frozenset(x for x in parts(value) if isinstance(x, Species))


def without_ion(value: Any) -> Ohmic | None:
    """A conductance in a model whose current carries no ion, or None."""
    return next((x for x in parts(value) if isinstance(x, Ohmic) and x.species is None), None)
