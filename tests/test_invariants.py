"""What holds for every component: conservation, time, thermodynamics, transformations, precision."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import AT_EQUILIBRIUM, GATINGS, MECHANISMS, PAID, PERMEATIONS, SCHEMES, over
from jax.flatten_util import ravel_pytree
from numpy.testing import assert_allclose

from jaxmem import gating, kinetics
from jaxmem.units import F, thermal_voltage

pytestmark = pytest.mark.x64

HOLD, TEST = -80.0, 15.0
VOLTAGES = (-120.0, -80.0, -55.0, 0.0, 40.0)
TIMES = (1e-7, 1e-2, 1.0, 30.0, 1e3)
STATELESS = ("instantaneous", "always open", "leak", "published pump")
STATEFUL = tuple(c for c in (*GATINGS, *MECHANISMS) if c.name not in STATELESS)


def leaves(state):
    """All numbers of a state as one vector."""
    return ravel_pytree(state)[0]


def a_start(model, bath):
    return model.init(jnp.asarray(HOLD), bath)


def is_markov(model):
    return isinstance(
        model if isinstance(model, gating.Markov) else getattr(model, "gating", None), gating.Markov
    )


# --- probability ---


@over(STATEFUL)
def test_probability_is_conserved_and_never_negative(component):
    model, bath = component.build(), component.bath()
    advance = eqx.filter_jit(model.advance)
    for v in VOLTAGES:
        start = model.init(jnp.asarray(v), bath)
        for state in [
            start,
            *(advance(a_start(model, bath), jnp.asarray(v), bath, jnp.asarray(t)) for t in TIMES),
        ]:
            p = leaves(state)
            assert float(p.min()) >= 0.0
            if is_markov(model):
                assert abs(float(p.sum()) - 1.0) <= 1e-14
            else:
                assert float(p.max()) <= 1.0


@over(STATEFUL)
def test_a_certain_state_stays_a_probability(component):
    """Starting from one state alone, where subtraction would show."""
    model, bath = component.build(), component.bath()
    size = leaves(a_start(model, bath)).size
    advance = eqx.filter_jit(model.advance)
    for k in range(size):
        for t in TIMES:
            p = advance(jnp.eye(size)[k], jnp.asarray(TEST), bath, jnp.asarray(t))
            assert float(p.min()) >= 0.0
            assert not is_markov(model) or abs(float(p.sum()) - 1.0) <= 1e-13


@over(GATINGS)
def test_the_open_probability_is_a_probability(component):
    model, bath = component.build(), component.bath()
    v = jnp.asarray(VOLTAGES)
    p = jax.vmap(lambda v: model.open_probability(model.init(v, bath), v))(v)
    assert p.shape == v.shape
    assert np.all((p >= 0.0) & (p <= 1.0 + 1e-15))


# --- time ---


@over(STATEFUL)
def test_two_steps_are_one_of_twice_the_length(component):
    model, bath = component.build(), component.bath()
    start, v = a_start(model, bath), jnp.asarray(TEST)
    for t in (1e-3, 0.3, 20.0):
        half = model.advance(model.advance(start, v, bath, jnp.asarray(t)), v, bath, jnp.asarray(t))
        assert_allclose(
            leaves(half), leaves(model.advance(start, v, bath, jnp.asarray(2 * t))), rtol=1e-12, atol=1e-15
        )


@over(STATEFUL)
def test_the_steady_state_stands_still_and_is_where_time_leads(component):
    model, bath = component.build(), component.bath()
    v = jnp.asarray(TEST)
    steady = model.init(v, bath)
    assert_allclose(
        leaves(model.advance(steady, v, bath, jnp.asarray(5.0))), leaves(steady), rtol=1e-12, atol=1e-15
    )
    advance, late = eqx.filter_jit(model.advance), a_start(model, bath)
    for _ in range(300):
        late = advance(late, v, bath, jnp.asarray(1e4))
    assert_allclose(leaves(late), leaves(steady), rtol=1e-9, atol=1e-13)


@over(STATEFUL)
def test_the_derivative_is_the_slope_of_advance(component):
    model, bath = component.build(), component.bath()
    start, v = a_start(model, bath), jnp.asarray(TEST)
    _, slope = jax.jvp(lambda t: leaves(model.advance(start, v, bath, t)), (jnp.zeros(()),), (jnp.ones(()),))
    derivative = leaves(model.derivative(start, v, bath))
    assert_allclose(slope, derivative, rtol=1e-12, atol=1e-14 * float(jnp.abs(derivative).max()))
    h = 1e-6 / float(jnp.abs(derivative).max())
    finite = (leaves(model.advance(start, v, bath, jnp.asarray(h))) - leaves(start)) / h
    assert_allclose(finite, derivative, rtol=1e-3, atol=1e-3 * float(jnp.abs(derivative).max()))


# --- thermodynamics ---


@over(tuple(c for c in SCHEMES if c.name in AT_EQUILIBRIUM))
def test_no_net_flux_at_equilibrium(component):
    graph, bath = component.build(), component.bath()
    for v in VOLTAGES:
        p = kinetics.stationary(kinetics.generator(graph, v, bath))
        forward, _ = graph.rates(jnp.asarray(v), bath)
        one_way = np.asarray(forward) * np.asarray(p)[[edge[0] for edge in graph.edges]]
        assert np.all(np.abs(kinetics.edge_flux(graph, p, v, bath)) <= 1e-13 * one_way)
        assert 0.0 <= float(kinetics.entropy_production(graph, p, v, bath)) <= 1e-20


@over(SCHEMES)
def test_entropy_is_produced_by_flux_times_affinity(component):
    graph, bath = component.build(), component.bath()
    for v in VOLTAGES:
        p = kinetics.stationary(kinetics.generator(graph, v, bath))
        flux = kinetics.edge_flux(graph, p, v, bath)
        # In the steady state the flux of the edge that opens a cycle is the flux round it.
        around = jnp.asarray([float(flux[cycle[0][0]]) for cycle in kinetics.cycles(graph)])
        driven = float(jnp.sum(around * kinetics.affinity(graph, v, bath)))
        largest = float(jnp.max(jnp.abs(flux))) + 1e-15
        assert_allclose(
            kinetics.entropy_production(graph, p, v, bath), driven, rtol=1e-8, atol=1e-10 * largest
        )


@over(tuple(c for c in SCHEMES if c.name in PAID))
def test_the_affinity_is_what_the_baths_supply(component):
    graph, bath = component.build(), component.bath()
    for v in VOLTAGES:
        for row in kinetics.audit(graph, v, bath):
            assert abs(row.residual) <= 1e-11


def test_the_exchanger_is_paid_for_by_gradients_and_voltage():
    """3 Na out for 1 Ca in, 37 C: affinity = 3 ln(Na_i/Na_o) - ln(Ca_i/Ca_o) + u, zero at 3 E_Na - 2 E_Ca."""
    component = next(c for c in SCHEMES if c.name == "exchanger")
    graph, bath = component.build(), component.bath()
    for v in VOLTAGES:
        expected = 3 * np.log(12.0 / 145.0) - np.log(1e-3 / 1.8) + v / float(thermal_voltage(310.15))
        forward, backward = graph.rates(jnp.asarray(v), bath)
        whole = np.sum(np.log(np.asarray(forward) / np.asarray(backward))[:6])  # all edges but the slip
        assert_allclose(whole, expected, rtol=1e-11, atol=1e-11)


# --- current and amounts ---


@over(PERMEATIONS)
def test_the_current_is_the_charge_that_leaves(component):
    model, bath = component.build(), component.bath()
    z = np.asarray([species.z for species in bath.species], float)
    for v in (*VOLTAGES, 1e-9):
        exchange = model.exchange(jnp.asarray(v), bath)
        assert_allclose(exchange.inside, -exchange.outside, rtol=0, atol=0)
        if getattr(model, "reversal", None) is None:
            scale = F * np.sum(np.abs(z * exchange.outside))
            assert_allclose(
                exchange.current, F * np.sum(z * exchange.outside), rtol=1e-12, atol=1e-14 * scale
            )
        else:
            assert not np.any(exchange.outside)


@over(MECHANISMS)
def test_the_current_of_a_mechanism_is_the_charge_that_leaves(component):
    model, bath = component.build(), component.bath()
    z = np.asarray([species.z for species in bath.species], float)
    state = model.advance(a_start(model, bath), jnp.asarray(TEST), bath, jnp.asarray(1.0))
    exchange = model.exchange(state, jnp.asarray(TEST), bath)
    assert_allclose(exchange.inside, -exchange.outside, rtol=0, atol=0)
    assert exchange.current.shape == ()
    if getattr(getattr(model, "permeation", None), "reversal", None) is None:
        assert_allclose(exchange.current, F * np.sum(z * exchange.outside), rtol=1e-12)


# --- transformations ---


def outputs(model, bath):
    """One function of parameters and voltage that runs through everything that a component does."""
    arrays, static = eqx.partition(model, eqx.is_inexact_array)
    flat, unravel = ravel_pytree(arrays)

    def run(parameters, v):
        m = eqx.combine(unravel(parameters), static)
        if not hasattr(m, "init"):
            exchange = m.exchange(v, bath)
            return jnp.append(exchange.outside, exchange.current)
        state = m.advance(m.init(jnp.asarray(HOLD), bath), v, bath, jnp.asarray(0.7))
        if hasattr(m, "exchange"):
            return jnp.append(leaves(state).astype(v.dtype), m.exchange(state, v, bath).current)
        return jnp.append(leaves(state).astype(v.dtype), m.open_probability(state, v))

    return run, flat


EVERYTHING = (*GATINGS, *PERMEATIONS, *MECHANISMS)


@over(EVERYTHING)
def test_jit_equals_eager_and_vmap_equals_a_loop(component):
    run, flat = outputs(component.build(), component.bath())
    v = jnp.asarray(VOLTAGES)
    loop = np.stack([run(flat, x) for x in v])
    scale = np.abs(loop).max(0)
    compiled = jax.jit(run)
    assert_allclose(np.stack([compiled(flat, x) for x in v]), loop, rtol=1e-12, atol=1e-14 * scale.max())
    assert_allclose(jax.vmap(run, (None, 0))(flat, v), loop, rtol=1e-12, atol=1e-14 * scale.max())


@over(EVERYTHING)
def test_derivatives_agree(component):
    """Forward and reverse mode to 1e-10, central differences to 1e-6, in every parameter and the voltage."""
    run, flat = outputs(component.build(), component.bath())
    point = jnp.append(flat, TEST)
    f = jax.jit(lambda x: run(x[:-1], x[-1]))
    forward, reverse = jax.jit(jax.jacfwd(f))(point), jax.jit(jax.jacrev(f))(point)
    scale = np.abs(np.asarray(f(point)))[:, None] / (1.0 + np.abs(np.asarray(point)))
    assert_allclose(reverse, forward, rtol=1e-10, atol=1e-13 * float(scale.max() or 1.0))
    for k, x in enumerate(np.asarray(point)):
        columns = []
        for h in (2e-3 * (abs(x) or 1.0), 1e-3 * (abs(x) or 1.0)):
            unit = jnp.zeros_like(point).at[k].set(h)
            columns.append((np.asarray(f(point + unit)) - np.asarray(f(point - unit))) / (2 * h))
        # Richardson: two central differences cancel each other's error of second order.
        richardson = (4 * columns[1] - columns[0]) / 3
        floor = 1e-7 * np.abs(np.asarray(forward)[:, k]).max() + 1e-11 * float(np.abs(f(point)).max()) / (
            abs(x) or 1.0
        )
        assert_allclose(np.asarray(forward)[:, k], richardson, rtol=1e-6, atol=floor)


@over(EVERYTHING)
def test_single_precision_is_double_precision_to_its_rounding(component):
    """Within 5e-5 of the largest output: rates carry exponents of some ten, each wrong by about 1e-6."""
    run, flat = outputs(component.build(), component.bath())

    def single(x):
        return jnp.asarray(x, jnp.float32) if eqx.is_inexact_array(x) else x

    low = jax.tree.map(single, component.build())
    bath = jax.tree.map(single, component.bath())
    v = jnp.asarray(TEST, jnp.float32)
    hold, t = jnp.asarray(HOLD, jnp.float32), jnp.asarray(0.7, jnp.float32)
    wanted = np.asarray(run(flat, jnp.asarray(TEST)))
    if not hasattr(low, "init"):
        exchange = low.exchange(v, bath)
        got = jnp.append(exchange.outside, exchange.current)
    else:
        state = low.advance(low.init(hold, bath), v, bath, t)
        last = (
            low.exchange(state, v, bath).current
            if hasattr(low, "exchange")
            else low.open_probability(state, v)
        )
        got = jnp.append(leaves(state).astype(jnp.float32), last)
    assert got.dtype == jnp.float32
    assert_allclose(got, wanted, rtol=0, atol=5e-5 * np.abs(wanted).max())
