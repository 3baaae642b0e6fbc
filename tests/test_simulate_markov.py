"""The voltage clamp of state graphs: exponentials, their interpolation over voltage, order, probability."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from numpy.testing import assert_allclose, assert_array_equal

from jaxmem import protocols as P
from jaxmem._numerics.recurrence import matrix_recurrence
from jaxmem.channel import Channel
from jaxmem.electrochemistry import as_bath
from jaxmem.gating import Gate, HodgkinHuxley, Markov, as_scheme
from jaxmem.kinetics import scheme
from jaxmem.permeation import Ohmic
from jaxmem.rates import Constant, Exponential
from jaxmem.results import RESULTS
from jaxmem.simulate import Exact, clamp, plan_clamp, voltage_clamp
from jaxmem.simulate.exact import chain_propagators

T, REVERSAL = 310.0, -88.0

# The five-state hERG scheme of Fink et al. 2008, p1 to p14, and a conductance [nS].
FINK = (0.20618, 0.0112, 0.04209, 0.02202, 0.0365, 0.41811, 0.0223)
FINK = (*FINK, 0.13279, 0.0603, 0.08094, 0.0002262, 0.0399, 0.0415, 0.0312, 100.0)


def fink(p=FINK):
    graph = scheme(
        {
            ("C1", "C2"): (Exponential(p[0], p[1]), Exponential(p[7], -p[8])),
            ("C2", "C3"): (Constant(p[2]), Constant(p[9])),
            ("C3", "O"): (Exponential(p[3], p[4]), Exponential(p[10], -p[11])),
            ("O", "I"): (Exponential(p[5], p[6]), Exponential(p[12], -p[13])),
        }
    )
    return Channel(Markov(graph, ("O",)), Ohmic(p[14], reversal=REVERSAL))


def generators(v, p=FINK):
    """The generators at voltages, in numpy."""
    v = np.asarray(v, float)
    forward = [p[0] * np.exp(p[1] * v), p[2] + 0 * v, p[3] * np.exp(p[4] * v), p[5] * np.exp(p[6] * v)]
    back = [p[7] * np.exp(-p[8] * v), p[9] + 0 * v, p[10] * np.exp(-p[11] * v), p[12] * np.exp(-p[13] * v)]
    q = np.zeros((*v.shape, 5, 5))
    for k in range(4):
        q[..., k, k + 1], q[..., k + 1, k] = forward[k], back[k]
        q[..., k, k] -= forward[k]
        q[..., k + 1, k + 1] -= back[k]
    return q


def steady(v):
    p = np.linalg.svd(generators(v).T)[2][-1]
    return p / p.sum()


def held_reference(v, h):
    """Occupancies under samples that are held for h [ms] each."""
    moves = scipy.linalg.expm(generators(v) * h)
    p, out = steady(v[0]), np.empty((len(v), 5))
    for k, move in enumerate(moves):
        out[k] = p
        p = p @ move
    return out


def sine_wave():
    """The sine-wave protocol of Beattie et al. 2018, 8 s."""
    waves = P.sine(-30.0, [54.0, 26.0, 10.0], [0.007, 0.037, 0.190], 3500.0, origin=-500.0)
    steps = [(-80, 250), (-120, 50), (-80, 200), (40, 1000), (-120, 500), (-80, 1000)]
    return P.joined([P.step(*s) for s in steps] + [waves, P.step(-120, 500), P.step(-80, 1000)])


def waves_command(duration=150.0):
    return P.step(-80.0, 2.0) + P.sine(-10.0, [30.0, 15.0], [0.1, 0.45], duration)


def states(protocol, t, model=None, **options):
    return np.asarray(voltage_clamp(model or fink(), protocol, t, bath=T, **options).state[0])


# ---- steps and samples


@pytest.mark.x64
@pytest.mark.parametrize("t", [np.arange(0.0, 60.0, 0.5), np.sort(np.random.default_rng(2).uniform(0, 60, 80))])
def test_steps_match_matrix_exponentials(t):
    p = P.step(-80.0, 5.0) + P.step(40.0, 30.3) + P.step(-120.0, 20.0)
    expected, now = np.empty((t.size, 5)), steady(-80.0)
    for k, v in enumerate(p.start):
        end = p.t[k + 1] if k < 2 else np.inf
        here = (t >= p.t[k]) & (t < end)
        expected[here] = now @ scipy.linalg.expm(generators(v) * (t[here, None, None] - p.t[k]))
        now = now @ scipy.linalg.expm(generators(v) * (p.t[k + 1] - p.t[k]))
    trace = voltage_clamp(fink(), p, t, bath=T)
    assert_allclose(trace.state[0], expected, atol=1e-12)
    assert_allclose(trace.open_probability[0], expected[:, 3], atol=1e-12)
    current = FINK[14] * expected[:, 3] * (p(t) - REVERSAL)
    assert_allclose(trace.current, current, atol=1e-12 * np.max(np.abs(current)))


@pytest.mark.x64
def test_a_held_command_is_a_chain_of_exponentials():
    t = np.arange(400) * 0.1
    v = waves_command()(t)
    assert_allclose(states(P.held(t, v), t), held_reference(v, 0.1), atol=1e-12)


@pytest.mark.x64
def test_interpolated_propagators_make_the_same_chain():
    t = np.arange(1500) * 0.1
    v = waves_command()(t) + 1e-3 * t
    command = P.held(t, v)
    assert plan_clamp(fink(), command, t).chain.mix.size > 0
    assert_allclose(states(command, t), held_reference(v, 0.1), atol=1e-9)


@pytest.mark.x64
@pytest.mark.parametrize("name", ["held", "sine"])
def test_interpolated_propagators_are_exponentials(name, monkeypatch):
    t = np.arange(1500) * 0.1
    command = waves_command()
    command = P.held(t, command(t) + 1e-3 * t) if name == "held" else command
    mixed = plan_clamp(fink(), command, t).chain
    monkeypatch.setattr("jaxmem.simulate.chain._FEW", 10**9)
    direct = plan_clamp(fink(), command, t).chain
    assert mixed.mix.size > 0 and direct.mix.size == 0
    assert mixed.h.size < direct.h.size
    both = [np.asarray(chain_propagators(fink().gating, c, as_bath(T)))[c.which] for c in (mixed, direct)]
    assert_allclose(*both, atol=1e-9)
    assert_allclose(both[0].sum(-1), 0.0, atol=1e-13)
    for mine, other in zip(mixed.intervals(), direct.intervals(), strict=True):
        assert_allclose(mine, other, rtol=1e-12, atol=1e-12)


@pytest.mark.x64
def test_intervals_that_move_too_much_are_not_interpolated():
    # 620 different intervals that each cross 0.87 mV.
    t = np.arange(0.0, 62.05, 0.1)
    command = P.ramp(-270.0, 270.0, 62.0)
    assert plan_clamp(fink(), command, t).chain.mix.size == 0
    assert np.all(np.isfinite(states(command, t)))


@pytest.mark.x64
def test_a_two_state_graph_is_its_gate():
    gate = Gate(Exponential(0.3, 0.02), Exponential(0.1, -0.03))
    t = np.arange(0.0, 100.0, 0.1)
    p = waves_command()
    x = states(p, t, Channel(HodgkinHuxley((gate,), (1,)), Ohmic(1.0, reversal=0.0)))[:, 0]
    y = states(p, t, Channel(Markov(as_scheme(gate), ("open",)), Ohmic(1.0, reversal=0.0)))[:, 1]
    # Two fourth-order steps: they agree as far as each of them is right.
    assert_allclose(x, y, atol=2e-7)
    held = P.held(t, p(t))
    z = states(held, t, Channel(HodgkinHuxley((gate,), (1,)), Ohmic(1.0, reversal=0.0)))
    w = states(held, t, Channel(Markov(as_scheme(gate), ("open",)), Ohmic(1.0, reversal=0.0)))
    assert_allclose(z[:, 0], w[:, 1], atol=1e-11)


@pytest.mark.x64
@pytest.mark.parametrize("name", ["sine", "ramp"])
def test_the_step_is_of_fourth_order(name):
    p = {"sine": P.sine(-30.0, [40.0, 20.0], [0.07, 0.19], 32.0), "ramp": P.ramp(-50.0, 50.0, 32.0)}[name]
    t = np.arange(0.0, 32.1, 4.0)
    reference = states(p, t, method=Exact(step=1 / 64))
    steps = np.array([1.0, 0.5, 0.25, 0.125])
    errors = [np.max(np.abs(states(p, t, method=Exact(step=float(h))) - reference)) for h in steps]
    slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert abs(slope - 4.0) < 0.15, (errors, slope)


# ---- probability


@pytest.mark.slow
def test_probability_is_kept_over_80_000_samples():
    t = np.arange(80_000) * 0.1
    model, tolerance = fink(), 1e-12 if jax.config.jax_enable_x64 else 1e-5
    plan = plan_clamp(model, sine_wave(), t)
    trace = clamp(model, plan, as_bath(T))
    p = np.asarray(trace.state[0])
    assert p.shape == (80_000, 5)
    assert np.max(np.abs(p.sum(-1, dtype=np.float64) - 1.0)) < tolerance
    assert p.min() >= 0.0
    assert p.max() <= 1.0
    # Before it is divided by its sum, probability drifts by rounding only.
    moves = chain_propagators(model.gating, plan.chain, as_bath(T))
    raw = np.asarray(matrix_recurrence(moves, plan.chain.which, model.init(plan.holding, T)), np.float64)
    assert np.max(np.abs(raw.sum(-1) - 1.0)) < (1e-10 if jax.config.jax_enable_x64 else 1e-2)


@pytest.mark.x64
@pytest.mark.slow
def test_the_sine_wave_at_a_tenth_of_a_millisecond():
    t = np.arange(2990.0, 3400.0, 0.1)
    run = lambda t, **options: np.asarray(voltage_clamp(fink(), sine_wave(), t, bath=T, **options).current)
    reference = run(t[::20], method=Exact(step=0.0125))
    error = np.max(np.abs(run(t)[::20] - reference)) / np.max(np.abs(reference))
    assert error < 1e-7


@pytest.mark.x64
@pytest.mark.slow
def test_single_precision_keeps_current_and_gradient_over_80_000_samples():
    model, bath = fink(), as_bath(T)
    plan = plan_clamp(model, sine_wave(), np.arange(80_000) * 0.1)
    single = jax.tree.map(lambda x: x.astype(np.float32) if x.dtype == np.float64 else x, (model, plan, bath))
    current = jax.jit(lambda *given: clamp(*given).current)
    wide, narrow = current(model, plan, bath), current(*single)
    assert narrow.dtype == np.float32
    assert np.max(np.abs(np.asarray(narrow, np.float64) - wide)) < 2e-6 * np.max(np.abs(wide))
    slopes = jax.jit(jax.grad(lambda *given: jnp.sum(clamp(*given).current ** 2)))
    for exact, found in zip(*(jax.tree.leaves(slopes(*x)) for x in ((model, plan, bath), single)), strict=True):
        assert_allclose(found, exact, rtol=5e-5)


@pytest.mark.slow
def test_probability_is_not_negative_at_extreme_rates():
    for seed in range(5):
        draws = np.random.default_rng(seed).uniform(size=15)
        p = [x * 10 ** (2 * u - 1) for x, u in zip(FINK, draws, strict=True)]
        for k in (1, 4, 6, 8, 11, 13):
            p[k] = 0.2 * draws[k]
        trace = voltage_clamp(fink(p), sine_wave(), np.arange(80_000) * 0.1, bath=T, throw=False)
        assert np.asarray(trace.state[0]).min() >= 0.0


@pytest.mark.x64
def test_nearly_equal_lengths_are_not_equal():
    # The last stretch is cut into parts a millionth shorter than the others.
    t = np.append(np.arange(0.0, 20.0, 2.0), 20.01)
    p = P.sine(-10.0, [30.0, 15.0], [0.1, 0.45], 8000.0)
    h, _ = plan_clamp(fink(), p, t, Exact(step=0.025)).chain.intervals()
    assert_allclose(np.asarray(h).sum(), 8000.0, rtol=1e-12)
    assert_allclose(np.asarray(h)[:720].sum(), 18.0, rtol=1e-12)


# ---- families, failures, single precision


@pytest.mark.x64
def test_a_family_is_its_sweeps():
    t = np.arange(0.0, 60.0, 0.5)
    steps = P.step(-80.0, 5.0) + P.step(20.0, 30.25)
    for commands in (
        [steps, P.step(-60.0, 12.0), P.step(-80.0, 5.0) + P.step(-20.0, 70.0)],
        [steps, waves_command(50.0)],
    ):
        family = voltage_clamp(fink(), P.sweeps(commands), t, bath=T)
        for i, command in enumerate(commands):
            assert_allclose(family.state[0][i], states(command, t), atol=1e-12)


@pytest.mark.x64
def test_the_sweeps_of_a_family_share_their_exponentials():
    t = np.arange(0.0, 60.0, 0.5)
    family = P.family(lambda v: P.step(-80.0, 5.0) + P.step(v, 50.0) + P.step(-80.0, 5.0), range(-60, 50, 10))
    assert plan_clamp(fink(), family, t).chain.h.size == 13  # 12 voltages, and the empty interval


def test_one_bad_lane_leaves_the_others_alone():
    plan = plan_clamp(fink(), waves_command(20.0), np.arange(0.0, 20.0, 0.5))

    def loss(x):
        trace = clamp(fink(tuple(x)), plan, as_bath(T))
        return jnp.sum(trace.current**2), trace

    run = jax.jit(jax.vmap(jax.grad(loss, has_aux=True)))
    good = np.stack([np.array(FINK) * s for s in (1.0, 1.05, 0.97, 1.01)])
    bad = good.copy()
    bad[1, 2], bad[2, 1] = np.nan, 400.0
    gradient, trace = run(jnp.asarray(good))
    bad_gradient, bad_trace = run(jnp.asarray(bad))
    for lane in (0, 3):
        assert_array_equal(bad_gradient[lane], gradient[lane])
        assert_array_equal(bad_trace.current[lane], trace.current[lane])
    codes = [RESULTS.successful, RESULTS.nonfinite_input, RESULTS.nonfinite_result, RESULTS.successful]
    assert_array_equal(bad_trace.result._value, [code._value for code in codes])
    assert np.all(np.isnan(bad_trace.current[1:3]))
    assert np.all(np.isfinite(gradient)) and np.all(np.isfinite(trace.current))


def test_single_precision_is_within_2e_6():
    cast = lambda tree: jax.tree.map(
        lambda x: x.astype(jnp.float32) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree
    )
    t = np.arange(400) * 0.1
    v = waves_command()(t)
    plan = plan_clamp(fink(), P.held(t, v), t)
    got = jax.jit(clamp)(cast(fink()), cast(plan), cast(as_bath(T))).state[0]
    assert got.dtype == jnp.float32
    error = np.max(np.abs(np.asarray(got) - held_reference(v, 0.1)))
    assert error < 2e-6
