"""Barrier pores: closed forms of small ones, what they are made of, and what they refuse."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import kinetics, units
from jaxmem.electrochemistry import Ba, Bath, Ca, Cl, K, Na
from jaxmem.permeation import (
    BarrierPore,
    GraphPore,
    attempt_rate,
    conductance,
    current,
    knock_on,
    reversal_potential,
)

pytestmark = pytest.mark.x64

T = 298.15
SITES, BARRIERS = {K: [-2.0, -1.5], Na: [-0.8, -1.0]}, {K: [8.0, 6.0, 8.5], Na: [9.0, 7.5, 9.2]}
DISTANCES = [0.1, 0.2, 0.5, 0.8, 0.9]


def pore(**changes):
    return BarrierPore(
        **{"sites": SITES, "barriers": BARRIERS, "distances": DISTANCES, "interaction": [1.5], **changes}
    )


def bath(temperature=T):
    return Bath({K: 140.0, Na: 12.0}, {K: 4.0, Na: 145.0}, temperature)


def test_one_site_is_the_closed_form_of_two_barriers():
    site, outer, inner, c_in, c_out, v = -3.0, 7.0, 6.0, 120.0, 15.0, 35.0
    u, nu = v / float(units.thermal_voltage(T)), float(attempt_rate(T))
    enter_out = nu * np.exp(-(outer + 0.2 * u)) * c_out * 1e-3
    leave_out = nu * np.exp(-(outer - site + (0.2 - 0.45) * u))
    enter_in = nu * np.exp(-(inner + (0.7 - 1.0) * u)) * c_in * 1e-3
    leave_in = nu * np.exp(-(inner - site + (0.7 - 0.45) * u))
    p = (enter_out + enter_in) / (enter_out + enter_in + leave_out + leave_in)
    outward = p * leave_out - (1.0 - p) * enter_out
    model = BarrierPore({K: [site]}, {K: [outer, inner]}, [0.2, 0.45, 0.7])
    found = model.flux(v, Bath({K: c_in}, {K: c_out}, T))
    assert_allclose(found.occupancy, [1.0 - p, p], rtol=1e-13)
    assert_allclose(found.flux, [outward], rtol=1e-12)
    assert_allclose(current(model, v, Bath({K: c_in}, {K: c_out}, T)), outward * units.E0_PER_MS, rtol=1e-12)


def test_an_ion_alone_crosses_in_proportion_to_its_concentration():
    at = lambda c: float(current(pore(), -60.0, Bath({K: 0.0, Na: 0.0}, {K: c, Na: 0.0}, T)))
    assert_allclose(at(1e-7) / at(1e-8), 10.0, rtol=1e-6)
    assert at(1e3) / at(1e2) < 10.0


def test_conductance_falls_with_the_barriers_by_their_boltzmann_factor():
    """In the linear regime: 2 kcal/mol at 310.15 K is a factor of 25.66."""
    ddg = 2.0 * 4184.0 / (units.R * 310.15)
    dilute = Bath({K: 1e-6, Na: 0.0}, {K: 1e-6, Na: 0.0}, 310.15)
    higher = {s: np.asarray(rows) + ddg for s, rows in BARRIERS.items()}
    ratio = conductance(pore(), 0.0, dilute) / conductance(pore(barriers=higher), 0.0, dilute)
    assert_allclose(ratio, 25.6619018, rtol=1e-8)


def test_transmission_scales_and_a_reference_fixes_the_energies():
    assert_allclose(current(pore(transmission=0.3), -20.0, bath()), 0.3 * current(pore(), -20.0, bath()), rtol=1e-13)
    warm, fixed = bath(310.0), pore(reference=T)
    scaled = jax.tree.map(lambda x: x * (T / 310.0), (pore().sites, pore().barriers, pore().interaction.energy))
    other = eqx.tree_at(lambda p: (p.sites, p.barriers, p.interaction.energy), pore(), scaled)
    assert_allclose(current(fixed, 10.0, warm), current(other, 10.0, warm), rtol=1e-12)
    assert_allclose(current(fixed, 10.0, bath()), current(pore(), 10.0, bath()), rtol=1e-13)


def test_any_function_of_the_occupancy_can_be_the_interaction():
    def repulsion(occupied, z):
        return 1.5 * jnp.prod(jnp.sum(occupied, 0))

    assert_allclose(current(pore(interaction=repulsion), 20.0, bath()), current(pore(), 20.0, bath()), rtol=1e-13)
    without = current(pore(interaction=()), 20.0, bath())
    assert_allclose(without, current(pore(interaction=[0.0]), 20.0, bath()), rtol=1e-13)
    assert abs(without / current(pore(), 20.0, bath()) - 1.0) > 0.01


def test_rows_may_be_arrays_and_distances_default_to_even_steps():
    rows = BarrierPore(list(SITES.values()), list(BARRIERS.values()), None, [1.5], (K, Na))
    assert_allclose(rows.distances, np.arange(1, 6) / 6)
    assert rows.species == (K, Na) and rows.states == pore().states
    assert rows.states == ("- -", "- K", "- Na", "K -", "K K", "K Na", "Na -", "Na K", "Na Na")


def test_the_graph_is_the_pore():
    """A pore read as a graph of `kinetics` occupies, carries and is driven as itself."""
    model, v = pore(), 25.0
    graph, found = model.scheme, model.flux(v, bath())
    p = kinetics.stationary(kinetics.generator(graph, v, bath()))
    assert_allclose(p, found.occupancy, rtol=1e-12)
    flux = kinetics.edge_flux(graph, p, v, bath())
    out = [
        sum(float(f) * n for f, row in zip(flux, graph.exchange, strict=True) for key, n in row if key == (s, False))
        for s in (K, Na)
    ]
    assert_allclose(out, found.net[:, 0], rtol=1e-11)
    assert_allclose(GraphPore(graph).exchange(jnp.asarray(v), bath()).current, current(model, v, bath()), rtol=1e-12)
    # Charge times flux, summed over all moves, is the current, wherever in the field they happen.
    moved = float(jnp.sum(graph.charges(bath()) * flux)) * units.E0_PER_MS
    assert_allclose(moved, current(model, v, bath()), rtol=1e-11)
    grid = kinetics.generator(graph, jnp.asarray([-50.0, v]), bath())
    assert_allclose(grid[1], kinetics.generator(graph, v, bath()), rtol=1e-14)


def test_ions_knock_each_other_on():
    model, v = pore(), -40.0
    split = knock_on(model, v, bath())
    assert split.shape == (2, 3, 2)
    assert_allclose(jnp.sum(split, -1), model.flux(v, bath()).net, rtol=1e-9)
    # One at a time: as the concentration falls, nothing crosses with another ion in the pore.
    dilute = Bath({K: 1e-6, Na: 0.0}, {K: 1e-5, Na: 0.0}, T)
    lonely = np.asarray(knock_on(model, v, dilute))[0]
    assert np.all(np.abs(lonely[:, 1]) < 1e-6 * np.abs(lonely[:, 0]))


def test_the_barriers_spread_says_how_exact_the_flux_is():
    found = pore().flux(-25.3, bath())
    assert found.spread.shape == (2,)
    assert np.all(np.asarray(found.spread) < 1e-13)
    broken = eqx.tree_at(lambda f: f.net, found, found.net.at[0, 1].multiply(1.001))
    assert float(broken.spread[0]) > 1e-8


def test_four_sites_for_three_ions_have_a_gradient():
    """256 states."""
    model = BarrierPore(
        {K: [-3.0] * 4, Na: [-1.0] * 4, Ca: [-6.0] * 4},
        {K: [7.0] * 5, Na: [9.0] * 5, Ca: [8.0] * 5},
        None,
        [2.0, 0.7, 0.2],
    )
    full = Bath({K: 140.0, Na: 10.0, Ca: 1e-4}, {K: 4.0, Na: 145.0, Ca: 2.0}, T)
    value, slope = eqx.filter_jit(eqx.filter_value_and_grad(lambda p: current(p, -60.0, full)))(model)
    assert len(model.states) == 256
    assert np.isfinite(value) and all(np.all(np.isfinite(x)) for x in jax.tree.leaves(slope))


def test_single_precision_keeps_five_digits():
    low = jax.tree.map(lambda x: x.astype(jnp.float32), (pore(), bath()))
    for v in (-100.0, 0.0, 60.0):
        got, wanted = current(low[0], v, low[1]), current(pore(), v, bath())
        assert got.dtype == jnp.float32
        assert_allclose(got, wanted, rtol=5e-5)


def test_selective_pores_reverse_near_their_ion():
    assert -90.0 < float(reversal_potential(pore(), bath())) < 66.0
    only = BarrierPore({K: SITES[K], Na: SITES[Na]}, {K: BARRIERS[K], Na: [40.0] * 3}, DISTANCES, [1.5])
    nernst = float(units.thermal_voltage(T)) * np.log(4.0 / 140.0)
    assert_allclose(reversal_potential(only, bath()), nernst, rtol=1e-7)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"distances": [0.1, 0.2, 0.5]},
            "Argument `distances` must have 5 values for 2 sites (barrier, site, barrier, ..., barrier, from "
            "outside), but has shape (3,).",
        ),
        (
            {"distances": [0.1, 0.2, 0.5, 0.8, 1.2]},
            "Argument `distances` must increase from outside between 0 and 1, but is 0.1, 0.2, 0.5, 0.8, 1.2.",
        ),
        (
            {"distances": [0.1, 0.5, 0.5, 0.8, 0.9]},
            "Argument `distances` must increase from outside between 0 and 1, but is 0.1, 0.5, 0.5, 0.8, 0.9.",
        ),
        (
            {"barriers": {K: [8.0, 6.0], Na: [9.0, 7.5]}},
            "A pore must have one barrier more than sites, but has 2 sites and 2 barriers.",
        ),
        (
            {"barriers": {K: [8.0, 6.0, 8.0], Na: [9.0, 7.5]}},
            "Argument `barriers` must have a row of one length for each of 2 species, but has 2 rows of length 2, 3.",
        ),
        (
            {"barriers": {K: [8.0, 6.0, 8.0], Ba: [9.0, 7.5, 9.0]}},
            "Argument `barriers` must have a row for each of K, Na, but has K, Ba.",
        ),
        (
            {"interaction": [1.0, 2.0]},
            "Argument `interaction` must have at most 1 energies for 2 sites, of neighbors first, but has shape (2,).",
        ),
        (
            {"sites": {s: [0.0] * 6 for s in (K, Na, Ca, Cl)}, "barriers": {s: [9.0] * 7 for s in (K, Na, Ca, Cl)}},
            "A pore must have at most 1024 occupancy states, but 6 sites and 4 species make 15625 (5^6); take fewer "
            "sites, or leave out a species that does not enter.",
        ),
    ],
)
def test_what_does_not_fit_is_said_in_one_line(changes, said):
    with pytest.raises(ValueError) as caught:
        pore(**changes)
    assert str(caught.value) == said


def test_a_species_that_the_bath_lacks_is_named():
    with pytest.raises(KeyError, match=r"must hold Na\(\+1\)"):
        current(pore(), 0.0, Bath({K: 140.0}, {K: 4.0}, T))
