import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from jaxmem._numerics.recurrence import _prefix, _stepwise, affine_recurrence


def plain(decay, drive, x0):
    """The same by an ordinary scan, which jax differentiates by itself."""
    later = lax.scan(lambda x, ab: 2 * (ab[0] * x + ab[1],), x0, (decay, drive))[1]
    return jnp.concatenate([x0[None], later])


def inputs(steps, dtype=float):
    rng = np.random.default_rng(steps)
    decay, drive = rng.uniform(0, 1, steps), rng.normal(size=steps)
    return jnp.asarray(decay, dtype), jnp.asarray(drive, dtype), jnp.asarray(0.3, dtype)


@pytest.mark.parametrize("steps", [0, 1, 3, 4, 5, 1001])
def test_it_is_the_recurrence(steps):
    args = inputs(steps)
    got = affine_recurrence(*args)
    assert got.shape == (steps + 1,)
    np.testing.assert_allclose(
        got,
        plain(*args),
        rtol=10 * jnp.finfo(got.dtype).eps,
        atol=1e-6 if got.dtype == jnp.float32 else 1e-15,
    )


@pytest.mark.x64
@pytest.mark.parametrize("steps", [1, 6])
def test_derivatives_in_both_modes_and_to_second_order(steps):
    args = inputs(steps)
    weights = jnp.asarray(np.random.default_rng(1).normal(size=steps + 1))

    def loss(f):
        return lambda *args: (weights * f(*args) ** 2).sum()

    every = (0, 1, 2)
    for derivative in (
        jax.grad,
        jax.jacfwd,
        jax.hessian,
        lambda f, argnums: jax.jacrev(jax.jacrev(f, argnums), argnums),
    ):
        got = derivative(loss(affine_recurrence), argnums=every)(*args)
        want = derivative(loss(plain), argnums=every)(*args)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12), got, want)


@pytest.mark.x64
@pytest.mark.parametrize("argument", [0, 1, 2])
def test_derivative_by_each_argument_alone(argument):
    args = inputs(9)
    got = jax.jacrev(affine_recurrence, argnums=argument)(*args)
    np.testing.assert_allclose(got, jax.jacfwd(plain, argnums=argument)(*args), rtol=1e-12, atol=1e-14)


@pytest.mark.x64
def test_batches_and_partial_batches():
    decay, drive, _ = inputs(20)
    starts = jnp.linspace(0, 1, 3)
    got = jax.vmap(affine_recurrence, in_axes=(None, None, 0))(decay, drive, starts)
    want = jnp.stack([plain(decay, drive, s) for s in starts])
    np.testing.assert_allclose(got, want, rtol=1e-14, atol=1e-15)
    gradient = jax.vmap(jax.grad(lambda a, s: affine_recurrence(a, drive, s).sum()), in_axes=(None, 0))(
        decay, starts
    )
    np.testing.assert_allclose(
        gradient[1], jax.grad(lambda a: plain(a, drive, starts[1]).sum())(decay), rtol=1e-12
    )


def test_the_form_for_accelerators_is_the_same_sequence():
    decay, drive = np.random.default_rng(3).uniform(size=(2, 1000))
    decay, drive = jnp.asarray(decay[1:], float), jnp.asarray(drive, float)
    tolerance = 1e-13 if jax.config.jax_enable_x64 else 1e-5
    np.testing.assert_allclose(_prefix(decay, drive), _stepwise(decay, drive), rtol=tolerance)
