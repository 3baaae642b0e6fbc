"""Stores on disk: whole whatever happens, another sweep's left alone, opened by xarray."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from growth import BLOCK, CHUNK, LANES, grown, growth, noisy, varied

from jaxmem import sweep
from jaxmem.results import InputError

xarray = pytest.importorskip("xarray")
zarr = pytest.importorskip("zarr")

KEY = jax.random.key(3)
PROGRAM = Path(__file__).with_name("growth.py")
CHUNKS = 7


def run(store, function=noisy, what=None, *, key=KEY, chunk=CHUNK, block=BLOCK, **options):
    return sweep.run(function, what or varied(), chunk=chunk, block=block, key=key, store=store, **options)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole") / "sweep.zarr", units={"end": "mM"})


def same(a, b):
    for name in (*a.names, "rate", "room"):
        np.testing.assert_array_equal(a._store.arrays[name][...], b._store.arrays[name][...])
    np.testing.assert_array_equal(a.codes, b.codes)


def files(folder: Path) -> dict:
    return {p: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


def test_xarray_opens_it_with_names_and_units(undisturbed):
    found = xarray.open_zarr(undisturbed.path)
    assert dict(found.sizes) == {"lane": LANES, "noise_0": 2, "path_0": 5, "chunk": CHUNKS}
    assert set(found.coords) == {"rate", "room", "code", "done"}
    assert found.rate.attrs == {"units": "1/ms"} and found.end.attrs == {"units": "mM"}
    assert found.code.attrs["flag_meanings"].split()[:2] == ["pending", "successful"]
    np.testing.assert_array_equal(found.rate, varied().values(0, LANES)[:, 0])
    np.testing.assert_array_equal(found.end, undisturbed["end"])
    memory = run(None, units={"end": "mM"}).dataset()
    xarray.testing.assert_equal(memory, undisturbed.dataset().load())
    assert memory.rate.attrs == found.rate.attrs and memory.end.attrs == found.end.attrs


def test_a_grid_opens_with_its_parameters_as_dimensions(tmp_path):
    entries = (lambda m: m.rate, np.linspace(0.2, 0.8, 7)), (lambda m: m.room[1], [1.0, 2.0, 3.0], "room")
    for store in (None, tmp_path / "grid.zarr"):
        found = sweep.run(grown, sweep.vary(growth(), *entries), chunk=CHUNK, block=BLOCK, store=store)
        data = found.dataset()
        assert data.end.dims == ("rate", "room") and data.path.dims == ("rate", "room", "path_0")
        np.testing.assert_array_equal(data.end.sel(room=2.0), found["end"][:, 1])
    assert data.rate.attrs == {"units": "1/ms"}
    assert found._store.arrays["end"].chunks == (3, 3)


def test_a_killed_sweep_goes_on_to_the_same_numbers(tmp_path, undisturbed):
    store = tmp_path / "sweep.zarr"
    environment = {**os.environ, "PAUSE": "0.5", "JAX_ENABLE_X64": str(int(jnp.result_type(float) == jnp.float64))}
    process = subprocess.Popen([sys.executable, PROGRAM, store], env=environment, stdout=subprocess.DEVNULL)
    marks = store / "done" / "c"
    while not (marks.is_dir() and len(list(marks.glob("[0-9]"))) >= 2):
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {p: t for p, t in files(store).items() if "done" in p.parts and "c" in p.parts}
    assert 2 <= len(before) < CHUNKS
    told = []
    found = run(store, progress=lambda done, total: told.append(done))
    assert told[0] == CHUNK * len(before) and told[-1] == LANES
    same(found, undisturbed)
    assert before.items() <= files(store).items()  # what was done was not done again
    assert not list(tmp_path.glob(".*"))


def test_a_damaged_chunk_is_computed_again(tmp_path, undisturbed):
    store = shutil.copytree(undisturbed.path, tmp_path / "sweep.zarr")
    group = zarr.open_group(store)
    group["end"][12] = 5.0  # a number that is not the sweep's
    (store / "path" / "c" / "3" / "0").write_bytes(b"nothing")
    (store / "noise" / "c" / "4" / "0").unlink()
    told = []
    same(run(store, progress=lambda done, total: told.append(done)), undisturbed)
    assert told[0] == LANES - 3 * CHUNK


def test_shards_make_the_whole(tmp_path, undisturbed):
    store = tmp_path / "sweep.zarr"
    first = run(store, shard=(1, 3))
    assert str(first).splitlines()[0] == "60 lanes: 18 successful"
    assert first.failures()[0].name == "pending" and first.failures()[0].count == 42
    assert np.isnan(first["end"][:9]).all() and (first.codes[:9] == -1).all()
    run(store, shard=(2, 3))
    same(run(store, shard=(0, 3)), undisturbed)


def test_shards_that_begin_at_once_make_one_store(tmp_path, monkeypatch):
    from jaxmem.sweep import store as module

    make, place = module._fill, tmp_path / "sweep.zarr"

    def slow(zarr, plan, part):
        if not place.exists():
            monkeypatch.setattr(module, "_fill", make)
            run(place, shard=(0, 2))  # another process is faster
        make(zarr, plan, part)

    monkeypatch.setattr(module, "_fill", slow)
    found = run(place, shard=(1, 2))
    assert [f.name for f in found.failures()] != ["pending"] and not (found.codes == -1).any()
    assert [p.name for p in tmp_path.iterdir()] == ["sweep.zarr"]


DIFFERENT = {
    "model": lambda: {"key": jax.random.key(4)},
    "function": lambda: {"function": lambda m, key: {**noisy(m, key), "end": m.rate}},
    "parameter sets": lambda: {"what": varied(np.linspace(0.1, 1.1, LANES))},
    "chunk": lambda: {"chunk": 20},
}


@pytest.mark.parametrize("part", DIFFERENT)
def test_another_sweep_is_refused_and_nothing_written(part, undisturbed):
    before = files(undisturbed.path)
    with pytest.raises(InputError, match=rf"belongs to another sweep \(different .*{part}.*\), and nothing was"):
        run(undisturbed.path, **DIFFERENT[part]())
    assert files(undisturbed.path) == before


def test_a_changed_number_outside_of_the_function_is_another_sweep(tmp_path):
    scale = jnp.ones(3)

    def scaled(model):
        return {"scaled": jax.lax.fori_loop(0, 2, lambda i, x: x + jnp.sum(scale), model.rate)}

    what = sweep.vary(growth(), (lambda m: m.rate, [0.1, 0.2]))
    sweep.run(scaled, what, store=tmp_path / "a.zarr")
    sweep.run(scaled, what, store=tmp_path / "a.zarr")
    scale = jnp.full(3, 2.0)
    with pytest.raises(InputError, match=r"another sweep \(different function\)"):
        sweep.run(scaled, what, store=tmp_path / "a.zarr")


def test_what_is_no_store_is_left_alone(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine")
    (tmp_path / "file").write_text("mine")
    zarr.create_group(tmp_path / "other.zarr", attributes={"mine": 1})
    before = files(tmp_path)
    for name, message in {"folder": "is no store", "file": "must be a folder", "other.zarr": "is no store"}.items():
        with pytest.raises(InputError, match=f"{name}: {message}"):
            run(tmp_path / name)
    assert files(tmp_path) == before
    with pytest.raises(InputError, match="file/below: cannot be written"):
        run(tmp_path / "file" / "below")


def test_a_sweep_larger_than_the_disk_says_so_and_does_not_begin(tmp_path):
    rooms = ((lambda m, k=k: m.room[k], np.arange(3e5), f"room{k}") for k in (0, 1))
    what = sweep.vary(growth(), *rooms, (lambda m: m.rate, np.arange(300.0)))
    with pytest.raises(InputError, match=r"needs [0-9.]+ [PT]B of disk of .*, but .* are free; give another store"):
        sweep.run(grown, what, store=tmp_path / "sweep.zarr")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["zarr", "xarray"])
def test_a_missing_package_is_named(package, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match="pip install 'jaxmem\\[sweep\\]'"):
        run(tmp_path / "sweep.zarr").dataset()
