"""Published recordings: what they hold, and that the published errors come out of them."""

import csv
import hashlib
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import datasets, simulate
from jaxmem.datasets import beattie_2018, hodgkin_huxley_1952
from jaxmem.datasets.fetch import fetch
from jaxmem.electrochemistry import as_bath
from jaxmem.library import herg_beattie_2018
from jaxmem.results import InputError

# Clerx et al. 2019, method 4: p1 to p8 (1/ms, 1/mV), g (uS), error of the sine wave over its range.
PUBLISHED = {
    1: (
        1.973750572e-4,
        0.05941157324,
        7.164565055e-5,
        0.04933445098,
        0.1045540282,
        0.01380620625,
        3.819776533e-3,
        0.03604017012,
        0.1349718275,
        7.527140656e-3,
    ),
    2: (
        3.241976735e-4,
        0.06524608992,
        7.823990283e-5,
        0.04969157006,
        0.08042339293,
        2.526839856e-3,
        4.916996445e-3,
        0.03241347881,
        0.09022123232,
        1.053254633e-2,
    ),
    5: (
        2.260873971e-4,
        0.0699203155,
        3.449503691e-5,
        0.05461205269,
        0.08732945107,
        8.931295874e-3,
        5.149286924e-3,
        0.03156125754,
        0.1524272053,
        7.302382234e-3,
    ),
}
AP_ERROR = {1: 0.0267, 2: 0.0195, 5: 0.0167}


@pytest.fixture
def mirror(shared, monkeypatch, tmp_path):
    folder = shared / "data" / "mirror"
    if not folder.is_dir():
        pytest.skip(f"no mirror of recordings at {folder}")
    monkeypatch.setenv("JAXMEM_DATA_MIRROR", str(folder))
    monkeypatch.setenv("JAXMEM_DATA_CACHE", str(tmp_path))
    return folder


def closed_form(cell, recording):
    """The two-gate model sample by sample: the command is held from each sample to the next."""
    p1, p2, p3, p4, p5, p6, p7, p8, g, _ = PUBLISHED[cell]
    v, dt = recording.command_v[0], 0.1
    current = 1e3 * g * (v - herg_beattie_2018.reversal_potential(recording.temperature))
    for opening, closing in (
        (p1 * np.exp(p2 * v), p3 * np.exp(-p4 * v)),
        (p7 * np.exp(-p8 * v), p5 * np.exp(p6 * v)),
    ):
        steady, decay = opening / (opening + closing), np.exp(-dt * (opening + closing))
        x, gate = steady[0], np.empty_like(v)
        for k in range(v.size):
            gate[k] = x
            x = steady[k] + (x - steady[k]) * decay[k]
        current = current * gate
    return current


def error_over_range(recording, current):
    used = recording.mask[0]
    return math.sqrt(np.mean((current - recording.current[0])[used] ** 2)) / recording.range


@pytest.mark.parametrize("cell", [1, 2, 5])
def test_published_parameters_give_the_published_errors(mirror, cell):
    sine = datasets.load("beattie_2018", cell=cell)
    assert error_over_range(sine, closed_form(cell, sine)) == pytest.approx(PUBLISHED[cell][-1], rel=3e-3)
    ap = datasets.load("beattie_2018", cell=cell, protocol="ap")
    assert error_over_range(ap, closed_form(cell, ap)) == pytest.approx(AP_ERROR[cell], rel=0.03)


@pytest.mark.x64
def test_simulation_is_the_closed_form(mirror):
    recording = datasets.load("beattie_2018", cell=5)
    names = [f"p{k}" for k in range(1, 9)]
    model = herg_beattie_2018.model(
        **dict(zip(names, PUBLISHED[5][:8], strict=True)),
        g=1e3 * PUBLISHED[5][8],
        reversal=herg_beattie_2018.reversal_potential(recording.temperature),
    )
    trace = simulate.voltage_clamp(model, recording.command, recording.t, bath=recording.temperature)
    expected = closed_form(5, recording)
    np.testing.assert_allclose(
        np.asarray(trace.current).reshape(-1), expected, rtol=0, atol=1e-9 * np.ptp(expected)
    )


