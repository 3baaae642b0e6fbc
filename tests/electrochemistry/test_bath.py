import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem.electrochemistry import Bath, Ca, Cl, K, Na, Solution, Species, as_bath


def test_species_are_values():
    assert Species("K", 1) == K and hash(Species("K", 1)) == hash(K)
    assert Species("K", 2) != K
    assert repr(Ca) == "Ca(+2)" and repr(Cl) == "Cl(-1)"


def test_solution_holds_what_it_was_given():
    solution = Solution({K: 130, Na: 10.0})
    assert solution.species == (K, Na) and K in solution and Ca not in solution
    assert solution[K] == 130.0 and solution[Na] == 10.0
    assert solution.c.dtype == jnp.result_type(float) and not solution.c.weak_type


def test_absent_species_are_named():
    solution = Solution({K: 130.0, Na: 10.0})
    with pytest.raises(KeyError, match=r"hold Ca\(\+2\), but holds K\(\+1\), Na\(\+1\)"):
        solution[Ca]
    with pytest.raises(KeyError, match="holds no species"):
        as_bath(300.0)[K]
    with pytest.raises(TypeError, match="Keys of `concentrations` must be Species, but 'K'"):
        Solution({"K": 130.0})


def test_bath_joins_both_sides_in_order():
    bath = Bath({K: 130.0, Na: 10.0}, {Na: 145.0, Cl: 110.0, K: 4.0}, 310.0)
    assert bath.species == (K, Na, Cl) and bath.index(Cl) == 2
    assert bath[K] == (130.0, 4.0) and bath[Cl] == (0.0, 110.0)
    assert bath.temperature.dtype == bath.inside.c.dtype and not bath.temperature.weak_type


def test_as_bath():
    bath = Bath({K: 130.0}, {K: 4.0}, 310.0)
    assert as_bath(bath) is bath
    for temperature in (300, 300.0, jnp.float32(300.0), np.float64(300.0)):
        made = as_bath(temperature)
        assert made.species == () and made.temperature == 300.0
    assert as_bath(jnp.float32(300.0)).inside.c.dtype == jnp.float32
    with pytest.raises(TypeError, match="must be a Bath or a temperature"):
        as_bath("37 C")


def test_dtype_follows_the_concentrations():
    bath = Bath({K: jnp.float32(130.0)}, {K: jnp.float32(4.0)}, 310.0)
    assert {x.dtype for x in jax.tree.leaves(bath)} == {jnp.dtype("float32")}
    assert Bath({}, {K: jnp.float32(4.0)}, 310.0).inside.c.dtype == jnp.float32


def test_concentrations_are_traced():
    def ratio(c):
        inside, outside = Bath({K: c}, {K: 4.0}, 310.0)[K]
        return inside / outside

    assert jax.grad(ratio)(130.0) == 0.25
    batch = Bath({K: jnp.array([1.0, 2.0])}, {K: jnp.array([3.0, 4.0])}, jnp.array([300.0, 310.0]))
    np.testing.assert_array_equal(jax.vmap(lambda b: b[K][1])(batch), [3.0, 4.0])
    traces = []
    read = jax.jit(lambda b: (traces.append(1), b[K][0])[1])
    assert read(Bath({K: 1.0}, {K: 3.0}, 300.0)) == 1.0
    assert read(Bath({K: 2.0}, {K: 3.0}, 310.0)) == 2.0
    assert len(traces) == 1
