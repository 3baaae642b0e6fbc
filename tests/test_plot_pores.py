"""Figures of pores: energies are drawn where they are, and points against what varies among them."""

import itertools
import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxmem import permeation, plot, units
from jaxmem.electrochemistry import Ba, Bath, Ca, Cl, K, Na
from jaxmem.permeation import BarrierPore
from jaxmem.plot.varied import curves, table_of
from jaxmem.recordings import Measurement, reversal

pytestmark = pytest.mark.x64


def pore(**more) -> BarrierPore:
    return BarrierPore({Ca: [-13.0, -11.0], Na: [-1.0, -2.0]}, {Ca: [6.0, -4.0, 7.0], Na: [11.0, 3.0, 12.0]}, **more)


def drawn(figure) -> bytes:
    """The pixels of a figure; fails where a label or a limit cannot be drawn."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return bytes(canvas.buffer_rgba())


# ---- energy profiles


def test_energies_of_a_lone_ion():
    found = plot.lone_ion_energies(pore())
    np.testing.assert_array_equal(found, [[6.0, -13.0, -4.0, -11.0, 7.0], [11.0, -1.0, 3.0, -2.0, 12.0]])
    u = -60.0 / float(units.thermal_voltage(300.0))
    tilted = plot.lone_ion_energies(pore(), 300.0, -60.0)
    np.testing.assert_allclose(tilted - found, u * np.array([[2.0], [1.0]]) * pore().distances[None, :], rtol=1e-12)
    cold = plot.lone_ion_energies(pore(reference=300.0), 280.0)
    np.testing.assert_allclose(cold, found * (300.0 / 280.0), rtol=1e-12)
    kept = plot.lone_ion_energies(pore(reference=300.0), v=-60.0)
    np.testing.assert_allclose(kept, tilted, rtol=1e-12)
    with pytest.raises(ValueError, match="give `bath` or a temperature"):
        plot.lone_ion_energies(pore(), v=10.0)


def test_a_profile_goes_through_every_energy():
    ax = plot.energy_profile(pore(), bath=300.0, v=-60.0)
    energies = np.asarray(plot.lone_ion_energies(pore(), 300.0, -60.0))
    smooth = [line for line in ax.lines if line.get_label() in ("Ca", "Na")]
    for k, line in enumerate(smooth):
        x, y = line.get_data()
        at = [np.flatnonzero(x == d)[0] for d in np.asarray(pore().distances)]
        np.testing.assert_allclose(y[at], energies[k], rtol=1e-12)
        assert y[0] == 0.0 and y[-1] == pytest.approx((2, 1)[k] * -60.0 / float(units.thermal_voltage(300.0)))
        for a, b in itertools.pairwise(at):  # no energy between that the model does not have
            assert np.all(np.diff(y[a : b + 1]) * np.sign(y[b] - y[a]) >= -1e-12)
    assert ax.get_xlabel() == "electrical distance from outside" and ax.get_ylabel() == "energy at −60 mV (kT)"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["Ca", "Na"]
    assert drawn(ax.figure)
    alone = plot.energy_profile(pore(), species=[Na])
    assert alone.get_ylabel() == "energy of Na (kT)" and alone.get_legend() is None
    with pytest.raises(ValueError, match="must be among those of the pore, Ca, Na, but has K"):
        plot.energy_profile(pore(), species=[K])


def band(ax) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place, lower and upper end of the first band of a profile."""
    vertices = ax.collections[0].get_paths()[0].vertices
    x = np.unique(vertices[:, 0])
    low, high = (np.array([end(vertices[vertices[:, 0] == a, 1]) for a in x]) for end in (np.min, np.max))
    return x, low, high


def test_the_band_is_the_interval_of_the_curve():
    errors = np.array([[0.5, 0.2, 0.0, 0.1, 0.3], [0.0] * 5])
    ax = plot.energy_profile(pore(), errors=errors)
    x, low, high = band(ax)
    at = [np.flatnonzero(x == d)[0] for d in np.asarray(pore().distances)]
    np.testing.assert_allclose((high - low)[at], 2.0 * 1.96 * errors[0], atol=1e-12)
    assert len(ax.collections) == 1  # a fixed species has none
    # energies that can only change together shift the curve as a whole between them
    together = np.zeros((2, 5, 5))
    together[0] = 0.2**2
    x, low, high = band(plot.energy_profile(pore(), errors=together, reach=2.0))
    inner = (x >= float(pore().distances[0])) & (x <= float(pore().distances[-1]))
    np.testing.assert_allclose((high - low)[inner], 2.0 * 2.0 * 0.2, rtol=1e-12)


