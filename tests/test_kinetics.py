"""State graphs: what is refused, closed forms, accuracy of the steady state, thermodynamics."""

import dataclasses
from fractions import Fraction

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from jaxmem import kinetics, units
from jaxmem.electrochemistry import Bath, Ca, Cl, K, Na, as_bath
from jaxmem.kinetics import Balanced, EnergyScheme, scheme
from jaxmem.rates import Binding, Constant, Exponential, Eyring, Linoid

pytestmark = pytest.mark.x64

T = 298.15
ONE = Constant(1.0)

few = settings(max_examples=10)  # every drawn topology compiles anew


def ring(n, extra=()):
    """The edges of a ring of n states and some chords."""
    return [(k, (k + 1) % n) for k in range(n)] + list(extra)


def constant_scheme(edges, forward, backward):
    names = {k for edge in edges for k in edge}
    laws = {(str(i), str(j)): (Constant(f), Constant(b)) for (i, j), f, b in zip(edges, forward, backward, strict=True)}
    return scheme(laws, states=tuple(str(k) for k in range(len(names))))


def exact_stationary(edges, forward, backward, n):
    """The steady state in rational arithmetic, by Gaussian elimination."""
    q = [[Fraction(0)] * n for _ in range(n)]
    for (i, j), f, b in zip(edges, forward, backward, strict=True):
        for a, c, rate in ((i, j, Fraction(f)), (j, i, Fraction(b))):
            q[a][c] += rate
            q[a][a] -= rate
    rows = [[q[j][i] for j in range(n)] + [Fraction(0)] for i in range(n - 1)] + [[Fraction(1)] * (n + 1)]
    for k in range(n):
        pivot = next(r for r in range(k, n) if rows[r][k] != 0)
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for r in range(n):
            if r != k and rows[r][k] != 0:
                rows[r] = [x - rows[r][k] * y for x, y in zip(rows[r], rows[k], strict=True)]
    return [row[n] for row in rows]


# --- what is refused ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({("A", "A"): (ONE, ONE)},), "An edge must connect two states, but one goes from A to itself."),
        (
            ({("A", "B"): (ONE, ONE), ("B", "A"): (ONE, ONE)},),
            "Two states may be joined by one edge only, but B and A are joined twice; add the rates, or say what each "
            "edge exchanges.",
        ),
        (
            ({("A", "B"): (ONE, ONE), ("C", "D"): (ONE, ONE)},),
            "Every state must be reachable from A, but C, D cannot be reached; add an edge.",
        ),
        (
            ({("A", "B"): (ONE, Balanced())},),
            "A balanced rate must close a cycle of edges with given rates, but A - B closes none.",
        ),
    ],
)
def test_a_scheme_refuses_in_one_line(arguments, message):
    with pytest.raises(ValueError) as caught:
        scheme(*arguments)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"states": ("A", "X")}, "Argument `edges` must connect named states, but ('A', 'B') names 'B'"),
        (
            {"charge": {("A", "X"): 1.0}},
            "Argument `charge` must connect named states, but ('A', 'X') names 'X'",
        ),
        ({"charge": {("B", "A"): 1.0}}, "Argument `charge` must name an edge as it was given"),
        ({"exchange": {("B", "A"): {(K, True): 1}}}, "Argument `exchange` must name an edge as it was given"),
        ({"states": ("A", "B", "C")}, "Every state must be reachable from A, but C cannot be reached"),
        ({"states": ("A", "B", "A")}, "States must have different names, but they are A, B, A."),
    ],
)
def test_options_of_a_scheme_are_checked(options, message):
    with pytest.raises(ValueError) as caught:
        scheme({("A", "B"): (ONE, ONE)}, **options)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_cycle_cannot_be_balanced_twice():
    edges = {("A", "B"): (ONE, ONE), ("B", "C"): (ONE, Balanced()), ("C", "A"): (ONE, Balanced())}
    with pytest.raises(ValueError, match="A balanced rate must close a cycle of edges with given rates"):
        scheme(edges)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("energy", [0.0], "Argument `energy` must have one value per state but the first (2)."),
        ("charge", [0.0] * 3, "Argument `charge` must have one value per state but the first (2)."),
        ("barrier", [0.0], "Argument `barrier` must have one value per edge (3)."),
        ("barrier_charge", [0.0] * 2, "Argument `barrier_charge` must have one value per edge (3)."),
    ],
)
def test_an_energy_scheme_refuses_wrong_lengths(name, value, message):
    fields = {
        "energy": np.zeros(2),
        "charge": np.zeros(2),
        "barrier": np.zeros(3),
        "barrier_charge": np.zeros(3),
    }
    with pytest.raises(ValueError) as caught:
        EnergyScheme(("A", "B", "C"), tuple(ring(3)), ((),) * 3, **(fields | {name: np.asarray(value)}), reference=T)
    assert str(caught.value) == message


