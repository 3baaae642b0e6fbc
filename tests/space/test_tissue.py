"""Tissues: the cable as their limit, orders, conservation over a minute, glia, water, gradients, bad input."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import simulate, space
from jaxmem._numerics.tree_elimination import solve_block_tree
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Cl, K, Na, nernst
from jaxmem.gating import AlwaysOpen
from jaxmem.library import hodgkin_huxley_1952
from jaxmem.permeation import Ohmic
from jaxmem.protocols import step
from jaxmem.results import InputError
from jaxmem.transport import Published, per_current, sodium_pumps
from jaxmem.transport.catalogue import NA_K_ATPASE
from jaxmem.units import F, R

pytestmark = pytest.mark.x64
T = 279.45
INSIDE = {Na: 50.0, K: 400.0, Cl: 50.0}
OUTSIDE = {Na: 440.0, K: 20.0, Cl: 460.0}


def ions():
    """The squid axon's channels, each carrying its ion."""
    na, k, _ = hodgkin_huxley_1952.model(q10=None)
    leaks = Ohmic([0.015, 0.2, 0.085], species=(Na, K, Cl))
    return [
        Channel(na.gating, Ohmic(120.0, species=Na)),
        Channel(k.gating, Ohmic(36.0, species=K)),
        Channel(AlwaysOpen(), leaks),
    ]


def fixed():
    """The same channels at the same reversal potentials, which do not move."""
    at = {s: float(nernst(INSIDE[s], OUTSIDE[s], s.z, T)) for s in INSIDE}
    sodium, potassium, _ = ions()
    g = {Na: 0.015, K: 0.2, Cl: 0.085}
    mean = sum(g[s] * at[s] for s in g) / sum(g.values())
    return [
        Channel(sodium.gating, Ohmic(120.0, reversal=at[Na])),
        Channel(potassium.gating, Ohmic(36.0, reversal=at[K])),
        Channel(AlwaysOpen(), Ohmic(sum(g.values()), reversal=mean)),
    ]


def resistivity():
    """Of the inside [Ohm cm], by the mobilities of its ions."""
    conductivity = F**2 * sum(space.WATER[s] * 1e-9 * c for s, c in INSIDE.items()) / (R * T)
    return 100.0 / conductivity


def axon(diameter, share, n, length, **more):
    tree = space.cylinder(length, diameter, n)
    cells = {"axon": space.Cells(space.inside(tree, INSIDE), ions(), tree.area)}
    return space.Tissue(tree, space.outside(tree, OUTSIDE, share), cells, temperature=T, **more)


def test_cable_equation_is_the_limit_of_constant_concentrations():
    length, n, thick = 6000.0, 60, 50.0
    tissue = axon(thick, 1e3, n, length, record=[15, 45])
    tree = space.cylinder(length, thick, n)
    cable = space.Cable(tree, fixed(), T, resistivity=resistivity(), record=[15, 45])
    command = step(4e4, 1.0)
    run = lambda cell: simulate.current_clamp(cell, command, [0.0, 4.0], record=simulate.SpikeTimes(0.0))
    found, right = run(tissue), run(cable)
    velocity = [3000.0 / float(np.diff(trace.records[0][:, 0])[0]) for trace in (found, right)]
    assert velocity[0] == pytest.approx(velocity[1], rel=2e-3)
    np.testing.assert_allclose(found.v[:, 0], right.v[:, 0], atol=0.5)


@pytest.fixture(scope="module")
def small():
    return axon(0.5, 0.5, 8, 80.0, record=[7])


def test_rate_of_change_is_that_of_steps(small):
    state = small.init()
    rate = small.derivative(state, jnp.asarray(5.0))
    h = 1e-7
    after = simulate.current_clamp(small, step(5.0, h), [0.0, h], method=simulate.Hines(h)).state
    np.testing.assert_allclose((after.v - state.v) / h, rate.v, rtol=1e-3, atol=1e-3)
    for x, y, dx in zip(after.amounts, state.amounts, rate.amounts, strict=True):
        np.testing.assert_allclose((x - y) / h, dx, rtol=2e-3, atol=1e-9)


