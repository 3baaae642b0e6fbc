"""Fixed charge at the mouths: concentrations and field shift, equilibrium stays; the table of a pore."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem.channel import Channel, SteadyState
from jaxmem.electrochemistry import Bath, Cl, K, surface_potential
from jaxmem.gating import AlwaysOpen
from jaxmem.permeation import GHK, BarrierPore, ChargedMouths, Ohmic, conductance, current, tabulate
from jaxmem.results import InputError
from jaxmem.units import C_PER_M2, thermal_voltage

pytestmark = pytest.mark.x64

T = 298.15


def pore():
    return BarrierPore({K: [-2.0]}, {K: [8.0, 7.5]}, [0.2, 0.5, 0.8])


def salt(inside=140.0, outside=4.0):
    return Bath({K: inside, Cl: inside}, {K: outside, Cl: outside}, T)


def test_without_charge_a_mouth_changes_nothing():
    assert_allclose(current(ChargedMouths(pore()), -30.0, salt()), current(pore(), -30.0, salt()), rtol=1e-13)


def test_a_mouth_sees_the_surface_concentration_and_potential():
    model = ChargedMouths(pore(), outside=-0.05 * C_PER_M2)
    psi = float(surface_potential(-0.05 * C_PER_M2, salt().outside, T))
    near = 4.0 * np.exp(-psi / float(thermal_voltage(T)))
    assert psi < -100.0 and near > 200.0
    bare = current(pore(), -30.0 - psi, Bath({K: 140.0, Cl: 140.0}, {K: near, Cl: 0.0}, T))
    assert_allclose(current(model, -30.0, salt()), bare, rtol=1e-11)
    # Negative charge outside feeds the pore with potassium: dilute solutions conduct better.
    dilute = salt(1.0, 1.0)
    assert float(conductance(ChargedMouths(pore(), -0.1, -0.1), 0.0, dilute)) > 5 * float(
        conductance(pore(), 0.0, dilute)
    )


def test_equilibrium_stays_where_it_is():
    e = float(thermal_voltage(T)) * np.log(4.0 / 140.0)
    for model in (pore(), GHK(np.asarray([1e-3]), (K,))):
        charged = ChargedMouths(model, -0.3, 0.2)
        assert abs(float(current(charged, e, salt()))) < 1e-11 * abs(float(current(charged, e + 50.0, salt())))


def test_a_bath_without_counterions_is_refused():
    with pytest.raises(
        ValueError, match="needs an electroneutral bath, but inside the charges sum to 140 mM; list the"
    ):
        current(ChargedMouths(pore(), -0.1), 0.0, Bath({K: 140.0}, {K: 4.0}, T).replaced({(Cl, False): 4.0}))


# --- tables ---

GRID = np.linspace(-150.0, 150.0, 25)


def bath():
    return Bath({K: 140.0}, {K: 4.0}, T)


def worst(table, law, conditions):
    v = jnp.linspace(-149.0, 149.0, 71)
    got, wanted = (jax.vmap(lambda v, m=m: m.exchange(v, conditions).current)(v) for m in (table, law))
    return float(jnp.max(jnp.abs(got - wanted)) / jnp.max(jnp.abs(wanted)))


@pytest.mark.slow
def test_a_table_converges_with_the_fourth_power_of_its_steps():
    errors = [worst(tabulate(pore(), np.linspace(-150.0, 150.0, n), bath()), pore(), bath()) for n in (25, 49, 97)]
    assert errors[2] < 2e-7
    for coarse, fine in itertools.pairwise(errors):
        assert 10.0 < coarse / fine < 40.0


def test_a_table_over_concentrations_too():
    table = tabulate(pore(), np.linspace(-150.0, 150.0, 49), bath(), {(K, False): np.geomspace(0.5, 50.0, 25)})
    for c in (0.5, 3.7, 49.0):
        assert worst(table, pore(), bath().replaced({(K, False): c})) < 3e-5


def test_a_table_is_smooth_and_differentiable_in_the_law():
    table = tabulate(pore(), np.linspace(-150.0, 150.0, 97), bath())
    assert_allclose(conductance(table, 33.3, bath()), conductance(pore(), 33.3, bath()), rtol=1e-5)
    step = GRID[1] - GRID[0]
    for order in (0, 1, 2):  # continuous across the points of the grid
        f = lambda v: table.exchange(v, bath()).current
        for _ in range(order):
            f = jax.grad(f)
        low, high = f(jnp.asarray(step - 1e-9)), f(jnp.asarray(step + 1e-9))
        assert_allclose(low, high, rtol=1e-6)

    def through(barrier):
        model = BarrierPore({K: [-2.0]}, {K: [barrier, 7.5]}, [0.2, 0.5, 0.8])
        return tabulate(model, GRID, bath()).exchange(jnp.asarray(7.0), bath()).current

    slope = (through(8.001) - through(7.999)) / 0.002
    assert_allclose(jax.grad(through)(8.0), slope, rtol=1e-5)


def test_a_channel_in_its_steady_state_can_be_tabulated():
    channel = Channel(AlwaysOpen(), pore(), 50.0)
    table = tabulate(SteadyState(channel), GRID, bath())
    assert_allclose(current(table, 12.0, bath()), 50.0 * current(pore(), 12.0, bath()), rtol=1e-4)
    both = SteadyState((channel, Channel(AlwaysOpen(), Ohmic(1.0, reversal=-10.0))))
    assert_allclose(current(both, 12.0, bath()), 50.0 * current(pore(), 12.0, bath()) + 22.0, rtol=1e-12)


def test_outside_a_table_is_nan():
    table = tabulate(pore(), GRID, bath(), {(K, False): np.geomspace(1.0, 10.0, 5)})
    for v, c, inside in ((0.0, 4.0, True), (151.0, 4.0, False), (0.0, 0.9, False), (-150.0, 10.0, True)):
        assert bool(np.isfinite(current(table, v, bath().replaced({(K, False): c})))) == inside


@pytest.mark.parametrize(
    ("v", "c", "said"),
    [
        ([0.0, 1.0, 2.0, 3.0], None, "The grid of v must have at least five increasing values, evenly spaced; use"),
        ([0.0, 1.0, 2.0, 3.0, 5.0], None, "The grid of v must have at least five increasing values, evenly spaced"),
        (GRID, [1.0, 2.0, 3.0, 4.0, 5.0], "The grid of K outside must have .* evenly spaced in their logarithm"),
        (GRID, [0.0, 1.0, 2.0, 4.0, 8.0], "The concentrations of K outside must be positive"),
    ],
)
def test_grids_that_are_not_even_are_refused(v, c, said):
    with pytest.raises(InputError, match=said):
        tabulate(pore(), v, bath(), None if c is None else {(K, False): c})
