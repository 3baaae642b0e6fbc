"""`jaxmem fit --measurement`: pores fitted to steady measurements from the command line."""

import json

import numpy as np
import pytest

from jaxmem import fit, modelfile, recordings
from jaxmem.cli import jobs, main, parser
from jaxmem.electrochemistry import Bath, K
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

MODEL = """\
name = "one_site"
[parameters]
site = { value = "-2 kT", bounds = ["-6 kT", "2 kT"] }
outer = { value = "8 kT", bounds = ["5 kT", "12 kT"] }
[permeation]
kind = "barrier"
sites = { K = ["site"] }
barriers = { K = ["outer", "9 kT"] }
"""
ARGV = ["fit", "--measurement", "iv.csv", "--model", "pore.toml", "--temperature", "20 C", "--starts", "2"]
HEADER = "voltage [mV],K_in [mM],K_out [mM],current [pA],error [pA]\n"
V = np.tile(np.arange(-80.0, 81.0, 20.0), 2)
OUTSIDE = np.repeat([10.0, 100.0], 9)


@pytest.fixture(scope="module")
def currents() -> np.ndarray:
    """The model's current at every point."""
    points = recordings.Measurement(V, Bath({K: 100.0}, {K: OUTSIDE}, 293.15), np.zeros(V.size))
    return np.asarray(fit.Steady(points, sigma=1.0).predict(modelfile.loads(MODEL).model))[:, 0]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch, currents):
    """Commands run in a folder with a model and two files of points, and jax's settings stay those of the tests."""
    monkeypatch.chdir(tmp_path)
    for module in ("listings", "simulating", "fitting"):
        monkeypatch.setattr(f"jaxmem.cli.{module}.prepare", lambda: None)
    (tmp_path / "pore.toml").write_text(MODEL)
    noise = np.random.default_rng(0)
    for name in ("iv.csv", "again.csv"):
        error = 0.05 * np.abs(currents) + 0.01
        y = currents + error * noise.standard_normal(V.size)
        rows = [f"{a:g},100,{b:g},{c:.6g},{d:.4g}" for a, b, c, d in zip(V, OUTSIDE, y, error, strict=True)]
        (tmp_path / name).write_text(HEADER + "\n".join(rows) + "\n")
    return tmp_path


def refused(capsys, *argv: str) -> str:
    """The one line with which a command refuses, with exit code 2 and nothing on stdout."""
    code = main(argv)
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), err
    assert err.startswith("jaxmem: ") and err.endswith("\n") and err.count("\n") == 1
    return err


def job(*more: str):
    return jobs.job(parser.build().parse_args([*ARGV, *more]))


