"""`jaxmem sweep`: what its file says is what is computed; what it says wrongly is refused in one line."""

import jax
import numpy as np
import pytest

from jaxmem import cell, modelfile, simulate
from jaxmem.cli import main
from jaxmem.protocols import parse

xarray = pytest.importorskip("xarray")
pytestmark = pytest.mark.x64

MODEL = """\
name = "leaky_gate"
[parameters]
a = { value = "0.1 1/ms", bounds = ["0.01 1/ms", "1 1/ms"], scale = "log" }
g = "2 nS"
twice = { tie = "g", factor = 2 }
[gating.gates.n]
opening = { law = "exponential", a = "a", b = "0.03 1/mV" }
closing = { law = "exponential", a = "0.05 1/ms", b = "-0.04 1/mV" }
[permeation]
kind = "ohmic"
g = "twice"
reversal = "-80 mV"
"""
SWEEP = """\
model = "leaky.toml"
capacitance = "20 pF"
temperature = "20 C"
stimulus = ["hold at 0 pA for 1 ms", "step to 0.1 nA for 3 ms"]
record = ["peak", "voltage", "spike_count"]
every = "2 ms"
dt = "0.1 ms"
threshold = "-50 mV"
chunk = 4
block = 2
[vary.g]
values = [-1, 2, 4]
unit = "nS"
[vary.stimulus]
from = 0
to = 2
count = 3
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("jaxmem.cli.sweeping.prepare", lambda: None)
    monkeypatch.setattr("jaxmem.cli.sweeping.cores", lambda: 1)
    (tmp_path / "leaky.toml").write_text(MODEL)
    (tmp_path / "my sweep.toml").write_text(SWEEP)
    return tmp_path


def test_a_file_says_all_of_a_sweep(place, capsys):
    assert main(["sweep", "my sweep.toml", "--shard", "1/3"]) == 0
    assert main(["sweep", "my sweep.toml"]) == 0
    out, err = capsys.readouterr()
    assert "9 lanes: 3 successful\n  6 pending: Not run yet." in out
    assert "9 lanes: 6 successful\n  3 outside_domain: A parameter" in out
    assert "lane 0: g = -1 nS, stimulus = 0\n" in out and "wrote jaxmem_sweep_my_sweep.zarr" in out
    assert err.splitlines()[-1].startswith("sweep: 9 of 9")
    found = xarray.open_zarr(place / "jaxmem_sweep_my_sweep.zarr")
    assert found.voltage.dims == ("g", "stimulus", "voltage_0") and found.voltage.attrs == {"units": "mV"}
    assert found.g.attrs == {"units": "nS"} and found.peak.dtype == np.float64
    file = modelfile.load("leaky.toml")
    patch = cell.point(file.build({"g": 4.0}), 20.0, 293.15)
    command = parse("hold at 0 pA for 1 ms", "hold at 200 pA for 3 ms", unit="pA")
    record = (simulate.Peak(), simulate.SpikeCount(-50.0))
    alone = simulate.current_clamp(patch, command, [0.0, 2.0, 4.0], method=simulate.Staggered(0.1), record=record)
    lane = found.sel(g=4.0, stimulus=2.0)
    np.testing.assert_allclose(lane.voltage, alone.v, rtol=1e-12)
    np.testing.assert_allclose(lane.peak, alone.records[0], rtol=1e-12)
    assert int(lane.spike_count) == int(alone.records[1]) and found.spike_count.sum() > 0
    assert np.isnan(found.peak.sel(g=-1.0)).all()


def test_a_whole_cell_of_the_library_in_single_precision(place, capsys):
    (place / "cell.toml").write_text("""\
