"""Fits from many starts: agreement, isolation of lanes, resuming, refusals, results."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from stand_ins import Curve, Numbers, T, decay, rosenbrock

from jaxmem.fit import (
    Chunks,
    Ending,
    Free,
    Threads,
    TrustRegion,
    between,
    free,
    held_out,
    least_squares,
    load,
    log_between,
)
from jaxmem.fit.problem import half_squares, loss_of_many, make_problem, triangle_of_many, triangle_of_one
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

MODEL = Numbers(1.0, 1.0, 0.0)
FREE = free(
    (lambda m: m.a, log_between(0.1, 100.0)),
    (lambda m: m.b, between(0.0, 5.0)),
    (lambda m: m.c, between(-5.0, 5.0)),
)
TRUTH = Numbers(3.0, 0.8, -1.0)


def data(noise=0.0, **settings):
    clean = np.asarray(decay(TRUTH))
    return Curve(clean + noise * np.random.default_rng(0).normal(size=T.size), decay, **settings)


def fit(experiments=None, free=FREE, **settings):
    settings = {"key": jax.random.key(1), "starts": 6} | settings
    return least_squares(experiments or [data(0.05)], MODEL, free, **settings)


def test_truth_is_found_with_honest_numbers():
    found = fit()
    truth = [3.0, 0.8, -1.0]
    assert np.all(np.abs(found.values - truth) < 4 * found.standard_errors)
    assert np.isclose(found.rmse, 0.05, rtol=0.2)
    assert np.isclose(found.rmse_over_range, found.rmse / data(0.05).range)
    assert np.isclose(found.losses.min(), found.rmse)
    assert found.fraction_within_1_percent == 1.0
    assert found.bounds_hit == ("", "", "") and found.undetermined == ()
    assert [p.unit for p in found.free.parameters] == ["nS", "1/ms", "mV"]
    assert np.allclose(found.naive_errors, found.standard_errors, rtol=0.6)
    assert float(found.model.b) == found.values[1]


def test_experiments_are_fitted_jointly_with_their_weights():
    one, two = data(), Curve(np.asarray(decay(Numbers(3.0, 0.8, 1.0))), decay, sigma=3.0)
    found = fit([one, two])
    assert np.isclose(found.values[2], (-1.0 * 9.0 + 1.0) / 10.0, atol=1e-6)
    assert len(found.scores) == 2 and found.scores[1].rmse > found.scores[0].rmse


def test_masked_samples_do_not_matter():
    bad = np.asarray(decay(TRUTH)).copy()
    bad[50:60] = 1e6
    mask = np.ones((1, T.size), bool)
    mask[0, 50:60] = False
    assert np.allclose(fit([Curve(bad, decay, mask=mask)]).values, [3.0, 0.8, -1.0], rtol=1e-6)


def test_a_bound_that_is_hit_is_reported_without_an_error_bar():
    narrow = free((lambda m: m.a, log_between(0.1, 2.0)), (lambda m: m.b, between(0.0, 5.0)))
    found = least_squares([data(0.05)], Numbers(1.0, 1.0, -1.0), narrow, key=jax.random.key(0), starts=3)
    assert found.bounds_hit == ("upper", "") and found.values[0] == pytest.approx(2.0, rel=1e-14)
    assert np.isnan(found.standard_errors[0]) and np.isfinite(found.standard_errors[1])
    assert "at its upper bound" in str(found)


def test_an_undetermined_product_is_named():
    product = Curve(np.asarray(decay(TRUTH)) + 1.0, lambda m: m.a * m.c * jnp.exp(-m.b * T))
    both = free(
        (lambda m: m.a, log_between(0.1, 100.0)),
        (lambda m: m.c, between(0.1, 5.0)),
        (lambda m: m.b, between(0.0, 5.0)),
    )
    found = least_squares([product], MODEL, both, key=jax.random.key(0), starts=3)
    assert "only their product a x c" in str(found)
    assert np.isinf(found.standard_errors[:2]).all() and np.isfinite(found.standard_errors[2])
    assert np.isclose(found.values[0] * found.values[1], 3.0)


def test_it_stops_when_the_best_lanes_agree_whatever_the_number_of_threads():
    runs = [fit(starts=40, agree=3, executor=Threads(n)) for n in (1, 2, 5)]
    assert all(3 <= len(run.losses) < 40 for run in runs)
    for run in runs[1:]:
        assert np.array_equal(run.lanes.values, runs[0].lanes.values)


def test_lanes_do_not_depend_on_how_many_there_are_nor_on_threads():
    few, many = fit(starts=3, executor=Threads(1)), fit(starts=9, executor=Threads(4))
    assert np.array_equal(few.lanes.values, many.lanes.values[:3])
    assert np.array_equal(few.losses, many.losses[:3])


def test_chunks_find_what_threads_find():
    threads, chunks = fit(starts=7), fit(starts=7, executor=Chunks(3))
    assert np.allclose(threads.values, chunks.values, rtol=1e-8)
    assert np.array_equal(chunks.losses[:4], fit(starts=4, executor=Chunks(3)).losses)


def test_a_given_value_starts_the_first_lane():
    given = free((lambda m: m.a, log_between(0.1, 100.0, value=7.0)), (lambda m: m.b, between(0.0, 5.0, value=0.2)))
    found = least_squares([data()], MODEL, given, key=jax.random.key(0), starts=2)
    assert np.allclose(found.lanes.start[0], [7.0, 0.2])
    assert not np.allclose(found.lanes.start[1], [7.0, 0.2])


# ---- lanes that fail

HALF = free((lambda m: m.b, between(-1.0, 2.0)), (lambda m: m.a, between(0.5, 2.0)))


def root(m):
    """NaN, with NaN derivatives, where b < 0: a third of the starts."""
    return jnp.stack([jnp.sqrt(m.b) - 1.0, m.a * m.b - 1.0, m.a - 1.0])


@pytest.mark.parametrize("executor", [Threads(2), Chunks(4)])
def test_hopeless_starts_disturb_no_other_lane(executor):
    found = least_squares(
        [Curve(np.zeros(3), root)], MODEL, HALF, key=jax.random.key(0), starts=12, executor=executor
    )
    failed = found.lanes.start[:, 0] < 0
    assert 1 <= failed.sum() <= 8
    assert np.array_equal(found.lanes.endings == Ending.nonfinite_start, failed)
    assert np.isnan(found.losses[failed]).all()
    assert np.allclose(found.lanes.values[~failed], 1.0, atol=1e-4)


def test_hopeless_lanes_of_a_batch_change_no_bit_of_the_others():
    problem = make_problem([Curve(np.zeros(3), root)], MODEL, HALF)
    sound = jnp.array([[0.5, 1.0], [1.5, 0.7], [0.2, 1.9]])
    spoiled = sound.at[1].set(jnp.array([-0.5, 1.0]))
    gradients = jax.jit(jax.vmap(jax.grad(half_squares, argnums=1), in_axes=(None, 0)))
    for function in (loss_of_many, triangle_of_many, gradients):
        clean, mixed = np.asarray(function(problem, sound)), np.asarray(function(problem, spoiled))
        assert np.array_equal(clean[[0, 2]], mixed[[0, 2]])
        assert np.isnan(mixed[1]).any()


def test_nothing_but_hopeless_starts_is_an_error():
    nowhere = free((lambda m: m.b, between(-2.0, -1.0)))
    with pytest.raises(InputError, match="None of 2 starts is finite"):
        least_squares([Curve(np.zeros(3), root)], MODEL, nowhere, key=jax.random.key(0), starts=2)


# ---- progress on disk


def test_progress_is_reported_to_the_end():
    seen = []
    found = fit(progress=lambda *words: seen.append(words))
    assert seen[-1] == (6, 6, pytest.approx(found.losses.min()))
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


def test_a_finished_fit_is_read_from_its_folder(tmp_path):
    first, second = fit(folder=tmp_path), fit(folder=tmp_path)
    assert np.array_equal(first.lanes.values, second.lanes.values)
    assert np.array_equal(first.covariance, second.covariance)
    more = fit(folder=tmp_path, starts=8)
    assert np.array_equal(more.lanes.values[:6], first.lanes.values)


@pytest.mark.parametrize("executor", [Threads(2), Chunks(3)])
def test_an_interrupted_fit_continues_in_the_middle_of_its_lanes(tmp_path, executor):
    class Enough(Exception):
        pass

    calls = []

    def interrupt(*words):
        calls.append(words)
        if len(calls) == 2:
            raise Enough

    with pytest.raises(Enough):
        fit(folder=tmp_path, executor=executor, progress=interrupt)
    assert (tmp_path / "progress.npz").exists()
    continued, undisturbed = fit(folder=tmp_path, executor=executor), fit(executor=executor)
    assert np.array_equal(continued.lanes.values, undisturbed.lanes.values)
    assert np.array_equal(continued.lanes.evaluations, undisturbed.lanes.evaluations)
    assert np.array_equal(continued.covariance, undisturbed.covariance)


@pytest.mark.parametrize("change", ["data", "bounds", "key", "settings", "place", "model"])
def test_a_folder_of_another_fit_is_refused(tmp_path, change):
    fit(folder=tmp_path, starts=2)
    before = (tmp_path / "progress.npz").read_bytes()
    wide = free((lambda m: m.a, log_between(0.1, 101.0)), *_entries())
    other = {
        "data": lambda: fit([data(0.06)], folder=tmp_path, starts=2),
        "bounds": lambda: fit(free=wide, folder=tmp_path, starts=2),
        "key": lambda: fit(key=jax.random.key(2), folder=tmp_path, starts=2),
        "settings": lambda: fit(method=TrustRegion(loss_tolerance=1e-6), folder=tmp_path, starts=2),
        "place": lambda: fit(free=_doubling(), folder=tmp_path, starts=2),
        "model": lambda: least_squares(
            [data(0.05)], Numbers(2.0, 1.0, 0.0), FREE, key=jax.random.key(1), folder=tmp_path, starts=2
        ),
    }[change]
    with pytest.raises(InputError, match="belongs to another fit"):
        other()
    assert (tmp_path / "progress.npz").read_bytes() == before


def _entries():
    return (lambda m: m.b, between(0.0, 5.0)), (lambda m: m.c, between(-5.0, 5.0))


def _doubling():
    return Free(FREE.parameters, lambda m, v: FREE.place(m, 2.0 * v))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no", b"\x93NUMPY", None])
def test_a_damaged_file_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "progress.npz"
    if content is None:
        np.savez(path, identity=np.array("x"))
    else:
        path.write_bytes(content)
    with pytest.raises(InputError, match="delete it to begin anew") as caught:
        fit(folder=tmp_path)
    assert "\n" not in str(caught.value)


SCRIPT = """
    import sys
    import time
    import jax
    jax.config.update("jax_enable_x64", True)
    import numpy as np
    from stand_ins import Curve, Numbers, T, decay
    from jaxmem.fit import Threads, between, free, least_squares, log_between
    from jaxmem.fit import multistart
    
    multistart.SAVE_EVERY = 0.0
    def slow(*words):
        print(words[0], flush=True)
        time.sleep(0.05)

    model = Numbers(1.0, 1.0, 0.0)
    noise = np.random.default_rng(0).normal(size=T.size)
    data = Curve(np.asarray(decay(Numbers(3.0, 0.8, -1.0))) + 0.05 * noise, decay)
    entries = ((lambda m: m.a, log_between(0.1, 100.0)), (lambda m: m.b, between(0.0, 5.0)),
               (lambda m: m.c, between(-5.0, 5.0)))
    found = least_squares([data], model, free(*entries), key=jax.random.key(5), starts=30, folder=sys.argv[1],
                          progress=slow, executor=Threads(2))
    np.savez(sys.argv[1] + "/numbers.npz", values=found.lanes.values, losses=found.losses,
             covariance=found.covariance, evaluations=found.lanes.evaluations)
