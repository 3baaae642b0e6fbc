"""Derivatives of runs of pores, and the Jacobian that their steps rest on."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import electrodiffusion
from jaxmem._numerics.factored import factored
from jaxmem.electrochemistry import Bath, Cl, K, Species
from jaxmem.electrodiffusion import Bikerman, End, Planar, Pore, Rosenbrock
from jaxmem.electrodiffusion.command import as_command
from jaxmem.electrodiffusion.discretize import discretize
from jaxmem.electrodiffusion.moving import Moving

pytestmark = pytest.mark.x64

BATH = Bath({K: 50.0, Cl: 50.0}, {K: 10.0, Cl: 10.0}, 298.15)


MESH = electrodiffusion.at(np.linspace(0.0, 10.0, 21), Pore([4.0, 6.0], {K: 1.0}, radius=1.0))


def reading(method):
    """What has passed, and is held, after a step of the command, of a charged pore between an electrode and a bath."""

    def run(p):
        pore = Pore(
            [4.0, 6.0], {K: p[0], Cl: 2.0}, radius=[1.0, p[1]], fixed_charge=[0.0, p[2]], permittivity=[78.5, p[3]]
        )
        bath = BATH.replaced({(K, False): p[5], (Cl, False): p[5]})
        course = electrodiffusion.evolve(
            pore, ([0.3], [0.0, p[4]]), [0.2, 0.5, 1.0], bath, mesh=MESH, method=method,
            ends=(End(passes=()), End()),
        )  # fmt: skip
        return course.charge[1, 0] + course.current[2, 1] + 1e-2 * course.amount[2, 1]

    return run


POINT = jnp.array([1.5, 1.4, -40.0, 60.0, 80.0, 12.0])


@pytest.mark.slow
def test_both_modes_agree_with_finite_differences():
    run = jax.jit(reading(Rosenbrock(rtol=1e-8)))
    forward = jax.jit(jax.jacfwd(reading(Rosenbrock(rtol=1e-8))))(POINT)
    reverse = jax.jit(jax.grad(reading(Rosenbrock(rtol=1e-8, most=2_000, reverse=True))))(POINT)
    step = 1e-4 * np.asarray(POINT)
    moved = lambda k, by: float(run(POINT.at[k].add(by * step[k])))
    # Of fourth order, so that the differences are good to 1e-8.
    expected = [
        (8.0 * (moved(k, 1.0) - moved(k, -1.0)) - (moved(k, 2.0) - moved(k, -2.0))) / (12.0 * step[k]) for k in range(6)
    ]
    assert_allclose(forward, expected, rtol=1e-6)
    assert_allclose(reverse, forward, rtol=1e-9)
    assert np.all(np.abs(expected) > 1e-5)


def exchanging(c, psi, t):
    """A reaction at each node, and a flow that depends on both neighbors, as across a membrane."""
    rate = 1e-2 * c[0] * c[1] * (1.0 + 0.1 * jnp.sin(t))
    across = 0.1 * (c[:, 1:] ** 2 - c[:, :-1]) * jnp.exp(1e-2 * (psi[1:] - psi[:-1]))[None]
    none = jnp.zeros_like(c[:, :1])
    return jnp.stack([-rate, rate]) + jnp.concatenate([across, none], 1) - jnp.concatenate([none, across], 1)


@pytest.mark.parametrize("steric", [None, pytest.param(Bikerman(jnp.array([0.5, 0.7])), marks=pytest.mark.slow)])
@pytest.mark.parametrize("ends", [(End(), End(passes=())), (End(passes=()), End(passes=()))])
def test_the_jacobian_of_a_step_is_that_of_its_rows(steric, ends):
    pore = Pore([3.0, 4.0], {K: 1.0, Cl: 2.0}, radius=[1.0, 2.0, 1.5], fixed_charge=[0.0, 30.0])
    mesh = electrodiffusion.uniform(pore, 7)
    system = dataclasses.replace(discretize(pore, mesh, 30.0, BATH, ends, steric=steric), counted=False)
    moving = Moving(system, as_command(30.0, jnp.float64), jnp.asarray(25.0), exchanging)
    x = 0.5 + jnp.asarray(np.random.default_rng(1).uniform(size=(3 if steric is None else 4, 8)))
    t, none = jnp.asarray(0.3), jnp.asarray(0)
    size, nodes = x.shape
    dense = jax.jacfwd(lambda x: moving.rows(x, t, none))(x)
    matrix = moving.jacobian(x, t, jnp.asarray(2.0))
    for place in range(nodes):
        for offset, block in ((-1, matrix.lower), (0, matrix.diagonal), (1, matrix.upper)):
            if 0 <= place + offset < nodes:
                expected = np.array(dense[:, place, :, place + offset])
                if offset == 0:
                    expected[:2, :2] += 2.0 * np.diag(moving.inertia[:, place])
                assert_allclose(block[place], expected, rtol=1e-10, atol=1e-10)
    b = jnp.asarray(np.random.default_rng(2).normal(size=(nodes, size)))
    assert_allclose(matrix @ factored(matrix).solve(b), b, atol=1e-9)


def test_a_reaction_follows_its_own_law():
    a, b = Species("A", 0), Species("B", 0)
    bath = Bath({a: 1.0, b: 0.0}, {a: 1.0, b: 0.0}, 298.15)
    pore = Pore(4.0, {a: 1.0, b: 3.0}, shape=Planar(1.0))
    mesh = electrodiffusion.uniform(pore, 4)
    volume = jnp.array([0.5, 1.0, 1.0, 1.0, 0.5])
    turning = lambda c, psi, t: volume[None] * jnp.stack([0.3 * c[1] - 0.7 * c[0], 0.7 * c[0] - 0.3 * c[1]])
    t = np.linspace(0.0, 3.0, 5)
    course = electrodiffusion.evolve(
        pore, 0.0, t, bath, mesh=mesh, ends=(End(passes=()), End(passes=())), start=jnp.array([[1.0] * 5, [0.0] * 5]),
        source=turning, method=Rosenbrock(rtol=1e-9),
    )  # fmt: skip
    expected = np.broadcast_to((0.3 + 0.7 * np.exp(-t))[:, None], (5, 5))
    assert_allclose(course[a], expected, rtol=1e-8)
    assert_allclose(course.amount.sum(1), 4.0, rtol=1e-14)