def test_what_is_not_known_is_hollow_and_has_no_band():
    errors = np.full((2, 5), 0.2)
    errors[0, 1], errors[0, 2] = math.nan, math.inf
    ax = plot.energy_profile(pore(), errors=errors, species=[Ca])
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    np.testing.assert_allclose(hollow[0].get_xdata(), np.asarray(pore().distances)[[1, 2]])
    places = np.concatenate([path.vertices[:, 0] for path in ax.collections[0].get_paths()])
    distances = np.asarray(pore().distances)
    assert not ((places > distances[0] + 1e-9) & (places < distances[3] - 1e-9)).any()
    with pytest.raises(ValueError, match=r"must have the shape \(2, 5\) of the energies, or \(2, 5, 5\)"):
        plot.energy_profile(pore(), errors=np.zeros((5,)))


# ---- what varies


def points(v, inside, outside, **more) -> Measurement:
    """Points whose values are counted up."""
    count = max(np.size(x) for x in (v, *inside.values(), *outside.values()))
    return Measurement(v, Bath(inside, outside, 293.15), 1.0 + np.arange(count), **more)


C = np.array([1.0, 10.0, 100.0])


@pytest.mark.parametrize(
    ("v", "inside", "outside", "label", "x"),
    [
        (np.array([-20.0, 0.0, 20.0]), {K: 100.0}, {K: 4.0}, "V (mV)", [-20.0, 0.0, 20.0]),
        (0.0, {K: C, Cl: C}, {K: C, Cl: C}, "K and Cl on both sides (mM)", C),
        (0.0, {K: 100.0}, {K: C}, "K outside (mM)", C),
        (0.0, {K: C}, {K: 10.0 * C}, "K inside (mM)", C),
        (-20.0, {}, {Ca: 10.0 - np.array([0.0, 4.0, 10.0]), Ba: np.array([0.0, 4.0, 10.0])},
         "[Ca] / ([Ca] + [Ba]) outside", [1.0, 0.6, 0.0]),
        (np.array([1.0, 2.0, 3.0]), {K: 1.0}, {K: C}, None, None),
        (0.0, {K: C[::-1].copy()}, {K: C}, None, None),
    ],
)  # fmt: skip
def test_points_are_drawn_against_what_varies(v, inside, outside, label, x):
    measurement = points(v, inside, outside)
    (curve,) = curves(measurement)
    assert (curve.axis and curve.axis.label) == label
    if curve.axis is not None:
        np.testing.assert_allclose(curve.axis.of(table_of(measurement)), x)


def test_a_grid_is_parted_into_its_longer_curves():
    v, c = np.repeat([-20.0, 0.0, 20.0, 40.0], 3), np.tile(C, 4)
    found = curves(points(v, {K: 100.0}, {K: c}))
    assert [f.label for f in found] == ["1 mM K", "10 mM K", "100 mM K"]
    assert all(f.axis.label == "V (mV)" and f.index.size == 4 for f in found)
    v, c = np.repeat([-20.0, 0.0, 20.0], 4), np.tile([0.0, *C], 3)
    found = curves(points(v, {K: 100.0}, {K: c}, series=["wild type"] * 12))
    assert [f.label for f in found] == ["wild type, −20 mV", "wild type, 0 mV", "wild type, 20 mV"]
    assert all(f.axis.label == "K outside (mM)" and f.axis.log for f in found)


def test_series_have_axes_of_their_own_and_a_single_point_joins_the_others():
    v = np.array([-20.0, 0.0, 20.0, 0.0, 0.0, 5.0])
    c = np.array([4.0, 4.0, 4.0, 1.0, 10.0, 4.0])
    found = curves(points(v, {K: 100.0}, {K: c}, series=["I-V"] * 3 + ["g-c"] * 2 + ["last"]))
    assert [(f.label, f.axis.label) for f in found] == [
        ("I-V", "V (mV)"),
        ("g-c", "K outside (mM)"),
        ("last", "V (mV)"),
    ]


