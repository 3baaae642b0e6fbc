"""The command line: what it prints, what it writes, how it refuses."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from jaxmem import recordings, units
from jaxmem.cli import commands, conditions, main, setting
from jaxmem.cli.progress import Progress, duration
from jaxmem.cli.table import table
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

ROOT = Path(__file__).resolve().parent.parent

MODEL = """\
name = "leaky_gate"
[parameters]
a = { value = "0.1 1/ms", bounds = ["0.01 1/ms", "1 1/ms"], scale = "log" }
g = { value = "2 nS", bounds = ["0.2 nS", "20 nS"], scale = "log" }
[gating.gates.n]
opening = { law = "exponential", a = "a", b = "0.03 1/mV" }
closing = { law = "exponential", a = "0.05 1/ms", b = "-0.04 1/mV" }
[permeation]
kind = "ohmic"
g = "g"
reversal = "-80 mV"
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """Commands run in an empty folder, and the settings of jax stay those of the tests."""
    monkeypatch.chdir(tmp_path)
    for module in ("listings", "check", "simulating", "fitting"):
        monkeypatch.setattr(f"jaxmem.cli.{module}.prepare", lambda: None)
    return tmp_path


def refused(capsys, *argv: str) -> str:
    """The one line with which a command refuses, with exit code 2 and nothing on stdout."""
    code = main(argv)
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), err
    assert err.startswith("jaxmem: ") and err.endswith("\n") and err.count("\n") == 1
    return err


def fresh(*argv: str, code: str = "") -> subprocess.CompletedProcess:
    """A command in a new interpreter."""
    words = [sys.executable, "-c", code] if code else [sys.executable, "-m", "jaxmem.cli", *argv]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(words, capture_output=True, text=True, env=env, timeout=120)


# ---- words


def test_help_answers_without_jax():
    code = (
        "import sys, time; start = time.perf_counter()\n"
        "from jaxmem.cli import main\n"
        "code = main(['--help'])\n"
        "print(time.perf_counter() - start, file=sys.stderr)\n"
        "print(sorted({'jax', 'numpy', 'scipy', 'matplotlib', 'equinox'} & set(sys.modules)), code)"
    )
    done = fresh(code=code)
    assert done.stdout.splitlines()[-1] == "[] 0"
    assert all(word in done.stdout for word in ("fit", "simulate", "models", "datasets", "check", "doctor"))
    assert float(done.stderr) < 0.5


def test_the_version_is_that_of_the_package(capsys):
    from importlib.metadata import version

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"jaxmem {version('jaxmem')}\n"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), "required: COMMAND"),
        (("bogus",), "invalid choice: 'bogus'"),
        (("fit", "--starts", "0"), "at least 1"),
        (("fit", "--starts", "many"), "'many'"),
        (("fit", "--sta", "3"), "--sta"),
        (("simulate", "herg_wang_1997"), "--protocol"),
        (("models", "--show", "herg_wang_1979"), "herg_wang_1997"),
        (("check", "nowhere.json"), "nowhere.json"),
    ],
)
def test_wrong_words_are_refused_on_one_line(capsys, argv, words):
    assert words in refused(capsys, *argv)


def test_help_of_every_command(capsys):
    for command in ("fit", "simulate", "models", "datasets", "check", "doctor"):
        assert main([command, "--help"]) == 0
        assert f"usage: jaxmem {command}" in capsys.readouterr().out


def test_an_unforeseen_error_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr("jaxmem.cli.listings.models", lambda options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["models"])


