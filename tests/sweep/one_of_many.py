"""One process of a gradient over several: `python one_of_many.py PROCESSES NUMBER PORT FILE` writes what it finds."""

import sys

import jax
import jax.numpy as jnp
import numpy as np

from jaxmem import sweep


def table(lanes: int = 37) -> dict:
    """The data: an end to reach and a start, of which one is not a number and one fails inside."""
    draw = np.random.default_rng(5)
    data = {"start": draw.uniform(0.1, 1.0, lanes), "end": draw.uniform(0.5, 2.0, (lanes, 2))}
    data["end"][11, 0], data["start"][23] = np.nan, -1.0
    return data


def parameters() -> dict:
    return {"rate": jnp.asarray(0.5), "room": jnp.asarray([1.0, 2.0])}


def loss(p: dict, datum: dict):
    step = lambda x, _: (x + 0.1 * p["rate"] * x * (1.0 - x / p["room"]), None)
    start = jnp.sqrt(datum["start"]) * jnp.ones(2)
    end, _ = jax.lax.scan(step, start, None, length=50)
    return jnp.sum((end - datum["end"]) ** 2)


def main(processes: int, number: int, port: str, file: str) -> None:
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_platforms", "cpu")
    jax.distributed.initialize(f"127.0.0.1:{port}", num_processes=processes, process_id=number)
    np.savez(file, **found())
    jax.distributed.shutdown()


def found() -> dict:
    """The numbers of every lane, the sums, and how many lanes this process holds."""
    data = sweep.shard(table(), sweep.all_devices(), block=4)
    total = sweep.sharded_value_and_grad(loss)(parameters(), data)
    lanes = data.gather({"values": total.values, "codes": total.codes, **total.gradients})
    sums = {"value": total.value, "failed": total.failed, **{f"sum_{k}": x for k, x in total.gradient.items()}}
    held = sum(shard.data.shape[0] for shard in total.values.addressable_shards)
    return {"held": held, **lanes, **{name: np.asarray(x) for name, x in sums.items()}}


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
