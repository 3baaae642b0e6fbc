from decimal import Decimal, getcontext

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxmem._numerics.expm import expm1_generator

getcontext().prec = 60


def exact(rates):
    """exp(q) - I to about 50 digits: rows as Decimals."""
    n = len(rates)
    q = np.array([[Decimal(float(x)) for x in row] for row in rates], dtype=object)
    for i in range(n):
        q[i, i] = Decimal(0)
        q[i, i] = -sum(q[i])
    halvings = 0
    while max(-q[i, i] for i in range(n)) / 2**halvings > Decimal("0.1"):
        halvings += 1
    a = q / Decimal(2) ** halvings
    term = total = a
    for k in range(2, 40):
        term = term.dot(a) / Decimal(k)
        total = total + term
    for _ in range(halvings):
        total = 2 * total + total.dot(total)
    return total


def rates(states, decades, scale=1.0):
    q = scale * 10.0 ** np.random.default_rng(states).uniform(-decades / 2, decades / 2, (states, states))
    return q * (1 - np.eye(states))


def chain(states, forward, backward):
    q = np.zeros((states, states))
    for i in range(states - 1):
        q[i, i + 1], q[i + 1, i] = forward * (states - 1 - i), backward * (i + 1)
    return q


CASES = {
    "tiny": rates(5, 2, 1e-12),
    "mild": rates(5, 1, 0.05),
    "ordinary": rates(5, 2),
    "two states": rates(2, 1),
    "stiff": rates(5, 8),
    "stiff, 12 decades": rates(5, 12),
    "chain": chain(5, 0.02, 0.3),
    "fast chain": chain(5, 30.0, 3.0),
    "one way": chain(4, 20.0, 0.0),  # probabilities of staying down to e^-60
    "20 states": rates(20, 4),
}


def worst(got, want) -> float:
    pairs = zip(np.asarray(got).ravel(), want.ravel(), strict=True)
    return max(abs(float((Decimal(float(x)) - y) / y)) for x, y in pairs if y != 0)


@pytest.mark.x64
@pytest.mark.parametrize("name", CASES)
def test_every_entry_has_its_relative_accuracy(name):
    q = CASES[name]
    want = exact(q)
    assert worst(expm1_generator(jnp.asarray(q)), want) < 3e-14
    needed = max(0, int(np.ceil(np.log2(2 * q.sum(axis=1).max()))))
    assert worst(expm1_generator(jnp.asarray(q), squarings=needed + 1), want) < 3e-14


@pytest.mark.parametrize("name", CASES)
def test_float32(name):
    q = CASES[name].astype(np.float32)
    got = expm1_generator(jnp.asarray(q))
    assert got.dtype == jnp.float32
    assert worst(got, exact(q)) < 5e-6


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.x64)])
@pytest.mark.parametrize("largest", [1e-6, 1.0, 1e3, 1e6])
def test_probability_is_conserved_and_never_negative(dtype, largest):
    q = rates(6, 6)
    d = np.asarray(expm1_generator(jnp.asarray(q * (largest / q.max()), dtype)))
    p = d + np.eye(6, dtype=dtype)
    assert p.min() >= 0
    assert np.abs(d.sum(axis=1)).max() <= 4 * np.finfo(dtype).eps * min(1.0, 6 * largest)


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.x64)])
def test_a_state_left_for_certain_is_not_negative(dtype):
    for forward in np.linspace(5.0, 60.0, 12):
        d = expm1_generator(jnp.asarray(chain(6, forward, 0.01 * forward), dtype))
        assert (np.asarray(d) + np.eye(6, dtype=dtype)).min() >= 0
        assert np.abs(np.asarray(d).sum(axis=1)).max() <= 4 * np.finfo(dtype).eps


@pytest.mark.x64
@pytest.mark.parametrize("squarings", [None, 9])
def test_derivatives_agree(squarings):
    q, rng = jnp.asarray(rates(3, 2)), np.random.default_rng(1)
    weights, direction = jnp.asarray(rng.normal(size=(3, 3))), jnp.asarray(rates(3, 1))

    def loss(q):
        return (weights * expm1_generator(q, squarings=squarings)).sum()

    gradient = jax.grad(loss)(q)
    forward = jax.jvp(loss, (q,), (direction,))[1]
    np.testing.assert_allclose((gradient * direction).sum(), forward, rtol=1e-12)
    h = 1e-5
    central = (loss(q + h * direction) - loss(q - h * direction)) / (2 * h)
    np.testing.assert_allclose(forward, central, rtol=1e-7)
    hessian = jax.hessian(loss)(q)
    np.testing.assert_allclose(hessian, np.transpose(hessian, (2, 3, 0, 1)), atol=1e-13)
    change = (jax.grad(loss)(q + h * direction) - jax.grad(loss)(q - h * direction)) / (2 * h)
    np.testing.assert_allclose(jnp.tensordot(hessian, direction), change, rtol=1e-6, atol=1e-9)


@pytest.mark.x64
def test_derivative_of_the_occupancy_at_long_times_is_that_of_the_stationary_one():
    from jaxmem._numerics.stationary import stationary_distribution

    q = jnp.asarray(rates(5, 2))
    long = jax.jacfwd(lambda q: expm1_generator(q * 1e5)[0])(q)
    want = jax.jacfwd(stationary_distribution)(q)
    np.testing.assert_allclose(long, want, rtol=1e-9, atol=1e-12)


def test_out_of_reach_is_nan_and_leaves_its_neighbors_alone():
    q = jnp.asarray(rates(3, 1))
    batch = jnp.stack([q, q * jnp.nan, q * 1e9, 0 * q])
    d = jax.vmap(expm1_generator)(batch)
    np.testing.assert_array_equal(np.isnan(d).all(axis=(1, 2)), [False, True, True, False])
    np.testing.assert_array_equal(d[3], np.zeros((3, 3)))
    gradient = jax.vmap(jax.grad(lambda q: expm1_generator(q)[0, 0]))(batch)
    assert np.isfinite(gradient).all()
    assert np.isnan(expm1_generator(q * 1e3, squarings=2)).all()
