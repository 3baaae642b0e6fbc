"""Solutions along a tree, without cells: diffusion potentials, ambipolar diffusion, positivity, conservation."""

import contextlib
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import simulate, space
from jaxmem.electrochemistry import Cl, K, Na, Species
from jaxmem.units import UM3

pytestmark = pytest.mark.x64
X = Species("X", -1)
NM, NS = 1e-3, 1e-6  # um, ms
M2_S = 1e9  # um2/ms


def slab(n, length, c, diffusivity, temperature, **more):
    """A bar of 1 um2 cross-section; concentrations by species."""
    tree = space.cylinder(length, 2.0 / np.sqrt(np.pi), n)
    phase = space.Phase(c, tree.volume, tree.bridge, diffusivity=diffusivity)
    return space.Tissue(tree, phase, temperature=temperature, **more)


def relaxing(rate, length, n, plus, minus, dt, until):
    """A salt disturbed by a half cosine, and how its amplitude decays [1/ms]."""
    x = (np.arange(n) + 0.5) / n
    c = 100.0 * (1.0 + 1e-3 * np.cos(np.pi * x))
    tissue = slab(n, length, {Na: c, X: c}, {Na: plus, X: minus}, 298.15)
    trace = simulate.current_clamp(tissue, None, [0.0, until], method=simulate.Hines(dt))
    amplitude = [2.0 * np.mean((np.asarray(v) / 100.0 - 1.0) * np.cos(np.pi * x)) for v in trace.observed["Na_outside"]]
    return np.log(amplitude[0] / amplitude[1]) / until