def test_an_interrupt_is_130(capsys, monkeypatch):
    def stop(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("jaxmem.cli.listings.models", stop)
    assert main(["models"]) == 130
    assert "interrupted" in capsys.readouterr().err


# ---- listings


def test_models_and_datasets_are_listed(capsys):
    assert main(["models"]) == 0
    assert "herg_beattie_2018" in capsys.readouterr().out
    assert main(["models", "--show", "herg_beattie_2018"]) == 0
    shown = capsys.readouterr().out
    assert "permeation.g" in shown and "[gating.gates.a]" in shown
    assert main(["datasets"]) == 0
    listed = capsys.readouterr().out
    assert "CC BY 4.0" in listed and "doi:10.1113/JP275733" in listed
    assert "--cell: 1 to 9 (default: 5)" in listed and "--protocol: sine_wave, ap, activation_kinetics_1" in listed
    assert "cannot be fitted: steady_activation, deactivation" in listed


def test_the_doctor_names_versions_and_devices(capsys):
    import jax

    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out
    assert jax.__version__ in lines and "cpu:0" in lines and "float64" in lines


# ---- check


def test_check_passes_fails_and_does_not_cover(capsys, place):
    shared_row = {"a_format_of_tomorrow": 1.0}
    (place / "new.json").write_text(json.dumps(shared_row))
    assert main(["check", "new.json"]) == 1
    out, err = capsys.readouterr()
    assert (
        "not covered" in out and "0 passed, 0 failed, 1 not covered" in out and "nothing was checked" in err
    )


def test_check_prints_what_falls_short(capsys, monkeypatch):
    from jaxmem import check

    rows = [
        check.Row("case", "good", 1.0, 1.0, 0.0, 1e-9, check.Verdict.PASSED),
        check.Row("case", "bad", 2.0, 2.5, 0.25, 1e-9, check.Verdict.FAILED),
        check.Row("case", "unknown", 2.0, None, None, None, check.Verdict.NOT_COVERED),
    ]
    monkeypatch.setattr(check, "run", lambda paths: rows)
    assert main(["check"]) == 1
    out = capsys.readouterr().out
    assert "1 passed, 1 failed, 1 not covered" in out
    line = next(line for line in out.splitlines() if "bad" in line)
    assert line.split() == ["case", "bad", "2", "2.5", "0.25", "1e-09", "FAILED"]
    assert main(["check", "--quiet"]) == 1
    assert "good" not in capsys.readouterr().out
    monkeypatch.setattr(check, "run", lambda paths: rows[:1])
    assert main(["check"]) == 0


# ---- conditions


def test_temperatures_need_their_unit():
    assert conditions.temperature("21.4 C") == pytest.approx(294.55)
    assert (
        conditions.temperature("21.4°C")
        == conditions.temperature("21.4 degC")
        == conditions.temperature("21.4C")
    )
    assert conditions.temperature("294.5 K") == 294.5
    for text in ("21.4", "warm", "-300 C", "nan K", "21 F"):
        with pytest.raises(InputError, match=r"'21\.4 C'"):
            conditions.temperature(text)


def test_a_bath_from_words():
    from jaxmem.electrochemistry import K, Na

    bath = conditions.bath("21 C", "K=130|4, Na=10|145")
    assert [float(x) for x in bath[K]] == [130.0, 4.0] and [float(x) for x in bath[Na]] == [10.0, 145.0]
    assert float(bath.temperature) == units.celsius(21.0)
    assert float(conditions.bath("21 C", None).temperature) == units.celsius(21.0)
    for text in ("K=130", "Xx=1|2", "K", "K=a|4", "K=-1|4", "K=nan|4", "units=1|2"):
        with pytest.raises(InputError):
            conditions.bath(None, text)


def test_conditions_are_merged_one_by_one():
    from jaxmem.electrochemistry import Bath, K, Na

    file = Bath({K: 130.0, Na: 10.0}, {K: 4.0, Na: 145.0}, 279.45)
    warm = conditions.bath("21 C", None, file)
    assert float(warm.temperature) == units.celsius(21.0) and float(warm[Na][1]) == 145.0
    salty = conditions.bath(None, "K=130|20", file, 300.0)
    assert float(salty.temperature) == 279.45
    assert [float(x) for x in (*salty[K], *salty[Na])] == [130.0, 20.0, 10.0, 145.0]
    assert float(conditions.bath(None, None, None, 300.0).temperature) == 300.0
    assert float(conditions.bath(None, None).temperature) == units.celsius(22.0)
    assert conditions.shown(salty) == "6.3 C, K 130|20, Na 10|145 mM"


def test_intervals():
    assert conditions.interval("50 us") == pytest.approx(0.05)
    assert conditions.interval("0.1ms") == 0.1
    for text in ("0.1", "0 ms", "-1 ms", "1 mV", "fast"):
        with pytest.raises(InputError, match="sampling interval"):
            conditions.interval(text)


# ---- protocols


def test_files_and_sentences_join(place):
    (place / "steps.csv").write_text("start_ms,duration_ms,voltage_mV\n0,5,-80\n5,10,20\n")
    (place / "samples.csv").write_text("time [ms],voltage [mV]\n0,-80\n5,20\n15,20\n")
    for name in ("steps.csv", "samples.csv"):
        p = commands.command([name])
        assert [float(p(t)) for t in (0.0, 4.9, 5.0, 14.0)] == [-80.0, -80.0, 20.0, 20.0]
    family = commands.command(
        ["steps.csv", "step from -40 to 0 mV in 20 mV steps for 5 ms", "hold at -90 mV for 1 ms"]
    )
    assert family.family == 3
    assert [float(family.sweep(1)(t)) for t in (0.0, 6.0, 16.0, 20.5)] == [-80.0, 20.0, -20.0, -90.0]
    with pytest.raises(InputError, match="no such file"):
        commands.command(["nowhere.csv"])


def test_a_family_is_held_at_its_first_voltage():
    family = commands.command(["step from -80 to 0 mV in 40 mV steps for 5 ms"])
    assert np.asarray(family.holding).tolist() == [-80.0] * 3


def test_fit_and_simulate_mean_the_same_by_a_protocol(place):
    import scipy.io

    from jaxmem.cli import jobs, parser

    (place / "my.toml").write_text(MODEL)
    rows = "".join(f"{0.7 * k},{k},1,1\n" for k in range(20))
    (place / "three.csv").write_text("time [ms],I_1 [pA],I_2 [pA],I_3 [pA]\n" + rows)
    (place / "one.csv").write_text("time [ms],current [pA]\n" + "".join(f"{0.7 * k},{k}\n" for k in range(20)))
    (place / "steps.csv").write_text("start_ms,duration_ms,v_start_mV,v_end_mV\n0,5,-80,-80\n5,10,-80,20\n")
    scipy.io.savemat(place / "v.mat", {"voltage_mV": np.linspace(-80.0, 20.0, 20)[None]})
    for recording, word in (
        ("three.csv", "step from -80 to 40 mV in 60 mV steps for 15 ms"),
        ("one.csv", "hold at -80 mV for 5 ms, ramp to 20 mV over 10 ms"),
        ("one.csv", "sine of 20 mV at 100 Hz around -40 mV for 15 ms"),
        ("one.csv", "steps.csv"),
        ("one.csv", "v.mat"),
    ):
        for more in ((), ("--holding", "-90")):
            words = ["fit", "--recording", recording, "--model", "my.toml", "--protocol", word, *more]
            fitted = jobs.job(parser.build().parse_args(words)).experiments[0].recording.command
            meant = commands.command([word], dt=0.7)
            at = np.linspace(0.0, 13.0, 131)
            for k in range(fitted.family):
                np.testing.assert_allclose(fitted.sweep(k)(at), meant.sweep(k)(at), atol=1e-9)
            expected = np.broadcast_to(-90.0 if more else meant.holding, fitted.holding.shape)
            np.testing.assert_array_equal(fitted.holding, expected)


# ---- simulate


def test_simulate_writes_what_recordings_read(capsys, place):
    (place / "my.toml").write_text(MODEL)
    sentence = "step from -80 to 40 mV in 60 mV steps for 20 ms"
    argv = [
        "simulate",
        "my.toml",
        "--protocol",
        "hold at -80 mV for 5 ms",
        "--protocol",
        sentence,
        "--dt",
        "0.1 ms",
    ]
    assert main(argv) == 0
    out = capsys.readouterr().out
    folder = place / "jaxmem_simulate_leaky_gate"
    assert "3 sweeps of 251 samples" in out and str(folder.name) in out
    assert sorted(p.name for p in folder.iterdir()) == ["simulation.csv", "simulation.npz", "simulation.png"]
    recording = recordings.read(folder / "simulation.csv")
    assert recording.current.shape == (3, 251) and recording.unit == "pA"
    opening, closing = 0.1 * np.exp(0.03 * -20.0), 0.05 * np.exp(0.04 * 20.0)
    rest = 0.1 * np.exp(-2.4) / (0.1 * np.exp(-2.4) + 0.05 * np.exp(3.2))
    steady = opening / (opening + closing)
    n = steady + (rest - steady) * np.exp(-(opening + closing) * 20.0)
    assert recording.current[1, -1] == pytest.approx(2.0 * n * 60.0, rel=1e-8)
    arrays = np.load(folder / "simulation.npz", allow_pickle=False)
    np.testing.assert_allclose(arrays["current"], recording.current, rtol=1e-9, atol=1e-12)

    # the same again is no harm; another one does not overwrite it
    assert main([*argv, "--quiet"]) == 0
    kept = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert "--out" in refused(capsys, *argv, "--temperature", "30 C")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == kept


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("nothing", "--protocol", "x.csv"), "nothing"),
        (("nothing.toml", "--protocol", "x.csv"), "nothing.toml"),
        (("my.toml", "--protocol", "nowhere.csv"), "nowhere.csv"),
        (("my.toml", "--protocol", "jump to 40 mV"), "'jump to 40 mV'"),
        (("my.toml", "--protocol", "hold at 0 mV for 5 ms", "--dt", "1"), "unit of time"),
        (("my.toml", "--protocol", "hold at 0 mV for 5 ms", "--dt", "1e-9 ms"), "samples"),
        (("my.toml", "--protocol", "hold at 0 mV for 5 ms", "--dt", "9 ms"), "samples"),
        (("my.toml", "--protocol", "hold at 0 mV for 5 ms", "--temperature", "20"), "'21.4 C'"),
        (("my.toml", "--protocol", "hold at 0 mV for 5 ms", "--out", "my.toml"), "must be a folder"),
    ],
)
def test_simulate_refuses(capsys, place, argv, words):
    (place / "my.toml").write_text(MODEL)
    before = (place / "my.toml").read_bytes()
    assert words in refused(capsys, "simulate", *argv)
    assert [p.name for p in place.iterdir()] == ["my.toml"] and (place / "my.toml").read_bytes() == before


