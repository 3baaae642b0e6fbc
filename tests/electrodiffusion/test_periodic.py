import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import electrodiffusion as ed
from jaxmem import units
from jaxmem.electrochemistry import Bath, Cl, K
from jaxmem.permeation import PorePNP
from jaxmem.results import RESULTS, InputError

pytestmark = pytest.mark.x64
DIFFUSION = {K: 1.957, Cl: 2.032}
SALT = Bath({K: 100.0, Cl: 100.0}, {K: 100.0, Cl: 100.0}, 298.15)
LENGTHS, RADII = [3.0, 4.0, 2.0], [1.0, 1.5, 0.8, 1.0]


def volumes():
    first, last = np.array(RADII[:-1]), np.array(RADII[1:])
    return np.array(LENGTHS) / 3.0 * (first**2 + first * last + last**2)


def period(first, charge=300.0):
    """One period of a pore of three segments, of which two are oppositely charged, from one of them on."""
    v = volumes()
    fixed = [charge * v[1] / v[0], -charge, 0.0]
    turned = lambda x: [*x[first:], *x[:first]]
    radii = turned(RADII[:-1])
    return ed.Pore(turned(LENGTHS), DIFFUSION, radius=[*radii, radii[0]], fixed_charge=jnp.stack(turned(fixed)))


def around(pore, v, **how):
    return ed.solve(pore, v, SALT, mesh=ed.graded(period(0), SALT, cells=24), ends=ed.PERIODIC, throw=False, **how)


def test_where_a_period_begins_makes_no_difference():
    for v in (0.0, 300.0):
        one, other = (
            ed.solve(p, v, SALT, mesh=ed.graded(p, SALT, cells=24), ends=ed.PERIODIC) for p in (period(0), period(1))
        )
        np.testing.assert_allclose(one.currents, other.currents, rtol=1e-11, atol=1e-11)
        # The first node of one is the 48th of the other.
        np.testing.assert_allclose(one.concentrations[:, 0], other.concentrations[:, 48], rtol=1e-11)
        np.testing.assert_allclose(one.charge.sum(), 0.0, atol=1e-12)  # nothing holds the potential but neutrality


def test_a_pore_without_charge_conducts_as_its_ions_diffuse():
    slab = ed.Pore(10.0, DIFFUSION, shape=ed.Planar(2.0))
    profile = ed.solve(slab, 40.0, SALT, mesh=ed.uniform(slab, 16), ends=ed.PERIODIC, filling={K: 30.0, Cl: 30.0})
    d = np.array(list(DIFFUSION.values()))
    expected = units.PORE_CURRENT * d * 30.0 * 2.0 / 10.0 * 40.0 / float(units.thermal_voltage(298.15))
    np.testing.assert_allclose(profile.currents, expected, rtol=1e-12)


@pytest.mark.slow
def test_at_rest_half_a_symmetric_period_is_a_closed_cell():
    charged = ed.Pore([2.0, 4.0, 2.0], DIFFUSION, shape=ed.Planar(1.0), fixed_charge=[-200.0, 200.0, -200.0])
    half = ed.Pore([2.0, 2.0], DIFFUSION, shape=ed.Planar(1.0), fixed_charge=[-200.0, 200.0])
    whole = ed.solve(charged, 0.0, SALT, mesh=ed.graded(charged, SALT, cells=[20, 40, 20]), ends=ed.PERIODIC)
    walls = (ed.End(passes=()), ed.End(passes=(), contact=ed.Charged(0.0)))
    closed = ed.solve(half, 0.0, SALT, mesh=ed.graded(half, SALT, cells=[20, 20]), ends=walls)
    np.testing.assert_allclose(whole.concentrations[:, 0], closed.concentrations[:, 0], rtol=1e-3)
    assert abs(float(whole.currents[0])) < 1e-12


@pytest.mark.slow
def test_gradients_are_those_of_differences():
    current = jax.jit(lambda charge, v: around(period(0, charge), v).current)
    slope = jax.jit(jax.grad(current, (0, 1)))
    charge, v = jnp.asarray(300.0), jnp.asarray(40.0)
    difference = lambda f, h: (f(h) - f(-h)) / (2.0 * h)
    found = slope(charge, v)
    np.testing.assert_allclose(found[0], difference(lambda h: current(charge + h, v), 0.1), rtol=1e-6)
    np.testing.assert_allclose(found[1], difference(lambda h: current(charge, v + h), 0.01), rtol=1e-6)
    curved = jax.jit(jax.jacfwd(slope))(charge, v)[0]
    np.testing.assert_allclose(curved, difference(lambda h: slope(charge + h, v)[0], 0.1), rtol=1e-6)