def test_a_fit_of_points_and_its_continuation(capsys, place, monkeypatch):
    from jaxmem.cli import progress

    class Stops(progress.Progress):
        def __call__(self, done, total, loss=float("nan")):
            if done >= 1:
                raise KeyboardInterrupt

    argv = [*ARGV, "--held-out", "again.csv"]
    with monkeypatch.context() as patch:
        patch.setattr("jaxmem.cli.fitting.Progress", Stops)
        assert main(argv) == 130
    folder = place / "jaxmem_fit_iv_one_site"
    assert (folder / "progress.npz").exists() and not (folder / "summary.json").exists()
    assert f"the same command continues the fit in {folder.name}" in capsys.readouterr().err

    assert main(argv) == 0
    out, err = capsys.readouterr()
    assert "fit: 2 of 2" in err and "held out again" in out
    for words in ("one_site fitted to iv", "at 20 C, K 100|10 to 100 mM", "95 % interval", "from independent points"):
        assert words in out, words
    summary = json.loads((folder / "summary.json").read_text())
    for name, true in (("site", -2.0), ("outer", 8.0)):
        row = summary["parameters"][name]
        assert abs(row["value"] - true) < 5.0 * row["standard_error"] < 1.0 and row["unit"] == "kT"
    assert (summary["degrees_of_freedom"], summary["blocks"], summary["unit"]) == (16.0, 0, "pA")
    assert summary["held_out"][0]["rmse_over_range"] < 0.1
    assert {"report.html", "fit.png", "held_out.png", "energy_profile.png"} <= {p.name for p in folder.iterdir()}
    written = modelfile.load(folder / "model.toml")
    assert written.values["site"] == summary["parameters"]["site"]["value"]

    # the same command is done at once, with the same numbers; --json prints them alone
    assert main([*argv, "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["parameters"] == summary["parameters"] and err == ""
    assert "belongs to another fit" in refused(capsys, *argv, "--sigma", "0.1")


def test_conditions_come_from_the_file_then_the_command_line_then_the_model(place):
    (experiment,) = job().experiments
    assert experiment.name == "iv" and float(experiment.conditions.temperature[0]) == pytest.approx(293.15)
    np.testing.assert_array_equal(experiment.conditions[K][1], OUTSIDE)
    bare = "voltage [mV],current [pA]\n-20,-1\n20,1\n"
    (place / "bare.csv").write_text(bare)
    given = job("--measurement", "bare.csv", "--bath", "K=120|5").experiments[0].conditions
    np.testing.assert_array_equal(np.stack(given[K]), [[120.0, 120.0], [5.0, 5.0]])
    bath = '[bath]\ntemperature = "30 C"\ninside = { K = "90 mM" }\noutside = { K = "4 mM" }\n'
    (place / "pore.toml").write_text(MODEL + bath)
    words = ["fit", "--measurement", "bare.csv", "--model", "pore.toml"]
    known = jobs.job(parser.build().parse_args(words)).experiments[0].conditions
    assert float(known.temperature[0]) == pytest.approx(303.15) and float(known[K][0][1]) == 90.0


def test_weights_and_relative_values(place):
    np.testing.assert_allclose(job("--sigma", "0.5").experiments[0].sigma, 0.5)
    np.testing.assert_allclose(job().experiments[0].sigma[:, 0], job().experiments[0].measurement.error)
    (place / "relative.csv").write_text("voltage [mV],K_in [mM],K_out [mM],current\n-20,1,1,0.5\n20,1,1,1\n30,1,1,2\n")
    measurement = job("--measurement", "relative.csv", "--relative-to", "1").experiments[0].measurement
    assert (measurement.normalized, measurement.unit) == (1, "1")
    both = job("--measurement", "iv.csv", "again.csv", "--sigma", "1", "2").experiments
    assert [float(e.sigma[0, 0]) for e in both] == [1.0, 2.0]
    with pytest.raises(InputError, match="one for each of 2 files"):
        job("--measurement", "iv.csv", "again.csv", "--sigma", "1", "2", "3")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--recording", "iv.csv"), "--recording: belongs to recordings"),
        (("--protocol", "steps.csv", "--blank", "1"), "--protocol, --blank: belongs to recordings"),
        (("--dt", "1 ms"), "--dt: belongs"),
        (("--linear",), "--linear: belongs"),
        (("--held-out", "iv.csv"), "cannot be held out"),
        (("--bath", "K=1"), "inside|outside"),
        (("--temperature", "20"), "'21.4 C'"),
        (("--measurement", "nowhere.csv"), "nowhere.csv"),
        (("--model", "nobody"), "nobody"),
        (("--model", "hodgkin_huxley_1952", "--bath", "K=1|1"), "names no ion"),
        (("--cell", "5"), "data set that ships"),
        (("--relative-to", "99"), "99"),
        (("--out", "pore.toml"), "must be a folder"),
    ],
)
def test_options_that_do_not_go_together(capsys, place, more, words):
    kept = {p.name for p in place.iterdir()}
    assert words in refused(capsys, *ARGV, *more)
    assert {p.name for p in place.iterdir()} == kept


def test_measurements_need_a_model_and_their_options_a_measurement(capsys, place):
    assert "--measurement needs --model" in refused(capsys, "fit", "--measurement", "iv.csv")
    assert "needs --measurement FILE" in refused(capsys, "fit", "--relative-to", "1")
    assert "needs --measurement FILE" in refused(
        capsys, "fit", "--recording", "iv.csv", "--model", "pore.toml", "--relative-to", "1"
    )
    assert "--recording FILE or --measurement FILE" in refused(capsys, "fit", "--model", "pore.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (HEADER, "iv.csv"),
        (HEADER + "0,100,10,abc,1\n", "iv.csv: line 2"),
        (HEADER + "0,100,-10,1,1\n", "must not be negative"),
        (HEADER.replace("[pA]", "[mV]") + "0,100,10,1,1\n", "must name a unit"),
        (HEADER.replace("[pA]", "[uA/cm2]") + "0,100,10,1,1\n", "gives pA"),
        ("voltage [mV],current [pA]\n0,1\n1,2\n", "must list K"),
    ],
)
def test_bad_points_are_one_line(capsys, place, text, words):
    (place / "iv.csv").write_text(text)
    assert words in refused(capsys, *ARGV)
    assert not (place / "jaxmem_fit_iv_one_site").exists()


def test_an_open_pore_is_simulated(capsys, place):
    argv = ["simulate", "pore.toml", "--protocol", "step from -80 to 80 mV in 160 mV steps for 1 ms", "--dt", "0.5 ms"]
    assert main([*argv, "--temperature", "20 C", "--bath", "K=100|10"]) == 0
    made = recordings.read(place / "jaxmem_simulate_one_site" / "simulation.csv")
    assert made.current.shape == (2, 3) and made.unit == "pA"
    assert np.all(made.current[0] < 0.0) and np.all(made.current[1] > 0.0)
