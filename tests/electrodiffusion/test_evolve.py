"""Poisson-Nernst-Planck in time, against relaxations known in closed form or computed by other methods."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from jaxmem import electrodiffusion
from jaxmem.electrochemistry import Bath, Cl, K
from jaxmem.electrodiffusion import Bikerman, Charged, End, Planar, Pore, Rosenbrock
from jaxmem.results import InputError
from jaxmem.units import E0, EPSILON0, N_A, F, R

pytestmark = pytest.mark.x64

BLOCKING = End(passes=())
CELL = (BLOCKING, BLOCKING)
LOOSE = (BLOCKING, End(passes=(), contact=Charged(0.0)))  # no field reaches either end of a neutral cell
NODES = 201  # the same everywhere, as the numbers of segments and samples are, so that runs share what is compiled
USUAL, TIGHT = Rosenbrock(), Rosenbrock(rtol=1e-9)


def salt(c, temperature=298.15):
    return Bath({K: c, Cl: c}, {K: c, Cl: c}, temperature)


def slab(length, d=(2.0, 2.0), **other):
    """A slab of two halves."""
    return Pore([0.5 * length, 0.5 * length], {K: d[0], Cl: d[1]}, shape=Planar(1.0), **other)


def evolve(pore, command, t, bath, x, start, ends=CELL, method=USUAL):
    start = jnp.broadcast_to(jnp.asarray(start), (2, len(x)))
    mesh = electrodiffusion.at(x, pore)
    return electrodiffusion.evolve(pore, command, t, bath, mesh=mesh, ends=ends, start=start, method=method)


def debye_length(c, permittivity=78.5, temperature=298.15):
    return np.sqrt(EPSILON0 * permittivity * R * temperature / (F * F * 2.0 * c)) * 1e9


def fine_at_ends(length, first):
    """NODES places whose distance grows from both ends."""
    n = NODES - 1
    place = lambda b, i: np.tanh(b * i) / np.tanh(b)
    b = brentq(lambda b: 0.5 * length * (1.0 - place(b, 1.0 - 2.0 / n)) - first, 1e-4, 20.0)
    x = 0.5 * length * (1.0 + place(b, np.linspace(-1.0, 1.0, NODES)))
    x[0], x[-1] = 0.0, length
    return x


def fine_in_the_middle(length, first):
    n = (NODES - 1) // 2
    b = brentq(lambda b: 0.5 * length * np.sinh(b / n) / np.sinh(b) - first, 1e-3, 30.0)
    away = 0.5 * length * np.sinh(b * np.linspace(0.0, 1.0, n + 1)) / np.sinh(b)
    away[-1] = 0.5 * length
    return np.concatenate([0.5 * length - away[::-1], 0.5 * length + away[1:]])


def even(length):
    return np.linspace(0.0, length, NODES)


def padded(times):
    """Eight samples of which the last ones are those asked for."""
    return np.concatenate([np.linspace(0.0, times[0], 9 - len(times))[:-1], times])


def reference(shared, name):
    return json.loads((shared / "reference" / "pnp" / f"{name}.json").read_text())


def test_linear_charging_of_the_debye_layers(shared):
    for case in reference(shared, "debye_charging_linear"):
        c0, half, debye = case["c0_mM"], case["half_gap_nm"], case["lambda_D_nm"]
        pore, bath = slab(2.0 * half, permittivity=case["eps_r"]), salt(c0, case["T_K"])
        unit = R * case["T_K"] / F * 1e3
        x = fine_at_ends(2.0 * half, 0.04 * debye)
        t = np.array([row["t_s"] for row in case["expected"]]) * 1e9
        course = evolve(pore, 2e-3 * unit, t, bath, x, c0)
        last = EPSILON0 * case["eps_r"] * 1e-3 * unit * 1e-12 / debye / np.tanh(half / debye) / E0
        assert_allclose(course.charge[:, 0] / last, [row["q_over_qinf"] for row in case["expected"]], rtol=case["rtol"])
        assert_allclose(course.charge[:, 1], -course.charge[:, 0], rtol=1e-9)
        # The slowest mode: 0.9479 lambda_D L/D, not lambda_D L/D.
        slow = case["tau_exact_s"] * 1e9
        late = evolve(pore, 2e-3 * unit, slow * np.linspace(3.0, 6.5, 8), bath, x, c0, method=TIGHT)
        tau = -slow * 3.5 / np.log(late.current[-1, 0] / late.current[0, 0])
        assert_allclose(tau, slow, rtol=case["rtol"])
        assert_allclose(slow / case["tau_RC_s"] * 1e-9, case["tau_exact_over_tauRC"], rtol=1e-9)


def test_charging_far_beyond_the_linear(shared):
    c0, debye = 1.0, debye_length(1.0)
    for case in reference(shared, "debye_charging_nonlinear")["cases"]:
        half = debye / case["eps"]
        t = padded(np.array([row["t_over_tauRC"] for row in case["rows"]]) * debye * half)
        v = 2.0 * case["v"] * R * 298.15 / F * 1e3
        course = evolve(slab(2.0 * half, (1.0, 1.0)), v, t, salt(c0), fine_at_ends(2.0 * half, 0.04 * debye), c0)
        rows = slice(8 - len(case["rows"]), 8)
        q = course.charge[rows, 0] / (2.0 * c0 * debye * N_A * 1e-27)
        assert_allclose(q, [row["q"] for row in case["rows"]], rtol=8e-4)
        middle = jnp.mean(course.concentrations[rows, :, NODES // 2], 1) / c0
        assert_allclose(middle, [row["c_mid"] for row in case["rows"]], rtol=2e-4)
        assert_allclose(course.amount, jnp.broadcast_to(course.amount[:1], (8, 2)), rtol=2e-15)


def test_modes_of_unequal_ions(shared):
    for case in reference(shared, "linear_modes"):
        c0, length = case["c0_mM"], 0.5 * case["wavelength_nm"]
        d = np.array([case["D_plus"], case["D_minus"]]) * 1e9
        pore, x = slab(length, d, permittivity=case["eps_r"]), even(length)
        k, screening = np.pi / length, 0.5 / case["lambda_D_nm"] ** 2
        rates, modes = np.linalg.eig(
            [[d[0] * (k * k + screening), -d[0] * screening], [-d[1] * screening, d[1] * (k * k + screening)]]
        )
        expected = case["expected"]
        assert_allclose(np.sort(rates) * 1e9, [expected["rate_slow_1_s"], expected["rate_fast_1_s"]], rtol=1e-8)
        for rate, mode in zip(rates, modes.T, strict=True):
            start = c0 * (1.0 + 1e-6 * mode[:, None] * np.cos(k * x))
            t = np.linspace(0.0, 2.0, 8) / rate
            course = evolve(pore, 0.0, t, salt(c0, case["T_K"]), x, start, LOOSE, Rosenbrock(rtol=1e-11))
            weight = np.cos(k * x) * np.r_[0.5, np.ones(NODES - 2), 0.5]
            size = np.asarray(course.concentrations - c0) @ weight
            assert_allclose(-np.log(size[-1] / size[0]) / t[-1], np.full(2, rate), rtol=2e-4)
            if rate == rates.min():
                assert_allclose(size[:, 1] / size[:, 0], expected["ratio_dcminus_dcplus_slow_mode"], rtol=1e-4)


def test_a_junction_potential_builds_up(shared):
    case = reference(shared, "junction_transient")
    half = case["domain_half_nm"]
    pore = slab(2.0 * half, (case["D_plus"] * 1e9, case["D_minus"] * 1e9), permittivity=case["eps_r"])
    x = fine_in_the_middle(2.0 * half, 0.1 * case["lambda_D_nm"])
    left, right = case["c_left_mM"], case["c_right_mM"]
    start = np.where(x < half, left, right)
    start[NODES // 2] = 0.5 * (left + right)
    t = padded(np.array([row["t_ns"] for row in case["expected"]]))
    bath = Bath({K: left, Cl: left}, {K: right, Cl: right}, case["T_K"])
    course = evolve(pore, 0.0, t, bath, x, start, LOOSE)
    at = lambda place: np.array([np.interp(half + place, x, row) for row in course.potential])
    rise = (at(case["probe_nm"]) - at(-case["probe_nm"]))[8 - len(case["expected"]) :]
    assert_allclose(rise, [row["dphi_nonlinear_mV"] for row in case["expected"]], rtol=1e-5)


def test_ions_spread_into_water_without_any():
    x = even(20.0)
    start = np.where(np.arange(NODES) < 101, 100.0, 0.0)
    t = [0.001, 0.01, 0.03, 0.1, 1.0, 10.0, 100.0, 1000.0]
    course = evolve(slab(20.0, (2.0, 1.0)), 0.0, t, salt(50.0), x, start, LOOSE)
    assert np.min(course.concentrations) >= 0.0
    assert np.min(course.concentrations[0]) < 1e-6
    assert_allclose(course.amount, 1005.0, rtol=1e-13)
    assert_allclose(course.concentrations[-1], 1005.0 / 20.0, rtol=1e-6)


def test_free_energy_falls():
    x = even(20.0)
    volume = np.r_[0.5, np.ones(NODES - 2), 0.5] * (20.0 / (NODES - 1))
    start = np.stack([20.0 + 15.0 * np.cos(0.5 * np.pi * x), 20.0 + 10.0 * np.sin(0.3 * np.pi * x)])
    start[1] *= (start[0] @ volume) / (start[1] @ volume)
    kappa = F * F * 1e-18 / (EPSILON0 * R * 298.15)
    last = np.inf
    for t in (np.linspace(0.0, 0.5, 8), np.linspace(0.6, 20.0, 8)):
        course = evolve(slab(20.0, (2.0, 1.0)), 0.0, t, salt(20.0), x, start, method=TIGHT)
        c = np.asarray(course.concentrations)
        rise = np.diff(np.asarray(course.potential) * F / (R * 298.15) * 1e-3, axis=1)
        energy = np.sum(volume * c * np.log(c), (1, 2)) + np.sum(0.5 * 78.5 / np.diff(x) / kappa * rise**2, 1)
        assert np.all(np.diff(np.append(last, energy)) < 0.0)
        last = energy[-1]


def test_a_run_that_cannot_go_on_says_so():
    given = slab(20.0, (2.0, 1.0)), 100.0, np.linspace(0.1, 1.0, 8), salt(20.0), even(20.0), 20.0
    with pytest.raises(RuntimeError, match="did not come to its end"):
        evolve(*given, method=Rosenbrock(rtol=1e-40))


def swinging(t):
    return 100.0 * jnp.sin(3.0 * t)


def test_order_of_the_steps_is_five():
    run = lambda dt: evolve(
        slab(20.0, (2.0, 1.0)), swinging, [1.6, 6.4], salt(10.0), np.linspace(0.0, 20.0, 7), 10.0,
        method=Rosenbrock(dt=dt),
    )  # fmt: skip
    exact = run(0.003125)
    error = lambda course, what: np.max(np.abs(getattr(course, what) - getattr(exact, what)))
    found = np.array([[error(run(dt), what) for what in ("concentrations", "charge")] for dt in (0.1, 0.05, 0.025)])
    assert np.all(np.log2(found[:-1] / found[1:]) > 4.6)


def kept(steps):
    course = evolve(
        slab(20.0, (2.0, 1.0)), swinging, [0.005 * steps, 0.01 * steps], salt(10.0), np.linspace(0.0, 20.0, 7), 10.0,
        method=Rosenbrock(dt=0.01),
    )  # fmt: skip
    assert int(course.steps[-1]) == steps
    assert np.ptp(course.concentrations[-1]) > 1.0
    assert_allclose(course.amount, 200.0, rtol=1e-13)


def test_amounts_are_kept_over_two_thousand_steps():
    kept(2_000)


@pytest.mark.slow
def test_amounts_are_kept_over_a_hundred_thousand_steps():
    kept(100_000)


def test_current_charges_the_ends():
    pore = slab(20.0, (2.0, 1.0), fixed_charge=5.0)
    mesh = electrodiffusion.graded(pore, salt(10.0), 61)
    t = np.linspace(0.0, 2.0, 401)
    given = dict(mesh=mesh, ends=CELL, filling={K: 10.0, Cl: 15.0}, method=TIGHT)
    course = electrodiffusion.evolve(pore, swinging, t, salt(10.0), **given)
    assert_allclose(course.current[:, 0], course.current[:, 1], atol=1e-9 * np.max(course.current))
    simpson = np.r_[1.0, np.tile([4.0, 2.0], 199), 4.0, 1.0] * (t[1] - t[0]) / 3.0
    passed = simpson @ np.asarray(course.current[:, 0]) * 1e-21 / E0
    assert_allclose(course.charge[-1, 0] - course.charge[0, 0], passed, rtol=1e-6)
    # Gauss: ends and what is between them are neutral.
    inside = (course.amount[:, 0] - course.amount[:, 1] + 5.0 * 20.0) * N_A * 1e-27
    assert_allclose(course.charge.sum(1) + inside, 0.0, atol=1e-12)


def test_steps_in_a_charged_pore_end_in_its_steady_state():
    bath = Bath({K: 100.0, Cl: 100.0}, {K: 20.0, Cl: 20.0}, 298.15)
    pore = Pore([5.0, 10.0], {K: 1.957, Cl: 2.032}, radius=[2.0, 1.0, 3.0], wall_charge=[0.0, -0.2])
    mesh = electrodiffusion.graded(pore, bath, 81)
    command = ([1.0, 500.0], [-50.0, 100.0, 20.0])
    course = electrodiffusion.evolve(pore, command, [0.0, 1.0, 499.9, 1000.0], bath, mesh=mesh)
    for sample, v in ((0, -50.0), (2, 100.0), (3, 20.0)):
        steady = electrodiffusion.solve(pore, v, bath, mesh=mesh)
        assert_allclose(course.concentrations[sample], steady.concentrations, rtol=1e-6)
        assert_allclose(course.potential[sample], steady.potential, atol=1e-6 * abs(v))
        assert_allclose(course.current[sample], jnp.full(2, steady.current), rtol=1e-6)
    # Just after a step concentrations are those before it, and the potential has jumped.
    assert_allclose(course.concentrations[1], course.concentrations[0], rtol=1e-9)
    assert_allclose(course.potential[1, 0], 100.0)
    assert np.abs(course.charge[1] - course.charge[0]).min() > 0.01


def test_a_membrane_keeps_the_sides_apart():
    closed = {K: [1.0, 0.0, 1.0], Cl: [1.0, 0.0, 1.0]}
    pore = Pore(
        [15.0, 5.0, 15.0], {K: 2.0, Cl: 1.0}, shape=Planar(1.0), permittivity=[78.5, 2.0, 78.5], partition=closed
    )
    mesh = electrodiffusion.uniform(pore, 140)
    given = dict(mesh=mesh, ends=CELL, filling={K: 120.0, Cl: 120.0})
    course = electrodiffusion.evolve(pore, 700.0, [0.0, 1.0, 50.0, 200.0], salt(150.0), **given)
    volume = np.full(61, 0.25)
    volume[[0, -1]] = 0.125
    assert_allclose(course.concentrations[..., :61] @ volume, 15.0 * 120.0, rtol=1e-12)
    assert np.ptp(course.concentrations[-1, 0, :61]) > 1.0
    # Two diffuse layers on each side, and the membrane between, all hold the same charge.
    assert_allclose(course.current[-1], 0.0, atol=1e-6 * np.abs(course.current[1]).max())


@pytest.mark.slow
def test_crowded_ions():
    pore = Pore(10.0, {K: 2.0, Cl: 2.0}, shape=Planar(1.0))
    mesh = electrodiffusion.graded(pore, salt(100.0), 81)
    crowding = Bikerman(jnp.array([0.8, 0.8]))
    given = dict(mesh=mesh, ends=CELL, steric=crowding, filling={K: 100.0, Cl: 100.0})
    course = electrodiffusion.evolve(pore, 600.0, [0.01, 0.1, 1.0, 100.0], salt(100.0), **given)
    steady = electrodiffusion.solve(pore, 600.0, salt(100.0), **given)
    assert_allclose(course.concentrations[-1], steady.concentrations, rtol=1e-5)
    assert np.max(course.concentrations.sum(1)) < 1.0 / float(crowding.volume[0])
    assert_allclose(course.amount, 1000.0, rtol=1e-12)


@pytest.mark.slow
def test_many_at_once():
    run = lambda v: evolve(slab(20.0, (2.0, 1.0)), v, [0.1, 1.0], salt(10.0), np.linspace(0.0, 20.0, 7), 10.0)
    several = jax.vmap(run)(jnp.array([10.0, 200.0]))
    for lane, v in enumerate((10.0, 200.0)):
        assert_allclose(several.concentrations[lane], run(v).concentrations, rtol=1e-11)


def test_refusals():
    pore, bath = slab(20.0), salt(10.0)
    run = lambda *given, **other: electrodiffusion.evolve(pore, *given, bath, **other)
    with pytest.raises(InputError, match="held at one end"):
        run(0.0, [1.0], ends=(End(contact=Charged()), End(contact=Charged())))
    with pytest.raises(InputError, match="increase"):
        run(0.0, [1.0, 1.0])
    with pytest.raises(InputError, match="one more"):
        run(([1.0], [0.0, 1.0, 2.0]), [1.0])
    with pytest.raises(InputError, match="decrease"):
        run(([1.0, 0.5], [0.0, 1.0, 2.0]), [1.0])
    with pytest.raises(InputError, match="shape"):
        run(0.0, [1.0], start=np.ones((2, 3)))
    with pytest.raises(InputError, match="positive"):
        Rosenbrock(dt=-1.0)
