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


@pytest.mark.slow
def test_conical_nanopore(tmp_path):
    found = run("conical_nanopore", tmp_path)
    # The reference, extrapolated, within the error of this mesh: second order, 3e-3 at 257 nodes.
    assert_allclose(list(found["current"].values()), [-411.321, 1515.5393], rtol=3e-3)
    assert found["rectification"] == pytest.approx(0.2714024, rel=3e-3)
    # Largest in between; the slope is that of the curve.
    ratios, charges = found["ratios"], found["charges"]
    assert 0 < np.argmax(ratios) < len(ratios) - 1 and ratios.max() > 4.0 and ratios[0] < 1.1
    slopes = np.gradient(np.log(ratios), charges)
    assert_allclose(found["slopes"][1:7], slopes[1:7], rtol=0.02)
    assert found["reached"] == pytest.approx(3.0, rel=1e-8) and found["steps"] < 10
    assert charges[9] < found["designed"] < charges[7]
    assert (tmp_path / "conical_nanopore.png").stat().st_size > 10_000


@pytest.mark.slow
def test_kcsa_pnp(tmp_path):
    found = run("kcsa_pnp", tmp_path)
    assert_allclose(found["current"], [4.05250688, 8.26242845, 12.5143894, 16.7303708, 20.8860276], rtol=2e-5)
    assert_allclose(found["fine"], found["current"], rtol=3e-4)
    assert_allclose(found["Cl"], [0.0765437524, 0.160827331, 0.244957867, 0.324098665, 0.397490028], rtol=1e-4)
    assert found["spread"].max() < 1e-11
    assert (tmp_path / "kcsa_pnp.png").stat().st_size > 10_000


@pytest.mark.slow
def test_design_selectivity(tmp_path):
    found = run("design_selectivity", tmp_path)
    assert 0.791 < found["before"] < 1.112  # between the constant field and Henderson, mV
    assert found["after"] == pytest.approx(-40.0, abs=1e-6)
    # Charges in proportion to what they do are the least that do it.
    assert found["alignment"] < -0.99 and np.all(found["charges"] < 0.0)
    assert np.argmin(found["charges"]) in range(3, 8)
    assert found["P_Cl/P_K"] < 0.15
    assert (tmp_path / "design_selectivity.png").stat().st_size > 10_000


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


@pytest.mark.slow
def test_squid_axon(tmp_path):
    found = run("squid_axon", tmp_path)
    assert found["height"] == pytest.approx(115.6, abs=0.2)
    assert_allclose(found["hopf"], [9.77543799, 154.522434], rtol=1e-8)
    firing, peaks = found["firing"], found["peaks"]
    # It begins at a rate of its own, below the first Hopf point, and ends as the second one says.
    assert np.all(firing[:3] == 0.0) and firing[3] == pytest.approx(65.62, abs=0.05)
    going = np.flatnonzero(firing)
    assert np.array_equal(going, np.arange(3, 52)) and np.all(np.diff(firing[going]) > 0.0)
    assert firing[51] == pytest.approx(1e3 / found["periods"][1], rel=5e-3)
    assert peaks[3] > 30.0 and np.all(np.diff(peaks[going]) < 0.0) and peaks[51] < -40.0
    assert (tmp_path / "squid_axon.png").stat().st_size > 10_000


@pytest.mark.slow
def test_gaba_switch(tmp_path):
    found = run("gaba_switch", tmp_path)
    assert_allclose([found["GABA"][0], found["GABA"][-1]], [-35.65513713, -75.49216453], rtol=1e-8)
    assert_allclose([found["Cl"][0], found["Cl"][-1]], [30.95707855, 4.03660402], rtol=1e-8)
    assert np.all((found["V"] > -70.0) & (found["V"] < -64.0)) and np.all(np.diff(found["volume"]) < 0.0)
    assert found["switch"] == pytest.approx(10.70, abs=0.01)
    # The slopes by the implicit function theorem lead from one age to the next.
    mature = 1.0 / (1.0 + np.exp(-(np.arange(26.0) - 9.0) / 2.0))
    strengths = np.stack([0.02 + 0.28 * mature, 0.05 * (1.0 - 0.9 * mature)], -1)
    moved = np.sum(0.5 * (found["worth"][1:] + found["worth"][:-1]) * np.diff(strengths, axis=0))
    assert moved == pytest.approx(found["GABA"][-1] - found["GABA"][0], rel=0.01)
    assert_allclose(found["answers"], [13.64763893, 2.15853679, -2.0773218], rtol=1e-3)
    assert (tmp_path / "gaba_switch.png").stat().st_size > 10_000


