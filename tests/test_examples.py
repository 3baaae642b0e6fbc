"""The examples run, save their figures, and return the numbers that they promise."""

import importlib.util
import pathlib

import pytest

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
