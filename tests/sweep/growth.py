"""A small model and functions of it for the tests of sweeps, and a program that sweeps it in a process of its own.

`python growth.py STORE [i/N]` runs `sweep` into a store and prints what fails; `PAUSE` is the seconds between chunks.
"""

import os
import sys
import time

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from jaxmem import sweep
from jaxmem.params import param, positive
from jaxmem.results import RESULTS

LANES, CHUNK, BLOCK = 60, 9, 4


class Growth(eqx.Module):
    """dx/dt = rate x (1 - x/room[1])."""

    rate: jax.Array = param("1/ms", positive)
    room: jax.Array = param("mM")
    name: str = eqx.field(static=True, default="growth")


def growth() -> Growth:
    return Growth(0.5, [1.0, 2.0])


def grown(model: Growth) -> dict:
    step = lambda x, _: (x + 0.1 * model.rate * x * (1.0 - x / model.room[1]), x)
    end, path = jax.lax.scan(step, jnp.full_like(model.rate, 0.1), None, length=50)
    return {"end": end, "half": jnp.sum(path < 0.5 * model.room[1]), "path": path[::10]}


def noisy(model: Growth, key) -> dict:
    return {**grown(model), "noise": jax.random.normal(key, (2,), model.rate.dtype)}


def judged(model: Growth) -> dict:
    """Says itself how it ended: an infinite result is a value unless the rate is over 0.9."""
    late = jnp.where(model.rate > 0.6, jnp.inf, 1.0)
    return {"late": late, "result": RESULTS.where(model.rate > 0.9, RESULTS.nonfinite_result, RESULTS.successful)}


def varied(rates=None) -> sweep.Varied:
    """Lanes side by side, of which 7 has no rate, 20 an infinite room and 33 a rate that cannot be."""
    rates = np.linspace(0.1, 1.0, LANES) if rates is None else rates
    rooms = np.linspace(1.0, 3.0, rates.size)
    rates, rooms = rates.copy(), rooms.copy()
    rates[7], rooms[20], rates[33] = np.nan, np.inf, -1.0
    return sweep.vary(growth(), (lambda m: m.rate, rates), (lambda m: m.room[1], rooms, "room"), design=sweep.listed)


def program(store: str, shard: str = "0/1") -> None:
    number, count = map(int, shard.split("/"))
    pause = lambda done, total: time.sleep(float(os.environ.get("PAUSE", "0")))
    result = sweep.run(
        noisy, varied(), chunk=CHUNK, block=BLOCK, key=jax.random.key(3), store=store, shard=(number, count),
        progress=pause,
    )  # fmt: skip
    print(result)


if __name__ == "__main__":
    program(*sys.argv[1:])
