"""What a sweep computes: every lane by itself, whatever is around it."""

from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from growth import BLOCK, CHUNK, LANES, grown, growth, judged, noisy, varied

from jaxmem import sweep
from jaxmem.fit import between
from jaxmem.results import RESULTS, InputError

KEY = jax.random.key(3)
BAD = {7: RESULTS.nonfinite_input, 20: RESULTS.nonfinite_input, 33: RESULTS.outside_domain}


def run(function=noisy, what=None, *, key=KEY, chunk=CHUNK, block=BLOCK, **options):
    return sweep.run(function, what or varied(), chunk=chunk, block=block, key=key, **options)


@pytest.fixture(scope="module")
def whole():
    return run()


def same(a, b):
    assert a.names == b.names
    for name in a.names:
        np.testing.assert_array_equal(a[name], b[name])
    np.testing.assert_array_equal(a.codes, b.codes)


def test_every_lane_is_the_function_of_its_model(whole):
    assert whole["path"].shape == (LANES, 5) and whole.path is None
    good = [k for k in range(LANES) if k not in BAD]
    tolerance = 20 * jnp.finfo(jnp.result_type(float)).eps
    for k in good[::11]:
        alone = noisy(varied().lane(k), jax.random.fold_in(KEY, k))
        for name in whole.names:
            np.testing.assert_allclose(whole[name][k], alone[name], rtol=tolerance)
    assert len(np.unique(whole["noise"][good])) == 2 * len(good)  # every lane has a key of its own
    assert whole["half"].dtype == whole["end"].dtype == jnp.result_type(float)


def test_a_bad_lane_is_nan_with_its_code_and_touches_no_other(whole):
    codes = np.zeros(LANES, int)
    for lane, result in BAD.items():
        codes[lane] = int(result._value)
    np.testing.assert_array_equal(whole.codes, codes)
    clean = varied()
    for axis in clean.axes:  # the same lanes with no bad one among them
        axis.values[list(BAD)] = 1.0
    other = run(what=clean)
    assert not other.codes.any()
    for name in whole.names:
        assert np.isnan(whole[name][codes > 0]).all()
        np.testing.assert_array_equal(whole[name][codes == 0], other[name][codes == 0])


def test_a_failure_inside_touches_no_other_lane_in_value_or_gradient():
    def steep(model):
        f = lambda rate: jnp.log(rate - 0.5) + jnp.sqrt(rate)  # no number below 0.5
        value, slope = jax.value_and_grad(f)(model.rate)
        return {"value": value, "slope": slope}

    rates = np.array([0.625, 0.375, 0.75, 0.875, 0.5, np.inf])
    entry = (lambda m: m.rate, rates)
    found = sweep.run(steep, sweep.vary(growth(), entry, design=sweep.listed), block=6)
    assert [f.name for f in found.failures()] == ["nonfinite_input", "nonfinite_result"]
    good = np.array([0, 2, 3])
    np.testing.assert_array_equal(np.isfinite(found["slope"]), np.isin(np.arange(6), good))
    tolerance = 20 * jnp.finfo(jnp.result_type(float)).eps
    np.testing.assert_allclose(
        found["slope"][good], 1 / (rates[good] - 0.5) + 0.5 / np.sqrt(rates[good]), rtol=tolerance
    )


def test_a_function_may_say_itself_how_a_lane_ended():
    rates = np.array([0.5, 0.7, 0.95])
    found = sweep.run(judged, sweep.vary(growth(), (lambda m: m.rate, rates)))
    assert found.names == ("late",)
    np.testing.assert_array_equal(found["late"], [1.0, np.inf, np.nan])
    assert found.codes.tolist() == [0, 0, int(RESULTS.nonfinite_result._value)]


