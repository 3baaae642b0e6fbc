"""Every test runs under the strictest settings of jax: float64 (unless `JAXMEM_X64=0`, the float32 lane), no
rank promotion, no implicit dtype promotion. Warnings are errors (pyproject.toml)."""

import gc
import os
import zlib
from pathlib import Path

os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("JAX_PLATFORMS", "cpu")  # the accelerator's lane: JAX_PLATFORMS=cuda pytest -m gpu

import hypothesis
import jax
import pytest

X64 = os.environ.get("JAXMEM_X64", "1") != "0"
SHARED = Path(os.environ.get("JAXMEM_SHARED") or Path(__file__).resolve().parents[2] / "shared")
if (SHARED / "data" / "mirror").is_dir():
    os.environ.setdefault("JAXMEM_DATA_MIRROR", str(SHARED / "data" / "mirror"))

jax.config.update("jax_enable_x64", X64)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
if jax.config.jax_platforms == "cpu":
    jax.config.update("jax_num_cpu_devices", 1)

# The first call of an example compiles, so there is no deadline. In CI the same examples run every time.
hypothesis.settings.register_profile("dev", deadline=None, max_examples=25)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "dev")


def pytest_collection_modifyitems(items):
    """Skips what the lane or the machine cannot run, with the reason."""
    without_x64 = pytest.mark.skip(reason="needs float64; this is the float32 lane (JAXMEM_X64=0)")
    without_gpu = pytest.mark.skip(reason="needs an accelerator; run with JAX_PLATFORMS=cuda")
    for item in items:
        if not X64 and item.get_closest_marker("x64"):
            item.add_marker(without_x64)
        if jax.config.jax_platforms == "cpu" and item.get_closest_marker("gpu"):
            item.add_marker(without_gpu)


@pytest.fixture(autouse=True, scope="module")
def _room_for_programs():
    """Frees the compiled programs after a file where they have become many: each holds about a hundred mappings of
    memory, of which Linux allows a process 65 530 and aborts it without a word beyond that."""
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > 20_000:
        jax.clear_caches()
        gc.collect()


@pytest.fixture
def getkey(request):
    """A function that gives a new random key at each call, the same sequence in every run of the test."""
    key = jax.random.key(zlib.crc32(request.node.nodeid.encode()))

    def next_key():
        nonlocal key
        key, out = jax.random.split(key)
        return out

    return next_key


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference cases and recordings: `JAXMEM_SHARED`, or `shared` beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip(f"no folder of reference data at {SHARED}; set JAXMEM_SHARED to where it is")
    return SHARED
