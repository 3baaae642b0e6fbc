"""What makes two sweeps the same: a digest of what a lane computes and of the numbers that it starts from."""

import hashlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, Jaxpr, Literal

from .vary import Varied

SEEN = 64  # lanes of a sampled design that stand for the rest


def of_program(function: Callable[..., Any], *arguments: Any) -> tuple[str, Any]:
    """A digest of what a function computes, and the shapes of what it returns.

    It is read from the traced program: its operations, their shapes, constants and settings. So it sees a changed
    number in a script's global as well as a changed line, and it is the same in every process.
    """
    closed, shapes = jax.make_jaxpr(function, return_shape=True)(*arguments)
    digest = hashlib.sha256()
    _program(closed, digest)
    return digest.hexdigest()[:16], shapes


def _program(program: Any, digest: Any) -> None:
    if isinstance(program, ClosedJaxpr):
        for constant in program.consts:
            _number(constant, digest)
        program = program.jaxpr
    numbers: dict[Any, int] = {}

    def name(variable: Any) -> str:
        return f"v{numbers.setdefault(variable, len(numbers))}:{variable.aval.str_short()}"

    def atom(x: Any) -> None:
        if isinstance(x, Literal):
            _number(x.val, digest)
        else:
            digest.update(name(x).encode())

    for variable in (*program.constvars, *program.invars):
        digest.update(name(variable).encode())
    for equation in program.eqns:
        digest.update(equation.primitive.name.encode())
        for x in equation.invars:
            atom(x)
        for key in sorted(equation.params):
            _setting(equation.params[key], digest)
        digest.update("".join(name(x) for x in equation.outvars).encode())
    for x in program.outvars:
        atom(x)


def _setting(value: Any, digest: Any) -> None:
    """A setting of an operation: programs and plain data; what else there is are tools of jax, without a content."""
    if isinstance(value, ClosedJaxpr | Jaxpr):
        _program(value, digest)
    elif isinstance(value, tuple | list):
        digest.update(b"(")
        for item in value:
            _setting(item, digest)
        digest.update(b")")
    elif isinstance(value, bool | int | float | str | np.dtype):
        digest.update(f"{value!r};".encode())
    elif isinstance(value, np.ndarray | np.generic | jax.Array):
        _number(value, digest)


def _number(value: Any, digest: Any) -> None:
    if isinstance(value, jax.Array) and jnp.issubdtype(value.dtype, jax.dtypes.prng_key):
        value = jax.random.key_data(value)
    array = np.asarray(value)
    digest.update(f"{array.dtype}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).tobytes())


def of_numbers(tree: Any) -> str:
    """A digest of the arrays and numbers of a pytree."""
    digest = hashlib.sha256()
    for leaf in jax.tree.leaves(tree):
        if isinstance(leaf, jax.Array | np.ndarray | np.generic | bool | int | float | complex):
            _number(leaf, digest)
    return digest.hexdigest()[:16]


def of_design(varied: Varied) -> str:
    """A digest of the parameter sets: their names, the rule, and the values themselves where they were given."""
    digest = hashlib.sha256(repr((varied.names, varied.shape, varied.design)).encode())
    given = [axis.values for axis in varied.axes]
    for values in given:
        digest.update(values.tobytes() if isinstance(values, np.ndarray) else repr(values).encode())
    if not all(isinstance(values, np.ndarray) for values in given):
        digest.update(varied.values(0, min(SEEN, varied.lanes)).tobytes())
    digest.update(repr([str(target) for target in varied.targets]).encode())
    return digest.hexdigest()[:16]


def versions() -> str:
    """The versions on which the bits of a result may depend."""
    return ", ".join(f"{name} {version(name)}" for name in ("jaxmem", "jax", "jaxlib"))
