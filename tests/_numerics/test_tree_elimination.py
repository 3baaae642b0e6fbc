"""Systems on trees: against dense solves, with derivatives."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from jaxmem._numerics.tree_elimination import solve_tree

pytestmark = pytest.mark.x64


def random_tree(size, lanes=()):
    draw = np.random.default_rng(3)
    parent = np.array([0, *(draw.integers(0, k) for k in range(1, size))])
    up, down = -draw.uniform(0.1, 1.0, (2, size, *lanes))
    diagonal = 0.5 + draw.uniform(0.0, 1.0, (size, *lanes)) - up
    np.add.at(diagonal, parent[1:], -down[1:])
    return jnp.asarray(parent), *(jnp.asarray(x) for x in (diagonal, up, down, draw.normal(size=(size, *lanes))))


def dense(parent, diagonal, up, down):
    a = np.diag(np.asarray(diagonal))
    for i in range(1, len(a)):
        a[i, parent[i]] += up[i]
        a[parent[i], i] += down[i]
    return a


@pytest.mark.parametrize("size", [1, 2, 30])
def test_solution_is_that_of_the_dense_system(size):
    parent, *entries, b = random_tree(size)
    np.testing.assert_allclose(solve_tree(parent, *entries, b), np.linalg.solve(dense(parent, *entries), b), rtol=1e-11)


def test_lanes_are_systems_of_their_own():
    parent, *rest = random_tree(12, (3,))
    found = solve_tree(parent, *rest)
    for k in range(3):
        one = [x[:, k] for x in rest]
        np.testing.assert_allclose(found[:, k], solve_tree(parent, *one), rtol=1e-13)


def test_derivatives_of_both_modes_and_second_order():
    parent, *rest = random_tree(6)
    check_grads(lambda *x: solve_tree(parent, *x), tuple(rest), order=2, modes=("fwd", "rev"), rtol=1e-5)


def test_batches():
    parent, diagonal, *rest = random_tree(8)
    scale = jnp.asarray([1.0, 2.0])
    found = jax.vmap(lambda s: solve_tree(parent, s * diagonal, *rest))(scale)
    np.testing.assert_allclose(found[1], solve_tree(parent, 2.0 * diagonal, *rest), rtol=1e-13)


@pytest.mark.parametrize("size", [2, 3, 10, 11])
def test_a_chain_is_the_tree_without_branches(size):
    _, *rest = random_tree(size, (2,))
    parent, none = jnp.asarray([0, *range(size - 1)]), jnp.zeros((0,), jnp.int32)
    diagonal = rest[0] + 2.0
    found = solve_tree(parent, diagonal, *rest[1:], none)
    np.testing.assert_allclose(found, solve_tree(parent, diagonal, *rest[1:]), rtol=1e-12)
    for k in range(2):
        one = [x[:, k] for x in (diagonal, *rest[1:])]
        np.testing.assert_allclose(found[:, k], np.linalg.solve(dense(parent, *one[:3]), one[3]), rtol=1e-11)


def test_derivatives_of_a_chain():
    _, diagonal, *rest = random_tree(5)
    parent, none = jnp.asarray([0, 0, 1, 2, 3]), jnp.zeros((0,), jnp.int32)
    given = (diagonal + 2.0, *rest)
    check_grads(lambda *x: solve_tree(parent, *x, none), given, order=2, modes=("fwd", "rev"), rtol=1e-5)


def test_branches_that_are_named_change_nothing():
    parent, *rest = random_tree(12)
    branches = jnp.asarray(np.flatnonzero(np.asarray(parent)[1:] != np.arange(11)) + 1)
    loss = lambda branches: jax.value_and_grad(lambda d: jnp.sum(solve_tree(parent, d, *rest[1:], branches) ** 2))
    for x, y in zip(loss(branches)(rest[0]), loss(None)(rest[0]), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12)
