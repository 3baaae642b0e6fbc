"""The free energies of a calcium channel with two sites, from currents in mixtures of Ca, Ba and Na with 3 % noise."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem.electrochemistry import Ba, Bath, Ca, Na
from jaxmem.fit import Chunks, Steady, between, free, least_squares, replicates
from jaxmem.fit.problem import make_problem
from jaxmem.fit.result import errors_at
from jaxmem.permeation import BarrierPore
from jaxmem.recordings import Measurement

pytestmark = pytest.mark.x64

NOISE, WIDTH = 0.03, 5.0  # of the value; bounds on either side of the truth [kT]
V = np.array([-100.0, -75.0, -50.0, -25.0, 25.0, 50.0, 75.0, 100.0])
FRACTIONS = np.array([0.0, 0.01, 0.03, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0])
BLOCKING = np.array([1e-6, 1e-4, 7e-4, 1e-3, 1e-2, 0.03, 0.06, 0.1, 0.3, 1.0, 10.0])  # mM Ca


def pore():
    return BarrierPore(
        {Ca: [-13.25, -13.25], Ba: [-6.95, -6.95], Na: [-1.5, -1.5]},
        {Ca: [6.2, -4.5, 6.2], Ba: [9.1, -2.1, 9.1], Na: [11.5, 3.4, 11.5]},
        (0.12, 0.25, 0.5, 0.75, 0.88),
        (1.43,),
    )


@functools.cache
def measurement():
    """Currents of the true pore: I-V relations in mixtures, mole-fraction curves, block of the Na current by Ca."""
    rows, series = [], []

    def add(name, v, inside=(0.0, 0.0, 0.0), outside=(0.0, 0.0, 0.0)):
        curve = np.stack(np.broadcast_arrays(v, *inside, *outside), -1)
        rows.append(curve)
        series.extend([name] * len(curve))

    for ca, na in ((0.3, 140.0), (2.0, 140.0), (10.0, 140.0), (2.0, 20.0)):
        add(f"{ca:g} Ca, {na:g} Na", V, (1e-4, 0.0, 10.0), (ca, 0.0, na))
    for ba in (1.0, 10.0, 100.0):
        add(f"{ba:g} Ba, 140 Na", V, (1e-4, 1e-4, 10.0), (0.0, ba, 140.0))
    for na in (15.0, 150.0):
        add(f"1 Ca, 10 Ba on both sides, {na:g} Na", V, (1.0, 10.0, 150.0), (1.0, 10.0, na))
    for total in (10.0, 100.0):
        add(f"{total:g} Ca + Ba", -20.0, outside=(total * FRACTIONS, total * (1.0 - FRACTIONS), 0.0))
    add("120 Na, Ca", -20.0, outside=(BLOCKING, 0.0, 120.0))
    table = np.concatenate(rows)
    sides = [dict(zip((Ca, Ba, Na), table[:, k : k + 3].T, strict=True)) for k in (1, 4)]
    blank = Measurement(table[:, 0], Bath(*sides, 293.15), np.ones(len(table)), series=series)
    return with_values(blank, np.asarray(Steady(blank, sigma=1.0).predict(pore()))[:, 0])


def with_values(m, value):
    error = NOISE * np.abs(value)
    return Measurement(m.v, m.bath, value, error, series=m.series, name="Ca, Ba, Na")


def energy(kind, *index):
    return lambda m: kind(m)[index]


def freed(middle=False):
    """Every energy but those of the middle barrier, each on its own: the symmetry is not told."""
    true = pore()
    barriers = [(s, b) for s in range(3) for b in ((0, 1, 2) if middle else (0, 2))]
    wheres = [energy(lambda m: m.barriers, *index) for index in barriers]
    wheres += [energy(lambda m: m.sites, s, site) for s in range(3) for site in range(2)]
    wheres.append(energy(lambda m: m.interaction.energy, 0))
    return free(*((where, between(float(where(true)) - WIDTH, float(where(true)) + WIDTH)) for where in wheres))


FREE = freed()


def test_a_few_replicates_recover_the_energies():
    found = replicates(Steady(measurement()), pore(), FREE, key=jax.random.key(0), count=6, executor=Chunks(6))
    assert found.truth.size == 13 and {p.unit for p in found.free.parameters} == {"kT"}
    assert np.all(found.standard_errors < 0.4)
    assert np.all(np.abs(found.values - found.truth) < 4.5 * found.standard_errors)
    assert np.mean(found.coverage) > 0.8
    assert np.allclose(found.losses, np.sqrt(92 / 105), rtol=0.25)


@pytest.mark.slow
def test_intervals_of_every_energy_hold_the_truth_in_95_of_100_fits():
    found = replicates(Steady(measurement()), pore(), FREE, key=jax.random.key(0), executor=Chunks(200))
    print(found)
    assert np.all((found.coverage >= 0.90) & (found.coverage <= 0.98))
    assert np.all(found.stated == 1.0)
    assert np.allclose(found.spread, np.median(found.standard_errors, 0), rtol=0.2)


@pytest.mark.slow
def test_energies_are_found_from_scattered_starts():
    clean = measurement()
    noisy = clean.value * (1.0 + NOISE * np.random.default_rng(0).normal(size=clean.points))
    found = least_squares(Steady(with_values(clean, noisy)), pore(), FREE, key=jax.random.key(0), starts=16)
    truth = np.array([float(x) for x in FREE.read(pore())])
    assert np.all(np.abs(found.values - truth) < 4.0 * found.standard_errors)
    assert np.max(found.standard_errors) < 0.3
    assert found.undetermined == () and np.sum(found.losses < 1.001 * np.nanmin(found.losses)) >= 3


@pytest.mark.slow
def test_barriers_that_no_current_depends_on_are_named():
    """The middle barriers lie 10 kT below the others: ions in the pore are in equilibrium with each other."""
    problem = make_problem(Steady(measurement()), pore(), freed(middle=True))
    x = problem.free.to_search([float(value) for value in problem.free.read(pore())])
    noise = NOISE * np.random.default_rng(0).normal(size=(1, 105, 1))
    data = problem.experiments[0].data * jnp.asarray(1.0 + noise[0])
    _, _, found = errors_at(problem.with_data([data]), x)
    named = {name for combination in found.undetermined for name in combination.names}
    assert named == {"barriers[0, 1]", "barriers[1, 1]", "barriers[2, 1]"}
