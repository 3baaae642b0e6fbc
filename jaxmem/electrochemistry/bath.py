"""What is dissolved where: `Species`, `Solution` and `Bath`."""

from collections.abc import Mapping
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, ArrayLike, Float, Shaped

from ..params import as_array


@dataclass(frozen=True, order=True)  # ordered, as keys of a pytree must be
class Species:
    """A kind of particle: its name and its valence; equal by both, hashable, static under `jax.jit`."""

    name: str
    z: int

    def __repr__(self) -> str:
        """Name and signed valence, as in `Ca(+2)`."""
        return f"{self.name}({self.z:+d})" if self.z else f"{self.name}(0)"


Na = Species("Na", 1)
K = Species("K", 1)
Li = Species("Li", 1)
Rb = Species("Rb", 1)
Cs = Species("Cs", 1)
H = Species("H", 1)
NH4 = Species("NH4", 1)
Ca = Species("Ca", 2)
Mg = Species("Mg", 2)
Ba = Species("Ba", 2)
Cl = Species("Cl", -1)
HCO3 = Species("HCO3", -1)
glu = Species("glu", -1)
gaba = Species("gaba", 0)
glc = Species("glc", 0)
# Biochemical reactants, the sum of all their forms: they stay on their side, and no charge of theirs is counted.
ATP = Species("ATP", 0)
ADP = Species("ADP", 0)
Pi = Species("Pi", 0)


def _floating(x: ArrayLike) -> float | Array:
    """A Python float if `x` is a Python number (it takes its neighbors' dtype), else a floating array."""
    return float(x) if isinstance(x, float | int) else as_array(x)


class Solution(eqx.Module):
    """Concentrations of named species on one side of a membrane.

    `Solution({K: 130.0, Na: 10.0})`; `solution[K]` is the concentration of K [mM]. Concentrations are traced
    leaves, so gradients with respect to them work; the species are static. Values may be Python floats
    (default floating dtype) or floating arrays of equal dtype; arrays broadcast and the species is the last
    axis of `c`.

    **Arguments:**

    - `concentrations`: mapping from `Species` to concentration [mM]. Zero is legal; values are checked at a
      verb's entry, not here.

    **Raises:** `TypeError` when a key is not a `Species`; `KeyError` from `solution[s]` when `s` is absent.
    """

    c: Float[Array, "*batch species"]
    species: tuple[Species, ...] = eqx.field(static=True)

    def __init__(self, concentrations: Mapping[Species, Float[ArrayLike, "*batch"]]):
        """See the class."""
        species = tuple(concentrations)
        for s in species:
            if not isinstance(s, Species):
                raise TypeError(
                    f"Keys of `concentrations` must be Species, but {s!r} was given; "
                    "write Solution({K: 130.0}) with K from jaxmem.electrochemistry."
                )
        values = [_floating(x) for x in concentrations.values()]
        dtype = jnp.result_type(float, *values)
        self.species = species
        columns = jnp.broadcast_arrays(*[jnp.asarray(x, dtype) for x in values])
        self.c = jnp.stack(columns, axis=-1) if species else jnp.zeros((0,), dtype)

    def __getitem__(self, species: Species) -> Float[Array, "*batch"]:
        """Concentration of `species` [mM]."""
        return self.c[..., self.index(species)]

    def __contains__(self, species: Species) -> bool:
        """Whether `species` is dissolved here."""
        return species in self.species

    def index(self, species: Species) -> int:
        """Position of `species` along the last axis of `c`; `KeyError` naming what is there if absent."""
        return _index(species, self.species, "Solution")


