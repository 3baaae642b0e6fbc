"""Gates, Markov gating and voltage sensors: closed forms, the graph of a gate, charge and its derivatives."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from jaxmem import gating, kinetics, rates
from jaxmem.electrochemistry import as_bath
from jaxmem.kinetics import Balanced, scheme
from jaxmem.rates import Constant, Exponential, Eyring
from jaxmem.units import E0_PER_MS, thermal_voltage

pytestmark = pytest.mark.x64

T = 293.15
KT = thermal_voltage(T)


def gate():
    return gating.Gate(Exponential(0.3, 0.02), Exponential(0.1, -0.03))


# --- gates ---


@given(st.floats(-150.0, 100.0), st.floats(0.0, 1e3), st.floats(0.0, 1.0))
def test_a_gate_relaxes_in_closed_form(v, t, start):
    model = gating.HodgkinHuxley((gate(),), (1,))
    a, b = 0.3 * np.exp(0.02 * v), 0.1 * np.exp(-0.03 * v)
    expected = a / (a + b) + (start - a / (a + b)) * np.exp(-(a + b) * t)
    got = model.advance(jnp.asarray([start]), jnp.asarray(v), as_bath(T), jnp.asarray(t))
    assert_allclose(got, [expected], rtol=1e-12, atol=1e-16)


@given(st.floats(-150.0, 100.0), st.floats(1e-6, 1e3))
def test_a_gate_and_its_graph_are_the_same(v, t):
    closed_form, graph = (
        gating.HodgkinHuxley((gate(),), (1,)),
        gating.Markov(gating.as_scheme(gate()), ("open",)),
    )
    bath, v, t = as_bath(T), jnp.asarray(v), jnp.asarray(t)
    x, p = closed_form.init(jnp.asarray(-60.0), bath), graph.init(jnp.asarray(-60.0), bath)
    assert_allclose(p[1], x[0], rtol=1e-14)
    assert_allclose(graph.advance(p, v, bath, t)[1], closed_form.advance(x, v, bath, t)[0], rtol=1e-12)
    assert_allclose(
        graph.derivative(p, v, bath)[1], closed_form.derivative(x, v, bath)[0], rtol=1e-12, atol=1e-15
    )


def test_powers_of_gates():
    model = gating.HodgkinHuxley((gate(), gate()), (3, 1), gating.Instantaneous(gating.Sigmoid(-10.0, -20.0)))
    state = jnp.asarray([[0.5, 0.25], [0.2, 1.0]])
    v = jnp.asarray([-10.0, -10.0])
    assert_allclose(model.open_probability(state, v), [0.5**4 * 0.25, 0.5 * 0.2**3], rtol=1e-15)


@pytest.mark.parametrize("powers", [(), (1, 1), (0,), (-1,), (1.5,)])
def test_powers_must_fit_the_gates(powers):
    with pytest.raises(ValueError) as caught:
        gating.HodgkinHuxley((gate(),), powers)
    assert str(caught.value) == (
        f"Argument `powers` must hold one positive integer for each of the 1 gates, but is {powers}."
    )


def test_a_relaxation_is_its_curve_and_its_rate():
    model = gating.HodgkinHuxley((gating.Relaxation(gating.Sigmoid(-30.0, 7.0), Constant(0.2)),), (1,))
    v, bath = jnp.asarray(-20.0), as_bath(T)
    steady = 1 / (1 + np.exp(-10.0 / 7.0))
    assert_allclose(model.init(v, bath), [steady], rtol=1e-14)
    assert_allclose(
        model.advance(jnp.asarray([1.0]), v, bath, jnp.asarray(3.0)), [steady + (1 - steady) * np.exp(-0.6)]
    )


@pytest.mark.parametrize("sigmoid", [gating.Sigmoid, lambda h, s: rates.Sigmoid(1.0, h, s)])
def test_sigmoids_keep_their_tails(sigmoid):
    """exp(-40) and its slope, not rounding noise; an inactivation curve is the mirror image."""
    f = sigmoid(0.0, 10.0)
    call = (lambda v: f(v, as_bath(T))) if isinstance(f, rates.Sigmoid) else f
    assert_allclose(call(jnp.asarray(-400.0)), np.exp(-40.0), rtol=1e-13)
    assert_allclose(jax.grad(call)(jnp.asarray(-400.0)), np.exp(-40.0) / 10.0, rtol=1e-13)
    g = sigmoid(0.0, -10.0)
    mirror = (lambda v: g(v, as_bath(T))) if isinstance(g, rates.Sigmoid) else g
    assert_allclose(mirror(jnp.asarray(400.0)), np.exp(-40.0), rtol=1e-13)


def test_no_gate_and_an_instantaneous_one_have_no_state():
    v, bath = jnp.asarray([-10.0, 20.0]), as_bath(T)
    for model, expected in (
        (gating.AlwaysOpen(), np.ones(2)),
        (gating.Instantaneous(gating.Sigmoid(-10.0, 10.0)), [0.5, 1 / (1 + np.exp(-3.0))]),
    ):
        assert model.init(v, bath) == model.derivative((), v, bath) == model.advance((), v, bath, 1.0) == ()
        assert_allclose(model.open_probability((), v), expected, rtol=1e-14)


# --- Markov ---


def test_markov_starts_in_the_steady_state():
    graph = gating.as_scheme(gate())
    model = gating.Markov(graph, ("open",))
    v, bath = jnp.asarray(-33.0), as_bath(T)
    assert_allclose(model.init(v, bath), kinetics.stationary(kinetics.generator(graph, v, bath)), rtol=0)
    assert_allclose(model.derivative(model.init(v, bath), v, bath), [0.0, 0.0], atol=1e-15)


def test_conducting_states_have_weights():
    graph = scheme({("C", "S"): (Constant(1.0), Constant(1.0)), ("S", "O"): (Constant(1.0), Constant(1.0))})
    p = jnp.asarray([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    v = jnp.zeros(2)
    assert_allclose(gating.Markov(graph, ("O",)).open_probability(p, v), [0.2, 0.7])
    assert_allclose(gating.Markov(graph, {"O": 1.0, "S": 0.5}).open_probability(p, v), [0.35, 0.8])


@pytest.mark.parametrize(
    ("conducting", "message"),
    [
        (
            ("X",),
            "Argument `conducting` must name states of the scheme, but names 'X'; states are closed, open.",
        ),
        ({"open": 1.0, "Y": 0.5}, "Argument `conducting` must name states of the scheme, but names 'Y'"),
        ((), "At least one state must conduct; states are closed, open."),
    ],
)
def test_conducting_states_are_checked(conducting, message):
    with pytest.raises(ValueError) as caught:
        gating.Markov(gating.as_scheme(gate()), conducting)
    assert str(caught.value).startswith(message)


# --- voltage sensors ---


def test_two_state_sensors_agree_with_the_reference(shared):
    content = json.loads((shared / "reference" / "permeation" / "gating.json").read_text("utf-8"))
    for case in content["two_state"]:
        sensor = gating.TwoState.at(case["V_half_mV"], case["q_e0"], case["T_K"])
        assert_allclose(
            1e3 * sensor.capacitance(case["V_half_mV"], case["T_K"]), case["C_peak_e0_per_V"], rtol=1e-8
        )
        v = jnp.asarray([float(point["V_mV"]) for point in case["points"]])
        for got, key in (
            (sensor.active(v, case["T_K"]), "P"),
            (sensor.charge(v, case["T_K"]), "Q_e0"),
            (1e3 * sensor.capacitance(v, case["T_K"]), "C_e0_per_V"),
        ):
            assert_allclose(got, [point[key] for point in case["points"]], rtol=1e-8)


@given(st.floats(-8.0, 8.0), st.floats(-6.0, 13.0), st.floats(-150.0, 100.0))
def test_a_two_state_sensor_is_a_two_state_graph(dg0, q, v):
    """dG(V) = dG0 - q V: the sensor, and a graph with the same energy difference."""
    sensor = gating.TwoState(dg0, q)
    graph = scheme(
        {("rest", "active"): (Eyring(np.exp(-dg0 / 2), q / 3), Eyring(np.exp(dg0 / 2), -2 * q / 3))}
    )
    assert_allclose(sensor.energy(v, T), dg0 - q * v / KT, rtol=1e-13, atol=1e-13)
    p = kinetics.stationary(kinetics.generator(graph, v, T))
    assert_allclose(p[1], sensor.active(v, T), rtol=1e-11)
    assert_allclose(gating.charge_voltage(graph, v, T), sensor.charge(v, T), rtol=1e-11)
    assert_allclose(gating.gating_capacitance(graph, v, T), sensor.capacitance(v, T), rtol=1e-10, atol=1e-15)


def test_the_peak_of_the_gating_capacitance():
    sensor = gating.TwoState.at(-45.0, 13.0, T)
    assert_allclose(sensor.capacitance(-45.0, T), 13.0**2 / (4 * KT), rtol=1e-14)
    assert_allclose(
        jax.grad(lambda v: sensor.charge(v, T))(jnp.asarray(-51.0)), sensor.capacitance(-51.0, T), rtol=1e-13
    )


def chain():
    """Three sensors in a row, 1.2 + 2.5 e0, the last step opens."""
    return scheme(
        {
            ("R", "M"): (Eyring(2.0, 0.4), Eyring(0.5, -0.8)),
            ("M", "O"): (Eyring(5.0, 1.0), Eyring(0.1, -1.5)),
        }
    )


def test_total_charge_is_between_the_ends_of_the_curve():
    assert_allclose(gating.total_charge(chain(), T), 3.7, rtol=1e-14)
    assert_allclose(gating.charge_voltage(chain(), 400.0, T), 3.7, rtol=1e-9)
    assert_allclose(gating.charge_voltage(chain(), -600.0, T), 0.0, atol=1e-9)


def test_total_charge_of_a_balanced_cycle():
    graph = scheme(
        {
            ("A", "B"): (Eyring(1.0, 0.5), Eyring(1.0, -0.5)),
            ("B", "C"): (Eyring(1.0, 1.0), Eyring(1.0, -1.0)),
            ("A", "C"): (Eyring(1.0, 0.2), Balanced()),
        }
    )
    assert_allclose(graph.charges(as_bath(T)), [1.0, 2.0, 3.0], rtol=1e-14)
    assert_allclose(gating.total_charge(graph, T), 3.0, rtol=1e-14)


def test_the_limiting_slope_tends_to_the_charge_coupled_to_opening():
    model = gating.Markov(chain(), ("O",))
    assert_allclose(gating.limiting_slope(model, -400.0, T), 3.7, rtol=1e-6)
    v, h = -30.0, 1e-3
    log_open = [
        np.log(float(model.open_probability(model.init(jnp.asarray(x), as_bath(T)), x)))
        for x in (v - h, v + h)
    ]
    assert_allclose(gating.limiting_slope(model, v, T), KT * (log_open[1] - log_open[0]) / (2 * h), rtol=1e-8)


def test_gating_current_is_the_rate_of_change_of_the_charge():
    graph, bath = chain(), as_bath(T)
    model = gating.Markov(graph, ("O",))
    start, v = model.init(jnp.asarray(-100.0), bath), jnp.asarray(10.0)

    def charge(t):
        return gating.gating_charge(graph, model.advance(start, v, bath, t), bath)

    for t in (0.0, 0.1, 1.0, 5.0):
        t = jnp.asarray(t)
        current = gating.gating_current(graph, model.advance(start, v, bath, t), v, bath)
        assert_allclose(current, jax.grad(charge)(t), rtol=1e-11, atol=1e-14)
    moved = charge(jnp.asarray(1e3)) - charge(jnp.asarray(0.0))
    change = gating.charge_voltage(graph, 10.0, T) - gating.charge_voltage(graph, -100.0, T)
    assert_allclose(moved, change, rtol=1e-12)
    assert_allclose(E0_PER_MS, 1.602176634e-4, rtol=1e-12)  # pA per e0/ms


def test_gating_charge_keeps_leading_axes():
    p = jnp.asarray([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.5, 0.5]])
    assert_allclose(gating.gating_charge(chain(), p, as_bath(T)), [0.0, 1.2, 2.45], rtol=1e-14)
    assert gating.gating_current(chain(), p, jnp.zeros(3), as_bath(T)).shape == (3,)