def test_masks_are_the_published_ones(mirror, shared):
    for protocol in beattie_2018.protocols():
        recording = datasets.load("beattie_2018", cell=5, protocol=protocol)
        table = shared / "data" / "beattie_2018_herg" / "protocols" / f"{protocol}_steps.csv"
        with table.open(newline="") as file:
            starts = [float(row["start_ms"]) for row in csv.DictReader(file)][1:]
        expected = np.ones(recording.t.size, bool)
        for start in starts:
            expected[round(10 * start) : round(10 * start) + 50] = False
        np.testing.assert_array_equal(recording.mask[0], expected)


def test_the_command_arrives_one_sample_late_and_the_current_is_in_pA(mirror):
    recording = datasets.load("beattie_2018", cell=5)
    sent = beattie_2018.command("sine_wave")
    assert recording.t.size == 80_000 and recording.dt == pytest.approx(0.1)
    np.testing.assert_array_equal(recording.command_v[0, 1:], sent[:-1])
    assert recording.unit == "pA" and 1000 < recording.range < 10_000
    assert recording.temperature == pytest.approx(294.55)


def test_all_nine_cells_have_files_and_bounds():
    source = beattie_2018.registry()
    for cell in range(1, 10):
        low, high = beattie_2018.conductance_bounds(cell)
        assert high == 10 * low and 10 < low < 100
        assert 294 < beattie_2018.temperature(cell) < 296
        experiment = source["cells"][str(cell)]["experiment"]
        for protocol in beattie_2018.protocols():
            name = f"{protocol}_{experiment}_dofetilide_subtracted_leak_subtracted.mat"
            assert len(source["files"][f"ExperimentalData/{experiment}/{name}"]) == 64
            assert f"Protocols/{protocol}_protocol.mat" in source["files"]


def test_the_shipped_registry_is_the_reference(shared):
    reference = json.loads((shared / "data" / "mirror" / "registry_beattie_2018.json").read_text("utf-8"))
    source = beattie_2018.registry()
    assert source["base_url"] == reference["base_url"] and source["cells"] == reference["cells"]
    assert source["files"].items() <= reference["files"].items()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cell": 12}, "must be 1 to 9, but is 12"),
        ({"cell": True}, "must be 1 to 9"),
        ({"protocol": "deactivation"}, "recordings are too large"),
        ({"protocol": "sine"}, "must be one of sine_wave, ap"),
        ({"cel": 1}, "among cell, protocol, but 'cel'"),
    ],
)
def test_wrong_options_are_named(options, message):
    with pytest.raises(InputError, match=message):
        datasets.load("beattie_2018", **options)


def test_a_data_set_that_is_not_there_is_named():
    with pytest.raises(InputError, match="did you mean 'beattie_2018'"):
        datasets.load("beattie_2017")


def test_a_damaged_mirror_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("JAXMEM_DATA_MIRROR", str(tmp_path))
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "x.mat").write_bytes(b"something else")
    good = hashlib.sha256(b"something else").hexdigest()
    assert fetch("https://localhost/a/b/", "x.mat", good).read_bytes() == b"something else"
    with pytest.raises(InputError, match=r"must have SHA-256 000000000000.*damaged"):
        fetch("https://localhost/a/b/", "x.mat", 64 * "0")


def test_without_network_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXMEM_DATA_MIRROR", raising=False)
    monkeypatch.setenv("JAXMEM_DATA_CACHE", str(tmp_path))
    # Nothing listens on port 9 of this machine.
    with pytest.raises(InputError, match=r"cannot be fetched.*JAXMEM_DATA_MIRROR") as caught:
        fetch("http://127.0.0.1:9/a/", "x.mat", 64 * "0")
    assert "\n" not in str(caught.value)


