"""Figures: what is drawn is what was given, matplotlib's state stays as it was, spikes survive."""

import math

import equinox as eqx
import jax.numpy as jnp
import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jaxmem import kinetics, plot, protocols
from jaxmem.channel import Channel
from jaxmem.gating import AlwaysOpen, Gate, HodgkinHuxley, Markov
from jaxmem.permeation import Ohmic
from jaxmem.rates import Constant, Exponential
from jaxmem.recordings import Recording
from jaxmem.results import InputError
from jaxmem.simulate import voltage_clamp

pytestmark = pytest.mark.x64


@pytest.fixture
def recording() -> Recording:
    t = np.arange(0.0, 100.0, 0.5)
    v = np.where(t >= 20.0, 1.0, 0.0) * np.array([[20.0], [60.0]]) - 80.0
    current = np.where(t >= 20.0, 1.0 - np.exp(-(t - 20.0) / 10.0), 0.0) * np.array([[100.0], [300.0]])
    mask = np.broadcast_to((t < 20.0) | (t >= 25.0), v.shape).copy()
    return Recording(t, current, v, mask, name="cell")


def two_gates() -> Channel:
    activation = Gate(Exponential(0.1, 0.03), Exponential(0.05, -0.04))
    return Channel(HodgkinHuxley((activation, Gate(Constant(2.0), Constant(3.0))), (4, 1)), Ohmic(1.0, reversal=-88.0))


def two_states() -> Channel:
    gate = Markov(kinetics.scheme({("C", "O"): (Exponential(0.1, 0.03), Exponential(0.05, -0.04))}), ("O",))
    return Channel(gate, Ohmic(1.0, reversal=-88.0))