@pytest.mark.slow
def test_seizure_and_spreading_depression(tmp_path):
    found = run("seizure_and_spreading_depression", tmp_path)
    assert found["period"] == pytest.approx(29.4774, rel=1e-3)
    assert_allclose(found["K_o"], [6.693876, 9.912264], rtol=1e-3)
    assert_allclose(found["Na_i"], [16.336259, 19.000005], rtol=1e-3)
    assert_allclose(found["hopf"], [7.65969948446062, 8.537132654315588], rtol=1e-9)
    assert_allclose(found["hopf_periods"], [27.004776684155935, 12.759698818780302], rtol=1e-8)
    low, high = found["cycles"]
    assert np.all(high[:4] - low[:4] < 1e-3) and np.all(high[4:-1] - low[4:-1] > 3.0) and high[-1] - low[-1] < 1e-3
    assert found["K_e"] == pytest.approx(69.57294521415093, rel=1e-4)
    assert_allclose(found["above_20_mM"], [28.824157, 105.330249], rtol=1e-3)
    assert_allclose(found["folds"], [29.74505095110143, -49.71798530879723], rtol=1e-9)
    assert found["fold_hopf"][-1] == pytest.approx(-43.50485349482242, rel=1e-8)
    assert (tmp_path / "seizure_and_spreading_depression.png").stat().st_size > 10_000


def test_pump_afterhyperpolarization(tmp_path):
    found = run("pump_afterhyperpolarization", tmp_path)
    answering, constant = found["answering"], found["constant"]
    for each in (answering, constant):
        assert each["peaks"].shape == (50,) and np.all(each["peaks"] > 40.0)
        assert each["V"][0] == pytest.approx(-70.294, abs=2e-3)  # what steady_state says, still
        assert 6.0 < each["Na"][1] - each["Na"][0] < 7.0
    below = answering["V"] - answering["V"][0], constant["V"] - constant["V"][0]
    assert_allclose(below[0], [0.0, -9.183, -6.777, -1.753], atol=0.01)
    assert np.all(np.abs(below[1]) < 1.8)
    assert answering["current"][1] == pytest.approx(1.80 * answering["current"][0], rel=5e-3)
    assert constant["current"][1] == constant["current"][0]
    assert (tmp_path / "pump_afterhyperpolarization.png").stat().st_size > 10_000


@pytest.mark.slow
def test_transmitter_uptake(tmp_path):
    found = run("transmitter_uptake", tmp_path)
    without, uptake = found["without uptake"], found["with uptake"]
    for each in (without, uptake):
        assert each["cleft"] == pytest.approx(2.11, abs=0.02) and each["after_1_ms"] < 0.007  # mM
        assert each["V"] == pytest.approx(-38.39, abs=0.01)
    assert without["around"] == pytest.approx(0.02998, rel=1e-3) and uptake["around"] == pytest.approx(
        0.01004, rel=1e-3
    )
    assert without["left"] > 0.008 and uptake["left"] < 1e-9
    assert_allclose([without["calcium"], uptake["calcium"]], [1.6468e-3, 1.4315e-3], rtol=1e-3)
    assert without["excess"] / uptake["excess"] == pytest.approx(1.836, rel=2e-3)
    thermal = 1e3 * 8.314462618 * 309.0 / 96485.33212
    assert found["stall"]["GAT1"] == pytest.approx(
        2.0 * (10.0 / 145.0) ** 2 * (5.0 / 129.5) * np.exp(-89.2 / thermal), rel=1e-6
    )
    assert found["stall"]["EAAT"] == pytest.approx(
        5.0 * (10.0 / 145.0) ** 3 * (3.5 / 100.0) * (6e-5 / 4e-5) * np.exp(-2 * 89.2 / thermal), rel=1e-6
    )
    without, uptake = without["gaba"], uptake["gaba"]
    assert_allclose([without["around"], uptake["around"]], [0.02999, 0.01803], rtol=1e-3)
    assert without["left"] > 0.008 and uptake["left"] == pytest.approx(found["stall"]["GAT1"], rel=0.25)
    assert_allclose([without["V"], uptake["V"]], [-69.26, -69.08], atol=0.01)
    assert without["away"] / uptake["away"] == pytest.approx(1.961, rel=2e-3)
    assert (tmp_path / "transmitter_uptake.png").stat().st_size > 10_000


