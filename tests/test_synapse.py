"""Synaptic channels: how they open, what passes, and where their currents reverse."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import synapse
from jaxmem.cell import Cell, Compartment, Diffusion, Membrane, point
from jaxmem.electrochemistry import HCO3, Bath, Ca, Cl, K, Mg, Na, as_bath, gaba, ghk_voltage, glu, nernst
from jaxmem.permeation import current
from jaxmem.protocols import step
from jaxmem.simulate import Arrivals, Staggered, Supply, current_clamp
from jaxmem.units import F, thermal_voltage

pytestmark = pytest.mark.x64

T = 310.15


def bath(cl: float = 7.0) -> Bath:
    """A neuron at 37 C with what synapses need."""
    inside = {K: 140.0, Na: 12.0, Cl: cl, HCO3: 16.0, Ca: 1e-4, Mg: 0.8}
    return Bath(inside, {K: 4.0, Na: 145.0, Cl: 120.0, HCO3: 26.0, Ca: 1.8, Mg: 1.0}, T)


# --- opening ---


@pytest.mark.parametrize("opening", [synapse.Exponential(5.0), synapse.DoubleExponential(2.0, 9.0)])
def test_an_opening_is_empty_by_itself_and_decays_exactly(opening):
    v, anywhere = jnp.asarray(-65.0), as_bath(T)
    empty = opening.init(v, anywhere)
    assert not np.any(empty)
    s = empty + 0.7
    whole = opening.advance(s, v, anywhere, jnp.asarray(3.0))
    half = opening.advance(opening.advance(s, v, anywhere, jnp.asarray(1.2)), v, anywhere, jnp.asarray(1.8))
    assert_allclose(half, whole, rtol=1e-14)
    slope = jax.jvp(lambda t: opening.advance(s, v, anywhere, t), (jnp.zeros(()),), (jnp.ones(()),))[1]
    assert_allclose(slope, opening.derivative(s, v, anywhere), rtol=1e-14)


def test_a_double_exponential_peaks_at_one():
    opening = synapse.DoubleExponential(0.5, 5.0)
    at = lambda t: float(opening.open_probability(opening.advance(jnp.ones(2), 0.0, as_bath(T), t), 0.0))
    peak = float(opening.time_to_peak)
    assert peak == pytest.approx(0.5 * 5.0 / 4.5 * np.log(10.0), rel=1e-14)
    assert at(0.0) == 0.0 and at(peak) == pytest.approx(1.0, rel=1e-14)
    assert at(peak - 0.01) < 1.0 > at(peak + 0.01)
    with pytest.raises(ValueError, match=r"`rise` must be less than `decay`.*Exponential\(decay\)"):
        synapse.DoubleExponential(5.0, 5.0)


def test_receptors_follow_a_pulse_of_transmitter():
    """1 mM for 1 ms, then nothing; generators written by hand from the published rates."""
    from scipy.linalg import expm

    cases = {
        "ampa": (synapse.ampa_receptor(), glu, "C0 C1 C2 D1 D2 O", ("O",), lambda c: {
            ("C0", "C1"): (13 * c, 0.0059), ("C1", "C2"): (13 * c, 86), ("C1", "D1"): (0.9, 0.064),
            ("C2", "D2"): (0.9, 0.064), ("C2", "O"): (2.7, 0.2)}),
        "nmda": (synapse.nmda_receptor(), glu, "C0 C1 C2 D O", ("O",), lambda c: {
            ("C0", "C1"): (5 * c, 0.0129), ("C1", "C2"): (5 * c, 0.0129), ("C2", "D"): (0.0084, 0.0068),
            ("C2", "O"): (0.0465, 0.0738)}),
        "gaba": (synapse.gaba_a_receptor(), gaba, "C0 C1 C2 O1 O2", ("O1", "O2"), lambda c: {
            ("C0", "C1"): (20 * c, 4.6), ("C1", "C2"): (10 * c, 9.2), ("C1", "O1"): (3.3, 9.8),
            ("C2", "O2"): (10.6, 0.41)}),
    }  # fmt: skip
    peaks = {}
    for name, (receptor, transmitter, states, conducting, edges) in cases.items():
        states = states.split()

        def generator(c, edges=edges, states=states):
            q = np.zeros((len(states),) * 2)
            for (a, b), (forward, backward) in edges(c).items():
                i, j = states.index(a), states.index(b)
                q[i, j] += forward
                q[j, i] += backward
            return q - np.diag(q.sum(1))

        bound = as_bath(T).replaced({(transmitter, False): 1.0})
        q, v = receptor.generator(jnp.asarray(-65.0), bound), jnp.asarray(-65.0)
        assert receptor.scheme.states == tuple(states)
        assert_allclose(q, generator(1.0), rtol=1e-12)
        pulse = np.eye(len(states))[0] @ expm(np.asarray(q))
        late = pulse @ expm(4.0 * generator(0.0))
        assert receptor.open_probability(jnp.eye(len(states))[0], v) == 0.0
        found = [float(receptor.open_probability(jnp.asarray(p), v)) for p in (pulse, late)]
        assert_allclose(found[0], sum(pulse[states.index(s)] for s in conducting), rtol=1e-14)
        peaks[name] = found
    assert peaks["ampa"][1] < 0.5 * peaks["ampa"][0]  # fast
    assert peaks["nmda"][1] > peaks["nmda"][0]  # still rising


# --- what passes ---


def test_a_conductance_is_that_between_equal_solutions():
    equal = {K: 100.0, Na: 50.0}
    pore = synapse.cation_pore(2.5)
    slope = jax.grad(lambda v: current(pore, v, Bath(equal, equal, T)))(0.0)
    assert_allclose(slope, 2.5, rtol=1e-12)


def test_ampa_reverses_where_goldman_hodgkin_and_katz_say():
    pore = synapse.ampa(1.0).permeation
    expected = thermal_voltage(T) * np.log((145.0 + 4.0) / (140.0 + 12.0))
    assert abs(float(current(pore, expected, bath()))) < 1e-12
    assert expected == pytest.approx(-0.533, abs=1e-3)
    exchange = pore.exchange(jnp.asarray(-60.0), bath())
    flux = dict(zip(bath().species, np.asarray(exchange.outside), strict=True))
    assert flux[Na] < 0.0 < flux[K] and flux[Cl] == flux[Ca] == 0.0
    # Receptors without GluA2 let Ca pass.
    with_calcium = synapse.ampa(1.0, calcium=1.0).permeation.exchange(jnp.asarray(-60.0), bath())
    assert with_calcium.outside[bath().index(Ca)] < 0.0


def test_magnesium_blocks_as_jahr_and_stevens_measured():
    pore = synapse.nmda(1.0).permeation
    v = jnp.asarray([-80.0, -60.0, -40.0, 0.0, 40.0])
    assert_allclose(pore.unblocked(v, bath()), [0.0244247, 0.0796264, 0.230155, 0.781182, 0.977080], rtol=1e-5)
    half = -jnp.log(3.57) / 0.062  # at 1 mM Mg
    assert_allclose(pore.unblocked(half, bath()), 0.5, rtol=1e-14)
    # With 10.6 times the permeability of Na, Ca carries a good part of the current where Na comes in, too.
    exchange = pore.exchange(jnp.asarray(-60.0), bath())
    share = 2 * F * exchange.outside[bath().index(Ca)] / exchange.current
    assert 0.1 < float(share) < 0.35
    assert float(current(pore, 0.0, bath())) < 0.0 < float(current(pore, 10.0, bath()))
    fixed = synapse.nmda(1.0, reversal=0.0, magnesium=1.0).permeation
    assert_allclose(fixed.exchange(jnp.asarray(-60.0), as_bath(T)).current, -60.0 * 0.0796264, rtol=1e-5)


def test_gaba_reverses_between_chloride_and_bicarbonate():
    pore = synapse.gaba_a(1.0).permeation
    e_cl, e_hco3 = (float(nernst(*bath()[s], -1, T)) for s in (Cl, HCO3))
    assert (e_cl, e_hco3) == (pytest.approx(-75.94, abs=0.01), pytest.approx(-12.98, abs=0.01))
    found = float(thermal_voltage(T) * np.log((7.0 + 0.18 * 16.0) / (120.0 + 0.18 * 26.0)))
    assert e_cl < found < e_hco3 and found == pytest.approx(-67.758, abs=1e-3)
    assert abs(float(current(pore, found, bath()))) < 1e-12
    assert_allclose(ghk_voltage({Cl: 1.0, HCO3: 0.18}, bath()), found, rtol=1e-12)
    # Where no net current flows, HCO3 leaves and Cl enters; with much Cl inside GABA depolarizes.
    exchange = pore.exchange(jnp.asarray(found), bath())
    assert exchange.outside[bath().index(HCO3)] > 0.0 > exchange.outside[bath().index(Cl)]
    assert abs(float(exchange.outside[bath().index(HCO3)] + exchange.outside[bath().index(Cl)])) < 1e-15
    assert float(current(pore, -40.0, bath(30.0))) < 0.0


@pytest.mark.parametrize("make", [synapse.ampa, synapse.nmda, synapse.gaba_a])
def test_the_current_is_the_charge_that_leaves(make):
    channel, z = make(1.3, number=4.0), np.asarray([s.z for s in bath().species], float)
    state = channel.advance(
        channel.init(jnp.asarray(-65.0), bath()) + 0.8, jnp.asarray(-65.0), bath(), jnp.asarray(1.0)
    )
    for v in (-90.0, -20.0, 0.0, 35.0):
        exchange = channel.exchange(state, jnp.asarray(v), bath())
        assert_allclose(exchange.current, F * np.sum(z * exchange.outside), rtol=1e-12)
        assert_allclose(exchange.inside, -exchange.outside, rtol=0)
    carried = make(1.0, reversal=-7.0, **({"magnesium": 0.0} if make is synapse.nmda else {}))
    assert float(carried.permeation.exchange(jnp.asarray(3.0), as_bath(T)).current) == 10.0


# --- in a cell ---


def test_spikes_open_the_channel_of_one_cell():
    """A membrane of nothing else, whose potential says for how long the channel was open in all."""
    cell = point((synapse.gaba_a(0.1, reversal=-75.0),), 100.0, T, start=-65.0)
    times = np.array([2.0, 5.0, 5.0])
    spikes = Arrivals(lambda s: s.mechanisms[0][0], times, 0.5)
    trace = current_clamp(cell, spikes, np.arange(0.0, 12.1, 4.0), method=Staggered(0.01))
    (open_now,) = trace.state.mechanisms[0]
    assert_allclose(open_now, 0.5 * np.sum(np.exp(-(12.0 - times) / 10.0)), rtol=1e-5)
    opened = 5.0 * np.sum(-np.expm1(-(12.0 - times) / 10.0))  # ms: what it was open in all
    assert_allclose(trace.v[-1], -75.0 + 10.0 * np.exp(-1e-3 * opened), atol=1e-5)


@pytest.mark.slow
def test_transmitter_in_a_cleft_opens_receptors_until_it_has_gone():
    cleft = Compartment({gaba: 0.0, Cl: 120.0, HCO3: 26.0, Na: 146.0}, 1e-3)
    cell = Cell(
        Membrane("cell", "cleft", 20.0, (synapse.gaba_a(5.0, opening=synapse.gaba_a_receptor()),)),
        {"cell": Compartment({Cl: 7.0, HCO3: 16.0}), "cleft": cleft, "outside": Compartment({gaba: 0.0})},
        links=(Diffusion("cleft", "outside", {gaba: 1e-3}),),
        temperature=T,
        start=-40.0,
        electrode=Na,
    )
    vesicle = Supply("cleft", gaba, step(1e-2, 0.1))  # fmol/ms, for 0.1 ms: 1 mM
    trace = current_clamp(cell, vesicle, np.arange(0.0, 20.1, 0.1), method=Staggered(0.02))
    transmitter = trace.observed["gaba_cleft"]
    assert transmitter[1] == pytest.approx(1.0, rel=0.06)
    assert_allclose(transmitter[11] / transmitter[1], np.exp(-1.0), rtol=1e-3)  # the cleft clears in 1 ms
    assert trace.v[0] == -40.0 and -68.0 < float(trace.v[-1]) < -46.0