@pytest.mark.slow
def test_second_order_in_time_and_kept_amounts(small):
    stimulus, t = step(20.0, 1.5), [0.0, 1.5]
    run = lambda dt: simulate.current_clamp(small, stimulus, t, method=simulate.Hines(dt)).state
    states = [run(dt) for dt in (0.05, 0.025, 0.0125, 0.003125)]
    start = small.totals(small.init())
    for state in states:
        np.testing.assert_allclose(small.totals(state)[:3], start[:3], rtol=1e-12)
        np.testing.assert_allclose(small.totals(state)[3:], start[3:], atol=1e-12)
    for read in (lambda s: s.v, lambda s: s.amounts[0], lambda s: s.amounts[1]):
        # The finest run has a sixteenth of the error of the third.
        errors = [float(jnp.max(jnp.abs(read(s) - read(states[-1])))) for s in states[:3]]
        orders = np.log2(np.array(errors[:-1]) / errors[1:])
        assert np.all((1.7 < orders) & (orders < 2.4)), (errors, orders)


@pytest.mark.slow
def test_gradient_of_concentrations(small):
    def end(density):
        changed = eqx.tree_at(lambda c: c.cells["axon"].mechanisms[1].density, small, density)
        trace = simulate.current_clamp(changed, step(20.0, 1.5), [0.0, 1.5], throw=False)
        return trace.observed["K_outside"][-1, 3]

    at = jnp.full((8,), 0.01)
    slope = jax.grad(end)(at)
    way = jnp.linspace(0.5, 1.5, 8)
    e = 1e-6
    assert float(slope @ way) == pytest.approx(float(end(at + e * way) - end(at - e * way)) / (2 * e), rel=1e-5)


def pumped():
    """A neuron and glia with pumps and leaks, and water."""
    tree = space.tree(
        {
            "a": space.Section(60.0, (2.0, 1.0), 3),
            "b": space.Section(30.0, 1.0, 2, "a"),
            "c": space.Section(30.0, 0.8, 2, "a"),
        }
    )
    inside = {Na: 15.0, K: 130.0, Cl: 10.0}
    pump = Published(sodium_pumps.cressman, NA_K_ATPASE, per_current(NA_K_ATPASE), maximum=6.8)
    leak = lambda *g: Channel(AlwaysOpen(), Ohmic(list(g), species=(Na, K, Cl)))
    water = 1e-9
    neuron = space.Phase(inside, tree.volume, tree.bridge, impermeant=133.0)
    glia = space.Phase(inside, 0.5 * tree.volume, 0.5 * tree.bridge, impermeant=133.0)
    cells = {
        "neuron": space.Cells(neuron, [leak(0.02, 0.05, 0.02), pump], tree.area, water=water),
        "glia": space.Cells(glia, [leak(0.005, 0.5, 0.05), pump], 0.7 * tree.area, water=water, start=-80.0),
    }
    bath = np.where(np.arange(7) < 2, 12.0, 4.0)
    outside = space.outside(
        tree, {Na: 144.0 - bath, K: bath, Cl: 130.0 + 0.0 * bath}, 0.3, impermeant=14.0, tortuosity=1.6
    )
    return space.Tissue(tree, outside, cells, temperature=310.15)


def test_a_minute_of_a_neuron_and_glia_on_a_tree_keeps_everything():
    tissue = pumped()
    t = np.arange(0.0, 60_001.0, 6000.0)
    trace = simulate.current_clamp(tissue, None, t, method=simulate.Hines(0.5))
    start, end = tissue.totals(tissue.init()), tissue.totals(trace.state)
    np.testing.assert_allclose(end[:3], start[:3], rtol=1e-10)  # Na, K, Cl
    volume = len(tissue.tree.area)
    np.testing.assert_allclose(end[-volume:], start[-volume:], rtol=1e-10)
    np.testing.assert_allclose(end[3:-volume], start[3:-volume], atol=1e-10 * float(jnp.max(start[:3])))
    for name, x in trace.observed.items():
        assert name.startswith("V") or np.all(x > 0.0), name
    k = np.asarray(trace.observed["K_outside"])
    assert np.ptp(k[-1]) < 0.1 * np.ptp(k[0])  # spreads along the outside, and is taken up
    assert np.all(np.abs(np.asarray(trace.observed["volume_neuron"][-1]) / np.asarray(tissue.tree.volume) - 1.0) > 1e-4)