"""


@pytest.mark.slow
def test_a_killed_fit_gives_the_same_bits_when_it_is_run_again(tmp_path):
    here = Path(__file__).parent
    script = tmp_path / "job.py"
    script.write_text(textwrap.dedent(SCRIPT))
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(here), str(here.parents[1])]),
        "JAX_PLATFORMS": "cpu",
    }

    def start(folder):
        (tmp_path / folder).mkdir(exist_ok=True)
        return subprocess.Popen(
            [sys.executable, str(script), str(tmp_path / folder)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )

    killed = start("killed")
    lines = iter(killed.stdout.readline, "")
    assert any(int(line) >= 5 for line in lines)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert not (tmp_path / "killed" / "numbers.npz").exists()
    with np.load(tmp_path / "killed" / "progress.npz") as stored:
        assert 0 < np.sum(stored["ending"] > 0) < 30
    for folder in ("killed", "undisturbed"):
        job = start(folder)
        job.communicate(timeout=300)
        assert job.returncode == 0
    with np.load(tmp_path / "killed/numbers.npz") as a, np.load(tmp_path / "undisturbed/numbers.npz") as b:
        assert all(np.array_equal(a[name], b[name]) for name in a.files)


# ---- refusals and the result


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"starts": 0}, "at least 1"),
        ({"agree": 1}, "between 2"),
        ({"agree": 7}, "between 2"),
        ({"experiments": [1.0]}, "list of experiments"),
        ({"free": [1]}, "jm.fit.free"),
    ],
)
def test_bad_arguments_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        fit(**settings)


def test_float32_is_refused_with_what_to_type():
    experiment = data()
    with (
        jax.enable_x64(False),
        pytest.raises(InputError, match=r"type .jax.config.update"),
    ):
        fit([experiment])
    with jax.enable_x64(False):
        early = Numbers(1.0, 1.0, 0.0)
    with pytest.raises(InputError, match="the model was made in float32"):
        least_squares([data()], early, FREE, key=jax.random.key(0), starts=2)


def test_a_saved_fit_is_read_back(tmp_path):
    found = fit()
    found.save(tmp_path / "fit.npz")
    again = load(tmp_path / "fit.npz", MODEL, FREE)
    assert str(again) == str(found)
    assert np.array_equal(again.covariance, found.covariance)
    assert float(again.model.a) == float(found.model.a)
    with np.load(tmp_path / "fit.npz", allow_pickle=False) as file:
        assert "values" in file.files
    with pytest.raises(InputError, match="has the parameters"):
        load(tmp_path / "fit.npz", MODEL, HALF)
    (tmp_path / "bad.npz").write_bytes(b"PK")
    with pytest.raises(InputError, match="not a saved fit"):
        load(tmp_path / "bad.npz", MODEL, FREE)
    with pytest.raises(InputError, match="is not there"):
        load(tmp_path / "none.npz", MODEL, FREE)


def test_the_table_names_units_starts_values_and_errors():
    text = str(fit())
    assert text.splitlines()[0].split("  ")[0] == "parameter"
    assert "nS" in text and "100 % of 6 starts" in text and "correlation time" in text


def test_rosenbrock_from_many_starts():
    numbers = free((lambda m: m.a, between(-3.0, 3.0)), (lambda m: m.b, between(-3.0, 3.0)))
    found = least_squares([Curve(np.zeros(2), rosenbrock)], MODEL, numbers, key=jax.random.key(0), starts=8)
    assert np.allclose(found.lanes.values, 1.0, atol=1e-6)


def test_held_out_data_are_predicted():
    found = fit()
    score = held_out(found, data())
    assert score.rmse < 0.02 and score.prediction.shape == (1, T.size)


def test_a_fit_of_other_data_does_not_compile_again():
    fit()
    before = triangle_of_one._cached._cache_size()
    fit([data(0.02)])
    assert triangle_of_one._cached._cache_size() == before > 0
