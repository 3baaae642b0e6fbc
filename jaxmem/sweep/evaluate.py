"""One chunk of a sweep: a compiled function of its parameters, which a process keeps between chunks.

Lanes are isolated. A lane with a bad parameter runs on the model's own values, so that no loop, solver or derivative of
its neighbors ever meets it, and what it computes is thrown away. Chunks are always filled up to the same size and
computed in blocks of the same size, so that the bits of a lane do not depend on which others are there.
"""

import dataclasses
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import PartitionSpec
from jaxtyping import Array, Float, Int

from ..fit.target import Target, put
from ..results import RESULTS, InputError
from .identity import of_program

KEPT = 4  # functions of the latest sweeps that a worker keeps compiled


@dataclasses.dataclass(frozen=True, eq=False)
class Work:
    """Everything that a chunk's results depend on but its lanes; it crosses the borders of processes.

    **Arguments**

    - `token`: names one sweep, so that a worker keeps what it has compiled for it.
    - `function`: `function(model)`, or `function(model, key)`.
    - `model`: with its arrays in numpy, which keep their precision wherever they are unpacked.
    - `targets`, `box`: the varied parameters; the model's own values, the lower and upper ends of their domains.
    - `key`: from which every lane's key is folded, or None.
    - `size`, `block`: lanes of a filled chunk, and of what is computed at once.
    - `x64`: the precision; `program`: the identity of the function; `home`: the process that made it.
    - `mesh`: of the devices of one process, or None.
    """

    token: str
    function: Callable[..., Any]
    model: Any
    targets: tuple[Target, ...]
    box: tuple[np.ndarray, np.ndarray, np.ndarray]
    key: Any
    size: int
    block: int
    x64: bool
    program: str
    home: int
    mesh: jax.sharding.Mesh | None


def evaluate(work: Work, values: np.ndarray, first: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The results and codes of one chunk, whose first lane has the number `first`.

    **Arguments** `values`: shape (lanes, p), at most `work.size` lanes.
    **Raises** `InputError` if the function is not the same in this process as where the sweep began.
    """
    with jax.enable_x64(work.x64):
        work = _kept(work)
        count = values.shape[0]
        filled = np.concatenate([values, np.broadcast_to(values[:1], (work.size - count, values.shape[1]))])
        lanes = (first + np.arange(work.size)).astype(np.uint32)
        outputs, codes = _chunk(
            work.function, work.model, work.targets, work.box, filled, lanes, work.key,
            work.block, work.mesh,
        )  # fmt: skip
        return {name: np.asarray(x)[:count] for name, x in outputs.items()}, np.asarray(codes)[:count]


def lane(
    function: Callable[..., Any], targets: tuple[Target, ...], model: Any, box: Any, values: Any, number: Any, key: Any
) -> tuple[dict[str, Array], Int[Array, ""]]:
    """The results of one lane and its code.

    **Arguments** `values`: shape (p,); `number`: of the lane, which is folded into `key`; the others as in `Work`.
    """
    own, lower, upper = box
    finite = jnp.all(jnp.isfinite(values))
    inside = jnp.all((values >= lower) & (values <= upper))
    given = RESULTS.where(
        finite, RESULTS.where(inside, RESULTS.successful, RESULTS.outside_domain), RESULTS.nonfinite_input
    )
    placed = put(model, targets, jnp.where(given == RESULTS.successful, values, own))
    outputs = function(placed) if key is None else function(placed, jax.random.fold_in(key, number))
    outputs, result = _split(outputs)
    result = RESULTS.where(given == RESULTS.successful, result, given)
    code = jnp.asarray(result._value, jnp.int32)
    return {name: jnp.where(result == RESULTS.successful, x, jnp.nan) for name, x in outputs.items()}, code


def _split(outputs: Any) -> tuple[dict[str, Array], RESULTS]:
    if not isinstance(outputs, dict) or not outputs or not all(isinstance(name, str) for name in outputs):
        raise InputError(
            f"The function of a sweep must return a dict of named arrays, such as {{'count': ...}}, but returns "
            f"{type(outputs).__name__}."
        )
    results = [x for x in outputs.values() if isinstance(x, RESULTS)]
    if len(results) > 1:
        raise InputError(f"The function of a sweep may return one RESULTS, but returns {len(results)}.")
    arrays = {name: _number(jnp.asarray(x)) for name, x in outputs.items() if not isinstance(x, RESULTS)}
    if results:
        return arrays, results[0]
    whole = jnp.all(jnp.stack([jnp.all(jnp.isfinite(x)) for x in arrays.values()]))
    return arrays, RESULTS.where(whole, RESULTS.successful, RESULTS.nonfinite_result)


def _number(x: Array) -> Array:
    return x if jnp.issubdtype(x.dtype, jnp.inexact) else x.astype(jnp.result_type(float))  # so that it can be NaN


@eqx.filter_jit
def _chunk(
    function: Any,
    model: Any,
    targets: tuple[Target, ...],
    box: Any,
    values: Float[Array, "lanes p"],
    lanes: Int[Array, " lanes"],
    key: Any,
    block: int,
    mesh: jax.sharding.Mesh | None,
) -> tuple[dict[str, Array], Int[Array, " lanes"]]:
    arrays, rest = eqx.partition((model, box, key), eqx.is_array)

    def blocks(arrays: Any, values: Any, lanes: Any) -> Any:
        model, box, key = eqx.combine(arrays, rest)
        one = lambda x: lane(function, targets, model, box, x[0], x[1], key)
        return jax.lax.map(one, (values, lanes), batch_size=block)

    if mesh is not None:
        split = PartitionSpec(mesh.axis_names[0])
        blocks = jax.shard_map(
            blocks, mesh=mesh, in_specs=(PartitionSpec(), split, split), out_specs=split, check_vma=False
        )
    return blocks(arrays, values, lanes)


def program(
    function: Any, model: Any, targets: tuple[Target, ...], box: Any, key: Any
) -> tuple[str, dict[str, jax.ShapeDtypeStruct]]:
    """The identity of what a lane computes, and the shapes and types of its results.

    **Raises** `InputError` if the function returns no dict of arrays, and what it raises itself.
    """
    arrays, rest = eqx.partition((model, box, key), lambda x: isinstance(x, jax.Array | np.ndarray))

    def one(arrays: Any, values: Any, number: Any) -> Any:
        model, box, key = eqx.combine(arrays, rest)
        return lane(function, targets, model, box, values, number, key)

    identity, (outputs, _) = of_program(one, arrays, jnp.asarray(box[0]), jnp.zeros((), jnp.uint32))
    return identity, outputs


_WORKS: OrderedDict[str, Work] = OrderedDict()


def _kept(work: Work) -> Work:
    """The first work of the same sweep in this process: its function is the one that is compiled."""
    if work.home == os.getpid():
        return work
    if work.token not in _WORKS:
        found, _ = program(work.function, work.model, work.targets, work.box, work.key)
        if found != work.program:
            raise InputError(
                "A worker computes something else than the process that began the sweep: give it the same versions of "
                f"jaxmem, jax and your code, and JAX_ENABLE_X64={int(work.x64)} in its environment."
            )
        _WORKS[work.token] = work
        while len(_WORKS) > KEPT:
            _WORKS.popitem(last=False)
    return _WORKS[work.token]
