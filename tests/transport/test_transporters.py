"""Transporters as mechanisms: in time and in the steady state, lumped, and what is refused."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import kinetics
from jaxmem.channel import SteadyState
from jaxmem.electrochemistry import ADP, ATP, Bath, Ca, K, Na, Pi
from jaxmem.kinetics import EnergyScheme, scheme
from jaxmem.permeation import current, reversal_potential
from jaxmem.protocols import sine, step
from jaxmem.rates import Binding, Charged, Constant
from jaxmem.simulate import voltage_clamp
from jaxmem.transport import QuasiSteady, Transporter, catalogue, lump, stalling_potential
from jaxmem.units import E0_PER_MS, F

pytestmark = pytest.mark.x64

T = 310.15


def bath():
    inside = {Na: 12.0, K: 140.0, Ca: 1e-4, ATP: 5.0, ADP: 0.04, Pi: 1.0}
    return Bath(inside, {Na: 145.0, K: 4.0, Ca: 1.8}, T)


def pump():
    """Four states: 3 Na out, 2 K in, one ATP; the release of Na moves a charge."""
    return EnergyScheme(
        ("E1", "E1 Na", "E2", "E2 K"),
        ((0, 1), (1, 2), (2, 3), (3, 0)),
        (
            (((Na, True), -3),),
            (((Na, False), 3), ((ATP, True), -1), ((ADP, True), 1), ((Pi, True), 1)),
            (((K, False), -2),),
            (((K, True), 2),),
        ),
        energy=np.asarray([-9.0, 1.5, -9.5]),
        charge=np.asarray([-2.6, -2.0, -1.9]),
        barrier=np.asarray([14.0, 17.0, 14.0, 16.0]),
        barrier_charge=np.asarray([-1.0, -2.2, -1.95, -0.9]),
        reference=T,
        reaction=np.asarray([0.0, -11.83, 0.0, 0.0]),
    )


def exchanger():
    """3 Na against 1 Ca with carrier states that binding joins fast."""
    fast = 1e6
    edges = {
        ("in", "Na in"): (Binding(fast, Na, True), Constant(fast * 8.0)),
        ("Na in", "Na out"): (Charged(Constant(1.0), 0.5), Charged(Constant(1.0), -0.5)),
        ("out", "Na out"): (Binding(fast, Na, False), Constant(fast * 8.0)),
        ("out", "Ca out"): (Binding(fast, Ca, False), Constant(fast * 0.5)),
        ("Ca out", "Ca in"): (Constant(2.0), Constant(2.0)),
        ("in", "Ca in"): (Binding(fast, Ca, True), Constant(fast * 0.5)),
    }
    exchange = {
        ("in", "Na in"): {(Na, True): -1},
        ("out", "Na out"): {(Na, False): -1},
        ("out", "Ca out"): {(Ca, False): -1},
        ("in", "Ca in"): {(Ca, True): -1},
    }
    return scheme(edges, exchange=exchange), [pair for pair in edges if pair in exchange]


def test_the_pump_stalls_where_its_stoichiometry_says():
    law = SteadyState(QuasiSteady(pump(), 1e6))
    energy = -11.83 + np.log(0.04 * 1.0 / 5.0 * 1e-3)
    wanted = stalling_potential(catalogue.NA_K_ATPASE, bath(), energy=energy)
    assert_allclose(reversal_potential(law, bath(), lower=-600.0, upper=100.0), wanted, rtol=1e-10)
    assert float(current(law, -65.0, bath())) > 0.0
    for row in kinetics.audit(pump(), -65.0, bath()):
        assert abs(row.residual) < 1e-11 and row.affinity > 5.0


def test_steady_exchange_is_the_stoichiometry():
    exchange = QuasiSteady(pump(), 1e6).exchange((), jnp.asarray(-65.0), bath())
    inside = dict(zip(bath().species, np.asarray(exchange.inside), strict=True))
    turns = -inside[ATP]
    assert turns > 0.0
    assert_allclose([inside[s] for s in (Na, K, ADP, Pi)], [-3 * turns, 2 * turns, turns, turns], rtol=1e-9)
    assert_allclose(exchange.outside[:3], -exchange.inside[:3], rtol=0)
    assert_allclose(exchange.current, F * turns, rtol=1e-9)


def test_in_time_it_relaxes_to_its_steady_state():
    moving, steady, v = Transporter(pump(), 1e6), QuasiSteady(pump(), 1e6), jnp.asarray(-20.0)
    state = moving.advance(moving.init(jnp.asarray(-120.0), bath()), v, bath(), jnp.asarray(1e6))
    late, still = moving.exchange(state, v, bath()), steady.exchange((), v, bath())
    assert_allclose(late.current, still.current, rtol=1e-7)
    assert_allclose(late.outside, still.outside, rtol=1e-7, atol=1e-20)
    assert steady.init(v, bath()) == () == steady.advance((), v, bath(), jnp.asarray(1.0))


def test_a_jump_moves_the_charge_between_two_steady_states():
    """Pre-steady-state charge: without potassium and ATP the pump only shuffles its own charge through the field."""
    graph = scheme(
        {
            ("E1", "E1 Na"): (Binding(2.0, Na, True), Constant(5.0)),
            ("E1 Na", "E2"): (Charged(Constant(1.0), 0.6), Charged(Binding(0.02, Na, False), -0.4)),
        },
        exchange={("E1", "E1 Na"): {(Na, True): -1}, ("E1 Na", "E2"): {(Na, False): 1}},
    )
    model, v = Transporter(graph, 1e6), jnp.asarray(40.0)
    start, end = model.init(jnp.asarray(-120.0), bath()), model.init(v, bath())
    t, weight = np.polynomial.legendre.leggauss(200)
    t, weight = 200.0 * (t + 1.0), 200.0 * weight

    @jax.jit
    @jax.vmap
    def at(t):
        return model.exchange(model.advance(start, v, bath(), t), v, bath()).current

    moved = float(np.sum(weight * np.asarray(at(jnp.asarray(t)))))
    charge = kinetics.state_charge(graph, bath())
    assert_allclose(moved, 1e6 * E0_PER_MS * float(jnp.sum((end - start) * charge)), rtol=1e-5)
    bound = model.exchange(model.advance(start, v, bath(), jnp.asarray(0.01)), v, bath())
    k = bath().index(Na)
    assert abs(float(bound.inside[k] + bound.outside[k])) > 0.0  # some sodium is on the pump


def test_lumping_fast_edges_keeps_turnover_and_books():
    full, fast = exchanger()
    small = lump(full, fast)
    assert small.states == ("in = Na in = Ca in", "Na out = out = Ca out") and len(small.edges) == 2
    for v in (-80.0, 0.0, 40.0):
        wanted = QuasiSteady(full).exchange((), jnp.asarray(v), bath())
        got = QuasiSteady(small).exchange((), jnp.asarray(v), bath())
        assert_allclose(got.outside, wanted.outside, rtol=2e-5, atol=1e-25)
        assert_allclose(got.current, wanted.current, rtol=2e-5)
        # The books of the reduced cycle are those of the full one, whichever way round it is read.
        (whole,), (part,) = kinetics.audit(full, v, bath()), kinetics.audit(small, v, bath())
        assert_allclose(abs(part.affinity), abs(whole.affinity), rtol=1e-10)
        assert_allclose(abs(part.paid), abs(whole.paid), rtol=1e-10)
        assert_allclose(abs(part.residual), abs(whole.residual), rtol=1e-9)
    assert_allclose(jnp.sum(small.shares(jnp.asarray(0.0), bath())), 2.0, rtol=1e-13)


def test_lumping_refuses_what_cannot_be_lumped():
    full, fast = exchanger()
    with pytest.raises(ValueError, match="in - out is none"):
        lump(full, [("in", "out")])
    with pytest.raises(ValueError, match="must leave two groups of states"):
        lump(full, [*fast, ("Na in", "Na out")])
    with pytest.raises(ValueError, match="must close no cycle of their own"):
        ring = scheme({(a, b): (Constant(1.0), Constant(1.0)) for a, b in ("AB", "BC", "CA", "AD")})
        lump(ring, [("A", "B"), ("B", "C"), ("C", "A")])


def test_a_cycle_that_loses_an_ion_is_refused():
    one = Constant(1.0)
    edges = {("A", "B"): (one, one), ("B", "C"): (one, one), ("C", "A"): (one, one)}
    good = {("A", "B"): {(Na, True): -1}, ("B", "C"): {(Na, False): 1}}
    assert Transporter(scheme(edges, exchange=good)).scheme.states == ("A", "B", "C")
    bad = {("A", "B"): {(Na, True): -2}, ("B", "C"): {(Na, False): 1}}
    for kind in (Transporter, QuasiSteady):
        with pytest.raises(ValueError, match=r"A turn must release what it takes up, but round .* 1 Na are lost"):
            kind(scheme(edges, exchange=bad))


def test_a_bath_without_a_species_says_which():
    lacking = Bath({Na: 12.0, K: 140.0}, {Na: 145.0, K: 4.0}, T)
    with pytest.raises(KeyError, match=r"Bath must hold ATP\(0\)"):
        QuasiSteady(pump()).exchange((), jnp.asarray(0.0), lacking)


def test_the_gradient_reaches_every_energy():
    slope = jax.grad(lambda m: QuasiSteady(m).exchange((), jnp.asarray(-40.0), bath()).current)(pump())
    assert all(np.all(np.isfinite(x)) for x in jax.tree.leaves(slope))
    assert np.all(np.asarray(slope.barrier) != 0.0)


def test_a_clamp_shows_the_transient_and_the_steady_current():
    """Transporters go through the voltage clamp, and so through the fits, as channels do."""
    model, t = Transporter(pump(), 1e6), jnp.arange(0.0, 60.0, 0.5)
    command = step(-100.0, 10.0) + step(20.0, 50.0)
    trace = voltage_clamp(model, command, t, bath=bath())
    steady = voltage_clamp(QuasiSteady(pump(), 1e6), command, t, bath=bath()).current
    assert_allclose(trace.current[:20], steady[:20], rtol=1e-4)  # a difference of large one-way fluxes in time
    state = model.advance(model.init(jnp.asarray(-100.0), bath()), jnp.asarray(20.0), bath(), jnp.asarray(3.0))
    assert_allclose(trace.current[26], model.exchange(state, jnp.asarray(20.0), bath()).current, rtol=1e-9)
    assert abs(float(trace.current[21] / steady[21]) - 1.0) > 0.01

    @jax.jit
    def late(energy):
        changed = Transporter(eqx.tree_at(lambda m: m.energy, pump(), energy), 1e6)
        return voltage_clamp(changed, command, t, bath=bath(), throw=False).current[30]

    energy, h = pump().energy, 1e-4
    finite = [(late(energy.at[k].add(h)) - late(energy.at[k].add(-h))) / (2 * h) for k in range(3)]
    assert_allclose(jax.grad(late)(energy), finite, rtol=1e-5)
    moving = voltage_clamp(model, sine(-50.0, [30.0], [0.2], 60.0), t, bath=bath())
    assert np.all(np.isfinite(moving.current))
