"""Saturation: the closed forms of one and two sites are limits of graphs; binding polynomials; mole-fraction minima."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem.electrochemistry import Ba, Bath, Ca, K
from jaxmem.kinetics import scheme
from jaxmem.permeation import (
    BarrierPore,
    BindingPolynomial,
    GraphPore,
    current,
    mixture,
    mole_fraction_minimum,
    one_site_saturation,
    smallest,
    two_site_saturation,
)
from jaxmem.rates import Binding, Constant
from jaxmem.units import E0_PER_MS

pytestmark = pytest.mark.x64

T = 293.15
A, B, TURNS = 0.05, 0.01, 1e4  # 1/mM, 1/mM, 1/ms
CONCENTRATIONS = (1e-3, 1.0, 117.082039, 3000.0)
PAIR_CURRENT = 2 * E0_PER_MS  # pA of one divalent ion per ms


def two_sites(fast):
    """Binding from outside, `fast` times as quick as the translocation of a pore that holds two."""
    return scheme(
        {
            ("empty", "one"): (Binding(fast * TURNS * A, K, False), Constant(fast * TURNS)),
            ("one", "two"): (Binding(fast * TURNS * B, K, False), Constant(fast * TURNS)),
            ("two", "one"): (Constant(TURNS), Binding(TURNS, K, True)),
        },
        exchange={
            ("empty", "one"): {(K, False): -1},
            ("one", "two"): {(K, False): -1},
            ("two", "one"): {(K, True): 1},
        },
    )


def at(law, c):
    return float(current(law, 0.0, Bath({K: 0.0}, {K: c}, T)))


def test_two_site_saturation_is_the_fast_binding_limit_of_a_graph():
    """The error falls with the ratio of the rates, down to rounding."""
    for c in CONCENTRATIONS:
        closed = -float(two_site_saturation(c, A, B, TURNS * E0_PER_MS))
        errors = [abs(at(GraphPore(two_sites(fast)), c) / closed - 1.0) for fast in (1e3, 1e6, 1e10)]
        assert errors[0] < 2e-3 and errors[1] < 2e-6 and errors[2] < 1e-9
        assert_allclose(errors[0] / errors[1], 1e3, rtol=0.01)


def test_two_site_saturation_is_a_binding_polynomial():
    model = BindingPolynomial(({K: 1}, {K: 2}), [A, A * B], [0.0, TURNS])
    for c in CONCENTRATIONS:
        assert_allclose(at(model, c), -two_site_saturation(c, A, B, TURNS * E0_PER_MS), rtol=1e-13)


def test_half_saturation_and_the_slope_of_two():
    half = (A + np.sqrt(A**2 + 4 * A * B)) / (2 * A * B)
    assert_allclose(half, 117.082039, rtol=1e-8)
    assert_allclose(two_site_saturation(half, A, B, 10.0), 5.0, rtol=1e-13)
    slope = jax.grad(lambda x: jnp.log(two_site_saturation(jnp.exp(x), A, B, 1.0)))
    assert_allclose(slope(np.log(1e-6)), 2.0, rtol=1e-6)
    assert abs(float(slope(np.log(1e7)))) < 1e-4


def test_one_site_saturation_is_a_pore_with_one_site():
    """The site is filled from outside, and what leaves to inside does not come back."""
    model = BarrierPore({K: [-3.0]}, {K: [7.0, 6.0]}, [0.2, 0.45, 0.7])
    low, high = at(model, 1e-6), at(model, 1e9)
    half = 1e-6 * high / low  # from the slope at the origin and the plateau
    for c in (0.5, 30.0, 800.0):
        assert_allclose(at(model, c), one_site_saturation(c, half, high), rtol=1e-6)


def calcium():
    constants = [0.5, 0.2, 0.1 * 0.25, 0.1 * 0.04, 2 * 0.1]
    pairs = ({Ca: 1}, {Ba: 1}, {Ca: 2}, {Ba: 2}, {Ca: 1, Ba: 1})
    return BindingPolynomial(pairs, constants, np.asarray([0.0, 0.0, 1.0, 2.0, 0.05]) / PAIR_CURRENT)


EMPTY = Bath({Ca: 0.0, Ba: 0.0}, {Ca: 0.0, Ba: 0.0}, T)


def test_the_polynomial_gives_probabilities_and_mean_occupancies():
    bath = mixture(EMPTY, (Ca, Ba), 0.05, 10.0)
    p = calcium().occupancy(bath)
    z = 1 + 0.25 + 1.9 + 0.1 * 0.0625 + 0.1 * 3.61 + 0.2 * 0.25 * 0.2 / 0.1 * 9.5
    assert_allclose(1.0 / calcium().polynomial(bath), 1.0 - jnp.sum(p), rtol=1e-13)
    assert_allclose(p[0] / p[1], 0.25 / 1.9, rtol=1e-13)
    assert abs(float(calcium().polynomial(bath)) / z - 1.0) < 1.0
    log_z = lambda x: jnp.log(calcium().polynomial(bath.replaced({(Ca, False): jnp.exp(x)})))
    assert_allclose(jax.grad(log_z)(jnp.log(0.5)), p[0] + 2 * p[2] + p[4], rtol=1e-12)


def test_a_trapped_pair_makes_mixtures_pass_less_than_either_ion():
    found = mole_fraction_minimum(calcium(), 0.0, EMPTY, (Ca, Ba), 10.0)
    assert_allclose(found.fraction, 0.346527502, rtol=1e-8)
    assert_allclose(found.current, -0.0960527215, rtol=1e-7)
    assert_allclose(found.depth, 0.624321654, rtol=1e-7)
    assert found.over_first < 1.0 and found.over_second < 1.0


def test_without_a_trap_the_smallest_current_is_that_of_a_pure_solution():
    model = BindingPolynomial(({Ca: 1}, {Ba: 1}), [0.5, 0.2], [1.0, 2.0])
    found = mole_fraction_minimum(model, 0.0, EMPTY, (Ca, Ba), 10.0)
    assert float(found.fraction) in (0.0, 1.0)
    assert_allclose(found.current, found.first, rtol=1e-14)
    assert abs(float(found.depth)) < 1e-14


def test_the_full_barrier_model_has_the_minimum_too():
    """Ca and Ba at two sites: 10 mM, -20 mV; minimum at 2.26 % Ca, 0.36 of pure Ca, 0.22 of pure Ba."""
    model = BarrierPore(
        {Ca: [-13.25, -13.25], Ba: [-6.95, -6.95]},
        {Ca: [6.2, -4.5, 6.2], Ba: [9.1, -2.1, 9.1]},
        [0.12, 0.25, 0.5, 0.75, 0.88],
        [1.43],
    )
    found = mole_fraction_minimum(model, -20.0, EMPTY, (Ca, Ba), 10.0)
    assert_allclose(found.fraction, 0.022606467, rtol=1e-6)
    assert_allclose([found.over_first, found.over_second], [0.360251739, 0.220318866], rtol=1e-7)
    # The place of the minimum has a derivative, that of the implicit function.
    place = lambda barrier: mole_fraction_minimum(
        BarrierPore(
            {Ca: [-13.25, -13.25], Ba: [-6.95, -6.95]},
            {Ca: [6.2, -4.5, barrier], Ba: [9.1, -2.1, 9.1]},
            [0.12, 0.25, 0.5, 0.75, 0.88],
            [1.43],
        ),
        -20.0, EMPTY, (Ca, Ba), 10.0,
    ).fraction  # fmt: skip
    place = jax.jit(place)
    slope = (place(6.2 + 1e-3) - place(6.2 - 1e-3)) / 2e-3
    assert_allclose(jax.jit(jax.grad(place))(6.2), slope, rtol=1e-5)


def test_smallest_finds_inner_minima_and_ends():
    grid = np.linspace(0.0, 3.0, 13)
    assert_allclose(smallest(lambda x: (x - 1.234) ** 2, grid), 1.234, rtol=1e-12)
    assert_allclose(smallest(jnp.exp, grid), 0.0)
    assert_allclose(smallest(lambda x: -x, grid), 3.0)


@pytest.mark.parametrize(
    ("occupancies", "constant", "rate", "said"),
    [
        (({Ca: 1}, {Ca: 1}), [1.0, 1.0], [1.0, 1.0], "must name each occupancy once, with at least one ion"),
        (({Ca: 1}, {}), [1.0, 1.0], [1.0, 1.0], "must name each occupancy once, with at least one ion"),
        (({Ca: 1},), [1.0, 1.0], [1.0], "Argument `constant` must have one value for each of 1 occupancies"),
        (({Ca: 1},), [1.0], [1.0, 1.0], "Argument `rate` must have one value for each of 1 occupancies"),
    ],
)
def test_polynomials_refuse_what_does_not_fit(occupancies, constant, rate, said):
    with pytest.raises(ValueError, match=said):
        BindingPolynomial(occupancies, constant, rate)