def test_million_cells(tmp_path):
    found = run("million_cells", tmp_path, cells=400)
    count = found["count"]
    assert count.shape == found["mean"].shape == (4, 10, 10) and found["failed"] == 0
    # The more current, the more axons fire for as long as it lasts, and the faster.
    assert np.array_equal(count.max((1, 2)), [9, 10, 14, 14]) and count.sum() == 2068
    assert np.all(np.diff((count == 0).sum((1, 2))) < 0) and np.all((found["mean"] > -66.0) & (found["mean"] < -15.0))
    again = run("million_cells", tmp_path, cells=400)  # what the store holds
    assert np.array_equal(again["count"], count) and np.array_equal(again["mean"], found["mean"])
    assert (tmp_path / "million_cells.png").stat().st_size > 10_000


@pytest.mark.slow
def test_fast_spiking_network(tmp_path):
    found = run("fast_spiking_network", tmp_path)
    assert found["rate"] == pytest.approx(39.2, abs=0.2) and found["coherence"] > 0.95
    contacts, spread = found["by_contacts"], found["by_spread"]
    # Chance is a tenth: bins last a tenth of the period.
    assert all(contacts[k][1] < 0.15 for k in (20, 40)) and contacts[60][1] > 0.25 and contacts[90][1] > 0.7
    assert spread[0.01][1] > 0.8 and spread[0.03][1] < 0.6 and spread[0.06][1] < 0.15
    assert (tmp_path / "fast_spiking_network.png").stat().st_size > 10_000


@pytest.mark.slow
def test_potassium_in_narrow_cleft(tmp_path):
    found = run("potassium_in_narrow_cleft", tmp_path)
    assert_allclose([found["potassium"][n] for n in (1.0, 3.0, 10.0)], [6.40985, 11.02597, 25.11751], rtol=1e-4)
    assert found["share"][10.0] == pytest.approx(0.88669, rel=1e-4)
    # In the steady state what enters at one end leaves at the other, and is what the channels carry.
    for number, (first, last) in found["current"].items():
        assert_allclose([first, last], number * found["share"][number] * found["clamped"], rtol=1e-6)
    assert (tmp_path / "potassium_in_narrow_cleft.png").stat().st_size > 10_000


@pytest.mark.slow
def test_calcium_nanodomain(tmp_path):
    found = run("calcium_nanodomain", tmp_path)
    for buffer, far in ((1.0, 0.03), (5.0, 0.04)):
        # Where little of the buffer is used up, this is Neher's formula.
        assert_allclose(found["calcium"][buffer], found["excess"][buffer], rtol=far)
        assert np.all(found["microsecond"][buffer] < found["calcium"][buffer])
    assert_allclose(found["calcium"][1.0], [24.6337, 8.07358, 0.907087], rtol=1e-3)
    assert (tmp_path / "calcium_nanodomain.png").stat().st_size > 10_000


@pytest.mark.slow
def test_spine_electrodiffusion(tmp_path):
    found = run("spine_electrodiffusion", tmp_path)
    assert found["cable 1 um"] - found["ions 1 um"] == pytest.approx(0.21, abs=0.02)
    assert found["cable 0.1 um"] - found["ions 0.1 um"] == pytest.approx(7.67, abs=0.05)
    assert found["cable spine"] - found["ions spine"] == pytest.approx(6.92, abs=0.05)
    assert found["Na 1 um"] < 12.5 and found["Na 0.1 um"] > 16.0
    assert (tmp_path / "spine_electrodiffusion.png").stat().st_size > 10_000


@pytest.mark.slow
def test_spreading_depression_wave(tmp_path):
    found = run("spreading_depression_wave", tmp_path)
    assert found["speed"] == pytest.approx(2.80, abs=0.02) and found["speed_weak_pump"] == pytest.approx(3.50, abs=0.02)
    assert found["largest_K"] > 60.0
    assert np.isnan(found["speed_strong_pump"]) and found["K_strong_pump"] < 10.0
    assert found["speed_per_pump"] == pytest.approx(-0.27392, abs=3e-4)  # a difference: test_spreading_wave
    assert (tmp_path / "spreading_depression_wave.png").stat().st_size > 10_000
    assert (tmp_path / "spreading_depression_wave.gif").stat().st_size > 10_000


@pytest.mark.slow
def test_debye_charging(tmp_path):
    found = run("debye_charging", tmp_path)
    assert_allclose(found["tau_exact"], 0.9478999409, rtol=1e-6)
    assert_allclose(found["tau"], found["tau_exact"], rtol=5e-4)
    assert found["impedance_off"] < 1e-3
    assert found["salt_kept"] < 1e-14
    # At a large voltage a part of the salt is in the layers, and charging goes on for longer.
    assert_allclose(found["salt_left_in_the_middle"], 0.5913, rtol=2e-3)
    assert found["large_charged_by_3_tau"] < 0.8 < 0.96 < found["small_charged_by_3_tau"]
    assert (tmp_path / "debye_charging.png").stat().st_size > 10_000
