"""What holds for every component: conservation, time, thermodynamics; `test_transformations` goes on."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import AT_EQUILIBRIUM, GATINGS, MECHANISMS, PAID, PERMEATIONS, REPEATED, SCHEMES, over
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


# Compiled once for each kind of component, whatever the test: numbers of a model are arguments.
init = eqx.filter_jit(lambda model, v, bath: model.init(jnp.asarray(v), bath))
advance = eqx.filter_jit(lambda model, state, v, bath, t: model.advance(state, v, bath, t))


@eqx.filter_jit
def slope_of_advance(model, state, v, bath):
    """The derivative of `advance` by its time, at zero, and what `derivative` says."""
    moved = lambda t: leaves(model.advance(state, v, bath, t))
    return jax.jvp(moved, (jnp.zeros(()),), (jnp.ones(()),))[1], leaves(model.derivative(state, v, bath))


def a_start(model, bath):
    return init(model, HOLD, bath)


def is_markov(model):
    return isinstance(
        model if isinstance(model, gating.Markov) else getattr(model, "gating", None), gating.Markov
    )


# --- probability ---


@over(STATEFUL, slow=REPEATED)
def test_probability_is_conserved_and_never_negative(component):
    model, bath = component.build(), component.bath()
    start = a_start(model, bath)
    for v in VOLTAGES:
        for state in [
            init(model, v, bath),
            *(advance(model, start, jnp.asarray(v), bath, jnp.asarray(t)) for t in TIMES),
        ]:
            p = leaves(state)
            assert float(p.min()) >= 0.0
            if is_markov(model):
                assert abs(float(p.sum()) - 1.0) <= 1e-14
            else:
                assert float(p.max()) <= 1.0


@over(STATEFUL, slow=REPEATED)
def test_a_certain_state_stays_a_probability(component):
    """Starting from one state alone, where subtraction would show."""
    model, bath = component.build(), component.bath()
    size = leaves(a_start(model, bath)).size
    for k in range(size):
        for t in TIMES:
            p = advance(model, jnp.eye(size)[k], jnp.asarray(TEST), bath, jnp.asarray(t))
            assert float(p.min()) >= 0.0
            assert not is_markov(model) or abs(float(p.sum()) - 1.0) <= 1e-13


@over(GATINGS)
def test_the_open_probability_is_a_probability(component):
    model, bath = component.build(), component.bath()
    v = jnp.asarray(VOLTAGES)
    p = eqx.filter_jit(lambda model: jax.vmap(lambda v: model.open_probability(model.init(v, bath), v))(v))(model)
    assert p.shape == v.shape
    assert np.all((p >= 0.0) & (p <= 1.0 + 1e-15))


# --- time ---


@over(STATEFUL, slow=REPEATED)
def test_two_steps_are_one_of_twice_the_length(component):
    model, bath = component.build(), component.bath()
    start, v = a_start(model, bath), jnp.asarray(TEST)
    for t in (1e-3, 0.3, 20.0):
        half = advance(model, advance(model, start, v, bath, jnp.asarray(t)), v, bath, jnp.asarray(t))
        whole = advance(model, start, v, bath, jnp.asarray(2 * t))
        assert_allclose(leaves(half), leaves(whole), rtol=1e-12, atol=1e-15)


@over(STATEFUL, slow=REPEATED)
def test_the_steady_state_stands_still_and_is_where_time_leads(component):
    model, bath = component.build(), component.bath()
    v = jnp.asarray(TEST)
    steady, late = init(model, TEST, bath), a_start(model, bath)
    stayed = advance(model, steady, v, bath, jnp.asarray(5.0))
    assert_allclose(leaves(stayed), leaves(steady), rtol=1e-12, atol=1e-15)
    for _ in range(300):
        late = advance(model, late, v, bath, jnp.asarray(1e4))
    assert_allclose(leaves(late), leaves(steady), rtol=1e-9, atol=1e-13)


@over(STATEFUL, slow=REPEATED)
def test_the_derivative_is_the_slope_of_advance(component):
    model, bath = component.build(), component.bath()
    start, v = a_start(model, bath), jnp.asarray(TEST)
    slope, derivative = slope_of_advance(model, start, v, bath)
    assert_allclose(slope, derivative, rtol=1e-12, atol=1e-14 * float(jnp.abs(derivative).max()))
    h = 1e-6 / float(jnp.abs(derivative).max())
    finite = (leaves(advance(model, start, v, bath, jnp.asarray(h))) - leaves(start)) / h
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
    state = advance(model, a_start(model, bath), jnp.asarray(TEST), bath, jnp.asarray(1.0))
    exchange = model.exchange(state, jnp.asarray(TEST), bath)
    assert_allclose(exchange.inside, -exchange.outside, rtol=0, atol=0)
    assert exchange.current.shape == ()
    if getattr(getattr(model, "permeation", None), "reversal", None) is None:
        assert_allclose(exchange.current, F * np.sum(z * exchange.outside), rtol=1e-12)
