"""A loss that is a sum over data, and its gradient, over the devices of many hosts.

Every process runs the same program (`jax.distributed.initialize`), holds its part of the data and computes its part of
the sum; what they exchange is the gradient. Lanes are computed in blocks of one size, one by one in value and gradient,
so that a lane has the same bits on any number of processes, and one that fails takes nothing else with it.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.multihost_utils import process_allgather
from jax.sharding import NamedSharding, PartitionSpec
from jaxtyping import Array, Bool, Float, Int

from ..results import RESULTS, InputError
from .store import LANE


class Shards(eqx.Module):
    """Data with an axis of lanes, divided among the devices of a mesh; see `shard`."""

    data: Any
    used: Bool[Array, " filled"]
    lanes: int = eqx.field(static=True)
    block: int = eqx.field(static=True)
    mesh: jax.sharding.Mesh = eqx.field(static=True)

    def gather(self, x: Any) -> Any:
        """All lanes of a pytree of per-lane arrays as numpy arrays, in every process."""
        return jax.tree.map(lambda leaf: np.asarray(process_allgather(leaf, tiled=True))[: self.lanes], x)


class Total(NamedTuple):
    """A sum over lanes, the same in every process, and its lanes, each where it was computed.

    **Arguments** `value`, `gradient`: sums over the lanes that did not fail; `failed`: how many did; `values`,
    `gradients`, `codes`: of every lane, NaN where it failed, with fillers at the end (`Shards.gather`).
    """

    value: Float[Array, ""]
    gradient: Any
    failed: Int[Array, ""]
    values: Float[Array, " filled"]
    gradients: Any
    codes: Int[Array, " filled"]


def all_devices() -> jax.sharding.Mesh:
    """A mesh of the devices of all processes."""
    return jax.make_mesh((jax.device_count(),), (LANE,), axis_types=(jax.sharding.AxisType.Auto,))


def shard(data: Any, mesh: jax.sharding.Mesh, *, block: int = 64) -> Shards:
    """Data divided among the devices of a mesh, so that each holds only its own part.

    **Arguments**

    - `data`: a pytree of arrays with a leading axis of lanes, the same in every process.
    - `mesh`: with one axis, such as `all_devices()`.
    - `block`: lanes that a device computes at once. Lanes are filled up to a multiple of it on every device.

    **Raises** `InputError` if the arrays have different numbers of lanes or none.
    """
    leaves = [np.asarray(x) for x in jax.tree.leaves(data)]
    sizes = {x.shape[0] if x.ndim else 0 for x in leaves}
    if len(sizes) != 1 or 0 in sizes or len(mesh.axis_names) != 1:
        raise InputError(
            f"Data must have one leading axis of lanes, and the mesh one axis, but there are {sorted(sizes)} lanes "
            f"and axes {mesh.axis_names}."
        )
    (lanes,) = sizes
    filled = -(-lanes // (block * mesh.size)) * block * mesh.size
    split = NamedSharding(mesh, PartitionSpec(mesh.axis_names[0]))

    def divided(x: Any) -> Array:
        x = np.asarray(x, jax.dtypes.canonicalize_dtype(np.asarray(x).dtype))
        part = lambda index: x[np.minimum(np.arange(filled)[index[0]], lanes - 1)]  # fillers repeat the last lane
        return jax.make_array_from_callback((filled, *x.shape[1:]), split, part)

    used = jax.make_array_from_callback((filled,), split, lambda index: np.arange(filled)[index[0]] < lanes)
    return Shards(jax.tree.map(divided, data), used, lanes, block, mesh)


def sharded_value_and_grad(loss: Callable[[Any, Any], Float[Array, ""]]) -> Callable[[Any, Shards], Total]:
    """The sum of a loss over sharded data, and its gradient by the parameters: `total(parameters, shards) -> Total`.

    A lane with data, a loss or a gradient that is not finite is left out of the sums and counted in `failed`.

    **Arguments** `loss`: `loss(parameters, datum)`, of one lane; its parameters are a pytree of floating-point arrays,
    the same in every process.
    """

    def total(parameters: Any, shards: Shards) -> Total:
        whole = NamedSharding(shards.mesh, PartitionSpec())
        found = _total(loss, jax.tree.map(lambda x: _everywhere(x, whole), parameters), shards)
        here = lambda x: x.addressable_data(0)
        return found._replace(
            value=here(found.value), gradient=jax.tree.map(here, found.gradient), failed=here(found.failed)
        )

    return total


def _everywhere(x: Any, whole: NamedSharding) -> Array:
    if isinstance(x, jax.Array) and not x.is_fully_addressable:
        return x
    x = np.asarray(x)
    return jax.make_array_from_callback(x.shape, whole, lambda index: x[index])


@eqx.filter_jit
def _total(loss: Callable[[Any, Any], Array], parameters: Any, shards: Shards) -> Total:
    axis = shards.mesh.axis_names[0]

    def local(parameters: Any, data: Any, used: Any) -> Total:
        finite = jnp.stack([_finite(x) for x in jax.tree.leaves(data)]).all(0)
        sound = jnp.argmax(finite)  # a lane that stands in for those with bad data, which nothing then meets
        data = jax.tree.map(lambda x: jnp.where(_along(finite, x), x, x[sound][None]), data)
        one = lambda datum: jax.value_and_grad(loss)(parameters, datum)
        values, gradients = jax.lax.map(one, data, batch_size=shards.block)
        whole = jnp.stack([_finite(x) for x in jax.tree.leaves((values, gradients))]).all(0)
        good = finite & whole
        add = lambda x: jax.lax.psum(jnp.sum(jnp.where(_along(good & used, x), x, 0), axis=0), axis)
        mark = lambda x: jnp.where(_along(good, x), x, jnp.nan)
        failed = jax.lax.psum(jnp.sum((~good & used).astype(jnp.int32)), axis)
        return Total(
            add(values),
            jax.tree.map(add, gradients),
            failed,
            mark(values),
            jax.tree.map(mark, gradients),
            jax.vmap(_code)(finite, whole),
        )

    split, whole = PartitionSpec(axis), PartitionSpec()
    return jax.shard_map(
        local,
        mesh=shards.mesh,
        in_specs=(whole, split, split),
        out_specs=Total(whole, whole, whole, split, split, split),
        check_vma=False,
    )(parameters, shards.data, shards.used)


def _code(finite: Bool[Array, ""], whole: Bool[Array, ""]) -> Int[Array, ""]:
    of_whole = RESULTS.where(whole, RESULTS.successful, RESULTS.nonfinite_result)
    return jnp.asarray(RESULTS.where(finite, of_whole, RESULTS.nonfinite_input)._value, jnp.int32)


def _finite(x: Array) -> Bool[Array, " lanes"]:
    return jnp.isfinite(x).reshape(x.shape[0], -1).all(-1)


def _along(mask: Bool[Array, " lanes"], x: Array) -> Array:
    return mask.reshape(-1, *(1,) * (x.ndim - 1))