def test_a_wave_of_salt_spreads_and_one_of_charge_relaxes():
    equal = {K: 2.0, Cl: 2.0}
    slab = ed.Pore(50.0, equal, shape=ed.Planar(1.0))
    mesh = ed.uniform(slab, 64)
    k = 2.0 * np.pi / 50.0
    kappa = 1.0 / float(ed.debye_lengths(slab, SALT)[0])
    discrete = (2.0 - 2.0 * np.cos(k * 50.0 / 64.0)) * (64.0 / 50.0) ** 2  # of the mesh in place of k^2
    x = np.asarray(mesh.positions(slab))
    t = jnp.array([0.0, 1e-3, 0.5])
    run = eqx.filter_jit(
        lambda start: ed.evolve(slab, 0.0, t, SALT, mesh=mesh, ends=ed.PERIODIC, start=start, throw=False)
    )
    for sign, rate, sample in ((1.0, 2.0 * discrete, 2), (-1.0, 2.0 * (discrete + kappa**2), 1)):
        for phase in (0.0, 0.7):
            wave = 1e-3 * np.cos(k * x + phase)
            found = run(100.0 * np.stack([1.0 + wave, 1.0 + sign * wave]))
            left = found[K][sample] / 100.0 - 1.0
            np.testing.assert_allclose(left, wave * np.exp(-rate * float(t[sample])), atol=2e-7)
            np.testing.assert_allclose(found.amount, np.tile(found.amount[:1], (3, 1)), rtol=1e-14)


@pytest.mark.slow
def test_in_time_a_charged_period_comes_to_its_steady_state_in_either_cut():
    t = jnp.array([0.0, 0.3, 200.0])
    runs = [
        ed.evolve(p, 300.0, t, SALT, mesh=ed.graded(p, SALT, cells=24), ends=ed.PERIODIC)
        for p in (period(0), period(1))
    ]
    np.testing.assert_allclose(runs[0][K][1, 0], runs[1][K][1, 48], rtol=1e-6)
    steady = around(period(0), 300.0)
    np.testing.assert_allclose(runs[0].current[-1], steady.current, rtol=1e-6)
    np.testing.assert_allclose(runs[0].concentrations[-1], steady.concentrations, rtol=1e-5)
    np.testing.assert_allclose(runs[0].amount, np.tile(runs[0].amount[:1], (3, 1)), rtol=1e-13)
    more = eqx.tree_at(lambda p: p.fixed_charge, period(0), jnp.array([100.0, 0.0, 0.0]))
    with pytest.raises(RuntimeError, match="must be neutral"):
        ed.evolve(more, 300.0, t, SALT, mesh=ed.graded(period(0), SALT, cells=24), ends=ed.PERIODIC)


@pytest.mark.slow
def test_sources_at_either_end_stay_and_must_bring_no_charge():
    slab = ed.Pore(10.0, DIFFUSION, shape=ed.Planar(1.0))
    mesh, t = ed.uniform(slab, 16), jnp.array([0.0, 2.0])
    crowded = ed.Bikerman(jnp.array([0.4, 0.4]))
    each = lambda factors: lambda c, psi, t: jnp.ones_like(c) * jnp.array(factors)[:, None]
    run = lambda factors: ed.evolve(
        slab, 40.0, t, SALT, mesh=mesh, ends=ed.PERIODIC, source=each(factors), steric=crowded, throw=False
    )
    found = run([0.3, 0.3])
    np.testing.assert_allclose(found.amount[1] - found.amount[0], 0.3 * 17 * 2.0, rtol=1e-9)
    np.testing.assert_allclose(found.concentrations[1, :, 0], found.concentrations[1, :, -1], rtol=1e-13)
    assert run([0.3, 0.0]).result == RESULTS.pore_charged


@pytest.mark.slow
def test_many_periods_at_once_are_those_alone():
    mesh = ed.graded(period(0), SALT, cells=24)
    charges = jnp.array([-300.0, 0.0, 800.0])
    one = lambda charge: ed.solve(period(0, charge), 40.0, SALT, mesh=mesh, ends=ed.PERIODIC, throw=False).currents
    np.testing.assert_allclose(jax.jit(jax.vmap(one))(charges)[2], one(charges[2]), rtol=1e-11)


def test_what_needs_two_baths_refuses_a_ring():
    with pytest.raises(InputError, match="two baths"):
        ed.reversal_potential(period(0), SALT, ends=ed.PERIODIC)
    with pytest.raises(InputError, match="two baths"):
        PorePNP(period(0), ends=ed.PERIODIC)
    shell = ed.Pore(1.0, DIFFUSION, shape=ed.Spherical(1.0))
    with pytest.raises(InputError, match="tube or a slab"):
        ed.solve(shell, 0.0, SALT, ends=ed.PERIODIC)


@pytest.mark.slow
def test_at_a_low_frequency_the_impedance_is_the_slope_of_the_current():
    mesh = ed.graded(period(0), SALT, cells=24)
    z = ed.impedance(period(0), 300.0, SALT, [1e-7], mesh=mesh, ends=ed.PERIODIC)
    slope = jax.jit(jax.grad(lambda v: around(period(0), v).current))(300.0)
    np.testing.assert_allclose(z[0].real, 1.0 / slope, rtol=1e-6)


def test_a_period_must_be_neutral():
    charged = eqx.tree_at(lambda p: p.fixed_charge, period(0), jnp.array([100.0, 0.0, 0.0]))
    assert around(charged, 0.0).result == RESULTS.pore_charged
    with pytest.raises(RuntimeError, match="must be neutral"):
        ed.solve(charged, 0.0, SALT, mesh=ed.graded(charged, SALT, cells=24), ends=ed.PERIODIC)
    filled = ed.solve(
        charged, 0.0, SALT, mesh=ed.graded(charged, SALT, cells=24), ends=ed.PERIODIC,
        filling={K: 0.0, Cl: 100.0 * volumes()[0] / volumes().sum()},
    )  # fmt: skip
    assert jnp.isfinite(filled.current)
