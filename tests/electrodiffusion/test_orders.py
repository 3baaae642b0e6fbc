"""Order in space of every kind of pore, against closed forms or a mesh twice as fine; exactness in a constant field."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import electrodiffusion as ed
from jaxmem.electrochemistry import Bath, Cl, K, Na
from jaxmem.electrochemistry.constant_field import ghk_current
from jaxmem.electrodiffusion import Bikerman, Charged, End, Planar, Pore, Spherical, Stern
from jaxmem.units import PORE_CURRENT, F

pytestmark = pytest.mark.x64

D = {K: 1.957, Cl: 2.032}
T = 298.15
SALT = Bath({K: 100.0, Cl: 100.0}, {K: 100.0, Cl: 100.0}, T)
GRADIENT = Bath({K: 200.0, Cl: 200.0}, {K: 50.0, Cl: 50.0}, T)
BLOCKED = End(passes=())


def current(profile):
    return profile.current


def end_charge(profile):
    return profile.charge[0]


def first_potential(profile):
    return profile.potential[0]


#: What is solved, at which voltage, between which baths, with what else, on how many edges at first, and what is read.
KINDS = {
    "charged slab": (Pore(10.0, D, shape=Planar(1.0), fixed_charge=-300.0), 60.0, GRADIENT, {}, 64, current),
    "cone": (Pore(20.0, D, radius=[1.0, 4.0], wall_charge=-0.1), 80.0, SALT, {}, 64, current),
    "step of permittivity": (
        Pore([3.0, 2.0, 3.0], D, shape=Planar(1.0), permittivity=[78.5, 10.0, 78.5], fixed_charge=[0.0, -100.0, 0.0]),
        50.0,
        GRADIENT,
        {},
        64,
        current,
    ),
    "compact layer": (
        Pore(8.0, D, shape=Planar(1.0)),
        120.0,
        SALT,
        {"ends": (End(passes=(), contact=Stern(0.5, 0.05)), End())},
        64,
        end_charge,
    ),
    "charged wall": (
        Pore(8.0, D, shape=Planar(1.0)),
        0.0,
        SALT,
        {"ends": (End(passes=(), contact=Charged(-0.2)), End())},
        128,
        first_potential,
    ),
    "crowded ions": (
        Pore(8.0, D, shape=Planar(1.0)),
        150.0,
        SALT,
        {"ends": (BLOCKED, End()), "steric": Bikerman(jnp.array([0.5, 0.5]))},
        128,
        end_charge,
    ),
    "sphere": (Pore(12.0, D, shape=Spherical(3.0)), 70.0, GRADIENT, {}, 64, current),
    "blocking cell": (Pore(12.0, D, shape=Planar(1.0)), 90.0, SALT, {"ends": (BLOCKED, BLOCKED)}, 64, end_charge),
}
QUICK = ("cone",)  # each compiles three programs


def reading(name, cells):
    pore, v, bath, more, _, read = KINDS[name]
    newton = ed.Newton(coarse=None)
    solve = lambda mesh: read(ed.solve(pore, v, bath, mesh=mesh, newton=newton, throw=False, **more))
    quickly = jax.jit(solve, compiler_options={"xla_backend_optimization_level": 0})
    return float(quickly(ed.uniform(pore, cells)))


@pytest.mark.parametrize("name", [pytest.param(k, marks=pytest.mark.slow) if k not in QUICK else k for k in KINDS])
def test_errors_fall_by_four_as_edges_are_halved(name):
    first = KINDS[name][4]
    found = [reading(name, n) for n in (first, 2 * first, 4 * first)]
    order = np.log2((found[0] - found[1]) / (found[1] - found[2]))
    assert 1.8 < order < 2.2
    # The error is there to be measured: above rounding, and small.
    assert 1e-9 < abs(found[1] / found[2] - 1.0) < 2e-2


@pytest.mark.slow
def test_a_charged_wall_converges_to_the_grahame_equation():
    from jaxmem.electrochemistry import surface_potential

    psi = float(surface_potential(-0.2, SALT.inside, T))
    errors = [reading("charged wall", n) - psi for n in (128, 256, 512)]
    assert 1.8 < np.log2(errors[0] / errors[1]) < 2.2 and 1.8 < np.log2(errors[1] / errors[2]) < 2.2
    assert abs(errors[2]) < 1e-3 * abs(psi)


@pytest.mark.slow
def test_a_long_shell_converges_to_the_laws_of_diffusion():
    """One salt at equal concentrations through a shell: Ohm's law of a sphere, to rounding on any mesh."""
    pore = Pore(400.0, D, shape=Spherical(400.0))
    v = 10.0
    profile = ed.solve(pore, v, SALT, mesh=ed.uniform(pore, 400))
    resistance = (1.0 / 400.0 - 1.0 / 800.0) / (4.0 * np.pi)
    ohm = PORE_CURRENT * sum(D.values()) * 100.0 * v / (8.314462618 * T / 96485.33212 * 1e3) / resistance
    np.testing.assert_allclose(profile.current, ohm, rtol=1e-9)


def test_constant_field_is_exact_on_any_mesh():
    d = {K: 1.957, Na: 1.334, Cl: 0.3}
    bath = Bath({K: 140.0, Na: 10.0, Cl: 150.0}, {K: 5.0, Na: 145.0, Cl: 150.0}, T)
    pore = Pore(10.0, d, shape=Planar(1.0))
    rng = np.random.default_rng(1)
    v = jnp.array([-130.0, -20.0, 0.0, 75.0])
    solve = jax.jit(
        lambda v, mesh: jax.vmap(lambda v: ed.solve(pore, v, bath, mesh=mesh, throw=False).currents)(v),
        compiler_options={"xla_backend_optimization_level": 0},
    )
    for _ in range(3):
        x = np.concatenate([[0.0], np.sort(rng.uniform(0.0, 10.0, 5)), [10.0]])
        found = solve(v, ed.at(x, pore))
        exact = [ghk_current(v, *bath[s], s.z, d[s] / 10.0, T) / F * PORE_CURRENT for s in pore.species]
        np.testing.assert_allclose(found, np.stack(exact, 1), rtol=1e-10, atol=1e-12 * float(np.abs(found).max()))
