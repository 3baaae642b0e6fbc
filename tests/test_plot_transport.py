"""Figures of transporters: arrows, numbers and labels say what the steady state does."""

import math

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from jaxmem import kinetics, plot
from jaxmem.electrochemistry import ADP, ATP, Bath, H, K, Na, Pi, glc
from jaxmem.kinetics import scheme
from jaxmem.library import sglt1_eskandari_2005
from jaxmem.rates import Binding, Constant
from jaxmem.transport import QuasiSteady, post_albers
from jaxmem.transport.glucose import GlucoseCarrier
from jaxmem.units import thermal_voltage

pytestmark = pytest.mark.x64

PUMP = post_albers.pan_2019()
CELL = Bath({Na: 10.0, K: 140.0, ATP: 6.95, ADP: 0.035, Pi: 0.3971, H: 8.112830831617e-5}, {Na: 140.0, K: 5.4}, 310.0)
SGLT1 = sglt1_eskandari_2005.model().scheme
SUGAR = Bath({Na: 10.0, glc: 0.1}, {Na: 100.0, glc: 1.0}, 293.15)
LEVEL = Bath({Na: 10.0, glc: 0.1}, {Na: 10.0, glc: 0.1}, 293.15)


def drawn(ax) -> None:
    FigureCanvasAgg(ax.figure).draw()


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts if text.get_text()]


def arrows(ax):
    return [text.arrow_patch for text in ax.texts if getattr(text, "arrow_patch", None) is not None]


def test_drops_round_a_cycle_are_its_affinity():
    drops = np.asarray(plot.free_energy_drops(SGLT1, -50.0, SUGAR))
    wanted = np.asarray(kinetics.affinity(SGLT1, -50.0, SUGAR))
    found = [sum(sign * drops[e] for e, sign in cycle) for cycle in kinetics.cycles(SGLT1)]
    np.testing.assert_allclose(found, wanted, rtol=1e-11)
    np.testing.assert_allclose(plot.free_energy_drops(SGLT1, 0.0, LEVEL), 0.0, atol=1e-12)


def test_a_ring_says_what_flows():
    ax = plot.cycle(PUMP, -80.0, CELL)
    drawn(ax)
    written = texts(ax)
    drops = np.asarray(plot.free_energy_drops(PUMP, -80.0, CELL))
    assert [f"{d:.1f} kT" for d in drops] == [text for text in written if text.endswith(" kT")]
    assert "binds 3 Na inside\nreleases ADP" in written and "releases 3 Na outside" in written
    turns = 1e3 * float(PUMP.turns(-80.0, CELL))
    (summary,) = [text for text in written if "a turn" in text]
    assert f"{turns:.3g} per s" in summary and "\u22128.1 kT" in summary and "\u221280 mV" in summary
    assert "E1 ATP\n86 %" in written
    assert len({arrow.get_linewidth() for arrow in arrows(ax)}) == 1  # one flux all round


def test_arrows_are_as_wide_as_their_flux_and_point_along_it():
    ax = plot.cycle(SGLT1, -50.0, SUGAR)
    drawn(ax)
    flux = np.abs(np.asarray(eqx.filter_jit(kinetics.turnover)(SGLT1, jnp.asarray(-50.0), SUGAR).flux))
    width = np.array([arrow.get_linewidth() for arrow in arrows(ax)])
    np.testing.assert_allclose(width, 0.8 + 3.7 * flux / flux.max(), rtol=1e-9)
    assert "binds glc outside" in texts(ax)
    back = plot.cycle(SGLT1, -50.0, Bath({Na: 100.0, glc: 10.0}, {Na: 1.0, glc: 0.1}, 293.15))
    assert "releases glc outside" in texts(back)  # it runs backward
    still = plot.cycle(SGLT1, 0.0, LEVEL)
    assert {arrow.get_linewidth() for arrow in arrows(still)} == {0.8}
    assert not any("widest" in text for text in texts(still))


def test_a_state_off_the_ring_and_a_ring_of_two():
    one, back = Constant(1.0), Constant(2.0)
    graph = scheme({("A", "B"): (one, back), ("B", "C"): (one, back), ("C", "A"): (one, back), ("C", "D"): (one, one)})
    ax = plot.cycle(graph, 0.0, SUGAR)
    drawn(ax)
    places = {text.get_text().split("\n")[0]: np.hypot(*text.get_position()) for text in ax.texts[:4]}
    assert places["D"] > max(places[name] for name in "ABC")
    glut = plot.cycle(GlucoseCarrier(), 0.0, Bath({glc: 1.0}, {glc: 5.0}, 310.0))
    drawn(glut)
    middles = [text for text in glut.texts if text.get_text().endswith(" kT")]
    assert middles[0].get_position()[1] * middles[1].get_position()[1] < 0.0  # one above, one below


