"""Cables: closed forms, NEURON, orders of convergence, gradients, branching, bad input."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import simulate, space
from jaxmem.cell import point
from jaxmem.channel import Channel
from jaxmem.electrochemistry import K
from jaxmem.gating import AlwaysOpen
from jaxmem.library import hodgkin_huxley_1952
from jaxmem.permeation import Ohmic
from jaxmem.protocols import step
from jaxmem.results import InputError
from jaxmem.units import MS_PER_CM2

pytestmark = pytest.mark.x64
T = 279.45


def leak(g=0.1, reversal=-65.0):
    return Channel(AlwaysOpen(), Ohmic(g, reversal=reversal))


def resting(tree, stimulus=1.0, **changes):
    """The displacement of a passive cable under a constant current at its electrode."""
    cable = space.Cable(tree, leak(), T, **changes)
    trace = simulate.current_clamp(cable, step(stimulus, 400.0), [0.0, 400.0], method=simulate.Hines(1.0))
    return np.asarray(trace.observed["V"][-1]) + 65.0


def passive(diameter, g=0.1, resistivity=100.0):
    """The length constant [um] and the input resistance of the half-infinite cylinder [GOhm]."""
    g, r = g * 0.01, resistivity * 1e-5
    lam = np.sqrt(diameter / (4.0 * g * r))
    return lam, r * lam / (np.pi * diameter**2 / 4.0)


def test_passive_profile_and_second_order_in_space():
    lam, r = passive(2.0)
    length = 1.5 * lam
    errors = []
    for n in (20, 40, 80):
        tree = space.cylinder(length, 2.0, n)
        found = resting(tree)
        x = np.asarray(tree.distance)
        exact = r * np.cosh((length - x) / lam) / np.sinh(length / lam)
        errors.append(np.max(np.abs(found - exact)[n // 2 :] / exact[n // 2 :]))
        # Where current is injected in the first half compartment, the potential is that at its center.
        exact_input = r / np.tanh(length / lam) - r * (x[0] / lam)
        assert abs(found[0] / exact_input - 1.0) < 0.5 / n
    assert errors[1] < 1e-3
    assert 1.9 < np.log2(errors[0] / errors[1]) < 2.1
    assert 1.9 < np.log2(errors[1] / errors[2]) < 2.1


def test_input_resistance_and_length_constant_of_a_long_cable():
    lam, r = passive(2.0)
    tree = space.cylinder(8.0 * lam, 2.0, 400)
    found, x = resting(tree), np.asarray(tree.distance)
    part = (x > 0.5 * lam) & (x < 4.0 * lam)
    slope, offset = np.polyfit(x[part], np.log(found[part]), 1)
    assert -1.0 / slope == pytest.approx(lam, rel=5e-3)
    assert np.exp(offset) == pytest.approx(r, rel=5e-3)


def test_tree_of_rall_is_a_cylinder():
    lam, _ = passive(4.0)
    thin = 4.0 / 2.0 ** (2.0 / 3.0)
    short, part = 0.5 * np.array([lam, passive(thin)[0]]), 60
    branched = {
        "trunk": space.Section(short[0], 4.0, part),
        "left": space.Section(short[1], thin, part, parent="trunk"),
        "right": space.Section(short[1], thin, part, parent="trunk"),
    }
    tree = space.tree(branched)
    found, whole = resting(tree), resting(space.cylinder(lam, 4.0, 2 * part))
    assert found[0] == pytest.approx(whole[0], rel=1e-3)  # joined to half a compartment
    np.testing.assert_allclose(found[tree.within("left")], found[tree.within("right")], rtol=1e-10)
    np.testing.assert_allclose(found[tree.within("left")], whole[part:], rtol=5e-3)


def test_taper_conducts_as_the_cone():
    length, (d0, d1) = 100.0, (4.0, 1.0)
    tree = space.cylinder(length, (d0, d1), 50)
    volume = np.pi * length / 12.0 * (d0**2 + d0 * d1 + d1**2) * 1e-3
    area = np.pi * 0.5 * (d0 + d1) * np.hypot(length, 0.5 * (d0 - d1))
    assert float(tree.volume.sum()) == pytest.approx(volume, rel=1e-12)
    assert float(tree.area.sum()) == pytest.approx(area, rel=1e-12)
    radius = lambda x: 0.5 * (d0 + (d1 - d0) * x / length)
    first, last = (float(tree.distance[k]) for k in (0, -1))
    exact = (last - first) / (np.pi * radius(first) * radius(last))
    assert float(jnp.sum(1.0 / tree.bridge[1:])) == pytest.approx(exact, rel=1e-12)


@pytest.fixture(scope="module")
def axon():
    """1 cm of squid membrane, 2 um thick."""
    tree = space.cylinder(10_000.0, 2.0, 1000)
    return space.Cable(tree, hodgkin_huxley_1952.model(q10=None), T, resistivity=100.0, record=[250, 750])


def times(axon):
    found = simulate.current_clamp(axon, step(1000.0, 1.0), [0.0, 20.0], record=simulate.SpikeTimes(0.0))
    return found.records[0][:, 0]


def test_conduction_velocity_is_that_of_neuron(axon):
    # NEURON 9.0.2, the same cable in 1000 segments, hh without tables, secondorder = 2, dt = 0.0025 ms: 0.47479 m/s.
    first, last = times(axon)
    assert 5000.0 / float(last - first) == pytest.approx(474.79, rel=5e-3)


def test_gradient_of_the_velocity_by_a_profile_of_density(axon):
    uniform = jnp.full((1000,), MS_PER_CM2)
    placed = lambda density: eqx.tree_at(lambda c: c.mechanisms[0].density, axon, density)
    delay = lambda density: jnp.diff(times(placed(density)))[0]
    slope = jax.grad(delay)(uniform)
    way = uniform.at[:400].set(0.0)  # sodium channels of the part beyond 4 mm
    e = 1e-4
    difference = (delay(uniform + e * way) - delay(uniform - e * way)) / (2.0 * e)
    assert float(slope @ way) == pytest.approx(float(difference), rel=1e-4)
    assert float(slope @ way) < 0.0


def short(n=12, **changes):
    tree = space.cylinder(600.0, 2.0, n)
    return space.Cable(tree, hodgkin_huxley_1952.model(q10=None), T, record=[n - 1], **changes)


def test_second_order_in_time():
    cable, stimulus, t = short(), step(60.0, 5.0), [0.0, 5.0]
    # Compared where potentials move fast: on the upstroke at the far end.
    run = lambda method: np.asarray(simulate.current_clamp(cable, stimulus, t, method=method).state.v)
    exact = run(simulate.RungeKutta(0.002))
    errors = [np.max(np.abs(run(simulate.Hines(dt)) - exact)) for dt in (0.05, 0.025, 0.0125)]
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all((1.8 < orders) & (orders < 2.2)), (errors, orders)


def test_one_compartment_is_the_point_cell():
    tree = space.cylinder(10.0, 10.0 / np.pi, 1)  # 100 um2, so that 1 pA is 1 uA/cm2
    cable = space.Cable(tree, hodgkin_huxley_1952.model(q10=None), T)
    cell = point(hodgkin_huxley_1952.model(q10=None), 1.0, T)
    t = np.arange(0.0, 20.1, 1.0)
    run = lambda x, method: simulate.current_clamp(x, step(10.0, 20.0), t, method=method).v
    found, right = run(cable, simulate.Hines(0.01)), run(cell, simulate.Staggered(0.01))
    np.testing.assert_allclose(found, right, atol=0.05)


def test_mechanisms_lie_where_they_are_placed():
    tree = space.tree({"soma": space.Section(20.0, 20.0, 1), "dendrite": space.Section(200.0, 2.0, 9, parent="soma")})
    profile = MS_PER_CM2 * jnp.linspace(1.0, 0.0, 9)
    placed = [
        space.place(leak(0.1)),
        space.place(leak(1.0, -50.0), tree.within("dendrite"), profile),
        space.place(leak(2.0, -40.0), np.arange(10) == 0),
    ]
    cable = space.Cable(tree, placed, T)
    rate = cable.derivative(cable.init(), jnp.zeros(())).v
    area = np.asarray(tree.area)
    current = np.zeros(10)
    current[1:] = np.asarray(profile) * 1.0 * -15.0 * area[1:]
    current[0] = 0.01 * 2.0 * -25.0 * area[0]
    np.testing.assert_allclose(rate, -current / (0.01 * area), rtol=1e-12, atol=1e-15)


def test_vmap_runs_many_cables():
    cable = short(6)
    end = lambda r: simulate.current_clamp(
        eqx.tree_at(lambda c: c.resistivity, cable, r), step(60.0, 2.0), [0.0, 2.0], throw=False
    ).v[-1]
    many = jax.vmap(end)(jnp.asarray([80.0, 120.0]))
    np.testing.assert_allclose(many[1], end(jnp.asarray(120.0)), rtol=1e-9)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: space.cylinder(-1.0, 2.0, 3), "length of section 'cable' must be a positive"),
        (lambda: space.cylinder(1.0, 2.0, 0), "at least one compartment"),
        (lambda: space.tree({"a": space.Section(1.0, 1.0, 1, parent="b")}), "must come after its parent"),
        (lambda: space.tree({"a": space.Section(1.0, 1.0, 1), "b": space.Section(1.0, 1.0, 1)}), "must have a parent"),
        (lambda: space.cylinder(1.0, 1.0, 2).within("axon"), "must be one of the tree's (cable)"),
        (lambda: space.cylinder(1.0, 1.0, 2).at("cable", 1.5), "between 0 and 1"),
        (lambda: space.place(leak(), density=-1.0), "not negative"),
        (lambda: space.Cable(space.cylinder(9.0, 1.0, 3), space.place(leak(), [3]), T), "compartments 0 to 2"),
        (lambda: space.Cable(space.cylinder(9.0, 1.0, 3), space.place(leak(), density=np.ones(2)), T), "shape (2,)"),
        (lambda: space.Cable(space.cylinder(9.0, 1.0, 3), leak(), T, electrode=3), "integers from 0 to 2"),
        (lambda: space.Cable(space.cylinder(9.0, 1.0, 3), leak(), T, capacitance=np.ones(2)), "one for each of the 3"),
        (lambda: space.Cable(space.cylinder(9.0, 1.0, 3), leak(), T, resistivity=0.0), "must be positive"),
        (
            lambda: simulate.current_clamp(point(leak(), 1.0, T), None, [0.0, 1.0], method=simulate.Hines()),
            "Hines steps cells along a tree",
        ),
        (
            lambda: simulate.current_clamp(short(3), simulate.Supply("out", K, step(1.0, 1.0)), [0.0, 1.0]),
            "whose concentrations are constant",
        ),
    ],
)
def test_bad_input_is_one_clear_line(make, text):
    with pytest.raises(InputError) as caught:
        make()
    assert text in str(caught.value) and "\n" not in str(caught.value)