def test_a_fine_axis_is_close_where_curves_bend():
    (both,) = curves(points(0.0, {K: C}, {K: C}))
    ratios = np.diff(np.log(both.axis.fine(C)))
    np.testing.assert_allclose(ratios, ratios[0])
    (block,) = curves(points(0.0, {}, {Ca: np.array([0.0, 1e-3, 1.0])}))
    fine = block.axis.fine(np.array([0.0, 1e-3, 1.0]))
    assert fine[0] == 0.0 and fine[-1] == pytest.approx(1.0) and np.sum(fine < 1e-3) > 10
    (mixed,) = curves(points(0.0, {}, {Ca: np.array([0.0, 5.0, 10.0]), Ba: np.array([10.0, 5.0, 0.0])}))
    fine = mixed.axis.fine(np.array([0.0, 0.5, 1.0]))
    assert fine[1] < 1e-3 and fine.max() == 1.0 and np.all(np.diff(fine) > 0.0)


# ---- measurements


def test_curves_are_the_model_between_the_points():
    v, c = np.tile([-60.0, 0.0, 60.0], 2), np.repeat([1.0, 10.0], 3)
    predict = lambda m: 0.1 * np.asarray(m.bath[Ca][1]) * np.tanh(0.01 * np.asarray(m.v))
    measured = points(v, {Ca: 0.0}, {Ca: c}, error=0.2)
    figure = plot.measurement(measured, predict, title="cell")
    top, bottom = figure.axes
    assert top.get_title(loc="left") == "cell" and top.get_ylabel() == "current (pA)"
    assert bottom.get_xlabel() == "V (mV)" and bottom.get_ylabel() == "residual (pA)"
    assert [t.get_text() for t in top.get_legend().get_texts()] == ["1 mM Ca", "10 mM Ca"]
    smooth = [line for line in top.lines if len(line.get_xdata()) > 50]
    for line, concentration in zip(smooth, (1.0, 10.0), strict=True):
        x, y = line.get_data()
        assert (x[0], x[-1]) == (-60.0, 60.0)
        np.testing.assert_allclose(y, 0.1 * concentration * np.tanh(0.01 * x), rtol=1e-12)
    marked = [line for line in bottom.lines if line.get_marker() == "o"]
    left = np.concatenate([line.get_ydata() for line in marked])
    np.testing.assert_allclose(left, measured.value - predict(measured))
    assert drawn(figure)
    assert [len(line.get_xdata()) for line in plot.measurement(measured).axes[0].lines if line.get_marker() == "o"] == [
        3,
        3,
    ]


def test_conductance_against_concentration_has_logarithmic_axes_and_small_units():
    predict = lambda m: 5e-4 * np.asarray(m.bath[K][0]) / (1.0 + 0.01 * np.asarray(m.bath[K][0]))
    c = np.array([1.0, 10.0, 100.0, 1000.0])
    exact = Measurement(0.0, Bath({K: c}, {K: c}, 293.15), np.ones(4), 0.01, reading=permeation.conductance, unit="nS")
    measured = Measurement(0.0, exact.bath, 1.1 * predict(exact), 0.01, reading=permeation.conductance, unit="nS")
    top, bottom = plot.measurement(measured, predict).axes
    assert (top.get_xscale(), top.get_yscale(), bottom.get_xscale()) == ("log", "log", "log")
    assert top.get_ylabel() == "conductance (pS)" and bottom.get_ylabel() == "residual (%)"
    np.testing.assert_allclose(bottom.lines[1].get_ydata(), 10.0)
    np.testing.assert_allclose(top.lines[0].get_ydata(), 1e3 * measured.value)
    assert bottom.get_xlabel() == "K on both sides (mM)"
    assert drawn(top.figure)


def test_a_blocker_has_a_place_for_none_of_it_and_data_are_relative_to_a_point():
    c = np.array([0.0, 0.01, 0.1, 1.0])
    seen = []

    def predict(m):
        seen.append(m)
        law = 1.0 / (1.0 + np.asarray(m.bath[Ca][1]) / 0.1)
        return law / law[m.normalized]

    reading = partial(permeation.chord_conductance, reversal=0.0)
    measured = points(-20.0, {Ca: 0.0}, {Ca: c}, reading=reading, unit="1", normalized=2)
    top, bottom = plot.measurement(measured, predict).axes
    assert top.get_xscale() == bottom.get_xscale() == "symlog" and top.get_yscale() == "linear"
    assert top.get_ylabel() == "chord conductance (relative)"
    fine = seen[-1]
    assert fine.normalized == fine.points - 1 and float(fine.bath[Ca][1][-1]) == 0.1
    x, y = max((line.get_data() for line in top.lines), key=lambda data: len(data[0]))
    np.testing.assert_allclose(y, 2.0 / (1.0 + x / 0.1), rtol=1e-12)
    assert drawn(top.figure)
    labels = [t.get_text() for t in bottom.get_xticklabels()]
    assert {"0", "0.01", "0.1", "1"} <= set(labels)