def drawn(figure: Figure) -> bytes:
    """The pixels of a figure; fails where a label or a limit cannot be drawn."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return bytes(canvas.buffer_rgba())


def test_the_envelope_keeps_every_spike():
    y = np.zeros(80_000)
    y[[123, 45_678, 79_999]] = [5.0, -7.0, 3.0]
    t = 0.1 * np.arange(y.size)
    short, low = plot.envelope(t, y, bins=1000)
    assert short.size == 2000
    assert np.all(np.diff(short) >= 0.0)
    assert sorted(low[low != 0.0]) == [-7.0, 3.0, 5.0]
    assert set(short[low != 0.0]) == set(t[[123, 45_678, 79_999]])


def test_the_envelope_keeps_gaps_and_short_traces():
    y = np.ones(10_000)
    y[5000:6000] = np.nan
    _, short = plot.envelope(np.arange(10_000.0), y, bins=100)
    assert np.isnan(short).sum() == 20
    t, same = plot.envelope(np.arange(400.0), y[:400], bins=100)
    assert t.size == same.size == 400
    with pytest.raises(ValueError, match="equal length"):
        plot.envelope(np.arange(3.0), y)


def test_traces_draw_used_samples_and_the_prediction(recording):
    prediction = recording.current + 1.0
    ax = plot.traces(recording, prediction)
    data, fit = ax.lines[:2], ax.lines[2:]
    for k in range(2):
        assert np.isnan(data[k].get_ydata()).sum() == (~recording.mask[k]).sum()
        np.testing.assert_array_equal(fit[k].get_ydata(), prediction[k])
    assert ax.get_xlabel() == "time (ms)" and ax.get_ylabel() == "current (pA)"
    assert data[0].get_color() != fit[0].get_color() != fit[1].get_color()


def test_the_prediction_is_drawn_from_the_first_to_the_last_used_sample(recording):
    mask = recording.mask.copy()
    mask[:, :10] = mask[:, -5:] = False
    part = Recording(recording.t, recording.current, recording.command_v, mask)
    y = plot.traces(part, recording.current).lines[-1].get_ydata()
    assert np.flatnonzero(np.isnan(y)).tolist() == [*range(10), *range(y.size - 5, y.size)]


def test_residuals_are_data_minus_prediction(recording):
    ax = plot.residuals(recording, recording.current + 2.0)
    y = ax.lines[1].get_ydata()
    assert np.all(y[np.isfinite(y)] == -2.0) and np.isnan(y).any()


def test_long_and_large_traces_change_units():
    t = np.arange(0.0, 8000.0, 1.0)
    ax = plot.traces(Recording(t, 5000.0 * np.sin(t / 100.0), np.zeros(t.size)))
    assert ax.get_xlabel() == "time (s)" and ax.get_ylabel() == "current (nA)"
    assert ax.lines[0].get_xdata()[-1] == pytest.approx(7.999)
    assert np.abs(ax.lines[0].get_ydata()).max() == pytest.approx(5.0, rel=1e-3)
    ax = plot.traces(Recording(t, np.sin(t), np.zeros(t.size), unit="mS/cm2"))
    assert ax.get_ylabel() == "conductance (mS/cm2)"
    ax = plot.residuals(Recording(t, np.sin(t), np.zeros(t.size), unit="1"), np.zeros((1, t.size)))
    assert ax.get_ylabel() == "residual (relative)"


def test_overlay_has_command_data_and_residuals(recording):
    figure = plot.overlay(recording, recording.current, title="cell")
    top, middle, bottom = figure.axes
    assert [ax.get_ylabel() for ax in figure.axes] == ["V (mV)", "current (pA)", "residual (pA)"]
    assert top.get_title(loc="left") == "cell" and bottom.get_xlabel() == "time (ms)"
    assert middle.get_shared_x_axes().joined(top, bottom)
    assert len(set(drawn(figure))) > 10
    with pytest.raises(ValueError, match="must have the recording's shape"):
        plot.overlay(recording, recording.current[:, :-1])


def test_gates_are_drawn_with_their_closed_forms():
    v = np.linspace(-100.0, 50.0, 31)
    curves = plot.gating_curves(two_gates(), 293.15, v, names=("n",))
    opening, closing = 0.1 * np.exp(0.03 * v), 0.05 * np.exp(-0.04 * v)
    assert list(curves.steady) == ["n", "gate 2"]
    np.testing.assert_allclose(curves.steady["n"], opening / (opening + closing), rtol=1e-12)
    np.testing.assert_allclose(curves.tau["n"], 1.0 / (opening + closing), rtol=1e-12)
    np.testing.assert_allclose(curves.tau["gate 2"], 0.2, rtol=1e-12)
    np.testing.assert_allclose(curves.open_probability["open probability"], curves.steady["n"] ** 4 * 0.4, rtol=1e-12)


def test_a_scheme_of_two_states_is_a_gate():
    v = np.linspace(-100.0, 50.0, 31)
    curves = plot.gating_curves((two_states(),), 293.15, v)
    opening, closing = 0.1 * np.exp(0.03 * v), 0.05 * np.exp(-0.04 * v)
    np.testing.assert_allclose(curves.steady["open probability"], opening / (opening + closing), rtol=1e-12)
    assert list(curves.tau) == ["tau 1"]
    np.testing.assert_allclose(curves.tau["tau 1"], 1.0 / (opening + closing), rtol=1e-12)


def test_time_constants_of_a_stiff_scheme_keep_their_digits():
    # Two independent gates as a square of four states: the eigenvalues are known, twelve decades apart.
    fast, slow = (Constant(3e5), Constant(1e5)), (Constant(2e-7), Constant(5e-7))
    edges = {("CC", "OC"): fast, ("CO", "OO"): fast, ("CC", "CO"): slow, ("OC", "OO"): slow}
    model = Channel(Markov(kinetics.scheme(edges), ("OO",)), Ohmic(1.0, reversal=0.0))
    tau = plot.gating_curves(model, 293.15, [0.0]).tau
    assert float(tau["tau 1"][0]) == pytest.approx(1.0 / 7e-7, rel=1e-3)
    assert float(tau["tau 3"][0]) == pytest.approx(1.0 / 4e5, rel=1e-9)


def test_the_gating_figure_shades_the_voltages_of_the_data():
    figure = plot.gating(two_gates(), 293.15, data_range=(-80.0, 40.0), reference=two_gates())
    left, right = figure.axes
    assert [t.get_text() for t in left.texts] == ["voltages in the data"]
    assert left.get_xlim()[0] <= -130.0 and right.get_ylabel() == "time constant (ms)"
    assert len([line for line in left.lines if line.is_dashed()]) >= 2
    assert drawn(figure)


def test_agreement_counts_what_failed_and_what_agrees():
    ax = plot.agreement([1.0, 1.005, 2.0, math.nan])
    (note,) = ax.texts
    assert note.get_text() == "2 of 4 within 1 %, 1 failed"
    heights = np.concatenate([c.get_offsets()[:, 1] for c in ax.collections])
    np.testing.assert_allclose(np.sort(heights), [1e-8, 0.005, 1.0])
    with pytest.raises(ValueError, match="at least one finite"):
        plot.agreement([math.nan])


def test_correlation_writes_the_numbers():
    ax = plot.correlation([[1.0, -0.98, math.nan], [-0.98, 1.0, 0.0], [math.nan, 0.0, 1.0]], ["a", "b", "g"])
    assert [t.get_text() for t in ax.texts] == ["1", "-.98", "-.98", "1", ".00", ".00", "1"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "g"]
    assert drawn(ax.figure)
    with pytest.raises(ValueError, match="2 x 2"):
        plot.correlation([[1.0]], ["a", "b"])


def test_relations():
    v = np.array([20.0, -20.0, 0.0])
    ax = plot.current_voltage(v, [4.0, -4.0, 0.0], label="peak")
    np.testing.assert_array_equal(ax.lines[-1].get_xdata(), [-20.0, 0.0, 20.0])
    ax = plot.conductance_voltage(v, plot.boltzmann(v, -5.0, 8.0, 2.0), v_half=-5.0, slope=8.0, top=2.0)
    assert "V½ = -5.0 mV, slope = 8.0 mV" in [t.get_text() for t in ax.get_legend().get_texts()]
    assert plot.boltzmann(-5.0, -5.0, 8.0, 2.0) == 1.0


@pytest.mark.parametrize("sweeps", [1, 3])
def test_a_simulation_is_drawn_with_its_panels(sweeps):
    commands = [protocols.step(v, 50.0) for v in (-40.0, 0.0, 40.0)]
    command = protocols.sweeps(commands) if sweeps > 1 else commands[0]
    model = (two_gates(), Channel(AlwaysOpen(), Ohmic(1.0, reversal=0.0)))
    trace = voltage_clamp(model, command.held_at(np.full(command.holding.shape, -80.0)), np.arange(50.0), bath=293.15)
    figure = plot.simulation(trace, title="cell", names=("K", "leak"))
    assert [ax.get_ylabel() for ax in figure.axes] == ["V (mV)", "open prob.\nK", "current (pA)"]
    assert all(len(ax.lines) == sweeps for ax in figure.axes)
    np.testing.assert_allclose(figure.axes[2].lines[-1].get_ydata(), np.atleast_2d(trace.current)[-1])
    assert drawn(figure)


def test_the_squid_figure(recording):
    rates = {"opening": [0.1, 0.2], "closing": [0.2, 0.1]}
    figure = plot.squid(
        recording, recording.current, [0.0, 10.0], rates, rates, rates, v_table=[0.0, 10.0], labels=("K", "J")
    )
    assert [t.get_text() for t in figure.axes[0].texts] == ["K", "J"]
    assert len(figure.axes[1].lines) == 6
    assert drawn(figure)


def test_figures_draw_into_what_they_are_given(recording):
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert plot.traces(recording, ax=left) is left
    assert plot.agreement([1.0, 2.0], right) is right
    assert plot.overlay(recording, recording.current, figure=Figure()).axes


def test_nothing_of_matplotlib_changes(recording, tmp_path):
    before = dict(mpl.rcParams)
    path = plot.save(plot.overlay(recording, recording.current), tmp_path / "a.png")
    assert path.read_bytes().startswith(b"\x89PNG")
    assert dict(mpl.rcParams) == before
    with pytest.raises(InputError, match=r"must end in one of .*\.png"):
        plot.save(Figure(), tmp_path / "a.doc")
    with pytest.raises(InputError, match="cannot be written"):
        plot.save(Figure(), tmp_path / "nowhere" / "a.png")


def test_a_start_with_a_wild_curve_is_still_drawn():
    wild = eqx.tree_at(lambda m: m.gating.gates[0].opening.b, two_gates(), jnp.asarray(1e-7))
    assert drawn(plot.gating(wild, 293.15))


def test_a_family_has_a_panel_for_each_sweep(recording):
    figure = plot.family(recording, recording.current + 1.0, title="cell")
    assert [ax.get_title(loc="left") for ax in figure.axes if ax.get_title(loc="left")] == ["cell", "−60 mV", "−20 mV"]
    panels, residuals = figure.axes[1::2], figure.axes[2::2]
    for k, (panel, left) in enumerate(zip(panels, residuals, strict=True)):
        data, model = (line.get_ydata() for line in panel.lines)
        np.testing.assert_array_equal(data[recording.mask[k]], recording.current[k][recording.mask[k]])
        np.testing.assert_array_equal(model, recording.current[k] + 1.0)
        y = left.lines[1].get_ydata()
        np.testing.assert_allclose(y[np.isfinite(y)], -1.0)
    assert panels[0].get_ylim() == panels[1].get_ylim()
    assert drawn(figure)


@pytest.mark.parametrize("sweeps", [3, 4, 7, 11])
def test_families_of_every_size_are_drawn(sweeps):
    t = np.arange(0.0, 20.0, 0.5)
    v = np.where(t < 5.0, -80.0, np.zeros((sweeps, 1)))  # all sweeps are alike, so they are counted
    cell = Recording(t, np.ones((sweeps, 1)) * t, v)
    figure = plot.family(cell, cell.current)
    assert len(figure.axes) == 1 + 2 * sweeps
    assert figure.axes[-2].get_title(loc="left") == f"sweep {sweeps}"
    assert drawn(figure)


def test_every_gated_channel_has_its_open_probability():
    leak = Channel(AlwaysOpen(), Ohmic(1.0, reversal=0.0))
    v = np.linspace(-100.0, 50.0, 5)
    model = (leak, two_gates(), two_states())
    curves = plot.gating_curves(model, 293.15, v, ("n", "h"), ("leak", "K", "X"))
    assert list(curves.steady) == ["n", "h", "X, open probability"]
    assert list(curves.open_probability) == ["K, open probability", "X, open probability"]
    alone = plot.gating_curves(two_gates(), 293.15, v).open_probability["open probability"]
    np.testing.assert_array_equal(curves.open_probability["K, open probability"], alone)
    dotted = [line.get_label() for line in plot.steady_state(curves).lines if line.get_linestyle() == ":"]
    assert dotted == ["K, open probability"]
