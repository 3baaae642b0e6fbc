"""What holds for every transporter given by energies: 1000 random ones of 3 to 8 states and 1 to 3 cycles."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

from jaxmem import kinetics
from jaxmem.channel import SteadyState
from jaxmem.electrochemistry import ADP, ATP, Bath, Ca, K, Na, Pi, glc
from jaxmem.kinetics import EnergyScheme
from jaxmem.permeation import current, reversal_potential
from jaxmem.transport import QuasiSteady, Stoichiometry, stalling_potential, turn_energy
from jaxmem.units import thermal_voltage

pytestmark = pytest.mark.x64

T = 310.15
CARRIED = (Na, K, Ca, glc)
SPECIES = (*CARRIED, ATP, ADP, Pi)
SHAPES, EACH = 20, 50  # 1000 transporters
HYDROLYSIS = -12.0  # kT, standard free energy
H = 1e-4


@functools.cache
def shape(seed):
    """A ring of states that moves two species, perhaps with ATP, and up to two more edges across it."""
    rng = np.random.default_rng(seed)
    states = 3 + seed % 6
    rows = [{} for _ in range(states)]
    particles = {}
    for species in rng.permutation(len(CARRIED))[:2]:
        species, count, inward = CARRIED[species], int(rng.integers(1, 4)), bool(rng.integers(2))
        bind, release = rng.choice(states, 2, replace=False)
        for edge, key, n in ((bind, (species, not inward), -count), (release, (species, inward), count)):
            rows[edge][key] = rows[edge].get(key, 0) + n
        particles[species] = count if inward else -count
    fueled = bool(seed % 2)
    if fueled:
        rows[int(rng.integers(states))].update({(ATP, True): -1, (ADP, True): 1, (Pi, True): 1})
    edges = [(k, (k + 1) % states) for k in range(states)]
    reaction = [HYDROLYSIS if (ATP, True) in row else 0.0 for row in rows]
    for _ in range(min(seed % 3, max(0, states - 3))):
        i, j = sorted(rng.choice(states, 2, replace=False))
        if (i, j) in edges or (j, i) in edges:
            continue
        # Another way from i to j, which lets one particle leak across besides.
        total = {}
        for row in rows[i:j]:
            for key, n in row.items():
                total[key] = total.get(key, 0) + n
        leak = next(iter(particles))
        for key, n in (((leak, True), -1), ((leak, False), 1)):
            total[key] = total.get(key, 0) + n
        edges.append((int(i), int(j)))
        rows.append({key: n for key, n in total.items() if n})
        reaction.append(sum(reaction[i:j]))
    stoichiometry = Stoichiometry(f"shape {seed}", particles, atp=int(fueled))
    return (
        states,
        tuple(edges),
        tuple(tuple(row.items()) for row in rows),
        tuple(reaction),
        stoichiometry,
        states == len(edges),
    )


def build(seed, energies):
    states, edges, rows, reaction, *_ = shape(seed)
    names = tuple(f"E{k}" for k in range(states))
    return QuasiSteady(EnergyScheme(names, edges, rows, reference=T, reaction=np.asarray(reaction), **energies))


def draw(seed):
    states, edges, *_ = shape(seed)
    rng = np.random.default_rng([seed, 1])
    energies = {
        "energy": rng.uniform(-6.0, 6.0, (EACH, states - 1)),
        "charge": rng.uniform(-1.5, 1.5, (EACH, states - 1)),
        "barrier": rng.uniform(14.0, 28.0, (EACH, len(edges))),
        "barrier_charge": rng.uniform(-1.0, 1.0, (EACH, len(edges))),
    }
    inside, outside = np.exp(rng.uniform(np.log(0.01), np.log(200.0), (2, EACH, len(SPECIES))))
    return jax.tree.map(jnp.asarray, (energies, inside, outside, rng.uniform(-120.0, 80.0, EACH)))


def bath(inside, outside):
    return Bath(*({s: c[k] for k, s in enumerate(SPECIES)} for c in (inside, outside)), T)


def one(seed, energies, inside, outside, v):
    model, conditions = build(seed, energies), bath(inside, outside)
    steady = kinetics.turnover(model.scheme, v, conditions)
    exchange = model.exchange((), v, conditions)
    stoichiometry = shape(seed)[4]
    chemistry = stoichiometry.atp * (
        HYDROLYSIS + jnp.log(conditions.inside[ADP] * conditions.inside[Pi] / conditions.inside[ATP] * 1e-3)
    )
    return {
        "one_way": jnp.max(steady.one_way),
        "exchange": exchange,
        "entropy": kinetics.entropy_production(model.scheme, steady.occupancy, v, conditions),
        "affinity": kinetics.affinity(model.scheme, v, conditions),
        "turn_energy": turn_energy(stoichiometry, conditions, v, energy=chemistry),
        "chemistry": chemistry,
        "moved": exchange.inside[conditions.index(next(iter(stoichiometry.particles)))],
    }


def check(seed, count):
    *_, stoichiometry, single = shape(seed)
    energies, inside, outside, v = jax.tree.map(lambda x: x[:count], draw(seed))
    run = jax.jit(jax.vmap(functools.partial(one, seed)))
    found = run(energies, inside, outside, v)
    scale = np.asarray(found["one_way"])
    assert np.all(np.asarray(found["entropy"]) >= 0.0)
    first = next(iter(stoichiometry.particles.values()))
    if single:
        forward = np.asarray(found["moved"]) * np.sign(first)
        assert np.all(np.sign(forward) == -np.sign(found["turn_energy"]))
        np.testing.assert_allclose(found["affinity"][:, 0], -found["turn_energy"], rtol=1e-10, atol=1e-10)
    # Everything at equal electrochemical potentials, ATP at equilibrium with its products: nothing moves.
    z = jnp.asarray([float(s.z) for s in SPECIES])
    rest = outside * jnp.exp(-z[None, :] * v[:, None] / thermal_voltage(T))
    rest = rest.at[:, SPECIES.index(ATP)].set(
        rest[:, SPECIES.index(ADP)] * rest[:, SPECIES.index(Pi)] * 1e-3 * jnp.exp(HYDROLYSIS)
    )
    still = run(energies, rest, outside, v)
    amounts = np.concatenate([still["exchange"].inside, still["exchange"].outside], 1)
    particles = np.asarray(still["one_way"])[:, None] * 1e15 / 6.02214076e23
    assert np.all(np.abs(amounts) <= 1e-12 * particles)
    # The graph reverses where the stoichiometry says.
    if single and stoichiometry.charge:

        def reversal(e, i, o):
            conditions = bath(i, o)
            chemistry = one(seed, e, i, o, jnp.zeros(()))["chemistry"]
            law = SteadyState(build(seed, e))
            wide = 600.0
            return reversal_potential(law, conditions, lower=-wide, upper=wide), stalling_potential(
                stoichiometry, conditions, energy=chemistry
            )

        got, wanted = jax.jit(jax.vmap(reversal))(energies, inside, outside)
        within = np.abs(np.asarray(wanted)) < 500.0
        assert within.sum() >= 0.5 * count
        np.testing.assert_allclose(np.asarray(got)[within], np.asarray(wanted)[within], rtol=1e-10, atol=1e-9)
    assert np.all(scale > 0.0)


def check_gradients(seed, count):
    energies, inside, outside, v = jax.tree.map(lambda x: x[:count], draw(seed))
    flat, restore = ravel_pytree(jax.tree.map(lambda x: x[0], energies))
    points = jax.vmap(lambda e: ravel_pytree(e)[0])(energies)

    def moved(x, i, o, v):
        return one(seed, restore(x), i, o, v)["moved"]

    exact = jax.jit(jax.vmap(jax.grad(moved)))(points, inside, outside, v)

    def finite(x, i, o, v):
        step = lambda e: (moved(x + e, i, o, v) - moved(x - e, i, o, v)) / (2 * H)
        return jax.vmap(step)(H * jnp.eye(flat.size))

    wanted = jax.jit(jax.vmap(finite))(points, inside, outside, v)
    largest = np.abs(exact).max(1, keepdims=True)
    assert np.all(np.abs(exact - np.asarray(wanted)) <= 1e-6 * largest)


@pytest.mark.parametrize("seed", [0, 5, 7, 14])
def test_thermodynamics_holds_whatever_the_energies(seed):
    check(seed, EACH)


def test_gradients_are_those_of_central_differences():
    check_gradients(11, 20)


def test_a_current_is_the_charge_of_its_stoichiometry():
    energies, inside, outside, v = jax.tree.map(lambda x: x[0], draw(3))
    model, conditions, stoichiometry = build(3, energies), bath(inside, outside), shape(3)[4]
    exchange = model.exchange((), v, conditions)
    turns = {s: float(exchange.inside[conditions.index(s)]) / n for s, n in stoichiometry.particles.items()}
    first = next(iter(turns.values()))
    np.testing.assert_allclose(list(turns.values()), first, rtol=1e-9)
    np.testing.assert_allclose(
        current(SteadyState(model), v, conditions), stoichiometry.charge * first * 96485.33212331, rtol=1e-9, atol=1e-30
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SHAPES))
def test_a_thousand_transporters(seed):
    check(seed, EACH)
    check_gradients(seed, EACH)
