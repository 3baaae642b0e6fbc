"""Networks: spikes that travel, conductances that add up, a space that cells share."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import solve_ivp

from jaxmem import synapse
from jaxmem.cell import Cell, Compartment, Membrane, point
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Cl, K, Na
from jaxmem.gating import AlwaysOpen
from jaxmem.library import traub_miles_1991, wang_buzsaki_1996
from jaxmem.network import Connections, Network, copies
from jaxmem.permeation import Ohmic
from jaxmem.protocols import step
from jaxmem.results import InputError
from jaxmem.simulate import Current, ExponentialEuler, Noise, SpikeTimes, Staggered, current_clamp, run_network

pytestmark = pytest.mark.x64

T = 310.15


def lin(x):
    return x / -np.expm1(-x)


def pair(v, drive, g, tau, delay, end):
    """Spike times of two cells of Wang and Buzsaki that inhibit each other, integrated from event to event."""

    def gates(v):
        am, bm = lin((v + 35) / 10), 4 * np.exp(-(v + 60) / 18)
        ah, bh = 0.07 * np.exp(-(v + 58) / 20), 1 / (1 + np.exp(-(v + 28) / 10))
        return am / (am + bm), ah, bh, 0.1 * lin((v + 34) / 10), 0.125 * np.exp(-(v + 44) / 80)

    def slope(t, y):
        v, h, n, s = y.reshape(4, 2)
        m, ah, bh, an, bn = gates(v)
        current = 35 * m**3 * h * (v - 55) + 9 * n**4 * (v + 90) + 0.1 * (v + 65) + g * s * (v + 75) - drive
        return np.concatenate([-current, 5 * (ah * (1 - h) - bh * h), 5 * (an * (1 - n) - bn * n), -s / tau])

    def spike(k):
        event = lambda t, y: y[k]
        event.terminal, event.direction = True, 1
        return event

    _, ah, bh, an, bn = gates(v)
    y = np.concatenate([v, ah / (ah + bh), an / (an + bn), np.zeros(2)])
    t, queue, spikes, last = 0.0, [], ([], []), [-np.inf, -np.inf]
    while t < end:
        stop = min([end, *(q[0] for q in queue)])
        run = solve_ivp(slope, (t, stop), y, method="LSODA", rtol=1e-10, atol=1e-11, events=[spike(0), spike(1)])
        t, y = run.t[-1], run.y[:, -1].copy()
        for k in range(2):
            if len(run.t_events[k]):
                spikes[k].append(t)
                queue.append((t + delay, 1 - k, -np.expm1((last[k] - t) / tau)))
                last[k], y[k] = t, y[k] + 1e-9
        if run.status == 0:
            for q in [q for q in queue if q[0] <= t + 1e-12]:
                y[6 + q[1]] += q[2]
                queue.remove(q)
    return spikes


def test_two_coupled_cells_spike_when_an_independent_integration_says():
    """And to second order: half the step, a quarter of the error, synapses and delays included."""
    v, drive = np.array([-60.0, -66.0]), np.array([1.05, 1.0])
    expected = np.concatenate(pair(v, drive, 0.1, 10.0, 1.013, 60.0))
    assert len(expected) == 5
    other = np.array([[0.0, 1.0], [1.0, 0.0]])
    net = wang_buzsaki_1996.network(v, drive=drive, contacts=other, delay=1.013)
    errors = []
    for dt in (0.02, 0.01):
        trace = run_network(net, None, np.array([0.0, 60.0]), method=Staggered(dt), record=SpikeTimes(0.0, 4))
        times = np.asarray(trace.records["interneurons"][0])
        errors.append(np.sort(times[np.isfinite(times)]) - np.sort(expected))
    assert np.abs(errors[1]).max() < 0.05
    assert_allclose(errors[0][1:] / errors[1][1:], 4.0, atol=0.4)
    assert_allclose(trace.rate["interneurons"], 5 / 2 / 0.06, rtol=1e-12)


def test_a_delay_is_exact_and_the_time_of_a_spike_has_a_derivative():
    """A membrane that charges from -65 mV towards E crosses -50 mV at 10 ms ln((E + 65)/(E + 50))."""
    leak = Channel(AlwaysOpen(), Ohmic(1.0, reversal=-65.0))
    source = copies(point(leak, 10.0, T), 1, (lambda c: c.membranes[0].mechanisms[0].permeation.reversal, [-40.0]))
    target = point((leak, synapse.ampa(0.5, reversal=0.0, opening=synapse.Exponential(6.0))), 10.0, T)
    delays = np.array([[0.5], [1.0], [2.7183]])
    onto = Connections("source", "target", lambda s: s.mechanisms[0][1], np.ones((3, 1)), delay=delays)
    net = Network({"source": source, "target": copies(target, 3)}, (onto,), threshold=-50.0)

    def opened(reversal):
        there = lambda n: n.populations["source"].varied.membranes[0].mechanisms[0].permeation.reversal
        trace = run_network(eqx.tree_at(there, net, reversal[None]), None, np.array([0.0, 14.0]), record=())
        return trace.state.cells["target"].mechanisms[0][1]

    found, slope = jax.jvp(opened, (jnp.asarray(-40.0),), (jnp.ones(()),))
    spike = 10.0 * np.log(25.0 / 10.0)
    expected = np.exp(-(14.0 - spike - delays[:, 0]) / 6.0)
    assert_allclose(found, expected, rtol=1e-5)
    assert_allclose(slope, expected / 6.0 * 10.0 * (1.0 / 25.0 - 1.0 / 10.0), rtol=1e-3)


def test_sparse_is_dense_and_a_run_goes_on_where_one_ended():
    rng = np.random.default_rng(1)
    weights, delays = rng.uniform(0.0, 0.4, (4, 4)) * (rng.random((4, 4)) < 0.6), rng.uniform(0.5, 3.0, (4, 4))
    post, pre = np.nonzero(weights)
    kept = weights[post, pre], delays[post, pre]
    start = rng.uniform(-70.0, -55.0, 4)
    cells = copies(traub_miles_1991.model(synapse.ampa(0.1, reversal=0.0)), 4, (lambda c: c.start[0], start))
    reach = lambda s: s.mechanisms[0][3]
    dense = Connections("E", "E", reach, weights, delay=delays, recovery=20.0)
    sparse = Connections("E", "E", reach, kept[0], delay=kept[1], pairs=(post, pre), recovery=20.0)
    currents, method = np.array([3.0, 2.0, 0.5, 4.0]), ExponentialEuler(0.025)

    def run(synapses, t, **more):
        drive, watch = {"E": copies_of_current(currents, t[-1])}, {"E": (0, 2)}
        return run_network(Network({"E": cells}, (synapses,)), drive, t, method=method, watch=watch, **more)

    whole = run(dense, np.array([0.0, 15.0, 30.0]))
    first = run(sparse, np.array([0.0, 15.0]))
    second = run(sparse, np.array([0.0, 15.0]), init=first.state)
    assert np.isfinite(whole.records["E"][0]).sum() >= 4
    assert_allclose(first.observed["E"]["V"][-1], whole.observed["E"]["V"][1], rtol=1e-9)
    assert_allclose(second.observed["E"]["V"][-1], whole.observed["E"]["V"][-1], rtol=1e-9)
    times = np.sort(np.concatenate([first.records["E"][0], 15.0 + second.records["E"][0]], 1), 1)[:, :64]
    assert_allclose(times, whole.records["E"][0], rtol=1e-9)


def copies_of_current(current, duration):
    command = Current(step(1.0, duration))
    values = (current[:, None], current[:, None])
    return copies(command, len(current), (lambda s: s.command.start, values[0]), (lambda s: s.command.stop, values[1]))


@pytest.mark.slow
def test_noise_is_that_of_each_cell():
    leak = Channel(AlwaysOpen(), Ohmic(1.0, reversal=-65.0))
    cell, key, t = point(leak, 10.0, T), jax.random.key(3), np.array([0.0, 2.0])
    noise = Noise(5.0, 20.0, 3.0, key)
    trace = run_network(Network({"A": copies(cell, 3)}), {"A": noise}, t, watch={"A": (0, 1, 2)})
    v = trace.observed["A"]["V"][-1]
    assert len(np.unique(v)) == 3
    own = eqx.tree_at(lambda s: s.key, noise, jax.random.fold_in(jax.random.fold_in(key, 0), 1))
    assert_allclose(v[1], current_clamp(cell, own, t).v[-1], rtol=1e-12)


def releasing():
    """A cell whose Na and K go in and out of a small space outside."""
    gates = traub_miles_1991.sodium(v_t=-56.0).gating, traub_miles_1991.potassium(v_t=-56.0).gating
    mechanisms = (
        Channel(gates[0], Ohmic(1000.0, species=Na)),
        Channel(gates[1], Ohmic(500.0, species=K)),
        Channel(AlwaysOpen(), Ohmic(np.array([0.2, 1.0]), species=(Na, K))),
    )
    inside = Compartment.balanced({Na: 10.0, K: 130.0, Cl: 10.0}, 2.0)
    outside = Compartment({Na: 140.0, K: 3.5, Cl: 143.5}, 0.1)
    compartments = {"cell": inside, "outside": outside}
    return Cell(Membrane("cell", "outside", 20.0, mechanisms), compartments, temperature=T, start=-70.0)


def test_cells_share_the_potassium_that_one_of_them_releases():
    net = Network({"N": copies(releasing(), 3)}, shared=("outside",))
    drive = copies_of_current(np.array([250.0, 0.0, 0.0]), 60.0)
    trace = run_network(net, {"N": drive}, np.array([0.0, 60.0]), watch={"N": (0, 2)})
    spikes = np.isfinite(trace.records["N"][0]).sum(1)
    assert spikes[0] >= 3 and not np.any(spikes[1:])
    before, after = net.init().cells["N"], trace.state.cells["N"]
    for k, species in enumerate((Na, K, Cl)):
        total = lambda s, k=k: sum(np.sum(np.asarray(x)[:, k]) for x in s.amounts.values())
        # The electrode puts K into a cell and takes it out of the space outside.
        assert_allclose(total(after), total(before), rtol=1e-13, err_msg=species.name)
    outside = trace.observed["N"]["K_outside"][-1]
    assert outside[0] == outside[1] > 3.7
    v = trace.observed["N"]["V"][:, 1]
    assert float(v[-1] - v[0]) > 0.5  # a quiet cell is depolarized by it


def test_spaces_of_different_cells_mix_by_their_volumes():
    """0.1 pL with 4 mM and twice 0.2 pL with 3.5 mM make 0.5 pL with 3.6 mM."""
    inside = Compartment.balanced({Na: 10.0, K: 130.0, Cl: 10.0}, 2.0)

    def cell(volume, potassium):
        outside = Compartment({Na: 140.0, K: potassium, Cl: 140.0 + potassium}, volume)
        return Cell(Membrane("cell", "outside", 20.0, ()), {"cell": inside, "outside": outside}, temperature=T)

    cells = {"A": copies(cell(0.1, 4.0), 1), "B": copies(cell(0.2, 3.5), 2)}
    cells = Network(cells, shared=("outside",)).init().cells
    for name, volume in (("A", 0.1), ("B", 0.2)):
        assert_allclose(cells[name].amounts["outside"][:, 1] / volume, 3.6, rtol=1e-14)


@pytest.fixture(scope="module")
def gamma():
    rng = np.random.default_rng(0)
    net = wang_buzsaki_1996.network(rng.uniform(-70.0, -50.0, 100), drive=1.0)
    return run_network(net, None, np.arange(0.0, 301.0, 1.0), method=Staggered(0.02), record=SpikeTimes(0.0, 16))


def test_a_hundred_interneurons_fall_into_a_gamma_rhythm(gamma):
    """Wang & Buzsaki 1996, Fig. 3A: all in one rhythm within a few cycles, from random starts."""
    times = np.asarray(gamma.records["interneurons"][0])
    count = np.isfinite(times).sum(1)
    early = np.array([t[t < 26.0][:1] for t in times]).ravel()
    last = np.array([t[c - 1] for t, c in zip(times, count, strict=True)])
    assert early.std() > 3.0 and last.std() < 0.05
    period = np.array([t[c - 1] - t[c - 2] for t, c in zip(times, count, strict=True)])
    assert_allclose(1e3 / period, 39.2, atol=0.3)  # Hz
    rate = np.asarray(gamma.rate["interneurons"])
    assert_allclose(rate.sum() * 1e-3 * 100, count.sum(), rtol=1e-9)
    assert rate[200:].max() > 900.0 and np.mean(rate[200:] == 0.0) > 0.9


def test_bad_networks_are_refused():
    cell, reach = traub_miles_1991.model(synapse.ampa(1.0, reversal=0.0)), lambda s: s.mechanisms[0][3]
    two = {"E": copies(cell, 2)}
    make = lambda *a, **k: Network(two, (Connections(*a, **{"delay": 1.0, **k}),))
    for given, text in (
        (lambda: make("E", "I", reach, np.ones((2, 2))), r"populations of the network \(E\), but name 'I'"),
        (lambda: make("E", "E", reach, np.ones((2, 3))), r"the shape \(2, 2\) \(post, pre\), but have \(2, 3\)"),
        (lambda: make("E", "E", reach, np.ones(3), pairs=([0, 1], [1, 0])), "one weight for each pair"),
        (lambda: make("E", "E", reach, np.ones(1), pairs=([0], [5])), "must be 0 to 1, but are 5 to 5"),
        (lambda: make("E", "E", lambda s: s.mechanisms[0], np.ones((2, 2))), "add to an array"),
        (lambda: Network(two, shared=("outside",)), "compartment 'outside' with a volume"),
        (lambda: copies(cell, 2, (lambda c: c.start[0], np.zeros(3))), r"\(2,\), but they have the shape \(3,\)"),
        (lambda: run_network(make("E", "E", reach, np.ones((2, 2)), delay=0.01), None, [0.0, 1.0]), "at least a step"),
        (lambda: run_network(Network(two), {"I": None}, [0.0, 1.0]), "not of 'I'"),
        (lambda: run_network(Network(two), None, [0.0, 1.0], watch={"E": (2,)}), "from 0 to 1"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=text):
            given()
