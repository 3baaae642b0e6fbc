"""The same gradient from one process and from several, with bad data among good."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from one_of_many import found, table

from jaxmem import sweep
from jaxmem.results import RESULTS, InputError

pytestmark = pytest.mark.x64
PROGRAM = Path(__file__).with_name("one_of_many.py")
ALL_LANES = ("values", "codes", "rate", "room")


def processes(count: int, folder: Path) -> list[dict]:
    """What each of some processes finds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("JAX_")}
    files = [folder / f"{count}_{k}.npz" for k in range(count)]
    started = [
        subprocess.Popen(
            [sys.executable, PROGRAM, str(count), str(k), str(port), file],
            env=environment, stderr=subprocess.PIPE, text=True,
        )
        for k, file in enumerate(files)
    ]  # fmt: skip
    for process in started:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors
    return [dict(np.load(file)) for file in files]


@pytest.fixture(scope="module")
def one():
    return found()


def agree(one, many):
    for each in many:
        for name in ALL_LANES:
            np.testing.assert_array_equal(each[name], one[name])
        for name in ("value", "sum_rate", "sum_room"):
            np.testing.assert_allclose(each[name], one[name], rtol=1e-12)
            np.testing.assert_array_equal(each[name], many[0][name])  # so that every process takes the same step
        assert each["failed"] == 2


def test_bad_data_touch_no_other_lane_and_are_left_out_of_the_sums(one):
    codes = one["codes"]
    assert codes[11] == int(RESULTS.nonfinite_input._value) and codes[23] == int(RESULTS.nonfinite_result._value)
    good = codes == 0
    assert good.sum() == 35 and np.isnan(one["room"][~good]).all() and np.isfinite(one["room"][good]).all()
    np.testing.assert_allclose(one["value"], one["values"][good].sum(), rtol=1e-14)
    np.testing.assert_allclose(one["sum_room"], one["room"][good].sum(0), rtol=1e-13)
    x = np.sqrt(table()["start"][good, None]) * np.ones(2)
    for _ in range(50):
        x = x + 0.1 * 0.5 * x * (1.0 - x / np.array([1.0, 2.0]))
    np.testing.assert_allclose(one["values"][good], ((x - table()["end"][good]) ** 2).sum(1), rtol=1e-12)


def test_two_processes_find_what_one_finds(one, tmp_path):
    two = processes(2, tmp_path)
    assert [int(each["held"]) for each in two] == [20, 20]  # 37 lanes in blocks of 4
    agree(one, two)


@pytest.mark.slow
def test_four_processes_find_what_one_finds(one, tmp_path):
    agree(one, processes(4, tmp_path))


def test_data_must_have_lanes():
    for data in ({}, {"a": jnp.ones(3), "b": jnp.ones(4)}, jnp.asarray(1.0), jnp.ones((0, 2))):
        with pytest.raises(InputError, match="one leading axis of lanes"):
            sweep.shard(data, sweep.all_devices())


def test_lanes_do_not_depend_on_how_many_there_are():
    x = np.linspace(0.1, 3.0, 23)
    total = sweep.sharded_value_and_grad(lambda p, datum: jnp.exp(jnp.sin(p * datum)))
    p = jnp.asarray(0.7)
    shards = [sweep.shard(x[:n], sweep.all_devices(), block=4) for n in (23, 6)]
    many, few = (data.gather(total(p, data).gradients) for data in shards)
    np.testing.assert_array_equal(many[:6], few)
    np.testing.assert_allclose(
        many, jax.vmap(jax.grad(lambda p, d: jnp.exp(jnp.sin(p * d))), (None, 0))(p, x), rtol=1e-14
    )