def test_the_charge_of_a_law_that_is_not_exponential_must_be_given():
    laws = {("C", "O"): (Linoid(1.0, 0.0, 10.0), ONE)}
    with pytest.raises(ValueError) as caught:
        scheme(laws).charges(as_bath(T))
    assert str(caught.value) == (
        "The charge of edge C - O must be given, because its rate laws are not exponential in V: "
        "scheme(..., charge={('C', 'O'): z})."
    )
    assert_allclose(scheme(laws, charge={("C", "O"): 2.5}).charges(as_bath(T)), [2.5])


# --- closed forms ---


def test_the_generator_is_what_the_edges_say():
    q = kinetics.generator(
        scheme({("A", "B"): (Constant(2.0), Constant(3.0)), ("B", "C"): (ONE, Constant(5.0))}), 0.0, T
    )
    assert_allclose(q, [[-2, 2, 0], [3, -4, 1], [0, 5, -5]], rtol=0, atol=0)


def test_the_generator_keeps_leading_axes_of_the_voltage():
    graph = scheme({("A", "B"): (Exponential(1.0, 0.02), ONE)})
    v = jnp.asarray([[-50.0, 0.0, 50.0], [1.0, 2.0, 3.0]])
    q = kinetics.generator(graph, v, T)
    assert q.shape == (2, 3, 2, 2)
    assert_allclose(q[1, 2], kinetics.generator(graph, v[1, 2], T), rtol=1e-15)


def test_two_states_relax_exponentially():
    graph = scheme({("C", "O"): (Constant(2.0), Constant(3.0))})
    q = kinetics.generator(graph, 0.0, T)
    assert_allclose(kinetics.stationary(q), [0.6, 0.4], rtol=1e-15)
    assert_allclose(kinetics.relaxation_rates(q), [0.0, 5.0], atol=1e-15)
    assert_allclose(kinetics.spanning_tree_sum(q), 5.0, rtol=1e-15)
    for t in (1e-9, 0.1, 1.0, 50.0):
        p = kinetics.propagate(q, jnp.asarray([1.0, 0.0]), jnp.asarray(t))
        assert_allclose(p[1], -0.4 * np.expm1(-5.0 * t), rtol=1e-14)


def test_a_driven_triangle_oscillates():
    """-12.75 +- 5.04 i per ms: the rates of an exact driven cycle, spanning trees 188."""
    graph = constant_scheme(ring(3), [10.0, 5.0, 7.0], [1.0, 2.0, 0.5])
    q = kinetics.generator(graph, 0.0, T)
    rates = kinetics.relaxation_rates(q)
    assert_allclose(rates[1:], [12.75 - 5.043560250458004j, 12.75 + 5.043560250458004j], rtol=1e-12)
    assert_allclose(kinetics.spanning_tree_sum(q), 188.0, rtol=1e-14)
    assert_allclose(kinetics.affinity(graph, 0.0, T), [np.log(350.0)], rtol=1e-13)
    p = kinetics.stationary(q)
    flux = kinetics.edge_flux(graph, p, 0.0, T)
    assert_allclose(flux, np.full(3, 349.0 / 188.0), rtol=1e-13)
    entropy = kinetics.entropy_production(graph, p, 0.0, T)
    assert_allclose(entropy, 349.0 / 188.0 * np.log(350.0), rtol=1e-12)


