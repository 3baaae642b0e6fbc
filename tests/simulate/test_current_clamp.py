"""Cells under injected current: orders of the methods, stimuli, recorders, gradients, lanes, bad input."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from jaxmem import simulate
from jaxmem.cell import Cell, Compartment, Membrane, point
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Cl, K, Na
from jaxmem.gating import AlwaysOpen
from jaxmem.library import hodgkin_huxley_1952
from jaxmem.permeation import Ohmic
from jaxmem.protocols import ramp, sine, step
from jaxmem.results import RESULTS, InputError

pytestmark = pytest.mark.x64


def axon(**changes):
    return point(hodgkin_huxley_1952.model(**changes), 1.0, 279.45)


def reference(current, t):
    """The axon by scipy, its rates written out: voltage at times t, and its crossings of -20 mV."""

    def rates(v):
        x = -65.0 - v
        linoid = lambda y: y / np.expm1(y) if abs(y) > 1e-9 else 1.0
        a = np.array([linoid((25 + x) / 10), 0.07 * np.exp(x / 20), 0.1 * linoid((10 + x) / 10)])
        b = np.array([4 * np.exp(x / 18), 1 / (1 + np.exp((30 + x) / 10)), 0.125 * np.exp(x / 80)])
        return a, b

    def slope(time, y):
        v, (m, h, n) = y[0], y[1:]
        a, b = rates(v)
        i = 120 * m**3 * h * (v - 50) + 36 * n**4 * (v + 77) + 0.3 * (v + 54.387)
        return [current(time) - i, *(a - (a + b) * y[1:])]

    def crossing(time, y):
        return y[0] + 20.0

    crossing.direction = 1
    a, b = rates(-65.0)
    start = [-65.0, *(a / (a + b))]
    found = solve_ivp(slope, [0, t[-1]], start, method="LSODA", rtol=1e-11, atol=1e-11, t_eval=t, events=crossing)
    return found.y[0], found.t_events[0]


@pytest.fixture(scope="module")
def driven():
    t = np.arange(0.0, 100.01, 0.5)
    return t, *reference(lambda time: 10.0, t)


@pytest.fixture(scope="module")
def spikes():
    """The spike times at a step, by method; each compiled once per number of steps."""
    found = {}

    def run(method):
        key = (type(method).__name__, method.dt)
        if key not in found:
            record = simulate.SpikeTimes(most=10)
            trace = simulate.current_clamp(axon(), step(10.0, 100.0), [100.0], method=method, record=record)
            found[key] = np.asarray(trace.records[0])
        return found[key]

    return run


def test_adaptive_steps_follow_the_reference(driven):
    t, v, _ = driven
    trace = simulate.current_clamp(axon(), step(10.0, 100.0), t, method=simulate.Adaptive())
    assert np.abs(trace.v - v).max() < 5e-4
    assert np.array_equal(trace.t, t) and trace.result == RESULTS.successful


@pytest.mark.parametrize(
    ("method", "limit", "fine"),
    [(simulate.ExponentialEuler, 0.03, 0.015), (simulate.Staggered, 0.0075, 0.002)],
)
def test_spike_times_converge(driven, spikes, method, limit, fine):
    """Errors at 0.025 ms and at 0.01 ms, and the order."""
    exact = driven[2]
    error = {dt: np.abs(spikes(method(dt))[: exact.size] - exact).max() for dt in (0.025, 0.01)}
    assert np.isinf(spikes(method(0.025))[exact.size :]).all() and exact.size == 7
    assert error[0.025] < limit and error[0.01] < fine
    assert np.log(error[0.025] / error[0.01]) / np.log(2.5) == pytest.approx(2.0, abs=0.1)


def test_order_away_from_rest():
    """From a state that is not steady, exponential Euler has order 1 and staggering keeps order 2, in every gate."""
    cell = axon()
    start = cell.init()
    start = start._replace(v=(jnp.asarray(-40.0),))
    finest = simulate.current_clamp(cell, None, [2.0], init=start, method=simulate.RungeKutta(0.002)).state
    for method, order in ((simulate.ExponentialEuler, 1.0), (simulate.Staggered, 2.0)):
        size = []
        for dt in (0.02, 0.01):
            state = simulate.current_clamp(cell, None, [2.0], init=start, method=method(dt)).state
            gaps = jax.tree.map(lambda a, b: jnp.max(jnp.abs(a - b), initial=0.0), state.mechanisms, finest.mechanisms)
            size.append(max(map(float, jax.tree.leaves(gaps))))
        assert np.log2(size[0] / size[1]) == pytest.approx(order, abs=0.25), method


def test_a_stiff_gate_ends_at_its_steady_state():
    """A step a hundred times too long for a gate neither overshoots nor diverges."""
    cell = axon()
    with pytest.warns(UserWarning, match="longer than the fastest gate needs"):
        trace = simulate.current_clamp(cell, None, [500.0], method=simulate.Staggered(5.0))
    assert trace.result == RESULTS.successful
    gates = np.concatenate([np.ravel(g) for g in jax.tree.leaves(trace.state.mechanisms)])
    assert (gates >= 0).all() and (gates <= 1).all()


def test_commands_inject_their_charge():
    """A capacitor integrates what is injected: steps, ramps and sines, with edges that lie on no step."""
    cell = point(Channel(AlwaysOpen(), Ohmic(1e-12, reversal=0.0)), 2.0, 300.0, start=0.0)
    commands = {
        "step": (step(0.0, 1.003) + step(7.0, 2.345), 7.0 * 2.345),
        "ramp": (step(0.0, 0.5) + ramp(0.0, 4.0, 3.1234), 0.5 * 4.0 * 3.1234),
        "sine": (sine(1.0, (2.0,), (0.7,), 9.0), 9.0 + 2.0 / 0.7 * (1 - np.cos(6.3))),
    }
    for name, (command, charge) in commands.items():
        methods = (simulate.Staggered(0.1), simulate.Adaptive()) if name == "step" else (simulate.Staggered(0.1),)
        for method in methods:
            trace = simulate.current_clamp(cell, command, [10.0], method=method)
            error = 2e-3 if name == "sine" else 1e-7
            assert float(trace.v[-1]) == pytest.approx(charge / 2.0, rel=error), (name, method)


def test_two_stimuli_add_up_and_a_conductance_pulls():
    cell = point(Channel(AlwaysOpen(), Ohmic(1.0, reversal=-70.0)), 10.0, 300.0, start=-70.0)
    clamp = simulate.Conductance(step(3.0, 400.0), 10.0)
    both = (step(5.0, 400.0), clamp)
    trace = simulate.current_clamp(cell, both, [400.0], method=simulate.Staggered(0.1))
    assert float(trace.v[-1]) == pytest.approx((-70.0 + 3.0 * 10.0 + 5.0) / 4.0, rel=1e-9)
    implicit = simulate.current_clamp(cell, both, [400.0], method=simulate.Adaptive())
    assert float(implicit.v[-1]) == pytest.approx(float(trace.v[-1]), rel=1e-7)


def test_noise_has_its_mean_spread_and_correlation():
    cell = point(Channel(AlwaysOpen(), Ohmic(1e-9, reversal=0.0)), 1.0, 300.0, start=0.0)
    t = np.arange(0.0, 4000.1, 1.0)
    noise = simulate.Noise(0.5, 2.0, 5.0, jax.random.key(3))
    v = np.asarray(simulate.current_clamp(cell, noise, t, method=simulate.Staggered(0.5)).v)
    current = np.diff(v)  # the mean of each millisecond
    assert current.mean() == pytest.approx(0.5, abs=4 * 2.0 * np.sqrt(2 * 5.0 / 4000))
    assert current.std() == pytest.approx(2.0, rel=0.1)
    lag = np.corrcoef(current[:-5], current[5:])[0, 1]
    assert lag == pytest.approx(np.exp(-1.0), abs=0.12)


def test_arrivals_add_to_a_state():
    class Decaying(AlwaysOpen):
        def init(self, v, bath):
            return jnp.zeros_like(v)

        def derivative(self, state, v, bath):
            return -state / 4.0

        def advance(self, state, v, bath, dt):
            return state * jnp.exp(-dt / 4.0)

        def open_probability(self, state, v):
            return state

    synapse = Channel(Decaying(), Ohmic(2.0, reversal=0.0))
    cell = point((synapse, Channel(AlwaysOpen(), Ohmic(1.0, reversal=-70.0))), 10.0, 300.0, start=-70.0)
    arrivals = simulate.Arrivals(lambda s: s.mechanisms[0][0], np.array([5.0, 7.0]), 0.3)
    trace = simulate.current_clamp(cell, arrivals, [4.9, 10.0], method=simulate.Staggered(0.1))
    assert float(trace.v[0]) == pytest.approx(-70.0)
    expected = 0.3 * (np.exp(-5.0 / 4.0) + np.exp(-3.0 / 4.0))
    assert float(trace.state.mechanisms[0][0]) == pytest.approx(expected, rel=1e-6)


def test_particles_are_supplied():
    bath = {Na: 145.0, K: 4.0, Cl: 149.0}
    cell = Cell(
        Membrane("cell", "cleft", 10.0, Channel(AlwaysOpen(), Ohmic(1.0, species=K))),
        {"cell": Compartment({Na: 10.0, K: 140.0, Cl: 150.0}), "cleft": Compartment(bath, 0.5)},
        temperature=300.0,
        start=-94.0,
    )
    supply = simulate.Supply("cleft", K, step(2e-3, 100.0))
    for method in (simulate.Staggered(0.1), simulate.Adaptive()):
        trace = simulate.current_clamp(cell, supply, [100.0], method=method)
        gained = float(trace.state.amounts["cleft"][1]) - 2.0
        carried = 10.0 * (float(trace.v[-1]) + 94.0) / 96485.33
        assert gained - 0.2 == pytest.approx(-carried, rel=1e-4)


def test_recorders(driven):
    _, v, times = driven
    recorders = (simulate.SpikeCount(), simulate.Peak(), simulate.Mean(), simulate.SpikeTimes(most=3))
    trace = simulate.current_clamp(axon(), step(10.0, 100.0), [50.0, 100.0], record=recorders)
    count, peak, mean, first = trace.records
    assert int(count) == times.size
    assert float(peak) == pytest.approx(40.27, abs=0.1) and float(mean) == pytest.approx(v.mean(), abs=0.3)
    assert np.allclose(first, times[:3], atol=0.01)
    assert trace.v.shape == (2,) and float(trace.v[0]) == pytest.approx(v[100], abs=0.2)


def test_a_lane_that_fails_leaves_the_others_alone():
    def run(g):
        cell = eqx.tree_at(lambda c: c.membranes[0].mechanisms[0].permeation.g, axon(), g)
        trace = simulate.current_clamp(cell, step(10.0, 5.0), [5.0], throw=False)
        return trace.v[-1], trace.result._value

    values = jnp.asarray([120.0, jnp.nan, 110.0, 1e308])
    gradient = jax.vmap(jax.value_and_grad(run, has_aux=True))
    (v, codes), slopes = gradient(values)
    assert np.isnan(v[jnp.array([1, 3])]).all() and np.isfinite(v[jnp.array([0, 2])]).all()
    names = [RESULTS.successful, RESULTS.nonfinite_input, RESULTS.successful, RESULTS.nonfinite_result]
    assert [int(c) for c in codes] == [int(n._value) for n in names]
    good = values[jnp.array([0, 2, 0, 2])]  # the same shape, so that nothing compiles anew
    (alone, _), clean = gradient(good)
    assert np.array_equal(v[0], alone[0]) and np.array_equal(slopes[jnp.array([0, 2])], clean[:2])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"t": [1.0, 1.013]}, "multiples of the step dt = 0.025 ms, but 1.013 ms is not"),
        ({"t": [2.0, 1.0]}, "must be finite, at least 0, and increase"),
        ({"stimulus": step(1.0, 20.0)}, "must lie within the simulated time, 0 to 10 ms, but lasts from 0 to 20 ms"),
        ({"stimulus": "pulse"}, "must be a Protocol of current"),
        ({"stimulus": simulate.Noise(0.0, 1.0, 1.0, None), "method": simulate.Adaptive()}, "needs steps of one length"),
        ({"record": simulate.Peak(), "method": simulate.Adaptive()}, "Recorders need steps of one length"),
    ],
)
def test_bad_runs_are_refused_in_one_line(arguments, says):
    given = {"stimulus": None, "t": [10.0], **arguments}
    with pytest.raises(InputError, match=says) as info:
        simulate.current_clamp(axon(), given.pop("stimulus"), given.pop("t"), **given)
    assert "\n" not in str(info.value)


def test_bad_steps_are_refused():
    with pytest.raises(InputError, match="must be a positive number of ms, but is 0"):
        simulate.Staggered(0.0)