def test_diffusion_potential_of_a_junction_is_that_of_pnp_after_the_debye_time(shared):
    case = json.loads((shared / "reference" / "pnp" / "junction_transient.json").read_text())
    n, half = 400, case["domain_half_nm"] * NM
    c = np.where(np.arange(n) < n // 2, case["c_left_mM"], case["c_right_mM"])
    d = {Na: case["D_plus"] * M2_S, X: case["D_minus"] * M2_S}
    tissue = slab(n, 2.0 * half, {Na: c, X: c}, d, case["T_K"])
    late = [row for row in case["expected"] if row["t_ns"] >= 10.0]
    t = np.array([0.0, *(row["t_ns"] * NS for row in late)])
    trace = simulate.current_clamp(tissue, None, t, method=simulate.Hines(0.5 * NS))
    x = np.asarray(tissue.tree.distance) - half
    probe = case["probe_nm"] * NM
    for row, phi in zip(late, np.asarray(trace.observed["V_outside"])[1:], strict=True):
        difference = np.interp(probe, x, phi) - np.interp(-probe, x, phi)
        assert difference == pytest.approx(row["dphi_nonlinear_mV"], rel=case["rtol"]), row["t_ns"]
        assert difference == pytest.approx(case["electroneutral_plateau_mV"], rel=1e-3)


def test_modes_relax_by_ambipolar_diffusion(shared):
    for case in json.loads((shared / "reference" / "pnp" / "linear_modes.json").read_text()):
        rate = case["expected"]["rate_slow_electroneutral_1_s"] * 1e-3
        length = 0.5 * case["wavelength_nm"] * NM
        plus, minus = case["D_plus"] * M2_S, case["D_minus"] * M2_S
        found = relaxing(rate, length, 40, plus, minus, 1e-3 / rate, 1.0 / rate)
        assert found == pytest.approx(rate, rel=1e-3)


@pytest.mark.slow
def test_second_order_in_space_and_time():
    plus, minus, length = 1.33, 2.03, 10.0
    rate = 2.0 * plus * minus / (plus + minus) * (np.pi / length) ** 2
    find = lambda n, dt: relaxing(rate, length, n, plus, minus, dt, 8.0) / rate - 1.0
    fine, *time_errors = (find(16, dt) for dt in (0.005, 0.16, 0.08))
    coarse = find(8, 0.005)
    assert np.log2(coarse / fine) == pytest.approx(2.0, abs=0.1)
    time_errors = [x - fine for x in time_errors]
    assert np.log2(time_errors[0] / time_errors[1]) == pytest.approx(2.0, abs=0.1)


@pytest.mark.parametrize("dt", [0.01, 1.0, 50.0])
def test_positive_and_conserved_from_an_empty_half_at_any_step(dt):
    c = np.where(np.arange(20) < 10, 150.0, 0.0)
    salts = {Na: c, K: 0.02 * c[::-1], Cl: c + 0.02 * c[::-1]}
    tissue = slab(20, 10.0, salts, None, 310.15)
    t = dt * np.arange(0, 21, 5)
    long = pytest.warns(UserWarning, match="than ions need") if dt > 0.1 else contextlib.nullcontext()
    with long:
        trace = simulate.current_clamp(tissue, None, t, method=simulate.Hines(dt))
    for name in ("Na", "K", "Cl"):
        found = np.asarray(trace.observed[f"{name}_outside"])
        assert np.all(found >= 0.0), (name, found.min())
        np.testing.assert_allclose(found.sum(1), found[0].sum(), rtol=1e-12)
    charge = sum(z * np.asarray(trace.observed[f"{k}_outside"]) for k, z in (("Na", 1), ("K", 1), ("Cl", -1)))
    assert np.max(np.abs(charge)) < 1e-11


def test_an_opening_fills_the_end_to_the_bath_without_a_current():
    n, length = 40, 10.0
    tree = space.cylinder(length, 2.0 / np.sqrt(np.pi), n)
    phase = space.Phase({Na: 50.0, X: 50.0}, tree.volume, tree.bridge, diffusivity={X: 2.03})
    bath = {Na: 60.0, X: 60.0}
    clamped = [space.Opening(k, bath, 2.0 / float(tree.length[0])) for k in (0, n - 1)]
    tissue = space.Tissue(tree, phase, temperature=310.15, openings=clamped)
    trace = simulate.current_clamp(tissue, None, [0.0, 4.0, 200.0], method=simulate.Hines(0.02))
    c = np.asarray(trace.observed["Na_outside"])
    ambipolar = 2.0 * 1.33 * 2.03 / (1.33 + 2.03)
    # The profile of a slab between clamped ends: a series in exponentials.
    x, odd = np.asarray(tree.distance), np.arange(1, 60, 2)[:, None]
    k = odd * np.pi / length
    modes = 4.0 / (odd * np.pi) * np.sin(k * x) * np.exp(-ambipolar * k**2 * 4.0)
    exact = 60.0 - 10.0 * modes.sum(0)
    np.testing.assert_allclose(c[1], exact, atol=5e-3)
    np.testing.assert_allclose(c[2], 60.0, rtol=1e-6)
    np.testing.assert_allclose(trace.observed["Na_outside"], trace.observed["X_outside"], rtol=1e-11)


def test_rate_of_change_is_that_of_steps_and_of_the_fluxes_by_bernoulli():
    c = jnp.asarray([100.0, 130.0, 80.0])
    tissue = slab(3, 3.0, {Na: c, X: c}, {Na: 1.33, X: 2.03}, 300.0)
    rate = tissue.derivative(tissue.init(), jnp.zeros(()))
    u = np.asarray(tissue.drops(tissue.init()))[0]
    b = lambda x: x / np.expm1(x)
    for k, (z, d) in enumerate(((1.0, 1.33), (-1.0, 2.03))):
        to_parent = [d * UM3 * (b(z * u[i]) * float(c[i]) - b(-z * u[i]) * float(c[i - 1])) for i in (1, 2)]
        expected = [to_parent[0], to_parent[1] - to_parent[0], -to_parent[1]]
        np.testing.assert_allclose(rate.amounts[0][k], expected, rtol=1e-12)
    small = simulate.current_clamp(tissue, None, [0.0, 1e-5], method=simulate.Hines(1e-5)).state
    step = (small.amounts[0] - tissue.init().amounts[0]) / 1e-5
    np.testing.assert_allclose(step, rate.amounts[0], rtol=2e-4)


@pytest.mark.slow
def test_gradient_by_a_diffusivity():
    c = jnp.asarray([100.0, 130.0, 80.0, 90.0])

    def end(d):
        tissue = slab(4, 4.0, {Na: c, X: c}, {Na: d, X: 2.03}, 300.0)
        trace = simulate.current_clamp(tissue, None, [0.0, 1.0], method=simulate.Hines(0.05), throw=False)
        return trace.observed["V_outside"][-1, -1]

    slope = jax.grad(end)(1.33)
    assert float(slope) == pytest.approx(float((end(1.3301) - end(1.3299)) / 2e-4), rel=1e-6)
