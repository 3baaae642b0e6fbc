import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxmem as jm
from jaxmem import electrodiffusion as ed
from jaxmem.electrochemistry import Bath, Cl, K, Na
from jaxmem.space import across

pytestmark = pytest.mark.x64
BATH = Bath({K: 140.0, Na: 10.0, Cl: 150.0}, {K: 5.0, Na: 145.0, Cl: 150.0}, 310.15)
AREA = 1e4  # nm2, with a channel or a thousand pumps
TIGHT = [1.0, 0.0, 1.0]
SLAB = ed.Pore(
    [20.0, 4.0, 20.0],
    {K: 1.957, Na: 1.334, Cl: 2.032},
    permittivity=[78.5, 2.0, 78.5],
    partition={K: TIGHT, Na: TIGHT, Cl: TIGHT},
    shape=ed.Planar(AREA),
)
MESH = ed.graded(SLAB, BATH, cells=[12, 1, 12])
CHANNEL = jm.channel.Channel(jm.gating.AlwaysOpen(), jm.permeation.GHK([2e-8, 1e-9], (K, Na)), 1.0)
PUMP = jm.transport.Published(jm.transport.sodium_pumps.kager, jm.transport.catalogue.NA_K_ATPASE, 3e-7)


WALL, OPEN = ed.End(passes=(), contact=ed.Charged(0.0)), ed.End()
LEFT = 12  # the node inside the membrane


@jax.jit
def closed(t):
    """A slab whose inside no ion can leave but through the channel and the pump."""
    source = across(SLAB, MESH, (CHANNEL, PUMP), 1, -60.0, BATH)
    inner = jnp.arange(MESH.nodes)[None] <= LEFT
    start = jnp.where(inner, BATH.inside.c[:, None], BATH.outside.c[:, None])
    return ed.evolve(SLAB, 0.0, t, BATH, mesh=MESH, ends=(WALL, OPEN), source=source, start=start, throw=False)


def test_ions_are_kept_and_the_pump_balances_the_leak_at_rest():
    course = closed(np.array([0.0, 1e3, 1e5, 1e7, 1e9]))
    system = ed.discretize(SLAB, MESH, 0.0, BATH, (WALL, OPEN))
    inside = np.sum(np.asarray(system.capacity[None] * course.concentrations)[:, :, : LEFT + 1], -1)
    np.testing.assert_allclose(inside[:, 2], inside[0, 2], rtol=1e-12)  # chloride cannot cross
    assert inside[-1, 0] != pytest.approx(inside[0, 0], rel=1e-3)
    c, psi = course.concentrations[-1], course.potential[-1]
    bath = across(SLAB, MESH, PUMP, 1, 0.0, BATH).bath(c)
    v = psi[LEFT] - psi[LEFT + 1]
    leak, pumped = (np.asarray(m.exchange(m.init(v, bath), v, bath).outside) for m in (CHANNEL, PUMP))
    np.testing.assert_allclose(leak[:2], -pumped[:2], rtol=1e-6)
    assert abs(pumped[0]) > 1e-10 and -90 < v < -40


def test_amounts_change_by_what_crosses_the_open_end():
    walls = WALL, ed.End(passes=())
    source = across(SLAB, MESH, (CHANNEL, PUMP), 1, -60.0, BATH)
    inner = jnp.arange(MESH.nodes)[None] <= LEFT
    start = jnp.where(inner, BATH.inside.c[:, None], BATH.outside.c[:, None])
    t = np.geomspace(1.0, 1e5, 6)
    course = ed.evolve(SLAB, 0.0, t, BATH, mesh=MESH, ends=walls, source=source, start=start)
    amount = np.asarray(course.amount)
    np.testing.assert_allclose(amount, np.broadcast_to(amount[0], amount.shape), rtol=1e-12)


