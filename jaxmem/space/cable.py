"""The cable equation: potentials along a tree whose concentrations do not change."""

import abc
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from .._numerics.tree_elimination import solve_tree
from ..cell import AbstractCell
from ..electrochemistry import Bath, Species, as_bath
from ..params import as_array, param, positive
from ..results import InputError
from .placed import Placed, as_placed
from .tree import Tree

_PF_PER_UM2 = 0.01  # of 1 uF/cm2
_NS_OHM_CM_PER_UM = 1e5  # the conductance [nS] of 1 um2 over 1 um at 1 Ohm cm


Inject = Callable[[Float[Array, ""]], Float[Array, ""]]
Supply = dict[tuple[str, Species], Float[Array, ""]]


class CableState(NamedTuple):
    """`v` [mV] (compartments,), and the states of the placed mechanisms, with a leading axis of their places."""

    v: Float[Array, " n"]
    mechanisms: tuple[Any, ...]


class AbstractAlong(AbstractCell):
    """A cell along a tree, which `simulate.Hines` steps: `mechanisms`, placed along it, whose gates the method moves,
    and the potentials and contents, which the cell moves itself."""

    tree: eqx.AbstractVar[Tree]
    mechanisms: eqx.AbstractVar[tuple[Placed, ...]]
    electrode: eqx.AbstractVar[Int[Array, ""]]
    record: eqx.AbstractVar[Int[Array, "*places"]]

    @abc.abstractmethod
    def surroundings(self, carry: Any, k: int) -> tuple[Float[Array, " n"], Bath]:
        """The potentials [mV] and the baths, one for all or one for each compartment, of the k-th mechanism."""

    @abc.abstractmethod
    def moved(self, carry: Any, inject: Inject, supply: Supply, h: Float[Array, ""]) -> Any:
        """Potentials and contents after h [ms] with the gates of the middle of the step.

        **Arguments:** `inject`: current [pA] by the potential at the electrode; `supply`: amounts put in [fmol/ms].
        """

    def longest_step(self) -> float:
        """The longest step [ms] at which what spreads along the tree is surely stable; infinite where it always is."""
        return math.inf

    def begun(self, state: Any, h: Float[Array, ""]) -> Any:
        """What is carried from step to step, from a state."""
        return state

    def ended(self, carry: Any) -> Any:
        """The state, from what is carried."""
        return carry


