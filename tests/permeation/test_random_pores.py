"""What holds for every barrier pore: 1000 random ones of 1 to 4 sites and 1 to 3 species, rates over 12 decades."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from jaxmem.electrochemistry import Bath, Ca, Cl, K
from jaxmem.permeation import BarrierPore, current
from jaxmem.units import thermal_voltage

pytestmark = pytest.mark.x64

T = 298.15
SPECIES = (K, Ca, Cl)  # of valence 1, 2 and -1
SHAPES = [(sites, kinds) for sites in (1, 2, 3, 4) for kinds in (1, 2, 3)]
EACH, LARGEST = 92, 8  # of each shape, of the largest (256 states): 1020 pores
H = 1e-4  # kT, of central differences


def draw(sites, kinds, count):
    """Energies, distances, concentrations and voltages; barriers stand 2 to 30 kT above sites."""
    rng = np.random.default_rng([sites, kinds])
    energies = {
        "sites": rng.uniform(-8.0, 4.0, (count, kinds, sites)),
        "barriers": rng.uniform(6.0, 22.0, (count, kinds, sites + 1)),
        "pairs": rng.uniform(-0.5, 3.0, (count, max(sites - 1, 1))),
    }
    distances = np.sort(rng.uniform(0.0, 1.0, (count, 2 * sites + 1)), axis=1)
    inside, outside = 10.0 ** rng.uniform(-3.0, 3.0, (2, count, kinds))
    return jax.tree.map(jnp.asarray, (energies, distances, inside, outside, rng.uniform(-150.0, 150.0, count)))


def build(energies, distances, kinds):
    return BarrierPore(energies["sites"], energies["barriers"], distances, energies["pairs"], SPECIES[:kinds])


def bath(inside, outside, kinds):
    sides = ({s: c[k] for k, s in enumerate(SPECIES[:kinds])} for c in (inside, outside))
    return Bath(*sides, T)


@functools.partial(jax.jit, static_argnums=0)
def fluxes(kinds, energies, distances, inside, outside, v):
    """Net and one-way fluxes of a batch of pores."""
    run = lambda e, d, i, o, v: build(e, d, kinds).flux(v, bath(i, o, kinds))
    found = jax.vmap(run)(energies, distances, inside, outside, v)
    return found.net, found.one_way, found.flux, found.occupancy


@functools.partial(jax.jit, static_argnums=0)
def slopes(kinds, energies, distances, inside, outside, v):
    """Gradient of the current by every energy, for a batch."""
    run = lambda e, d, i, o, v: current(build(e, d, kinds), v, bath(i, o, kinds))
    return jax.vmap(jax.grad(run))(energies, distances, inside, outside, v)


@functools.partial(jax.jit, static_argnums=0)
def differences(kinds, energies, distances, inside, outside, v):
    """The same by central differences."""
    flat, restore = ravel_pytree(jax.tree.map(lambda x: x[0], energies))
    stacked = jax.vmap(lambda e: ravel_pytree(e)[0])(energies)

    def run(x, d, i, o, v):
        one = lambda x: current(build(restore(x), d, kinds), v, bath(i, o, kinds))
        step = lambda e: (one(x + e) - one(x - e)) / (2.0 * H)
        return jax.lax.map(step, H * jnp.eye(flat.size))

    return jax.vmap(run)(stacked, distances, inside, outside, v)


def flat(tree):
    return np.asarray(jax.vmap(lambda e: ravel_pytree(e)[0])(tree))


def check_fluxes(sites, kinds, count):
    energies, distances, inside, outside, v = draw(sites, kinds, count)
    net, one_way, flux, occupancy = fluxes(kinds, energies, distances, inside, outside, v)
    largest = np.max(one_way, axis=2, keepdims=True)
    assert np.all(np.abs(net - np.asarray(flux)[:, :, None]) <= 1e-12 * largest)
    np.testing.assert_allclose(np.sum(occupancy, 1), 1.0, rtol=1e-12)
    assert np.min(occupancy) >= 0.0
    # Equal electrochemical potentials: no species moves, whatever the energies.
    z = jnp.asarray([float(s.z) for s in SPECIES[:kinds]])
    at_rest = inside * jnp.exp(z[None, :] * v[:, None] / thermal_voltage(T))
    net, one_way, flux, _ = fluxes(kinds, energies, distances, inside, at_rest, v)
    assert np.all(np.abs(net) <= 1e-12 * np.max(one_way, axis=2, keepdims=True))
    assert np.all(np.abs(flux) <= 1e-12 * np.max(one_way, axis=2))


def check_gradients(sites, kinds, count):
    drawn = draw(sites, kinds, count)
    exact, finite = flat(slopes(kinds, *drawn)), np.asarray(differences(kinds, *drawn))
    largest = np.abs(exact).max(1, keepdims=True)
    assert np.all(largest > 0.0)
    assert np.all(np.abs(exact - finite) <= 1e-6 * largest)


def check_zeros(sites, kinds, count):
    """Zero concentrations and zero voltage are legal, in value and slope."""
    energies, distances, inside, outside, v = draw(sites, kinds, count)
    for k in range(kinds):
        for absent in (inside.at[:, k].set(0.0), jnp.zeros_like(inside)):
            for other in (outside, outside.at[:, k].set(0.0)):
                assert np.all(np.isfinite(flat(slopes(kinds, energies, distances, absent, other, 0.0 * v))))
    nothing = jnp.zeros_like(inside)
    net, one_way, flux, occupancy = fluxes(kinds, energies, distances, nothing, nothing, v)
    assert not np.any(net) and not np.any(one_way) and not np.any(flux)
    np.testing.assert_array_equal(np.asarray(occupancy)[:, 0], 1.0)


@pytest.mark.parametrize(("sites", "kinds"), [(1, 1), (2, 2), (3, 2), (4, 3)])
def test_fluxes_agree_over_all_barriers_and_vanish_at_equilibrium(sites, kinds):
    check_fluxes(sites, kinds, 12)


@pytest.mark.parametrize(("sites", "kinds"), [(1, 3), (3, 2)])
def test_gradients_are_those_of_central_differences(sites, kinds):
    check_gradients(sites, kinds, 12)
    check_zeros(sites, kinds, 6)


@pytest.mark.slow
@pytest.mark.parametrize(("sites", "kinds"), SHAPES)
def test_a_thousand_pores(sites, kinds):
    count = LARGEST if (sites, kinds) == SHAPES[-1] else EACH
    check_fluxes(sites, kinds, EACH)
    check_gradients(sites, kinds, count)
    check_zeros(sites, kinds, count)