def test_the_steady_current_is_that_of_a_clamp_between_the_bulk_solutions():
    source = across(SLAB, MESH, (CHANNEL, PUMP), 1, 0.0, BATH)
    t = np.array([1e4, 1e5, 1e6])
    run = jax.jit(lambda v: ed.evolve(SLAB, v, t, BATH, mesh=MESH, source=source, throw=False).current[-1])
    for v in (-80.0, 40.0):
        ends = np.asarray(run(jnp.asarray(v)))
        clamped = jm.permeation.current(jm.channel.SteadyState((CHANNEL, PUMP)), jnp.asarray(v), BATH)
        np.testing.assert_allclose(ends[0], ends[1], rtol=1e-6)
        np.testing.assert_allclose(ends[0], float(clamped), rtol=0.02)


GATED = jm.channel.Channel(
    jm.library.hodgkin_huxley_1952.model(q10=None)[1].gating, jm.permeation.GHK([2e-8, 1e-9], (K, Na)), 1.0
)
clamped = jax.jit(lambda source, v, c: ed.evolve(SLAB, v, [1e4], BATH, mesh=MESH, source=source, start=c, throw=False))


def settled(source, v, c):
    course = clamped(source, v, c)
    return course.concentrations[-1], course.potential[-1], course.current[-1]


@pytest.mark.slow
def test_steady_gates_are_those_of_the_steady_state():
    c = jnp.where(jnp.arange(MESH.nodes)[None] <= LEFT, BATH.inside.c[:, None], BATH.outside.c[:, None])
    steady, held = (across(SLAB, MESH, GATED, 1, -60.0, BATH, gates=how) for how in ("steady", "held"))
    at, psi, current = settled(steady, jnp.asarray(20.0), c)
    local = psi[LEFT] - psi[LEFT + 1]
    right = jm.permeation.current(jm.channel.SteadyState(GATED), local, steady.bath(at))
    np.testing.assert_allclose(current, right, rtol=1e-5)
    assert jnp.all(settled(held, jnp.asarray(20.0), c)[2] < 0.2 * current)


def test_gates_that_move_between_pieces_of_a_run_are_those_of_a_clamp():
    """At a constant command the gate relaxes as it does in a voltage clamp at the potential beside the membrane."""
    source, v = across(SLAB, MESH, GATED, 1, -60.0, BATH), jnp.asarray(20.0)
    c = jnp.where(jnp.arange(MESH.nodes)[None] <= LEFT, BATH.inside.c[:, None], BATH.outside.c[:, None])
    c, psi, _ = settled(source, v, c)
    at = psi[LEFT] - psi[LEFT + 1]
    for k in range(1, 5):
        source = source.advance(c, psi, 0.5e6)  # half a millisecond
        c, psi, current = settled(source, v, c)
        steady = jm.channel.SteadyState(GATED)
        n = GATED.advance(GATED.init(jnp.asarray(-60.0), BATH), at, BATH, 0.5 * k)
        np.testing.assert_allclose(source.states[0], n, rtol=1e-3)
        share = (n / GATED.init(at, BATH)) ** 4
        right = share[0] * jm.permeation.current(steady, psi[LEFT] - psi[LEFT + 1], source.bath(c))
        np.testing.assert_allclose(current, right, rtol=2e-3)


def test_what_is_no_membrane_is_refused():
    with pytest.raises(ValueError, match="'held' or 'steady'"):
        across(SLAB, MESH, CHANNEL, 1, 0.0, BATH, gates="free")
    with pytest.raises(ValueError, match="between two segments"):
        across(SLAB, MESH, CHANNEL, 0, 0.0, BATH)
    with pytest.raises(ValueError, match="one edge of the mesh"):
        across(SLAB, ed.graded(SLAB, BATH, cells=4), CHANNEL, 1, 0.0, BATH)
    leaky = ed.Pore([1.0, 1.0, 1.0], {K: 1.0, Cl: 1.0}, radius=1.0)
    with pytest.raises(ValueError, match="partition 0"):
        across(leaky, ed.graded(leaky, BATH, cells=[2, 1, 2]), CHANNEL, 1, 0.0, BATH)
