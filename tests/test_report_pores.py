"""The report of a fit to steady measurements, alone and together with a recording."""

import json
from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import fit, report
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Bath, K
from jaxmem.gating import Gate, HodgkinHuxley
from jaxmem.permeation import BarrierPore, Ohmic, chord_conductance
from jaxmem.rates import Constant, Exponential
from jaxmem.recordings import Measurement, Recording
from jaxmem.report.figures import profiles
from jaxmem.report.numbers import interval

pytestmark = pytest.mark.x64

V = np.tile(np.arange(-80.0, 81.0, 20.0), 2)
BATH = lambda: Bath({K: 100.0}, {K: np.repeat([10.0, 100.0], 9)}, 293.15)  # once jax is configured


def pore(site=-2.0, outer=8.0, inner=9.0) -> BarrierPore:
    return BarrierPore({K: [site]}, {K: [outer, inner]})


def place(pore: BarrierPore, values) -> BarrierPore:
    """The site, and one value for both barriers, the inner 1 kT higher."""
    site, barrier = values
    barriers = jnp.stack([barrier, barrier + 1.0])[None]
    return eqx.tree_at(lambda p: (p.sites, p.barriers), pore, (site[None, None], barriers))


FREE = fit.Free((fit.Parameter("site", "kT", -6.0, 2.0), fit.Parameter("barrier", "kT", 5.0, 12.0)), place)


@pytest.fixture(scope="module")
def fitted():
    """A pore of one site, fitted to noisy current-voltage relations, which are also held out."""
    blank = Measurement(V, BATH(), np.zeros(V.size), name="<iv>")
    exact = np.asarray(fit.Steady(blank, sigma=1.0).predict(pore()))[:, 0]
    error = 0.02 * np.abs(exact) + 0.01
    noise = np.random.default_rng(3).standard_normal((2, V.size))
    seen, unseen = (
        fit.Steady(Measurement(V, BATH(), exact + error * z, error, name=name))
        for z, name in zip(noise, ("<iv>", "later"), strict=True)
    )
    found = fit.least_squares([seen], pore(-4.0, 6.0, 7.0), FREE, key=jax.random.key(0), starts=2)
    return found, seen, unseen


def test_the_folder_of_a_fit_of_points(fitted, tmp_path):
    found, seen, unseen = fitted
    table = report.write(
        found, [fit.held_out(found, unseen)], tmp_path, experiments=[seen], held_out_experiments=[unseen], title="Pore"
    )
    pictures = {"fit.png", "held_out.png", "energy_profile.png", "agreement.png", "correlation.png"}
    assert {p.name for p in tmp_path.iterdir()} == {*report.FILES, *pictures} - {"model.toml"}
    assert json.loads((tmp_path / "summary.json").read_text()) == table
    assert (table["unit"], table["blocks"], table["degrees_of_freedom"]) == ("pA", 0, 16.0)
    assert table["conditions"]["concentrations"]["K"] == {"inside": 100.0, "outside": [10.0, 100.0]}
    row = table["parameters"]["site"]
    assert row["standard_error"] == row["naive_error"]
    assert (row["interval_lower"], row["interval_upper"]) == tuple(found.interval()[0])
    assert row["interval_lower"] < -2.0 < row["interval_upper"]

    text = (tmp_path / "report.html").read_text("utf-8")
    for words in (
        "2 parameters fitted to 18 points, at 20 °C; inside | outside: K 100 | 10 to 100 mM.",
        "those of independent points",
        "95 % interval",
        "Energy profile",
        "with both baths at 1 M. Shaded, where wider than the line: 95 % intervals",
        "&lt;iv&gt;: points with their standard errors",
        "later, which the fit did not see: points",
    ):
        assert words in text, words
    assert "block sandwich" not in text and "correlation time" not in text and "samples" not in text


def test_the_band_of_a_profile_is_the_covariance_of_the_fit(fitted):
    import scipy.stats

    found, _, _ = fitted
    (drawn,) = profiles(found)
    (band,) = drawn.figure.axes[0].collections
    vertices = band.get_paths()[0].vertices
    reach = scipy.stats.t.ppf(0.975, found.degrees_of_freedom)
    names = {0.25: "barrier", 0.5: "site", 0.75: "barrier"}  # both barriers are one parameter
    for distance, name in names.items():
        ends = vertices[np.isclose(vertices[:, 0], distance), 1]
        error = found.standard_errors[found.free.names.index(name)]
        np.testing.assert_allclose(np.ptp(ends), 2.0 * reach * error, rtol=1e-9)


def test_a_parameter_on_its_bound_has_hollow_barriers(fitted):
    found, _, _ = fitted
    unknown = found.covariance.copy()
    unknown[1, :] = unknown[:, 1] = np.nan
    (drawn,) = profiles(replace(found, covariance=unknown))
    hollow = [line for line in drawn.figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    np.testing.assert_allclose(hollow[0].get_xdata(), [0.25, 0.75])
    assert "Hollow: on a bound" in drawn.caption


def test_intervals_are_written_to_the_second_figure_of_the_error():
    assert interval(-13.3183, -13.2289, 0.0219) == "-13.318 to -13.229"
    assert interval(0.0007, 0.746, 0.04) == "0.00070 to 0.746"
    assert interval(-0.2, 3.0, 0.8) == "-0.20 to 3.00" and interval(None, None, None) == "–"


def test_a_recording_and_points_are_reported_together(tmp_path):
    """A gate's current over time and its steady chord conductance, of which the units differ."""
    gate = Gate(Exponential(0.1, 0.03), Constant(0.05))
    model = Channel(HodgkinHuxley((gate,), (1,)), Ohmic(2.0, species=K))
    t = np.arange(0.0, 30.0, 0.5)
    v = np.where(t < 5.0, -80.0, np.array([[-40.0], [0.0]]))
    noise, bath = np.random.default_rng(2), Bath({K: 100.0}, {K: 4.0}, 293.15)
    clean = fit.VoltageClamp(Recording(t, np.zeros(v.shape) + t, v, name="sweeps"), bath)
    noisy = np.asarray(clean.predict(model)) + 0.5 * noise.standard_normal(v.shape)
    recorded = fit.VoltageClamp(Recording(t, noisy, v, name="sweeps"), bath)
    blank = Measurement(V[:9], bath, np.zeros(9), reading=chord_conductance, unit="nS", name="g-V")
    exact = np.asarray(fit.Steady(blank, sigma=1.0).predict(model))[:, 0]
    steady = fit.Steady(replace(blank, value=exact + 0.02 * noise.standard_normal(9)))
    free = fit.free((lambda m: m.permeation.g, fit.log_between(0.2, 20.0)))
    found = fit.least_squares([steady, recorded], model, free, key=jax.random.key(0), starts=2)
    table = report.write(found, [], tmp_path, experiments=[steady, recorded])
    assert (table["unit"], [e["unit"] for e in table["experiments"]]) == (None, ["nS", "pA"])
    assert table["blocks"] > 9 and abs(table["parameters"]["permeation.g"]["value"] - 2.0) < 0.1
    assert {"fit_1.png", "fit_2.png", "gating.png"} <= {p.name for p in tmp_path.iterdir()}
    text = (tmp_path / "report.html").read_text("utf-8")
    for words in ("120 of 120 samples and 9 points, at 20 °C", "RMSE: g-V", "RMSE: sweeps", "block sandwich"):
        assert words in text, words
    assert "Energy profile" not in text and "± if samples were independent" in text
