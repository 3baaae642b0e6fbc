"""Charges, radius and mobilities of Poisson-Nernst-Planck pores from current-voltage relations in several baths."""

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import fit, report
from jaxmem.electrochemistry import Bath, Cl, K
from jaxmem.electrodiffusion import Pore, uniform, with_access
from jaxmem.permeation import PorePNP
from jaxmem.recordings import Measurement
from jaxmem.report.figures import along
from jaxmem.results import InputError

pytestmark = pytest.mark.x64

BULK = {K: 1.957, Cl: 2.032}
V = np.arange(-100.0, 101.0, 25.0)
SIDES = ((100.0, 100.0), (100.0, 10.0), (10.0, 300.0))  # inside, outside [mM]
TRUTH = np.array([-0.25, 0.08, 0.8, 0.9, 1.1])  # e0/nm2 in two segments, nm, nm2/ns of K and Cl


def tube() -> PorePNP:
    pore = Pore([2.0, 2.0], {K: 0.9, Cl: 1.1}, radius=0.8, wall_charge=[-0.25, 0.08])
    return PorePNP(pore, access=BULK, mesh=uniform(with_access(pore, BULK), 28))


def place(model, values):
    """One radius and one mobility of each ion for the whole pore."""
    first, second, radius, potassium, chloride = values
    both = lambda x: jnp.stack([x, x])
    fields = lambda m: (m.pore.wall_charge, m.pore.radius, m.pore.diffusion)
    new = jnp.stack([first, second]), both(both(radius)), jnp.stack([both(potassium), both(chloride)])
    return eqx.tree_at(fields, model, new)


FREE = fit.Free(
    (
        fit.Parameter("wall_charge_in", "e0/nm2", -1.0, 1.0),
        fit.Parameter("wall_charge_out", "e0/nm2", -1.0, 1.0),
        fit.Parameter("radius", "nm", 0.2, 3.0, log=True),
        fit.Parameter("D_K", "nm2/ns", 0.1, 3.0, log=True),
        fit.Parameter("D_Cl", "nm2/ns", 0.1, 3.0, log=True),
    ),
    place,
)


def measured(model, noise, seed=0) -> fit.Steady:
    """Currents of a model in all baths, each with `noise` of itself and a little more."""
    v = np.tile(V, len(SIDES))
    inside, outside = np.repeat(np.array(SIDES), V.size, axis=0).T
    bath = Bath({K: inside, Cl: inside}, {K: outside, Cl: outside}, 298.15)
    blank = Measurement(v, bath, np.zeros(v.size), name="I-V")
    exact = np.asarray(fit.Steady(blank, sigma=1.0).predict(model))[:, 0]
    error = noise * np.abs(exact) + 0.01
    value = exact + error * np.random.default_rng(seed).standard_normal(v.size)
    series = [f"{a:g} | {b:g} mM" for a, b in zip(inside, outside, strict=True)]
    return fit.Steady(Measurement(v, bath, value, error, name="I-V", series=series))


@pytest.fixture(scope="module")
def fitted():
    data = measured(tube(), 0.02)
    start = place(tube(), jnp.asarray([-0.05, -0.05, 1.2, 0.5, 0.5]))
    return data, fit.least_squares([data], start, FREE, key=jax.random.key(1), starts=2)


@pytest.mark.slow
def test_charges_radius_and_mobilities_are_recovered(fitted):
    _, found = fitted
    assert np.all(np.abs(found.values - TRUTH) < 4.0 * found.standard_errors)
    assert np.all(found.standard_errors < 0.2 * np.abs(TRUTH)) and found.undetermined == ()
    assert 0.55 < found.losses.min() < 1.25  # as large as the noise


@pytest.mark.slow
def test_the_report_shows_the_pore_with_its_uncertainty(fitted, tmp_path):
    data, found = fitted
    report.write(found, [], tmp_path, experiments=[data])
    assert {"pore.png", "fit.png", "correlation.png"} <= {p.name for p in tmp_path.iterdir()}
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "Along the pore" in text and "The fitted pore at 0 mV in the first solution" in text
    # The band is the error of the one parameter that has one, times the slope of the potential by it.
    alone = np.zeros((5, 5))
    alone[0, 0] = 0.01**2
    (drawn,) = along(replace(found, covariance=alone), [data])
    assert "95 % intervals" in drawn.caption
    field = drawn.figure.axes[1]
    band = field.collections[0].get_paths()[0].vertices
    bath = jax.tree.map(lambda x: x[0], data.measurement.bath)
    bath = jax.tree.map(jnp.asarray, bath)
    at = lambda q: place(found.model, jnp.asarray(found.values).at[0].add(q)).profile(jnp.asarray(0.0), bath)
    slope = (at(1e-4).potential - at(-1e-4).potential) / 2e-4
    node = int(np.argmax(np.abs(slope)))
    ends = band[np.isclose(band[:, 0], float(at(0.0).x[node]), atol=1e-9), 1]
    reach = np.ptp(ends) / 2.0 / (0.01 * abs(float(slope[node])))
    assert_allclose(reach, 2.0739, rtol=1e-3)  # Student's t of 22 degrees of freedom


@pytest.mark.slow
def test_a_profile_of_charge_is_found_when_it_is_smooth():
    count = 8
    truth = -400.0 * np.exp(-(((np.arange(count) - 2.0) / 1.5) ** 2))
    pore = Pore(np.full(count, 0.5), BULK, radius=0.6, fixed_charge=truth)
    model = PorePNP(pore, mesh=uniform(pore, 24))
    where = lambda k: lambda m: m.pore.fixed_charge[k]
    free = fit.free(*((where(k), fit.between(-1500.0, 1500.0, value=-100.0)) for k in range(count)))
    assert {p.unit for p in free.bind(model).parameters} == {"mM"}
    data = measured(model, 0.02, seed=4)
    smooth = fit.Smooth(lambda m: m.pore.fixed_charge, 100.0, count=count)
    errors = {}
    for name, experiments in (("data alone", [data]), ("smooth", [data, smooth])):
        found = fit.least_squares(experiments, model, free, key=jax.random.key(0), starts=1)
        errors[name] = np.sqrt(np.mean((found.values - truth) ** 2))
        roughness = np.sqrt(np.mean(np.diff(found.values) ** 2))
    assert errors["smooth"] < 90.0 and errors["smooth"] < 0.5 * errors["data alone"]
    assert roughness < 1.5 * np.sqrt(np.mean(np.diff(truth) ** 2))


def test_smoothness_is_the_differences():
    smooth = fit.Smooth(lambda m: m, 2.0, count=4)
    assert_allclose(smooth.residuals(jnp.asarray([1.0, 3.0, 2.0, 2.0])), [1.0, -0.5, 0.0])
    assert smooth.independent and smooth.count == 3 and smooth.prepare(None) is smooth
    assert_allclose(
        fit.Smooth(lambda m: m, 1.0, count=4, order=2).predict(jnp.asarray([1.0, 2.0, 4.0, 8.0]))[:, 0], [1, 2]
    )
    with pytest.raises(InputError, match="`sigma` must be positive, but is 0"):
        fit.Smooth(lambda m: m, 0.0, count=4)
    with pytest.raises(InputError, match="order 2 need 3 numbers or more, but `count` is 2"):
        fit.Smooth(lambda m: m, 1.0, count=2, order=2)
