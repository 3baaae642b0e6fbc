"""Where a free parameter is in a model: attributes and indices that lead to a number or to an element of an array."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from ..results import InputError


@dataclasses.dataclass(frozen=True)
class Step:
    """One step into a model: an attribute, or an index."""

    key: Any
    attribute: bool

    def __str__(self) -> str:
        """As it is written."""
        if self.attribute:
            return f".{self.key}"
        return f"[{', '.join(map(repr, self.key)) if isinstance(self.key, tuple) else repr(self.key)}]"

    def __call__(self, node: Any) -> Any:
        """Where it leads."""
        return getattr(node, self.key) if self.attribute else node[self.key]


@dataclasses.dataclass(frozen=True)
class Target:
    """The way to one number of a model."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        """The way as it is written: `gating.gates[0].opening.a`."""
        return "".join(map(str, self.steps)).removeprefix(".")

    def __call__(self, model: Any) -> Any:
        """What it leads to."""
        for step in self.steps:
            model = step(model)
        return model

    def resolve(self, model: Any) -> tuple["Target", tuple[int, ...]]:
        """The way to the array or number that a model holds, and the indices of the element in it, counted from 0.

        **Raises** `IndexError` for an index outside of its array, and what a step into something else raises.
        """
        for k, step in enumerate(self.steps):
            if isinstance(model, jax.Array | np.ndarray):
                return Target(self.steps[:k]), self._element(model, self.steps[k:])
            model = step(model)
        return self, ()

    def _element(self, array: Any, steps: Sequence[Step]) -> tuple[int, ...]:
        keys = [key for step in steps for key in (step.key if isinstance(step.key, tuple) else (step.key,))]
        if any(step.attribute for step in steps) or not all(isinstance(key, int) for key in keys):
            raise IndexError(f"{self} must select one element of an array by whole numbers")
        if len(keys) > array.ndim or not all(-n <= key < n for key, n in zip(keys, array.shape, strict=False)):
            raise IndexError(f"{self} is outside of its array, which has shape {array.shape}")
        return tuple(key % n for key, n in zip(keys, array.shape, strict=False))


def target_of(where: Callable[[Any], Any]) -> Target:
    """What a selection such as `lambda m: m.permeation.g` leads to.

    **Raises** `InputError` if it does more than follow attributes and indices.
    """
    try:
        found = where(_Recorder(()))
    except Exception as error:
        raise InputError(
            f"A selection must follow attributes and indices of the model only, but failed: {error}"
        ) from None
    if not isinstance(found, _Recorder):
        raise InputError("A selection must return one parameter, such as `lambda m: m.permeation.g`.")
    return Target(found.__dict__["steps"])


def get(model: Any, targets: Sequence[Target]) -> list[Any]:
    """The numbers that a model holds at some targets.

    **Raises** `InputError` if two targets are the same number, and what `Target.resolve` raises.
    """
    resolved = [target.resolve(model) for target in targets]
    for k, place in enumerate(resolved):
        if place in resolved[:k]:
            first = targets[resolved.index(place)]
            raise InputError(f"Each parameter must be freed once, but {first} and {targets[k]} are the same number.")
    return [holder(model)[index] if index else holder(model) for holder, index in resolved]


def put(model: Any, targets: Sequence[Target], values: Any) -> Any:
    """The model with other numbers at some targets; the numbers may be traced."""
    elements: dict[Target, list[tuple[tuple[int, ...], Any]]] = {}
    for target, value in zip(targets, values, strict=True):
        holder, index = target.resolve(model)
        elements.setdefault(holder, []).append((index, value))
    new = []
    for holder, pairs in elements.items():
        old = holder(model)
        indices, found = zip(*pairs, strict=True)
        number = jnp.stack([jnp.asarray(value, jnp.result_type(old)) for value in found])
        new.append(
            jnp.asarray(old).at[tuple(map(np.array, zip(*indices, strict=True)))].set(number)
            if indices[0]
            else number[0]
        )
    return eqx.tree_at(lambda m: [holder(m) for holder in elements], model, new)


class _Recorder:
    """Stands for a model and notes which attributes and items are taken."""

    def __init__(self, steps: tuple[Step, ...]):
        self.__dict__["steps"] = steps

    def __getattr__(self, name: str) -> "_Recorder":
        return _Recorder((*self.__dict__["steps"], Step(name, True)))

    def __getitem__(self, key: Any) -> "_Recorder":
        return _Recorder((*self.__dict__["steps"], Step(key, False)))
