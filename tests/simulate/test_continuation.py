"""Branches of steady states: folds, Hopf points and crossings where closed forms and papers have them."""

import json
import math

import numpy as np
import pytest
from zoo import LARGE, cubic, zoo

from jaxmem import cell, plot
from jaxmem.library import cressman_2009, hodgkin_huxley_1952, hubel_dahlem_2014
from jaxmem.results import RESULTS, InputError
from jaxmem.simulate import Injected, Kind, Total, follow, stability

pytestmark = pytest.mark.x64

FOLD = 2.0 / (3.0 * math.sqrt(3.0))
ok = RESULTS.successful


@pytest.fixture(scope="module")
def cusp():
    return follow(zoo(), lambda c: c.p[0], (-1.5, 1.0))


def test_branch_passes_its_folds(cusp):
    assert [x.kind for x in cusp.special] == [Kind.FOLD, Kind.FOLD]
    low, high = cusp.folds
    assert low.parameter == pytest.approx(FOLD, rel=1e-12)
    assert high.parameter == pytest.approx(-FOLD, rel=1e-12)
    assert low.state.cusp / LARGE == pytest.approx(-1.0 / math.sqrt(3.0), rel=1e-9)
    assert math.isnan(low.frequency)
    assert cusp.result == ok
    # Both ends are the ends of the range, and every point is steady.
    assert cusp.parameter[0], cusp.parameter[-1] == (-1.5, 1.0)
    x = cusp.state.cusp / LARGE
    np.testing.assert_allclose(cusp.parameter + x - x**3, 0.0, atol=1e-14)
    assert x[0] == pytest.approx(float(cubic(-1.5)), rel=1e-14)
    np.testing.assert_allclose(cusp.v, x, rtol=1e-15)
    # The points are near each other, and stable but between the folds.
    assert np.abs(np.diff(cusp.parameter)).max() <= 0.0251
    np.testing.assert_array_equal(cusp.stable, np.abs(x) > 1.0 / math.sqrt(3.0) + 1e-9)
    assert cusp.eigenvalues.shape == (x.size, 6)
    assert cusp.parameter[low.index] == low.parameter


def test_hopf_point_and_its_frequency():
    found = follow(zoo(), lambda c: c.p[1], (-1.0, 1.0))
    (hopf,) = found.special
    assert found.hopf == (hopf,)
    assert hopf.parameter == pytest.approx(0.0, abs=1e-12)
    assert hopf.frequency == pytest.approx(2.0, rel=1e-12)
    assert hopf.period == pytest.approx(math.pi, rel=1e-12)
    np.testing.assert_array_equal(found.stable, found.parameter < -1e-9)


def test_crossing_is_not_a_fold():
    found = follow(zoo(), lambda c: c.p[2], (-1.0, 1.0))
    (crossing,) = found.special
    assert crossing.kind is Kind.CROSSING
    assert crossing.parameter == pytest.approx(0.0, abs=1e-9)
    assert found.parameter[-1] == 1.0


def test_closed_branch_ends_where_it_began():
    found = follow(zoo(), lambda c: c.p[3], (-2.0, 2.0))
    assert [x.kind for x in found.special] == [Kind.FOLD, Kind.FOLD]
    np.testing.assert_allclose([x.parameter for x in found.special], [1.0, -1.0], rtol=1e-12)
    np.testing.assert_allclose(found.state.ring**2 + found.parameter**2, 1.0, rtol=1e-13)
    assert found.result == ok
    turns = np.unwrap(np.arctan2(found.parameter, found.state.ring))
    assert abs(turns[-1] - turns[0]) == pytest.approx(2.0 * math.pi, abs=0.1)


def test_current_and_total_are_parameters_too(cusp):
    by_current = follow(zoo(), Injected(), (-0.5, 2.0))
    np.testing.assert_allclose([x.parameter for x in by_current.folds], [1.0 + FOLD, 1.0 - FOLD], rtol=1e-12)
    by_total = follow(zoo(), Total(0), (-1.5, 1.0))
    np.testing.assert_allclose([x.parameter for x in by_total.folds], [FOLD, -FOLD], rtol=1e-12)
    np.testing.assert_allclose(np.sum(by_total.state.pair, axis=1), by_total.parameter, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.sum(cusp.state.pair, axis=1), -1.0, rtol=1e-13)  # held


