import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxmem._numerics.block_tridiagonal import BlockTridiagonal, cyclic_reduction, eliminate, sweep
from jaxmem._numerics.ring import ring


def drawn(nodes, size, seed=0):
    rng = np.random.default_rng(seed)
    lower, diagonal, upper = (rng.normal(size=(nodes, size, size)) for _ in range(3))
    diagonal += 6.0 * np.eye(size)
    b = rng.normal(size=(nodes, size))
    return BlockTridiagonal(*(jnp.asarray(a, float) for a in (lower, diagonal, upper))), jnp.asarray(b, float)


def dense(a):
    nodes, size, _ = a.diagonal.shape
    full = np.zeros((nodes, size, nodes, size))
    for i in range(nodes):
        full[i, :, i] = a.diagonal[i]
        if i:
            full[i, :, i - 1] = a.lower[i]
        if i + 1 < nodes:
            full[i, :, i + 1] = a.upper[i]
    return full.reshape(nodes * size, nodes * size)


@pytest.mark.parametrize("method", [sweep, cyclic_reduction, eliminate])
@pytest.mark.parametrize(("nodes", "size"), [(1, 3), (2, 1), (11, 4)])
def test_solutions_are_those_of_the_dense_matrix(method, nodes, size):
    a, b = drawn(nodes, size)
    expected = np.linalg.solve(dense(a), np.asarray(b).ravel()).reshape(nodes, size)
    np.testing.assert_allclose(jax.jit(method)(a, b), expected, atol=2e3 * jnp.finfo(b.dtype).eps)


def test_product_and_transpose_are_those_of_the_dense_matrix():
    a, b = drawn(9, 3)
    close = dict(rtol=1e-5 if b.dtype == jnp.float32 else 1e-12, atol=1e-5 if b.dtype == jnp.float32 else 1e-12)
    np.testing.assert_allclose((a @ b).ravel(), dense(a) @ np.asarray(b).ravel(), **close)
    np.testing.assert_allclose((a.transposed @ b).ravel(), dense(a).T @ np.asarray(b).ravel(), **close)


@pytest.mark.x64
def test_the_derivative_is_exact_in_both_modes_and_twice():
    a, b = drawn(5, 2)
    f = lambda a, b: jnp.sum(jnp.sin(a.solve(b)))
    check_grads(f, (a, b), order=2, modes=("fwd", "rev"), rtol=1e-6, atol=1e-6)


@pytest.mark.x64
def test_a_batch_is_its_members():
    systems = [drawn(6, 3, seed) for seed in range(4)]
    a, b = jax.tree.map(lambda *x: jnp.stack(x), *systems)
    together = jax.vmap(lambda a, b: a.solve(b))(a, b)
    for one, (a, b) in zip(together, systems, strict=True):
        np.testing.assert_allclose(one, a.solve(b), atol=1e-14)


def test_with_an_accelerator_at_hand_a_program_holds_both_ways(monkeypatch):
    a, b = drawn(11, 4)
    expected = sweep(a, b)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    both = jax.jit(lambda a, b: eliminate(a, b))
    assert "cond" in str(jax.make_jaxpr(lambda a, b: eliminate(a, b))(a, b))
    np.testing.assert_allclose(both(a, b), expected, atol=2e3 * jnp.finfo(b.dtype).eps)


@pytest.mark.x64
def test_a_ring_is_its_dense_matrix():
    nodes, size, joined = 7, 3, 2
    line, b = drawn(nodes, size)
    rng = np.random.default_rng(1)
    closure = jnp.asarray(rng.normal(size=(joined, nodes, size)))
    held = jnp.arange(joined)
    unit = jnp.zeros((size, size)).at[held, held].set(1.0)[:joined]
    diagonal = line.diagonal.at[0, :joined].set(unit).at[-1, :joined].set(unit)
    line = BlockTridiagonal(line.lower.at[-1, :joined].set(0.0), diagonal, line.upper.at[0, :joined].set(0.0))
    full = dense(line).reshape(nodes, size, nodes, size)
    full[0, :joined] = closure
    for k in range(joined):
        full[-1, k, 0, k] = -1.0
    expected = np.linalg.solve(full.reshape(nodes * size, -1), np.asarray(b).ravel()).reshape(nodes, size)
    np.testing.assert_allclose(ring(line, closure).solve(b), expected, rtol=1e-12)
