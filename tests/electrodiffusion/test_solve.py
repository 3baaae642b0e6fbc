import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from pores import drawn, made, solved

from jaxmem import electrodiffusion as ed
from jaxmem.electrochemistry import Bath, Cl, K, Na
from jaxmem.electrochemistry.constant_field import ghk_flux
from jaxmem.results import RESULTS

pytestmark = pytest.mark.x64
BATH = Bath({K: 140.0, Na: 10.0, Cl: 150.0}, {K: 5.0, Na: 145.0, Cl: 150.0}, 298.15)
CONE = ed.Pore(
    [10.0, 5.0, 10.0],
    {K: 1.957, Na: 1.334, Cl: 2.032},
    radius=[3.0, 1.0, 1.0, 2.0],
    fixed_charge=[0.0, -300.0, 0.0],
    wall_charge=[-0.1, 0.0, 0.2],
)
MESH = ed.graded(CONE, BATH, cells=12)


@pytest.mark.parametrize("x", [[0.0, 0.3, 1.0, 4.0, 9.5, 10.0], np.linspace(0, 10, 41)])
def test_equal_baths_give_the_constant_field_flux_on_any_mesh(x):
    slab = ed.Pore(10.0, {K: 1.957, Na: 1.334, Cl: 2.032}, shape=ed.Planar(2.0))
    for v in (-120.0, 0.0, 45.0):
        profile = ed.solve(slab, v, BATH, mesh=ed.at(np.asarray(x), slab))
        for s, d in zip(slab.species, (1.957, 1.334, 2.032), strict=True):
            expected = ghk_flux(v, *BATH[s], s.z, 2.0 * d / 10.0, BATH.temperature)
            np.testing.assert_allclose(profile.flux[slab.species.index(s)], expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", [1, 2, pytest.param(4, marks=pytest.mark.slow)])
def test_random_pores_are_solved_without_a_negative_concentration_and_with_one_flux(kind):
    profile = solved(kind, drawn(np.random.default_rng(kind), kind, 60))
    good = np.asarray(profile.result == RESULTS.successful)
    assert good.mean() > 0.96 if kind == 1 else good.all()
    assert (np.asarray(profile.concentrations)[good] >= 0).all()
    assert (np.asarray(profile.spread)[good] < 1e-9).all()
    assert np.isnan(np.asarray(profile.current)[~good]).all()


def central(f, x, h):
    return (f(x + h) - f(x - h)) / (2 * h)


def test_the_gradient_of_the_current_is_that_of_central_differences():
    current = jax.jit(lambda pore, v, bath: ed.solve(pore, v, bath, mesh=MESH, throw=False).current)
    given = (CONE, jnp.asarray(40.0), BATH)
    gradient = jax.jit(jax.grad(current, argnums=(0, 1, 2)))(*given)
    leaves, tree = jax.tree.flatten(given)
    for i, (leaf, slope) in enumerate(zip(leaves, jax.tree.leaves(gradient), strict=True)):
        for at in np.ndindex(leaf.shape):
            step = 1e-4 * max(1.0, abs(float(leaf[at])))
            if jnp.array_equal(leaf, CONE.wall_charge):
                step = 1e-4
            changed = lambda x, i=i, at=at: [*leaves[:i], leaves[i].at[at].set(x), *leaves[i + 1 :]]
            f = lambda x, changed=changed: current(*jax.tree.unflatten(tree, changed(x)))
            x = float(leaf[at])
            found = (4 * central(f, x, step / 2) - central(f, x, step)) / 3
            assert abs(slope[at] - found) <= 1e-6 * max(abs(found), 1e-3), (i, at, float(slope[at]), float(found))


@pytest.mark.slow
def test_every_node_of_a_charge_profile_has_its_gradient():
    fine = ed.Pore(np.full(20, 0.5), {K: 1.957, Cl: 2.032}, radius=1.0, fixed_charge=-200.0 * np.sin(np.arange(20)))
    mesh = ed.graded(fine, BATH, cells=4)
    charged = lambda x: eqx.tree_at(lambda p: p.fixed_charge, fine, x)
    current = jax.jit(lambda x: ed.solve(charged(x), 60.0, BATH, mesh=mesh, throw=False).current)
    x = fine.fixed_charge
    slope = jax.jit(jax.grad(current))(x)
    for i in range(20):
        f = lambda y, i=i: current(x.at[i].set(y))
        np.testing.assert_allclose(slope[i], central(f, float(x[i]), 0.02), rtol=1e-6, atol=1e-9)


@pytest.mark.slow
def test_second_derivatives_and_forward_mode_agree():
    current = lambda v: ed.solve(CONE, v, BATH, mesh=MESH, throw=False).current
    v = jnp.asarray(30.0)
    slope = jax.jit(jax.grad(current))
    curvature = jax.jit(jax.jacfwd(jax.grad(current)))(v)
    np.testing.assert_allclose(curvature, central(slope, 30.0, 1e-2), rtol=1e-6)
    np.testing.assert_allclose(jax.jit(jax.jacfwd(current))(v), slope(v), rtol=1e-12)


def test_a_lane_that_fails_disturbs_no_other():
    def total(scale, v):
        pore = eqx.tree_at(lambda p: p.diffusion, CONE, scale * CONE.diffusion)
        profile = jax.vmap(lambda v: ed.solve(pore, v, BATH, mesh=MESH, throw=False))(v)
        good = profile.result == RESULTS.successful
        return jnp.where(good, profile.current, 0.0).sum(), (profile.current, good)

    v = jnp.array([-50.0, jnp.nan, 80.0])
    (_, (current, good)), slope = jax.value_and_grad(total, has_aux=True)(jnp.asarray(1.0), v)
    assert list(good) == [True, False, True] and jnp.isnan(current[1])
    np.testing.assert_allclose(slope, current[0] + current[2], rtol=1e-10)
    alone = ed.solve(CONE, 80.0, BATH, mesh=MESH)
    np.testing.assert_allclose(current[2], alone.current, rtol=1e-11)


def test_a_failure_says_what_to_try():
    numbers = drawn(np.random.default_rng(5), 2, 1)
    pore, bath = made(2, jax.tree.map(lambda x: x[0], numbers))
    mesh = ed.graded(pore, bath, 121)
    with pytest.raises(RuntimeError, match="raised in steps"):
        ed.solve(pore, 500.0, bath, mesh=mesh, newton=ed.Newton(most=1, attempts=2))


def test_float32_is_refused_unless_asked_for():
    pore = jax.tree.map(lambda x: x.astype(jnp.float32), CONE)
    bath = jax.tree.map(lambda x: x.astype(jnp.float32), BATH)
    with pytest.raises(ValueError, match="jax_enable_x64"):
        ed.solve(pore, 40.0, bath)
    found = ed.solve(pore, 40.0, bath, mesh=MESH, newton=ed.Newton(tolerance=1e-4))
    assert found.current.dtype == jnp.float32
    exact = ed.solve(CONE, 40.0, BATH, mesh=MESH)
    np.testing.assert_allclose(found.current, exact.current, rtol=1e-3)


@pytest.mark.slow
def test_in_float32_random_pores_are_solved_as_in_float64():
    numbers = drawn(np.random.default_rng(2), 2, 60)
    exact = solved(2, numbers)
    found = solved(2, numbers, dtype=jnp.float32, newton=ed.Newton(tolerance=1e-4))
    assert found.current.dtype == jnp.float32
    good = np.asarray(found.result == RESULTS.successful)
    assert good.sum() >= 58 and (np.asarray(found.concentrations)[good] >= 0).all()
    error = np.asarray(np.abs(found.current - exact.current) / np.abs(exact.currents).sum(1))[good]
    assert np.median(error) < 1e-6 and error.max() < 5e-3


@pytest.mark.parametrize(
    ("inside", "word"), [({K: 100.0, Na: 0.0, Cl: 90.0}, r"add up to \+10 mM"), ({K: 100.0, Cl: 100.0}, "")]
)
def test_a_bath_must_be_neutral(inside, word):
    bath = Bath(inside, {K: 10.0, Na: 0.0, Cl: 10.0}, 298.15)
    if word:
        with pytest.raises(ValueError, match=word):
            ed.solve(CONE, 0.0, bath)
    else:
        assert jnp.isfinite(ed.solve(CONE, 0.0, bath, mesh=MESH).current)


@pytest.mark.slow
def test_a_refined_mesh_keeps_its_promise():
    found = ed.refined(CONE, 100.0, BATH, 1e-3, mesh=ed.graded(CONE, BATH, cells=6))
    exact = ed.solve(CONE, 100.0, BATH, mesh=ed.graded(CONE, BATH, cells=300))
    here = ed.solve(CONE, 100.0, BATH, mesh=found)
    assert found.nodes < 400
    assert np.abs(here.flux - exact.flux).max() < 2e-3 * np.abs(exact.flux).max()
