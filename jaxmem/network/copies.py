"""Many copies of one value, such as a cell or a stimulus, some of whose parts differ from copy to copy."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jaxtyping import Array

from ..results import InputError


class Copies(eqx.Module):
    """Copies of one value: what differs has a leading axis, what does not is kept once. `copies` makes them."""

    varied: Any
    fixed: Any
    number: int = eqx.field(static=True)

    def each(self, f: Callable, *arguments: Any) -> Any:
        """f(copy, *arguments) of every copy, its results with a leading axis.

        **Arguments:** `arguments`: pytrees whose arrays have a leading axis of copies.
        """
        one = lambda varied, *rest: f(eqx.combine(varied, self.fixed), *rest)
        return jax.vmap(one, axis_size=self.number)(self.varied, *arguments)

    def copy(self, k: int) -> Any:
        """One of the copies."""
        return eqx.combine(jax.tree.map(lambda x: x[k], self.varied), self.fixed)

    def take(self, index: np.ndarray) -> "Copies":
        """Some of the copies."""
        return Copies(jax.tree.map(lambda x: x[index], self.varied), self.fixed, len(index))


def copies(value: Any, number: int, *varied: tuple[Callable[[Any], Any], Array | np.ndarray]) -> Copies:
    """Copies of a value, such as a population of cells, in which some parts vary.

    `copies(neuron, 100, (lambda c: c.membranes[0].mechanisms[2].permeation.reversal, reversals))`

    **Arguments:** `value`: a cell, or a stimulus; `number`; `varied`: pairs of a part, selected as an attribute, and
    its values, one for each copy along the first axis.
    **Raises:** `InputError` if there are not as many values as copies.
    """
    if number < 1:
        raise InputError(f"There must be at least one copy, but `number` is {number}.")
    whole, mask = value, jax.tree.map(lambda _: False, value)
    for where, values in varied:
        part, values = jnp.shape(where(value)), given(values)
        if jnp.shape(values) != (number, *part):
            raise InputError(
                f"A part that varies must have one value for each of the {number} copies, of the shape "
                f"{(number, *part)}, but they have the shape {jnp.shape(values)}."
            )
        whole = eqx.tree_at(where, whole, values)
        mask = eqx.tree_at(where, mask, True)
    return Copies(*eqx.partition(whole, mask), number)


def given(values: Any) -> Any:
    """Values of the host as an array of the default floating dtype; arrays, random keys and tracers as they are."""
    return values if isinstance(values, jax.Array | Tracer) else jnp.asarray(values, jnp.result_type(float))