def test_a_cached_file_is_not_fetched_again(tmp_path, monkeypatch):
    monkeypatch.delenv("JAXMEM_DATA_MIRROR", raising=False)
    monkeypatch.setenv("JAXMEM_DATA_CACHE", str(tmp_path))
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.mat").write_bytes(b"kept")
    assert (
        fetch("http://127.0.0.1:9/a/", "x.mat", hashlib.sha256(b"kept").hexdigest()).read_bytes() == b"kept"
    )


def test_squid_curves_are_those_of_the_table():
    recording = datasets.load("hodgkin_huxley_1952", scaled=False)
    table = hodgkin_huxley_1952.table()
    assert [c.name for c in table] == list("ABCDEFGHIJKL") and math.isnan(table[-1].alpha)
    assert recording.current.shape == (11, recording.t.size) and recording.unit == "mS/cm2"
    # n_inf and gK_inf as computed from the rates of curves A and K
    assert table[0].n_inf == pytest.approx(0.9611, abs=5e-5)
    plateaus = hodgkin_huxley_1952.sigma(scaled=False)
    np.testing.assert_allclose(plateaus[[0, 10], 0], [20.745, 1.488], atol=5e-4)
    np.testing.assert_allclose(recording.current[:, :2], 0.24, rtol=1e-12)
    assert recording.current[0, -1] == pytest.approx(20.745, abs=1e-3)
    np.testing.assert_array_equal(recording.command_v[:, 0], 0.0)
    np.testing.assert_array_equal(recording.command_v[:, 1], [c.depolarization for c in table[:-1]])
    assert recording.t[1] == 0.0 and recording.t[-1] == pytest.approx(12.0)
    assert not recording.mask[:, 0].any() and recording.mask[:, 1:].all()
    scaled = datasets.load("hodgkin_huxley_1952")
    np.testing.assert_allclose(scaled.current * plateaus, recording.current, rtol=1e-12)
    assert scaled.unit == "1" and np.all(hodgkin_huxley_1952.sigma() == 1.0)
    with pytest.raises(InputError, match="0 < dt <= duration"):
        datasets.load("hodgkin_huxley_1952", dt=-1.0)


def test_the_published_squid_laws_differ_from_the_table_by_what_is_stated():
    alpha = lambda v: 0.01 * (10 - v + 1e-9) / np.expm1((10 - v + 1e-9) / 10)
    errors = hodgkin_huxley_1952.rms_of_rates(alpha, lambda v: 0.125 * np.exp(-v / 80))
    assert errors == pytest.approx((0.0313, 0.0126), abs=5e-5)


@pytest.mark.x64
def test_the_squid_model_predicts_a_conductance():
    data = datasets.DATASETS["hodgkin_huxley_1952"]
    recording = data.load(dt=0.5, scaled=False)
    trace = simulate.voltage_clamp(
        data.model(scaled=False), recording.command, recording.t, bath=data.temperature()
    )
    n_inf = 0.1 * 9.9 / (1 - math.exp(-9.9))
    n_inf = n_inf / (n_inf + 0.125 * math.exp(-109 / 80))
    assert trace.current[0, -1] == pytest.approx(24.31 * n_inf**4, rel=1e-4)
    assert np.max(np.abs(trace.current - recording.current)) < 1.6


@pytest.mark.x64
def test_fitting_the_squid_curves_beats_the_published_laws():
    from scipy.optimize import least_squares

    recording = datasets.load("hodgkin_huxley_1952", dt=0.1)
    v = np.array([c.depolarization for c in hodgkin_huxley_1952.curves()])[:, None]

    def laws(p, v):
        x = (p[1] - v) / p[2]
        return p[0] * np.where(x == 0, 1.0, x / np.expm1(np.where(x == 0, 1.0, x))), p[3] * np.exp(-v / p[4])

    def residuals(p):
        (a, b), (a0, b0) = laws(p, v), laws(p, np.zeros(()))
        n_inf, n0 = a / (a + b), a0 / (a0 + b0)
        n = n_inf - (n_inf - n0) * np.exp(-(a + b) * np.maximum(recording.t, 0.0))
        return ((n**4 / n_inf**4 - recording.current) * recording.mask).ravel()

    start = np.array([0.1, 10.0, 10.0, 0.125, 80.0])
    fitted = least_squares(residuals, start, x_scale=start).x
    alpha, beta = hodgkin_huxley_1952.rms_of_rates(lambda v: laws(fitted, v)[0], lambda v: laws(fitted, v)[1])
    assert (alpha, beta) == pytest.approx((0.0187, 0.0098), abs=2e-4)