class Cable(AbstractAlong):
    """A tree of compartments with mechanisms in its membrane, at constant concentrations.

    C dV/dt = -I + sum of g (V_neighbor - V), g = bridge/resistivity. Runs in `simulate.current_clamp`, injected current
    in pA; the potential that is recorded is that of the compartments `record`, and `observed["V"]` is that of all.

    **Arguments:** `tree`; `mechanisms`: one or several, placed (`place`), or else everywhere; `bath`: a `Bath`, or a
    temperature [K] where no mechanism needs concentrations; `capacitance` [uF/cm2] and `resistivity` [Ohm cm] of the
    inside, one number or one for each compartment (that of a bridge is its child's); `start` [mV]; `electrode`: the
    compartment where current is injected; `record`: one compartment or several (the electrode).
    **Raises:** `InputError` for sizes that do not fit the tree.
    """

    tree: Tree
    mechanisms: tuple[Placed, ...]
    bath: Bath
    capacitance: Float[Array, "*n"] = param("uF/cm2", positive)
    resistivity: Float[Array, "*n"] = param("Ohm cm", positive)
    start: Float[Array, "*n"] = param("mV")
    electrode: Int[Array, ""]
    record: Int[Array, "*places"]

    def __init__(
        self,
        tree: Tree,
        mechanisms: Any,
        bath: Bath | float,
        *,
        capacitance: Any = 1.0,
        resistivity: Any = 100.0,
        start: Any = -65.0,
        electrode: int = 0,
        record: Any = None,
    ):
        self.tree, self.mechanisms, self.bath = tree, as_placed(mechanisms, tree.size), as_bath(bath)
        self.capacitance, self.resistivity, self.start = as_array(capacitance), as_array(resistivity), as_array(start)
        self.electrode = compartments(electrode, tree)
        self.record = self.electrode if record is None else compartments(record, tree)
        for name, value in (("capacitance", self.capacitance), ("resistivity", self.resistivity)):
            along(name, value, tree)
            if not isinstance(value, Tracer) and not np.all(np.asarray(value) > 0.0):
                raise InputError(f"The {name} of a cable must be positive.")
        along("start", self.start, tree)

    def init(self) -> CableState:
        """All mechanisms in their steady states at the starting potential."""
        v = jnp.broadcast_to(self.start, (self.tree.size,))
        return CableState(v, tuple(m.init(v, self.bath) for m in self.mechanisms))

    def charge_per_mv(self) -> Float[Array, " n"]:
        """The capacitance of each compartment [pF]."""
        return _PF_PER_UM2 * self.capacitance * self.tree.area

    def conductance(self) -> Float[Array, " n"]:
        """The conductance between each compartment and its parent [nS]."""
        return _NS_OHM_CM_PER_UM * self.tree.bridge / self.resistivity

    def outward(self, mechanisms: tuple[Any, ...], v: Float[Array, " n"]) -> Float[Array, " n"]:
        """The current through the membrane of each compartment [pA]."""
        terms = (
            m.exchange(s, v, self.bath, self.tree.area).current
            for m, s in zip(self.mechanisms, mechanisms, strict=True)
        )
        return sum(terms, start=jnp.zeros_like(v))

    def axial(self, v: Float[Array, " n"]) -> Float[Array, " n"]:
        """The current that reaches each compartment from its neighbors [pA]."""
        flow = self.conductance() * (self.tree.of_parent(v) - v)
        return flow - self.tree.from_children(flow)

    def derivative(self, state: CableState, current: Float[Array, ""]) -> CableState:  # noqa: D102
        push = (self.axial(state.v) - self.outward(state.mechanisms, state.v)).at[self.electrode].add(current)
        pairs = zip(self.mechanisms, state.mechanisms, strict=True)
        moved = tuple(m.derivative(s, state.v, self.bath) for m, s in pairs)
        return CableState(push / self.charge_per_mv(), moved)

    def moved(self, carry: CableState, inject: Inject, supply: Supply, h: Float[Array, ""]) -> CableState:
        """The potentials after h [ms]: implicit midpoint in all that is linear in them.

        **Raises:** `InputError` for particles put in, which have nowhere to go.
        """
        if supply:
            raise InputError("Particles cannot be put into a Cable, whose concentrations are constant; use a Tissue.")
        v = carry.v
        out, slope = jax.jvp(lambda x: self.outward(carry.mechanisms, x), (v,), (jnp.ones_like(v),))
        at = v[self.electrode]
        current, more = jax.jvp(inject, (at,), (jnp.ones_like(at),))
        # For the potential in the middle of the step, not for how far it is, which would need the axial currents too.
        own = 2.0 * self.charge_per_mv() / h + slope.at[self.electrode].add(-more)
        middle = self.relaxed(own, (own * v - out).at[self.electrode].add(current))
        return carry._replace(v=2.0 * middle - v)

    def relaxed(self, diagonal: Float[Array, " n"], push: Float[Array, " n"]) -> Float[Array, " n"]:
        """The potentials that currents [pA] make through conductances [nS] and the conductance between neighbors."""
        g = self.conductance()
        return solve_tree(self.tree.parent, diagonal + g + self.tree.from_children(g), -g, -g, push, self.tree.branches)

    def surroundings(self, carry: CableState, k: int) -> tuple[Float[Array, " n"], Bath]:  # noqa: D102
        return carry.v, self.bath

    def voltage(self, state: CableState) -> Float[Array, "*places"]:
        """The potential at the recorded compartments [mV]."""
        return state.v[self.record]

    def at_electrode(self, state: CableState) -> Float[Array, ""]:  # noqa: D102
        return state.v[self.electrode]

    def observe(self, state: CableState) -> dict[str, Float[Array, " n"]]:
        """`V`, the potential of every compartment [mV]."""
        return {"V": state.v}


def compartments(index: Any, tree: Tree) -> Int[Array, "*places"]:
    """Indices of compartments as an array.

    **Raises:** `InputError` if they are not on the tree.
    """
    found = jnp.asarray(index)
    if not isinstance(found, Tracer):
        host = np.asarray(found)
        if not np.issubdtype(host.dtype, np.integer) or host.size == 0 or host.min() < 0 or host.max() >= tree.size:
            raise InputError(
                f"Compartments must be integers from 0 to {tree.size - 1}, but are {index}; tree.at(name, place) "
                "finds them."
            )
    return found.astype(jnp.int32)


def along(name: str, value: Any, tree: Tree) -> None:
    """Refuses a value that is neither one number nor one for each compartment.

    **Raises:** `InputError`.
    """
    if value.shape not in ((), (tree.size,)):
        raise InputError(
            f"The {name} must be one number or one for each of the {tree.size} compartments, but has shape "
            f"{value.shape}."
        )