class Bath(eqx.Module):
    """The conditions of a membrane: the solutions on both sides and the temperature.

    `bath[K]` is the pair (inside, outside) of concentrations [mM]; a species listed on one side alone has
    zero concentration on the other.

    **Arguments:**

    - `inside`, `outside`: `Solution`s (or mappings that make one), cytoplasmic and extracellular.
    - `temperature`: absolute temperature [K]; a Python float takes the dtype of the concentrations.

    **Raises:** `KeyError` from `bath[s]` when `s` is on neither side.
    """

    inside: Solution
    outside: Solution
    temperature: Float[Array, "*batch"]

    def __init__(
        self,
        inside: Solution | Mapping[Species, Float[ArrayLike, "*batch"]],
        outside: Solution | Mapping[Species, Float[ArrayLike, "*batch"]],
        temperature: Float[ArrayLike, "*batch"],
    ):
        """See the class."""
        inside = inside if isinstance(inside, Solution) else Solution(inside)
        outside = outside if isinstance(outside, Solution) else Solution(outside)
        temperature = _floating(temperature)
        dtype = jnp.result_type(float, temperature, *[s.c for s in (inside, outside) if s.species])
        empty = eqx.tree_at(lambda x: x.c, Solution({}), jnp.zeros((0,), dtype))
        self.inside = inside if inside.species else empty
        self.outside = outside if outside.species else empty
        self.temperature = jnp.asarray(temperature, dtype)

    def check(self) -> None:
        """Refuses concentrations and temperatures, where their values are known, that cannot be.

        **Raises:** `ValueError`.
        """
        for side, solution in (("inside", self.inside), ("outside", self.outside)):
            for s in solution.species:
                low = _least(solution[s])
                if not 0.0 <= low < np.inf:
                    raise ValueError(
                        f"A concentration must be a number of mM and not negative, but {s.name} {side} is {low:g}."
                    )
        if not 0.0 < _least(self.temperature) < np.inf:
            raise ValueError(
                f"A temperature must be above absolute zero, but is {_least(self.temperature):g} K; add 273.15 to "
                "degrees Celsius."
            )

    @property
    def species(self) -> tuple[Species, ...]:
        """Every species of the bath: those inside in their order, then those outside alone."""
        return tuple(dict.fromkeys(self.inside.species + self.outside.species))

    def __getitem__(self, species: Species) -> tuple[Float[Array, "*batch"], Float[Array, "*batch"]]:
        """Concentrations (inside, outside) of `species` [mM]; zero on a side that does not list it."""
        self.index(species)
        sides = (self.inside, self.outside)
        here = next(s[species] for s in sides if species in s)
        inside, outside = (s[species] if species in s else jnp.zeros_like(here) for s in sides)
        return inside, outside

    def __contains__(self, species: Species) -> bool:
        """Whether `species` is listed on either side."""
        return species in self.species

    def index(self, species: Species) -> int:
        """Position of `species` in `bath.species`; `KeyError` naming what is there if it is absent."""
        return _index(species, self.species, "Bath")

    def replaced(self, concentrations: Mapping[tuple[Species, bool], Float[ArrayLike, "*batch"]]) -> "Bath":
        """The bath with some concentrations [mM] replaced or added; keys are `(species, inside)`."""
        sides = []
        for inside, solution in ((True, self.inside), (False, self.outside)):
            new = {s: c for (s, inner), c in concentrations.items() if inner == inside}
            sides.append(Solution({**{s: solution[s] for s in solution.species}, **new}))
        return Bath(sides[0], sides[1], self.temperature)


def as_bath(x: Bath | Shaped[ArrayLike, "*batch"]) -> Bath:
    """`x` itself if it is a `Bath`, else a bath of two empty solutions at the temperature `x` [K].

    **Arguments:** `x`: a `Bath`, or a temperature [K] where no concentration is needed.

    **Raises:** `TypeError` when `x` is neither.
    """
    if isinstance(x, Bath):
        return x
    if not isinstance(x, float | int | jax.Array | np.ndarray | np.number):
        raise TypeError(
            f"`bath` must be a Bath or a temperature in kelvin, but {type(x).__name__} was given; "
            "write Bath(inside, outside, temperature)."
        )
    return Bath(Solution({}), Solution({}), x)


def _least(x: Array) -> float:
    """The smallest of some values, or NaN if one is; one where they are traced and not known."""
    return 1.0 if isinstance(x, Tracer) or np.size(x) == 0 else float(np.min(np.asarray(x)))


def _index(species: Species, present: tuple[Species, ...], where: str) -> int:
    if species not in present:
        there = ", ".join(map(str, present)) or "no species"
        raise KeyError(f"{where} must hold {species}, but holds {there}; add it, or correct its valence.")
    return present.index(species)