def test_a_staircase_goes_down_by_the_affinity():
    ax = plot.staircase(SGLT1, -50.0, SUGAR)
    drawn(ax)
    levels = ax.lines[0].get_ydata()[::2]
    np.testing.assert_allclose(levels[-1], -np.asarray(kinetics.affinity(SGLT1, -50.0, SUGAR))[0], rtol=1e-11)
    slip = plot.staircase(SGLT1, -50.0, SUGAR, through=("CNa2 outside", "CNa2 inside", "C inside", "C outside"))
    end = slip.lines[0].get_ydata()[-1]
    u = 50.0 / 25.2612  # what two Na pay on their way in
    np.testing.assert_allclose(end, -2.0 * (math.log(10.0) + u), rtol=1e-4)
    n = len(ax.texts)
    plot.staircase(SGLT1, -100.0, SUGAR, ax, label="again")
    assert len(ax.texts) == n + 1  # the end alone
    for text in ("\u22120.2", "binds glc\noutside"):
        assert text in texts(ax)


def test_turns_that_cannot_be_drawn_are_refused():
    line = scheme({("A", "B"): (Constant(1.0), Constant(1.0))})
    with pytest.raises(ValueError, match="the graph has none"):
        plot.cycle(line, 0.0, SUGAR)
    with pytest.raises(ValueError, match="'X' is none of them"):
        plot.cycle(SGLT1, 0.0, SUGAR, through=("C outside", "X"))
    with pytest.raises(ValueError, match="none leads on from C outside to CNa2 inside"):
        plot.staircase(SGLT1, 0.0, SUGAR, through=("C outside", "CNa2 inside", "C inside"))
    spent = CELL.replaced({(ADP, True): 0.0})
    with pytest.raises(ValueError, match="goes one way only"):
        plot.staircase(PUMP, 0.0, spent)
    assert "∞" in texts(plot.cycle(PUMP, 0.0, spent))


def test_the_stall_is_marked_where_the_stoichiometry_says():
    v = np.linspace(-400.0, 60.0, 24)
    turnover = plot.turnover_voltage(
        PUMP, v, CELL, reading=lambda pump, v, bath: 1e3 * pump.turns(v, bath), unit="1/s", name="turnover"
    )
    drawn(turnover)
    assert turnover.get_ylabel() == "turnover (1/s)"
    affinity = float(abs(kinetics.affinity(PUMP, 0.0, CELL)[0]))
    stall = -affinity * float(thermal_voltage(310.0))
    (marked,) = [line.get_xdata()[0] for line in turnover.lines if line.get_marker() == "o"]
    assert marked == pytest.approx(stall, rel=1e-9)
    assert f"{stall:.1f} mV".replace("-", "\u2212") in texts(turnover)
    current = plot.turnover_voltage(QuasiSteady(PUMP, 1e6), v, CELL)
    assert current.get_ylabel() == "current (pA)"
    y = next(line for line in turnover.lines if len(line.get_xdata()) == v.size).get_ydata()
    drawn_current = next(line for line in current.lines if len(line.get_xdata()) == v.size).get_ydata()
    np.testing.assert_allclose(drawn_current, 1.602176634e-19 * 1e6 * y * 1e12, rtol=1e-9, atol=1e-12)
    alone = plot.turnover_voltage(PUMP, v[-3:], CELL)  # a graph, and no stall in sight
    assert not [line for line in alone.lines if line.get_marker() == "o"]


def test_a_carrier_of_one_ion_turns_over_by_binding():
    graph = scheme(
        {
            ("out", "Na out"): (Binding(1.0, Na, False), Constant(10.0)),
            ("Na out", "Na in"): (Constant(1.0), Constant(1.0)),
            ("Na in", "in"): (Constant(10.0), Binding(1.0, Na, True)),
            ("in", "out"): (Constant(1.0), Constant(1.0)),
        },
        exchange={("out", "Na out"): {(Na, False): -1}, ("Na in", "in"): {(Na, True): 1}},
    )
    ends = plot.staircase(graph, 0.0, SUGAR).lines[0].get_ydata()[-1]
    assert ends == pytest.approx(-math.log(10.0), rel=1e-12)
