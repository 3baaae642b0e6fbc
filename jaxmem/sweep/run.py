"""A function over every parameter set of a design: chunk by chunk, on disk or in memory, here or anywhere."""

import inspect
import itertools
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from ..results import InputError
from . import identity
from .design import Grid
from .evaluate import Work, evaluate, program
from .layout import Layout, layout
from .result import SweepResult
from .store import CODE, DONE, LANE, Plan, Store, Variable, free_memory, in_memory, on_disk, room
from .vary import Varied

AHEAD = 32  # chunks that an executor has at once
BLOCK = 256  # lanes that a core computes at once: what they need fits into its cache

Progress = Callable[[int, int], None]


def run(
    function: Callable[..., Mapping[str, Any]],
    varied: Varied,
    *,
    chunk: int = 65536,
    block: int | None = None,
    store: str | os.PathLike | None = None,
    shard: tuple[int, int] = (0, 1),
    executor: Executor | None = None,
    mesh: jax.sharding.Mesh | None = None,
    key: Any = None,
    units: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> SweepResult:
    """What a function gives for every parameter set: named arrays over the lanes, and how each lane ended.

    A lane's results depend on its parameters, its number and `key` alone: not on the other lanes, nor on how many
    chunks, shards or workers there are, nor on whether the sweep was stopped and begun again.

    **Arguments**

    - `function`: `function(model) -> {name: array}`, written for one lane and traced once. A `RESULTS` among what it
      returns is how the lane ended; without one, a lane with any NaN or infinite value has failed. Whole numbers become
      floating-point ones, so that a failed lane can be NaN.
    - `varied`: see `vary`.
    - `chunk`: the most lanes that are computed and written at once; it bounds the memory.
    - `block`: lanes that are computed in step with each other (256 on a processor, the whole chunk on an accelerator).
    - `store`: a folder for a Zarr store (`jaxmem[sweep]`). If it holds this sweep, the sweep goes on where it stopped.
    - `shard`: (i, N), to compute every N-th chunk from the i-th on, counted from 0: one of N processes that share a
      store.
    - `executor`: computes chunks elsewhere: any `concurrent.futures.Executor`, such as Dask's `client.get_executor()`.
    - `mesh`: a mesh of devices with one axis, over which every chunk is divided; see `devices`.
    - `key`: makes it `function(model, key)`, each lane with its own key, folded from its number.
    - `units`: of the results, by name.
    - `progress`: called with the number of lanes done and in all.

    **Raises** `InputError` for what does not fit together, a store of another sweep, and a sweep larger than the disk
    or memory that is free; `RuntimeError` if the workers of an executor are lost.
    """
    work, plan = _plan(function, varied, chunk, block, executor, mesh, key, dict(units or {}))
    first, every = _shard(shard, store)
    held = in_memory(plan) if store is None else on_disk(plan, store)
    lanes = lambda chunks: sum(stop - start for start, stop in map(plan.layout.span, chunks))
    mine = range(first, plan.layout.chunks, every)
    waiting = [number for number in mine if not held.holds(number)]
    total, done = lanes(mine), lanes(mine) - lanes(waiting)
    tell = progress or (lambda done, total: None)
    tell(done, total)
    for number, results in _computed(work, varied, plan.layout, waiting, executor):
        _write(held, varied, number, *results)
        done += lanes([number])
        tell(done, total)
    return SweepResult(varied, held)


def devices() -> jax.sharding.Mesh:
    """A mesh of all devices of this process, for `run(..., mesh=devices())`.

    A processor is one device unless `jax.config.update("jax_num_cpu_devices", n)` comes before anything is computed.
    """
    found = jax.local_devices()
    return jax.make_mesh((len(found),), (LANE,), axis_types=(jax.sharding.AxisType.Auto,), devices=found)


def _plan(
    function: Any,
    varied: Varied,
    chunk: int,
    block: int | None,
    executor: Executor | None,
    mesh: jax.sharding.Mesh | None,
    key: Any,
    units: dict[str, str],
) -> tuple[Work, Plan]:
    if any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves((varied.model, key))):
        raise InputError("A sweep is run, not traced; call it outside of jit and grad.")
    if mesh is not None and (executor is not None or len(mesh.axis_names) != 1 or mesh.is_multi_process):
        raise InputError(
            "A mesh must have one axis and the devices of this process, and goes without an executor; use `shard` for "
            "more machines."
        )
    room(varied.design.memory(varied.axes), free_memory(), "memory for its design", "use sobol(n), which needs none")
    parts = layout(varied.shape, chunk)
    across = 1 if mesh is None else mesh.size
    block = block or (BLOCK if jax.default_backend() == "cpu" else -(-parts.capacity // across))
    block = min(block, -(-parts.capacity // across))
    size = -(-parts.capacity // (block * across)) * block * across
    on_host = lambda x: np.asarray(x) if isinstance(x, jax.Array) and not _is_key(x) else x
    function, model = jax.tree.map(on_host, (function, varied.model))
    limits = [np.array([getattr(a.domain, end) for a in varied.axes]) for end in ("lower", "upper")]
    own = np.asarray(varied.own)
    box = (own, *(limit.astype(own.dtype) for limit in limits))
    found, shapes = program(function, model, varied.targets, box, key)
    work = Work(
        token=uuid.uuid4().hex,
        function=function,
        model=model,
        targets=varied.targets,
        box=box,
        key=key,
        size=size,
        block=block,
        x64=jnp.result_type(float) == jnp.float64,
        program=found,
        home=os.getpid(),
        mesh=mesh,
    )
    about = {
        "model": identity.of_numbers((model, key)),
        "function": f"{_name(function)} {found}",
        "parameter sets": identity.of_design(varied),
        "chunk": f"{parts.capacity} lanes, {block} at once",
        "precision": str(own.dtype),
        "versions": identity.versions(),
    }
    return work, Plan(parts, *_variables(varied, shapes, units), about)


def _variables(
    varied: Varied, shapes: Mapping[str, Any], units: dict[str, str]
) -> tuple[dict[str, tuple[np.ndarray, str]], dict[str, Variable]]:
    """The coordinates of a grid, and what is written for every lane."""
    unknown = sorted(set(units) - set(shapes))
    if unknown:
        raise InputError(
            f"Units are of results, which are {', '.join(shapes)}, but `units` names {', '.join(unknown)}."
        )
    taken = {*varied.names, CODE, DONE, LANE} & set(shapes)
    if taken or {CODE, DONE, LANE} & set(varied.names):
        raise InputError(
            f"Results and parameters must have names of their own, other than {CODE}, {DONE} and {LANE}, but the "
            f"results are {', '.join(shapes)} and the parameters {', '.join(varied.names)}."
        )
    variables = {name: Variable(s.shape, np.dtype(s.dtype), units.get(name, "")) for name, s in shapes.items()}
    code = {CODE: Variable((), np.dtype(np.int8), "")}
    if isinstance(varied.design, Grid):
        return {axis.name: (axis.listed, axis.unit) for axis in varied.axes}, variables | code
    rows = {axis.name: Variable((), np.dtype(np.float64), axis.unit, parameter=True) for axis in varied.axes}
    return {}, rows | variables | code


def _shard(shard: tuple[int, int], store: Any) -> tuple[int, int]:
    number, count = shard
    if not 0 <= number < count:
        raise InputError(f"A shard must be (i, N) with i from 0 to N - 1, but is ({number}, {count}).")
    if count > 1 and store is None:
        raise InputError("A shard is a part of the sweep that its store holds together; give a `store`.")
    return number, count


def _computed(
    work: Work, varied: Varied, parts: Layout, waiting: Iterable[int], executor: Executor | None
) -> Iterator[tuple[int, tuple[dict[str, np.ndarray], np.ndarray]]]:
    """The number of every waiting chunk and its results, as they come."""

    def call(number: int) -> tuple[Work, np.ndarray, int]:
        start, stop = parts.span(number)
        return work, varied.values(start, stop), start

    if executor is None:
        yield from ((number, evaluate(*call(number))) for number in waiting)
        return
    queue, running = iter(waiting), dict[Future, int]()
    try:
        while True:
            for number in itertools.islice(queue, AHEAD - len(running)):
                running[executor.submit(evaluate, *call(number))] = number
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    except BrokenExecutor as error:
        raise RuntimeError(f"The workers were lost ({error}); run the same sweep again, and it goes on.") from error
    finally:
        for future in running:
            future.cancel()


def _write(held: Store, varied: Varied, number: int, outputs: dict[str, np.ndarray], codes: np.ndarray) -> None:
    values: dict[str, np.ndarray] = {**outputs, CODE: codes}
    if not held.plan.axes:
        values |= dict(zip(varied.names, varied.values(*held.plan.layout.span(number)).T, strict=True))
    held.write(number, values)


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


def _name(function: Any) -> str:
    inner = inspect.unwrap(getattr(function, "func", function))
    return getattr(inner, "__qualname__", type(inner).__qualname__)