@pytest.mark.slow
def test_steps_agree_with_an_adaptive_method():
    tissue = pumped()
    t = [0.0, 200.0]
    found = simulate.current_clamp(tissue, None, t, method=simulate.Hines(0.2)).observed
    right = simulate.current_clamp(tissue, None, t, method=simulate.Adaptive(rtol=1e-8, atol=1e-8)).observed
    for name in found:
        np.testing.assert_allclose(found[name][-1], right[name][-1], rtol=1e-5, atol=1e-5, err_msg=name)


def test_blocks_are_the_dense_system():
    draw, n, m = np.random.default_rng(1), 6, 3
    parent = np.array([0, 0, 1, 1, 0, 4])
    up, down = 0.2 * draw.normal(size=(2, n, m, m))
    diagonal, b = 4.0 * np.eye(m) + draw.normal(size=(n, m, m)), draw.normal(size=(n, m))
    dense = np.zeros((n, m, n, m))
    for i in range(n):
        dense[i, :, i, :] = diagonal[i]
        if i:
            dense[i, :, parent[i], :] += up[i]
            dense[parent[i], :, i, :] += down[i]
    given = [jnp.asarray(x) for x in (diagonal, up, down)]
    found = solve_block_tree(jnp.asarray(parent), *given, jnp.asarray(b))
    right = np.linalg.solve(dense.reshape(n * m, n * m), b.ravel())
    np.testing.assert_allclose(found.ravel(), right, rtol=1e-10)
    slope = jax.grad(lambda b: solve_block_tree(jnp.asarray(parent), *given, b)[2, 1])(jnp.asarray(b))
    np.testing.assert_allclose(slope.ravel(), np.linalg.inv(dense.reshape(n * m, n * m))[2 * m + 1], rtol=1e-9)


def _refused(**changes):
    tree = space.cylinder(30.0, 1.0, 3)
    given = {"inside": INSIDE, "mechanisms": ions(), "outside": OUTSIDE, **changes}
    cells = {"axon": space.Cells(space.inside(tree, given["inside"]), given["mechanisms"], tree.area)}
    more = {key: value for key, value in changes.items() if key not in ("inside", "mechanisms", "outside")}
    return space.Tissue(tree, space.outside(tree, given["outside"]), cells, temperature=T, **more)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: _refused(inside={Na: 1.0, K: 1.0}), "must list the same species in the same order"),
        (lambda: _refused(inside={**INSIDE, Na: -1.0}), "Each concentration of a phase must be a positive number"),
        (lambda: _refused(mechanisms=fixed()), "In a Tissue every current must carry an ion"),
        (lambda: _refused(electrode=3), "integers from 0 to 2"),
        (
            lambda: _refused(openings=[space.Opening(0, {Na: 1.0, Cl: 1.0}, 1.0)]),
            "bath of an opening must list the species",
        ),
        (lambda: space.Phase({Na: 1.0}, np.zeros(3), np.ones(3)), "Each volume of a phase must be a positive"),
        (lambda: _refused(outside={**OUTSIDE, K: np.ones(2)}), "shape"),
        (
            lambda: simulate.current_clamp(_refused(), simulate.Supply("glia", K, step(1.0, 1.0)), [0.0, 1.0]),
            "must be put into a space of the tissue (outside, axon)",
        ),
    ],
)
def test_bad_input_is_one_clear_line(make, text):
    with pytest.raises(InputError) as caught:
        make()
    assert text in str(caught.value) and "\n" not in str(caught.value)