def test_range_and_selection_are_checked():
    with pytest.raises(InputError, match="holds the cell's own value, -1,"):
        follow(zoo(), lambda c: c.p[0], (0.0, 1.0))
    for wrong in (lambda c: c.p, lambda c: 2.0 * c.p[0], lambda c: c.p[0] + c.p[1]):
        with pytest.raises(InputError, match="must select one number of the cell"):
            follow(zoo(), wrong, (-2.0, 1.0))
    with pytest.raises(InputError, match=r"3 totals, but Total\(3\)"):
        follow(zoo(), Total(3), (-2.0, 1.0))
    with pytest.raises(RuntimeError, match="raise `most`"):
        follow(zoo(), lambda c: c.p[0], (-1.5, 1.0), most=5)
    part = follow(zoo(), lambda c: c.p[0], (-1.5, 1.0), most=5, throw=False)
    assert part.result == RESULTS.branch_unfinished
    assert part.parameter.size == 11


def test_figure_has_solid_and_dashed_pieces(cusp, tmp_path):
    ax = plot.branch(cusp, observe=lambda s: s.cusp / LARGE, name="p", label="x")
    pieces = [line for line in ax.lines if len(line.get_xdata()) > 1]
    assert [line.get_linestyle() for line in pieces] == ["-", "--", "-"]
    assert [t.get_text() for t in ax.get_legend().get_texts()][2:] == ["fold at 0.3849", "fold at -0.3849"]
    plot.save(ax.figure, tmp_path / "branch.png")


@pytest.mark.slow
def test_hodgkin_huxley_axon_fires_between_its_hopf_points():
    """Hopf points at 9.78 and 154.5 uA/cm2 (Rinzel & Miller, Math. Biosci. 49, 27 (1980); Hassard 1978)."""
    axon = cell.point(hodgkin_huxley_1952.model(), 1.0, hodgkin_huxley_1952.TEMPERATURE)
    found = follow(axon, Injected(), (0.0, 200.0), resolution=20)
    first, last = found.hopf
    assert found.special == (first, last)
    assert first.parameter == pytest.approx(9.78, abs=0.005)
    assert last.parameter == pytest.approx(154.5, abs=0.05)
    for hopf in (first, last):
        leading = stability(axon, hopf.state, current=hopf.parameter)[0]
        assert abs(leading.real) < 1e-11
        assert leading.imag == pytest.approx(hopf.frequency, rel=1e-10)
    assert found.stable[0]
    assert found.stable[-1]
    assert not found.stable[first.index : last.index].any()


@pytest.mark.slow
def test_seizures_of_the_reduced_neuron_are_between_two_hopf_points(shared):
    cases = json.loads((shared / "reference" / "homeostasis" / "cressman2009.json").read_text())["cases"]
    expected = next(x for x in cases if x["id"] == "reduced_model_hopf")["expected"]
    found = follow(cressman_2009.reduced(), lambda c: c.surroundings.k_bath, (2.0, 13.0))
    assert len(found.special) == len(found.hopf) == 2
    for hopf, known in zip(found.hopf, expected["hopf_points"], strict=True):
        assert hopf.parameter == pytest.approx(known["kbath_mM"], rel=1e-9)
        assert hopf.state.k_o == pytest.approx(known["Ko_mM"], rel=1e-9)
        assert hopf.state.na_i == pytest.approx(known["Nai_mM"], rel=1e-9)
        assert 1e3 * hopf.frequency == pytest.approx(known["omega_rad_per_s"], rel=1e-7)
        assert 1e-3 * hopf.period == pytest.approx(known["period_s"], rel=1e-7)


@pytest.mark.slow
def test_folds_and_hopf_point_of_spreading_depression(shared):
    cases = json.loads((shared / "reference" / "homeostasis" / "hubel_dahlem2014.json").read_text())["cases"]
    expected = next(x for x in cases if x["id"] == "folds_in_dk")["expected"]
    found = follow(hubel_dahlem_2014.Closed(), lambda c: c.dk, (-60.0, 40.0))
    assert len(found.folds) == 2
    pairs = [*zip(found.folds, expected["folds"], strict=True), (found.hopf[-1], expected["hopf"][0])]
    for point, known in pairs:
        assert point.parameter == pytest.approx(known["dk"], rel=1e-9)
        got = [float(x) for x in point.state]
        assert got == pytest.approx([known["V"], known["n"], known["ki"], known["cli"]], rel=1e-7)
    # The other three Hopf points are near the folds; a second one leads between unstable states only.
    assert len(found.hopf) == 4