model = "cressman_2009"
duration = "2 ms"
record = ["mean"]
precision = "float32"
design = "sobol"
lanes = 4
seed = 5
[vary.capacitance]
from = "1 uF/cm2"
to = "4 uF/cm2"
scale = "log"
""")
    assert main(["sweep", "cell.toml", "--out", "out.zarr", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    found = xarray.open_zarr("out.zarr")
    assert found["mean"].dtype == np.float32 and found.sizes["lane"] == 4
    assert np.all((found.capacitance > 1) & (found.capacitance < 4)) and not found.code.any()
    assert len(np.unique(found["mean"])) == 4 and np.isfinite(found["mean"]).all()


REFUSED = {
    ('"leaky.toml"', '"leaky.tom"'): "my sweep.toml: model: A model must be one of the library's",
    ("chunk = 4", "chnk = 4"): "my sweep.toml: unknown key 'chnk'; did you mean 'chunk'?",
    ("chunk = 4", "chunk = 0"): "chunk: must be a whole number from 1",
    ('"20 pF"', '"20 mV"'): "capacitance: must be a finite number such as '1 pF', but is 20 mV",
    ('capacitance = "20 pF"', ""): "must have a key 'capacitance'",
    ("0.1 nA", "0.1 mV"): "stimulus: A sentence of a protocol must be one of 'hold at -80 pA",
    ('"step to 0.1 nA for 3 ms"', '"step from 0 to 2 pA in 1 pA steps for 3 ms"'): "stimulus: must be a single command",
    ('"peak"', '"peaks"'): "record: unknown word 'peaks'; did you mean 'peak'?",
    ('every = "2 ms"', 'every = "9 ms"'): "every: must give 1 to 1000000 samples",
    ('dt = "0.1 ms"', 'dt = "-0.1 ms"'): "dt: must be positive",
    ('dt = "0.1 ms"', 'dt = "0.3 ms"'): "must be multiples of the step",
    ('dt = "0.1 ms"', 'duration = "3 ms"'): "must lie within the simulated time",
    ("[vary.g]", "[vary.gg]"): "vary.gg: the model has no such parameter; did you mean 'g'?",
    ("[vary.g]", "[vary.twice]"): "vary.twice: the model has no such parameter",
    ('unit = "nS"', 'unit = "mV"'): "vary.g.unit: Unit 'mV' must measure the same as 'nS'",
    ('unit = "nS"', ""): "vary.g.values: has no unit; write it",
    ("[-1, 2, 4]", "[]"): "vary.g.values: must be a list of numbers",
    ("count = 3", "count = 3\nvalues = [1]"): "vary.stimulus: unknown key 'from'",
    ("count = 3", 'count = 3\nscale = "log"'): "vary.stimulus.scale: must be linear",
    ("chunk = 4", "chunk = 4\nseed = 1"): "seed: belongs to a sampled design, but the design is a grid",
    ("chunk = 4", 'chunk = 4\ndesign = "sobol"'): "vary.g: unknown key 'values'",
    ("chunk = 4", 'chunk = 4\ndesign = "list"\nlanes = 3'): "lanes: belongs to a sampled design",
    ("count = 3", 'count = "a"'): "vary.stimulus.count: must be a whole number",
    ("chunk = 4", 'precision = "half"'): "precision: unknown word 'half'",
    ("chunk = 4", "chunk = "): "must be TOML, but is not",
}


@pytest.mark.parametrize("change", REFUSED, ids=" to ".join)
def test_a_bad_file_is_refused_in_one_line(change, place, capsys):
    (place / "my sweep.toml").write_text(SWEEP.replace(*change, 1))
    assert main(["sweep", "my sweep.toml"]) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1 and REFUSED[change] in err
    assert not list(place.glob("*.zarr"))


@pytest.mark.parametrize("shard", ["4/4", "1", "a/b", "-1/2"])
def test_a_bad_shard_is_refused(shard, capsys):
    assert main(["sweep", "my sweep.toml", f"--shard={shard}"]) == 2
    assert "must be i/N, from 0/N to N-1/N" in capsys.readouterr().err


def test_another_sweep_in_the_same_place_is_refused(place, capsys):
    path = place / "my sweep.toml"
    assert main(["sweep", path.name, "--quiet"]) == 0
    for change in ('"20 pF"', '"21 pF"'), ("0.1 nA", "0.2 nA"), ("[-1, 2, 4]", "[-1, 2, 5]"):
        path.write_text(SWEEP.replace(*change, 1))
        assert main(["sweep", path.name]) == 2
        assert "belongs to another sweep" in capsys.readouterr().err
    assert jax.config.values["jax_enable_x64"]
