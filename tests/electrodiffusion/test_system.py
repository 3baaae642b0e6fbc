import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem import electrodiffusion as ed
from jaxmem.electrochemistry import Bath, Cl, K, Na

pytestmark = pytest.mark.x64
BATH = Bath({K: 140.0, Na: 10.0, Cl: 150.0}, {K: 5.0, Na: 145.0, Cl: 150.0}, 298.15)
CONE = ed.Pore(
    [10.0, 5.0, 10.0], {K: 1.957, Na: 1.334, Cl: 2.032}, radius=[3.0, 1.0, 1.0, 2.0], fixed_charge=[0.0, -300.0, 0.0]
)
MESH = ed.graded(CONE, BATH, cells=3)
ENDS = {
    "open": (ed.End(), ed.End()),
    "selective": (ed.End(passes=(K,)), ed.End(passes=(K,), contact=ed.Stern(0.2))),
    "closed": (ed.End(passes=(), contact=ed.Stern(0.3, 0.1)), ed.End(passes=())),
}


@pytest.mark.parametrize("steric", [None, ed.Bikerman(jnp.array([0.5, 0.4, 0.6]))], ids=["points", "sized"])
@pytest.mark.parametrize("ends", ENDS)
def test_the_blocks_are_the_derivative_of_the_residual(ends, steric):
    system = ed.discretize(CONE, MESH, jnp.asarray(40.0), BATH, ENDS[ends], steric=steric)
    x = jnp.asarray(np.random.default_rng(0).uniform(0.5, 2.0, (system.unknowns, MESH.nodes)))
    dense = np.asarray(jax.jit(jax.jacfwd(lambda x: system.residual(x)))(x))
    blocks = jax.jit(lambda x: system.jacobian(x))(x)
    found = np.zeros(dense.shape)
    for i in range(MESH.nodes):
        found[:, i, :, i] = blocks.diagonal[i]
        if i:
            found[:, i, :, i - 1] = blocks.lower[i]
        if i + 1 < MESH.nodes:
            found[:, i, :, i + 1] = blocks.upper[i]
    np.testing.assert_allclose(found, dense, rtol=1e-13, atol=1e-13)


def test_concentrations_solve_their_equations_in_any_potential():
    system = ed.discretize(CONE, MESH, jnp.asarray(40.0), BATH, ENDS["open"])
    y = jnp.asarray(np.random.default_rng(1).normal(0.0, 5.0, (1, MESH.nodes)))
    c, flux = system.concentrations(y)
    ahead, back = system.passages(system.rises(y))
    one_way = np.maximum(ahead * c[:, :-1], back * c[:, 1:]).max(1)
    assert np.asarray(c).min() > 0
    np.testing.assert_allclose(system.flows(c, y), np.broadcast_to(flux[:, None], (3, 9)), atol=1e-13 * one_way.max())
