"""The voltage clamp of gates: closed forms, order of convergence, families, failures, single precision."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from jaxmem import protocols as P
from jaxmem.channel import Channel
from jaxmem.electrochemistry import as_bath
from jaxmem.gating import AlwaysOpen, Gate, HodgkinHuxley, Instantaneous, Sigmoid
from jaxmem.permeation import Exchange, Ohmic
from jaxmem.rates import Exponential
from jaxmem.results import RESULTS, InputError
from jaxmem.simulate import Exact, clamp, plan_clamp, voltage_clamp

T = 294.55
X64 = bool(jax.config.jax_enable_x64)

# The two-gate hERG model of Beattie et al. 2018, cell 5: p1 to p8 and g [nS].
HERG = (2.2609e-4, 0.069920, 3.4495e-5, 0.054612, 0.087329, 8.9313e-3, 5.1493e-3, 0.031561, 152.427)
REVERSAL = -88.35


def herg(p=HERG):
    activation = Gate(Exponential(p[0], p[1]), Exponential(p[2], -p[3]))
    recovery = Gate(Exponential(p[6], -p[7]), Exponential(p[4], p[5]))
    return Channel(HodgkinHuxley((activation, recovery), (1, 1)), Ohmic(p[8], reversal=REVERSAL))


def rates(v, p=HERG):
    """Steady values and rates of the two gates, in numpy."""
    a, b = p[0] * np.exp(p[1] * v), p[2] * np.exp(-p[3] * v)
    c, d = p[6] * np.exp(-p[7] * v), p[4] * np.exp(p[5] * v)
    return np.array([a / (a + b), c / (c + d)]), np.array([a + b, c + d])


def stepwise(edges, voltages, t, holding):
    """Current of the two-gate model under steps, in closed form from step to step."""
    gates = rates(holding)[0]
    out = np.empty(len(t))
    for k, v in enumerate(voltages):
        end = edges[k + 1] if k + 1 < len(voltages) else np.inf
        steady, rate = rates(v)
        here = (t >= edges[k]) & (t < end)
        x = steady + (gates - steady) * np.exp(-rate * (t[here, None] - edges[k]))
        out[here] = HERG[8] * x[:, 0] * x[:, 1] * (v - REVERSAL)
        gates = steady + (gates - steady) * np.exp(-rate * (end - edges[k]))
    return out


def sine_wave():
    """The sine-wave protocol of Beattie et al. 2018, 8 s."""
    waves = P.sine(-30.0, [54.0, 26.0, 10.0], [0.007, 0.037, 0.190], 3500.0, origin=-500.0)
    steps = [(-80, 250), (-120, 50), (-80, 200), (40, 1000), (-120, 500), (-80, 1000)]
    return P.joined([P.step(*s) for s in steps] + [waves, P.step(-120, 500), P.step(-80, 1000)])


def steps_command():
    return P.step(-80.0, 20.0) + P.step(40.0, 100.0) + P.step(-120.0, 30.0) + P.step(-80.0, 10.0)


def waves_command():
    """A ramp, then two sines, from a jump."""
    return P.step(-80.0, 2.0) + P.ramp(-20.0, 40.0, 20.0) + P.sine(-10.0, [30.0, 15.0], [0.2, 0.45], 60.0)


def peak_error(got, expected):
    return float(np.max(np.abs(np.asarray(got) - np.asarray(expected))) / np.max(np.abs(np.asarray(expected))))


def current(protocol, t, model=None, **options):
    return voltage_clamp(herg() if model is None else model, protocol, t, bath=T, **options).current


# ---- steps and samples


@pytest.mark.x64
@pytest.mark.parametrize("t", [np.arange(0.0, 180.0, 0.5), np.sort(np.random.default_rng(2).uniform(0, 180, 300))])
def test_steps_match_the_closed_form(t):
    p = steps_command()
    expected = stepwise(p.t, p.start, t, -80.0)
    assert peak_error(current(p, t), expected) < 1e-12


@pytest.mark.x64
def test_the_holding_voltage_sets_the_start():
    p = P.step(40.0, 50.0).held_at(-20.0)
    t = np.arange(0.0, 50.0, 0.5)
    assert peak_error(current(p, t), stepwise(p.t, p.start, t, -20.0)) < 1e-12
    assert peak_error(current(p.delayed(7.0), t + 7.0), stepwise(p.t, p.start, t, -20.0)) < 1e-12


@pytest.mark.x64
def test_a_sample_at_a_jump_has_the_new_voltage_and_the_old_state():
    trace = voltage_clamp(herg(), P.step(-80.0, 20.0) + P.step(40.0, 10.0), [0.0, 20.0, 25.0], bath=T)
    assert_array_equal(trace.v, [-80.0, 40.0, 40.0])
    assert_allclose(trace.state[0][1], rates(-80.0)[0], rtol=1e-13)
    assert_allclose(trace.open_probability[0], np.prod(trace.state[0], axis=-1), rtol=1e-15)
    assert trace.currents[0] is not None
    assert_array_equal(trace.currents[0], trace.current)


@pytest.mark.x64
def test_times_that_miss_an_edge_by_rounding_are_put_onto_it():
    p = P.step(-80.0, 0.3) + P.step(40.0, 0.4)
    t = np.arange(8) * 0.1
    assert t[3] > 0.3  # 0.30000000000000004
    below = np.nextafter(0.3, 0.0)
    trace = voltage_clamp(herg(), p, [0.0, below], bath=T)
    assert float(trace.v[1]) == 40.0
    assert_array_equal(voltage_clamp(herg(), p, t, bath=T).v[2:5], [-80.0, 40.0, 40.0])
    # As far off as a thousandth of a microsecond is meant.
    assert float(voltage_clamp(herg(), p, [0.0, 0.3 - 1e-6], bath=T).v[1]) == -80.0


@pytest.mark.x64
def test_repeated_times_repeat_the_sample():
    t = np.array([0.0, 5.0, 5.0, 30.0, 30.0, 60.0])
    for p in (steps_command(), waves_command()):
        trace = voltage_clamp(herg(), p, t, bath=T)
        for k in (1, 3):
            assert float(trace.current[k]) == float(trace.current[k + 1])
    one = voltage_clamp(herg(), steps_command(), [70.0], bath=T)
    assert_allclose(
        one.current, stepwise(steps_command().t, steps_command().start, np.array([70.0]), -80.0), rtol=1e-12
    )


@pytest.mark.x64
def test_where_the_samples_lie_does_not_matter():
    fine = np.arange(0.0, 90.0, 0.05)
    some = fine[::37]
    assert peak_error(current(waves_command(), some), current(waves_command(), fine)[::37]) < 1e-7
    p = steps_command()
    late = np.array([400.0, 500.0])
    assert_allclose(current(p, late), stepwise(p.t, p.start, late, -80.0), rtol=1e-12)


@pytest.mark.x64
def test_a_command_of_no_duration_is_its_last_voltage():
    t = np.arange(0.0, 20.0)
    for p in (P.step(40.0, 0.0).held_at(-80.0), P.step(0.0, 0.0).held_at(-80.0) + P.step(40.0, 0.0)):
        assert peak_error(current(p, t), stepwise([0.0], [40.0], t, -80.0)) < 1e-12
    assert_allclose(current(P.step(-80.0, 0.0), [0.0]), stepwise([0.0], [-80.0], np.zeros(1), -80.0), rtol=1e-12)


@pytest.mark.x64
def test_a_held_command_is_a_chain_of_exponentials():
    t = np.arange(700) * 0.1
    v = waves_command()(t)
    gates = rates(v[0])[0]
    expected = np.empty(t.size)
    for k in range(t.size):
        expected[k] = HERG[8] * gates[0] * gates[1] * (v[k] - REVERSAL)
        steady, rate = rates(v[k])
        gates = steady + (gates - steady) * np.exp(-0.1 * rate)
    assert peak_error(current(P.held(t, v), t), expected) < 1e-12


@pytest.mark.x64
def test_held_and_connected_samples_are_different_commands():
    p, t = P.sine(-10.0, [30.0, 15.0], [0.2, 0.45], 60.0), np.arange(600) * 0.1
    smooth = current(p, t)
    lines, steps = (peak_error(current(make(t, p(t)), t), smooth) for make in (P.sampled, P.held))
    assert lines < 1e-4
    assert steps > 1e-3


# ---- order


@pytest.mark.x64
@pytest.mark.parametrize("name", ["sine", "ramp"])
def test_the_step_is_of_fourth_order(name):
    p = {"sine": P.sine(-30.0, [54.0, 26.0], [0.07, 0.19], 64.0), "ramp": P.ramp(-100.0, 60.0, 64.0)}[name]
    t = np.arange(0.0, 64.1, 4.0)
    reference = current(p, t, method=Exact(step=1 / 64))
    steps = np.array([2.0, 1.0, 0.5, 0.25])
    errors = [peak_error(current(p, t, method=Exact(step=float(h))), reference) for h in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert abs(slope - 4.0) < 0.15, (errors, slope)


@pytest.mark.x64
def test_the_sine_wave_at_a_tenth_of_a_millisecond_is_exact_to_1e_9():
    t = np.arange(80_000) * 0.1
    got = np.asarray(current(sine_wave(), t))[::20]
    reference = current(sine_wave(), t[::20], method=Exact(step=0.0125))
    assert peak_error(got, reference) < 1e-10


@pytest.mark.x64
def test_the_sine_wave_against_an_independent_integrator():
    from scipy.integrate import solve_ivp

    p = sine_wave()
    t = np.arange(3000.0, 3400.0, 5.0)
    before = np.asarray(voltage_clamp(herg(), p, [0.0, 3000.0], bath=T).state[0][1])

    def slope(time, x):
        s = time - 2500.0
        v = -30.0 + 54.0 * np.sin(0.007 * s) + 26.0 * np.sin(0.037 * s) + 10.0 * np.sin(0.19 * s)
        steady, rate = rates(v)
        return rate * (steady - x)

    x = solve_ivp(slope, (3000.0, 3400.0), before, "DOP853", t_eval=t, rtol=1e-12, atol=1e-14).y
    got = voltage_clamp(herg(), p, np.concatenate([[0.0], t]), bath=T).state[0][1:]
    assert_allclose(got, x.T, atol=1e-10)


# ---- families and tuples


@pytest.mark.x64
def test_a_family_is_its_sweeps():
    t = np.arange(0.0, 60.0, 0.5)
    commands = [P.step(-80.0, 5.0) + P.step(20.0, 30.0), steps_command(), waves_command()]
    family = voltage_clamp(herg(), P.sweeps(commands), t, bath=T)
    assert family.current.shape == (3, 120)
    assert family.t.shape == (120,)
    for i, command in enumerate(commands):
        alone = voltage_clamp(herg(), command, t, bath=T)
        assert_allclose(family.current[i], alone.current, rtol=1e-12, atol=1e-12)
        assert_array_equal(family.v[i], alone.v)
    assert_array_equal(family.result._value, np.full(3, RESULTS.successful._value))


@pytest.mark.x64
def test_a_tuple_of_mechanisms_adds_their_currents():
    t = np.arange(0.0, 80.0, 0.5)
    leak = Channel(AlwaysOpen(), Ohmic(2.0, reversal=-60.0))
    rectifier = Channel(Instantaneous(Sigmoid(-20.0, -18.0)), Ohmic(3.0, reversal=-90.0))
    trace = voltage_clamp((herg(), leak, rectifier), waves_command(), t, bath=T)
    v = np.asarray(trace.v)
    assert_allclose(trace.currents[0], current(waves_command(), t), rtol=1e-12)
    assert_allclose(trace.currents[1], 2.0 * (v + 60.0), rtol=1e-12)
    assert_allclose(trace.currents[2], 3.0 * (v + 90.0) / (1.0 + np.exp((v + 20.0) / 18.0)), rtol=1e-12)
    assert_allclose(trace.current, sum(np.asarray(c) for c in trace.currents), rtol=1e-14)
    assert trace.state[1:] == ((), ())


class Sag(eqx.Module):
    """An outside mechanism: a conductance that follows tanh(V / 20 mV) with a time constant of 5 ms."""

    g: jax.Array

    def init(self, v, bath):
        return {"x": jnp.tanh(v / 20.0)}

    def derivative(self, state, v, bath):
        return {"x": (jnp.tanh(v / 20.0) - state["x"]) / 5.0}

    def advance(self, state, v, bath, dt):
        goal = jnp.tanh(v / 20.0)
        return {"x": goal + (state["x"] - goal) * jnp.exp(-dt / 5.0)}

    def exchange(self, state, v, bath):
        flow = jnp.zeros((len(bath.species),), v.dtype)
        return Exchange(flow, flow, self.g * (1.0 + state["x"]) * (v + 50.0))


@pytest.mark.x64
@pytest.mark.parametrize("samples", [300, 1500])
def test_a_mechanism_from_outside_runs_in_the_clamp(samples):
    # 1500 different voltages are more than state graphs take exponentials for one by one.
    t = np.arange(samples) * 0.1
    v = -40.0 + 50.0 * np.sin(0.05 * t) + 0.01 * t
    trace = voltage_clamp(Sag(jnp.asarray(3.0)), P.held(t, v), t, bath=T)
    x, expected = np.tanh(v[0] / 20.0), np.empty(samples)
    for k in range(samples):
        expected[k] = 3.0 * (1.0 + x) * (v[k] + 50.0)
        x = np.tanh(v[k] / 20.0) + (x - np.tanh(v[k] / 20.0)) * np.exp(-0.1 / 5.0)
    assert peak_error(trace.current, expected) < 1e-12
    assert trace.state[0]["x"].shape == (samples,)
    assert trace.open_probability == (None,)


@pytest.mark.x64
def test_a_mechanism_from_outside_in_a_family_and_in_company():
    t = np.arange(0.0, 80.0, 0.1)
    family = P.sweeps([steps_command(), waves_command()])
    trace = voltage_clamp((herg(), Sag(jnp.asarray(3.0))), family, t, bath=T)
    for i in range(2):
        alone = voltage_clamp(Sag(jnp.asarray(3.0)), family.sweep(i), t, bath=T)
        assert_allclose(trace.currents[1][i], alone.current, rtol=1e-10, atol=1e-10)


# ---- failures


def lanes(p):
    """Current, its gradient and the outcome of the clamp for each of several parameter sets."""
    plan = plan_clamp(herg(), waves_command(), np.arange(0.0, 60.0, 0.5))

    def loss(x):
        trace = clamp(herg(tuple(x)), plan, as_bath(T))
        return jnp.sum(trace.current**2), trace

    return jax.jit(jax.vmap(jax.grad(loss, has_aux=True)))(jnp.asarray(p))


def test_one_bad_lane_leaves_the_others_alone():
    good = np.stack([np.array(HERG) * s for s in (1.0, 1.05, 0.97, 1.01)])
    bad = good.copy()
    bad[1, 0], bad[2, 1] = np.nan, 400.0  # the second overflows at positive voltages
    gradient, trace = lanes(good)
    bad_gradient, bad_trace = lanes(bad)
    for lane in (0, 3):
        assert_array_equal(bad_gradient[lane], gradient[lane])
        assert_array_equal(bad_trace.current[lane], trace.current[lane])
    codes = [RESULTS.successful, RESULTS.nonfinite_input, RESULTS.nonfinite_result, RESULTS.successful]
    assert_array_equal(bad_trace.result._value, [code._value for code in codes])
    assert np.all(np.isnan(bad_trace.current[1:3]))
    assert np.all(np.isfinite(gradient)) and np.all(np.isfinite(trace.current))


def test_throw_raises_with_the_remedy():
    t = np.arange(0.0, 60.0, 0.5)
    with pytest.raises(RuntimeError, match="check the parameters"):
        voltage_clamp(herg((np.nan, *HERG[1:])), steps_command(), t, bath=T)
    with pytest.raises(RuntimeError, match="a rate overflowed"):
        voltage_clamp(herg((HERG[0], 400.0, *HERG[2:])), steps_command(), t, bath=T)
    with pytest.raises(RuntimeError, match="1 of 2 lanes failed"):
        family = P.sweeps([P.step(-80.0, 50.0), steps_command()])
        voltage_clamp(herg((HERG[0], 40.0, *HERG[2:])), family, t, bath=T)
    trace = voltage_clamp(herg((np.nan, *HERG[1:])), steps_command(), t, bath=T, throw=False)
    assert trace.result._value == RESULTS.nonfinite_input._value
    assert np.all(np.isnan(trace.current))


@pytest.mark.parametrize(
    ("t", "match"),
    [
        ([], "list of finite numbers, but have shape"),
        (5.0, r"shape \(\)"),
        ([0.0, np.nan], "finite numbers"),
        ([0.0, np.inf], "finite numbers"),
        ([0.0, 2.0, 1.0], "must not decrease"),
        ([-1.0, 2.0], "start at 0 ms, but the first is at -1 ms"),
    ],
)
def test_bad_times_say_why(t, match):
    with pytest.raises(InputError, match=match) as caught:
        voltage_clamp(herg(), steps_command(), t, bath=T)
    assert "\n" not in str(caught.value)


def test_bad_commands_say_why():
    with pytest.raises(InputError, match=r"must be a Protocol .* but is a float"):
        voltage_clamp(herg(), -80.0, [0.0], bath=T)
    with pytest.raises(InputError, match="must be concrete"):
        jax.jit(lambda t: current(steps_command(), t))(jnp.arange(3.0))
    with pytest.raises(InputError, match="must be concrete"):
        eqx.filter_jit(lambda p: current(p, np.arange(3.0)))(steps_command())
    with pytest.raises(InputError, match="start at 5 ms"):
        current(steps_command().delayed(5.0), [0.0, 6.0])


# ---- single precision


def single(tree):
    """The arrays of a tree in single precision."""
    cast = lambda x: x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.floating) else x
    return jax.tree.map(cast, tree)


def test_single_precision_is_within_5e_6():
    p, t = steps_command(), np.arange(0.0, 160.0, 0.1)
    got = jax.jit(clamp)(single(herg()), single(plan_clamp(herg(), p, t)), single(as_bath(T))).current
    assert got.dtype == jnp.float32
    assert peak_error(got, stepwise(p.t, p.start, t, -80.0)) < 5e-6


@pytest.mark.x64
def test_single_precision_is_within_5e_6_where_the_voltage_moves():
    t = np.arange(30_000) * 0.1 + 2500.0
    plan = plan_clamp(herg(), sine_wave(), t)
    got = jax.jit(clamp)(single(herg()), single(plan), single(as_bath(T))).current
    assert got.dtype == jnp.float32
    assert peak_error(got, jax.jit(clamp)(herg(), plan, as_bath(T)).current) < 5e-6