@pytest.mark.x64
def test_a_data_set_is_an_experiment_with_its_weights():
    data = datasets.DATASETS["hodgkin_huxley_1952"]
    experiment = data.experiment(dt=0.5)
    recording = experiment.recording
    model = data.model(scaled=False)
    trace = simulate.voltage_clamp(model, recording.command, recording.t, bath=data.temperature())
    at_rest_and_after = np.asarray(trace.current)
    n_inf = [float(model.gating.init(jnp.asarray(v), experiment.bath)[0]) for v in recording.command_v[:, -1]]
    scaled = at_rest_and_after / (24.31 * np.array(n_inf)[:, None] ** 4)
    expected = (scaled - recording.current) * recording.mask
    np.testing.assert_allclose(experiment.residuals(data.model()), expected.ravel(), atol=1e-12)
    free = data.free()
    assert free.names == ("alpha", "v0", "s", "beta", "c")
    assert hodgkin_huxley_1952.free(conductance=True).names[-1] == "g"
    placed = free.place(data.model(), jnp.asarray([0.1, 10.0, 10.0, 0.125, 80.0]))
    np.testing.assert_allclose(experiment.residuals(placed), expected.ravel(), atol=1e-12)


@pytest.mark.slow
@pytest.mark.x64
def test_the_library_fits_the_squid_curves():
    from jaxmem import fit

    data = datasets.DATASETS["hodgkin_huxley_1952"]
    found = fit.least_squares(
        [data.experiment(dt=0.1)], data.model(), data.free(), key=jax.random.key(0), starts=8
    )
    gate, bath = found.model.gating.gates[0], as_bath(data.temperature())
    laws = [lambda v, law=law: law(jnp.asarray(v), bath) for law in (gate.opening, gate.closing)]
    alpha, beta = hodgkin_huxley_1952.rms_of_rates(*laws)
    assert (alpha, beta) == pytest.approx((0.0187, 0.0098), abs=2e-4)


@pytest.mark.parametrize("name", datasets.DATASETS)
def test_the_file_of_a_data_set_has_the_names_and_bounds_of_its_fit(name):
    data = datasets.DATASETS[name]
    options = {"cell": 7} if name == "beattie_2018" else {}
    ours, theirs = data.file(**options).free, data.free(**options)
    assert ours.names == theirs.names
    for a, b in zip(ours.parameters, theirs.parameters, strict=True):
        assert (a.unit, a.log) == (b.unit, b.log)
        assert (a.lower, a.upper) == pytest.approx((b.lower, b.upper), rel=1e-12)
    model = data.model(**({**options, "scaled": False} if name.startswith("hodgkin") else options))
    v, bath = jnp.asarray(30.0), as_bath(data.temperature(**options))
    row = jnp.asarray([0.5 * (p.lower + p.upper) for p in theirs.parameters])
    currents = [
        m.exchange(m.init(v, bath), v, bath).current for m in (f.place(model, row) for f in (ours, theirs))
    ]
    np.testing.assert_allclose(*currents, rtol=1e-5)


def test_every_data_set_says_what_it_is():
    for data in datasets.DATASETS.values():
        assert data.description and data.licence and "doi:10." in data.citation
        assert "\n" not in data.description + data.licence + data.citation
        assert data.temperature() > 270
        bath = as_bath(data.temperature())
        model = data.model()
        v = jnp.asarray(0.0)
        assert np.isfinite(model.exchange(model.init(v, bath), v, bath).current)