@few
@given(st.integers(2, 6), st.data())
def test_propagation_is_the_matrix_exponential(n, data):
    edges = ring(n) if n > 2 else [(0, 1)]
    rate = st.floats(1e-3, 1e3)
    forward, backward = (data.draw(st.lists(rate, min_size=len(edges), max_size=len(edges))) for _ in range(2))
    t = data.draw(st.floats(1e-4, 10.0))
    q = kinetics.generator(constant_scheme(edges, forward, backward), 0.0, T)
    start = np.eye(n)[0]
    expected = scipy.linalg.expm(np.asarray(q).T * t) @ start
    assert_allclose(kinetics.propagate(q, jnp.asarray(start), jnp.asarray(t)), expected, rtol=1e-9, atol=1e-12)


# --- the steady state ---


@few
@given(st.integers(3, 6), st.data())
def test_the_steady_state_is_exact_however_stiff(n, data):
    """Every entry to 1e-13 against rational arithmetic, with rates over eighteen decades."""
    edges = ring(n, [(0, 2)] if n > 3 else ())
    exponents = st.integers(-10, 10)
    decades = [data.draw(exponents) for _ in range(2 * len(edges))]
    forward = [2.0 ** (3 * k) for k in decades[: len(edges)]]
    backward = [1.5 * 2.0 ** (3 * k) for k in decades[len(edges) :]]
    q = kinetics.generator(constant_scheme(edges, forward, backward), 0.0, T)
    exact = [float(p) for p in exact_stationary(edges, forward, backward, n)]
    assert_allclose(kinetics.stationary(q), exact, rtol=1e-13)


def test_the_tree_sum_of_a_stiff_cycle():
    """Matrix-tree theorem in rational arithmetic: the sum of the principal minors."""
    edges, forward, backward = ring(4), [1e6, 1e-3, 2e6, 3e-3], [1e5, 1e-4, 5e5, 1e-5]
    q = kinetics.generator(constant_scheme(edges, forward, backward), 0.0, T)
    rates = [[Fraction(0)] * 4 for _ in range(4)]
    for (i, j), f, b in zip(edges, forward, backward, strict=True):
        rates[i][j], rates[j][i] = Fraction(f), Fraction(b)

    def minor(root):
        keep = [k for k in range(4) if k != root]
        (a, b, c), (d, e, f), (g, h, i) = ([(-rates[x][y] if x != y else sum(rates[x])) for y in keep] for x in keep)
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)

    assert_allclose(kinetics.spanning_tree_sum(q), float(sum(map(minor, range(4)))), rtol=1e-14)


def test_the_derivative_of_the_steady_state_is_that_of_the_closed_form():
    def open_probability(v):
        graph = scheme({("C", "O"): (Eyring(1.0, 1.0), Eyring(1.0, -1.0))})
        return kinetics.stationary(kinetics.generator(graph, v, T))[1]

    kt = units.thermal_voltage(T)
    for v in (-400.0, -20.0, 0.0, 300.0):
        p = 1.0 / (1.0 + np.exp(-2.0 * v / kt))
        shut = 1.0 / (1.0 + np.exp(2.0 * v / kt))
        assert_allclose(jax.grad(open_probability)(jnp.asarray(v)), 2.0 / kt * p * shut, rtol=1e-12, atol=1e-16)


# --- cycles, detailed balance, charge ---


def test_cycles_are_closed_walks_and_as_many_as_the_edges_outside_a_tree():
    graph = constant_scheme(ring(6, [(1, 4), (2, 5)]), [1.0] * 8, [1.0] * 8)
    found = kinetics.cycles(graph)
    assert len(found) == 8 - 6 + 1
    for cycle in found:
        ends = [graph.edges[e] if sign == 1 else graph.edges[e][::-1] for e, sign in cycle]
        assert all(here[1] == after[0] for here, after in zip(ends, ends[1:] + ends[:1], strict=True))
    assert kinetics.cycles(scheme({("A", "B"): (ONE, ONE)})) == ()


def square(closing):
    """Two exponential gates in a square, the last edge closed by detailed balance."""
    a, b = (
        (Exponential(0.3, 0.02), Exponential(0.1, -0.03)),
        (Exponential(0.7, -0.01), Exponential(0.2, 0.015)),
    )
    return scheme({("C", "O"): a, ("O", "I"): b, ("CI", "I"): a, ("C", "CI"): (Exponential(0.5, -0.02), closing)})