# ---- progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_plain_lines_say_how_far_and_how_long():
    now = [0.0]
    stream = io.StringIO()
    progress = Progress("fit", stream=stream, clock=lambda: now[0])
    for done in range(5):
        now[0] = 10.0 * done
        progress(done, 4, 1.0 / (done + 1))
    lines = stream.getvalue().splitlines()
    assert lines[0] == "fit: 0 of 4  best 1"
    assert lines[1] == "fit: 1 of 4  best 0.5  30 s left"
    assert lines[-1] == "fit: 4 of 4  best 0.2  40 s"


def test_a_terminal_gets_one_line():
    now = [0.0]
    stream = Terminal()
    progress = Progress("fit", stream=stream, clock=lambda: now[0])
    progress(0, 4)
    now[0] = 1.0
    progress(2, 4, 0.25)
    progress.close()
    progress.close()
    assert "[============            ] 2/4  best 0.25  1 s left" in stream.getvalue()
    assert stream.getvalue().count("\n") == 1


def test_progress_can_be_quiet_and_a_continued_job_is_not_too_hopeful():
    stream = io.StringIO()
    Progress("fit", quiet=True, stream=stream)(1, 2)
    assert stream.getvalue() == ""
    now = [0.0]
    progress = Progress("fit", stream=stream, clock=lambda: now[0])
    progress(50, 64)
    now[0] = 10.0
    progress(51, 64)
    assert stream.getvalue().splitlines()[-1].endswith("2 min 10 s left")


