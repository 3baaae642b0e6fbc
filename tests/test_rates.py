"""Rate laws: their closed forms, their charges, their derivatives, and that they are elementwise."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from jaxmem import rates, units
from jaxmem.electrochemistry import Bath, Ca, Cl, K, as_bath

pytestmark = pytest.mark.x64

T = 293.15
VT = units.thermal_voltage(T)
BATH = lambda: Bath({K: 140.0, Ca: 1e-4}, {K: 4.0, Ca: 1.8}, T)

LAWS = {
    "constant": (lambda: rates.Constant(3.0), lambda v: 3.0 + 0 * v, 0.0),
    "exponential": (lambda: rates.Exponential(0.2, 0.03), lambda v: 0.2 * np.exp(0.03 * v), 0.03 * VT),
    "linoid": (
        lambda: rates.Linoid(0.1, 10.0, 10.0),
        lambda v: 0.01 * (10.0 - v) / np.expm1((10.0 - v) / 10.0),
        None,
    ),
    "sigmoid": (
        lambda: rates.Sigmoid(1.0, 30.0, 10.0),
        lambda v: 1.0 / (np.exp((30.0 - v) / 10.0) + 1.0),
        None,
    ),
    "eyring": (lambda: rates.Eyring(1.12, 0.25), lambda v: 1.12 * np.exp(0.25 * v / VT), 0.25),
    "binding inside": (lambda: rates.Binding(2.0, Ca, True), lambda v: 2e-4 + 0 * v, 0.0),
    "binding outside": (lambda: rates.Binding(2.0, Ca, False), lambda v: 3.6 + 0 * v, 0.0),
    "mass action": (
        lambda: rates.MassAction(2.0, inside={K: 1, Ca: 2}, outside={Ca: 1}),
        lambda v: 2.0 * 140.0 * 1e-8 * 1.8 + 0 * v,
        0.0,
    ),
    "scaled": (
        lambda: rates.Scaled(rates.Eyring(1.0, -1.6), 4.0),
        lambda v: 4.0 * np.exp(-1.6 * v / VT),
        -1.6,
    ),
    "q10": (
        lambda: rates.Q10(rates.Exponential(0.2, 0.03), 3.0, 279.45),
        lambda v: 3.0**1.37 * 0.2 * np.exp(0.03 * v),
        0.03 * VT,
    ),
    "arrhenius": (
        lambda: rates.Arrhenius(rates.Eyring(0.5, 1.1), 20.0, 283.15),
        lambda v: np.exp(20.0 * (1 - 283.15 / T)) * 0.5 * np.exp(1.1 * v / VT),
        1.1,
    ),
}
law = pytest.mark.parametrize("name", LAWS)


@law
@given(v=st.floats(-150.0, 150.0).filter(lambda v: abs(v - 10.0) > 1e-3))
def test_closed_form(name, v):
    build, expected, _ = LAWS[name]
    assert_allclose(build()(jnp.asarray(v), BATH()), expected(v), rtol=1e-11)


@law
def test_the_charge_is_the_slope_of_the_logarithm(name):
    build, _, charge = LAWS[name]
    rate, bath = build(), BATH()
    got = rate.charge(bath)
    if charge is None:
        assert got is None
        return
    assert_allclose(got, charge, rtol=1e-12)
    slope = jax.grad(lambda v: jnp.log(rate(v, bath)))(jnp.asarray(-23.0))
    assert_allclose(VT * slope, charge, rtol=1e-10, atol=1e-14)


@law
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_elementwise_in_the_voltage(name, shape):
    rate, bath = LAWS[name][0](), BATH()
    v = jnp.linspace(-80.0, 40.0, int(np.prod(shape))).reshape(shape)
    k = rate(v, bath)
    assert k.shape == shape
    assert k.dtype == v.dtype
    one_by_one = [float(rate(x, bath)) for x in v.reshape(-1)]
    assert_allclose(k.reshape(-1), one_by_one, rtol=1e-14)


@law
def test_derivatives_by_the_voltage(name):
    rate, bath = LAWS[name][0](), BATH()
    f = lambda v: rate(v, bath)
    for v in (-90.0, 10.0, 35.0):  # 10 is where the linoid is 0/0
        h = 1e-3
        slope = (f(jnp.asarray(v + h)) - f(jnp.asarray(v - h))) / (2 * h)
        assert_allclose(jax.grad(f)(jnp.asarray(v)), slope, rtol=1e-7, atol=1e-12)


def test_the_linoid_is_smooth_through_its_midpoint():
    rate, bath = rates.Linoid(0.1, 10.0, 10.0), as_bath(T)
    assert float(rate(jnp.asarray(10.0), bath)) == 0.1
    assert_allclose(jax.grad(lambda v: rate(v, bath))(jnp.asarray(10.0)), 0.1 / 20.0, rtol=1e-14)
    near = rate(jnp.asarray([10.0 - 1e-9, 10.0 + 1e-9]), bath)
    assert_allclose(near, 0.1 * (1 + np.array([-1, 1]) * 0.5e-10), rtol=1e-15)


@pytest.mark.parametrize("v", [-1e4, 1e4])
def test_laws_that_saturate_are_finite_far_out_in_value_and_slope(v):
    bath = as_bath(T)
    sigmoids = (rates.Sigmoid(1.0, 30.0, 10.0), rates.Sigmoid(1.0, 30.0, -10.0))
    for rate in (*sigmoids, rates.Linoid(0.1, 10.0, 10.0)):
        value, slope = jax.value_and_grad(lambda v, rate=rate: rate(v, bath))(jnp.asarray(v))
        assert np.isfinite(value) and np.isfinite(slope)
        assert value >= 0.0


def test_the_barrier_of_transition_state_theory():
    """20 kT at 300 K: kB T / h exp(-20) = 12.88 per ms."""
    rate = rates.Eyring.barrier(20.0, 0.5, 300.0)
    expected = 1e-3 * units.KB / units.H * 300.0 * np.exp(-20.0)
    assert_allclose(rate.k0, expected, rtol=1e-13)
    assert_allclose(rates.Eyring.barrier(20.0, 0.5, 300.0, transmission=0.1).k0, 0.1 * expected, rtol=1e-13)
    assert float(rate.z) == 0.5


def test_temperature_laws_are_one_at_the_reference():
    for wrapped in (rates.Q10(rates.Constant(2.0), 3.0, T), rates.Arrhenius(rates.Constant(2.0), 20.0, T)):
        assert float(wrapped(jnp.asarray(0.0), as_bath(T))) == 2.0
        assert float(wrapped(jnp.asarray(0.0), as_bath(T + 10.0))) > 2.0


def test_binding_needs_its_species():
    with pytest.raises(KeyError, match=r"must hold Cl\(-1\)"):
        rates.Binding(1.0, Cl, True)(jnp.asarray(0.0), BATH())


def test_sides_are_not_mixed_up():
    bath = Bath({Ca: 1e-4}, {}, T)
    assert float(rates.Binding(1.0, Ca, True)(jnp.asarray(0.0), bath)) == 1e-4
    assert float(rates.Binding(1.0, Ca, False)(jnp.asarray(0.0), bath)) == 0.0
