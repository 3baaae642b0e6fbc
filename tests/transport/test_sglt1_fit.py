"""A cotransporter's energies from its steady currents: SGLT1, 2 % noise, nothing known of them but wide bounds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import fit, kinetics, report
from jaxmem.channel import SteadyState
from jaxmem.electrochemistry import Bath, Na, glc
from jaxmem.library import sglt1_eskandari_2005 as sglt1
from jaxmem.permeation import current
from jaxmem.recordings import Measurement
from jaxmem.transport import QuasiSteady, closed

pytestmark = pytest.mark.x64

T, NUMBER, NOISE = 293.15, 1e7, 0.02
#: (Na out, Na in, sugar out, sugar in) [mM]: forward at four concentrations, zero trans, reverse.
SOLUTIONS = (
    (100.0, 10.0, 1.0, 0.0),
    (100.0, 10.0, 0.05, 0.0),
    (10.0, 10.0, 1.0, 0.0),
    (100.0, 10.0, 0.0, 0.0),
    (100.0, 50.0, 5.0, 5.0),
    (10.0, 500.0, 0.0, 1.0),
    (10.0, 500.0, 0.0, 50.0),
)
VOLTAGES = np.arange(-150.0, 51.0, 25.0)


def truth():
    return QuasiSteady(closed(sglt1.graph(sglt1.CLOSED), T), NUMBER)


def conditions():
    grid = np.array([(*c, v) for c in SOLUTIONS for v in VOLTAGES])
    na_out, na_in, s_out, s_in, v = grid.T
    bath = Bath({Na: na_in, glc: s_in}, {Na: na_out, glc: s_out}, np.full(len(v), T))
    return v, jax.tree.map(jnp.asarray, bath)


def predict(model, v, bath):
    return np.asarray(jax.vmap(lambda v, b: current(SteadyState(model), v, b))(jnp.asarray(v), bath))


def free():
    """Every energy and barrier, within 8 kT either way of a start that knows nothing of SGLT1 but its scale."""
    graph = truth().scheme
    entries = [
        (lambda m, k=k: m.scheme.energy[k], fit.between(-25.0, 5.0, start=(float(x) - 4.0, float(x) + 4.0)))
        for k, x in enumerate(graph.energy)
    ]
    entries += [
        (lambda m, k=k: m.scheme.barrier[k], fit.between(-5.0, 40.0, start=(float(x) - 4.0, float(x) + 4.0)))
        for k, x in enumerate(graph.barrier)
    ]
    return fit.free(*entries)


def test_rates_and_energies_are_the_same_graph():
    graph = sglt1.graph(sglt1.CLOSED)
    energies = closed(graph, T)
    bath = Bath({Na: 10.0, glc: 0.3}, {Na: 100.0, glc: 1.0}, T)
    for v in (-120.0, 40.0):
        for got, wanted in zip(energies.rates(jnp.asarray(v), bath), graph.rates(jnp.asarray(v), bath), strict=True):
            assert_allclose(got, wanted, rtol=1e-12)
    # An open set comes back closed, and its rates change by less than its cycles are open by.
    rounded = closed(sglt1.graph(sglt1.PUBLISHED), T)
    before = max(abs(row.residual) for row in kinetics.audit(sglt1.graph(sglt1.PUBLISHED), -50.0, bath))
    assert 1e-3 < before < 1e-2
    assert max(abs(row.residual) for row in kinetics.audit(rounded, -50.0, bath)) < 1e-11
    change = np.log(rounded.rates(jnp.zeros(()), bath)[0] / sglt1.graph(sglt1.PUBLISHED).rates(jnp.zeros(()), bath)[0])
    assert 0.0 < np.abs(change).max() < before


def test_currents_come_back_within_two_percent_and_intervals_cover(tmp_path):
    v, bath = conditions()
    exact = predict(truth(), v, bath)
    sigma = NOISE * np.abs(exact) + 1e-3 * np.abs(exact).max()
    noisy = exact + sigma * np.random.default_rng(0).normal(size=exact.size)
    data = fit.Steady(Measurement(v, bath, noisy, sigma))
    found = fit.least_squares([data], truth(), free(), key=jax.random.key(0), starts=4)
    got = predict(found.model, v, bath)
    assert np.all(np.abs(got - exact) <= 0.02 * np.abs(exact) + 0.002 * np.abs(exact).max())
    assert abs(found.rmse_over_range) < 0.02
    # What steady currents do not say is said: some barriers are crossed too fast to matter.
    assert found.undetermined
    known = np.isfinite(found.standard_errors)
    scheme = truth().scheme
    values = np.concatenate([scheme.energy, scheme.barrier])
    lower, upper = found.interval(0.999).T
    inside = (values >= lower) & (values <= upper)
    assert np.all(inside[known])
    assert known.sum() >= 4
    one = Bath({Na: 10.0, glc: 1.0}, {Na: 100.0, glc: 1.0}, T)
    assert max(abs(row.residual) for row in kinetics.audit(found.model.scheme, -50.0, one)) < 1e-10
    # The report draws the fitted cycle, and names what the currents do not determine.
    report.write(found, [], tmp_path, experiments=[data], title="SGLT1")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert {"cycle_1.png", "cycle_2.png"} <= {path.name for path in tmp_path.iterdir()}
    assert "do not determine" in page and "scheme.energy[1]" in page and "net fluxes" in page
