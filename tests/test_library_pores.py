"""Pores that ship: numbers of the reference cases, equilibrium, and the same model from Python and from its file."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import library, modelfile
from jaxmem.electrochemistry import Ba, Bath, Ca, K, Na
from jaxmem.kinetics import turnover
from jaxmem.library import (
    ampar_ca_block,
    ca_channel_two_site,
    gramicidin_monoi_1985,
    k_channel_3b2s,
    k_channel_three_site,
)
from jaxmem.permeation import (
    conductance,
    current,
    flux_ratio_exponent,
    mole_fraction_minimum,
    permeability_ratio,
)
from jaxmem.units import F, R, thermal_voltage

pytestmark = pytest.mark.x64

PORES = (k_channel_3b2s, k_channel_three_site, ca_channel_two_site, gramicidin_monoi_1985, ampar_ca_block)


def at(reading, law, v, bath):
    """A reading at points: voltages and concentrations with a leading axis each."""
    v = jnp.asarray(v, float)
    axes = jax.tree.map(lambda x: 0 if x.ndim and x.shape[0] == v.size else None, bath)
    return _at(reading, law, v, bath, axes)


@eqx.filter_jit
def _at(reading, law, v, bath, axes):
    return jax.vmap(lambda v, bath: reading(law, v, bath), in_axes=(0, axes))(v, bath)


def exponent(law, v, bath):
    return flux_ratio_exponent(law, K, v, bath)


def holding(law, v, bath):
    """Probability of 0, 1, 2, ... ions."""
    p = law.flux(v, bath).occupancy
    return jnp.stack([jnp.sum(p[law.file.ions == n]) for n in range(law.file.sites + 1)])


def mixed(outside, inside, temperature):
    """K and Na [mM] on both sides, a row of each for every point."""
    (k_out, na_out), (k_in, na_in) = (np.asarray(side, float).T for side in (outside, inside))
    return Bath({K: k_in, Na: na_in}, {K: k_out, Na: na_out}, temperature)


def test_two_sites_saturate_and_hold_two_ions():
    pore, t = k_channel_3b2s.model().permeation, 298.15
    c = np.asarray([3.0, 100.0, 1000.0, 3000.0])
    bath = Bath({K: c, Na: 0 * c}, {K: c, Na: 0 * c}, t)
    slopes = [17.6528437, 308.994506, 800.357281, 812.34359]
    np.testing.assert_allclose(1e3 * at(conductance, pore, 0 * c, bath), slopes, rtol=1e-8)
    occupied = at(holding, pore, 0 * c, bath)
    np.testing.assert_allclose(occupied[2], [0.0357646038, 0.528533327, 0.435702069], rtol=1e-8)


def test_two_sites_reverse_where_they_should():
    pore, t = k_channel_3b2s.model().permeation, 298.15
    bath = mixed([(5, 150), (5, 150), (0, 150), (0, 150)], [(150, 5), (150, 5), (150, 0), (150, 0)], t)
    currents = at(current, pore, [-100.0, -25.3094082, -27.353837, 100.0], bath)
    np.testing.assert_allclose(currents, [-16.2329544, 0.0, 0.0, 37.0558138], rtol=1e-8, atol=1e-7)
    ratio = permeability_ratio(-27.353837, mixed([(0, 150)], [(150, 0)], t), Na, K)
    np.testing.assert_allclose(ratio, 0.345, atol=5e-4)


def test_three_sites_knock_on():
    pore, t = k_channel_three_site.model().permeation, 293.15
    c = np.asarray([3.0, 100.0, 300.0, 3000.0])
    bath = Bath({K: c, Na: 0 * c}, {K: c, Na: 0 * c}, t)
    slopes = [15.3324173, 142.320361, 219.225121, 358.255722]
    np.testing.assert_allclose(1e3 * at(conductance, pore, 0 * c, bath), slopes, rtol=1e-8)
    np.testing.assert_allclose(
        at(exponent, pore, 0 * c + 20.0, bath), [1.05007803, 1.63966176, 1.84946769, 2.10261417], rtol=1e-8
    )
    bath = mixed(4 * [(5, 145)], 4 * [(140, 10)], t)
    currents = at(current, pore, [-100.0, -53.7697426, 0.0, 100.0], bath)
    np.testing.assert_allclose(currents, [-2.81952606, 0.0, 4.95715873, 18.8967992], rtol=1e-8, atol=1e-8)


def test_calcium_blocks_sodium_and_carries_less_in_a_mixture():
    pore, t = ca_channel_two_site.model().permeation, 293.15
    outside = np.asarray([(10, 0, 0), (0, 100, 0), (3, 7, 0), (0.1, 0, 120), (0.12925242, 0, 120), (1e-6, 0, 120)])
    inside = dict.fromkeys((Ca, Ba, Na), np.zeros(6))
    bath = Bath(inside, dict(zip((Ca, Ba, Na), outside.T, strict=True)), t)
    found = at(current, pore, np.full(6, -20.0), bath)
    expected = [-0.133192819, -0.700004863, -0.107448756, -0.0307154764, -0.0300247614, -0.603533101]
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    one = jax.tree.map(lambda x: x[0] if x.ndim else x, bath)
    minimum = eqx.filter_jit(mole_fraction_minimum)(pore, -20.0, one, (Ca, Ba), 10.0)
    np.testing.assert_allclose(minimum.fraction, 0.022606467, rtol=1e-6)
    found = [minimum.current, minimum.over_first, minimum.over_second]
    np.testing.assert_allclose(found, [-0.0479829446, 0.360251739, 0.220318866], rtol=1e-8)


def test_gramicidin_reproduces_the_reference():
    pore = gramicidin_monoi_1985.model().permeation
    c_in, c_out = np.asarray([(10, 10), (1000, 1000), (3000, 3000), (100, 1000), (100, 1000)], float).T
    bath = Bath({Na: c_in}, {Na: c_out}, 298.15)
    found = at(current, pore, [-200.0, 100.0, 25.0, 25.0, 200.0], bath)
    np.testing.assert_allclose(found, [-0.0234798121, 0.279719947, 0.0358291867, -0.0744642908, 0.166914301], rtol=1e-8)
    one = Bath({Na: 1000.0}, {Na: 1000.0}, 298.15)
    occupancy = turnover(pore.scheme, 100.0, one).occupancy
    assert pore.scheme.states == ("empty", "outer", "inner", "both")
    np.testing.assert_allclose(occupancy, [0.0278151157, 0.22960152, 0.132876028, 0.609707336], rtol=1e-8)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (ampar_ca_block.A1_A2G2, [0.978665814, 0.576959505, 0.896918752, 0.494384579, 0.50881038, 0.434070634]),
        (ampar_ca_block.A1_A2_R607EG2, [0.978331937, 0.499173378, 0.890194713, 0.32645223, 0.2446535, 0.351257198]),
    ],
)
def test_calcium_block_of_ampa_receptors_reproduces_the_reference(parameters, expected):
    # The authors' constants: R = 8.31 and F = 96485 give this library's RT/F at another temperature.
    t = ampar_ca_block.TEMPERATURE * (8.31 / R) / (96485.0 / F)
    points = [(0.1, -100.0), (10.0, -100.0), (2.0, 60.0), (20.0, -60.0), (30.0, 20.0), (108.0, 100.0)]
    c, v = (jnp.asarray(column) for column in np.asarray(points).T)
    bath = Bath({Ca: np.full(6, 1e-4)}, {Ca: c}, t)
    relative = at(current, ampar_ca_block.model(**parameters).permeation, v, bath) / v
    np.testing.assert_allclose(relative, expected, rtol=1e-6)


@pytest.mark.parametrize("module", PORES[:4])
def test_equal_electrochemical_potentials_carry_no_current(module):
    pore, bath, v = module.model().permeation, modelfile.loads(library.text(name(module))).bath, -35.0
    outside = {s: bath.outside[s] for s in bath.outside.species}
    inside = {s: c * np.exp(-s.z * v / thermal_voltage(bath.temperature)) for s, c in outside.items()}
    even = Bath(inside, outside, bath.temperature)
    zero, away = (eqx.filter_jit(current)(pore, v + dv, even) for dv in (0.0, 10.0))
    assert abs(away) > 1e-3 and abs(zero) < 1e-12 * abs(away)


def name(module):
    return module.__name__.rpartition(".")[2]


@pytest.mark.parametrize("module", PORES)
def test_freed_values_are_those_of_the_constructor_and_of_the_file(module):
    ours, file = module.free(), modelfile.loads(library.text(name(module)))
    for a, b in zip(ours.parameters, file.free.parameters, strict=True):
        assert (a.name, a.unit, a.log) == (b.name, b.unit, b.log)
        assert (a.lower, a.upper) == pytest.approx((b.lower, b.upper), rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(ours.read(module.model()), [p.value for p in file.free.parameters], rtol=1e-13)
    row = jnp.asarray(ours.draw(jax.random.key(2), 1)[0])
    placed = ours.place(module.model(), row)
    others = module.model(**dict(zip(ours.names, row, strict=True))), file.free.place(file.model, row)
    for other in others:
        for a, b in zip(jax.tree.leaves(placed), jax.tree.leaves(other), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(ours.read(placed), row, rtol=1e-12)


def test_the_mutant_is_placed_in_its_own_unit_of_rates():
    """What is free says nothing of `k1`, which the model keeps."""
    free, mutant = ampar_ca_block.free(), ampar_ca_block.model(**ampar_ca_block.A1_A2_R607EG2)
    placed = free.place(mutant, jnp.asarray(free.read(mutant)))
    for a, b in zip(jax.tree.leaves(placed), jax.tree.leaves(mutant), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
