"""Gradients of the clamp: every parameter, the voltages of the command, the steady state before it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import protocols as P
from jaxmem.channel import Channel
from jaxmem.electrochemistry import as_bath
from jaxmem.gating import Gate, HodgkinHuxley, Markov
from jaxmem.kinetics import scheme
from jaxmem.permeation import Ohmic
from jaxmem.rates import Constant, Exponential
from jaxmem.simulate import clamp, plan_clamp, voltage_clamp

pytestmark = pytest.mark.x64

T, REVERSAL = 295.0, -88.0
HERG = (2.2609e-4, 0.069920, 3.4495e-5, 0.054612, 0.087329, 8.9313e-3, 5.1493e-3, 0.031561, 152.427)
FINK = (0.20618, 0.0112, 0.04209, 0.02202, 0.0365, 0.41811, 0.0223)
FINK = (*FINK, 0.13279, 0.0603, 0.08094, 0.0002262, 0.0399, 0.0415, 0.0312, 100.0)


def herg(p):
    """The two-gate hERG model of Beattie et al. 2018."""
    activation = Gate(Exponential(p[0], p[1]), Exponential(p[2], -p[3]))
    recovery = Gate(Exponential(p[6], -p[7]), Exponential(p[4], p[5]))
    return Channel(HodgkinHuxley((activation, recovery), (1, 1)), Ohmic(p[8], reversal=REVERSAL))


def fink(p):
    """The five-state hERG scheme of Fink et al. 2008."""
    graph = scheme(
        {
            ("C1", "C2"): (Exponential(p[0], p[1]), Exponential(p[7], -p[8])),
            ("C2", "C3"): (Constant(p[2]), Constant(p[9])),
            ("C3", "O"): (Exponential(p[3], p[4]), Exponential(p[10], -p[11])),
            ("O", "I"): (Exponential(p[5], p[6]), Exponential(p[12], -p[13])),
        }
    )
    return Channel(Markov(graph, ("O",)), Ohmic(p[14], reversal=REVERSAL))


MODELS = {"gates": (herg, HERG), "five states": (fink, FINK)}


def commands(name):
    """A command and its sample times."""
    t = np.arange(0.0, 60.0, 0.5)
    if name == "steps":
        return P.step(-80.0, 5.0) + P.step(40.0, 30.0) + P.step(-60.0, 25.0), t
    if name == "sine":
        return P.step(-80.0, 5.0) + P.sine(-20.0, [40.0, 15.0], [0.2, 0.5], 55.0), t
    if name == "steady state":
        # The command starts right away, so that the current hangs on the state at the holding voltage.
        return P.step(20.0, 60.0).held_at(-45.0), t
    v = -30.0 + 50.0 * np.sin(0.02 * np.arange(900)) + 1e-3 * np.arange(900)
    return P.held(np.arange(900) * 0.1, v), np.arange(900) * 0.1  # propagators are interpolated


def loss_of(make, command, t):
    """The current, and a scalar of all of it, as functions of the parameters."""
    plan, bath = plan_clamp(make(HERG if make is herg else FINK), command, t), as_bath(T)
    weights = jnp.asarray(1.0 + 0.5 * np.cos(np.arange(t.size)))

    def trace(x):
        return clamp(make(tuple(x)), plan, bath).current

    return trace, lambda x: jnp.mean(weights * trace(x))


def central(f, x, scale, relative=1e-4):
    """Central differences of fourth order, all in one batch: gradient of a scalar."""
    step = relative * scale
    shifts = np.asarray([-2.0, -1.0, 1.0, 2.0])[:, None, None] * np.diag(step)
    values = np.asarray(jax.jit(jax.vmap(jax.vmap(f)))(jnp.asarray(np.asarray(x) + shifts)))
    return np.asarray([1.0, -8.0, 8.0, -1.0]) @ values / (12.0 * np.asarray(step))


@pytest.mark.parametrize("name", ["steps", "sine", "steady state", pytest.param("held", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", MODELS)
def test_gradients_of_every_parameter(kind, name):
    make, values = MODELS[kind]
    _, loss = loss_of(make, *commands(name))
    x = jnp.asarray(values)
    reverse = jax.jit(jax.grad(loss))(x)
    forward = jax.jit(jax.jacfwd(loss))(x)
    assert np.all(reverse != 0)
    assert_allclose(forward, reverse, rtol=1e-10)
    assert_allclose(reverse, central(loss, x, jnp.abs(x)), rtol=1e-6)


@pytest.mark.parametrize("kind", MODELS)
def test_forward_and_reverse_mode_are_transposes(kind, getkey):
    make, values = MODELS[kind]
    trace, _ = loss_of(make, *commands("sine"))
    x = jnp.asarray(values)
    direction = x * jax.random.normal(getkey(), x.shape)

    @jax.jit
    def both(x, direction, weights):
        _, pushed = jax.jvp(trace, (x,), (direction,))
        _, pull = jax.vjp(trace, x)
        return jnp.sum(weights * pushed), jnp.sum(pull(weights)[0] * direction)

    weights = jax.random.normal(getkey(), (120,))
    assert_allclose(*both(x, direction, weights), rtol=1e-10)


@pytest.mark.parametrize("kind", ["gates", pytest.param("five states", marks=pytest.mark.slow)])
def test_second_derivatives_are_finite_and_right(kind):
    make, values = MODELS[kind]
    _, loss = loss_of(make, *commands("sine"))
    x = jnp.asarray(values)
    gradient = jax.jit(jax.grad(loss))
    direction = 0.1 * x * jnp.cos(jnp.arange(x.size, dtype=x.dtype))
    _, curvature = jax.jit(lambda x, d: jax.jvp(jax.grad(loss), (x,), (d,)))(x, direction)
    assert np.all(np.isfinite(curvature))
    h = 1e-3
    values = [gradient(x + k * h * direction) for k in (-2, -1, 1, 2)]
    expected = (values[0] - 8 * values[1] + 8 * values[2] - values[3]) / (12 * h)
    assert_allclose(curvature * x, expected * x, rtol=1e-6, atol=1e-8 * float(jnp.max(jnp.abs(expected * x))))


@pytest.mark.parametrize("kind", MODELS)
def test_voltages_of_the_command(kind):
    make, values = MODELS[kind]
    model, t = make(values), np.arange(0.0, 30.0, 0.5)

    def loss(v):
        command = P.step(v[0], 10.0).held_at(v[1]) + P.ramp(v[2], v[0], 10.0) + P.sine(-20.0, [v[3]], [0.4], 10.0)
        return jnp.mean(voltage_clamp(model, command, t, bath=T).current)

    v = jnp.asarray([20.0, -45.0, -70.0, 30.0])
    gradient = jax.jit(jax.grad(loss))(v)
    assert_allclose(gradient, central(loss, v, jnp.abs(v)), rtol=1e-6)
    assert_allclose(jax.jit(jax.jacfwd(loss))(v), gradient, rtol=1e-10)


def test_a_traced_step_gives_the_same_current():
    t = np.arange(0.0, 30.0, 0.5)
    for make, values in MODELS.values():
        model = make(values)

        def run(v, model=model):
            return voltage_clamp(model, P.step(-80.0, 10.0) + P.step(v, 20.0), t, bath=T).current

        assert_allclose(jax.jit(run)(20.0), run(20.0), rtol=1e-11)