def test_lanes_do_not_depend_on_chunks_blocks_or_executor(whole):
    told = []
    same(whole, run(chunk=23, progress=lambda done, total: told.append((done, total))))
    assert told == [(0, 60), (20, 60), (40, 60), (60, 60)]
    with ThreadPoolExecutor(2) as executor:
        same(whole, run(executor=executor))
    same(whole, run(mesh=sweep.devices()))


def test_a_grid_has_the_axes_of_its_parameters():
    entries = (lambda m: m.rate, np.linspace(0.2, 0.8, 7)), (lambda m: m.room[1], [1.0, 2.0, 3.0])
    grid = sweep.run(grown, sweep.vary(growth(), *entries), chunk=CHUNK, block=BLOCK)
    assert grid["end"].shape == (7, 3) and grid["path"].shape == (7, 3, 5)
    pairs = np.array([(a, b) for a in entries[0][1] for b in entries[1][1]])
    flat = sweep.vary(growth(), (entries[0][0], pairs[:, 0]), (entries[1][0], pairs[:, 1]), design=sweep.listed)
    np.testing.assert_array_equal(grid["end"].ravel(), sweep.run(grown, flat, block=BLOCK)["end"])


def test_one_program_serves_every_chunk_and_model():
    traces = []

    def counted(model):
        traces.append(model.rate)
        return {"twice": 2.0 * model.rate}

    entry = (lambda m: m.rate, np.linspace(0.1, 1.0, 50))
    for model in (growth(), type(growth())(0.7, [3.0, 4.0])):
        sweep.run(counted, sweep.vary(model, entry), chunk=7)
    assert len(traces) == 3  # one to know each sweep, one to compile both


def test_the_summary_names_what_failed(whole):
    text = str(whole).splitlines()
    assert text[0] == "60 lanes: 57 successful"
    assert text[1].startswith("  2 nonfinite_input: An input is NaN")
    assert text[2] == "    lane 7: rate = nan 1/ms, room = 1.23729 mM"
    assert "  1 outside_domain: A parameter is outside" in text[4] and "rate = -1 1/ms" in text[5]
    assert [(f.count, f.first) for f in whole.failures(1)] == [(2, (7,)), (1, (33,))]
    assert whole.varied.lane(33).rate == -1.0
    with pytest.raises(KeyError, match="must be one of end, half, noise, path, but is 'ends'"):
        whole["ends"]


REFUSED = {
    "must return a dict of named arrays": lambda: run(lambda m, key: m.rate),
    "may return one RESULTS, but returns 2": lambda: run(
        lambda m, k: {"a": RESULTS.successful, "b": RESULTS.successful}
    ),
    "names of their own, other than code, done and lane": lambda: run(lambda m, key: {"rate": m.rate}),
    "`units` names ending": lambda: run(units={"ending": "mM"}),
    "at least one lane": lambda: run(chunk=0),
    "i from 0 to N - 1, but is \\(2, 2\\)": lambda: run(shard=(2, 2)),
    "give a `store`": lambda: run(shard=(0, 2)),
    "A mesh must have one axis": lambda: run(mesh=sweep.devices(), executor=ThreadPoolExecutor(1)),
    "needs [0-9.]+ TB of memory, but .* are free; give a `store`": lambda: sweep.run(
        grown,
        sweep.vary(growth(), *((lambda m, k=k: m.room[k], np.arange(4e5)) for k in (0, 1)), (lambda m: m.rate, [1.0])),
    ),
    "memory for its design, but .* are free; use sobol": lambda: run(
        what=sweep.vary(growth(), (lambda m: m.rate, between(0.0, 1.0)), design=sweep.latin_hypercube(10**13))
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_refused(message):
    with pytest.raises(InputError, match=message) as caught:
        REFUSED[message]()
    assert "\n" not in str(caught.value)


def test_a_sweep_is_not_traced():
    with pytest.raises(InputError, match="not traced"):
        jax.grad(
            lambda x: sweep.run(grown, sweep.vary(type(growth())(x, [1.0, 2.0]), (lambda m: m.room[0], [1.0])))["end"]
        )(1.0)