@few
@given(st.floats(-150.0, 100.0))
def test_a_balanced_rate_closes_its_cycle_at_every_voltage(v):
    graph = square(Balanced())
    assert_allclose(kinetics.affinity(graph, v, T), [0.0], atol=1e-12)
    p = kinetics.stationary(kinetics.generator(graph, v, T))
    forward, _ = graph.rates(jnp.asarray(v), as_bath(T))
    assert np.abs(kinetics.edge_flux(graph, p, v, T)).max() <= 1e-13 * float(forward.max())
    assert np.asarray(graph.charges(as_bath(T))) @ [1, 1, -1, -1] == pytest.approx(0.0, abs=1e-12)


def test_a_free_rate_leaves_the_cycle_open_and_the_audit_says_by_how_much():
    (row,) = kinetics.audit(square(Constant(0.2)), -40.0, T)
    assert set(row.states) == {"C", "O", "I", "CI"}
    assert row.paid == 0.0
    assert abs(row.residual) > 0.1
    assert_allclose(row.residual, kinetics.affinity(square(Constant(0.2)), -40.0, T)[0], rtol=1e-14)


def test_several_cycles_can_be_balanced():
    e = Exponential
    graph = scheme(
        {
            ("A", "B"): (e(1.0, 0.01), e(2.0, 0.0)),
            ("B", "C"): (e(3.0, 0.02), e(0.5, -0.01)),
            ("C", "D"): (e(1.5, 0.0), e(0.2, 0.03)),
            ("D", "A"): (e(0.4, 0.01), Balanced()),
            ("A", "C"): (e(0.9, -0.02), Balanced()),
        }
    )
    assert_allclose(kinetics.affinity(graph, jnp.asarray([-80.0, 20.0]), T), np.zeros((2, 2)), atol=1e-13)


def test_charges_of_states_add_up_along_the_graph():
    graph = scheme(
        {
            ("A", "B"): (Eyring(1.0, 0.3), Eyring(1.0, -0.7)),
            ("C", "B"): (Eyring(1.0, 0.5), Eyring(1.0, 0.1)),
        },
        states=("A", "B", "C"),
    )
    assert_allclose(graph.charges(as_bath(T)), [1.0, 0.4], rtol=1e-14)
    assert_allclose(kinetics.state_charge(graph, T), [0.0, 1.0, 0.6], rtol=1e-14)


def test_exponential_laws_give_the_charge_at_the_temperature():
    graph = scheme({("C", "O"): (Exponential(1.0, 0.05), Exponential(1.0, -0.03))})
    assert_allclose(graph.charges(as_bath(310.0)), [0.08 * units.thermal_voltage(310.0)], rtol=1e-14)


# --- energies ---

SPECIES = (K, Na, Ca, Cl)
CONCENTRATION = st.floats(1e-3, 500.0)
ENERGY = st.floats(-5.0, 5.0)


@st.composite
def energy_schemes(draw):
    n = draw(st.integers(2, 5))
    edges = ring(n, [(0, 2)] if n > 3 and draw(st.booleans()) else ()) if n > 2 else [(0, 1)]
    particle = st.tuples(st.sampled_from(SPECIES), st.booleans())
    exchange = tuple(
        tuple(draw(st.dictionaries(particle, st.integers(-2, 2).filter(bool), max_size=2)).items()) for _ in edges
    )

    def values(count):
        return np.asarray(draw(st.lists(ENERGY, min_size=count, max_size=count)))

    return EnergyScheme(
        tuple("ABCDE"[:n]),
        tuple(edges),
        exchange,
        energy=values(n - 1),
        charge=values(n - 1),
        barrier=15.0 + values(len(edges)),
        barrier_charge=values(len(edges)),
        reference=293.15,
    )


@st.composite
def baths(draw):
    inside, outside = ({s: draw(CONCENTRATION) for s in SPECIES} for _ in range(2))
    return Bath(inside, outside, draw(st.floats(280.0, 315.0)))