def test_durations_and_tables():
    assert [duration(x) for x in (0.4, 59.0, 125.0, 4320.0)] == ["0 s", "59 s", "2 min 05 s", "1 h 12 min"]
    assert table(("a", "bb"), [("1", "2"), ("33", "4")], right=(1,)) == "a   bb\n1    2\n33   4"


# ---- settings


def test_the_cache_can_be_moved_and_switched_off(monkeypatch, tmp_path):
    monkeypatch.setenv("JAXMEM_CACHE", str(tmp_path))
    assert setting.cache_folder() == tmp_path
    monkeypatch.setenv("JAXMEM_CACHE", "")
    assert setting.cache_folder() is None
    monkeypatch.delenv("JAXMEM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    if sys.platform == "linux":
        assert setting.cache_folder() == tmp_path / "jaxmem"
    assert setting.cores() >= 1


# ---- fit


def write_recording(
    path: Path, *, v=(-40.0, 0.0, 40.0), a: float = 0.08, g: float = 3.0, header: str = ""
) -> None:
    """Sweeps of the model of MODEL with other values and a little noise, as a CSV."""
    t = np.arange(0.0, 40.0, 0.5)
    noise = np.random.default_rng(1)
    lines = [header or "sweep,time [ms],voltage [mV],current [nA]"]
    for k, step in enumerate(v):
        n = 1.0 / (1.0 + 0.05 / a * np.exp(0.04 * 80.0 + 0.03 * 80.0))
        opening, closing = a * np.exp(0.03 * step), 0.05 * np.exp(-0.04 * step)
        steady = opening / (opening + closing)
        after = steady + (n - steady) * np.exp(-(opening + closing) * np.maximum(t - 5.0, 0.0))
        x, volts = np.where(t < 5.0, n, after), np.where(t < 5.0, -80.0, step)
        current = 1e-3 * (g * x * (volts + 80.0) + 0.5 * noise.standard_normal(t.size))
        lines += [f"{k},{a_},{b},{c:.9g}" for a_, b, c in zip(t, volts, current, strict=True)]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def own(place):
    (place / "my.toml").write_text(MODEL)
    write_recording(place / "cell.csv")
    write_recording(place / "other.csv", v=(-20.0, 20.0))
    return ["fit", "--recording", "cell.csv", "--model", "my.toml", "--starts", "3"]


def test_a_fit_of_your_own_data(capsys, own, place):
    assert main([*own, "--held-out", "other.csv", "--blank", "1"]) == 0
    out, err = capsys.readouterr()
    assert "held out other" in out and "fit: 3 of 3" in err
    folder = place / "jaxmem_fit_cell_leaky_gate"
    names = {p.name for p in folder.iterdir()}
    assert names >= {
        "report.html",
        "summary.json",
        "parameters.csv",
        "model.toml",
        "fit.npz",
        "fit.png",
        "held_out.png",
    }
    summary = json.loads((folder / "summary.json").read_text())
    for name, true in (("a", 0.08), ("g", 3.0)):
        row = summary["parameters"][name]
        assert abs(row["value"] - true) < 5.0 * row["standard_error"] < 0.2 * true
        assert row["lower"] < row["value"] < row["upper"] and row["at_bound"] is None
    assert {
        "rmse",
        "rmse_over_range",
        "starts",
        "fraction_within_1_percent",
        "held_out",
        "seconds",
        "versions",
    } <= set(summary)
    assert summary["starts"] == 3 and summary["rmse"] == pytest.approx(0.5, rel=0.2)
    assert summary["held_out"][0]["protocol"] == "other" and summary["held_out"][0]["rmse"] < 0.7
    assert set(summary["seconds"]) == {"compile", "run"}
    assert "at 22 C" in out and "if independent" in out
    assert summary["conditions"]["temperature"] == {"value": pytest.approx(295.15), "unit": "K"}

    # model.toml loads back to the same numbers, and simulates
    from jaxmem import modelfile

    assert modelfile.load(folder / "model.toml").values["g"] == summary["parameters"]["g"]["value"]
    assert (
        main(["simulate", str(folder / "model.toml"), "--protocol", "hold at 0 mV for 5 ms", "--quiet"]) == 0
    )
    capsys.readouterr()

    # the same command is done at once, with the same numbers; --json prints them alone
    before = summary["parameters"]
    assert main([*own, "--held-out", "other.csv", "--blank", "1", "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["parameters"] == before and err == ""

    # another fit is refused the folder, and touches nothing
    kept = {p.name: p.read_bytes() for p in folder.iterdir()}
    assert "--out" in refused(capsys, *own, "--seed", "7")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == kept


def test_an_interrupted_fit_continues_to_the_same_numbers(capsys, own, place, monkeypatch):
    from jaxmem.cli import progress

    class Stops(progress.Progress):
        def __call__(self, done, total, loss=float("nan")):
            if done >= 1:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("jaxmem.cli.fitting.Progress", Stops)
        assert main([*own, "--out", "stopped"]) == 130
    assert "the same command continues the fit in stopped" in capsys.readouterr().err
    assert not (place / "stopped" / "summary.json").exists()
    assert main([*own, "--out", "stopped", "--quiet"]) == 0
    assert main([*own, "--out", "whole", "--quiet"]) == 0
    ours, whole = (json.loads((place / name / "summary.json").read_text()) for name in ("stopped", "whole"))
    for key in ("parameters", "rmse", "fraction_within_1_percent"):
        assert ours[key] == whole[key]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cell.csv": None}, "cell.csv: no such file"),
        ({"my.toml": None}, "my.toml"),
        ({"cell.csv": ""}, "is empty"),
        ({"cell.csv": "sweep,time [ms],volt"}, "cell.csv"),
        ({"cell.csv": "time,voltage,current\n0,0,1\n1,0,1\n"}, "unit"),
        ({"cell.csv": "time [ms],voltage [mV],current [nA]\n0,0,1\n1,0,nan\n2,0,1\n"}, "cell.csv"),
        ({"cell.csv": "time [ms],voltage [mV],current [nA]\n0,0,1\n2,0,1\n1,0,1\n"}, "cell.csv"),
        ({"cell.csv": "time [ms],voltage [mV],current [uA/cm2]\n0,0,1\n1,0,2\n2,0,1\n"}, "uA/cm2"),
        ({"my.toml": MODEL.replace(", bounds = [", ', note = "', 2).replace("]", '"')}, "my.toml"),
        ({"my.toml": MODEL.replace('scale = "log"', 'scale = "log", fixed = true')}, "free"),
        ({"my.toml": MODEL.replace('"0.01 1/ms", "1 1/ms"', '"1 1/ms", "0.01 1/ms"')}, "below the upper"),
        ({"my.toml": MODEL.replace("kind", "kinds")}, "kinds"),
        ({"my.toml": "= ["}, "TOML"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(capsys, own, place, change, words):
    for name, text in change.items():
        (place / name).unlink() if text is None else (place / name).write_text(text)
    assert words in refused(capsys, *own)
    assert not (place / "jaxmem_fit_cell_leaky_gate").exists()


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("fit", "nothing"), "hodgkin_huxley_1952, beattie_2018"),
        (("fit", "cell.csv"), "--recording FILE"),
        (("fit", "--recording", "cell.csv"), "--model"),
        (("fit", "--recording", "cell.csv", "--model", "nobody"), "nobody"),
        (("fit", "--model", "my.toml"), "--recording"),
        (("fit", "beattie_2018", "--recording", "cell.csv"), "leave it out"),
        (("fit", "beattie_2018", "--free-g"), "--free-g"),
        (("fit", "beattie_2018", "--cell", "10"), "1 to 9"),
        (("fit", "beattie_2018", "--protocol", "sine_wave", "--held-out", "sine_wave"), "held out"),
        (("fit", "--cell", "5"), "--cell"),
        (("fit", "--recording", "cell.csv", "--model", "my.toml", "--units", "time"), "name=unit"),
        (("fit", "--recording", "cell.csv", "--model", "my.toml", "--channel", "0"), "only ABF"),
        (("fit", "--recording", "cell.csv", "--model", "my.toml", "--agree", "99"), "between 2"),
        (("fit", "--recording", "cell.csv", "--model", "my.toml", "--bath", "K=1"), "names no ion"),
        (("fit", "--recording", "cell.csv", "--model", "my.toml", "--out", "my.toml"), "must be a folder"),
        (("fit", "--recording", "cell.csv", "--model", "my.toml", "--out", "."), "already holds model.toml"),
    ],
)
def test_options_that_do_not_go_together(capsys, own, place, argv, words):
    (place / "model.toml").write_text("mine")
    assert words in refused(capsys, *argv)
    assert (place / "model.toml").read_text() == "mine"


def test_pictures_are_not_overwritten(capsys, own, place):
    (place / "fit.png").write_bytes(b"mine")
    assert "already holds fit.png" in refused(capsys, *own, "--out", ".")
    assert (place / "fit.png").read_bytes() == b"mine"


def test_options_that_prepare_a_recording(own, place):
    from jaxmem.cli import jobs, parser

    def experiment(*more):
        return jobs.job(parser.build().parse_args([*own, *more])).experiments[0]

    whole = experiment().recording
    r = experiment("--sweeps", "0,2", "--window", "5", "20", "--only", "10", "15", "--sigma", "0.5")
    np.testing.assert_array_equal(r.recording.current, whole.current[[0, 2], 10:40])
    assert r.recording.mask.sum() == 2 * 10 and float(r.sigma) == 0.5
    leak = recordings.analysis.leak_fit(whole, (0.0, 5.0), (20.0, 40.0))
    clean = experiment("--subtract-leak", "0", "5", "20", "40").recording
    np.testing.assert_allclose(clean.current, whole.subtract_leak(leak).current)
    with pytest.raises(InputError, match="is in pA/pF, but the model"):
        experiment("--capacitance", "20")
    with pytest.raises(InputError, match="pairs of times"):
        experiment("--subtract-leak", "0", "5", "20")
    with pytest.raises(InputError, match="only ABF"):
        experiment("--dac", "0")
    (place / "density.toml").write_text(MODEL.replace(" nS", " nS/pF"))
    density = experiment("--model", "density.toml", "--capacitance", "20").recording
    np.testing.assert_allclose(20.0 * density.current, whole.current)


def test_examples_of_the_help_run(capsys, place, shared, monkeypatch):
    import shlex

    from jaxmem.cli import jobs, parser

    monkeypatch.setenv("JAXMEM_DATA_MIRROR", str(shared / "data" / "mirror"))
    (place / "my.toml").write_text(MODEL)
    write_recording(place / "cell.csv", header="sweep,time,voltage [mV],current")
    write_recording(place / "cell.abf")
    (place / "iv.csv").write_text("voltage [mV],K_out [mM],current [pA]\n-20,5,-1\n20,5,1\n")
    monkeypatch.setattr("jaxmem.recordings.read", lambda path, *_, **__: recordings.read_csv(path, units={}) if (
        str(path).endswith("abf")) else recordings.read_csv(path, units={"time": "s", "current": "nA"}))  # fmt: skip
    lines = parser.FIT_HELP.replace("\\\n", " ").splitlines()
    examples = [shlex.split(line.split("   ")[0]) for line in (x.strip() for x in lines) if line.startswith("jaxmem ")]
    assert len(examples) == 6
    for example in examples:
        work = jobs.job(parser.build().parse_args(example[1:]))
        assert work.experiments and work.free.parameters
    text = parser.SIMULATE_HELP.replace("\\\n", " ")
    example = next(line.strip() for line in text.splitlines() if line.strip().startswith("jaxmem "))
    assert main(shlex.split(example)[1:]) == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_refused(capsys, own, place):
    (place / "locked").mkdir(mode=0o500)
    assert "cannot be written" in refused(capsys, *own, "--out", "locked")


def test_units_delay_and_a_sentence_for_the_command(capsys, own, place):
    text = (place / "cell.csv").read_text().splitlines()
    bare = ["time,current"] + [
        ",".join(np.array(line.split(","))[[1, 3]]) for line in text[1:] if line.startswith("0,")
    ]
    (place / "bare.csv").write_text("\n".join(bare) + "\n")
    sentence = "hold at -80 mV for 5 ms, step to -40 mV for 36 ms"
    argv = [
        "fit",
        "--recording",
        "bare.csv",
        "--model",
        "my.toml",
        "--starts",
        "2",
        "--quiet",
        "--protocol",
        sentence,
    ]
    assert main([*argv, "--units", "time=ms,current=nA"]) == 0
    summary = json.loads((place / "jaxmem_fit_bare_leaky_gate" / "summary.json").read_text())
    assert summary["rmse"] == pytest.approx(0.5, rel=0.3)
    assert capsys.readouterr().out == ""


def test_a_fit_finds_what_was_simulated_under_the_same_sentence(own, place):
    words = "hold at -80 mV for 5.03 ms, step from -80 to 40 mV in 60 mV steps for 20 ms, ramp to -90 mV over 9 ms"
    assert main(["simulate", "my.toml", "--protocol", words, "--dt", "0.4 ms", "--out", "made", "--quiet"]) == 0
    made = recordings.read(place / "made" / "simulation.csv")
    table = np.column_stack([made.t, made.current.T])
    header = "time [ms]," + ",".join(f"I_{k} [pA]" for k in range(made.sweeps))
    np.savetxt(place / "bare.csv", table, delimiter=",", header=header, comments="", fmt="%.10g")
    (place / "far.toml").write_text(MODEL.replace('"0.1 1/ms"', '"0.3 1/ms"').replace('"2 nS"', '"5 nS"'))
    argv = ["fit", "--recording", "bare.csv", "--model", "far.toml", "--protocol", words, "--out", "fitted"]
    assert main([*argv, "--starts", "2", "--quiet"]) == 0
    summary = json.loads((place / "fitted" / "summary.json").read_text())
    assert summary["rmse_over_range"] < 1e-7
    assert summary["parameters"]["a"]["value"] == pytest.approx(0.1, rel=1e-6)


@pytest.mark.slow
def test_a_killed_fit_continues_to_the_same_bits(capsys, own, place):
    argv = [*own[:-1], "40", "--quiet"]
    words = [sys.executable, "-m", "jaxmem.cli", *argv, "--out", "killed"]
    running = subprocess.Popen(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    try:
        progress = place / "killed" / "progress.npz"
        for _ in range(1200):
            if progress.exists() or running.poll() is not None:
                break
            time.sleep(0.05)
    finally:
        running.kill()
        running.wait()
    assert progress.exists()
    assert main([*argv, "--out", "killed"]) == 0
    assert main([*argv, "--out", "whole"]) == 0
    killed, whole = (json.loads((place / name / "summary.json").read_text()) for name in ("killed", "whole"))
    assert killed["parameters"] == whole["parameters"] and killed["rmse"] == whole["rmse"]


@pytest.mark.slow
def test_the_default_fit_is_the_squid_axon(capsys, place):
    assert main(["fit", "--starts", "4"]) == 0
    out = capsys.readouterr().out
    summary = json.loads((place / "jaxmem_fit_hodgkin_huxley_1952" / "summary.json").read_text())
    assert list(summary["parameters"]) == ["alpha", "v0", "s", "beta", "c"]
    rms = summary["rms_of_rates"]
    assert rms["fitted"]["alpha_n"] <= 0.030 and rms["fitted"]["beta_n"] <= 0.0124
    assert rms["published"] == pytest.approx({"alpha_n": 0.0313, "beta_n": 0.0126}, rel=0.01)
    line = next(line for line in out.splitlines() if line.startswith("rms "))
    assert line.split()[1:] == [
        f"{rms[n][k]:.4f}" for k in ("alpha_n", "beta_n") for n in ("fitted", "published")
    ]
    assert (place / "jaxmem_fit_hodgkin_huxley_1952" / "squid.png").is_file()


@pytest.mark.slow
def test_a_recording_of_herg_is_fitted_and_the_action_potentials_predicted(
    capsys, place, shared, monkeypatch
):
    monkeypatch.setenv("JAXMEM_DATA_MIRROR", str(shared / "data" / "mirror"))
    assert main(["fit", "beattie_2018", "--cell", "5", "--starts", "2", "--quiet"]) == 0
    summary = json.loads((place / "jaxmem_fit_beattie_2018_cell5" / "summary.json").read_text())
    assert summary["rmse_over_range"] <= 1.004 * 0.0073024
    assert summary["held_out"][0]["rmse_over_range"] <= 0.0167
    assert 100.0 < summary["parameters"]["g"]["value"] < 200.0
