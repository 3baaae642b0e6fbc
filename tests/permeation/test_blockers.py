"""Block of an open pore: Woodhull's closed form, escape to the other side, what is refused."""

import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from jaxmem import kinetics
from jaxmem.electrochemistry import Ba, Bath, K, Na
from jaxmem.permeation import Blocked, GraphPore, Ohmic, current, woodhull
from jaxmem.rates import Binding, Constant
from jaxmem.units import thermal_voltage

pytestmark = pytest.mark.x64

T = 293.15
V = (-120.0, -60.0, 0.0, 40.0)


def bath(inside=0.0, outside=5.0):
    return Bath({Ba: inside}, {Ba: outside}, T)


@pytest.mark.parametrize("delta", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("inner", [False, True])
def test_block_is_woodhulls_closed_form(delta, inner):
    model = Blocked(Ohmic(2.0, reversal=-70.0), woodhull(Ba, 0.4, 3.0, delta, inside=inner), ("free",))
    depth = -2.0 * (1.0 - delta) if inner else 2.0 * delta
    for v in V:
        conditions = bath(5.0, 0.0) if inner else bath()
        k = 3.0 / 0.4 * np.exp(depth * v / float(thermal_voltage(T)))
        assert_allclose(model.unblocked(v, conditions), 1.0 / (1.0 + 5.0 / k), rtol=1e-12)
        assert_allclose(current(model, v, conditions), 2.0 * (v + 70.0) / (1.0 + 5.0 / k), rtol=1e-12)


def test_a_blocker_that_escapes_is_relieved_at_strong_voltages():
    stays, escapes = woodhull(Ba, 0.4, 3.0, 0.2), woodhull(Ba, 0.4, 3.0, 0.2, escape=1.0)
    free = lambda graph, v: float(kinetics.stationary(kinetics.generator(graph, v, bath()))[0])
    assert free(stays, -200.0) < free(stays, -100.0) < free(stays, 0.0)
    assert free(escapes, -200.0) > free(escapes, -100.0)
    # It passes: inward where it is outside, not at all at its Nernst potential.
    assert float(current(GraphPore(escapes), -50.0, bath())) < 0.0
    e = float(thermal_voltage(T)) / 2.0 * np.log(5.0 / 0.1)
    scale = abs(float(current(GraphPore(escapes), 0.0, bath(0.1))))
    assert abs(float(current(GraphPore(escapes), e, bath(0.1)))) < 1e-13 * scale


def test_what_does_not_fit_is_said_in_one_line():
    graph, law = woodhull(Ba, 0.4, 3.0, 0.5), Ohmic(1.0, reversal=0.0)
    with pytest.raises(ValueError, match="must name states of the scheme, but names 'open'; states are free, blocked"):
        Blocked(law, graph, ("open",))
    with pytest.raises(ValueError, match="At least one state must conduct"):
        Blocked(law, graph, ())
    with pytest.raises(ValueError, match=r"Argument `delta` must be between 0 and 1, but is 1\.5"):
        woodhull(Ba, 0.4, 3.0, 1.5)
    with pytest.raises(ValueError, match="A pore must exchange Ba with both sides, but its graph does so outside only"):
        GraphPore(graph)
    plain = kinetics.scheme({("C", "O"): (Constant(1.0), Constant(1.0))})
    with pytest.raises(ValueError, match="must say what its edges exchange"):
        GraphPore(plain)


def test_two_edges_between_the_same_states_must_differ():
    laws = (Binding(1.0, K, False), Constant(1.0))
    apart = {("E", "K"): {(K, False): -1}, ("K", "E"): {(K, True): 1}}
    graph = kinetics.scheme({("E", "K"): laws, ("K", "E"): laws}, exchange=apart)
    assert len(graph.edges) == 2
    for same in ({("E", "K"): {(K, False): -1}, ("K", "E"): {(K, False): 1}}, None):
        with pytest.raises(ValueError, match="joined twice; add the rates, or say what each edge exchanges"):
            kinetics.scheme({("E", "K"): laws, ("K", "E"): laws}, exchange=same)


def test_steady_graphs_release_what_they_take_up():
    graph = woodhull(Ba, 0.4, 3.0, 0.3, escape=2.0)
    steady = kinetics.turnover(graph, -40.0, bath(0.2))
    out = kinetics.released(graph, steady)
    assert_allclose(out[Ba, False], -out[Ba, True], rtol=1e-12)
    assert_allclose(kinetics.transported(graph, steady)[Ba], out[Ba, False], rtol=1e-12)
    one_sided = kinetics.turnover(woodhull(Ba, 0.4, 3.0, 0.3), -40.0, bath())
    assert kinetics.transported(woodhull(Ba, 0.4, 3.0, 0.3), one_sided) == {}


def test_fluxes_are_averaged_by_how_well_they_are_known():
    net = jnp.asarray([1.0, 3.0])
    assert_allclose(kinetics.weighted(net, jnp.asarray([1.0, 1.0])), 2.0)
    assert_allclose(kinetics.weighted(net, jnp.asarray([1.0, 1e8])), 1.0, rtol=1e-15)
    assert_allclose(kinetics.weighted(net, jnp.zeros(2)), 2.0)
    assert Na not in kinetics.transported(woodhull(Ba, 1.0, 1.0, 0.5, escape=1.0), kinetics.turnover(
        woodhull(Ba, 1.0, 1.0, 0.5, escape=1.0), 0.0, bath()))  # fmt: skip
