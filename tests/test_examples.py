"""The examples run, save their figures, and return the numbers that they promise."""

import importlib.util
import pathlib

import numpy as np
import pytest
from numpy.testing import assert_allclose

EXAMPLES = pathlib.Path(__file__).parent.parent / "examples"

pytestmark = pytest.mark.x64


def run(name: str, folder, **arguments):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main(folder, **arguments)


def test_every_example_is_tested_here():
    here = pathlib.Path(__file__).read_text()
    for path in EXAMPLES.glob("*.py"):
        assert f'"{path.stem}"' in here


def test_fit_squid_potassium(tmp_path):
    found = run("fit_squid_potassium", tmp_path, starts=4)
    assert found["alpha_rms"] <= 0.030
    assert found["beta_rms"] <= 0.0124
    assert (tmp_path / "fit_squid_potassium.png").stat().st_size > 10_000


@pytest.mark.slow
def test_fit_herg_sine_wave(tmp_path, shared):
    found = run("fit_herg_sine_wave", tmp_path, starts=2)
    assert found["sine_wave"] <= 1.004 * 0.0073024
    assert found["action_potentials"] <= 0.0167
    assert (tmp_path / "predict_herg_action_potentials.png").stat().st_size > 10_000


def test_shaker_gating_charge(tmp_path):
    found = run("shaker_gating_charge", tmp_path)
    assert found["total_charge"] == pytest.approx(13.08, abs=1e-9)
    assert found["limiting_slope"] == pytest.approx(13.0756729, rel=1e-7)
    assert found["charge_moved"] == pytest.approx(found["charge_difference"], rel=2e-3)
    assert (tmp_path / "shaker_gating_charge.png").stat().st_size > 10_000


@pytest.mark.slow
def test_ca_ba_mole_fraction(tmp_path):
    found = run("ca_ba_mole_fraction", tmp_path)
    assert_allclose([found["fraction_10"], found["fraction_100"]], [0.022606467, 0.040331577], rtol=1e-6)
    assert_allclose([found["over_Ca_10"], found["over_Ba_10"]], [0.360251739, 0.220318866], rtol=1e-8)
    assert_allclose([found["over_Ca_100"], found["over_Ba_100"]], [0.918926539, 0.194397743], rtol=1e-8)
    # Ca alone holds the pore, and passes on slowly.
    assert found["Ca_alone"] > 0.75 and found["Ca_alone_passes"] < 0.05 * found["Ca_Ca_passes"]
    # A fitted polynomial describes the mixtures at its voltage; that of the binding constants is a limit.
    assert found["fitted_off"] < 2e-3 and found["fitted_off_at_-60_mV"] > 0.5
    assert found["own_off"] > 1.0 and found["own_off_with_high_barrier"] < 1e-9
    assert (tmp_path / "ca_ba_mole_fraction.png").stat().st_size > 10_000


@pytest.mark.slow
def test_k_channel_selectivity(tmp_path):
    found = run("k_channel_selectivity", tmp_path)
    slopes = [15.3324173, 37.6843918, 74.6529541, 142.320361, 219.225121, 298.159014, 358.255722]  # pS
    exponents = [1.05007803, 1.1493705, 1.345106, 1.63966176, 1.84946769, 1.98936706, 2.10261417]
    assert_allclose(1e3 * found["conductance"], slopes, rtol=1e-8)
    assert_allclose(found["exponent"], exponents, rtol=1e-8)
    symmetric, physiological, _ = found["reversals"].values()
    assert abs(symmetric) < 1e-9
    assert_allclose(physiological, -53.7697426, rtol=1e-8)
    assert_allclose(found["P_Na/P_K"], 0.0810937, rtol=1e-6)
    # The more ions, the more of the flux is knocked on.
    left_behind = found["left_behind"]
    assert_allclose(left_behind.sum(-1), 1.0, rtol=1e-12)
    assert left_behind[0, 0] > 0.9 and left_behind[3, 1] > 0.7 and left_behind[6, 2] > 0.7
    assert np.all(np.diff(left_behind[:, 0]) < 0)
    assert (tmp_path / "k_channel_selectivity.png").stat().st_size > 10_000


def test_sodium_pump(tmp_path):
    found = run("sodium_pump", tmp_path)
    published = [13.7377, 21.5912, 30.2824, 38.1133, 44.1119, 48.3182, 51.2368, 53.3669, 55.0531, 56.5001]  # 1/s
    assert_allclose(found["published"], published, rtol=0, atol=0.5e-4)
    # Where it stalls its stoichiometry says, but for the rounding of the published constants.
    assert abs(found["open_by_kT"]) < 1e-3
    for name, stall in found["stall"].items():
        assert stall == pytest.approx(found["stall_by_stoichiometry"][name], abs=0.02)
    stalls = list(found["stall"].values())
    assert_allclose(stalls, [-240.647364, -296.493643, -352.629562, 11.0464045], rtol=1e-7)
    rest = list(found["rest"].values())
    assert_allclose(rest, [2.02131689, 6.87597632, 16.3417722, -8.17101458], rtol=1e-7)
    assert found["drops"].sum() == pytest.approx((-80.0 - stalls[1]) / 26.712, rel=1e-4)
    assert (tmp_path / "sodium_pump.png").stat().st_size > 10_000


def test_exchanger_reversal(tmp_path):
    found = run("exchanger_reversal", tmp_path)
    assert found["E_NCX"] == pytest.approx(found["3 E_Na - 2 E_Ca"], rel=1e-12)
    assert found["signs_agree"]
    # Into the upstroke, from -85 to 45 mV in 2 ms, and where Ca lifts the reversal potential above the plateau.
    upward = 50.0 + 2.0 * (found["E_NCX"] + 85.0) / 130.0
    assert_allclose(found["turns_round"], [upward, 61.0045], rtol=1e-6)
    assert_allclose(found["turns_round_if_Ca_stayed"], [upward, 302.087998], rtol=1e-6)
    assert_allclose([found["current_at_rest"], found["largest_inward"]], [-2.05655655, -115.061995], rtol=1e-6)
    assert 50.0 * found["Ca_in"] < found["Ca_out"]
    assert (tmp_path / "exchanger_reversal.png").stat().st_size > 10_000
