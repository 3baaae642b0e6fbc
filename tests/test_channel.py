"""Channels: gating times permeation times number, one mechanism for clamp and cell."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import gating
from jaxmem.channel import Channel
from jaxmem.electrochemistry import Bath, Ca, K
from jaxmem.permeation import GHK, Ohmic
from jaxmem.rates import Binding, Constant, Exponential

pytestmark = pytest.mark.x64

T = 310.15


def gate():
    return gating.Gate(Exponential(0.3, 0.02), Exponential(0.1, -0.03))


def channel(number=1.0):
    return Channel(gating.HodgkinHuxley((gate(),), (2,)), Ohmic(5.0, reversal=-85.0), number)


def test_the_current_is_number_times_open_probability_times_permeation():
    v, state = jnp.asarray(-20.0), jnp.asarray([0.4])
    exchange = channel(30.0).exchange(state, v, T)
    assert_allclose(exchange.current, 30.0 * 0.4**2 * 5.0 * 65.0, rtol=1e-14)
    assert_allclose(channel().exchange(state, v, T).current, 0.4**2 * 5.0 * 65.0, rtol=1e-14)


def test_amounts_scale_with_the_current():
    bath = Bath({K: 140.0, Ca: 1e-4}, {K: 4.0, Ca: 1.8}, T)
    permeation = GHK(np.asarray([1e-3, 1e-4]), (K, Ca))
    model = Channel(gating.HodgkinHuxley((gate(),), (1,)), permeation, 7.0)
    one, all_of_them = (
        permeation.exchange(jnp.zeros(()), bath),
        model.exchange(jnp.asarray([0.5]), jnp.zeros(()), bath),
    )
    for field in ("inside", "outside", "current"):
        assert_allclose(getattr(all_of_them, field), 3.5 * getattr(one, field), rtol=1e-14)


def test_a_temperature_is_a_bath_where_no_concentration_is_needed():
    model, v, t = channel(), jnp.asarray(-20.0), jnp.asarray(0.5)
    bath = Bath({}, {}, T)
    state = model.init(v, T)
    assert_allclose(state, model.init(v, bath), rtol=0)
    assert_allclose(
        model.advance(state, jnp.asarray(10.0), T, t),
        model.advance(state, jnp.asarray(10.0), bath, t),
        rtol=0,
    )
    assert_allclose(model.derivative(state, v, T), [0.0], atol=1e-17)
    assert model.exchange(state, v, T).outside.shape == (0,)


def test_the_gates_are_those_of_the_gating():
    model, v, bath, t = channel(), jnp.asarray(-20.0), Bath({}, {}, T), jnp.asarray(0.5)
    start = model.gating.init(jnp.asarray(-80.0), bath)
    assert_allclose(model.init(jnp.asarray(-80.0), bath), start, rtol=0)
    assert_allclose(model.advance(start, v, bath, t), model.gating.advance(start, v, bath, t), rtol=0)
    assert_allclose(model.derivative(start, v, bath), model.gating.derivative(start, v, bath), rtol=0)
    assert_allclose(model.open_probability(start, v), float(start[0]) ** 2, rtol=1e-15)


def test_always_open_is_a_leak():
    leak = Channel(gating.AlwaysOpen(), Ohmic(0.3, reversal=-54.4))
    assert leak.init(jnp.asarray(0.0), T) == ()
    assert_allclose(leak.exchange((), jnp.asarray(-64.4), T).current, -3.0, rtol=1e-13)


def test_a_channel_without_its_species_says_which():
    model = Channel(gating.AlwaysOpen(), Ohmic(1.0, species=K))
    with pytest.raises(KeyError, match=r"must hold K\(\+1\)"):
        model.exchange((), jnp.zeros(()), T)
    binding = gating.Markov(gating.as_scheme(gating.Gate(Binding(1.0, Ca, True), Constant(1.0))), ("open",))
    with pytest.raises(KeyError, match=r"must hold Ca\(\+2\)"):
        Channel(binding, Ohmic(1.0, reversal=0.0)).init(jnp.zeros(()), T)


def test_new_numbers_do_not_compile_anew():
    traces = []

    @eqx.filter_jit
    def current(model, state, v):
        traces.append(1)
        return model.exchange(state, v, T).current

    for number in (1, 2.0, np.float64(3.0)):
        current(channel(number), jnp.asarray([0.4]), jnp.asarray(-20.0))
    assert len(traces) == 1


def test_the_gradient_reaches_every_parameter():
    def current(model):
        state = model.advance(model.init(jnp.asarray(-80.0), T), jnp.asarray(0.0), T, jnp.asarray(1.0))
        return model.exchange(state, jnp.asarray(0.0), T).current

    slopes = [float(x) for x in jax.tree.leaves(eqx.filter_grad(current)(channel()))]
    assert len(slopes) == 7
    assert all(np.isfinite(slopes)) and all(slopes)