@few
@given(energy_schemes(), baths(), st.floats(-120.0, 80.0))
def test_the_affinity_of_energies_is_what_the_baths_pay(graph, bath, v):
    for row in kinetics.audit(graph, v, bath):
        assert_allclose(row.affinity, row.paid, rtol=1e-10, atol=1e-10)


@few
@given(energy_schemes(), baths(), st.floats(-120.0, 80.0))
def test_without_exchange_energies_give_boltzmann_occupancies_and_no_flux(graph, bath, v):
    closed = dataclasses.replace(graph, exchange=((),) * len(graph.edges))
    p = kinetics.stationary(kinetics.generator(closed, v, bath))
    u = v / float(units.thermal_voltage(bath.temperature))
    energy = np.asarray(graph.energy) * float(graph.reference / bath.temperature) + np.asarray(graph.charge) * u
    weights = np.exp(-np.concatenate([[0.0], energy]))
    assert_allclose(p, weights / weights.sum(), rtol=1e-10)
    forward, _ = closed.rates(jnp.asarray(v), bath)
    flux = kinetics.edge_flux(closed, p, v, bath)
    i = np.asarray([edge[0] for edge in closed.edges])
    assert np.all(np.abs(flux) <= 1e-11 * np.asarray(forward) * np.asarray(p)[i])


@few
@given(energy_schemes(), baths(), st.floats(-120.0, 80.0))
def test_the_charge_of_an_edge_is_the_slope_of_its_rate_ratio(graph, bath, v):
    """ln(kf/kb) rises by the outward charge per u at fixed concentrations."""

    def log_ratio(v):
        forward, backward = graph.rates(v, bath)
        return jnp.log(forward) - jnp.log(backward)

    slope = units.thermal_voltage(bath.temperature) * jax.jacfwd(log_ratio)(jnp.asarray(v))
    assert_allclose(slope, graph.charges(bath), rtol=1e-8, atol=1e-8)


def test_the_carrier_of_an_ion_stands_still_at_its_nernst_potential():
    """A carrier that binds K inside, crosses, and releases it outside: affinity = ln(c_in/c_out) + u."""
    graph = EnergyScheme(
        ("empty in", "bound in", "bound out", "empty out"),
        tuple(ring(4)),
        ((((K, True), -1),), (), (((K, False), 1),), ()),
        energy=[-2.0, -1.0, 0.5],
        charge=[0.0, 0.4, 0.1],
        barrier=[10.0, 14.0, 9.0, 15.0],
        barrier_charge=[0.1, 0.2, 0.3, 0.4],
        reference=T,
    )
    bath = Bath({K: 140.0}, {K: 4.0}, T)
    nernst = units.thermal_voltage(T) * np.log(4.0 / 140.0)
    assert_allclose(kinetics.affinity(graph, nernst, bath), [0.0], atol=1e-12)
    assert_allclose(kinetics.affinity(graph, nernst + units.thermal_voltage(T), bath), [1.0], rtol=1e-11)
    assert_allclose(np.sum(graph.charges(bath)), 1.0, rtol=1e-13)  # one charge goes out per turn


def test_a_binding_edge_is_paid_by_its_bath():
    """Laws written by hand, with the exchange table that tells the audit what they bind."""
    laws = {("C", "B"): (Binding(2.0, Ca, True), Constant(4.0))}
    graph = scheme(laws, exchange={("C", "B"): {(Ca, True): -1}})
    bath = Bath({Ca: 1e-3}, {Ca: 2.0}, T)
    p = kinetics.stationary(kinetics.generator(graph, 0.0, bath))
    assert_allclose(p[1] / p[0], 1e-3 * 2.0 / 4.0, rtol=1e-14)
    assert kinetics.audit(graph, 0.0, bath) == ()


def test_the_audit_names_the_species_that_a_bath_lacks():
    graph = scheme(
        {("A", "B"): (ONE, ONE), ("B", "C"): (ONE, ONE), ("C", "A"): (ONE, ONE)},
        exchange={("A", "B"): {(Na, False): -1}},
    )
    with pytest.raises(KeyError, match=r"must hold Na\(\+1\)"):
        kinetics.audit(graph, 0.0, Bath({K: 1.0}, {K: 1.0}, T))