def test_reversal_potentials_and_scattered_points():
    measured = points(0.0, {K: 100.0}, {K: C}, reading=reversal, unit="mV")
    top, _ = plot.measurement(measured, lambda m: 25.0 * np.log(np.asarray(m.bath[K][1]) / 100.0)).axes
    assert top.get_ylabel() == "reversal potential (mV)"
    scattered = points(np.array([1.0, 2.0, 3.0]), {K: 1.0}, {K: C}, error=[0.1, 0.2, 0.3])
    figure = plot.measurement(scattered, lambda m: 2.0 * np.asarray(m.v))
    top, bottom = figure.axes
    assert top.get_ylabel() == "measured current (pA)" and bottom.get_xlabel() == "predicted current (pA)"
    x, y = next(line.get_data() for line in top.lines if line.get_marker() == "o")
    np.testing.assert_array_equal(x, [2.0, 4.0, 6.0])
    np.testing.assert_array_equal(y, [1.0, 2.0, 3.0])
    assert drawn(figure)
    with pytest.raises(ValueError, match="give `predict`"):
        plot.measurement(scattered)


@pytest.mark.parametrize("kinds", [2, 3])
def test_every_kind_of_series_has_its_panel(kinds):
    v = np.array([-20.0, 20.0, 0.0, 0.0, 0.0, 0.0])[: 2 * kinds]
    k = np.array([4.0, 4.0, 1.0, 10.0, 4.0, 4.0])[: 2 * kinds]
    ca = np.array([1.0, 1.0, 1.0, 1.0, 2.0, 5.0])[: 2 * kinds]
    measured = points(v, {K: 100.0, Ca: 0.0}, {K: k, Ca: ca}, series=["a", "a", "b", "b", "c", "c"][: 2 * kinds])
    figure = plot.measurement(measured, lambda m: np.asarray(m.v) + np.asarray(m.bath[K][1]))
    assert len(figure.axes) == 2 * kinds
    labels = {ax.get_xlabel() for ax in figure.axes} - {""}
    assert labels == set(["V (mV)", "K outside (mM)", "Ca outside (mM)"][:kinds])
    assert drawn(figure)


def test_many_series_are_told_apart_beside_the_panel():
    c = np.repeat(np.arange(1.0, 8.0), 3)
    measured = points(np.tile([-20.0, 0.0, 20.0], 7), {K: 100.0}, {K: c}, series=[f"{x:g}" for x in c])
    (top,) = plot.measurement(measured).axes
    colors = [line.get_color() for line in top.lines if line.get_marker() == "o"]
    assert len(set(colors)) == 7 and len(top.get_legend().get_texts()) == 7
    assert drawn(top.figure)


def test_relations_of_arrays():
    x = np.array([1.0, 10.0, 100.0])
    ax = plot.conductance_concentration(x, [0.1, 1.0, 5.0], error=0.1, curve=(x, x), label="K")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log") and ax.get_ylabel() == "conductance (nS)"
    ax = plot.mole_fraction(
        [0.0, 0.5, 1.0], [-1.0, -0.2, -0.5], Figure().add_subplot(), curve=([0.0, 1.0], [-1.0, -0.5])
    )
    assert ax.get_xlabel() == "mole fraction" and len(ax.lines) == 3
    ax = plot.current_voltage(
        [-10.0, 10.0], [-5000.0, 2000.0], error=[100.0, 100.0], curve=([-10.0, 10.0], [-4e3, 2e3])
    )
    assert ax.get_ylabel() == "current (nA)"
    np.testing.assert_allclose(ax.lines[-1].get_ydata(), [-4.0, 2.0])
    assert drawn(ax.figure)


def test_energies_are_differentiable():
    slopes = jax.jacfwd(lambda d: plot.lone_ion_energies(pore(distances=d), 300.0, 25.0))(pore().distances)
    u = 25.0 / float(units.thermal_voltage(300.0))
    np.testing.assert_allclose(slopes[0], 2.0 * u * jnp.eye(5), atol=1e-12)
