"""Chunks computed by Dask's workers, of which one is killed on the way."""

import os
import signal
import threading
import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from growth import BLOCK, noisy, varied

from jaxmem import sweep

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    # The cluster notices the death of a worker, and closes its connections late.
    pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning"),
]


def slowly(model, key):
    """Takes a while, so that a worker can be killed in the middle of it."""
    held = jax.lax.fori_loop(0, 40_000, lambda i, x: jnp.cos(x), model.rate)
    return {**noisy(model, key), "held": held}


def test_a_killed_worker_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("JAX_ENABLE_X64", str(int(jnp.result_type(float) == jnp.float64)))
    key, told = jax.random.key(3), []
    scale = np.float64(2.0)  # a function of this script, which travels by value
    function = lambda model, key: {**slowly(model, key), "twice": scale * jnp.asarray(model.rate, float)}
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=tmp_path
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        victim = next(iter(client.run(os.getpid).values()))

        def kill():
            while len(told) < 4:
                time.sleep(0.01)
            os.kill(victim, signal.SIGKILL)

        thread = threading.Thread(target=kill)
        thread.start()
        found = sweep.run(
            function, varied(), chunk=4, block=BLOCK, key=key, store=tmp_path / "sweep.zarr",
            executor=client.get_executor(), progress=lambda done, total: told.append(done),
        )  # fmt: skip
        thread.join()
        assert victim not in client.run(os.getpid).values()
    alone = sweep.run(function, varied(), chunk=4, block=BLOCK, key=key)
    assert told[-1] == 60
    np.testing.assert_array_equal(found.codes, alone.codes)
    for name in alone.names:
        np.testing.assert_array_equal(found[name], alone[name])
